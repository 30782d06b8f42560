# The real pg_cron runs jobs, at the times and by the schedules that next_run_after tells, and syncs as a role that may do
# nothing else.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $control = `pg_config --sharedir` =~ s/\n//r . '/extension/pg_cron.control';
plan skip_all => 'pg_cron is not here: scripts/fetch_pg_cron VERSION fetches it' if !-e $control;

# As background workers: no job has to connect.
my $node = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl,pg_cron'
    cron.use_background_workers = on
    max_worker_processes = 20
    CONF
$node->safe_psql('postgres', 'CREATE EXTENSION pg_cron');
my $knows_seconds = $node->safe_psql('postgres', q(SELECT string_to_array(extversion, '.')::int[] >= '{1,5}'
    FROM (SELECT replace(extversion, '-', '.') AS extversion FROM pg_extension WHERE extname = 'pg_cron') AS pg_cron));
$knows_seconds = $knows_seconds eq 't';

# Each job is to run soon after the time that next_run_after tells: each minute, and each second where pg_cron can.
my $schedule = $knows_seconds ? '1 second' : '* * * * *';
my ($job, $due) = split /\|/, $node->safe_psql('postgres', <<~SQL);
    SELECT cron.schedule('one', '$schedule', 'SELECT 1'), reverse_etl.next_run_after('$schedule', now())
    SQL

# A sync, for a role that is no superuser, reads the source, and may but insert.
my $sandbox = start_sandbox();
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\ $sandbox->url }');
    CREATE ROLE marketing LOGIN;
    CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-cron');
    CREATE SCHEMA hubspot;
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;
    CREATE TABLE customers AS
        SELECT n AS id, format('c%s\@example.com', n) AS email, 'Name ' || n AS first_name FROM generate_series(1, 250) AS n;
    GRANT USAGE ON SCHEMA hubspot TO marketing;
    GRANT SELECT ON customers TO marketing;
    GRANT INSERT ON hubspot.contacts TO marketing;
    SQL

# as_marketing(SQL): the result, or what went wrong.
sub as_marketing {
    my ($sql) = @_;
    my ($stdout, $stderr);
    $node->psql('postgres', $sql, stdout => \$stdout, stderr => \$stderr, extra_params => [ '--username=marketing' ]);
    return $stderr =~ s/^psql:<stdin>:\d+: //mgr || $stdout;
}

is(as_marketing(<<~'SQL'), 'customers_to_hubspot|new||f', 'a role that may insert makes a sync, which has no schedule');
    SELECT reverse_etl.create_sync('customers_to_hubspot', 'SELECT email, first_name AS firstname FROM customers',
                                   'hubspot.contacts', '{email}') \g /dev/null
    SELECT name, state, next_run, overdue FROM reverse_etl.syncs
    SQL
my $may_not = as_marketing("SELECT reverse_etl.schedule_sync('customers_to_hubspot', '* * * * *')");
like($may_not, qr/permission denied for schema cron\nHINT:  GRANT USAGE ON SCHEMA cron TO marketing/, 'who may not use pg_cron is told so');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA cron TO marketing');
my $wrong = as_marketing("SELECT reverse_etl.schedule_sync('customers_to_hubspot', 'every minute')");
like($wrong, qr/ERROR:  invalid schedule: "every minute"\n/, 'a wrong schedule is refused');

my $sync_job = as_marketing("SELECT reverse_etl.schedule_sync('customers_to_hubspot', '$schedule')");
is($node->safe_psql('postgres', "SELECT jobname, username, command FROM cron.job WHERE jobid = $sync_job"),
    "reverse_etl customers_to_hubspot|marketing|CALL reverse_etl.run_sync('customers_to_hubspot', wait => false)",
    'its job has its name');
is(as_marketing("SELECT schedule, next_run BETWEEN now() AND now() + interval '61 s', overdue FROM reverse_etl.syncs"),
    "$schedule|t|f", 'and the sync tells its next run');

