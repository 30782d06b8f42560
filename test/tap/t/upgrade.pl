# From one major version of Postgres to the next by pg_upgrade: what waits goes on waiting, what is paused stays paused, and
# a sync knows what it has sent.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

sub install_path { my ($version) = @_; return "$ENV{TESTS}/../build/postgres/$version/usr/lib/postgresql/$version" }
sub is_built { my $postgres = install_path(@_); return -x "$postgres/bin/pg_upgrade" && -e "$postgres/lib/reverse_etl.so" }
plan skip_all => 'Postgres 15 is not built here: scripts/build 15 does it' if !is_built(15);
# Where there is no later one, a cluster of the same version takes its place: pg_upgrade does what it does all the same.
my $next = is_built(17) ? 17 : 15;
note("from 15 to $next");

my $sandbox = start_sandbox();
my @init    = (extra => [ '--locale=C', '--encoding=UTF8' ]);
my $old     = PostgreSQL::Test::Cluster->new('old', install_path => install_path(15));
$old->init(@init);
$old->append_conf('postgresql.conf', "shared_preload_libraries = 'reverse_etl'");
$old->start;
$old->safe_psql('postgres', <<~SQL);
    CREATE DATABASE bare;
    CREATE EXTENSION reverse_etl;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
    CREATE SERVER other FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE USER MAPPING FOR PUBLIC SERVER other;
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE FOREIGN TABLE events (name text) SERVER other OPTIONS (path '/http/events');
    CREATE TABLE customers AS SELECT 'c' || n || '\@example.com' AS email, 'Name' AS name FROM generate_series(1, 10) AS n;
    CREATE COLLATION german (provider = icu, locale = 'de');
    SELECT reverse_etl.create_sync('customers', 'SELECT email COLLATE german AS email, name AS firstname FROM customers', 'contacts', '{email}', 'mirror');
    CALL reverse_etl.run_sync('customers');
    SELECT reverse_etl.pause_server('other');
    SELECT reverse_etl.pause('public.contacts');
    SQL
$old->safe_psql('postgres', q(BEGIN; INSERT INTO events VALUES ('one'), ('two'); INSERT INTO contacts VALUES ('q@example.com', 'queued'); COMMIT));
$old->safe_psql('bare', 'CREATE EXTENSION reverse_etl');
is($old->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox'), 3, 'rows wait');
$old->stop;
my $sent = $sandbox->get('/_sandbox/stats')->{rows};

my $new = PostgreSQL::Test::Cluster->new('new', install_path => install_path($next));
$new->init(@init);
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'reverse_etl'");
chdir $new->basedir;
my @upgrade = (
    install_path($next) . '/bin/pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', install_path(15) . '/bin',
    '-B', install_path($next) . '/bin', '-s', $new->host, '-p', $old->port, '-P', $new->port);
command_ok([ @upgrade, '--check' ], 'pg_upgrade --check has nothing against it');
command_ok(\@upgrade, 'pg_upgrade does it');
is($sandbox->get('/_sandbox/stats')->{rows}, $sent, 'nothing is sent meanwhile');

$new->start;
sub sql { return $new->safe_psql('postgres', @_) }
is(sql('SELECT count(*) FROM reverse_etl.outbox'), 3, 'the rows still wait');
is(sql('SELECT destination, state FROM reverse_etl.destinations ORDER BY 1::text'), "contacts|paused\nevents|paused", 'what was paused is paused');
like(($new->psql('postgres', q(CALL reverse_etl.run_sync('customers'))))[2], qr/looks like a copy/, 'the old cluster may still be there');
sql('SELECT reverse_etl.confirm_identity()');
sql(q(SELECT reverse_etl.pause('public.contacts')));
is($sandbox->get('/_sandbox/count/http/events')->{count}, 0, 'nothing leaves that is paused');
sql(q(SELECT reverse_etl.resume('public.contacts'), reverse_etl.resume_server('other')));
sql(q(CALL reverse_etl.wait('contacts', '30s'); CALL reverse_etl.wait('events', '30s')));
is($sandbox->get('/_sandbox/count/http/events')->{count}, 2, 'what waited leaves when it is resumed');
is(sql('SELECT state FROM reverse_etl.destinations ORDER BY destination::text'), "active\nactive", 'and nothing is paused any more');
$sent = $sandbox->get('/_sandbox/stats')->{rows};
sql(q(CALL reverse_etl.run_sync('customers')));
is(sql('SELECT status, queried, unchanged FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), 'completed|10|10', 'the sync knows what it has sent');
sql(q(SELECT reverse_etl.alter_sync('customers', max_removed => 'none'); DELETE FROM customers WHERE email LIKE 'c1%'; CALL reverse_etl.run_sync('customers')));
is(sql('SELECT status, removed, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), 'completed|2|2', 'and goes on');

done_testing();
