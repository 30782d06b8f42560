-- Streams: triggers that send what changes in a table

CREATE FUNCTION reverse_etl.push() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push';
COMMENT ON FUNCTION reverse_etl.push() IS 'trigger function that sends the changed rows to a destination: push(destination, mapping)';

CREATE FUNCTION reverse_etl_internal.push_stream() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push_stream';
COMMENT ON FUNCTION reverse_etl_internal.push_stream() IS 'trigger function of the triggers that stream_table makes';

CREATE TABLE reverse_etl.streams (
    name text PRIMARY KEY,
    source regclass NOT NULL,
    destination regclass NOT NULL,
    mapping text NOT NULL,
    on_delete text NOT NULL CHECK (on_delete IN ('delete', 'ignore')),
    on_truncate text NOT NULL CHECK (on_truncate IN ('refuse', 'delete', 'ignore')),
    owner reverse_etl.role NOT NULL,
    search_path text NOT NULL,
    columns text[] NOT NULL,
    reads regclass[] NOT NULL,
    needs text[] NOT NULL,
    broken text,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE reverse_etl.streams IS 'streams made by reverse_etl.stream_table; a user sees their own and those of their tables';
COMMENT ON COLUMN reverse_etl.streams.source IS 'the table whose changes are sent';
COMMENT ON COLUMN reverse_etl.streams.destination IS 'the foreign table that they are sent to';
COMMENT ON COLUMN reverse_etl.streams.mapping IS 'a SELECT over the changed rows, which have the name "changed"';
COMMENT ON COLUMN reverse_etl.streams.on_delete IS 'whether rows that are gone from the source are deleted at the destination';
COMMENT ON COLUMN reverse_etl.streams.on_truncate IS 'what a TRUNCATE of the source does: it is refused, deletes all rows at the destination, or nothing';
COMMENT ON COLUMN reverse_etl.streams.owner IS 'the role with whose rights and credentials rows are sent';
COMMENT ON COLUMN reverse_etl.streams.search_path IS 'where the names in the mapping are looked up';
COMMENT ON COLUMN reverse_etl.streams.columns IS 'the destination''s columns that are written';
COMMENT ON COLUMN reverse_etl.streams.reads IS 'the relations that the mapping reads';
COMMENT ON COLUMN reverse_etl.streams.needs IS 'the names of functions, types, operators and collations that the mapping uses, but for Postgres'' own';
COMMENT ON COLUMN reverse_etl.streams.broken IS 'why it would fail, as the last command found it that might matter to it: what is broken already is no ground to refuse another command';

ALTER TABLE reverse_etl.streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_streams ON reverse_etl.streams FOR SELECT USING (
    pg_has_role(owner, 'USAGE')
    OR pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE pg_class.oid = source), 'USAGE'));
COMMENT ON POLICY own_streams ON reverse_etl.streams IS 'a user sees their own streams and those of their tables';
GRANT SELECT ON reverse_etl.streams TO PUBLIC;

-- The owner of a stream or sync need not own the table: so the triggers are dropped with the rights of the extension's
-- owner. They are named by what they belong to and by what fires them.
CREATE FUNCTION reverse_etl_internal.drop_own_triggers(source regclass, function regproc, beginning text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trigger_name name;
BEGIN
    FOR trigger_name IN
        SELECT tgname FROM pg_trigger
         WHERE tgrelid = drop_own_triggers.source AND tgfoid = drop_own_triggers.function
           AND tgname IN (beginning || '_insert', beginning || '_update', beginning || '_delete', beginning || '_truncate')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, source);
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.drop_own_triggers(regclass, regproc, text) IS 'drops the triggers of a stream, or those by which a table feeds a sync';
REVOKE ALL ON FUNCTION reverse_etl_internal.drop_own_triggers(regclass, regproc, text) FROM PUBLIC;

CREATE FUNCTION reverse_etl_internal.drop_stream_triggers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM reverse_etl_internal.drop_own_triggers(old.source, 'reverse_etl_internal.push_stream', old.name);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.drop_stream_triggers() IS 'drops the triggers of a stream that is removed';
REVOKE ALL ON FUNCTION reverse_etl_internal.drop_stream_triggers() FROM PUBLIC;
CREATE TRIGGER drop_triggers AFTER DELETE ON reverse_etl.streams
    FOR EACH ROW EXECUTE FUNCTION reverse_etl_internal.drop_stream_triggers();
