-- Rejected rows

CREATE TABLE reverse_etl.rejected_rows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    push bigint,
    destination text NOT NULL,
    operation text NOT NULL,
    row_number bigint NOT NULL,
    key jsonb,
    "row" jsonb NOT NULL,
    reason text NOT NULL,
    http_status integer,
    statement_at timestamptz NOT NULL,
    rejected_by name NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE reverse_etl.rejected_rows IS 'rows that a destination did not accept; a user sees their own';
COMMENT ON COLUMN reverse_etl.rejected_rows.push IS 'the push that it was a row of: reverse_etl.audit_log.id';
COMMENT ON COLUMN reverse_etl.rejected_rows.destination IS 'the foreign table, schema-qualified';
COMMENT ON COLUMN reverse_etl.rejected_rows.operation IS 'what was asked of the destination: create, update, upsert or delete';
COMMENT ON COLUMN reverse_etl.rejected_rows.row_number IS 'the row''s place in its statement, from 1; of a queued row its number in the outbox';
COMMENT ON COLUMN reverse_etl.rejected_rows.key IS 'the columns that name the row at the destination, where the statement did not send them';
COMMENT ON COLUMN reverse_etl.rejected_rows."row" IS 'the columns that the statement sent, with the values as they were sent';
COMMENT ON COLUMN reverse_etl.rejected_rows.reason IS 'why, in the destination''s own words where it has any';
COMMENT ON COLUMN reverse_etl.rejected_rows.http_status IS 'the answer''s status; null for a row that was not sent or had no answer';
COMMENT ON COLUMN reverse_etl.rejected_rows.statement_at IS 'when the statement began';
COMMENT ON COLUMN reverse_etl.rejected_rows.rejected_by IS 'the role whose statement it was';
CREATE INDEX ON reverse_etl.rejected_rows (destination, statement_at);
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.rejected_rows', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.rejected_rows_id_seq', '');

ALTER TABLE reverse_etl.rejected_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.rejected_rows USING (rejected_by = current_user);
COMMENT ON POLICY own_rows ON reverse_etl.rejected_rows IS 'a user sees and deletes their own rejected rows';
-- A row may be mended before it is tried again.
GRANT SELECT, DELETE, UPDATE (key, "row") ON reverse_etl.rejected_rows TO PUBLIC;

CREATE FUNCTION reverse_etl.requeue(destination regclass, operations text[], keys text[], rows text[]) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_requeue';
COMMENT ON FUNCTION reverse_etl.requeue(regclass, text[], text[], text[]) IS 'queues rows as rejected_rows holds them; see reverse_etl.retry()';

CREATE FUNCTION reverse_etl.retry(destination regclass, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    queued bigint;
BEGIN
    -- The condition runs with the caller's rights, and sees the caller's rows.
    EXECUTE format('WITH taken AS (
                        DELETE FROM reverse_etl.rejected_rows
                         WHERE destination = (SELECT n.nspname || ''.'' || c.relname
                                                FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                               WHERE c.oid = $1) AND (%s)
                     RETURNING id, operation, key, "row")
                    SELECT reverse_etl.requeue($1, array_agg(operation ORDER BY id), array_agg(key::text ORDER BY id),
                                               array_agg("row"::text ORDER BY id))
                      FROM taken', condition)
       INTO queued USING destination;
    RETURN COALESCE(queued, 0);
END
$$;
COMMENT ON FUNCTION reverse_etl.retry(regclass, text) IS 'queues rejected rows again, those for which the condition on rejected_rows holds; how many they were';

CREATE VIEW reverse_etl.destinations AS
SELECT t.ftrelid::regclass AS destination, s.srvname AS server,
       CASE WHEN p.since IS NOT NULL THEN 'paused' WHEN o.waiting >= m.rows THEN 'full'
            ELSE COALESCE(f.state, 'active') END AS state,
       o.waiting, o.oldest, f.reason AS last_error, f.retry_at, COALESCE(p.since, f.since) AS since
  FROM pg_foreign_table AS t
  JOIN pg_foreign_server AS s ON s.oid = t.ftserver
  JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw AND w.fdwname = 'reverse_etl'
  LEFT JOIN LATERAL (SELECT min(paused_at) AS since FROM reverse_etl.pauses
                      WHERE pauses.server = t.ftserver OR pauses.destination = t.ftrelid) AS p ON true
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.destination_states AS d WHERE d.destination = t.ftrelid
                      ORDER BY d.state = 'paused' DESC, d.retry_at DESC LIMIT 1) AS f ON true
  LEFT JOIN LATERAL (SELECT count(*) AS waiting, min(enqueued_at) AS oldest FROM reverse_etl.outbox
                      WHERE outbox.destination = t.ftrelid) AS o ON true
  LEFT JOIN LATERAL (SELECT COALESCE((SELECT option_value::bigint FROM pg_options_to_table(t.ftoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     (SELECT option_value::bigint FROM pg_options_to_table(s.srvoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     50000000) AS rows) AS m ON true
 WHERE has_table_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE, DELETE')
    OR has_any_column_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE')
    OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW reverse_etl.destinations IS 'every destination: whether it gets queued rows, how many wait, and what keeps them';
GRANT SELECT ON reverse_etl.destinations TO PUBLIC;