# finished_run(NUMBER): the run of that number, once it has ended.
sub finished_run {
    my ($number) = @_;
    for (1 .. 150) {
        my $run = as_marketing(<<~SQL);
            SELECT id, status, queried, added, changed, removed, unchanged, accepted, requested_by,
                   started_at < queued_at AND queued_at <= finished_at
              FROM reverse_etl.runs WHERE id = $number AND finished_at IS NOT NULL
            SQL
        return $run if $run ne '';
        sleep 0.5;
    }
    return 'none in time';
}

# Meanwhile: both take the same schedules.
my @schedules = (
    '* * * * *', '*/15 8-18 * * mon-fri', '  5,10,20-30/5 0 1 Jan SUN', '0 0 * * 7', "0\t0 1 1 *",
    '40-5 * * * *', '0;x 4 * * *', '0 0 30 2 *', '@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly',
    '@annually', '@reboot', '@fortnightly', '@', '', ' ', '*', '* * * *', '60 * * * *', '1/5 * * * *', '*/0 * * * *',
    '-5 * * * *', '1, * * * *', '1- * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 0 *', '* * * 13 *',
    '* * * January *', '* * * * 8', '* * * * monday', '99999999999 * * * *', '5-64/30 * * * *', '*foo * * * *',
    'a b c d e', '* * * * * and more', '@hourly and more', '* * L * *', '? * * * *', '30 minutes', '1 hour',
    '61 seconds', '0 seconds');
push @schedules, '30 seconds', '1 second', ' 59  SECONDS ', '2 second', '30second', '0 0 $ * *', '0 0 $,1 * *'
    if $knows_seconds;

