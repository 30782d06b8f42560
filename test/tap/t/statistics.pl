# What reverse_etl.stat_destinations counts is what the destination counted, whatever went wrong; reverse_etl.activity
# shows a push while it runs, to those who may see it, and no longer; a long statement tells how far it is.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $setup   = <<~SQL;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url/http', max_in_flight '2');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-secret');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE FOREIGN TABLE people (email text) SERVER endpoint OPTIONS (path '/people', key 'email', insert_as 'upsert');
    SQL
my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'");
$node->safe_psql('postgres', $setup);

# counted(TABLE, COLUMNS): of the table's statistics.
sub counted {
    my ($table, $columns) = @_;
    return $node->safe_psql('postgres',
        "SELECT $columns FROM reverse_etl.stat_destinations WHERE destination = '$table'::regclass");
}

# Refusals, resets and bad rows: the numbers are the sandbox's.
my $rows = <<~'SQL';
    SELECT CASE WHEN i % 100 = 0 THEN 'bad' || i ELSE 'c' || i || '@example.com' END, 'n' || i
      FROM generate_series(1, 20000) AS i
    SQL
$sandbox->post('/_sandbox/faults', { p_429 => 0.05, interval_ms => 20, p_reset => 0.03, seed => 7 });
my ($tag) = outcome($node, "INSERT INTO contacts $rows;");
is($tag, 'INSERT 0 19800', 'rows were sent');
my $stats = $sandbox->get('/_sandbox/stats');
my $throttled = $stats->{status}{429};
cmp_ok($throttled, '>', 3, 'some requests were told to wait');
is(counted('contacts', 'rows_accepted, rows_rejected'), '19800|200', 'rows');
is(counted('contacts', 'requests, retries, throttled'),
    join('|', $stats->{requests}, $stats->{requests} - 200, $throttled), 'requests, 200 of them for the first time');
is(counted('contacts', 'connections_opened, connections_opened + connections_reused'),
    "$stats->{connections}|$stats->{requests}", 'connections');
is(counted('contacts', 'bytes_sent'), $stats->{bytes}, 'bytes');

# Sessions that come and go add to the same numbers.
$sandbox->post('/_sandbox/reset');
$node->safe_psql('postgres', 'SELECT reverse_etl.stat_reset()');
$node->safe_psql('postgres', "INSERT INTO people VALUES ('p$_\@example.com')") for 1 .. 3;
is(counted('people', 'rows_accepted, requests, connections_opened'), '3|3|3', 'three sessions');

# Read-only, as a standby's sessions are too.
my $read_only = 'BEGIN READ ONLY; SELECT count(*) FROM people; SELECT rows_read FROM reverse_etl.stat_destinations '
    . "WHERE destination = 'people'::regclass; COMMIT;";
is($node->safe_psql('postgres', $read_only), "3\n3", 'a read-only transaction counts, and sees what is counted');

# A push that takes seven seconds or more, as the pace adapts, and a look at it from outside.
$node->safe_psql('postgres', <<~'SQL');
    CREATE ROLE sender;
    CREATE ROLE other;
    CREATE ROLE monitor IN ROLE pg_read_all_stats;
    GRANT INSERT ON people TO sender;
    SQL
my $activity = 'SELECT role, destination, operation, rows_seen, rows_accepted, rows_rejected, rows_in_flight '
    . 'FROM reverse_etl.activity';

sub slow_push {
    my ($latency_ms) = @_;
    $sandbox->post('/_sandbox/faults', { latency_ms => $latency_ms });
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $session->query("SET ROLE sender; SET reverse_etl.progress = on; SELECT pg_backend_pid()");
    $session->query_until(qr/started/, <<~'SQL');
        \echo started
        INSERT INTO people SELECT 's' || i || '@example.com' FROM generate_series(1, 1000) AS i;
        \echo ended
        SQL
    return ($session, $pid);
}

my ($session, $pid) = slow_push(1400);
ok($node->poll_query_until('postgres', $activity, 'sender|people|upsert|1000|200|0|200'),
    'a push that runs: 1000 rows seen, 200 accepted, 200 in flight');
