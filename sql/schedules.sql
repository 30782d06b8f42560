-- When pg_cron runs a job, and when it should have: as its own schedules say.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS reverse_etl;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';

SELECT schedule, reverse_etl.last_run_before(schedule, moment) AS last,
       reverse_etl.next_run_after(schedule, moment) AS next
  FROM (VALUES ('* * * * *'), ('*/15 8-18 * * mon-fri'), ('0 3 1,15 * *'), ('0 0 13 * fri'), ('0 12 $ * *'),
               ('@hourly'), ('@weekly'), ('@reboot'), ('30 seconds'), ('0 0 30 2 *')) AS schedules (schedule),
       (SELECT timestamptz '2026-01-31 12:34:56.789+00' AS moment) AS moments;

-- A run at that very time counts neither as the next nor as the last one.
SELECT reverse_etl.last_run_before('0 * * * *', '2026-01-31 12:00+00'),
       reverse_etl.next_run_after('0 * * * *', '2026-01-31 12:00+00');
SELECT reverse_etl.last_run_before('0 * * * *', '2026-01-31 12:00:00.000001+00'),
       reverse_etl.next_run_after('0 * * * *', '2026-01-31 11:59:59.999999+00');

-- pg_cron's time zone decides, not the session's. On 29 March there is no 02:30 in Berlin, on 25 October there are two.
SET timezone = 'Asia/Kolkata';
SELECT reverse_etl.next_run_after('30 2 * * *', '2026-01-31 00:00+00') AT TIME ZONE 'UTC' AS in_gmt;
SET cron.timezone = 'Europe/Berlin';
SELECT reverse_etl.next_run_after('30 2 * * *', '2026-01-31 00:00+00') AT TIME ZONE 'UTC' AS in_berlin;
SELECT reverse_etl.next_run_after('30 2 * * *', '2026-03-28 12:00+00') AT TIME ZONE 'UTC' AS in_spring;
SELECT run AT TIME ZONE 'UTC' AS in_autumn, reverse_etl.next_run_after('30 2 * * *', run) AT TIME ZONE 'UTC' AS again
  FROM reverse_etl.next_run_after('30 2 * * *', '2026-10-24 12:00+00') AS run;
SET cron.timezone = 'Middle/Earth';
SELECT reverse_etl.next_run_after('30 2 * * *', '2026-01-31 00:00+00');
RESET cron.timezone;

SELECT reverse_etl.next_run_after('* * * * *', 'infinity') AS never,
       reverse_etl.last_run_before('* * * * *', '-infinity') AS before_all,
       reverse_etl.next_run_after('* * * * *', '294276-12-31 23:59:59+00') AS after_the_end_of_time;

-- What pg_cron would not take.
SELECT reverse_etl.next_run_after('*/15 24 * * *', now());
SELECT reverse_etl.next_run_after('every hour', now());
SELECT reverse_etl.last_run_before('@fortnightly', now());
SELECT reverse_etl.last_run_before('90 seconds', now());
-- A view of many is not kept from showing the others by one that is none.
SELECT schedule, next_run IS NULL AS never, last_due IS NULL AS never_was
  FROM unnest('{bogus,"90 seconds",* * * * *,NULL}'::text[]) AS schedule, reverse_etl_internal.run_times(schedule);
SET cron.timezone = 'Middle/Earth';
SELECT next_run IS NULL AS never FROM reverse_etl_internal.run_times('* * * * *');
RESET cron.timezone;
