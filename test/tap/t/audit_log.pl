# The audit log: what was pushed is on record before the first byte leaves, and stays there with the rejected rows, whatever
# becomes of the statement, its transaction, its session or the server.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', <<~CONF);
    shared_preload_libraries = 'reverse_etl'
    restart_after_crash = on
    CONF
set_up($node);
# 5000 rows in batches of 100, two requests at a time: bursts of 1600.
my $source = 'SELECT CASE WHEN i % 1000 = 0 THEN $$bad$$ || i ELSE $$c$$ || i || $$@example.com$$ END, '
    . '$$n$$ || i FROM generate_series(1, 5000) AS i';

# What is written
is($node->safe_psql('postgres', "SET application_name = 'monthly'; INSERT INTO contacts $source"), '', 'a push');
is(last_push($node, 'destination, operation, statement, delivery, outcome, rows, accepted, rejected, requests >= 50,
        bytes > 100000, error IS NULL, session_role = current_user, role = current_user, application_name,
        finished_at > started_at'),
    'contacts|upsert|INSERT|immediate|completed|5000|4995|5|t|t|t|t|t|monthly|t', 'is on record');
is(rejected($node), '5', 'with its rejected rows');
for my $statement (
    q(UPDATE contacts SET firstname = 'x' WHERE email = 'c1@example.com'),
    q(DELETE FROM contacts WHERE email = 'c1@example.com'),
    "COPY contacts (email) FROM PROGRAM 'echo c1\@example.com'",
) {
    $node->safe_psql('postgres', $statement);
    my ($kind) = $statement =~ /^(\w+)/;
    is(last_push($node, 'statement, outcome, rows, accepted'), "$kind|completed|1|1", $kind);
}
my $pushes = pushes($node);
$node->safe_psql('postgres', 'INSERT INTO contacts SELECT $$a$$, $$b$$ WHERE false; SELECT * FROM contacts');
is(pushes($node), $pushes, 'a statement that pushes nothing is not');
$node->safe_psql('postgres', <<~'SQL');
    WITH first AS (INSERT INTO contacts SELECT 'a@example.com', 'a')
    INSERT INTO people SELECT 'b@example.com', 'b';
    SQL
is(pushes($node), $pushes + 2, 'each destination of a statement is');

# Before the first byte
{
    $sandbox->post('/_sandbox/reset');
    my $locker = $node->background_psql('postgres');
    $locker->query_safe('BEGIN; LOCK TABLE reverse_etl.audit_log IN SHARE MODE');
    my (undef, $said) = outcome($node, q(INSERT INTO people VALUES ('a@example.com', 'a')));
    like($said, qr/ERROR:  55P03: could not write to the audit log\nDETAIL:  canceling statement due to lock timeout/m,
        'a push that cannot be put on record is refused');
    is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'before anything is sent');
    $locker->query_safe('COMMIT');
    $locker->quit;
}

# While it runs
{
    my $session = stalled($node);
    is(last_push($node, 'outcome, rows, finished_at IS NULL'), 'running|0|t',
        'a push that waits for its destination is on record as running');
    my $pid = last_push($node, 'pid');
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    is(settled($node, 'outcome, rows, accepted, requests, error'), 'cancelled|1|0|1|SQLSTATE 57014',
        'then as cancelled');
    $sandbox->post('/_sandbox/faults', {});
    is($session->query('SELECT 1'), 1, 'its session goes on');
    $session->quit;
}

# Whatever becomes of the statement
forget($node);
outcome($node, "SET reverse_etl.allow_immediate_in_transaction = on; BEGIN; INSERT INTO contacts $source; ROLLBACK;");
is(last_push($node, 'outcome, accepted, rejected'), 'completed|4995|5', 'a rolled back transaction leaves it on record');
is(rejected($node), 5, 'and its rejected rows');

forget($node);
my $failing = "INSERT INTO contacts SELECT email, firstname FROM ($source) AS _(email, firstname) "
    . "WHERE email <> 'c4999\@example.com' OR 1 / (length(email) - 17) > 0;";
outcome($node, $failing);
is(settled($node, 'outcome, accepted BETWEEN 1500 AND 4996, rows >= accepted + rejected, rejected > 0, error'),
    'failed|t|t|t|SQLSTATE 22012', 'an error in the query leaves on record what was accepted before');
wait_until(sub { rejected($node) == last_push($node, 'rejected') });
pass('and its rejected rows, a moment later');

