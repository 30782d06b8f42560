-- Destinations: what keeps queued rows from being delivered

CREATE TABLE reverse_etl.destination_states (
    destination regclass NOT NULL,
    role regrole NOT NULL,
    state text NOT NULL CHECK (state IN ('failing', 'paused')),
    reason text NOT NULL,
    failures bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    retry_at timestamptz NOT NULL,
    PRIMARY KEY (destination, role)
);
COMMENT ON TABLE reverse_etl.destination_states IS 'faults of destinations, as the background worker found them; see reverse_etl.destinations';
COMMENT ON COLUMN reverse_etl.destination_states.role IS 'the role with whose credentials rows were to be delivered';
COMMENT ON COLUMN reverse_etl.destination_states.state IS 'failing: tried again within minutes; paused: somebody has to mend it, tried again within the hour';
COMMENT ON COLUMN reverse_etl.destination_states.failures IS 'failures without a success between them';
COMMENT ON COLUMN reverse_etl.destination_states.retry_at IS 'when it is tried again by itself';

CREATE TABLE reverse_etl.pauses (
    server oid,
    server_name name,
    cluster bigint NOT NULL DEFAULT (pg_control_system()).system_identifier,
    destination regclass,
    paused_by name NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nonnulls(server, destination) = 1),
    UNIQUE (server, cluster),
    UNIQUE (destination)
);
ALTER TABLE reverse_etl.pauses REPLICA IDENTITY FULL;
COMMENT ON TABLE reverse_etl.pauses IS 'servers that reverse_etl.pause_server() stopped, and destinations that reverse_etl.pause() did';
COMMENT ON COLUMN reverse_etl.pauses.server IS 'all destinations of this server';
COMMENT ON COLUMN reverse_etl.pauses.server_name IS 'its name, by which it is found after pg_upgrade, which gives servers other oids';
COMMENT ON COLUMN reverse_etl.pauses.cluster IS 'where the server has that oid: the system identifier, which pg_upgrade changes';
COMMENT ON COLUMN reverse_etl.pauses.destination IS 'this destination alone';

-- One that was dropped is not another that was made under its name.
CREATE FUNCTION reverse_etl_internal.paused_server(server oid, server_name name, cluster bigint) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT oid FROM pg_foreign_server
         WHERE CASE WHEN cluster = (pg_control_system()).system_identifier THEN oid = server ELSE srvname = server_name END);
COMMENT ON FUNCTION reverse_etl_internal.paused_server(oid, name, bigint) IS 'the server of a pause: by its oid, and after pg_upgrade by its name';

CREATE FUNCTION reverse_etl_internal.wake_worker() RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_wake_worker';
COMMENT ON FUNCTION reverse_etl_internal.wake_worker() IS 'has the background worker look at the outbox once the transaction has committed, and starts it if it does not run';

ALTER TABLE reverse_etl.pauses ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON reverse_etl.pauses FOR SELECT USING (true);
COMMENT ON POLICY seen ON reverse_etl.pauses IS 'everybody sees what is paused';
GRANT SELECT ON reverse_etl.pauses TO PUBLIC;

