-- Monitoring: what the processes of the cluster count in shared memory. The functions show a role what it may see, so
-- that everybody may call them.

CREATE FUNCTION reverse_etl_internal.statistics(
    OUT destination regclass,
    OUT rows_accepted bigint, OUT rows_rejected bigint, OUT rows_read bigint, OUT rows_coalesced bigint,
    OUT rows_waiting bigint, OUT bytes_waiting bigint,
    OUT requests bigint, OUT retries bigint, OUT throttled bigint,
    OUT connections_opened bigint, OUT connections_reused bigint,
    OUT bytes_sent bigint, OUT bytes_received bigint, OUT bytes_received_uncompressed bigint,
    OUT latency_p50_ms double precision, OUT latency_p95_ms double precision, OUT latency_p99_ms double precision,
    OUT last_accepted_at timestamptz, OUT stats_reset timestamptz) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_statistics';
COMMENT ON FUNCTION reverse_etl_internal.statistics() IS 'what reverse_etl.stat_destinations shows';

CREATE VIEW reverse_etl.stat_destinations AS
SELECT counted.destination, server.srvname AS server,
       rows_accepted, rows_rejected, rows_read, rows_coalesced, rows_waiting, bytes_waiting,
       requests, retries, throttled, connections_opened, connections_reused,
       bytes_sent, bytes_received, bytes_received_uncompressed,
       latency_p50_ms, latency_p95_ms, latency_p99_ms, last_accepted_at, stats_reset
  FROM reverse_etl_internal.statistics() AS counted
  JOIN pg_catalog.pg_foreign_table AS destination ON destination.ftrelid = counted.destination
  JOIN pg_catalog.pg_foreign_server AS server ON server.oid = destination.ftserver;
COMMENT ON VIEW reverse_etl.stat_destinations IS 'what was sent to and read from each destination of this database since its statistics were reset; a user sees the tables that they have a privilege on, pg_read_all_stats all';
COMMENT ON COLUMN reverse_etl.stat_destinations.rows_coalesced IS 'queued rows that a later change of the same key made needless';
COMMENT ON COLUMN reverse_etl.stat_destinations.rows_waiting IS 'rows in the outbox now';
COMMENT ON COLUMN reverse_etl.stat_destinations.requests IS 'requests for rows, repeated ones included';
COMMENT ON COLUMN reverse_etl.stat_destinations.throttled IS 'answers that told to wait, such as 429';
COMMENT ON COLUMN reverse_etl.stat_destinations.bytes_sent IS 'of request bodies, which are not compressed';
COMMENT ON COLUMN reverse_etl.stat_destinations.bytes_received IS 'of answers'' bodies, as they travelled';
COMMENT ON COLUMN reverse_etl.stat_destinations.latency_p50_ms IS 'from the start of a request to the end of its answer, to within 6 percent';
GRANT SELECT ON reverse_etl.stat_destinations TO PUBLIC;