is($node->safe_psql('postgres', 'SELECT pid FROM reverse_etl.activity'), $pid, 'its process');
is($node->safe_psql('postgres', 'SELECT rows_per_second > 0 FROM reverse_etl.activity'), 't', 'its rate');
for my $case ([ sender => 1 ], [ other => 0 ], [ monitor => 1 ]) {
    my ($role, $sees) = @$case;
    is($node->safe_psql('postgres', "SET ROLE $role; SELECT count(*) FROM reverse_etl.activity"), $sees,
        "the role $role sees " . ($sees ? 'it' : 'nothing'));
}
$session->query_until(qr/ended/, '');
$session->quit; # and with that everything is read
my @notices = grep { /NOTICE/ } split /\n/, $session->{stderr};
cmp_ok(@notices, '>=', 1, 'a notice after five seconds');
like($notices[0],
    qr/ NOTICE:  delivery to "public.people": 1000 rows seen, [3-6]00 accepted, 0 rejected, [12]00 in flight, \d+ rows\/s$/,
    'that says how far it is');
is($node->safe_psql('postgres', $activity), '', 'a push that ended is not shown');

# Rows that the worker delivers are counted and shown as well.
$sandbox->post('/_sandbox/reset');
$sandbox->post('/_sandbox/faults', { latency_ms => 500 });
$node->safe_psql('postgres', 'SELECT reverse_etl.stat_reset()');
$node->safe_psql('postgres', <<~'SQL');
    BEGIN;
    INSERT INTO people SELECT 'q' || i || '@example.com' FROM generate_series(1, 100) AS i;
    INSERT INTO people SELECT 'q' || i || '@example.com' FROM generate_series(1, 1000) AS i;
    INSERT INTO people VALUES ('bad');
    COMMIT;
    SQL
my $worker = q(SELECT count(*) = 1 FROM reverse_etl.activity JOIN pg_stat_activity USING (pid)
    WHERE backend_type = 'reverse_etl worker' AND destination = 'people'::regclass AND rows_in_flight > 0);
ok($node->poll_query_until('postgres', $worker), 'a delivery by the worker is shown');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM reverse_etl.activity'), 'until it has ended');
is(counted('people', 'rows_accepted, rows_rejected, rows_coalesced'), '1000|1|100', 'and counted');

# However a push ends, it is no longer shown.
for my $end ('pg_cancel_backend', 'pg_terminate_backend') {
    ($session, $pid) = slow_push(10000);
    ok($node->poll_query_until('postgres', $activity, 'sender|people|upsert|1000|0|0|200'), 'another one runs');
    $node->safe_psql('postgres', "SELECT $end($pid)");
    ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM reverse_etl.activity'), "gone after $end");
    eval { $session->quit };
}

unlike($node->safe_psql('postgres', 'TABLE reverse_etl.stat_destinations'), qr/secret/, 'statistics show no secret');
$node->restart;
is($node->safe_psql('postgres', 'SELECT coalesce(sum(requests), 0) FROM reverse_etl.stat_destinations'), 0,
    'a restart begins anew');

$sandbox->post('/_sandbox/faults', {});
# Whoever watches destinations asks often: what waits is not counted for it.
$node->safe_psql('postgres', q(SELECT reverse_etl.pause('people');
    BEGIN; INSERT INTO people SELECT 'w' || n || '@example.com' FROM generate_series(1, 20000) AS n; COMMIT));
my $watched = <<~'SQL';
    BEGIN;
    SELECT waiting, oldest IS NOT NULL, state FROM reverse_etl.destinations WHERE destination = 'people'::regclass;
    SELECT sum(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0)) < 20 FROM pg_stat_xact_all_tables WHERE relname ~ '^outbox';
    COMMIT;
    SQL
is($node->safe_psql('postgres', $watched), "20000|t|paused\nt", 'the view of destinations reads a few rows of the outbox');
$node->safe_psql('postgres', 'CREATE ROLE other_sender; GRANT SELECT ON people TO other_sender');
is($node->safe_psql('postgres', "SET ROLE other_sender; $watched" =~ s/< 20 /<= 10001 /r), "0|f|paused\nt",
    'for a role that sees its own rows, it looks at the first of them');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume('people'); CALL reverse_etl.wait('people', '60s')));
