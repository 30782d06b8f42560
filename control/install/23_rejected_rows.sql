-- Rejected rows

CREATE TABLE reverse_etl.rejected_rows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    push bigint,
    destination regclass,
    destination_name text NOT NULL,
    operation text NOT NULL,
    row_number bigint NOT NULL,
    key jsonb,
    "row" jsonb NOT NULL,
    reason text NOT NULL,
    http_status integer,
    statement_at timestamptz NOT NULL,
    rejected_by name NOT NULL,
    role_id reverse_etl.role NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE reverse_etl.rejected_rows IS 'rows that a destination did not accept; a user sees their own';
COMMENT ON COLUMN reverse_etl.rejected_rows.push IS 'the push that it was a row of: reverse_etl.audit_log.id';
COMMENT ON COLUMN reverse_etl.rejected_rows.destination IS 'the foreign table, whatever its name is now; null once it was dropped';
COMMENT ON COLUMN reverse_etl.rejected_rows.destination_name IS 'its name at the time, as SQL writes it: with its schema, and quotes where they are needed';
COMMENT ON COLUMN reverse_etl.rejected_rows.operation IS 'what was asked of the destination: create, update, upsert or delete';
COMMENT ON COLUMN reverse_etl.rejected_rows.row_number IS 'the row''s place in its statement, from 1; of a queued row its number in the outbox';
COMMENT ON COLUMN reverse_etl.rejected_rows.key IS 'the columns that name the row at the destination, where the statement did not send them';
COMMENT ON COLUMN reverse_etl.rejected_rows."row" IS 'the columns that the statement sent, with the values as they were sent; where jsonb cannot hold one (a zero character, half a surrogate pair, a number beyond numeric) the whole row''s JSON as a string';
COMMENT ON COLUMN reverse_etl.rejected_rows.reason IS 'why, in the destination''s own words where it has any';
COMMENT ON COLUMN reverse_etl.rejected_rows.http_status IS 'the answer''s status; null for a row that was not sent or had no answer';
COMMENT ON COLUMN reverse_etl.rejected_rows.statement_at IS 'when the statement began';
COMMENT ON COLUMN reverse_etl.rejected_rows.rejected_by IS 'the role whose statement it was: its name at the time';
COMMENT ON COLUMN reverse_etl.rejected_rows.role_id IS 'that role, whatever its name is now';
CREATE INDEX ON reverse_etl.rejected_rows (destination, statement_at);

