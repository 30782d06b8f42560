-- Rows that wait, and those that were rejected, name their values by columns. A column that is renamed takes them along. No
-- other session has queued rows that are not seen here: it would hold a lock on the table that is altered.

CREATE FUNCTION reverse_etl_internal.renamed_column(command pg_ddl_command) RETURNS text
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_renamed_column';
COMMENT ON FUNCTION reverse_etl_internal.renamed_column(pg_ddl_command) IS 'the old name of the column that a command has renamed; null for other commands';

CREATE FUNCTION reverse_etl_internal.rename_member(object text, old_name text, new_name text) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_rename_member';
COMMENT ON FUNCTION reverse_etl_internal.rename_member(text, text, text) IS 'a JSON object in which one member has another name; the values stay as they are, byte for byte';

CREATE FUNCTION reverse_etl_internal.altered_destinations(OUT command_on oid, OUT number integer, OUT destination oid) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE altered (command_on, number, relation) AS (
        SELECT objid, objsubid, objid FROM pg_event_trigger_ddl_commands()
         WHERE classid = 'pg_class'::regclass AND objsubid > 0
        UNION
        SELECT altered.command_on, altered.number, inhrelid FROM altered JOIN pg_inherits ON inhparent = altered.relation
    )
    SELECT altered.* FROM altered
      JOIN pg_foreign_table ON ftrelid = altered.relation
      JOIN pg_foreign_server AS server ON server.oid = ftserver
      JOIN pg_foreign_data_wrapper AS wrapper ON wrapper.oid = server.srvfdw
     WHERE wrapper.fdwname = 'reverse_etl';
END;
COMMENT ON FUNCTION reverse_etl_internal.altered_destinations() IS 'the destinations of which the running command has altered a column, also by way of a parent; asked without the library';

CREATE FUNCTION reverse_etl_internal.renamed_columns(OUT destination oid, OUT old_name text, OUT new_name text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.destination, reverse_etl_internal.renamed_column(c.command), a.attname
      FROM reverse_etl_internal.altered_destinations() AS d
      JOIN pg_event_trigger_ddl_commands() AS c ON c.objid = d.command_on AND c.objsubid = d.number
      JOIN pg_attribute AS a ON a.attrelid = c.objid AND a.attnum = c.objsubid
     WHERE reverse_etl_internal.renamed_column(c.command) <> a.attname;
END;
COMMENT ON FUNCTION reverse_etl_internal.renamed_columns() IS 'the columns of destinations that the running command has renamed, also by way of a parent';

CREATE FUNCTION reverse_etl_internal.unpack_all(destination oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['outbox', 'outbox_' || destination] LOOP
        CONTINUE WHEN to_regclass('reverse_etl_internal.' || name) IS NULL;
        EXECUTE format($query$
            WITH gone AS (DELETE FROM ONLY reverse_etl_internal.%1$I AS o
                           WHERE o.destination = $1 AND o.pack IS NOT NULL RETURNING o.*)
            INSERT INTO reverse_etl_internal.%1$I
                   (id, push, sync, destination, operation, enqueued_by, deliver_as, enqueued_at, attempts, next_attempt_at,
                    key, "row", reasons)
            SELECT p.id, g.push, g.sync, g.destination, g.operation, g.enqueued_by, g.deliver_as, g.enqueued_at, g.attempts,
                   g.next_attempt_at, p.key, p."row", g.reasons
              FROM gone AS g CROSS JOIN LATERAL reverse_etl_internal.unpacked(g.id, g.pack) AS p$query$, name) USING destination;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.unpack_all(oid) IS 'takes all rows of a destination out of their packs';

CREATE FUNCTION reverse_etl_internal.columns_after_rename() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    renamed record;
    quoted text;
BEGIN
    FOR renamed IN SELECT * FROM reverse_etl_internal.renamed_columns() LOOP
        IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
            RAISE feature_not_supported USING
                MESSAGE = format('a column of destination %s cannot be renamed in a transaction with isolation level %s',
                                 renamed.destination::regclass, current_setting('transaction_isolation')),
                DETAIL = 'Rows that wait for it are renamed, too, and such a transaction does not see all of them.',
                HINT = 'Rename it with isolation level read committed.';
        END IF;
        quoted := to_json(renamed.old_name)::text;
        PERFORM reverse_etl_internal.unpack_all(renamed.destination);
        UPDATE reverse_etl_internal.outbox AS o
           SET key = reverse_etl_internal.rename_member(o.key::text, renamed.old_name, renamed.new_name)::json,
               "row" = reverse_etl_internal.rename_member(o."row"::text, renamed.old_name, renamed.new_name)::json
         WHERE o.destination = renamed.destination
           AND (strpos(o."row"::text, quoted) > 0 OR strpos(o.key::text, quoted) > 0);
        UPDATE reverse_etl.rejected_rows AS r
           SET key = reverse_etl_internal.with_renamed_member(r.key, renamed.old_name, renamed.new_name),
               "row" = reverse_etl_internal.with_renamed_member(r."row", renamed.old_name, renamed.new_name)
         WHERE r.id IN (SELECT id FROM reverse_etl.rejected_rows WHERE destination = renamed.destination
                           FOR UPDATE SKIP LOCKED); -- discarding them needs no right on the table
    END LOOP;
EXCEPTION WHEN undefined_file OR undefined_function THEN
    RAISE WARNING 'rows that wait keep the old name of the column: %', SQLERRM
        USING HINT = 'Check the installation of reverse_etl, or drop the extension.';
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.columns_after_rename() IS 'renames the column of a destination in the rows that wait for it, and in those that it rejected';

CREATE FUNCTION reverse_etl_internal.with_renamed_member(kept jsonb, old_name text, new_name text) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN jsonb_typeof(kept) = 'string' THEN to_jsonb(reverse_etl_internal.rename_member(kept #>> '{}', old_name, new_name))
            WHEN kept ? old_name THEN (kept - old_name) || jsonb_build_object(new_name, kept -> old_name)
            ELSE kept END;
COMMENT ON FUNCTION reverse_etl_internal.with_renamed_member(jsonb, text, text) IS 'rename_member() for a row or a key of reverse_etl.rejected_rows';

REVOKE ALL ON FUNCTION reverse_etl_internal.renamed_column(pg_ddl_command), reverse_etl_internal.rename_member(text, text, text),
    reverse_etl_internal.altered_destinations(), reverse_etl_internal.renamed_columns(), reverse_etl_internal.unpack_all(oid), reverse_etl_internal.columns_after_rename(), reverse_etl_internal.with_renamed_member(jsonb, text, text)
    FROM PUBLIC;