$node->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION takes(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE statement;
        RETURN true;
    EXCEPTION WHEN invalid_parameter_value THEN
        RETURN false;
    END
    $$
    SQL
my $compared = join ', ', map { "(\$\$$_\$\$)" } @schedules;
is($node->safe_psql('postgres', <<~SQL), '', 'pg_cron and next_run_after take the same schedules');
    SELECT quote_literal(schedule), 'pg_cron: ' || theirs, 'next_run_after: ' || ours
      FROM (VALUES $compared) AS compared (schedule),
           LATERAL takes(format('SELECT cron.schedule(''compared'', %L, ''SELECT 1'')', schedule)) AS theirs,
           LATERAL takes(format('SELECT reverse_etl.next_run_after(%L, now())', schedule)) AS ours
     WHERE theirs <> ours
    SQL
$node->safe_psql('postgres', "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'compared'");

my $ran = "FROM cron.job_run_details WHERE jobid = $job AND status = 'succeeded'";
for (1 .. 150) { # a minute, and a little more
    last if $node->safe_psql('postgres', "SELECT count(*) $ran") > 0;
    sleep 0.5;
}
is($node->safe_psql('postgres', "SELECT command, return_message $ran ORDER BY runid LIMIT 1"),
    'SELECT 1|SELECT 1', 'a job has run');
is($node->safe_psql('postgres', "SELECT min(start_time) - '$due' BETWEEN '-1 s' AND '5 s' $ran"),
    't', "about when it was due, $due");

is(finished_run(1), '1|completed|250|250|0|0|0|250|marketing|t', 'the job sends what there is');
my ($rows, $requests) = @{ $sandbox->get('/_sandbox/stats') }{qw(rows requests)};
is($rows, 250, 'all of it');

# A rename keeps the schedule, under the new name.
as_marketing("SELECT reverse_etl.alter_sync('customers_to_hubspot', rename_to => 'Ada''s customers')");
is($node->safe_psql('postgres', "SELECT jobname, schedule, command FROM cron.job WHERE username = 'marketing'"),
    "reverse_etl Ada's customers|$schedule|CALL reverse_etl.run_sync('Ada''s customers', wait => false)", 'a renamed sync keeps its schedule');

my $before = $node->safe_psql('postgres', <<~'SQL');
    UPDATE customers SET first_name = 'Ada' WHERE id = 1;
    INSERT INTO customers VALUES (251, 'c251@example.com', 'Grace');
    SELECT max(id) FROM reverse_etl.runs
    SQL
like(finished_run($before + 1), qr/^\d+\|completed\|251\|1\|1\|0\|249\|2\|marketing\|t$/, 'the next run sends just what changed');
is_deeply([ @{ $sandbox->get('/_sandbox/stats') }{qw(rows requests)} ], [ $rows + 2, $requests + 1 ], 'in one request');

# A run that should have begun and did not is overdue.
$node->safe_psql('postgres', "UPDATE cron.job SET active = false WHERE username = 'marketing'");
wait_until(sub { as_marketing('SELECT count(*) FROM reverse_etl.run_progress') eq '0' });
is(as_marketing('SELECT overdue FROM reverse_etl.syncs'), 'f', 'a sync is not overdue at once');
$node->safe_psql('postgres', <<~'SQL');
    UPDATE reverse_etl.runs SET started_at = started_at - interval '5 min';
    UPDATE reverse_etl_internal.sync_definitions SET scheduled_at = scheduled_at - interval '5 min'
    SQL
is(as_marketing('SELECT overdue FROM reverse_etl.syncs'), 't', 'but after the next time it should have run');

my $jobs = "SELECT count(*) FROM cron.job WHERE username = 'marketing'";
# As after a dump was restored in a cluster where that number is another job's.
my $other = as_marketing("SELECT cron.schedule('another', '0 0 1 1 *', 'SELECT 1')");
$node->safe_psql('postgres', "UPDATE reverse_etl_internal.sync_definitions SET job = $other");
as_marketing("SELECT reverse_etl.unschedule_sync('Ada''s customers')");
is($node->safe_psql('postgres', "SELECT jobname FROM cron.job WHERE username = 'marketing'"), 'another',
    'unschedule_sync removes the job, and no other one that has its number');
as_marketing("SELECT cron.unschedule('another')");
is(as_marketing('SELECT schedule, next_run, overdue FROM reverse_etl.syncs'), '||f', 'and the sync has no schedule');
like(as_marketing("SELECT reverse_etl.unschedule_sync('Ada''s customers')"),
    qr/ERROR:  sync "Ada's customers" has no schedule\n/, 'which it says');

as_marketing("SELECT reverse_etl.schedule_sync('Ada''s customers', '0 4 * * *')");
is($node->safe_psql('postgres', $jobs), '1', 'it can be scheduled again');
is(as_marketing("SELECT reverse_etl.drop_sync('Ada''s customers')"), '', 'a sync is dropped');
is($node->safe_psql('postgres', $jobs), '0', 'and its job with it');

# pg_cron runs in one database of the cluster.
$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
my (undef, undef, $elsewhere) = $node->psql('elsewhere', <<~SQL, on_error_stop => 0);
    CREATE EXTENSION reverse_etl;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\ $sandbox->url }');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-cron');
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO public;
    SELECT reverse_etl.create_sync('there', 'SELECT ''a\@example.com'' AS email', 'contacts', '{email}');
    SELECT reverse_etl.schedule_sync('there', '5 * * * *');
    SQL
like($elsewhere, qr/ERROR:  pg_cron is not installed in this database\nDETAIL:  It runs in database "postgres"\.\nHINT:  Call there: (.*)/,
    'in another database schedule_sync says what to do');
my ($call) = $elsewhere =~ /HINT:  Call there: (.*)/;
$node->safe_psql('postgres', $call);
is($node->safe_psql('postgres', "SELECT jobname, schedule, database, command FROM cron.job WHERE database = 'elsewhere'"),
    "reverse_etl there|5 * * * *|elsewhere|CALL reverse_etl.run_sync('there', wait => false)", 'and that works');

$sandbox->stop;
$node->stop;
done_testing();