is($node->safe_psql('postgres', q(SELECT waiting, oldest FROM reverse_etl.destinations WHERE destination = 'people'::regclass)), '0|', 'and when none does');

# What is rolled back does not wait, however deep it was.
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.pause('people');
    BEGIN;
    INSERT INTO people VALUES ('w1@example.com');
    SAVEPOINT outer_one;
    INSERT INTO people VALUES ('w2@example.com');
    SAVEPOINT inner_one;
    INSERT INTO people VALUES ('w3@example.com'), ('w4@example.com');
    RELEASE SAVEPOINT inner_one;
    ROLLBACK TO SAVEPOINT outer_one;
    INSERT INTO people VALUES ('w5@example.com');
    SAVEPOINT another;
    INSERT INTO people VALUES ('w6@example.com');
    RELEASE SAVEPOINT another;
    SAVEPOINT last_one;
    INSERT INTO people VALUES ('w7@example.com');
    ROLLBACK TO SAVEPOINT last_one;
    COMMIT;
    SQL
my $waiting = q(SELECT waiting FROM reverse_etl.destinations WHERE destination = 'people'::regclass);
is($node->safe_psql('postgres', $waiting), 3, 'rows of a transaction that was rolled back in part');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume('people'); CALL reverse_etl.wait('people', '60s')));

# The worker may find an empty queue just before a row is committed: that is counted all the same.
my $caller = $node->background_psql('postgres');
$caller->query_until(qr/calling/, <<~'SQL');
    \echo calling
    DO $$ BEGIN
        WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'enough') LOOP
            PERFORM reverse_etl_internal.wake_worker();
            COMMIT;
        END LOOP;
    END $$;
    SQL
my $miscounted = $node->safe_psql('postgres', <<~'SQL' . "SELECT count(*) FROM wrong; CREATE TABLE enough ()");
    CREATE TEMPORARY TABLE wrong (counted bigint);
    DO $$ BEGIN
        FOR n IN 1 .. 300 LOOP
            PERFORM reverse_etl.pause('people');
            COMMIT;
            INSERT INTO people VALUES ('w' || n || '@example.com');
            COMMIT;
            PERFORM pg_sleep(0.002);
            INSERT INTO wrong SELECT rows_waiting FROM reverse_etl_internal.statistics()
                               WHERE destination = 'people'::regclass AND rows_waiting <> 1;
            PERFORM reverse_etl.resume('people');
            COMMIT;
            CALL reverse_etl.wait('people', '60s');
        END LOOP;
    END $$;
    SQL
is($miscounted, 0, 'rows that are queued while the worker looks at its queue are counted');
$caller->quit;

# There are places for 1024 destinations. When they are taken, those of dropped tables become free.
$node->safe_psql('postgres', <<~'SQL');
    DO $$
    BEGIN
        FOR i IN 1 .. 1030 LOOP
            EXECUTE format($create$CREATE FOREIGN TABLE %I (email text) SERVER endpoint OPTIONS (path '/none')$create$,
                           'd' || i);
            EXECUTE format('SELECT count(*) FROM %I', 'd' || i);
        END LOOP;
    END
    $$;
    SQL
my $places = 'SELECT count(*) FROM reverse_etl.stat_destinations';
is($node->safe_psql('postgres', $places), 1024, 'the first 1024 destinations are counted');
$node->safe_psql('postgres',
    'DROP FOREIGN TABLE d1, d2, d3; SELECT count(*) FROM d1030; SELECT count(*) FROM d1029;');
is($node->safe_psql('postgres', $places), 1023, 'others when some were dropped');
is(counted('d1030', 'requests'), 1, 'from nothing');
$node->stop;

# Without shared_preload_libraries a session counts for itself.
$sandbox->post('/_sandbox/reset');
$node = new_node('alone');
$node->safe_psql('postgres', $setup);
my $count = 'SELECT sum(rows_accepted) FROM reverse_etl.stat_destinations';
is($node->safe_psql('postgres', "INSERT INTO people VALUES ('a\@example.com'); $count; TABLE reverse_etl.activity"), 1,
    'a session that did not preload sees its own numbers');
is($node->safe_psql('postgres', $count), '', 'and no other session does');

done_testing();
