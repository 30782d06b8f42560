# DROP EXTENSION while the worker delivers and sessions queue: nobody is told of a deadlock, and the extension is gone.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(time);

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nlog_lock_waits = on\ndeadlock_timeout = 100ms");
my $url     = $sandbox->url;
$node->safe_psql('postgres', 'CREATE TABLE customers AS SELECT format(\'c%s@example.com\', n) AS email, \'n\' AS name FROM generate_series(1, 200) AS n');

my ($rounds, $failed, $end) = (0, '', time + 10);
while (time < $end && !$failed) {
    $rounds++;
    $node->safe_psql('postgres', <<~SQL);
        SET client_min_messages = error;
        CREATE EXTENSION IF NOT EXISTS reverse_etl;
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
        CREATE USER MAPPING FOR PUBLIC SERVER inhouse;
        CREATE FOREIGN TABLE one (email text, name text) SERVER inhouse OPTIONS (path '/http/one', key 'email', insert_as 'upsert');
        CREATE FOREIGN TABLE two (email text, name text) SERVER inhouse OPTIONS (path '/http/two', key 'email', insert_as 'upsert');
        SELECT FROM reverse_etl.create_sync('customers', 'SELECT email, name FROM customers', 'two', '{email}');
        SELECT FROM reverse_etl.stream_table('customers', 'one');
        SQL
    my @sessions = map { session($_) } q(UPDATE customers SET name = gen_random_uuid();),
        q(CALL reverse_etl.run_sync('customers', wait => false);), q(BEGIN; INSERT INTO two SELECT email, name FROM customers LIMIT 20; COMMIT;);
    select undef, undef, undef, 0.05 * ($rounds % 7);
    my (undef, $said) = outcome($node, 'SET client_min_messages = error; DROP EXTENSION reverse_etl CASCADE');
    close $_ for @sessions;
    $failed = $said if $said =~ /ERROR/;
}
is($failed, '', "the extension is dropped, in each of $rounds rounds");
cmp_ok($rounds, '>', 3, 'there were some');
my @bad = grep { /deadlock detected|PANIC|terminated by signal/ } split /\n/, PostgreSQL::Test::Utils::slurp_file($node->logfile);
is("@bad", '', 'nobody was in anybody\'s way');
is($node->psql('postgres', 'CREATE EXTENSION IF NOT EXISTS reverse_etl'), 0, 'and it can be made again');

done_testing();

# A session that says it again and again, until there is nothing to say it to.
sub session {
    my ($sql) = @_;
    open my $psql, '|-', "psql -XAtq -d '@{[ $node->connstr('postgres') ]}' > /dev/null 2>&1" or die "cannot run psql: $!";
    print $psql "$sql\n" x 20;
    $psql->flush;
    return $psql;
}
