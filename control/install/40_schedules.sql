-- Schedules, as pg_cron reads them. Both are NULL where there is no such time.

CREATE FUNCTION reverse_etl.next_run_after(schedule text, after timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_next_run_after';
COMMENT ON FUNCTION reverse_etl.next_run_after(text, timestamptz) IS 'when pg_cron next runs a job of that schedule; an error if it would not take the schedule';

CREATE FUNCTION reverse_etl.last_run_before(schedule text, before timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_last_run_before';
COMMENT ON FUNCTION reverse_etl.last_run_before(text, timestamptz) IS 'when pg_cron last should have run a job of that schedule; an error if it would not take the schedule';
