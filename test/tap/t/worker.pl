# Whoever commits rows has a worker that sends them, however the two meet; and where there is none, it is said why.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils qw(slurp_file);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
$sandbox->post('/_sandbox/record', { on => JSON::PP::false });
$ENV{MALLOC_PERTURB_} = 165; # what is used after it was freed is not what it was
# Sessions may ask for a commit that waits for a standby, of which there is none.
my $node = new_node('main', <<~'CONF');
    synchronous_commit = local
    wal_level = replica
    max_wal_senders = 1
    max_logical_replication_workers = 0
    max_parallel_workers = 0
    log_min_messages = debug1
    CONF
my $arrived = 0;
# Not preloaded
set_up('postgres');
is(status('state, reason'), 'none|it is started when rows are queued, since reverse_etl is not preloaded',
    'without preloading there is no worker while nothing waits');
$node->safe_psql('postgres', 'CREATE DATABASE crm');
$node->safe_psql('crm', 'BEGIN; CREATE EXTENSION reverse_etl; '
      . set_up_sql() . '; INSERT INTO events SELECT generate_series(1, 20000); COMMIT');
arrives(20_000, 'rows of the transaction that creates the extension');

# A commit that takes long: nothing can be seen of it before a standby answers.
for my $case ([ 'the worker was started by it', 3 ], [ 'the worker was idle and about to end', 1.5 ]) {
    my ($what, $idle) = @$case;
    wait_until(sub { status('state') eq 'none' });
    if ($idle < 2) {
        $node->safe_psql('postgres', 'INSERT INTO events VALUES (0)');
        arrives(1, 'a row before');
        sleep $idle;
    }
    standby('nobody');
    my $slow = $node->background_psql('postgres');
    $slow->query_until(qr/started/,
        "\\echo started\nSET synchronous_commit = on;\nINSERT INTO events SELECT generate_series(1, 10);\n");
    wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep')) == 1 });
    sleep 4;
    is(status('state'), 'running', "$what, and stays while it commits");
    standby('');
    arrives(10, "rows of a slow commit: $what");
    $slow->quit;
}
wait_until(sub { status('state') eq 'none' });
pass('it ends when nothing is left to do');

# No place for it
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
my (undef, $said) = outcome($node, 'INSERT INTO events VALUES (1), (2)');
like($said, qr/WARNING:  53000: queued rows will wait, since their background worker could not be started/, 'who commits is told');
is($node->safe_psql('postgres', 'SELECT state, waiting, last_error FROM reverse_etl.destinations WHERE waiting > 0'),
    'no worker|2|no free worker slot: all 0 of "max_worker_processes" are in use', 'so is who looks at the destination');
$node->append_conf('postgresql.conf', "max_worker_processes = 8\nshared_preload_libraries = 'reverse_etl'");
$node->restart;
arrives(2, 'when there is room, they');

# Preloaded
my $worker = status('pid');
is($worker, $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker' AND datname = 'postgres')),
    'worker_status names the process');
wait_until(sub { status('activity') eq 'waiting for rows' });
is(status(q(state, now() - started_at < '1 min', now() - alive_at < '1 min', reason)), 'running|t|t|', 'since when it lives, and that it does');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
$node->safe_psql('postgres', 'INSERT INTO events VALUES (3)');
arrives(1, 'a row that is queued while it is started again');

# The processes that run the syncs of a role outlive the worker that started them, and the next knows nothing of them.
my $runners = q(FROM pg_stat_activity WHERE backend_type = 'reverse_etl sync runner');
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE copies (n integer, v text) SERVER inhouse OPTIONS (path '/http/copies', key 'n', insert_as 'upsert');
    SELECT FROM reverse_etl.create_sync('slow', 'SELECT 1 AS n, pg_sleep(600)::text AS v', 'copies', '{n}');
    SELECT FROM reverse_etl.create_sync('slow too', 'SELECT 3 AS n, pg_sleep(600)::text AS v', 'copies', '{n}');
    SELECT FROM reverse_etl.create_sync('quick', 'SELECT 2 AS n, ''x'' AS v', 'copies', '{n}')
    SQL
