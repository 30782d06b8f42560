-- The guards come last: they look at everything that is made after them. They see all streams and syncs, whoever drops or
-- alters something, and need no right of theirs: so they run as the extension's owner. They ask first, by SQL alone, whether
-- anything here is concerned; and where the library cannot be loaded, they let the command pass.

CREATE FUNCTION reverse_etl_internal.parse_running_command(OUT cascades boolean, OUT matters boolean, OUT disowned oid[],
    OUT relations text[], OUT schemas oid[], OUT others text[])
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_parse_running_command';
COMMENT ON FUNCTION reverse_etl_internal.parse_running_command() IS 'whether the command that fired an event trigger cascades, whether it may change what queries yield, whose objects it drops, and what it names';

CREATE FUNCTION reverse_etl_internal.running_command(OUT cascades boolean, OUT matters boolean, OUT disowned oid[],
    OUT relations text[], OUT schemas oid[], OUT others text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT * INTO cascades, matters, disowned, relations, schemas, others FROM reverse_etl_internal.parse_running_command();
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'streams and syncs are not guarded: %', SQLERRM
        USING HINT = 'Check the installation of reverse_etl, or drop the extension.';
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.running_command() IS 'parse_running_command(); only nulls, and a warning, where the library cannot be loaded';

CREATE FUNCTION reverse_etl_internal.guard_before() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    command record;
BEGIN
    IF NOT EXISTS (SELECT FROM reverse_etl.streams) AND NOT EXISTS (SELECT FROM reverse_etl_internal.sync_definitions) THEN
        RETURN;
    END IF;
    BEGIN
        SELECT * INTO command FROM reverse_etl_internal.parse_running_command();
    EXCEPTION WHEN OTHERS THEN
        RETURN; -- what is concerned is warned of when the command is done
    END;
    PERFORM reverse_etl_internal.streams_before(command.relations, command.schemas, command.others),
            reverse_etl_internal.syncs_before(command.relations, command.schemas, command.others)
      WHERE NOT command.cascades;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.guard_before() IS 'function of the event trigger that finds what is broken before a command';

CREATE FUNCTION reverse_etl_internal.guard_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cascades boolean;
BEGIN
    PERFORM reverse_etl_internal.forget_destination(array_agg(objid)) FROM pg_event_trigger_dropped_objects()
      WHERE object_type = 'foreign table' HAVING count(*) > 0;
    DELETE FROM reverse_etl_internal.sync_streams
     WHERE source IN (SELECT objid FROM pg_event_trigger_dropped_objects() WHERE classid = 'pg_class'::regclass AND objsubid = 0);
    DELETE FROM reverse_etl.pauses
     WHERE server IN (SELECT objid FROM pg_event_trigger_dropped_objects() WHERE classid = 'pg_foreign_server'::regclass);
    IF EXISTS (SELECT FROM reverse_etl_internal.streams_that_lost()) OR EXISTS (SELECT FROM reverse_etl_internal.syncs_that_lost()) THEN
        cascades := (SELECT c.cascades FROM reverse_etl_internal.running_command() AS c)
                    OR EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE normal);
        PERFORM reverse_etl_internal.streams_after_drop(cascades), reverse_etl_internal.syncs_after_drop(cascades) WHERE cascades IS NOT NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.guard_drop() IS 'function of the event trigger that guards what streams and syncs need';

CREATE FUNCTION reverse_etl_internal.guard_alter() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    command record;
BEGIN
    PERFORM reverse_etl_internal.triggers_after_alter() WHERE TG_TAG = 'ALTER TRIGGER';
    PERFORM reverse_etl_internal.columns_after_rename() WHERE EXISTS (SELECT FROM reverse_etl_internal.altered_destinations());
    IF TG_TAG = 'ALTER SERVER' THEN
        UPDATE reverse_etl.pauses AS p SET server_name = s.srvname FROM pg_foreign_server AS s
         WHERE s.oid = p.server AND s.srvname <> p.server_name;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM reverse_etl_internal.altered_streams()) OR EXISTS (SELECT FROM reverse_etl_internal.altered_syncs()) THEN
        command := reverse_etl_internal.running_command();
        PERFORM reverse_etl_internal.streams_after_alter(), reverse_etl_internal.syncs_after_alter() WHERE command.matters;
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.guard_alter() IS 'function of the event trigger that guards what streams and syncs need as it is';

CREATE FUNCTION reverse_etl_internal.drop_owned() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    command record;
BEGIN
    IF EXISTS (SELECT FROM reverse_etl.streams) OR EXISTS (SELECT FROM reverse_etl_internal.sync_definitions) THEN
        command := reverse_etl_internal.running_command();
        DELETE FROM reverse_etl.streams WHERE owner = ANY (command.disowned);
        DELETE FROM reverse_etl_internal.sync_definitions WHERE owner = ANY (command.disowned);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.drop_owned() IS 'function of the event trigger that has DROP OWNED drop streams and syncs as well';

REVOKE ALL ON FUNCTION reverse_etl_internal.parse_running_command(), reverse_etl_internal.running_command(), reverse_etl_internal.guard_before(),
    reverse_etl_internal.guard_drop(),
    reverse_etl_internal.guard_alter(), reverse_etl_internal.drop_owned() FROM PUBLIC;

CREATE EVENT TRIGGER reverse_etl_guard_before ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA', 'CREATE VIEW',
                 'DROP TABLE', 'DROP FOREIGN TABLE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP SCHEMA', 'DROP FUNCTION',
                 'DROP ROUTINE', 'DROP AGGREGATE', 'DROP OPERATOR', 'DROP TYPE', 'DROP DOMAIN', 'DROP COLLATION')
    EXECUTE FUNCTION reverse_etl_internal.guard_before();
COMMENT ON EVENT TRIGGER reverse_etl_guard_before IS 'what is broken already is no ground to refuse a command';
CREATE EVENT TRIGGER reverse_etl_guard_drop ON sql_drop EXECUTE FUNCTION reverse_etl_internal.guard_drop();
COMMENT ON EVENT TRIGGER reverse_etl_guard_drop IS 'streams go with their tables; what streams and syncs need is not dropped under them';
CREATE EVENT TRIGGER reverse_etl_guard_alter ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA',
                 'ALTER TRIGGER', 'ALTER SERVER', 'CREATE VIEW')
    EXECUTE FUNCTION reverse_etl_internal.guard_alter();
COMMENT ON EVENT TRIGGER reverse_etl_guard_alter IS 'columns that streams and syncs need are not renamed or retyped under them';
CREATE EVENT TRIGGER reverse_etl_drop_owned ON ddl_command_end WHEN TAG IN ('DROP OWNED')
    EXECUTE FUNCTION reverse_etl_internal.drop_owned();
COMMENT ON EVENT TRIGGER reverse_etl_drop_owned IS 'streams and syncs belong to roles like tables';
