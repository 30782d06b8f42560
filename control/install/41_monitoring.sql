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