-- Whatever the session replays.
ALTER TABLE reverse_etl.streams ENABLE ALWAYS TRIGGER drop_triggers;
COMMENT ON TRIGGER drop_triggers ON reverse_etl.streams IS 'a stream and its triggers go together';

CREATE FUNCTION reverse_etl_internal.read_mapping(role oid, source regclass, destination regclass, mapping text, deletes boolean,
    search_path text, OUT mapping_used text, OUT columns text[], OUT key text[], OUT reads regclass[], OUT needs text[])
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_read_mapping';
COMMENT ON FUNCTION reverse_etl_internal.read_mapping(oid, regclass, regclass, text, boolean, text) IS 'checks the mapping of a stream of a role; see reverse_etl.stream_table';

CREATE FUNCTION reverse_etl_internal.check_stream_rights(role oid, destination regclass, columns text[], key text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(needed, ', ') INTO missing FROM (
        SELECT format('INSERT (%s)', string_agg(quote_ident(name), ', ')) AS needed
          FROM unnest(columns) AS name WHERE NOT has_column_privilege(role, destination, name, 'INSERT') HAVING count(*) > 0
        UNION ALL
        SELECT 'DELETE' WHERE key IS NOT NULL AND NOT has_table_privilege(role, destination, 'DELETE')
        UNION ALL
        SELECT format('SELECT (%s)', string_agg(quote_ident(name), ', '))
          FROM unnest(key) AS name WHERE NOT has_column_privilege(role, destination, name, 'SELECT') HAVING count(*) > 0
    ) AS rights;
    IF missing IS NOT NULL THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('permission denied for foreign table %s', destination),
            DETAIL = format('A stream runs with the rights of its owner, and role "%s" lacks %s.', pg_get_userbyid(role), missing),
            HINT = CASE WHEN key IS NOT NULL THEN 'DELETE and SELECT on the key are for deletes: on_delete => ''ignore'' sends none.' ELSE '' END;
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.check_stream_rights(oid, regclass, text[], text[]) IS 'raises an error that names the rights which a role lacks for a stream';

-- The default of search_path is the caller's, which the function itself does not see.
CREATE FUNCTION reverse_etl.stream_table(source regclass, destination regclass, mapping text DEFAULT NULL,
    on_delete text DEFAULT 'delete', on_truncate text DEFAULT 'refuse', name text DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS text
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.stream_table_as(caller oid, source regclass, destination regclass, mapping text,
    on_delete text, on_truncate text, name text, search_path text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about record;
    stream text := stream_table_as.name;
    the_source record;
BEGIN
    IF source IS NULL OR destination IS NULL OR on_delete IS NULL OR on_truncate IS NULL OR search_path IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'only the mapping and the name of a stream may be NULL';
    END IF;
    IF on_delete NOT IN ('delete', 'ignore') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for on_delete: "%s"', on_delete), HINT = 'Use delete or ignore.';
    END IF;
    IF on_truncate NOT IN ('refuse', 'delete', 'ignore') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for on_truncate: "%s"', on_truncate), HINT = 'Use refuse, delete or ignore.';
    END IF;
    IF on_truncate = 'delete' AND on_delete = 'ignore' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'on_truncate cannot be "delete" when on_delete is "ignore"';
    END IF;
    SELECT relname, relkind, relpersistence INTO the_source FROM pg_class WHERE oid = source;
    IF the_source.relkind NOT IN ('r', 'p') OR the_source.relpersistence = 't' THEN
        RAISE wrong_object_type USING
            MESSAGE = format('"%s" cannot be streamed', source),
            DETAIL = 'The source of a stream is a table that is not temporary.',
            HINT = CASE WHEN the_source.relkind IN ('v', 'm')
                        THEN 'Stream a table that the view reads, with a mapping that joins the others.' ELSE '' END;
    END IF;
    -- A trigger's name is the stream's and the event's.
    stream := coalesce(stream, left(the_source.relname || '_to_'
                                    || (SELECT relname FROM pg_class WHERE oid = destination), 54));
    IF octet_length(stream) > 54 OR stream = '' THEN
        RAISE invalid_name USING
            MESSAGE = format('invalid name for a stream: "%s"', stream), HINT = 'It may have 54 bytes at most.';
    END IF;

    about := reverse_etl_internal.read_mapping(caller, source, destination, nullif(rtrim(mapping, E' \n\t;'), ''), on_delete = 'delete', search_path);
    PERFORM reverse_etl_internal.check_stream_rights(caller, destination, about.columns,
                                            CASE on_delete WHEN 'delete' THEN about.key END);
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = source AND tgname = stream || '_insert') THEN
        RAISE duplicate_object USING
            MESSAGE = format('stream "%s" already exists', stream),
            HINT = 'Call reverse_etl.unstream_table first, or give this stream another name.';
    END IF;
    PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream(%L)',
                   stream || '_insert', source, stream));
    PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed OLD TABLE AS changed_before
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream(%L)',
                   stream || '_update', source, stream));
    IF on_delete = 'delete' THEN
        PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream(%L)',
                       stream || '_delete', source, stream));
    END IF;
    IF on_truncate <> 'ignore' THEN
        PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I BEFORE TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream(%L)',
                       stream || '_truncate', source, stream));
    END IF;
    INSERT INTO reverse_etl.streams (name, source, destination, mapping, on_delete, on_truncate, owner, search_path,
                                     columns, reads, needs)
    VALUES (stream, stream_table_as.source, stream_table_as.destination, about.mapping_used, stream_table_as.on_delete,
            stream_table_as.on_truncate, caller, stream_table_as.search_path, about.columns, about.reads, about.needs);
    RETURN stream;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('stream "%s" already exists', stream),
        HINT = 'Call reverse_etl.unstream_table first, or give this stream another name.';
