# Runs whose rows leave straight, under what roles, settings and sessions do to them.
#
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PsqlSession;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nreverse_etl.inject_burst_rows = 100\n");
sub sql { return $node->safe_psql('postgres', @_) }
sub error_of { my (undef, undef, $error) = $node->psql('postgres', @_); return $error }
sub slow { $sandbox->post('/_sandbox/faults', { path => '/crm/', latency_ms => $_[0] }); return }
sub last_run { return sql("SELECT $_[0] FROM reverse_etl.runs ORDER BY id DESC LIMIT 1") }
my $run  = q(CALL reverse_etl.run_sync('customers'));

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot OPTIONS (batch_size '10');
    CREATE TABLE customers AS SELECT 'c' || n || '\@x' AS email, 'v0' AS firstname FROM generate_series(1, 1000) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, firstname FROM customers', 'contacts', '{email}', 'mirror',
        max_removed => 'none');
    SQL
my $edition = 0;
sub change { $edition++; sql("UPDATE customers SET firstname = 'v$edition'"); return }

# ---- A session that can not even say that it gives a run up ----------------------------------------------------------

slow(200);
open my $running, '-|', 'bash', '-c', 'exec psql -X -d "$0" "$@" 2>&1', $node->connstr('postgres') . ' application_name=runner',
    map { ('-c', $_) } $run, 'SELECT pg_sleep(60)' or die;
wait_until(sub { last_run(q(status = 'delivering' AND accepted > 0)) eq 't' });
# Whoever cancels a run, and does not commit, keeps others from writing down what becomes of it.
my $other = PsqlSession->new($node);
$other->ask('BEGIN');
$other->ask('SELECT reverse_etl.cancel_run(' . last_run('id') . ')');
sub runner { return sql("SELECT $_[0] FROM pg_stat_activity WHERE application_name = 'runner'") }
for (1 .. 3) {
    last if runner('query') =~ /pg_sleep/;
    wait_until(sub { runner(q(wait_event_type = 'Lock' OR query ~ 'pg_sleep')) eq 't' });
    sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'runner' AND query !~ 'pg_sleep'));
}
wait_until(sub { runner('query') =~ /pg_sleep/ });
$other->ask('ROLLBACK');
slow(0);
wait_until(sub { last_run('status') eq 'completed' });
is(last_run(q(status || ' ' || accepted || ' ' || waiting)), 'completed 1000 0', 'a run that its session could not give up goes on elsewhere');
is(runner('count(*)'), 1, 'while the session lives on');
sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runner'));
{ local $/; my $said = <$running>; close $running; like($said, qr/canceling statement due to user request/, 'and was told so') }

# ---- What a session may have set ------------------------------------------------------------------------------------

change();
like(error_of("SET default_transaction_read_only = on; $run"), qr/ERROR:  cannot execute run_sync\(\) in a read-only transaction/,
    'a transaction that may not write runs no sync');
for my $setting ("default_transaction_isolation = 'serializable'", "default_transaction_isolation = 'repeatable read'", q(lock_timeout = '5s'),
    q(idle_in_transaction_session_timeout = '50ms'), q(session_replication_role = 'replica'), q(search_path = '')) {
    change();
    sql("SET $setting; $run");
    is(last_run(q(status || ' ' || accepted)), 'completed 1000', "a run under $setting");
}
change();
slow(200);
like(error_of("SET statement_timeout = '1s'; $run"), qr/canceling statement due to statement timeout/, 'whoever waits only for a time');
slow(0);
wait_until(sub { last_run('status') eq 'completed' });
is(last_run('accepted'), 1000, 'has the run go on in the background');
sql(q(UPDATE customers SET firstname = repeat('x', 2000)));
like(error_of("SET temp_file_limit = '500kB'; SET work_mem = '64kB'; $run"), qr/temporary file size exceeds temp_file_limit/,
    'a run for which there is no room fails');
is(last_run(q(status || ' ' || reason)), 'failed temporary file size exceeds temp_file_limit (500kB)', 'and has sent nothing');
sql($run);
is(last_run('accepted'), 1000, 'which the next one sends');

# ---- From where it is called ----------------------------------------------------------------------------------------

change();
sql("DO \$\$ BEGIN $run; END \$\$");
is(last_run(q(accepted || ' ' || (writing_ms IS NOT NULL))), '1000 true', 'a DO block may wait for a run');
like(error_of("DO \$\$ BEGIN $run; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$"),
    qr/run_sync cannot wait inside a transaction block.*HINT:  End the transaction first, or call it with wait => false/s, 'one that catches errors may not');

