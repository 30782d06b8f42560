# The real pg_cron runs jobs, at the times and by the schedules that next_run_after tells.

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

$node->stop;
done_testing();