END
$$;
COMMENT ON FUNCTION reverse_etl.stream_table(regclass, regclass, text, text, text, text, text) IS 'sends what changes in a table to a destination from now on, in the transaction that changes it; returns the stream''s name';

CREATE FUNCTION reverse_etl_internal.may_remove(caller oid, owner oid, source oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN pg_has_role(caller, owner, 'USAGE')
       OR pg_has_role(caller, (SELECT relowner FROM pg_class WHERE pg_class.oid = source), 'USAGE');
COMMENT ON FUNCTION reverse_etl_internal.may_remove(oid, oid, oid) IS 'whether a stream, or the table that it streams, belongs to a role';

CREATE FUNCTION reverse_etl.unstream_table(name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.unstream_table_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.streams AS s WHERE s.name = unstream_table_as.name AND reverse_etl_internal.may_remove(caller, s.owner, s.source);
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('stream "%s" does not exist', unstream_table_as.name),
            HINT = 'reverse_etl.streams lists them.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_table(text) IS 'removes a stream: what changes from now on is not sent';
COMMENT ON FUNCTION reverse_etl_internal.unstream_table_as(oid, text) IS 'unstream_table() for the role that calls it';

CREATE FUNCTION reverse_etl.unstream_table(source regclass, destination regclass) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.unstream_table_as(caller oid, source regclass, destination regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.streams AS s
     WHERE s.source = unstream_table_as.source AND s.destination = unstream_table_as.destination
       AND reverse_etl_internal.may_remove(caller, s.owner, s.source);
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('no stream leads from "%s" to "%s"', source, destination),
            HINT = 'reverse_etl.streams lists them.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_table(regclass, regclass) IS 'removes all streams from a table to a destination';
COMMENT ON FUNCTION reverse_etl_internal.unstream_table_as(oid, regclass, regclass) IS 'unstream_table() for the role that calls it';

COMMENT ON FUNCTION reverse_etl_internal.stream_table_as(oid, regclass, regclass, text, text, text, text, text) IS 'stream_table() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.read_mapping(oid, regclass, regclass, text, boolean, text),
    reverse_etl_internal.check_stream_rights(oid, regclass, text[], text[]), reverse_etl_internal.may_remove(oid, oid, oid),
    reverse_etl_internal.stream_table_as(oid, regclass, regclass, text, text, text, text, text),
    reverse_etl_internal.unstream_table_as(oid, text), reverse_etl_internal.unstream_table_as(oid, regclass, regclass) FROM PUBLIC;
