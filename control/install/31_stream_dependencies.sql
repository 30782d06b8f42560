-- What streams need is not dropped or changed under them.

CREATE FUNCTION reverse_etl_internal.check_stream(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_check_stream';
COMMENT ON FUNCTION reverse_etl_internal.check_stream(text) IS 'raises the error that the next change of a stream''s source would raise';

CREATE FUNCTION reverse_etl_internal.streams_before(relations text[], schemas oid[], others text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stream record;
    began timestamptz := clock_timestamp();
BEGIN
    FOR stream IN
        SELECT s.name, s.broken FROM reverse_etl.streams AS s
         WHERE s.needs && others
            OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = ANY (s.reads || s.source || s.destination) AND c.relname = ANY (relations))
            OR EXISTS (SELECT FROM unnest(schemas) AS schema
                        WHERE reverse_etl_internal.uses_schema(schema, s.reads || s.source || s.destination, s.needs))
         ORDER BY s.name
    LOOP
        -- Tables of one name are many, and so may be what reads them.
        EXIT WHEN clock_timestamp() > began + interval '1 s';
        UPDATE reverse_etl.streams AS s SET broken = fault FROM reverse_etl_internal.fault_of(stream => stream.name) AS fault
         WHERE s.name = stream.name AND fault IS DISTINCT FROM s.broken;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.streams_before(text[], oid[], text[]) IS 'notes which streams are broken already, of those that a command may matter to';

CREATE FUNCTION reverse_etl_internal.streams_that_lost(OUT name text, OUT object_type text, OUT object_identity text,
    OUT is_trigger boolean, OUT role text, OUT was_broken boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT streams.name, lost.*, streams.broken IS NOT NULL
      FROM reverse_etl.streams
      CROSS JOIN LATERAL (
          SELECT o.object_type, o.object_identity, o.object_type = 'trigger' AS is_trigger,
                 CASE WHEN classid = 'pg_class'::regclass AND objsubid = 0
                      THEN CASE objid WHEN source THEN 'source' WHEN destination THEN 'destination' END
                 END AS role
            FROM pg_event_trigger_dropped_objects() AS o
           WHERE NOT is_temporary
             AND CASE o.object_type
                     WHEN 'trigger' THEN
                         address_names[3] IN (streams.name || '_insert', streams.name || '_update',
                                              streams.name || '_delete', streams.name || '_truncate')
                         AND (SELECT format('%s.%s', relnamespace::regnamespace, quote_ident(relname))
                                FROM pg_class WHERE oid = source)
                             = format('%I.%I', address_names[1], address_names[2])
                     WHEN 'default value' THEN false
                     ELSE classid = 'pg_class'::regclass AND (objid IN (source, destination) OR objid = ANY (reads))
                          OR classid <> 'pg_class'::regclass AND address_names <> '{}'
                             AND COALESCE(object_name, address_names[cardinality(address_names)]) = ANY (needs)
                 END
           ORDER BY role, is_trigger DESC LIMIT 1) AS lost
     ORDER BY streams.name;
END;
COMMENT ON FUNCTION reverse_etl_internal.streams_that_lost() IS 'the streams that may need what the running command has dropped';

CREATE FUNCTION reverse_etl_internal.streams_after_drop(cascade boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stream record;
    reason text;
BEGIN
    FOR stream IN SELECT * FROM reverse_etl_internal.streams_that_lost() LOOP
        reason := format('It is the stream''s %s.', stream.role);
        IF NOT stream.is_trigger AND stream.role IS NULL THEN
            BEGIN
                PERFORM reverse_etl_internal.check_stream(stream.name);
                CONTINUE;
            EXCEPTION WHEN OTHERS THEN
                CONTINUE WHEN stream.was_broken;
                reason := format('Without it the stream would fail: %s.', SQLERRM);
            END;
        END IF;
        IF NOT cascade AND NOT stream.is_trigger THEN
            RAISE dependent_objects_still_exist USING
                MESSAGE = format('cannot drop %s %s because stream "%s" needs it',
                                 stream.object_type, stream.object_identity, stream.name),
                DETAIL = reason,
                HINT = format('Call reverse_etl.unstream_table(%L) first, or use DROP ... CASCADE to remove the stream too.',
                              stream.name);
        END IF;
        RAISE NOTICE 'stream "%" is removed too', stream.name;
        DELETE FROM reverse_etl.streams WHERE streams.name = stream.name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.streams_after_drop(boolean) IS 'refuses to drop what a stream needs, or removes the stream with it';

CREATE FUNCTION reverse_etl_internal.altered_streams(OUT name text, OUT object_type text, OUT object_identity text, OUT was_broken boolean)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT streams.name, command.object_type, command.object_identity, streams.broken IS NOT NULL
      FROM reverse_etl.streams
      CROSS JOIN LATERAL (
          SELECT c.object_type, c.object_identity FROM pg_event_trigger_ddl_commands() AS c
           WHERE classid = 'pg_class'::regclass AND (objid IN (source, destination) OR objid = ANY (reads))
              OR classid = 'pg_namespace'::regclass
                 AND reverse_etl_internal.uses_schema(objid, reads || source || destination, needs)
           LIMIT 1) AS command
     ORDER BY streams.name;
END;
COMMENT ON FUNCTION reverse_etl_internal.altered_streams() IS 'the streams that may need what the running command has altered';

CREATE FUNCTION reverse_etl_internal.streams_after_alter() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stream record;
BEGIN
    FOR stream IN SELECT * FROM reverse_etl_internal.altered_streams() LOOP
        BEGIN
            PERFORM reverse_etl_internal.check_stream(stream.name);
        EXCEPTION WHEN OTHERS THEN
            CONTINUE WHEN stream.was_broken;
            RAISE dependent_objects_still_exist USING
                MESSAGE = format('cannot alter %s %s because stream "%s" needs it as it was',
                                 stream.object_type, stream.object_identity, stream.name),
                DETAIL = format('After that the stream would fail: %s.', SQLERRM),
                HINT = format('Call reverse_etl.unstream_table(%L) first, and stream_table again afterwards.',
                              stream.name);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.streams_after_alter() IS 'refuses to alter what a stream needs as it is';

CREATE FUNCTION reverse_etl_internal.triggers_after_alter() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    misnamed record;
BEGIN
    SELECT trim(trailing E'\\000' FROM encode(tgargs, 'escape')) AS stream, tgname INTO misnamed
      FROM pg_event_trigger_ddl_commands() AS command JOIN pg_trigger ON pg_trigger.oid = command.objid
     WHERE command.classid = 'pg_trigger'::regclass AND command.command_tag = 'ALTER TRIGGER'
       AND tgfoid = 'reverse_etl_internal.push_stream'::regproc;
    IF FOUND THEN
        RAISE dependent_objects_still_exist USING
            MESSAGE = format('cannot rename a trigger of stream "%s"', misnamed.stream),
            HINT = 'The names of its triggers tell which they are.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.triggers_after_alter() IS 'refuses other names for the triggers of streams';

REVOKE ALL ON FUNCTION reverse_etl_internal.check_stream(text), reverse_etl_internal.streams_before(text[], oid[], text[]),
    reverse_etl_internal.streams_that_lost(), reverse_etl_internal.streams_after_drop(boolean),
    reverse_etl_internal.altered_streams(), reverse_etl_internal.streams_after_alter(), reverse_etl_internal.triggers_after_alter() FROM PUBLIC;