CREATE FUNCTION reverse_etl.stat_reset(destination regclass DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_stat_reset';
COMMENT ON FUNCTION reverse_etl.stat_reset(regclass) IS 'starts anew the statistics of one destination, or of all of this database';
REVOKE ALL ON FUNCTION reverse_etl.stat_reset(regclass) FROM PUBLIC;

CREATE FUNCTION reverse_etl_internal.running_pushes(
    OUT pid integer, OUT role oid, OUT destination regclass, OUT operation text, OUT started_at timestamptz,
    OUT rows_seen bigint, OUT rows_accepted bigint, OUT rows_rejected bigint, OUT rows_in_flight bigint,
    OUT rows_per_second double precision) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_running_pushes';
COMMENT ON FUNCTION reverse_etl_internal.running_pushes() IS 'what reverse_etl.activity shows';

CREATE VIEW reverse_etl.activity AS
SELECT pid, pg_catalog.pg_get_userbyid(role) AS role, destination, operation, started_at,
       rows_seen, rows_accepted, rows_rejected, rows_in_flight, rows_per_second
  FROM reverse_etl_internal.running_pushes();
COMMENT ON VIEW reverse_etl.activity IS 'each push to a destination that is running now; a user sees their own, pg_read_all_stats all';
COMMENT ON COLUMN reverse_etl.activity.pid IS 'the process that pushes, as in pg_stat_activity';
COMMENT ON COLUMN reverse_etl.activity.rows_seen IS 'rows that the statement has made';
COMMENT ON COLUMN reverse_etl.activity.rows_in_flight IS 'rows that were sent and are not yet answered';
COMMENT ON COLUMN reverse_etl.activity.rows_per_second IS 'rows accepted or rejected, since the push began';
GRANT SELECT ON reverse_etl.activity TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.find_worker(
    OUT state text, OUT pid integer, OUT started_at timestamptz, OUT alive_at timestamptz, OUT reason text)
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_find_worker';
COMMENT ON FUNCTION reverse_etl_internal.find_worker() IS 'what reverse_etl.worker_status shows';

CREATE VIEW reverse_etl.worker_status AS
SELECT w.state, w.pid, a.query AS activity, COALESCE(w.started_at, a.backend_start) AS started_at, w.alive_at, w.reason
  FROM reverse_etl_internal.find_worker() AS w LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = w.pid;
COMMENT ON VIEW reverse_etl.worker_status IS 'the background worker of this database: whether it runs, and if not, why';
COMMENT ON COLUMN reverse_etl.worker_status.state IS 'running, starting, or none';
COMMENT ON COLUMN reverse_etl.worker_status.activity IS 'what it does; for members of pg_read_all_stats';
COMMENT ON COLUMN reverse_etl.worker_status.started_at IS 'since when it has been alive; of one that is gone, when it began';
COMMENT ON COLUMN reverse_etl.worker_status.alive_at IS 'when it last did something: while nothing is to do, at least once a minute';
COMMENT ON COLUMN reverse_etl.worker_status.reason IS 'why there is none';
GRANT SELECT ON reverse_etl.worker_status TO PUBLIC;

-- Whoever watches it asks often, and millions may wait: all rows are not counted but where nobody has counted them, one's
-- own are looked for, and in either case among no more than these. The oldest is the first of an index.
CREATE VIEW reverse_etl.destinations WITH (security_barrier) AS
SELECT t.ftrelid::regclass AS destination, s.srvname AS server,
       CASE WHEN p.since IS NOT NULL THEN 'paused' WHEN n.reason IS NOT NULL THEN 'no worker'
            WHEN o.of_all >= m.rows THEN 'full'
            ELSE COALESCE(f.state, 'active') END AS state,
       o.waiting, o.oldest, COALESCE(running.rows_per_second, 0) AS rows_per_second,
       COALESCE(n.reason, f.reason) AS last_error, f.retry_at, COALESCE(p.since, n.since, f.since) AS since
  FROM pg_foreign_table AS t
  JOIN pg_foreign_server AS s ON s.oid = t.ftserver
  JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw AND w.fdwname = 'reverse_etl'
  LEFT JOIN LATERAL (SELECT min(paused_at) AS since FROM reverse_etl.pauses
                      WHERE reverse_etl_internal.paused_server(pauses.server, pauses.server_name, pauses.cluster) = t.ftserver OR pauses.destination = t.ftrelid) AS p ON true
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.destination_states AS d WHERE d.destination = t.ftrelid
                      ORDER BY d.state = 'paused' DESC, d.retry_at DESC LIMIT 1) AS f ON true
  LEFT JOIN (SELECT destination, NULLIF(rows_waiting, 0) AS waiting FROM reverse_etl_internal.statistics()) AS counted
       ON counted.destination = t.ftrelid
 -- As the policy of the outbox has it, which its owner, whose view this is, stands above.
 CROSS JOIN (SELECT quote_ident(current_user)::regrole AS role,
                    NOT row_security_active('reverse_etl.outbox') OR pg_has_role('pg_monitor', 'USAGE') AS sees_all
             OFFSET 0) AS reader
 CROSS JOIN LATERAL (
       SELECT count(*) AS some, count(*) FILTER (WHERE own) AS own, min(enqueued_at) AS oldest, min(enqueued_at) FILTER (WHERE own) AS own_oldest
         FROM (SELECT w.enqueued_at, w.enqueued_by = reader.role AS own FROM reverse_etl.outbox AS w WHERE w.destination = t.ftrelid
                ORDER BY w.destination, w.id LIMIT CASE WHEN reader.sees_all AND counted.waiting IS NOT NULL THEN 1 ELSE 10000 END) AS _) AS first
 CROSS JOIN LATERAL (
       SELECT o.of_all, CASE WHEN reader.sees_all THEN o.of_all ELSE first.own END AS waiting,
              CASE WHEN reader.sees_all THEN first.oldest ELSE first.own_oldest END AS oldest
         FROM (SELECT COALESCE(counted.waiting,
                               CASE WHEN first.some < 10000 THEN first.some
                                    ELSE GREATEST(first.some, (SELECT reltuples::bigint FROM pg_class
                                                                WHERE oid = to_regclass(format('reverse_etl_internal.outbox_%s', t.ftrelid)))) END) AS of_all) AS o
       OFFSET 0) AS o
  LEFT JOIN (SELECT reason, alive_at AS since FROM reverse_etl_internal.find_worker() WHERE state = 'none') AS n ON o.waiting > 0
  LEFT JOIN (SELECT destination, round(sum(rows_per_second))::bigint AS rows_per_second
               FROM reverse_etl_internal.running_pushes() GROUP BY 1) AS running ON running.destination = t.ftrelid
 CROSS JOIN LATERAL (SELECT COALESCE((SELECT option_value::bigint FROM pg_options_to_table(t.ftoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     (SELECT option_value::bigint FROM pg_options_to_table(s.srvoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     50000000) AS rows) AS m
 WHERE has_table_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE, DELETE')
    OR has_any_column_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE')
    OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW reverse_etl.destinations IS 'every destination: whether it gets queued rows, how many wait, and what keeps them';
GRANT SELECT ON reverse_etl.destinations TO PUBLIC;
COMMENT ON COLUMN reverse_etl.destinations.waiting IS 'rows that wait. For superusers and members of pg_monitor all, an estimate where they are more than 10000 and the library is not preloaded; else your own among the first 10000';
COMMENT ON COLUMN reverse_etl.destinations.oldest IS 'when the first of these was queued';
COMMENT ON COLUMN reverse_etl.destinations.rows_per_second IS 'of the pushes that are running now, as reverse_etl.activity shows them';

