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
COMMENT ON COLUMN reverse_etl.rejected_rows."row" IS 'the columns that the statement sent, with the values as they were sent; where jsonb cannot hold one (a \u0000, half a surrogate pair, a number beyond numeric) the whole row''s JSON as a string';
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

CREATE FUNCTION reverse_etl.json_text(kept jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE pg_catalog.jsonb_typeof(kept) WHEN 'string' THEN kept OPERATOR(pg_catalog.#>>) '{}' ELSE kept::text END;
COMMENT ON FUNCTION reverse_etl.json_text(jsonb) IS 'the JSON of a row or a key in reverse_etl.rejected_rows: what jsonb cannot hold is kept there as a string';

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
                    SELECT reverse_etl.requeue($1, array_agg(operation ORDER BY id),
                                               array_agg(reverse_etl.json_text(key) ORDER BY id),
                                               array_agg(reverse_etl.json_text("row") ORDER BY id))
                      FROM taken', condition)
       INTO queued USING destination;
    RETURN COALESCE(queued, 0);
END
$$;
COMMENT ON FUNCTION reverse_etl.retry(regclass, text) IS 'queues rejected rows again, those for which the condition on rejected_rows holds; how many they were';