ALTER TABLE reverse_etl.rejected_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.rejected_rows USING (role_id = quote_ident(current_user)::regrole);
COMMENT ON POLICY own_rows ON reverse_etl.rejected_rows IS 'a user sees their own rejected rows';
GRANT SELECT ON reverse_etl.rejected_rows TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.kept_json(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN value::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN to_jsonb(value);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.kept_json(text) IS 'the JSON of a row or a key as reverse_etl.rejected_rows keeps it: what jsonb cannot hold as a string';

CREATE FUNCTION reverse_etl_internal.json_text(kept jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE jsonb_typeof(kept) WHEN 'string' THEN kept #>> '{}' ELSE kept::text END;
COMMENT ON FUNCTION reverse_etl_internal.json_text(jsonb) IS 'the JSON of a row or a key in reverse_etl.rejected_rows: what jsonb cannot hold is kept there as a string';

CREATE FUNCTION reverse_etl_internal.requeue(role oid, destination regclass, operations text[], keys text[], rows text[]) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_requeue';
COMMENT ON FUNCTION reverse_etl_internal.requeue(oid, regclass, text[], text[], text[]) IS 'queues rows for a role as rejected_rows holds them; see reverse_etl.retry()';

-- A condition runs with the caller's rights, and sees the caller's rows.
CREATE FUNCTION reverse_etl_internal.chosen_rows(caller oid, condition text) RETURNS bigint[]
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN reverse_etl_internal.execute_as(caller, 'SELECT id FROM reverse_etl.rejected_rows WHERE ' || reverse_etl_internal.one_condition(condition));
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.chosen_rows(oid, text) IS 'the rejected rows of a role for which a condition holds, by their id';

CREATE FUNCTION reverse_etl.retry(destination regclass, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
COMMENT ON FUNCTION reverse_etl.retry(regclass, text) IS 'queues rejected rows again, those for which the condition on rejected_rows holds; how many they were';

CREATE FUNCTION reverse_etl_internal.retry_as(caller oid, destination regclass, condition text) RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen bigint[] := reverse_etl_internal.chosen_rows(caller, condition);
    queued bigint;
BEGIN
    WITH taken AS (
        DELETE FROM reverse_etl.rejected_rows AS r
         USING pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.oid = retry_as.destination
           -- What a table of the name had before it was dropped is for the one that took its place.
           AND (r.destination = c.oid OR r.destination IS NULL AND r.destination_name = format('%I.%I', n.nspname, c.relname))
           AND r.id = ANY (chosen)
        RETURNING r.id, r.operation, r.key, r."row")
    SELECT reverse_etl_internal.requeue(caller, retry_as.destination, array_agg(operation ORDER BY id),
                               array_agg(reverse_etl_internal.json_text(key) ORDER BY id),
                               array_agg(reverse_etl_internal.json_text("row") ORDER BY id))
      INTO queued FROM taken;
    RETURN COALESCE(queued, 0);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.retry_as(oid, regclass, text) IS 'retry() for the role that calls it';

CREATE FUNCTION reverse_etl.mend(id bigint, "row" jsonb, key jsonb DEFAULT NULL) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
COMMENT ON FUNCTION reverse_etl.mend(bigint, jsonb, jsonb) IS 'repairs a rejected row where it is, before retry() queues it again; without a key, "row" names it';

CREATE FUNCTION reverse_etl_internal.mend_as(caller oid, id bigint, "row" jsonb, key jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen bigint[];
BEGIN
    IF jsonb_typeof(mend_as."row") IS DISTINCT FROM 'object' OR jsonb_typeof(mend_as.key) <> 'object' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'a row and its key are JSON objects', HINT = 'Give each column by its name, as rejected_rows shows them.';
    END IF;
    chosen := reverse_etl_internal.chosen_rows(caller, format('id = %L', mend_as.id));
    UPDATE reverse_etl.rejected_rows AS r SET "row" = mend_as."row", key = mend_as.key
     WHERE r.id = ANY (chosen);
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('rejected row %s does not exist', mend_as.id), HINT = 'reverse_etl.rejected_rows lists yours.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.mend_as(oid, bigint, jsonb, jsonb) IS 'mend() for the role that calls it';

CREATE FUNCTION reverse_etl.discard(condition text) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
COMMENT ON FUNCTION reverse_etl.discard(text) IS 'deletes your rejected rows for which the condition on rejected_rows holds; how many they were';

CREATE FUNCTION reverse_etl_internal.discard_as(caller oid, condition text) RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen bigint[] := reverse_etl_internal.chosen_rows(caller, condition);
    discarded bigint;
BEGIN
    DELETE FROM reverse_etl.rejected_rows WHERE id = ANY (chosen);
    GET DIAGNOSTICS discarded = ROW_COUNT;
    RETURN discarded;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.discard_as(oid, text) IS 'discard() for the role that calls it';

REVOKE ALL ON FUNCTION reverse_etl_internal.requeue(oid, regclass, text[], text[], text[]), reverse_etl_internal.chosen_rows(oid, text),
    reverse_etl_internal.retry_as(oid, regclass, text), reverse_etl_internal.mend_as(oid, bigint, jsonb, jsonb),
    reverse_etl_internal.discard_as(oid, text), reverse_etl_internal.kept_json(text), reverse_etl_internal.json_text(jsonb) FROM PUBLIC;
