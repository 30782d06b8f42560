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
                    NOT row_security_active('reverse_etl_internal.outbox') OR pg_has_role('pg_monitor', 'USAGE') AS sees_all
             OFFSET 0) AS reader
 CROSS JOIN LATERAL (
       SELECT count(*) AS tuples, COALESCE(sum(rows), 0) AS some, COALESCE(sum(rows) FILTER (WHERE own), 0) AS own, min(enqueued_at) AS oldest, min(enqueued_at) FILTER (WHERE own) AS own_oldest
         FROM (SELECT w.enqueued_at, w.enqueued_by = reader.role AS own, COALESCE(get_byte(w.pack, 1), 1) AS rows FROM reverse_etl_internal.outbox AS w WHERE w.destination = t.ftrelid
                ORDER BY w.destination, w.id LIMIT CASE WHEN reader.sees_all AND counted.waiting IS NOT NULL THEN 1 ELSE 10000 END) AS _) AS first
 CROSS JOIN LATERAL (
       SELECT o.of_all, CASE WHEN reader.sees_all THEN o.of_all ELSE first.own END AS waiting,
              CASE WHEN reader.sees_all THEN first.oldest ELSE first.own_oldest END AS oldest
         FROM (SELECT COALESCE(counted.waiting,
                               CASE WHEN first.tuples < 10000 THEN first.some
                                    ELSE GREATEST(first.some, (SELECT (reltuples * first.some / first.tuples)::bigint FROM pg_class
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
