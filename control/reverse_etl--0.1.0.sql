\echo Use "CREATE EXTENSION reverse_etl" to load this file. \quit

-- Made here and not by the control file: so it is dropped with the extension, and never somebody else's.
CREATE SCHEMA reverse_etl;
COMMENT ON SCHEMA reverse_etl IS 'reverse_etl: connectors, rejected rows and what else is kept about deliveries';
GRANT USAGE ON SCHEMA reverse_etl TO PUBLIC;

-- The foreign data wrapper

CREATE FUNCTION reverse_etl.fdw_handler() RETURNS fdw_handler
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_fdw_handler';
COMMENT ON FUNCTION reverse_etl.fdw_handler() IS 'handler of the foreign data wrapper';

CREATE FUNCTION reverse_etl.fdw_validator(options text[], catalog oid) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_fdw_validator';
COMMENT ON FUNCTION reverse_etl.fdw_validator(text[], oid) IS 'checks the options of servers, tables, columns and user mappings';

REVOKE ALL ON FUNCTION reverse_etl.fdw_handler(), reverse_etl.fdw_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER reverse_etl
    HANDLER reverse_etl.fdw_handler VALIDATOR reverse_etl.fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER reverse_etl IS 'makes SaaS destinations foreign tables';

-- Options

CREATE FUNCTION reverse_etl.built_in_options(
    OUT name text, OUT place text, OUT type text, OUT default_value text, OUT superuser_only boolean,
    OUT description text) RETURNS SETOF record
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_options';
COMMENT ON FUNCTION reverse_etl.built_in_options() IS 'the options that every connector has; see reverse_etl.options';

CREATE VIEW reverse_etl.options AS
SELECT name, place, type, default_value, superuser_only, description FROM reverse_etl.built_in_options();
COMMENT ON VIEW reverse_etl.options IS 'every option that all connectors share: where it may stand, its type and its default';
GRANT SELECT ON reverse_etl.options TO PUBLIC;

-- Connectors

CREATE TABLE reverse_etl.custom_connectors (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]*$'),
    manifest json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by name NOT NULL DEFAULT session_user
);
COMMENT ON TABLE reverse_etl.custom_connectors IS 'connectors made by reverse_etl.create_connector';
COMMENT ON COLUMN reverse_etl.custom_connectors.manifest IS 'how the connector speaks with its destination';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.custom_connectors', '');
-- Whoever may use a connector must be able to read it. A manifest holds no secrets.
GRANT SELECT ON reverse_etl.custom_connectors TO PUBLIC;

CREATE FUNCTION reverse_etl.built_in_connectors(OUT name text, OUT manifest text) RETURNS SETOF record
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_built_in_connectors';
COMMENT ON FUNCTION reverse_etl.built_in_connectors() IS 'the connectors that came with the extension; see reverse_etl.connectors';

CREATE VIEW reverse_etl.connectors AS
SELECT name, manifest::jsonb ->> 'title' AS title, true AS built_in,
       ARRAY(SELECT jsonb_object_keys(manifest::jsonb -> 'objects') ORDER BY 1) AS objects,
       manifest::json AS manifest
  FROM reverse_etl.built_in_connectors()
UNION ALL
SELECT name, manifest ->> 'title', false,
       ARRAY(SELECT json_object_keys(manifest -> 'objects') ORDER BY 1), manifest
  FROM reverse_etl.custom_connectors;
COMMENT ON VIEW reverse_etl.connectors IS 'every connector that CREATE SERVER ... OPTIONS (connector ...) may name';
GRANT SELECT ON reverse_etl.connectors TO PUBLIC;

CREATE FUNCTION reverse_etl.check_manifest(name text, manifest text) RETURNS void
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_check_manifest';
COMMENT ON FUNCTION reverse_etl.check_manifest(text, text) IS 'raises an error that names the first fault of a connector manifest by its JSON pointer';

