-- What there is to see

CREATE FUNCTION reverse_etl_internal.quarantined_rows(sync integer, max_attempts integer) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rows bigint;
BEGIN
    -- One sync whose table is gone does not hide the others.
    IF to_regclass(format('reverse_etl_internal.sync_%s_rows', sync)) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT count(*) FROM reverse_etl_internal.sync_%s_rows WHERE "#row" IS NULL AND "#attempts" >= $1', sync)
       INTO rows USING max_attempts;
    RETURN rows;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.quarantined_rows(integer, integer) IS 'how many rows of a sync were refused too often';

-- Schedules are checked when they are written; should a version of the extension not know one, it hides no other sync.
CREATE FUNCTION reverse_etl_internal.run_times(schedule text, OUT next_run timestamptz, OUT last_due timestamptz)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    next_run := reverse_etl.next_run_after(schedule, now());
    last_due := reverse_etl.last_run_before(schedule, now() - interval '1 minute');
EXCEPTION WHEN data_exception THEN
    NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.run_times(text) IS 'when a sync of that schedule is to run, and when it last should have more than a minute ago';

CREATE VIEW reverse_etl.syncs WITH (security_invoker = on) AS
SELECT s.id, s.name, s.owner, s.destination, s.mode, s.key,
       CASE WHEN under_way.id IS NOT NULL THEN under_way.status WHEN last.id IS NULL THEN 'new' ELSE last.status END AS state,
       s.health, last.id AS last_run, last.started_at AS last_run_at, s.schedule,
       times.next_run,
       COALESCE(GREATEST(last_try.started_at, s.scheduled_at) + interval '1 minute' < times.last_due, false) AS overdue,
       COALESCE(under_way.waiting, 0) AS waiting,
       reverse_etl_internal.quarantined_rows(s.id, s.max_attempts) AS quarantined,
       predecessor.name AS run_after, s.query, s.broken
  FROM reverse_etl_internal.sync_definitions AS s
 CROSS JOIN LATERAL reverse_etl_internal.run_times(s.schedule) AS times
  LEFT JOIN reverse_etl_internal.sync_definitions AS predecessor ON predecessor.id = s.run_after
  LEFT JOIN reverse_etl.runs AS under_way
       ON under_way.sync_id = s.id AND under_way.status IN ('reading', 'delivering', 'cancelling')
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.runs AS r WHERE r.sync_id = s.id AND r.status <> 'skipped'
                      ORDER BY r.id DESC LIMIT 1) AS last ON true
  LEFT JOIN LATERAL (SELECT r.started_at FROM reverse_etl.runs AS r WHERE r.sync_id = s.id
                      ORDER BY r.id DESC LIMIT 1) AS last_try ON true;
COMMENT ON VIEW reverse_etl.syncs IS 'every sync: how it fares, its last run and its next; a user sees their own';
COMMENT ON COLUMN reverse_etl.syncs.state IS 'new, or the status of the run that is under way, or else of the last one';
COMMENT ON COLUMN reverse_etl.syncs.overdue IS 'a run should have begun more than a minute ago';
COMMENT ON COLUMN reverse_etl.syncs.waiting IS 'rows of the run under way that have no outcome yet';
COMMENT ON COLUMN reverse_etl.syncs.broken IS 'why a run would fail, as the last command found or left it that might matter to it';
COMMENT ON COLUMN reverse_etl.syncs.quarantined IS 'rows that were refused too often, and wait until they change or release_rows lets them go';
GRANT SELECT ON reverse_etl.syncs TO PUBLIC;

CREATE VIEW reverse_etl.run_progress WITH (security_invoker = on) AS
SELECT id AS run_id, sync, status AS phase, added + changed + removed AS rows_total,
       added + changed + removed - waiting AS rows_done, accepted, rejected,
       CASE WHEN queued_at IS NULL THEN NULL ELSE round(((accepted + rejected + cancelled + absent)
            / GREATEST(EXTRACT(epoch FROM clock_timestamp() - queued_at), 0.001))::numeric, 1) END AS rows_per_second,
       CASE WHEN accepted + rejected + cancelled + absent > 0
            THEN date_trunc('second', (clock_timestamp() - queued_at) * (waiting::float8 / (accepted + rejected + cancelled + absent))) END
            AS time_left,
       pid, started_at
  FROM reverse_etl.runs WHERE status IN ('reading', 'delivering', 'cancelling');
COMMENT ON VIEW reverse_etl.run_progress IS 'each run that is under way, and how far it is; a user sees those of their syncs';
COMMENT ON COLUMN reverse_etl.run_progress.phase IS 'reading the model, delivering, or cancelling';
COMMENT ON COLUMN reverse_etl.run_progress.time_left IS 'at the rate so far';
GRANT SELECT ON reverse_etl.run_progress TO PUBLIC;

