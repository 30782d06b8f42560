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
COMMENT ON TABLE reverse_etl.pauses IS 'servers and destinations that reverse_etl.pause() stopped';
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

CREATE FUNCTION reverse_etl_internal.owner_of(server oid, destination regclass) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN COALESCE((SELECT srvowner FROM pg_foreign_server WHERE oid = server),
                (SELECT relowner FROM pg_class WHERE oid = destination));
COMMENT ON FUNCTION reverse_etl_internal.owner_of(oid, regclass) IS 'who owns the server, or the destination';

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

CREATE FUNCTION reverse_etl_internal.find_destination(caller oid, name text, OUT server oid, OUT destination regclass)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT s.oid INTO server
      FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
     WHERE s.srvname = find_destination.name AND w.fdwname = 'reverse_etl';
    IF server IS NULL THEN
        SELECT t.ftrelid INTO destination
          FROM pg_foreign_table AS t JOIN pg_foreign_server AS s ON s.oid = t.ftserver
               JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
         WHERE t.ftrelid = to_regclass(find_destination.name) AND w.fdwname = 'reverse_etl';
    END IF;
    IF server IS NULL AND destination IS NULL THEN
        RAISE undefined_object USING
            MESSAGE = format('there is no server or destination "%s"', find_destination.name),
            HINT = 'Name a server, or a foreign table with its schema. reverse_etl.destinations lists both.';
    END IF;
    IF NOT pg_has_role(caller, reverse_etl_internal.owner_of(server, destination), 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('must be owner of "%s"', find_destination.name);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.find_destination(oid, text) IS 'the server or else the foreign table of a name, for its owner';

CREATE FUNCTION reverse_etl.pause(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.pause_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reverse_etl.pauses (server, server_name, destination, paused_by)
    SELECT found.server, (SELECT srvname FROM pg_foreign_server WHERE oid = found.server), found.destination, pg_get_userbyid(caller)
      FROM reverse_etl_internal.find_destination(caller, name) AS found
    ON CONFLICT DO NOTHING;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.pause(text) IS 'stops the delivery of queued rows to a server''s destinations, or to one; rows go on being queued';

CREATE FUNCTION reverse_etl.resume(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.resume_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.pauses AS p
     USING reverse_etl_internal.find_destination(caller, name) AS found
     WHERE reverse_etl_internal.paused_server(p.server, p.server_name, p.cluster) = found.server OR p.destination = found.destination;
    UPDATE reverse_etl.destination_states AS s SET retry_at = clock_timestamp()
      FROM pg_foreign_table AS t, reverse_etl_internal.find_destination(caller, name) AS found
     WHERE t.ftrelid = s.destination AND (t.ftserver = found.server OR t.ftrelid = found.destination);
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.resume(text) IS 'goes on with the delivery of queued rows, also where a fault had stopped it';
COMMENT ON FUNCTION reverse_etl_internal.pause_as(oid, text) IS 'pause() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.resume_as(oid, text) IS 'resume() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.wake_worker(), reverse_etl_internal.owner_of(oid, regclass), reverse_etl_internal.find_destination(oid, text),
    reverse_etl_internal.pause_as(oid, text), reverse_etl_internal.resume_as(oid, text) FROM PUBLIC;


-- The worker's, when a destination was dropped.
CREATE FUNCTION reverse_etl_internal.forget_dropped_destinations() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM reverse_etl.pauses AS p
     WHERE reverse_etl_internal.paused_server(p.server, p.server_name, p.cluster) IS NULL
       AND NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = p.destination);
    DELETE FROM reverse_etl.destination_states AS d
     WHERE NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = d.destination);
    DELETE FROM reverse_etl_internal.outbox_requests AS r
     WHERE NOT EXISTS (SELECT FROM pg_foreign_table AS t WHERE t.ftrelid = r.destination);
$$;
COMMENT ON FUNCTION reverse_etl_internal.forget_dropped_destinations() IS 'removes pauses and states of servers and destinations that were dropped';
REVOKE ALL ON FUNCTION reverse_etl_internal.forget_dropped_destinations() FROM PUBLIC;