-- Both write as the owner, so that EXECUTE is all that a role has to be granted: nobody may write into the table itself.
CREATE FUNCTION reverse_etl.create_connector(name text, manifest json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM reverse_etl.check_manifest(create_connector.name, create_connector.manifest::text);
    INSERT INTO reverse_etl.custom_connectors (name, manifest)
    VALUES (create_connector.name, create_connector.manifest)
    ON CONFLICT ON CONSTRAINT custom_connectors_pkey DO UPDATE SET manifest = excluded.manifest;
END
$$;
COMMENT ON FUNCTION reverse_etl.create_connector(text, json) IS 'makes a connector from a manifest, or replaces the one of that name';

CREATE FUNCTION reverse_etl.drop_connector(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    server text;
BEGIN
    SELECT srvname INTO server
      FROM pg_catalog.pg_foreign_server, pg_catalog.pg_options_to_table(srvoptions) AS option
     WHERE option.option_name = 'connector' AND option.option_value = drop_connector.name
       AND srvfdw = (SELECT oid FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwname = 'reverse_etl')
     ORDER BY srvname LIMIT 1;
    IF server IS NOT NULL THEN
        RAISE dependent_objects_still_exist USING
            MESSAGE = format('cannot drop connector "%s" because server "%s" uses it', drop_connector.name, server),
            HINT = 'Drop the server first.';
    END IF;
    DELETE FROM reverse_etl.custom_connectors WHERE custom_connectors.name = drop_connector.name;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('custom connector "%s" does not exist', drop_connector.name),
            HINT = 'reverse_etl.connectors lists them. Those that came with the extension cannot be dropped.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_connector(text) IS 'drops a connector that create_connector made';

REVOKE ALL ON FUNCTION reverse_etl.create_connector(text, json), reverse_etl.drop_connector(text) FROM PUBLIC;

-- The outbox

CREATE SEQUENCE reverse_etl.outbox_id_seq;
COMMENT ON SEQUENCE reverse_etl.outbox_id_seq IS 'numbers the rows of the outbox, in the order in which they were queued';

CREATE TABLE reverse_etl.outbox (
    id bigint NOT NULL,
    push bigint,
    destination regclass NOT NULL,
    operation text NOT NULL,
    enqueued_by regrole NOT NULL,
    deliver_as regrole NOT NULL,
    enqueued_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamptz,
    batch bigint,
    key_hash bigint,
    key json,
    "row" json NOT NULL,
    reasons text[]
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl.outbox IS 'rows that wait for their delivery; a user sees their own. Each destination has a table of its own that inherits from this one';
COMMENT ON COLUMN reverse_etl.outbox.push IS 'the statement''s row in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.outbox.enqueued_by IS 'the role whose rows they are';
COMMENT ON COLUMN reverse_etl.outbox.deliver_as IS 'the role with whose rights and credentials the row leaves';
COMMENT ON COLUMN reverse_etl.outbox.attempts IS 'how often it was tried to deliver the row';
COMMENT ON COLUMN reverse_etl.outbox.batch IS 'the request that the row is part of, where one that was cut short must not be made up differently';
COMMENT ON COLUMN reverse_etl.outbox.key IS 'the columns that name the row at the destination';
COMMENT ON COLUMN reverse_etl.outbox."row" IS 'the columns that are sent, with their values as they are sent';
COMMENT ON COLUMN reverse_etl.outbox.reasons IS 'why the attempts failed';
CREATE INDEX ON reverse_etl.outbox (destination, id);

ALTER TABLE reverse_etl.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.outbox USING (enqueued_by = quote_ident(current_user)::regrole);
COMMENT ON POLICY own_rows ON reverse_etl.outbox IS 'a user sees the rows that they queued';
GRANT SELECT ON reverse_etl.outbox TO PUBLIC;

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
    destination regclass,
    paused_by name NOT NULL DEFAULT current_user,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nonnulls(server, destination) = 1),
    UNIQUE (server),
    UNIQUE (destination)
);
COMMENT ON TABLE reverse_etl.pauses IS 'servers and destinations that reverse_etl.pause() stopped';
COMMENT ON COLUMN reverse_etl.pauses.server IS 'all destinations of this server';
COMMENT ON COLUMN reverse_etl.pauses.destination IS 'this destination alone';

CREATE FUNCTION reverse_etl.wake_worker() RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_wake_worker';
COMMENT ON FUNCTION reverse_etl.wake_worker() IS 'has the background worker look at the outbox once the transaction has committed, and starts it if it does not run';

CREATE FUNCTION reverse_etl.owner_of(server oid, destination regclass) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN COALESCE((SELECT srvowner FROM pg_foreign_server WHERE oid = server),
                (SELECT relowner FROM pg_class WHERE oid = destination));
COMMENT ON FUNCTION reverse_etl.owner_of(oid, regclass) IS 'who owns the server, or the destination';

-- pause() and resume() write with their caller's rights: who owns something may stop it.
ALTER TABLE reverse_etl.pauses ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON reverse_etl.pauses FOR SELECT USING (true);
COMMENT ON POLICY seen ON reverse_etl.pauses IS 'everybody sees what is paused';
CREATE POLICY by_owner ON reverse_etl.pauses
    USING (pg_has_role(reverse_etl.owner_of(server, destination), 'USAGE'));
COMMENT ON POLICY by_owner ON reverse_etl.pauses IS 'the owner of a server or a destination pauses and resumes it';
GRANT SELECT, INSERT, DELETE ON reverse_etl.pauses TO PUBLIC;

ALTER TABLE reverse_etl.destination_states ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON reverse_etl.destination_states FOR SELECT USING (true);
COMMENT ON POLICY seen ON reverse_etl.destination_states IS 'everybody sees why a destination gets nothing';
CREATE POLICY by_owner ON reverse_etl.destination_states FOR UPDATE
    USING (pg_has_role(reverse_etl.owner_of(NULL, destination), 'USAGE')
           OR pg_has_role(reverse_etl.owner_of((SELECT ftserver FROM pg_foreign_table WHERE ftrelid = destination), NULL),
                          'USAGE'));
COMMENT ON POLICY by_owner ON reverse_etl.destination_states IS 'the owner of a destination or of its server has it tried again';
GRANT SELECT, UPDATE (retry_at) ON reverse_etl.destination_states TO PUBLIC;

CREATE FUNCTION reverse_etl.find_destination(name text, OUT server oid, OUT destination regclass)
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
    IF NOT pg_has_role(reverse_etl.owner_of(server, destination), 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('must be owner of "%s"', find_destination.name);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.find_destination(text) IS 'the server or else the foreign table of a name, for its owner';

CREATE FUNCTION reverse_etl.pause(name text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO reverse_etl.pauses (server, destination)
    SELECT server, destination FROM reverse_etl.find_destination(pause.name)
    ON CONFLICT DO NOTHING;
    PERFORM reverse_etl.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.pause(text) IS 'stops the delivery of queued rows to a server''s destinations, or to one; rows go on being queued';

CREATE FUNCTION reverse_etl.resume(name text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.pauses AS p
     USING reverse_etl.find_destination(resume.name) AS found
     WHERE p.server = found.server OR p.destination = found.destination;
    UPDATE reverse_etl.destination_states AS s SET retry_at = clock_timestamp()
      FROM pg_foreign_table AS t, reverse_etl.find_destination(resume.name) AS found
     WHERE t.ftrelid = s.destination AND (t.ftserver = found.server OR t.ftrelid = found.destination);
    PERFORM reverse_etl.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.resume(text) IS 'goes on with the delivery of queued rows, also where a fault had stopped it';

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
COMMENT ON COLUMN reverse_etl.rejected_rows.push IS 'the statement''s row in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.rejected_rows.destination IS 'the foreign table, schema-qualified';
COMMENT ON COLUMN reverse_etl.rejected_rows.operation IS 'what was asked of the destination: create, update, upsert or delete';
COMMENT ON COLUMN reverse_etl.rejected_rows.row_number IS 'the row''s place in its statement, from 1; of a queued row its number in the outbox';
COMMENT ON COLUMN reverse_etl.rejected_rows.key IS 'the columns that name the row at the destination, where the statement did not send them';
COMMENT ON COLUMN reverse_etl.rejected_rows."row" IS 'the columns that the statement sent, with the values as they were sent';
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
GRANT SELECT, DELETE ON reverse_etl.rejected_rows TO PUBLIC;

-- Monitoring: what the processes of the cluster count in shared memory. The functions show a role what it may see, so
-- that everybody may call them.

CREATE FUNCTION reverse_etl.statistics(
    OUT destination regclass,
    OUT rows_accepted bigint, OUT rows_rejected bigint, OUT rows_read bigint, OUT rows_coalesced bigint,
    OUT rows_waiting bigint, OUT bytes_waiting bigint,
    OUT requests bigint, OUT retries bigint, OUT throttled bigint,
    OUT connections_opened bigint, OUT connections_reused bigint,
    OUT bytes_sent bigint, OUT bytes_received bigint, OUT bytes_received_uncompressed bigint,
    OUT latency_p50_ms double precision, OUT latency_p95_ms double precision, OUT latency_p99_ms double precision,
    OUT last_accepted_at timestamptz, OUT stats_reset timestamptz) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_statistics';
COMMENT ON FUNCTION reverse_etl.statistics() IS 'what reverse_etl.stat_destinations shows';

CREATE VIEW reverse_etl.stat_destinations AS
SELECT counted.destination, server.srvname AS server,
       rows_accepted, rows_rejected, rows_read, rows_coalesced, rows_waiting, bytes_waiting,
       requests, retries, throttled, connections_opened, connections_reused,
       bytes_sent, bytes_received, bytes_received_uncompressed,
       latency_p50_ms, latency_p95_ms, latency_p99_ms, last_accepted_at, stats_reset
  FROM reverse_etl.statistics() AS counted
  JOIN pg_catalog.pg_foreign_table AS destination ON destination.ftrelid = counted.destination
  JOIN pg_catalog.pg_foreign_server AS server ON server.oid = destination.ftserver;
COMMENT ON VIEW reverse_etl.stat_destinations IS 'what was sent to and read from each destination of this database since its statistics were reset; a user sees the tables that they have a privilege on, pg_read_all_stats all';
COMMENT ON COLUMN reverse_etl.stat_destinations.rows_coalesced IS 'queued rows that a later change of the same key made needless';
COMMENT ON COLUMN reverse_etl.stat_destinations.rows_waiting IS 'rows in the outbox now';
COMMENT ON COLUMN reverse_etl.stat_destinations.requests IS 'requests for rows, repeated ones included';
COMMENT ON COLUMN reverse_etl.stat_destinations.throttled IS 'answers that told to wait, such as 429';
COMMENT ON COLUMN reverse_etl.stat_destinations.bytes_sent IS 'of request bodies, which are not compressed';
COMMENT ON COLUMN reverse_etl.stat_destinations.bytes_received IS 'of answers'' bodies, as they travelled';
COMMENT ON COLUMN reverse_etl.stat_destinations.latency_p50_ms IS 'from the start of a request to the end of its answer, to within 6 percent';
GRANT SELECT ON reverse_etl.stat_destinations TO PUBLIC;

CREATE FUNCTION reverse_etl.stat_reset(destination regclass DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_stat_reset';
COMMENT ON FUNCTION reverse_etl.stat_reset(regclass) IS 'starts anew the statistics of one destination, or of all of this database';
REVOKE ALL ON FUNCTION reverse_etl.stat_reset(regclass) FROM PUBLIC;

CREATE FUNCTION reverse_etl.running_pushes(
    OUT pid integer, OUT role oid, OUT destination regclass, OUT operation text, OUT started_at timestamptz,
    OUT rows_seen bigint, OUT rows_accepted bigint, OUT rows_rejected bigint, OUT rows_in_flight bigint,
    OUT rows_per_second double precision) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_running_pushes';
COMMENT ON FUNCTION reverse_etl.running_pushes() IS 'what reverse_etl.activity shows';

CREATE VIEW reverse_etl.activity AS
SELECT pid, pg_catalog.pg_get_userbyid(role) AS role, destination, operation, started_at,
       rows_seen, rows_accepted, rows_rejected, rows_in_flight, rows_per_second
  FROM reverse_etl.running_pushes();
COMMENT ON VIEW reverse_etl.activity IS 'each push to a destination that is running now; a user sees their own, pg_read_all_stats all';
COMMENT ON COLUMN reverse_etl.activity.pid IS 'the process that pushes, as in pg_stat_activity';
COMMENT ON COLUMN reverse_etl.activity.rows_seen IS 'rows that the statement has made';
COMMENT ON COLUMN reverse_etl.activity.rows_in_flight IS 'rows that were sent and are not yet answered';
COMMENT ON COLUMN reverse_etl.activity.rows_per_second IS 'rows accepted or rejected, since the push began';
GRANT SELECT ON reverse_etl.activity TO PUBLIC;
