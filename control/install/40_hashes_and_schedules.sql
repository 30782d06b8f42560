-- Hashes of rows: what a sync remembers of each row that it sent.

CREATE FUNCTION reverse_etl.hash_row(a_row record) RETURNS bigint
LANGUAGE C STRICT STABLE PARALLEL SAFE COST 3 AS 'MODULE_PATHNAME', 'reverse_etl_hash_row';
COMMENT ON FUNCTION reverse_etl.hash_row(record) IS 'a hash of the row''s values by the names of its columns, which no setting of the session and no version of Postgres changes';

CREATE FUNCTION reverse_etl.hash_row_version() RETURNS integer
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_hash_row_version';
COMMENT ON FUNCTION reverse_etl.hash_row_version() IS 'is raised when rows get other hashes than before';

-- Schedules, as pg_cron reads them. Both are NULL where there is no such time.

CREATE FUNCTION reverse_etl.next_run_after(schedule text, after timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_next_run_after';
COMMENT ON FUNCTION reverse_etl.next_run_after(text, timestamptz) IS 'when pg_cron next runs a job of that schedule; an error if it would not take the schedule';

CREATE FUNCTION reverse_etl.last_run_before(schedule text, before timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_last_run_before';
COMMENT ON FUNCTION reverse_etl.last_run_before(text, timestamptz) IS 'when pg_cron last should have run a job of that schedule; an error if it would not take the schedule';