# A model that asks for its own run, while that reads it.
sql(<<~'SQL');
    CREATE FUNCTION again() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN CALL reverse_etl.run_sync('customers', wait => false); RETURN true; END $$;
    SELECT reverse_etl.alter_sync('customers', query => 'SELECT email, firstname FROM customers WHERE (SELECT again())');
    SQL
change();
my $said = error_of($run);
unlike($said, qr/reads|unexpected/, 'no run is taken up by the session that works at it') or diag($said);
note($said);
is(sql(q(SELECT count(*) FROM reverse_etl.runs WHERE status IN ('reading', 'delivering', 'cancelling'))), 0, 'nothing of it stays under way');
sql(q(SELECT reverse_etl.alter_sync('customers', query => 'SELECT email, firstname FROM customers')));
sql($run);
is(last_run('accepted + unchanged'), 1000, 'and the sync runs on');

# ---- Keys -----------------------------------------------------------------------------------------------------------

sql(<<~SQL);
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse;
    CREATE TYPE pair AS (a int, b text);
    CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    SQL
# The type, and three keys of which the second is taken for the first where $same: texts are compared as the destination
# does, not as their type or collation would.
my $number = 0;
for my $of (
    [ 'numeric', '1.0', '1.00', '2', 1 ], [ 'bytea', '\x01', '\x02', '\x', 0 ], [ 'text', 'A', 'a', '', 0 ], [ 'citext', 'A', 'a', 'b', 0 ],
    [ 'text COLLATE ci', 'A', 'a', 'b', 0 ], [ 'uuid', ('00000000-0000-0000-0000-00000000000' . 1), '00000000-0000-0000-0000-000000000002',
        '00000000-0000-0000-0000-000000000003', 0 ], [ 'float8', '-0', '0', '1e300', 1 ], [ 'timestamptz', '2020-01-01 00:00+00',
        '2020-01-01 02:00+02', '2021-01-01', 1 ], [ 'int[]', '{1}', '{NULL}', '{}', 0 ], [ 'jsonb', '{"a": 1}', '{"a": 1.0}', '[]', 1 ],
    [ 'pair', '(1,a)', '(1,b)', '(,)', 0 ],
) {
    my ($type, $one, $two, $three, $same) = @$of;
    my $name = 'key' . ++$number;
    my $error = error_of(<<~SQL);
        SET client_min_messages = error;
        CREATE EXTENSION IF NOT EXISTS citext;
        CREATE TABLE $name (k $type, v text);
        INSERT INTO $name VALUES ('$one', 'one'), ('$two', 'two'), ('$three', 'three'), (NULL, 'null');
        CREATE FOREIGN TABLE to_$name (k @{[ $type =~ s/ COLLATE ci//r ]}, v text) SERVER inhouse
            OPTIONS (path '/http/$name', key 'k', insert_as 'upsert');
        SELECT reverse_etl.create_sync('$name', 'SELECT k, v FROM $name', 'to_$name', '{k}', 'mirror', max_removed => 'none');
        CALL reverse_etl.run_sync('$name');
        SQL
    if ($error) {
        note("key $type: $error");
        unlike($error, qr/server closed|cache lookup|unrecognized|could not determine/, "a key of type $type is refused in words");
        next;
    }
    my $counts = sql("SELECT status, added, invalid, accepted FROM reverse_etl.runs WHERE sync = '$name'");
    note("key $type: $counts " . sql("SELECT string_agg(key::text || ' ' || reason, '; ') FROM reverse_etl.run_rows WHERE run_id = (SELECT max(id) FROM reverse_etl.runs)"));
    is($counts =~ s/\|\d+$//r, $same ? 'completed|1|3' : 'completed|3|1', "a key of type $type: NULL, and twice the same, are refused");
    sql("DELETE FROM $name WHERE v IN ('one', 'null'); UPDATE $name SET v = v || '!'; CALL reverse_etl.run_sync('$name')");
    my ($status, $all, $accepted) = split /\|/, sql("SELECT status, added + changed + removed, accepted FROM reverse_etl.runs WHERE sync = '$name' ORDER BY id DESC LIMIT 1");
    is($status, 'completed', "and goes on");
    note("key $type: $all sent, $accepted accepted");
}

done_testing();
