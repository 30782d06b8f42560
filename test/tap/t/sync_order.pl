# What a run finds, whatever order its model comes in beside the state: in that of the state, backwards, shuffled, with
# rows that are new, changed, gone and there twice among them, read by one process or by several.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PsqlSession;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main');
my $session = PsqlSession->new($node);
sub sql { return $session->ask(@_) }

my $rows = 30_000;
$sandbox->post('/_sandbox/faults', { discard => JSON::PP::true(), record => JSON::PP::false() });
sql(<<~SQL);
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    CREATE FOREIGN TABLE customers (id text, score integer) SERVER endpoint
        OPTIONS (path '/http/customers', key 'id', insert_as 'upsert');
    CREATE TABLE model AS SELECT n % 7 || '-' || n AS id, n, 0 AS score FROM generate_series(1, $rows) AS n;
    CREATE VIEW backwards AS SELECT * FROM model ORDER BY n DESC;
    CREATE VIEW shuffled AS SELECT * FROM model ORDER BY hashint4(n);
    CREATE VIEW turned AS SELECT * FROM model ORDER BY (n + $rows / 2) % $rows;
    SQL
my @counts = qw(queried added changed removed unchanged invalid accepted rejected);
sub run_of {
    my ($sync, @settings) = @_;
    sql("SET client_min_messages = error; CALL reverse_etl.run_sync('$sync')");
    return sql('SELECT ' . join(', ', @counts) . ' FROM reverse_etl.runs ORDER BY id DESC LIMIT 1');
}
my @orders = qw(model backwards shuffled turned);
my %in_parallel = (
    'one process'       => 'SET max_parallel_workers_per_gather = 0',
    'several processes' => 'SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
        SET min_parallel_table_scan_size = 0',
);
sql("SELECT reverse_etl.create_sync('kept', 'SELECT id, score FROM model', 'customers', '{id}', mode => 'mirror',
    max_removed => 'none')");
is(run_of('kept'), "$rows|$rows|0|0|0|0|$rows|0", 'a first run');

my $round = 0;
for my $processes (sort keys %in_parallel) {
    sql($in_parallel{$processes});
    for my $order (@orders) {
        sql("SELECT reverse_etl.alter_sync('kept', query => 'SELECT id, score FROM $order')");
        my $what = "$order, $processes";
        $round++;
        is(run_of('kept'), "$rows|0|0|0|$rows|0|0|0", "$what: nothing changed");
        my ($changed, $gone) = split /\|/, sql("SELECT count(*) FILTER (WHERE n % 50 = $round AND n % 60 <> $round),
            count(*) FILTER (WHERE n % 60 = $round) FROM model");
        sql("CREATE TABLE gone AS SELECT * FROM model WHERE n % 60 = $round;
             UPDATE model SET score = score + 1 WHERE n % 50 = $round;
             DELETE FROM model WHERE n % 60 = $round;
             INSERT INTO model SELECT 'new ' || n, n, 0 FROM generate_series(-100, -1) AS n");
        my $left = $rows - $gone + 100;
        my $queried = $left + $gone; # those that are gone are counted as well
        my $same = $left - $changed - 100;
        my $sent = 100 + $changed + $gone;
        is(run_of('kept'), "$queried|100|$changed|$gone|$same|0|$sent|0", "$what: new, changed and gone");
        sql(q(DELETE FROM model WHERE n < 0; INSERT INTO model SELECT * FROM gone; DROP TABLE gone));
        $queried = $rows + 100;
        $same    = $rows - $gone;
        $sent    = $gone + 100;
        is(run_of('kept'), "$queried|$gone|0|100|$same|0|$sent|0", "$what: back again");
    }
}

# Whoever has a key twice, or none, does not get through, wherever the other stands.
for my $order (@orders) {
    sql("SELECT reverse_etl.alter_sync('kept', query => 'SELECT id, score FROM $order');
         INSERT INTO model SELECT * FROM model WHERE n IN (1, 15000, 30000);
         INSERT INTO model VALUES (NULL, 0, 0), (NULL, 7, 0)");
    my $queried = $rows + 5;
    my $same    = $rows - 3;
    is(run_of('kept'), "$queried|0|0|0|$same|8|0|0", "$order: keys that are there twice, or null");
    sql('DELETE FROM model WHERE id IS NULL;
         DELETE FROM model WHERE ctid IN (SELECT max(ctid) FROM model WHERE n IN (1, 15000, 30000) GROUP BY id)');
    is(run_of('kept'), "$rows|0|0|0|$rows|0|0|0", "$order: each of them once");
}

# The same key in another spelling is the same key to who compares them without regard to it.
sql(q(CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '') ) =~ s/''/'$url'/r);
sql(<<~'SQL');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE TABLE people AS SELECT 'p' || n || '@x' AS email, 'n' || n AS firstname FROM generate_series(1, 1000) AS n;
    SELECT reverse_etl.create_sync('people', 'SELECT email, firstname FROM people', 'contacts', '{email}');
    SQL
is(run_of('people'), '1000|1000|0|0|0|0|1000|0', 'a first run by a key that is spelled in many ways');
sql(q(UPDATE people SET email = upper(email) WHERE email LIKE '%0@x'));
is(run_of('people'), '1000|0|100|0|900|0|100|0', 'the same key, spelled otherwise');
is(run_of('people'), '1000|0|0|0|1000|0|0|0', 'and known by that');

# Nobody counts for others, or has it read what they made up.
for (
    [ 'reverse_etl_internal.fate(1, 1, 1, 1, 1)',          'there are no such sightings' ],
    [ 'reverse_etl_internal.fate(NULL, 1, 1, 1, 1)',       'sightings are named by a number and a token' ],
) {
    my ($call, $error) = @$_;
    like(eval { sql("SELECT $call") } // $@, qr/$error/, "$call: $error");
}

done_testing();
