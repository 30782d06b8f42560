-- What streams need is not dropped or changed under them.

CREATE FUNCTION reverse_etl.check_stream(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_check_stream';
COMMENT ON FUNCTION reverse_etl.check_stream(text) IS 'raises the error that the next change of a stream''s source would raise';

-- These two see all streams, whoever drops or alters something: so they run as the extension's owner.
CREATE FUNCTION reverse_etl.streams_after_drop(cascade boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stream record;
    reason text;
BEGIN
    FOR stream IN
        SELECT streams.name, lost.*
          FROM reverse_etl.streams
          CROSS JOIN LATERAL (
              SELECT object_type, object_identity, object_type = 'trigger' AS is_trigger,
                     CASE WHEN classid = 'pg_class'::regclass AND objsubid = 0
                          THEN CASE objid WHEN source THEN 'source' WHEN destination THEN 'destination' END
                     END AS role
                FROM pg_event_trigger_dropped_objects()
               WHERE NOT is_temporary
                 AND CASE object_type
                         WHEN 'trigger' THEN
                             address_names[3] IN (name || '_insert', name || '_update', name || '_delete', name || '_truncate')
                             AND (SELECT format('%s.%s', relnamespace::regnamespace, quote_ident(relname))
                                    FROM pg_class WHERE oid = source)
                                 = format('%I.%I', address_names[1], address_names[2])
                         WHEN 'default value' THEN false
                         ELSE classid = 'pg_class'::regclass AND (objid IN (source, destination) OR objid = ANY (reads))
                              OR classid <> 'pg_class'::regclass AND address_names <> '{}'
                                 AND strpos(mapping, address_names[cardinality(address_names)]) > 0
                     END
               ORDER BY role, is_trigger DESC LIMIT 1) AS lost
         ORDER BY streams.name
    LOOP
        reason := format('It is the stream''s %s.', stream.role);
        IF NOT stream.is_trigger AND stream.role IS NULL THEN
            BEGIN
                PERFORM reverse_etl.check_stream(stream.name);
                CONTINUE;
            EXCEPTION WHEN OTHERS THEN
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
COMMENT ON FUNCTION reverse_etl.streams_after_drop(boolean) IS 'refuses to drop what a stream needs, or removes the stream with it';

CREATE FUNCTION reverse_etl.streams_after_alter() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stream record;
    misnamed record;
BEGIN
    FOR stream IN
        SELECT streams.name, command.object_type, command.object_identity
          FROM reverse_etl.streams
          CROSS JOIN LATERAL (
              SELECT object_type, object_identity FROM pg_event_trigger_ddl_commands()
               WHERE classid = 'pg_class'::regclass AND (objid IN (source, destination) OR objid = ANY (reads))
                  OR classid = 'pg_namespace'::regclass
               LIMIT 1) AS command
         ORDER BY streams.name
    LOOP
        BEGIN
            PERFORM reverse_etl.check_stream(stream.name);
        EXCEPTION WHEN OTHERS THEN
            RAISE dependent_objects_still_exist USING
                MESSAGE = format('cannot alter %s %s because stream "%s" needs it as it was',
                                 stream.object_type, stream.object_identity, stream.name),
                DETAIL = format('After that the stream would fail: %s.', SQLERRM),
                HINT = format('Call reverse_etl.unstream_table(%L) first, and stream_table again afterwards.',
                              stream.name);
        END;
    END LOOP;
    SELECT trim(trailing E'\\000' FROM encode(tgargs, 'escape')) AS stream, tgname INTO misnamed
      FROM pg_event_trigger_ddl_commands() AS command JOIN pg_trigger ON pg_trigger.oid = command.objid
     WHERE command.classid = 'pg_trigger'::regclass AND command.command_tag = 'ALTER TRIGGER'
       AND tgfoid = 'reverse_etl.push_stream'::regproc;
    IF FOUND THEN
        RAISE dependent_objects_still_exist USING
            MESSAGE = format('cannot rename a trigger of stream "%s"', misnamed.stream),
            HINT = 'The names of its triggers tell which they are.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.streams_after_alter() IS 'refuses to alter what a stream needs as it is';

CREATE FUNCTION reverse_etl.guard_definitions() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_guard_definitions';
COMMENT ON FUNCTION reverse_etl.guard_definitions() IS 'function of the event triggers that guard what streams and syncs need';

REVOKE ALL ON FUNCTION reverse_etl.check_stream(text), reverse_etl.guard_definitions() FROM PUBLIC;