is_due($_) for 'slow', 'slow too';
wait_until(sub { $node->safe_psql('postgres', "SELECT count(*) $runners AND wait_event = 'PgSleep'") == 2 });
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM reverse_etl.worker_status');
is_due('quick');
wait_until(sub { slurp_file($node->logfile) =~ /a role has as many processes for its syncs as it may have/ });
is(runs(), 'slow reading, slow too reading', 'a role has two processes that run its syncs, whoever started them');
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $runners AND wait_event = 'PgSleep'");
wait_until(sub { runs() eq 'quick completed, slow cancelled, slow too cancelled' });
wait_until(sub { $node->safe_psql('postgres', "SELECT count(*) $runners") == 0 });
pass('and each run takes place once');

for my $end ([ 'made room', 'ALTER DATABASE crm RENAME TO sales' ], [ 'was terminated', <<~'SQL' ]) {
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'
    SQL
    my ($what, $sql) = @$end;
    $sandbox->post('/_sandbox/faults', { path => '/http/slow', latency_ms => 2000 });
    $node->safe_psql($what eq 'made room' ? 'crm' : 'sales', 'INSERT INTO slow SELECT generate_series(1, 100)');
    wait_until(sub { $sandbox->get('/_sandbox/stats')->{in_flight} > 0 });
    $node->safe_psql('postgres', $sql);
    $sandbox->post('/_sandbox/faults', {});
    wait_until(sub { $node->safe_psql('sales', 'SELECT count(*) FROM reverse_etl.outbox') == 0 });
    pass("with requests under way it $what, and its rows leave");
}
unlike(slurp_file($node->logfile), qr/terminated by signal/, 'without harm');
$node->safe_psql('postgres', 'DROP EXTENSION reverse_etl CASCADE; CREATE EXTENSION reverse_etl; ' . set_up_sql());
$node->safe_psql('postgres', 'INSERT INTO events VALUES (4)');
arrives(1, 'a row of an extension that was created anew');
wait_until(sub { workers() == 1 });
pass('and there is one worker');
$node->safe_psql('postgres', 'DROP EXTENSION reverse_etl CASCADE');
wait_until(sub { workers() == 0 });
pass('which ends with the extension');

# A destination that is dropped
set_up('postgres');
$node->safe_psql('postgres', q(INSERT INTO events VALUES (5)));
arrives(1, 'a row');
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.pause('public.events');
    INSERT INTO events VALUES (6);
    DROP FOREIGN TABLE events;
    SQL
wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows)) == 1 });
wait_until(sub { $node->safe_psql('postgres', <<~'SQL') eq '0|0' });
    SELECT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'reverse_etl_internal.outbox'::regclass),
           (SELECT count(*) FROM reverse_etl.pauses)
    SQL
pass('a dropped destination leaves nothing behind but its rejected rows');

sub set_up_sql {
    return <<~SQL;
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url', delivery 'queued');
        CREATE FOREIGN TABLE events (n integer) SERVER inhouse OPTIONS (path '/http/events');
        CREATE FOREIGN TABLE slow (n integer) SERVER inhouse OPTIONS (path '/http/slow', batch_size '10')
        SQL
}

sub set_up {
    my ($database) = @_;
    $node->safe_psql($database, 'CREATE EXTENSION IF NOT EXISTS reverse_etl; ' . set_up_sql());
    return;
}

sub status {
    my ($columns) = @_;
    return $node->safe_psql('postgres', "SELECT $columns FROM reverse_etl.worker_status");
}

sub is_due {
    my ($sync) = @_;
    $node->safe_psql('postgres', "UPDATE reverse_etl_internal.sync_definitions SET requested_at = now() WHERE name = '$sync'");
    $node->safe_psql('postgres', 'SELECT reverse_etl_internal.wake_worker()');
    return;
}

sub runs {
    return $node->safe_psql('postgres', q(SELECT string_agg(sync || ' ' || status, ', ' ORDER BY sync) FROM reverse_etl.runs));
}

sub workers {
    return $node->safe_psql('postgres',
        q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker' AND datname = 'postgres'));
}

sub standby {
    my ($name) = @_;
    $node->safe_psql('postgres', "ALTER SYSTEM SET synchronous_standby_names = '$name'");
    $node->reload;
    wait_until(sub { $node->safe_psql('postgres', 'SHOW synchronous_standby_names') eq $name });
    return;
}

# arrives(NUMBER, WHAT): so many rows more, without anybody who does anything for it.
sub arrives {
    my ($rows, $what) = @_;
    $arrived += $rows;
    wait_until(sub { $sandbox->get('/_sandbox/count/http/events')->{count} == $arrived });
    pass("$what arrives");
    return;
}

done_testing();
