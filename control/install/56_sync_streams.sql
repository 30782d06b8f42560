-- Streams that feed a sync: rows whose keys a statement touched go at once, and the runs find them sent.

CREATE FUNCTION reverse_etl_internal.push_sync() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push_sync';
COMMENT ON FUNCTION reverse_etl_internal.push_sync() IS 'trigger function of the triggers that stream_sync makes';

CREATE TABLE reverse_etl_internal.sync_streams (
    sync_id integer NOT NULL,
    source regclass NOT NULL,
    keys text NOT NULL,
    UNIQUE (sync_id, source)
);
COMMENT ON TABLE reverse_etl_internal.sync_streams IS 'tables whose changes go through a sync at once, as stream_sync made them';
COMMENT ON COLUMN reverse_etl_internal.sync_streams.keys IS 'a SELECT over the changed rows, which have the name "changed": the keys of the sync''s rows that they may have touched';
ALTER TABLE reverse_etl_internal.sync_streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_syncs ON reverse_etl_internal.sync_streams
    USING (EXISTS (SELECT FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_syncs ON reverse_etl_internal.sync_streams IS 'a user sees those of their syncs';
GRANT SELECT ON reverse_etl_internal.sync_streams TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.change_feeds(sync integer) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_change_feeds';
COMMENT ON FUNCTION reverse_etl_internal.change_feeds(integer) IS 'waits until no run of a sync looks for what differs, and keeps others waiting until the transaction ends';
REVOKE ALL ON FUNCTION reverse_etl_internal.change_feeds(integer) FROM PUBLIC;

CREATE FUNCTION reverse_etl.stream_sync(name text, source regclass, keys text DEFAULT NULL) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.stream_sync_as(caller oid, name text, source regclass, keys text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, stream_sync_as.name);
    missing text;
BEGIN
    IF definition.change_detection = 'cursor' THEN
        RAISE feature_not_supported USING
            MESSAGE = format('sync "%s" has a cursor, and keeps no state that a stream could feed', definition.name);
    END IF;
    IF definition.change_detection = 'source' THEN
        RAISE feature_not_supported USING
            MESSAGE = format('sync "%s" finds its changes at the source of its query, and no stream can feed it', definition.name),
            HINT = 'With change_detection => ''difference'' one can.';
    END IF;
    IF keys IS NULL THEN
        SELECT string_agg(quote_ident(k), ', ') INTO missing FROM unnest(definition.key) AS k
         WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = source AND attname = k AND attnum > 0);
        IF missing IS NOT NULL THEN
            RAISE undefined_column USING
                MESSAGE = format('table "%s" has no column %s, by which sync "%s" knows its rows', source, missing, definition.name),
                HINT = 'Say which keys a changed row may touch: keys => ''SELECT ... FROM changed''.';
        END IF;
        keys := format('SELECT %s FROM changed', (SELECT string_agg(quote_ident(k), ', ') FROM unnest(definition.key) AS k));
    END IF;
    -- A run that has read the model has its rows on record before the first trigger looks for them.
    PERFORM reverse_etl_internal.change_feeds(definition.id);
    INSERT INTO reverse_etl_internal.sync_streams VALUES (definition.id, source, keys);
    PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_sync(%L)',
                   format('reverse_etl_sync_%s_insert', definition.id), source, definition.id));
    PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed OLD TABLE AS changed_before
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_sync(%L)',
                   format('reverse_etl_sync_%s_update', definition.id), source, definition.id));
    PERFORM reverse_etl_internal.execute_as(caller, format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_sync(%L)',
                   format('reverse_etl_sync_%s_delete', definition.id), source, definition.id));
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('sync "%s" is already fed by "%s"', definition.name, source),
        HINT = 'Call reverse_etl.unstream_sync first.';
END
$$;
COMMENT ON FUNCTION reverse_etl.stream_sync(text, regclass, text) IS 'sends the rows of a sync whose keys a statement touches at once, in its transaction; runs go on to find the rest';

CREATE FUNCTION reverse_etl.unstream_sync(name text, source regclass) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.unstream_sync_as(caller oid, name text, source regclass) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, unstream_sync_as.name);
BEGIN
    -- A run that has read the model has yet to look for what the stream sent meanwhile.
    PERFORM reverse_etl_internal.change_feeds(definition.id);
    DELETE FROM reverse_etl_internal.sync_streams AS s WHERE s.sync_id = definition.id AND s.source = unstream_sync_as.source;
    IF NOT FOUND THEN
        RAISE undefined_object USING MESSAGE = format('sync "%s" is not fed by "%s"', definition.name, source);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_sync(text, regclass) IS 'has the changes of a table wait for the next run of the sync again';

CREATE FUNCTION reverse_etl_internal.drop_sync_triggers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM reverse_etl_internal.drop_own_triggers(old.source, 'reverse_etl_internal.push_sync', format('reverse_etl_sync_%s', old.sync_id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.drop_sync_triggers() IS 'drops the triggers by which a table feeds a sync';
REVOKE ALL ON FUNCTION reverse_etl_internal.drop_sync_triggers() FROM PUBLIC;
CREATE TRIGGER drop_triggers AFTER DELETE ON reverse_etl_internal.sync_streams
    FOR EACH ROW EXECUTE FUNCTION reverse_etl_internal.drop_sync_triggers();
-- Whatever the session replays.
ALTER TABLE reverse_etl_internal.sync_streams ENABLE ALWAYS TRIGGER drop_triggers;
COMMENT ON TRIGGER drop_triggers ON reverse_etl_internal.sync_streams IS 'what feeds a sync and its triggers go together';
COMMENT ON FUNCTION reverse_etl_internal.stream_sync_as(oid, text, regclass, text) IS 'stream_sync() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.unstream_sync_as(oid, text, regclass) IS 'unstream_sync() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.stream_sync_as(oid, text, regclass, text), reverse_etl_internal.unstream_sync_as(oid, text, regclass) FROM PUBLIC;