# Who completes waits for the rejected rows, and who fails does not: also where the worker cannot write them.
forget($node);
my $read_at_once = q(INSERT INTO people VALUES ('bad', 'b'); SELECT count(*) FROM reverse_etl.rejected_rows);
is(join(' ', map { $node->safe_psql('postgres', $read_at_once) } 1 .. 10), join(' ', 1 .. 10), 'who completes can read them at once');
forget($node);
{
    my $locker = $node->background_psql('postgres');
    $locker->query_safe('BEGIN; LOCK TABLE reverse_etl.rejected_rows IN SHARE MODE');
    my $log = -s $node->logfile;
    my $of_a_burst = q(INSERT INTO contacts SELECT CASE i WHEN 5 THEN 'bad' ELSE 'c' || i || '@example.com' END, 1 / (i - 1700) FROM generate_series(1, 2000) AS i);
    like((outcome($node, "$of_a_burst;"))[1], qr/division by zero/, 'who fails does so while nobody can write them');
    wait_until(sub { slurp_file($node->logfile, $log) =~ /LOG:  could not write to the audit log/ });
    like(slurp_file($node->logfile, $log), qr/DETAIL:  Push \d+: canceling statement due to lock timeout/, 'the log says that they are not kept');
    like((outcome($node, q(INSERT INTO people VALUES ('bad', 'b');)))[1], qr/ERROR:  55P03: could not write to the audit log/, 'who would complete is told so');
    $locker->query_safe('COMMIT');
    $locker->quit;
    is($node->safe_psql('postgres', q(SELECT rejected > 0 FROM reverse_etl.audit_log WHERE error = 'SQLSTATE 22012' ORDER BY id DESC LIMIT 1)), 't', 'and they are counted all the same');
}

forget($node);
outcome($node, "ALTER FOREIGN TABLE contacts OPTIONS (ADD on_reject 'error'); INSERT INTO contacts $source;"
        . 'ALTER FOREIGN TABLE contacts OPTIONS (DROP on_reject);');
is(settled($node, 'outcome, error'), 'failed|row 1000 was rejected', 'so does a row that ends the statement');

$sandbox->post('/_sandbox/faults', { p_503 => 1, retry_after => 0 });
outcome($node, q(INSERT INTO people VALUES ('a@example.com', 'a')));
$sandbox->post('/_sandbox/faults', {});
like(settled($node, 'outcome, requests, error'), qr/^failed\|2\|http:.*: service unavailable, after 2 attempts/, 'so does a destination that is down');

# Or of the session
{
    my $session = stalled($node);
    my $pid = last_push($node, 'pid');
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    is(settled($node, 'outcome, error'), 'failed|the session ended', 'so does a session that is terminated');
    $sandbox->post('/_sandbox/faults', {});
    eval { $session->quit };
}

# Or of the worker
my $worker = q(pg_stat_activity WHERE backend_type = 'reverse_etl worker' AND datname = 'postgres');
for my $i (1 .. 3) {
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM $worker");
    is($node->safe_psql('postgres', "INSERT INTO people VALUES ('a\@example.com', 'a'); SELECT 1"), 1,
        'a worker that is terminated comes again');
    is(last_push($node, 'outcome'), 'completed', 'and goes on');
}

# Much at once
forget($node);
$node->safe_psql('postgres', q(INSERT INTO contacts SELECT 'bad' || i, repeat('x', 10000) FROM generate_series(1, 1000) i));
is(rejected($node), 1000, 'ten megabytes of rejected rows are kept');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT row_number) FROM reverse_etl.rejected_rows'), 1000, 'each of them');
my $script = $node->basedir . '/push.sql';
append_to_file($script, qq(INSERT INTO people VALUES ('p:client_id\@example.com', 'a'), ('bad', 'b');\n));
$pushes = pushes($node);
forget($node);
$node->command_ok([ 'pgbench', '-n', '-c', 20, '-t', 20, '-f', $script, 'postgres' ], 'twenty sessions push');
is(pushes($node), $pushes + 400, 'every push is on record');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT push) FROM reverse_etl.rejected_rows'), '400|400',
    'with its rejected row');