ALTER TABLE reverse_etl.destination_states ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON reverse_etl.destination_states FOR SELECT
    USING (has_table_privilege(destination, 'SELECT, INSERT, UPDATE, DELETE')
           OR has_any_column_privilege(destination, 'SELECT, INSERT, UPDATE')
           OR pg_has_role((SELECT s.srvowner FROM pg_foreign_table AS t JOIN pg_foreign_server AS s ON s.oid = t.ftserver
                            WHERE t.ftrelid = destination), 'USAGE')
           OR pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON POLICY seen ON reverse_etl.destination_states IS 'who may use a destination, owns its server or monitors the server sees why it gets nothing';
GRANT SELECT ON reverse_etl.destination_states TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.own_server(caller oid, name text) RETURNS oid
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    server record;
BEGIN
    SELECT s.oid, s.srvowner INTO server
      FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
     WHERE s.srvname = own_server.name AND w.fdwname = 'reverse_etl';
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('server "%s" does not exist, or is not one of reverse_etl', own_server.name),
            HINT = 'reverse_etl.destinations lists servers. For one foreign table there are pause() and resume().';
    END IF;
    IF NOT pg_has_role(caller, server.srvowner, 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('must be owner of server "%s"', own_server.name);
    END IF;
    RETURN server.oid;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.own_server(oid, text) IS 'the server of a name, for its owner';

CREATE FUNCTION reverse_etl_internal.check_own_destination(caller oid, destination regclass) RETURNS void
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_foreign_table AS t JOIN pg_foreign_server AS s ON s.oid = t.ftserver
                     JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
                    WHERE t.ftrelid = destination AND w.fdwname = 'reverse_etl') THEN
        RAISE wrong_object_type USING
            MESSAGE = format('%s is not a destination', destination),
            HINT = 'A destination is a foreign table of the foreign data wrapper "reverse_etl".';
    END IF;
    IF NOT pg_has_role(caller, (SELECT relowner FROM pg_class WHERE oid = destination), 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('must be owner of foreign table %s', destination);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.check_own_destination(oid, regclass) IS 'raises an error unless a table is a destination of a role';

CREATE FUNCTION reverse_etl.pause_server(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.pause_server_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reverse_etl.pauses (server, server_name, paused_by)
    SELECT oid, srvname, pg_get_userbyid(caller) FROM pg_foreign_server
     WHERE oid = reverse_etl_internal.own_server(caller, pause_server_as.name)
    ON CONFLICT DO NOTHING;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.pause_server(text) IS 'stops the delivery of queued rows to all destinations of a server; rows go on being queued';

CREATE FUNCTION reverse_etl.resume_server(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.resume_server_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_server oid := reverse_etl_internal.own_server(caller, resume_server_as.name);
BEGIN
    DELETE FROM reverse_etl.pauses AS p
     WHERE reverse_etl_internal.paused_server(p.server, p.server_name, p.cluster) = found_server;
    UPDATE reverse_etl.destination_states AS s SET retry_at = clock_timestamp()
      FROM pg_foreign_table AS t WHERE t.ftrelid = s.destination AND t.ftserver = found_server;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.resume_server(text) IS 'goes on with the delivery of queued rows to the destinations of a server, also where a fault had stopped it';

CREATE FUNCTION reverse_etl.pause(destination regclass) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.pause_as(caller oid, destination regclass) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM reverse_etl_internal.check_own_destination(caller, destination);
    INSERT INTO reverse_etl.pauses (destination, paused_by) VALUES (pause_as.destination, pg_get_userbyid(caller))
    ON CONFLICT DO NOTHING;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.pause(regclass) IS 'stops the delivery of queued rows to one destination; rows go on being queued';

CREATE FUNCTION reverse_etl.resume(destination regclass) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.resume_as(caller oid, destination regclass) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM reverse_etl_internal.check_own_destination(caller, destination);
    DELETE FROM reverse_etl.pauses AS p WHERE p.destination = resume_as.destination;
    UPDATE reverse_etl.destination_states AS s SET retry_at = clock_timestamp() WHERE s.destination = resume_as.destination;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.resume(regclass) IS 'goes on with the delivery of queued rows to one destination, also where a fault had stopped it';
COMMENT ON FUNCTION reverse_etl_internal.pause_server_as(oid, text) IS 'pause_server() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.resume_server_as(oid, text) IS 'resume_server() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.pause_as(oid, regclass) IS 'pause() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.resume_as(oid, regclass) IS 'resume() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.wake_worker(), reverse_etl_internal.own_server(oid, text),
    reverse_etl_internal.check_own_destination(oid, regclass), reverse_etl_internal.pause_server_as(oid, text),
    reverse_etl_internal.resume_server_as(oid, text), reverse_etl_internal.pause_as(oid, regclass),
    reverse_etl_internal.resume_as(oid, regclass) FROM PUBLIC;


-- The worker's, when a destination was dropped.
