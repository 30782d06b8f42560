-- What there is to see

-- Schedules are checked when they are written; should a version of the extension not know one, it hides no other sync.
CREATE FUNCTION reverse_etl_internal.run_times(schedule text, OUT next_run timestamptz, OUT last_due timestamptz)
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_run_times';
COMMENT ON FUNCTION reverse_etl_internal.run_times(text) IS 'when a sync of that schedule is to run, and when it last should have more than a minute ago; nulls for what is no schedule';

CREATE VIEW reverse_etl.syncs WITH (security_invoker = on) AS
SELECT s.id, s.name, s.owner, s.destination, s.mode, s.key,
       CASE WHEN under_way.id IS NOT NULL THEN under_way.status WHEN last.id IS NULL THEN 'new' ELSE last.status END AS state,
       s.health, last.id AS last_run, last.started_at AS last_run_at, s.schedule,
       times.next_run,
       COALESCE(GREATEST(last_try.started_at, s.scheduled_at) + interval '1 minute' < times.last_due, false) AS overdue,
       COALESCE(under_way.waiting, 0) AS waiting,
       COALESCE(counted.quarantined, 0) AS quarantined,
       predecessor.name AS run_after, s.query, s.broken
  FROM reverse_etl_internal.sync_definitions AS s
 CROSS JOIN LATERAL reverse_etl_internal.run_times(s.schedule) AS times
  LEFT JOIN reverse_etl_internal.sync_definitions AS predecessor ON predecessor.id = s.run_after
  LEFT JOIN reverse_etl.runs AS under_way
       ON under_way.sync_id = s.id AND under_way.status IN ('reading', 'delivering', 'cancelling')
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.runs AS r WHERE r.sync_id = s.id AND r.status <> 'skipped'
                      ORDER BY r.id DESC LIMIT 1) AS last ON true
  LEFT JOIN LATERAL (SELECT r.quarantined FROM reverse_etl.runs AS r WHERE r.sync_id = s.id AND r.queued_at IS NOT NULL
                      ORDER BY r.id DESC LIMIT 1) AS counted ON true
  LEFT JOIN LATERAL (SELECT r.started_at FROM reverse_etl.runs AS r WHERE r.sync_id = s.id
                      ORDER BY r.id DESC LIMIT 1) AS last_try ON true;
COMMENT ON VIEW reverse_etl.syncs IS 'every sync: how it fares, its last run and its next; a user sees their own';
COMMENT ON COLUMN reverse_etl.syncs.state IS 'new, or the status of the run that is under way, or else of the last one';
COMMENT ON COLUMN reverse_etl.syncs.overdue IS 'a run should have begun more than a minute ago';
COMMENT ON COLUMN reverse_etl.syncs.waiting IS 'rows of the run under way that have no outcome yet';
COMMENT ON COLUMN reverse_etl.syncs.broken IS 'why a run would fail, as the last command found or left it that might matter to it';
COMMENT ON COLUMN reverse_etl.syncs.quarantined IS 'rows that were refused too often, as the last run counted them: they wait until they change or release_rows lets them go';
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

CREATE INDEX ON reverse_etl.rejected_rows (push);
CREATE VIEW reverse_etl.run_rows WITH (security_invoker = on) AS
SELECT run_id, CASE WHEN quarantined THEN 'quarantined' WHEN absent THEN 'absent' WHEN in_doubt THEN 'in doubt' ELSE 'invalid' END AS outcome, key, reason,
       NULL::integer AS http_status, "row"
  FROM reverse_etl_internal.invalid_rows
UNION ALL
SELECT r.id,
       -- As the worker tells them apart: src/engine/outcome_unknown.h
       CASE WHEN rejected.operation = 'create' AND starts_with(rejected.reason, 'outcome unknown, the destination may have the row')
            THEN 'in doubt' ELSE 'rejected' END,
       (SELECT jsonb_object_agg(k, (COALESCE(rejected.key, '{}') || rejected."row") -> k)
          FROM unnest(s.key) AS k),
       rejected.reason, rejected.http_status, rejected."row"
  FROM reverse_etl.runs AS r
  JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id
 CROSS JOIN LATERAL unnest(r.pushes) AS p (push)
  JOIN reverse_etl.rejected_rows AS rejected ON rejected.push = p.push;
COMMENT ON VIEW reverse_etl.run_rows IS 'rows of a run that did not get through: invalid (could not be sent), quarantined, absent (the destination does not have it), in doubt (it was created, and nobody knows whether the destination has it), or rejected by the destination';
COMMENT ON COLUMN reverse_etl.run_rows.reason IS 'why, in the destination''s own words where it has any';
GRANT SELECT ON reverse_etl.run_rows TO PUBLIC;