is($node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.audit_log WHERE outcome = 'running'"), 0, 'and its end');

# Queued rows
$node->safe_psql('postgres', "ALTER FOREIGN TABLE contacts OPTIONS (ADD delivery 'queued')");
forget($node);
$pushes = pushes($node);
outcome($node, q(INSERT INTO contacts VALUES ('a@example.com', 'a')));
is(last_push($node, 'delivery, statement, rows'), 'queued|INSERT|1', 'a statement whose rows are queued is on record');
outcome($node, q(BEGIN; INSERT INTO contacts VALUES ('a@example.com', 'a'); ROLLBACK;));
is(pushes($node), $pushes + 1, 'unless it is rolled back');
$pushes = pushes($node);
my $queue = 'INSERT INTO contacts VALUES ($$a$$ || i || $$@example.com$$, $$a$$)';
outcome($node, <<~SQL);
    DO \$\$ BEGIN
        FOR i IN 1 .. 10 LOOP
            @{[ $queue =~ s/\$\$/'/gr ]};
            BEGIN
                @{[ $queue =~ s/\$\$/'/gr ]};
                IF i % 2 = 0 THEN RAISE division_by_zero; END IF;
            EXCEPTION WHEN division_by_zero THEN NULL;
            END;
        END LOOP;
    END \$\$;
    SQL
is($node->safe_psql('postgres', "SELECT rows, count(*) FROM (SELECT rows FROM reverse_etl.audit_log ORDER BY id "
        . "OFFSET $pushes) AS _ GROUP BY rows ORDER BY rows"), "1|5\n10|1",
    'what a transaction queues is one push, but for what a subtransaction may take back');
$node->safe_psql('postgres', 'ALTER FOREIGN TABLE contacts OPTIONS (DROP delivery)');

# Who sees it
$node->safe_psql('postgres', <<~SQL);
    CREATE ROLE marketing LOGIN;
    CREATE ROLE sales LOGIN;
    GRANT INSERT ON contacts TO marketing;
    CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-marketing');
    SQL
my $insert = q(INSERT INTO contacts VALUES ('ada@example.com', 'Ada'), ('bad', 'B'));
$node->safe_psql('postgres', $insert, extra_params => [ '-U', 'marketing' ]);
for my $role ('marketing', 'sales') {
    my $sees = $role eq 'marketing' ? 1 : 0;
    is($node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.$_", extra_params => [ '-U', $role ]), $sees,
        "$role sees $sees rows of $_") for 'audit_log', 'rejected_rows';
    for my $change (q(UPDATE reverse_etl.audit_log SET rows = 0), 'DELETE FROM reverse_etl.audit_log') {
        my (undef, $said) = outcome($node, $change, '-U', $role);
        like($said, qr/permission denied/, "$role cannot change it");
    }
}
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
outcome($node, "SET ROLE marketing; $insert");
is(last_push($node, 'session_role, role'), "$superuser|marketing", 'the login role and the current one are on record');
unlike($node->safe_psql('postgres', "SELECT * FROM reverse_etl.$_"), qr/pat-/, "no secret in $_")
    for 'audit_log', 'rejected_rows';

# kill -9
{
    my $session = stalled($node);
    my $pid = last_push($node, 'pid');
    kill KILL => $pid;
    wait_until(sub { !kill 0, $pid });
    eval { $session->quit };
    $sandbox->post('/_sandbox/faults', {});
    wait_for_server($node);
    ok($node->poll_query_until('postgres', "SELECT outcome = 'unknown' AND finished_at IS NULL AND pid = $pid
            FROM reverse_etl.audit_log ORDER BY id DESC LIMIT 1"), 'the end of a push that was killed is unknown');
    $node->safe_psql('postgres', q(INSERT INTO people VALUES ('a@example.com', 'a')));
    is(last_push($node, 'outcome'), 'completed', 'and the next one goes on');
}
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.audit_log WHERE outcome IN ('unknown', 'running')"), 1,
    'those that had ended are as they were');
unlike(slurp_file($node->logfile), qr/pat-(1|marketing)[^0-9a-z']/, 'the log holds no token');
$node->stop;

# Where no worker can be started
my $full = new_node('full', "shared_preload_libraries = 'reverse_etl'\nmax_worker_processes = 0");
set_up($full);
$sandbox->post('/_sandbox/reset');
my (undef, $said) = outcome($full, q(INSERT INTO people VALUES ('a@example.com', 'a')));
like($said, qr/ERROR:  53000: .*worker.*\n.*HINT:  .*"max_worker_processes"/s, 'without a worker a push is refused');
is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'before anything is sent');
$full->stop;

# What is older than the settings of the database say is thrown away by the worker, a step at a time; a lock on a table is not
# waited for.
my $history = new_node('history', "shared_preload_libraries = 'reverse_etl'");
set_up($history);
$history->safe_psql('postgres', <<~'SQL');
    ALTER DATABASE postgres SET reverse_etl.keep_history = '30 days';
    INSERT INTO reverse_etl.audit_log (destination_name, operation, statement, delivery, outcome, session_role, role, session_role_id,
                                       role_id, application_name, pid, started_at, finished_at)
    SELECT 'x', 'create', 'INSERT', 'queued', 'completed', 'x', 'x', 0::oid, 0::oid, '', 0, now() - age, now() - age
      FROM unnest('{31 days,29 days}'::interval[]) AS age, generate_series(1, 2500) ORDER BY age DESC;
    INSERT INTO reverse_etl.rejected_rows (destination_name, operation, row_number, "row", reason, statement_at, rejected_by, role_id, rejected_at)
    SELECT 'x', 'create', 1, '{}', '', now(), 'x', 0::oid, now() - interval '1 year' FROM generate_series(1, 1500);
    SQL
# A worker that begins begins with this, too.
my $anew = q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'; SELECT reverse_etl_internal.wake_worker());
my $lock = $history->background_psql('postgres');
$lock->query_safe('BEGIN; LOCK TABLE reverse_etl.alerts IN SHARE MODE');
$history->safe_psql('postgres', $anew);
wait_until(sub { pushes($history) == 2500 });
is($history->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.audit_log WHERE started_at < now() - interval '30 days')), 0, 'old pushes are thrown away');
is($history->safe_psql('postgres', 'SELECT count(*) FROM pg_locks WHERE NOT granted'), 0, 'and nobody waits for a lock');
$lock->query_safe('COMMIT');
$lock->quit;
is(rejected($history), 1500, 'rejected rows stay');
$history->safe_psql('postgres', q(ALTER DATABASE postgres SET reverse_etl.keep_rejected_rows = '90 days'));
$history->safe_psql('postgres', $anew);
wait_until(sub { rejected($history) == 0 });
is(pushes($history), 2500, 'until a setting says otherwise');
$history->stop;

# Where the library is not preloaded
my $bare = new_node('bare');
set_up($bare);
$bare->safe_psql('postgres', "LOAD 'reverse_etl'; INSERT INTO contacts $source");
is(last_push($bare, 'outcome, accepted, rejected'), 'completed|4995|5', 'without preload a push is on record');
is(rejected($bare), 5, 'and its rejected rows');
my $allow = 'SET reverse_etl.allow_immediate_in_transaction = on';
outcome($bare, "$allow; BEGIN; INSERT INTO contacts $source; ROLLBACK;");
is(pushes($bare), 1, 'until the transaction rolls back');
is(rejected($bare), 5, 'with its rejected rows');
outcome($bare, $failing);
is(pushes($bare) . ' ' . rejected($bare), '1 5', 'or the statement fails');

done_testing();

sub set_up {
    my ($cluster) = @_;
    my $url = $sandbox->url;
    $cluster->safe_psql('postgres', <<~SQL);
        CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', max_in_flight '2', delivery 'immediate');
        CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'http', base_url '$url/http', max_attempts '2');
        CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
        CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
        CREATE FOREIGN TABLE contacts (email text, firstname text, id text OPTIONS (field 'hs_object_id')) SERVER hubspot;
        CREATE FOREIGN TABLE people (email text, name text) SERVER endpoint OPTIONS (path '/people', key 'email');
        SQL
    return;
}

sub last_push {
    my ($cluster, $columns) = @_;
    return $cluster->safe_psql('postgres', "SELECT $columns FROM reverse_etl.audit_log ORDER BY id DESC LIMIT 1");
}

# The last push, when it has ended: nobody waits for the audit log when a statement fails.
sub settled {
    my ($cluster, $columns) = @_;
    wait_until(sub { last_push($cluster, 'outcome') ne 'running' });
    return last_push($cluster, $columns);
}

sub pushes { return $_[0]->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.audit_log') }
sub rejected { return $_[0]->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.rejected_rows') }
sub forget { return $_[0]->safe_psql('postgres', 'TRUNCATE reverse_etl.rejected_rows') }

# A session whose INSERT waits for the destination.
sub stalled {
    my ($cluster) = @_;
    $sandbox->post('/_sandbox/faults', { p_stall => 1 });
    my $before = $sandbox->get('/_sandbox/stats')->{requests};
    my $session = $cluster->background_psql('postgres', on_error_stop => 0);
    $session->query_until(qr/started/, "\\echo started\nINSERT INTO people VALUES ('a\@example.com', 'a');\n");
    wait_until(sub { $sandbox->get('/_sandbox/stats')->{in_flight} > 0 });
    return $session;
}
