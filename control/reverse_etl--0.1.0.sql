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
    sync integer,
    destination regclass NOT NULL,
    operation text NOT NULL,
    enqueued_by regrole NOT NULL,
    deliver_as regrole NOT NULL,
    enqueued_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamptz,
    key_hash bigint,
    key json,
    "row" json NOT NULL,
    reasons text[]
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl.outbox IS 'rows that wait for their delivery; a user sees their own. Each destination has a table of its own that inherits from this one';
COMMENT ON COLUMN reverse_etl.outbox.push IS 'the statement''s row in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.outbox.sync IS 'the managed sync that learns the row''s outcome: reverse_etl.syncs.id';
COMMENT ON COLUMN reverse_etl.outbox.enqueued_by IS 'the role whose rows they are';
COMMENT ON COLUMN reverse_etl.outbox.deliver_as IS 'the role with whose rights and credentials the row leaves';
COMMENT ON COLUMN reverse_etl.outbox.attempts IS 'how often it was tried to deliver the row';
COMMENT ON COLUMN reverse_etl.outbox.key IS 'the columns that name the row at the destination';
COMMENT ON COLUMN reverse_etl.outbox."row" IS 'the columns that are sent, with their values as they are sent';
COMMENT ON COLUMN reverse_etl.outbox.reasons IS 'why the attempts failed';
CREATE INDEX ON reverse_etl.outbox (destination, id);

ALTER TABLE reverse_etl.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.outbox USING (enqueued_by = quote_ident(current_user)::regrole);
COMMENT ON POLICY own_rows ON reverse_etl.outbox IS 'a user sees the rows that they queued';
GRANT SELECT ON reverse_etl.outbox TO PUBLIC;

CREATE TABLE reverse_etl.outbox_requests (
    destination regclass NOT NULL,
    request bigint NOT NULL,
    rows int8multirange NOT NULL,
    PRIMARY KEY (destination, request)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE reverse_etl.outbox_requests IS 'requests under way that must not be made again, or only as the same request; the background worker''s';
COMMENT ON COLUMN reverse_etl.outbox_requests.request IS 'the worker''s number for it';
COMMENT ON COLUMN reverse_etl.outbox_requests.rows IS 'the rows that it is made of, by their id in reverse_etl.outbox';

CREATE PROCEDURE reverse_etl.wait(destination regclass, timeout interval DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_wait';
COMMENT ON PROCEDURE reverse_etl.wait(regclass, interval) IS 'returns when every row that was queued so far has its outcome; of a user, their own rows';

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

-- The ledger: every push that began. The worker writes it, in a transaction of its own; a session does where the
-- library is not preloaded, with the owner's rights.

CREATE TABLE reverse_etl.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    operation text NOT NULL,
    statement text NOT NULL,
    delivery text NOT NULL CHECK (delivery IN ('immediate', 'queued')),
    outcome text NOT NULL
        CHECK (outcome IN ('running', 'queued', 'completed', 'failed', 'cancelled', 'unknown')),
    rows bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    absent bigint NOT NULL DEFAULT 0,
    replaced bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    error text,
    session_role name NOT NULL,
    role name NOT NULL,
    application_name text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
COMMENT ON TABLE reverse_etl.audit_log IS 'every push that began, whatever became of its statement; a user sees their own';
COMMENT ON COLUMN reverse_etl.audit_log.destination IS 'the foreign table, schema-qualified';
COMMENT ON COLUMN reverse_etl.audit_log.operation IS 'what was asked of the destination: create, update, upsert or delete';
COMMENT ON COLUMN reverse_etl.audit_log.statement IS 'the kind of statement: INSERT, UPDATE, DELETE, COPY or MERGE; SYNC for the rows of a managed sync';
COMMENT ON COLUMN reverse_etl.audit_log.delivery IS 'immediate: by the session, before its statement ended; queued: by the worker, after the commit';
COMMENT ON COLUMN reverse_etl.audit_log.outcome IS 'running or queued; then completed (every row has its outcome), failed, cancelled, or unknown (the server or the session died)';
COMMENT ON COLUMN reverse_etl.audit_log.rows IS 'rows that the statement handed over';
COMMENT ON COLUMN reverse_etl.audit_log.accepted IS 'rows that the destination accepted';
COMMENT ON COLUMN reverse_etl.audit_log.rejected IS 'rows that it did not, or that could not be sent';
COMMENT ON COLUMN reverse_etl.audit_log.absent IS 'rows that were to change or delete what the destination does not have';
COMMENT ON COLUMN reverse_etl.audit_log.replaced IS 'queued rows in whose place a later change of the same key was sent';
COMMENT ON COLUMN reverse_etl.audit_log.requests IS 'requests that were made; queued rows of several pushes share theirs, which stat_destinations counts';
COMMENT ON COLUMN reverse_etl.audit_log.bytes IS 'bytes of their bodies, before compression; of immediate pushes';
COMMENT ON COLUMN reverse_etl.audit_log.error IS 'what ended the push; it quotes no row';
COMMENT ON COLUMN reverse_etl.audit_log.session_role IS 'the role that had logged in, or that SET SESSION AUTHORIZATION set';
COMMENT ON COLUMN reverse_etl.audit_log.role IS 'the role that was current';
COMMENT ON COLUMN reverse_etl.audit_log.application_name IS 'the session''s setting';
COMMENT ON COLUMN reverse_etl.audit_log.pid IS 'the session''s process';
COMMENT ON COLUMN reverse_etl.audit_log.started_at IS 'when the first row came';
COMMENT ON COLUMN reverse_etl.audit_log.finished_at IS 'when it ended; null while it runs and where the end is unknown';
CREATE INDEX ON reverse_etl.audit_log (pid) WHERE outcome = 'running';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.audit_log_id_seq', '');

ALTER TABLE reverse_etl.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.audit_log FOR SELECT USING (current_user IN (role, session_role));
COMMENT ON POLICY own_rows ON reverse_etl.audit_log IS 'a user sees their own pushes';
GRANT SELECT ON reverse_etl.audit_log TO PUBLIC;

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
COMMENT ON COLUMN reverse_etl.rejected_rows.push IS 'the push that it was a row of: reverse_etl.audit_log.id';
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
-- A row may be mended before it is tried again.
GRANT SELECT, DELETE, UPDATE (key, "row") ON reverse_etl.rejected_rows TO PUBLIC;

CREATE FUNCTION reverse_etl.requeue(destination regclass, operations text[], keys text[], rows text[]) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_requeue';
COMMENT ON FUNCTION reverse_etl.requeue(regclass, text[], text[], text[]) IS 'queues rows as rejected_rows holds them; see reverse_etl.retry()';

CREATE FUNCTION reverse_etl.retry(destination regclass, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    queued bigint;
BEGIN
    -- The condition runs with the caller's rights, and sees the caller's rows.
    EXECUTE format('WITH taken AS (
                        DELETE FROM reverse_etl.rejected_rows
                         WHERE destination = (SELECT n.nspname || ''.'' || c.relname
                                                FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                                               WHERE c.oid = $1) AND (%s)
                     RETURNING id, operation, key, "row")
                    SELECT reverse_etl.requeue($1, array_agg(operation ORDER BY id), array_agg(key::text ORDER BY id),
                                               array_agg("row"::text ORDER BY id))
                      FROM taken', condition)
       INTO queued USING destination;
    RETURN COALESCE(queued, 0);
END
$$;
COMMENT ON FUNCTION reverse_etl.retry(regclass, text) IS 'queues rejected rows again, those for which the condition on rejected_rows holds; how many they were';

CREATE VIEW reverse_etl.destinations AS
SELECT t.ftrelid::regclass AS destination, s.srvname AS server,
       CASE WHEN p.since IS NOT NULL THEN 'paused' WHEN o.waiting >= m.rows THEN 'full'
            ELSE COALESCE(f.state, 'active') END AS state,
       o.waiting, o.oldest, f.reason AS last_error, f.retry_at, COALESCE(p.since, f.since) AS since
  FROM pg_foreign_table AS t
  JOIN pg_foreign_server AS s ON s.oid = t.ftserver
  JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw AND w.fdwname = 'reverse_etl'
  LEFT JOIN LATERAL (SELECT min(paused_at) AS since FROM reverse_etl.pauses
                      WHERE pauses.server = t.ftserver OR pauses.destination = t.ftrelid) AS p ON true
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.destination_states AS d WHERE d.destination = t.ftrelid
                      ORDER BY d.state = 'paused' DESC, d.retry_at DESC LIMIT 1) AS f ON true
  LEFT JOIN LATERAL (SELECT count(*) AS waiting, min(enqueued_at) AS oldest FROM reverse_etl.outbox
                      WHERE outbox.destination = t.ftrelid) AS o ON true
  LEFT JOIN LATERAL (SELECT COALESCE((SELECT option_value::bigint FROM pg_options_to_table(t.ftoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     (SELECT option_value::bigint FROM pg_options_to_table(s.srvoptions)
                                       WHERE option_name = 'outbox_max_rows'),
                                     50000000) AS rows) AS m ON true
 WHERE has_table_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE, DELETE')
    OR has_any_column_privilege(t.ftrelid, 'SELECT, INSERT, UPDATE')
    OR pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW reverse_etl.destinations IS 'every destination: whether it gets queued rows, how many wait, and what keeps them';
GRANT SELECT ON reverse_etl.destinations TO PUBLIC;

-- Identity: what tells this database from its copies

CREATE TABLE reverse_etl.identity (
    system_identifier bigint NOT NULL,
    database oid NOT NULL,
    host text NOT NULL,
    data_directory text NOT NULL,
    control_file bigint NOT NULL,
    control_file_created timestamptz,
    confirmed_by name NOT NULL,
    confirmed_at timestamptz NOT NULL
);
COMMENT ON TABLE reverse_etl.identity IS 'which database may talk to its destinations; in a copy it is still the original';
COMMENT ON COLUMN reverse_etl.identity.system_identifier IS 'the cluster''s, as pg_control_system() shows it';
COMMENT ON COLUMN reverse_etl.identity.database IS 'the database''s oid';
COMMENT ON COLUMN reverse_etl.identity.host IS 'the setting reverse_etl.host, or the name of the host';
COMMENT ON COLUMN reverse_etl.identity.data_directory IS 'the data directory, without symbolic links';
COMMENT ON COLUMN reverse_etl.identity.control_file IS 'the inode of the file global/pg_control';
COMMENT ON COLUMN reverse_etl.identity.control_file_created IS 'when that file was made; null if its file system does not tell';
-- No index and no constraint over rows: a dump has to restore, whatever is there already.
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.identity', '');
-- It names the data directory, and so it is shown to those to whom Postgres shows that. All may ask, or a role that
-- sees nothing of it could not dump the database.
ALTER TABLE reverse_etl.identity ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers_of_settings ON reverse_etl.identity FOR SELECT
    USING (pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE'));
COMMENT ON POLICY readers_of_settings ON reverse_etl.identity IS 'the identity is shown to members of pg_read_all_settings';
GRANT SELECT ON reverse_etl.identity TO PUBLIC;

CREATE FUNCTION reverse_etl.confirm_identity() RETURNS void
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_confirm_identity';
COMMENT ON FUNCTION reverse_etl.confirm_identity() IS 'lets a database that looks like a copy talk to its destinations; superusers only';
REVOKE ALL ON FUNCTION reverse_etl.confirm_identity() FROM PUBLIC;

-- A dump says row_security = off before it makes the extension: what it restores is not confirmed here, and the row of
-- the original comes with its data, if it has any.
SELECT reverse_etl.confirm_identity() WHERE pg_catalog.current_setting('row_security')::boolean;
-- Streams: triggers that send what changes in a table

CREATE FUNCTION reverse_etl.push() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push';
COMMENT ON FUNCTION reverse_etl.push() IS 'trigger function that sends the changed rows to a destination: push(destination, mapping)';

CREATE FUNCTION reverse_etl.push_stream() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push_stream';
COMMENT ON FUNCTION reverse_etl.push_stream() IS 'trigger function of the triggers that stream_table makes';

CREATE TABLE reverse_etl.streams (
    name text PRIMARY KEY,
    source regclass NOT NULL,
    destination regclass NOT NULL,
    mapping text NOT NULL,
    on_delete text NOT NULL CHECK (on_delete IN ('delete', 'nothing')),
    on_truncate text NOT NULL CHECK (on_truncate IN ('refuse', 'delete', 'nothing')),
    owner regrole NOT NULL,
    search_path text NOT NULL,
    columns text[] NOT NULL,
    reads regclass[] NOT NULL,
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
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.streams', '');

-- A stream is made and removed as whoever calls stream_table and unstream_table. Nobody can make one that runs as
-- another role, or for a table that has not its triggers.
ALTER TABLE reverse_etl.streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_streams ON reverse_etl.streams FOR SELECT USING (
    pg_has_role(owner, 'USAGE')
    OR pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE pg_class.oid = source), 'USAGE'));
COMMENT ON POLICY own_streams ON reverse_etl.streams IS 'a user sees their own streams and those of their tables';
CREATE POLICY new_streams ON reverse_etl.streams FOR INSERT WITH CHECK (
    owner = quote_ident(current_user)::regrole
    AND EXISTS (SELECT FROM pg_catalog.pg_trigger
                 WHERE tgrelid = source AND tgname = name || '_insert' AND tgfoid = 'reverse_etl.push_stream'::regproc));
COMMENT ON POLICY new_streams ON reverse_etl.streams IS 'a stream belongs to who makes it, and has triggers';
CREATE POLICY drop_streams ON reverse_etl.streams FOR DELETE USING (
    pg_has_role(owner, 'USAGE')
    OR pg_has_role((SELECT relowner FROM pg_catalog.pg_class WHERE pg_class.oid = source), 'USAGE'));
COMMENT ON POLICY drop_streams ON reverse_etl.streams IS 'a user removes their own streams and those of their tables';
GRANT SELECT, INSERT, DELETE ON reverse_etl.streams TO PUBLIC;

-- The owner of a stream need not own the table: so the triggers are dropped with the rights of the extension's owner.
CREATE FUNCTION reverse_etl.drop_stream_triggers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trigger_name name;
BEGIN
    FOR trigger_name IN
        SELECT tgname FROM pg_trigger
         WHERE tgrelid = old.source AND tgfoid = 'reverse_etl.push_stream'::regproc
           AND tgname IN (old.name || '_insert', old.name || '_update', old.name || '_delete', old.name || '_truncate')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, old.source);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_stream_triggers() IS 'drops the triggers of a stream that is removed';
REVOKE ALL ON FUNCTION reverse_etl.drop_stream_triggers() FROM PUBLIC;
CREATE TRIGGER drop_triggers AFTER DELETE ON reverse_etl.streams
    FOR EACH ROW EXECUTE FUNCTION reverse_etl.drop_stream_triggers();
COMMENT ON TRIGGER drop_triggers ON reverse_etl.streams IS 'a stream and its triggers go together';

CREATE FUNCTION reverse_etl.read_mapping(source regclass, destination regclass, mapping text, deletes boolean,
    search_path text, OUT mapping_used text, OUT columns text[], OUT key text[], OUT reads regclass[])
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_read_mapping';
COMMENT ON FUNCTION reverse_etl.read_mapping(regclass, regclass, text, boolean, text) IS 'checks the mapping of a stream; see reverse_etl.stream_table';

CREATE FUNCTION reverse_etl.check_stream_rights(destination regclass, columns text[], key text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    SELECT string_agg(needed, ', ') INTO missing FROM (
        SELECT format('INSERT (%s)', string_agg(quote_ident(name), ', ')) AS needed
          FROM unnest(columns) AS name WHERE NOT has_column_privilege(destination, name, 'INSERT') HAVING count(*) > 0
        UNION ALL
        SELECT 'DELETE' WHERE key IS NOT NULL AND NOT has_table_privilege(destination, 'DELETE')
        UNION ALL
        SELECT format('SELECT (%s)', string_agg(quote_ident(name), ', '))
          FROM unnest(key) AS name WHERE NOT has_column_privilege(destination, name, 'SELECT') HAVING count(*) > 0
    ) AS rights;
    IF missing IS NOT NULL THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('permission denied for foreign table %s', destination),
            DETAIL = format('A stream runs with the rights of its owner, and role "%s" lacks %s.', current_user, missing),
            HINT = CASE WHEN key IS NOT NULL THEN 'DELETE and SELECT on the key are for deletes: on_delete => ''nothing'' sends none.' ELSE '' END;
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.check_stream_rights(regclass, text[], text[]) IS 'raises an error that names the rights which the current role lacks for a stream';

-- The default of search_path is the caller's, which the function itself does not see.
CREATE FUNCTION reverse_etl.stream_table(source regclass, destination regclass, mapping text DEFAULT NULL,
    on_delete text DEFAULT 'delete', on_truncate text DEFAULT 'refuse', name text DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about record;
    stream text := stream_table.name;
    the_source record;
BEGIN
    IF source IS NULL OR destination IS NULL OR on_delete IS NULL OR on_truncate IS NULL OR search_path IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'only the mapping and the name of a stream may be NULL';
    END IF;
    IF on_delete NOT IN ('delete', 'nothing') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for on_delete: "%s"', on_delete), HINT = 'Use delete or nothing.';
    END IF;
    IF on_truncate NOT IN ('refuse', 'delete', 'nothing') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for on_truncate: "%s"', on_truncate), HINT = 'Use refuse, delete or nothing.';
    END IF;
    IF on_truncate = 'delete' AND on_delete = 'nothing' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'on_truncate cannot be "delete" when on_delete is "nothing"';
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

    about := reverse_etl.read_mapping(source, destination, nullif(rtrim(mapping, E' \n\t;'), ''), on_delete = 'delete', search_path);
    PERFORM reverse_etl.check_stream_rights(destination, about.columns,
                                            CASE on_delete WHEN 'delete' THEN about.key END);
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = source AND tgname = stream || '_insert') THEN
        RAISE duplicate_object USING
            MESSAGE = format('stream "%s" already exists', stream),
            HINT = 'Call reverse_etl.unstream_table first, or give this stream another name.';
    END IF;
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_stream(%L)',
                   stream || '_insert', source, stream);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed OLD TABLE AS changed_before
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_stream(%L)',
                   stream || '_update', source, stream);
    IF on_delete = 'delete' THEN
        EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_stream(%L)',
                       stream || '_delete', source, stream);
    END IF;
    IF on_truncate <> 'nothing' THEN
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_stream(%L)',
                       stream || '_truncate', source, stream);
    END IF;
    INSERT INTO reverse_etl.streams (name, source, destination, mapping, on_delete, on_truncate, owner, search_path,
                                     columns, reads)
    VALUES (stream, stream_table.source, stream_table.destination, about.mapping_used, stream_table.on_delete,
            stream_table.on_truncate, quote_ident(current_user)::regrole, stream_table.search_path, about.columns,
            about.reads);
    RETURN stream;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('stream "%s" already exists', stream),
        HINT = 'Call reverse_etl.unstream_table first, or give this stream another name.';
END
$$;
COMMENT ON FUNCTION reverse_etl.stream_table(regclass, regclass, text, text, text, text, text) IS 'sends what changes in a table to a destination from now on, in the transaction that changes it; returns the stream''s name';

CREATE FUNCTION reverse_etl.unstream_table(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.streams WHERE streams.name = unstream_table.name;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('stream "%s" does not exist', unstream_table.name),
            HINT = 'reverse_etl.streams lists them.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_table(text) IS 'removes a stream: what changes from now on is not sent';

CREATE FUNCTION reverse_etl.unstream_table(source regclass, destination regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM reverse_etl.streams
     WHERE streams.source = unstream_table.source AND streams.destination = unstream_table.destination;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('no stream leads from "%s" to "%s"', source, destination),
            HINT = 'reverse_etl.streams lists them.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_table(regclass, regclass) IS 'removes all streams from a table to a destination';

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

-- Hashes of rows: what a sync remembers of each row that it sent.

CREATE FUNCTION reverse_etl.hash_row(a_row record) RETURNS bigint
LANGUAGE C STRICT STABLE PARALLEL SAFE COST 3 AS 'MODULE_PATHNAME', 'reverse_etl_hash_row';
COMMENT ON FUNCTION reverse_etl.hash_row(record) IS 'a hash of the row''s values by the names of its columns, which no setting of the session and no version of Postgres changes';

CREATE FUNCTION reverse_etl.hash_row_version() RETURNS integer
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_hash_row_version';
COMMENT ON FUNCTION reverse_etl.hash_row_version() IS 'is raised when rows get other hashes than before';

-- Schedules, as pg_cron reads them. Both are NULL where there is no such time.

CREATE FUNCTION reverse_etl.next_run_after(schedule text, after timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_next_run_after';
COMMENT ON FUNCTION reverse_etl.next_run_after(text, timestamptz) IS 'when pg_cron next runs a job of that schedule; an error if it would not take the schedule';

CREATE FUNCTION reverse_etl.last_run_before(schedule text, before timestamptz) RETURNS timestamptz
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_last_run_before';
COMMENT ON FUNCTION reverse_etl.last_run_before(text, timestamptz) IS 'when pg_cron last should have run a job of that schedule; an error if it would not take the schedule';

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

-- Managed syncs: a query whose rows a destination is to have. A run sends what changed since the destination last
-- accepted it; docs/syncs.md is about them.

CREATE SEQUENCE reverse_etl.sync_id_seq AS integer;
COMMENT ON SEQUENCE reverse_etl.sync_id_seq IS 'numbers the syncs; the tables of a sync are named by it';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.sync_id_seq', '');

CREATE TABLE reverse_etl.sync_definitions (
    id integer PRIMARY KEY DEFAULT nextval('reverse_etl.sync_id_seq'),
    name text NOT NULL UNIQUE CHECK (name <> '' AND octet_length(name) <= 200),
    owner regrole NOT NULL,
    query text NOT NULL,
    search_path text NOT NULL,
    destination regclass NOT NULL,
    key text[] NOT NULL CHECK (cardinality(key) > 0),
    key_types regtype[] NOT NULL,
    key_collations regcollation[] NOT NULL,
    columns text[] NOT NULL,
    reads regclass[] NOT NULL,
    mode text NOT NULL CHECK (mode IN ('insert', 'update', 'upsert', 'mirror', 'full', 'append')),
    removals text NOT NULL CHECK (removals IN ('nothing', 'delete', 'archive', 'clear')),
    detect text NOT NULL CHECK (detect IN ('difference', 'cursor')),
    cursor_column text CHECK ((detect = 'cursor') = (cursor_column IS NOT NULL)),
    cursor_value text,
    backfill boolean NOT NULL,
    max_removed text CHECK (max_removed ~ '^[0-9]+(\.[0-9]+)?%?$'),
    max_changed text CHECK (max_changed ~ '^[0-9]+(\.[0-9]+)?%?$'),
    min_rows text CHECK (min_rows ~ '^[0-9]+(\.[0-9]+)?%?$'),
    max_rejected text CHECK (max_rejected ~ '^[0-9]+(\.[0-9]+)?%?$'),
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    hold_for interval NOT NULL CHECK (hold_for > '0'),
    after integer,
    alert_to regclass,
    schedule text,
    scheduled_at timestamptz,
    job bigint,
    hash_version integer NOT NULL,
    has_run boolean NOT NULL DEFAULT false,
    may_remove boolean NOT NULL DEFAULT false,
    health text NOT NULL DEFAULT 'ok' CHECK (health IN ('ok', 'failed', 'held', 'rejecting', 'unusual')),
    requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE reverse_etl.sync_definitions IS 'syncs made by reverse_etl.create_sync; reverse_etl.syncs shows them';
COMMENT ON COLUMN reverse_etl.sync_definitions.owner IS 'the role with whose rights the query runs, and with whose credentials rows are sent';
COMMENT ON COLUMN reverse_etl.sync_definitions.query IS 'the model: the rows that the destination is to have';
COMMENT ON COLUMN reverse_etl.sync_definitions.search_path IS 'where the names in the query are looked up';
COMMENT ON COLUMN reverse_etl.sync_definitions.key IS 'the columns of the query that tell its rows apart';
COMMENT ON COLUMN reverse_etl.sync_definitions.key_types IS 'their types, which are those of the state''s columns';
COMMENT ON COLUMN reverse_etl.sync_definitions.columns IS 'the destination''s columns that are sent';
COMMENT ON COLUMN reverse_etl.sync_definitions.reads IS 'the relations that the query reads';
COMMENT ON COLUMN reverse_etl.sync_definitions.cursor_value IS 'up to where the rows were sent';
COMMENT ON COLUMN reverse_etl.sync_definitions.job IS 'the job in pg_cron: cron.job.jobid';
COMMENT ON COLUMN reverse_etl.sync_definitions.has_run IS 'whether a run was completed: forward-only syncs send what came after the first one';
COMMENT ON COLUMN reverse_etl.sync_definitions.may_remove IS 'whether a run removes rows: not the first one, nor the one after adopt, resync or a change of mode';
COMMENT ON COLUMN reverse_etl.sync_definitions.health IS 'what was told last by an alert';
COMMENT ON COLUMN reverse_etl.sync_definitions.requested_at IS 'when somebody asked for a run that the background worker is to begin';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.sync_definitions', '');

-- A sync is made and changed as whoever calls create_sync and alter_sync; it runs as its owner.
ALTER TABLE reverse_etl.sync_definitions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_syncs ON reverse_etl.sync_definitions
    USING (pg_has_role(owner, 'USAGE')) WITH CHECK (pg_has_role(owner, 'USAGE'));
COMMENT ON POLICY own_syncs ON reverse_etl.sync_definitions IS 'a sync belongs to its owner, and to the members of that role';
GRANT SELECT, DELETE,
      INSERT (name, owner, query, search_path, destination, key, key_types, key_collations, columns, reads, mode, removals,
              detect, cursor_column, backfill, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for,
              after, alert_to, hash_version),
      UPDATE (name, query, search_path, columns, reads, mode, removals, max_removed, max_changed, min_rows, max_rejected,
              max_attempts, hold_for, after, alert_to, schedule, scheduled_at, job, may_remove, requested_at)
    ON reverse_etl.sync_definitions TO PUBLIC;
GRANT USAGE ON SEQUENCE reverse_etl.sync_id_seq TO PUBLIC;

CREATE TABLE reverse_etl.runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id integer NOT NULL,
    sync text NOT NULL,
    status text NOT NULL CHECK (status IN ('reading', 'held', 'delivering', 'cancelling', 'completed', 'failed',
                                           'cancelled', 'skipped', 'expired')),
    queried bigint NOT NULL DEFAULT 0,
    added bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    invalid bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    reason text,
    pushes bigint[] NOT NULL DEFAULT '{}',
    requested_by name NOT NULL,
    released_by name,
    pid integer,
    process_started_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    queued_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT every_row_is_counted_once CHECK (queried = added + changed + removed + unchanged + invalid),
    CONSTRAINT every_row_sent_has_an_outcome
        CHECK (added + changed + removed = waiting + accepted + rejected + cancelled OR status IN ('held', 'expired', 'reading')),
    CONSTRAINT nothing_is_negative CHECK (LEAST(added, changed, removed, unchanged, invalid, quarantined, waiting,
                                                accepted, rejected, cancelled) >= 0 AND quarantined <= invalid)
);
COMMENT ON TABLE reverse_etl.runs IS 'every run of a sync; a user sees those of their syncs. queried = added + changed + removed + unchanged + invalid, and added + changed + removed = accepted + rejected + cancelled + waiting';
COMMENT ON COLUMN reverse_etl.runs.status IS 'reading the model, delivering, cancelling; held (waits for release_run), completed, failed, cancelled, skipped (another run was under way), expired (held, and not released in time)';
COMMENT ON COLUMN reverse_etl.runs.queried IS 'rows looked at: those of the model, and those that have left it and are removed';
COMMENT ON COLUMN reverse_etl.runs.added IS 'rows to be sent whose key was not known';
COMMENT ON COLUMN reverse_etl.runs.changed IS 'rows to be sent that differ from what the destination accepted last';
COMMENT ON COLUMN reverse_etl.runs.removed IS 'rows to be removed, since they have left the model';
COMMENT ON COLUMN reverse_etl.runs.unchanged IS 'rows of which nothing is to be sent, by the mode of the sync';
COMMENT ON COLUMN reverse_etl.runs.invalid IS 'rows that cannot be sent: reverse_etl.run_rows tells why';
COMMENT ON COLUMN reverse_etl.runs.quarantined IS 'those of the invalid rows that were refused too often, and wait until they change';
COMMENT ON COLUMN reverse_etl.runs.waiting IS 'rows sent that have no outcome yet';
COMMENT ON COLUMN reverse_etl.runs.accepted IS 'rows that the destination accepted';
COMMENT ON COLUMN reverse_etl.runs.rejected IS 'rows that it did not accept; they come again by themselves';
COMMENT ON COLUMN reverse_etl.runs.cancelled IS 'rows that were not sent, since the run was cancelled';
COMMENT ON COLUMN reverse_etl.runs.reason IS 'why the run was held, skipped, cancelled, or failed';
COMMENT ON COLUMN reverse_etl.runs.pushes IS 'its rows in reverse_etl.audit_log';
COMMENT ON COLUMN reverse_etl.runs.requested_by IS 'the role that began the run';
COMMENT ON COLUMN reverse_etl.runs.pid IS 'the process that reads the model';
-- One run of a sync at a time.
CREATE UNIQUE INDEX runs_under_way ON reverse_etl.runs (sync_id) WHERE status IN ('reading', 'delivering', 'cancelling');
CREATE INDEX ON reverse_etl.runs (sync_id, id);
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.runs', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.runs_id_seq', '');
ALTER TABLE reverse_etl.runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_runs ON reverse_etl.runs FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_runs ON reverse_etl.runs IS 'a user sees the runs of the syncs that they see';
CREATE POLICY stop_and_release ON reverse_etl.runs FOR UPDATE
    USING (status IN ('held', 'delivering') AND EXISTS (SELECT FROM reverse_etl.sync_definitions AS s WHERE s.id = sync_id))
    WITH CHECK (status IN ('held', 'cancelling'));
COMMENT ON POLICY stop_and_release ON reverse_etl.runs IS 'a user stops and releases the runs of their syncs';
GRANT SELECT, UPDATE (status, reason, released_by) ON reverse_etl.runs TO PUBLIC;

CREATE TABLE reverse_etl.invalid_rows (
    run_id bigint NOT NULL,
    quarantined boolean NOT NULL,
    key jsonb NOT NULL,
    reason text NOT NULL,
    "row" jsonb NOT NULL
);
COMMENT ON TABLE reverse_etl.invalid_rows IS 'rows of a run that could not be sent; see reverse_etl.run_rows';
CREATE INDEX ON reverse_etl.invalid_rows (run_id);
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.invalid_rows', '');
ALTER TABLE reverse_etl.invalid_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reverse_etl.invalid_rows FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl.runs AS r WHERE r.id = run_id));
COMMENT ON POLICY own_rows ON reverse_etl.invalid_rows IS 'a user sees the rows of the runs that they see';
GRANT SELECT ON reverse_etl.invalid_rows TO PUBLIC;

CREATE INDEX ON reverse_etl.rejected_rows (push);
CREATE VIEW reverse_etl.run_rows WITH (security_invoker = on) AS
SELECT run_id, CASE WHEN quarantined THEN 'quarantined' ELSE 'invalid' END AS outcome, key, reason,
       NULL::integer AS http_status, "row"
  FROM reverse_etl.invalid_rows
UNION ALL
SELECT r.id, 'rejected',
       (SELECT jsonb_object_agg(k, (COALESCE(rejected.key, '{}') || rejected."row") -> k)
          FROM unnest(s.key) AS k),
       rejected.reason, rejected.http_status, rejected."row"
  FROM reverse_etl.runs AS r
  JOIN reverse_etl.sync_definitions AS s ON s.id = r.sync_id
 CROSS JOIN LATERAL unnest(r.pushes) AS p (push)
  JOIN reverse_etl.rejected_rows AS rejected ON rejected.push = p.push;
COMMENT ON VIEW reverse_etl.run_rows IS 'rows of a run that did not get through: invalid (could not be sent), quarantined, or rejected by the destination';
COMMENT ON COLUMN reverse_etl.run_rows.reason IS 'why, in the destination''s own words where it has any';
GRANT SELECT ON reverse_etl.run_rows TO PUBLIC;

CREATE TABLE reverse_etl.alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_id integer NOT NULL,
    sync text NOT NULL,
    run_id bigint,
    event text NOT NULL CHECK (event IN ('failed', 'held', 'rejecting', 'unusual', 'recovered')),
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    push_to regclass,
    pushed_at timestamptz
);
COMMENT ON TABLE reverse_etl.alerts IS 'changes in the health of syncs, one row each; a user sees those of their syncs';
COMMENT ON COLUMN reverse_etl.alerts.event IS 'failed, held, rejecting (a large share of the rows did not get through), unusual (counts far from those of the last runs), or recovered';
COMMENT ON COLUMN reverse_etl.alerts.push_to IS 'the destination that alert_to named then; null for none';
COMMENT ON COLUMN reverse_etl.alerts.pushed_at IS 'when it was queued for that destination';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.alerts', '');
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.alerts_id_seq', '');
ALTER TABLE reverse_etl.alerts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_alerts ON reverse_etl.alerts FOR SELECT
    USING (EXISTS (SELECT FROM reverse_etl.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_alerts ON reverse_etl.alerts IS 'a user sees the alerts of the syncs that they see';
GRANT SELECT ON reverse_etl.alerts TO PUBLIC;

-- What a definition says, checked

CREATE FUNCTION reverse_etl.describe_sync(query text, search_path text, destination regclass, key text[], mode text,
    removals text, cursor_column text, OUT columns text[], OUT key_types regtype[], OUT key_collations regcollation[],
    OUT reads regclass[])
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_describe_sync';
COMMENT ON FUNCTION reverse_etl.describe_sync(text, text, regclass, text[], text, text, text) IS 'checks what a sync is to be made of; see reverse_etl.create_sync';

-- Found by the type, not by name: an operator of that name may be another one, or in a schema where nobody looks.
CREATE FUNCTION reverse_etl.equality_of(type regtype) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'reverse_etl_equality_of';
COMMENT ON FUNCTION reverse_etl.equality_of(regtype) IS 'the operator by which values of a type are told apart, as SQL names it';

-- The tables of a sync belong to the extension's owner, so that nobody writes into them by hand; its owner reads them.
CREATE FUNCTION reverse_etl.make_sync_tables(sync integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
    columns text;
    key text;
BEGIN
    SELECT * INTO STRICT definition FROM reverse_etl.sync_definitions WHERE id = sync;
    SELECT string_agg(format('%I %s%s', name, type,
                             CASE WHEN collated.oid <> 0 THEN format(' COLLATE %I.%I', collnamespace::regnamespace::text, collname)
                             ELSE '' END), ', ' ORDER BY place),
           string_agg(quote_ident(name), ', ' ORDER BY place)
      INTO columns, key
      FROM ROWS FROM (unnest(definition.key), unnest(definition.key_types), unnest(definition.key_collations))
           WITH ORDINALITY AS k (name, type_oid, collated_oid, place)
      JOIN LATERAL (SELECT format('%I.%I', typnamespace::regnamespace::text, typname) AS type
                      FROM pg_type WHERE pg_type.oid = k.type_oid) AS t ON true
      JOIN LATERAL (SELECT k.collated_oid::oid AS oid) AS collated ON true
      LEFT JOIN pg_collation ON pg_collation.oid = collated.oid;
    EXECUTE format('CREATE TABLE reverse_etl.sync_%s_state (%s, "#hash" bigint, PRIMARY KEY (%s))
                    WITH (autovacuum_vacuum_scale_factor = 0.05)', sync, columns, key);
    EXECUTE format('COMMENT ON TABLE reverse_etl.sync_%s_state IS %L', sync,
                   format('what the destination of sync "%s" has accepted: keys, and hashes of the rows', definition.name));
    EXECUTE format('CREATE TABLE reverse_etl.sync_%s_rows (%s, "#hash" bigint, "#change" "char" NOT NULL, "#run" bigint,
                    "#row" bigint, "#attempts" integer NOT NULL)
                    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)', sync, columns);
    EXECUTE format('CREATE UNIQUE INDEX ON reverse_etl.sync_%s_rows ("#row")', sync);
    EXECUTE format('CREATE INDEX ON reverse_etl.sync_%s_rows (%s)', sync, key);
    EXECUTE format('COMMENT ON TABLE reverse_etl.sync_%s_rows IS %L', sync,
                   format('rows of sync "%s" that are on their way, by their number in the outbox, and those that did not get through', definition.name));
    EXECUTE format('GRANT SELECT ON reverse_etl.sync_%1$s_state, reverse_etl.sync_%1$s_rows TO %2$s;
                    GRANT UPDATE ("#attempts") ON reverse_etl.sync_%1$s_rows TO %2$s', sync, definition.owner);
END
$$;
COMMENT ON FUNCTION reverse_etl.make_sync_tables(integer) IS 'makes the tables of a new sync: its state, and its rows on their way';

CREATE FUNCTION reverse_etl.forget_sync() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM reverse_etl.runs WHERE sync_id = old.id AND status IN ('reading', 'delivering', 'cancelling')) THEN
        RAISE object_in_use USING
            MESSAGE = format('cannot drop sync "%s" because a run of it is under way', old.name),
            HINT = 'Wait for its end, or call reverse_etl.cancel_run first.';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS reverse_etl.sync_%s_state, reverse_etl.sync_%s_rows', old.id, old.id);
    DELETE FROM reverse_etl.invalid_rows USING reverse_etl.runs WHERE run_id = runs.id AND sync_id = old.id;
    DELETE FROM reverse_etl.runs WHERE sync_id = old.id;
    DELETE FROM reverse_etl.alerts WHERE sync_id = old.id;
    DELETE FROM reverse_etl.sync_streams WHERE sync_id = old.id;
    UPDATE reverse_etl.sync_definitions SET after = NULL WHERE after = old.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl.forget_sync() IS 'drops the tables and the history of a sync that is dropped';
REVOKE ALL ON FUNCTION reverse_etl.forget_sync() FROM PUBLIC;
CREATE TRIGGER forget AFTER DELETE ON reverse_etl.sync_definitions
    FOR EACH ROW EXECUTE FUNCTION reverse_etl.forget_sync();
COMMENT ON TRIGGER forget ON reverse_etl.sync_definitions IS 'a sync''s tables and history go with it';

CREATE FUNCTION reverse_etl.find_sync(name text) RETURNS reverse_etl.sync_definitions
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
BEGIN
    -- Row security shows a role its own.
    SELECT * INTO definition FROM reverse_etl.sync_definitions AS s WHERE s.name = find_sync.name;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('sync "%s" does not exist', find_sync.name),
            HINT = 'reverse_etl.syncs lists those that you own.';
    END IF;
    RETURN definition;
END
$$;
COMMENT ON FUNCTION reverse_etl.find_sync(text) IS 'the sync of a name, for its owner';

CREATE FUNCTION reverse_etl.check_sync_choices(mode text, removals text, detect text, cursor_column text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF mode IS NULL OR mode NOT IN ('insert', 'update', 'upsert', 'mirror', 'full', 'append') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid mode: "%s"', mode),
            HINT = 'Use insert, update, upsert, mirror, full or append.';
    END IF;
    IF removals NOT IN ('nothing', 'delete', 'archive', 'clear') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for removals: "%s"', removals),
            HINT = 'Use nothing, delete, archive or clear.';
    END IF;
    IF removals <> 'nothing' AND mode <> 'mirror' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('mode "%s" removes nothing', mode),
            HINT = 'Use mode mirror, or leave removals out.';
    END IF;
    IF detect NOT IN ('difference', 'cursor') OR detect IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for detect: "%s"', detect), HINT = 'Use difference or cursor.';
    END IF;
    IF (detect = 'cursor') <> (cursor_column IS NOT NULL) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'detect => ''cursor'' and cursor_column go together',
            HINT = 'Name the column of the query that only grows.';
    END IF;
    IF detect = 'cursor' AND mode NOT IN ('insert', 'upsert', 'append') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('mode "%s" needs detect => ''difference''', mode),
            DETAIL = 'A cursor finds new rows, not those that are gone.',
            HINT = 'With a cursor use mode append, insert or upsert.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.check_sync_choices(text, text, text, text) IS 'refuses what does not go together in a sync';

-- In alter_sync NULL stands for what is as it was.
CREATE FUNCTION reverse_etl.check_sync_limits(name text, max_removed text, max_changed text, min_rows text, max_rejected text,
    max_attempts integer, hold_for interval, alert_to regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken record;
BEGIN
    IF name = '' OR octet_length(name) > 200 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid name of a sync: "%s"', name), HINT = 'It has 1 to 200 bytes.';
    END IF;
    SELECT * INTO broken
      FROM (VALUES ('max_removed', max_removed), ('max_changed', max_changed), ('min_rows', min_rows),
                   ('max_rejected', max_rejected)) AS guard (name, value)
     WHERE value !~ '^[0-9]+(\.[0-9]+)?%?$' AND value <> 'none' LIMIT 1;
    IF FOUND THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for %s: "%s"', broken.name, broken.value),
            HINT = 'Give a number of rows, like 100, or a share, like 25%.';
    END IF;
    IF max_attempts < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'max_attempts must be at least 1';
    END IF;
    IF hold_for <= '0' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'hold_for must be greater than zero';
    END IF;
    IF alert_to IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_attribute
                        WHERE attrelid = alert_to AND NOT attisdropped AND attname IN ('text', 'message', 'event')) THEN
        RAISE undefined_column USING
            MESSAGE = format('%s has no column for an alert', alert_to), HINT = 'Give it a column "text" or "message".';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.check_sync_limits(text, text, text, text, text, integer, interval, regclass) IS 'refuses what a sync''s guards and other settings cannot be';

-- The default of search_path is the caller's, which the function itself does not see.
CREATE FUNCTION reverse_etl.create_sync(name text, query text, destination regclass, key text[],
    mode text DEFAULT 'upsert', removals text DEFAULT NULL, detect text DEFAULT 'difference', cursor_column text DEFAULT NULL,
    backfill boolean DEFAULT true, max_removed text DEFAULT '25%', max_changed text DEFAULT NULL,
    min_rows text DEFAULT NULL, max_rejected text DEFAULT NULL, max_attempts integer DEFAULT 5,
    hold_for interval DEFAULT '1 day', after text DEFAULT NULL, alert_to regclass DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about record;
    sync integer;
BEGIN
    IF name IS NULL OR query IS NULL OR destination IS NULL OR key IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'a sync needs a name, a query, a destination and a key';
    END IF;
    removals := COALESCE(removals, CASE mode WHEN 'mirror' THEN 'delete' ELSE 'nothing' END);
    max_removed := NULLIF(max_removed, 'none');
    PERFORM reverse_etl.check_sync_choices(mode, removals, detect, cursor_column);
    PERFORM reverse_etl.check_sync_limits(name, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for, alert_to);
    query := rtrim(query, E' \n\t;');
    about := reverse_etl.describe_sync(query, search_path, destination, key, mode, removals, cursor_column);
    INSERT INTO reverse_etl.sync_definitions AS s
           (name, owner, query, search_path, destination, key, key_types, key_collations, columns, reads, mode, removals,
            detect, cursor_column, backfill, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for,
            after, alert_to, hash_version)
    VALUES (create_sync.name, quote_ident(current_user)::regrole, create_sync.query, create_sync.search_path,
            create_sync.destination, create_sync.key, about.key_types, about.key_collations, about.columns, about.reads,
            create_sync.mode, create_sync.removals, create_sync.detect, create_sync.cursor_column, create_sync.backfill,
            NULLIF(create_sync.max_removed, 'none'), NULLIF(create_sync.max_changed, 'none'),
            NULLIF(create_sync.min_rows, 'none'), NULLIF(create_sync.max_rejected, 'none'), create_sync.max_attempts, create_sync.hold_for,
            CASE WHEN create_sync.after IS NOT NULL THEN (reverse_etl.find_sync(create_sync.after)).id END,
            create_sync.alert_to, reverse_etl.hash_row_version())
    RETURNING s.id INTO sync;
    PERFORM reverse_etl.make_sync_tables(sync);
    RETURN sync;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('sync "%s" already exists', create_sync.name),
        HINT = 'Use reverse_etl.alter_sync to change it, or another name.';
END
$$;
COMMENT ON FUNCTION reverse_etl.create_sync(text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, regclass, text) IS 'makes a sync: a query whose rows a destination is to have; returns its id';

-- NULL leaves a setting as it is, and "none" takes a guard, a predecessor or the alerts away.
CREATE FUNCTION reverse_etl.alter_sync(name text, query text DEFAULT NULL, mode text DEFAULT NULL, removals text DEFAULT NULL,
    max_removed text DEFAULT NULL, max_changed text DEFAULT NULL, min_rows text DEFAULT NULL,
    max_rejected text DEFAULT NULL, max_attempts integer DEFAULT NULL, hold_for interval DEFAULT NULL,
    after text DEFAULT NULL, alert_to text DEFAULT NULL, rename_to text DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(alter_sync.name);
    about record;
    predecessor reverse_etl.sync_definitions;
BEGIN
    mode := COALESCE(mode, definition.mode);
    removals := COALESCE(removals, CASE WHEN mode = definition.mode THEN definition.removals
                                        WHEN mode = 'mirror' THEN 'delete' ELSE 'nothing' END);
    PERFORM reverse_etl.check_sync_choices(mode, removals, definition.detect, definition.cursor_column);
    PERFORM reverse_etl.check_sync_limits(rename_to, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for,
                                          NULLIF(alert_to, 'none')::regclass);
    IF query IS NOT NULL THEN
        definition.query := rtrim(query, E' \n\t;');
        definition.search_path := search_path;
    END IF;
    -- What is checked has to hold for the owner, who runs it.
    about := reverse_etl.describe_sync(definition.query, definition.search_path, definition.destination, definition.key,
                                       mode, removals, definition.cursor_column);
    IF about.key_types <> definition.key_types OR about.key_collations <> definition.key_collations THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('the key of sync "%s" cannot change its type', definition.name),
            DETAIL = format('It is %s, and the query gives %s.', definition.key_types, about.key_types),
            HINT = 'Cast the column in the query, or drop the sync and make it anew.';
    END IF;
    IF after IS NOT NULL AND after <> 'none' THEN
        predecessor := reverse_etl.find_sync(after);
        definition.after := predecessor.id;
        WHILE predecessor.id IS NOT NULL LOOP
            IF predecessor.id = definition.id THEN
                RAISE invalid_parameter_value USING
                    MESSAGE = format('sync "%s" cannot run after "%s"', definition.name, after),
                    DETAIL = 'Each would wait for the other.';
            END IF;
            SELECT * INTO predecessor FROM reverse_etl.sync_definitions WHERE id = predecessor.after;
        END LOOP;
    ELSIF after = 'none' THEN
        definition.after := NULL;
    END IF;
    UPDATE reverse_etl.sync_definitions AS s
       SET name = COALESCE(rename_to, s.name), query = definition.query, search_path = definition.search_path,
           columns = about.columns, reads = about.reads, mode = alter_sync.mode, removals = alter_sync.removals,
           max_removed = CASE WHEN alter_sync.max_removed = 'none' THEN NULL ELSE COALESCE(alter_sync.max_removed, s.max_removed) END,
           max_changed = CASE WHEN alter_sync.max_changed = 'none' THEN NULL ELSE COALESCE(alter_sync.max_changed, s.max_changed) END,
           min_rows = CASE WHEN alter_sync.min_rows = 'none' THEN NULL ELSE COALESCE(alter_sync.min_rows, s.min_rows) END,
           max_rejected = CASE WHEN alter_sync.max_rejected = 'none' THEN NULL ELSE COALESCE(alter_sync.max_rejected, s.max_rejected) END,
           max_attempts = COALESCE(alter_sync.max_attempts, s.max_attempts),
           hold_for = COALESCE(alter_sync.hold_for, s.hold_for),
           after = definition.after,
           alert_to = CASE WHEN alter_sync.alert_to = 'none' THEN NULL
                           ELSE COALESCE(alter_sync.alert_to::regclass, s.alert_to) END,
           may_remove = s.may_remove AND alter_sync.mode = s.mode
     WHERE s.id = definition.id;
    IF rename_to IS NOT NULL AND definition.job IS NOT NULL THEN
        PERFORM reverse_etl.schedule_sync(rename_to, definition.schedule);
    END IF;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING MESSAGE = format('sync "%s" already exists', rename_to);
END
$$;
COMMENT ON FUNCTION reverse_etl.alter_sync(text, text, text, text, text, text, text, text, integer, interval, text, text, text, text) IS 'changes a sync; what is not given stays, "none" takes a guard away. A changed query sends the rows whose output changed';

CREATE FUNCTION reverse_etl.drop_sync(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(drop_sync.name);
BEGIN
    PERFORM reverse_etl.unschedule_sync(definition.name) WHERE definition.job IS NOT NULL;
    DELETE FROM reverse_etl.sync_definitions WHERE id = definition.id;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_sync(text) IS 'removes a sync, its state and its history; what the destination has stays there';

-- What syncs need is not dropped or changed under them. These see all syncs, whoever drops or alters something: so they
-- run as the extension's owner.

CREATE FUNCTION reverse_etl.check_sync(sync integer) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_check_sync';
COMMENT ON FUNCTION reverse_etl.check_sync(integer) IS 'raises the error that the next run of a sync would raise';
REVOKE ALL ON FUNCTION reverse_etl.check_sync(integer) FROM PUBLIC;

CREATE FUNCTION reverse_etl.syncs_after_drop(cascade boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost record;
BEGIN
    DELETE FROM reverse_etl.sync_streams
     WHERE source IN (SELECT objid FROM pg_event_trigger_dropped_objects() WHERE classid = 'pg_class'::regclass AND objsubid = 0);
    FOR lost IN
        SELECT DISTINCT ON (s.id) s.id, s.name, o.object_type, o.object_identity,
               o.objid = s.destination AND o.objsubid = 0 AS is_destination
          FROM reverse_etl.sync_definitions AS s
          JOIN pg_event_trigger_dropped_objects() AS o
            ON NOT o.is_temporary
               AND CASE WHEN o.classid = 'pg_class'::regclass THEN o.objid = s.destination OR o.objid = ANY (s.reads)
                        ELSE o.object_type NOT IN ('default value', 'trigger', 'rule') AND o.address_names <> '{}'
                             AND strpos(s.query, o.address_names[cardinality(o.address_names)]) > 0 END
         ORDER BY s.id, is_destination DESC
    LOOP
        IF lost.is_destination AND cascade THEN
            RAISE NOTICE 'sync "%" is removed too', lost.name;
            DELETE FROM reverse_etl.sync_definitions WHERE id = lost.id;
            CONTINUE;
        END IF;
        BEGIN
            PERFORM reverse_etl.check_sync(lost.id);
        EXCEPTION WHEN OTHERS THEN
            IF NOT cascade THEN
                RAISE dependent_objects_still_exist USING
                    MESSAGE = format('cannot drop %s %s because sync "%s" needs it',
                                     lost.object_type, lost.object_identity, lost.name),
                    DETAIL = format('Without it the sync would fail: %s.', SQLERRM),
                    HINT = format('Change or drop the sync first: reverse_etl.alter_sync(%L, query => ...), reverse_etl.drop_sync(%L).',
                                  lost.name, lost.name);
            END IF;
            RAISE WARNING 'sync "%" will fail from now on: %', lost.name, SQLERRM;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl.syncs_after_drop(boolean) IS 'refuses to drop what a sync needs; a command that cascades is warned of';

CREATE FUNCTION reverse_etl.syncs_after_alter() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    altered record;
BEGIN
    FOR altered IN
        SELECT DISTINCT ON (s.id) s.id, s.name, c.object_type, c.object_identity
          FROM reverse_etl.sync_definitions AS s
          JOIN pg_event_trigger_ddl_commands() AS c
            ON c.classid = 'pg_class'::regclass AND (c.objid = s.destination OR c.objid = ANY (s.reads))
               OR c.classid = 'pg_namespace'::regclass
         ORDER BY s.id
    LOOP
        BEGIN
            PERFORM reverse_etl.check_sync(altered.id);
        EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
            -- Another may take its place, as tools that make tables anew do it.
            RAISE WARNING 'sync "%" will fail until there is another: %', altered.name, SQLERRM;
        WHEN OTHERS THEN
            RAISE dependent_objects_still_exist USING
                MESSAGE = format('cannot alter %s %s because sync "%s" needs it as it was',
                                 altered.object_type, altered.object_identity, altered.name),
                DETAIL = format('After that the sync would fail: %s.', SQLERRM),
                HINT = format('Change the sync first, so that it does without: reverse_etl.alter_sync(%L, query => ...).', altered.name);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl.syncs_after_alter() IS 'refuses to alter what a sync needs as it is';

-- Runs

CREATE FUNCTION reverse_etl.begin_run(sync integer, requested_by name, pid integer, OUT run bigint, OUT note text,
    OUT released boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
    other reverse_etl.runs;
    process timestamptz;
BEGIN
    -- Whoever comes at the same moment waits here, and then finds the run.
    SELECT * INTO STRICT definition FROM reverse_etl.sync_definitions WHERE id = begin_run.sync FOR UPDATE;
    SELECT backend_start INTO process FROM pg_stat_get_activity(begin_run.pid);
    released := false;
    PERFORM reverse_etl.settle_lost_rows(begin_run.sync);
    SELECT * INTO other FROM reverse_etl.runs
     WHERE sync_id = begin_run.sync AND status IN ('reading', 'delivering', 'cancelling');
    IF FOUND THEN
        IF other.status = 'reading'
           AND NOT EXISTS (SELECT FROM pg_stat_get_activity(other.pid) AS a
                            WHERE a.backend_start = other.process_started_at AND other.pid <> begin_run.pid) THEN
            -- Whoever read the model is gone, and nothing was queued.
            UPDATE reverse_etl.runs SET pid = begin_run.pid, process_started_at = process WHERE id = other.id;
            run := other.id;
            note := 'resumed';
            released := other.released_by IS NOT NULL;
        ELSE
            note := format('run %s of it is still under way', other.id);
            INSERT INTO reverse_etl.runs (sync_id, sync, status, reason, requested_by, finished_at)
            VALUES (begin_run.sync, definition.name, 'skipped', note, begin_run.requested_by, clock_timestamp());
        END IF;
        UPDATE reverse_etl.sync_definitions SET requested_at = NULL WHERE id = begin_run.sync AND begin_run.run IS NOT NULL;
        RETURN;
    END IF;
    UPDATE reverse_etl.sync_definitions SET requested_at = NULL WHERE id = begin_run.sync AND requested_at IS NOT NULL;
    UPDATE reverse_etl.runs AS r SET status = 'reading', pid = begin_run.pid, process_started_at = process,
           reason = NULL, finished_at = NULL, started_at = clock_timestamp()
     WHERE r.sync_id = begin_run.sync AND r.status = 'held' AND r.released_by IS NOT NULL
    RETURNING r.id INTO run;
    IF FOUND THEN
        released := true;
        -- Until it is queued nothing has an outcome.
        RETURN;
    END IF;
    UPDATE reverse_etl.runs SET status = 'expired', finished_at = clock_timestamp()
     WHERE sync_id = begin_run.sync AND status = 'held';
    INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by, pid, process_started_at)
    VALUES (begin_run.sync, definition.name, 'reading', begin_run.requested_by, begin_run.pid, process)
    RETURNING id INTO run;
END
$$;
COMMENT ON FUNCTION reverse_etl.begin_run(integer, name, integer) IS 'puts a run on record, unless one is under way; one whose process died is taken up';

CREATE FUNCTION reverse_etl.exceeds(bound text, number bigint, of_all bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN bound LIKE '%\%' THEN number > rtrim(bound, '%')::numeric / 100 * of_all
            ELSE number > bound::numeric END;
COMMENT ON FUNCTION reverse_etl.exceeds(text, bigint, bigint) IS 'whether a number is greater than a guard allows: so many, or so many percent of all';

-- The numbers of the runs before, against which guards in percent and alerts compare.
CREATE FUNCTION reverse_etl.usual_rows(sync integer, OUT last bigint, OUT mean numeric, OUT runs bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT (array_agg(rows ORDER BY id DESC))[1], avg(rows), count(*)
      FROM (SELECT id, queried - removed AS rows FROM reverse_etl.runs
             WHERE sync_id = usual_rows.sync AND status IN ('completed', 'cancelled') AND finished_at IS NOT NULL
             ORDER BY id DESC LIMIT 5) AS before;
END;
COMMENT ON FUNCTION reverse_etl.usual_rows(integer) IS 'how many rows the model of a sync had in its last runs';

CREATE FUNCTION reverse_etl.broken_guard(sync integer, run bigint, known bigint, queried bigint, changed bigint, removed bigint, invalid bigint)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
    held reverse_etl.runs;
    usual bigint;
    rows bigint := queried - removed;
BEGIN
    SELECT * INTO held FROM reverse_etl.runs WHERE id = run;
    SELECT * INTO definition FROM reverse_etl.sync_definitions WHERE id = sync;
    -- Whoever released a run has seen its numbers: it may not do more than that.
    IF held.released_by IS NOT NULL AND removed <= held.removed AND changed <= held.changed AND invalid <= held.invalid
       AND rows >= held.queried - held.removed THEN
        RETURN NULL;
    END IF;
    usual := (SELECT last FROM reverse_etl.usual_rows(definition.id));
    RETURN CASE
        WHEN removed > 0 AND reverse_etl.exceeds(definition.max_removed, removed, known) THEN
            format('it would remove %s of %s rows, and max_removed is %s', removed, known, definition.max_removed)
        WHEN known > 0 AND reverse_etl.exceeds(definition.max_changed, changed, known) THEN
            format('it would change %s of %s rows, and max_changed is %s', changed, known, definition.max_changed)
        WHEN definition.min_rows LIKE '%\%' AND usual IS NOT NULL
             AND rows < rtrim(definition.min_rows, '%')::numeric / 100 * usual THEN
            format('the query gives %s rows, the last run had %s, and min_rows is %s', rows, usual, definition.min_rows)
        WHEN definition.min_rows NOT LIKE '%\%' AND rows < definition.min_rows::numeric THEN
            format('the query gives %s rows, and min_rows is %s', rows, definition.min_rows)
        WHEN invalid > 0 AND reverse_etl.exceeds(definition.max_rejected, invalid, rows) THEN
            format('%s of %s rows cannot be sent, and max_rejected is %s', invalid, rows, definition.max_rejected)
    END;
END
$$;
COMMENT ON FUNCTION reverse_etl.broken_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint) IS 'why a run is to be held, before anything is sent; null if it is not';

CREATE FUNCTION reverse_etl.hold_run(run bigint, queried bigint, added bigint, changed bigint, removed bigint, invalid bigint,
    quarantined bigint, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reverse_etl.runs AS r
       SET status = 'held', queried = hold_run.queried, added = hold_run.added, changed = hold_run.changed,
           removed = hold_run.removed, invalid = hold_run.invalid, quarantined = hold_run.quarantined,
           unchanged = hold_run.queried - hold_run.added - hold_run.changed - hold_run.removed - hold_run.invalid,
           reason = hold_run.reason, released_by = NULL, pid = NULL
     WHERE id = run;
    PERFORM reverse_etl.note_health(run, 'held', hold_run.reason);
END
$$;
COMMENT ON FUNCTION reverse_etl.hold_run(bigint, bigint, bigint, bigint, bigint, bigint, bigint, text) IS 'stops a run before anything is sent';

CREATE FUNCTION reverse_etl.run_queued(run bigint, queried bigint, added bigint, changed bigint, removed bigint,
    invalid bigint, quarantined bigint, pushes bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reverse_etl.runs AS r
       SET status = 'delivering', queried = run_queued.queried, added = run_queued.added, changed = run_queued.changed,
           removed = run_queued.removed, invalid = run_queued.invalid, quarantined = run_queued.quarantined,
           unchanged = run_queued.queried - run_queued.added - run_queued.changed - run_queued.removed - run_queued.invalid,
           waiting = run_queued.added + run_queued.changed + run_queued.removed, pushes = run_queued.pushes,
           queued_at = clock_timestamp(), pid = NULL
     WHERE id = run;
    IF run_queued.added + run_queued.changed + run_queued.removed = 0 THEN
        PERFORM reverse_etl.end_run(run, 'completed', NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[]) IS 'notes what a run has queued; from here on the background worker sees to it';

CREATE FUNCTION reverse_etl.end_run(run bigint, status text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended reverse_etl.runs;
    definition reverse_etl.sync_definitions;
    usual record;
    tried bigint;
BEGIN
    -- What a guard has counted before the run was released is not what it did.
    UPDATE reverse_etl.runs
       SET queried = 0, added = 0, changed = 0, removed = 0, unchanged = 0, invalid = 0, quarantined = 0
     WHERE id = run AND runs.status = 'reading';
    UPDATE reverse_etl.runs AS r
       SET status = end_run.status, reason = COALESCE(end_run.reason, r.reason), finished_at = clock_timestamp(), pid = NULL
     WHERE id = run
    RETURNING * INTO ended;
    SELECT * INTO definition FROM reverse_etl.sync_definitions WHERE id = ended.sync_id;
    usual := reverse_etl.usual_rows(definition.id);
    tried := ended.added + ended.changed + ended.removed + ended.invalid;
    IF end_run.status = 'failed' THEN
        PERFORM reverse_etl.note_health(run, 'failed', ended.reason);
    ELSIF end_run.status = 'completed' AND tried >= 10 AND (ended.rejected + ended.invalid) * 10 > tried THEN
        PERFORM reverse_etl.note_health(run, 'rejecting',
            format('%s of %s rows did not get through', ended.rejected + ended.invalid, tried));
    ELSIF end_run.status = 'completed' AND ended.released_by IS NULL AND usual.runs > 3 AND usual.mean >= 10
          AND (ended.queried - ended.removed < usual.mean / 2 OR ended.queried - ended.removed > usual.mean * 2) THEN
        PERFORM reverse_etl.note_health(run, 'unusual',
            format('the query gave %s rows, and %s on average of the last runs', ended.queried - ended.removed,
                   round(usual.mean)));
    ELSIF end_run.status = 'completed' THEN
        PERFORM reverse_etl.note_health(run, 'ok', format('%s rows accepted', ended.accepted));
    END IF;
    IF end_run.status = 'completed' THEN
        UPDATE reverse_etl.sync_definitions SET has_run = true, may_remove = true
         WHERE id = ended.sync_id AND NOT (has_run AND may_remove);
        UPDATE reverse_etl.sync_definitions SET requested_at = clock_timestamp() WHERE after = ended.sync_id;
        IF FOUND THEN
            PERFORM reverse_etl.wake_worker();
        END IF;
    ELSE
        UPDATE reverse_etl.audit_log SET outcome = 'cancelled', finished_at = clock_timestamp()
         WHERE id = ANY (ended.pushes) AND outcome = 'queued';
    END IF;
    IF definition.requested_at IS NOT NULL THEN
        PERFORM reverse_etl.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.end_run(bigint, text, text) IS 'notes the end of a run, and what follows from it';

CREATE FUNCTION reverse_etl.note_health(run bigint, health text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_run record;
BEGIN
    SELECT r.sync_id, r.sync, s.health, s.alert_to INTO of_run
      FROM reverse_etl.runs AS r JOIN reverse_etl.sync_definitions AS s ON s.id = r.sync_id WHERE r.id = run;
    IF of_run.health = note_health.health THEN
        RETURN;
    END IF;
    UPDATE reverse_etl.sync_definitions AS s SET health = note_health.health WHERE id = of_run.sync_id;
    INSERT INTO reverse_etl.alerts (sync_id, sync, run_id, event, message, push_to)
    VALUES (of_run.sync_id, of_run.sync, run, CASE note_health.health WHEN 'ok' THEN 'recovered' ELSE note_health.health END,
            format('sync "%s" %s: %s (run %s)', of_run.sync,
                   CASE note_health.health WHEN 'ok' THEN 'recovered' WHEN 'held' THEN 'is held'
                        WHEN 'rejecting' THEN 'loses rows' WHEN 'unusual' THEN 'looks unusual' ELSE 'failed' END,
                   message, run), of_run.alert_to);
    IF of_run.alert_to IS NOT NULL THEN
        PERFORM reverse_etl.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.note_health(bigint, text, text) IS 'writes an alert if the health of a sync has changed';

-- The background worker calls it in the transaction that takes the rows out of the outbox.
CREATE FUNCTION reverse_etl.settle_sync_rows(sync integer, ids bigint[], outcomes text[], in_doubt bigint[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
    key text;
    same_key text;
    settled record;
    finished boolean := false;
BEGIN
    SELECT * INTO definition FROM reverse_etl.sync_definitions WHERE id = sync;
    IF NOT FOUND THEN
        RETURN false; -- it was dropped
    END IF;
    SELECT string_agg(quote_ident(name), ', '),
           string_agg(format('state.%1$I %2$s removed.%1$I', name, reverse_etl.equality_of(type)), ' AND ')
      INTO key, same_key FROM ROWS FROM (unnest(definition.key), unnest(definition.key_types)) AS k (name, type);
    FOR settled IN EXECUTE format($query$
        WITH outcomes AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest($1), unnest($2)) AS _ ("#row", outcome)
        ), failed AS (
            UPDATE reverse_etl.sync_%1$s_rows AS r
               SET "#row" = NULL, "#attempts" = r."#attempts" + (o.outcome = 'rejected')::int
              FROM outcomes AS o WHERE r."#row" = o."#row" AND o.outcome <> 'accepted'
            RETURNING r.*, o.outcome, o."#row" AS sent
        ), gone AS (
            DELETE FROM reverse_etl.sync_%1$s_rows AS r USING outcomes AS o
             WHERE r."#row" = o."#row" AND o.outcome = 'accepted'
            RETURNING r.*
        ), last AS MATERIALIZED (
            SELECT DISTINCT ON (%2$s) * FROM gone ORDER BY %2$s, "#row" DESC
        ), removed AS (
            DELETE FROM reverse_etl.sync_%1$s_state AS state USING last AS removed
             WHERE removed."#change" = '-' AND %3$s
        ), kept AS (
            INSERT INTO reverse_etl.sync_%1$s_state (%2$s, "#hash")
            SELECT %2$s, "#hash" FROM last WHERE "#change" <> '-' AND $3
            ON CONFLICT (%2$s) DO UPDATE SET "#hash" = excluded."#hash"
        ), in_doubt AS (
            -- The destination may have the row, and what it has nobody knows: it is to be sent or removed again.
            INSERT INTO reverse_etl.sync_%1$s_state (%2$s, "#hash")
            SELECT DISTINCT %2$s, NULL::bigint FROM failed WHERE sent = ANY ($4) AND $3
            ON CONFLICT (%2$s) DO UPDATE SET "#hash" = NULL
        )
        SELECT "#run" AS run, count(*) AS rows, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
               count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
               count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled
          FROM (SELECT "#run", 'accepted' AS outcome FROM gone UNION ALL SELECT "#run", outcome FROM failed) AS _
         WHERE "#run" IS NOT NULL GROUP BY 1$query$, sync, key, same_key)
        USING ids, outcomes, definition.detect = 'difference', in_doubt
    LOOP
        finished := reverse_etl.count_outcomes(settled.run, definition, settled.accepted, settled.rejected,
                                               settled.cancelled) OR finished;
    END LOOP;
    RETURN finished;
END
$$;
COMMENT ON FUNCTION reverse_etl.settle_sync_rows(integer, bigint[], text[], bigint[]) IS 'moves the state of a sync by the outcomes of its rows in the outbox; whether a run has ended';

-- A dump holds the run, and not the outbox; and a superuser may empty that.
CREATE FUNCTION reverse_etl.settle_lost_rows(sync integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost bigint[];
BEGIN
    UPDATE reverse_etl.runs AS r SET status = 'cancelling', reason = COALESCE(r.reason, 'its rows are not in the outbox any more')
     WHERE r.sync_id = settle_lost_rows.sync AND r.status IN ('delivering', 'cancelling')
       AND NOT EXISTS (SELECT FROM reverse_etl.outbox AS o WHERE o.sync = settle_lost_rows.sync);
    IF FOUND THEN
        EXECUTE format('SELECT array_agg("#row") FROM reverse_etl.sync_%s_rows WHERE "#row" IS NOT NULL', sync) INTO lost;
        PERFORM reverse_etl.settle_sync_rows(sync, lost, array_fill('cancelled'::text, ARRAY[cardinality(lost)]), lost);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.settle_lost_rows(integer) IS 'ends a run none of whose rows is in the outbox any more: they come again with the next one';

CREATE FUNCTION reverse_etl.count_outcomes(run bigint, definition reverse_etl.sync_definitions, accepted bigint,
    rejected bigint, cancelled bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counted reverse_etl.runs;
    sent bigint;
    too_many boolean;
BEGIN
    UPDATE reverse_etl.runs AS r
       SET accepted = r.accepted + count_outcomes.accepted, rejected = r.rejected + count_outcomes.rejected,
           cancelled = r.cancelled + count_outcomes.cancelled,
           waiting = r.waiting - count_outcomes.accepted - count_outcomes.rejected - count_outcomes.cancelled
     WHERE id = run
    RETURNING * INTO counted;
    sent := counted.added + counted.changed + counted.removed;
    too_many := COALESCE(counted.rejected > 0 AND counted.released_by IS NULL
                         AND reverse_etl.exceeds(definition.max_rejected, counted.rejected, sent), false);
    IF counted.waiting = 0 AND counted.status = 'cancelling' THEN
        PERFORM reverse_etl.end_run(run, CASE WHEN too_many THEN 'failed' ELSE 'cancelled' END, NULL);
    ELSIF counted.waiting = 0 AND counted.status = 'delivering' THEN
        PERFORM reverse_etl.end_run(run, 'completed', NULL);
    ELSIF too_many AND counted.status = 'delivering' THEN
        UPDATE reverse_etl.runs AS r
           SET status = 'cancelling',
               reason = format('the destination rejected %s of %s rows, and max_rejected is %s', counted.rejected, sent,
                               definition.max_rejected)
         WHERE id = run;
        PERFORM reverse_etl.wake_worker();
    END IF;
    RETURN counted.waiting = 0;
END
$$;
COMMENT ON FUNCTION reverse_etl.count_outcomes(bigint, reverse_etl.sync_definitions, bigint, bigint, bigint) IS 'adds outcomes to a run, and ends it with the last one';

-- A run that is asked for while another is under way comes after it.
CREATE FUNCTION reverse_etl.syncs_to_run() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.id FROM reverse_etl.sync_definitions AS s
     WHERE s.requested_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM reverse_etl.runs AS r
                        WHERE r.sync_id = s.id AND r.status IN ('reading', 'delivering', 'cancelling'))
    UNION ALL
    SELECT r.sync_id FROM reverse_etl.runs AS r
     WHERE r.status = 'reading'
       AND NOT EXISTS (SELECT FROM pg_stat_get_activity(r.pid) AS a WHERE a.backend_start = r.process_started_at);
END;
COMMENT ON FUNCTION reverse_etl.syncs_to_run() IS 'the syncs of which somebody asked for a run, or whose run''s process has died';

CREATE FUNCTION reverse_etl.has_sync_tasks() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM reverse_etl.syncs_to_run())
           OR EXISTS (SELECT FROM reverse_etl.alerts AS a
                       WHERE a.pushed_at IS NULL AND a.push_to IS NOT NULL AND a.created_at > now() - interval '1 day');
END;
COMMENT ON FUNCTION reverse_etl.has_sync_tasks() IS 'whether there is a run to begin or to resume, or an alert to push';

REVOKE ALL ON FUNCTION reverse_etl.begin_run(integer, name, integer), reverse_etl.broken_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint),
    reverse_etl.hold_run(bigint, bigint, bigint, bigint, bigint, bigint, bigint, text),
    reverse_etl.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[]), reverse_etl.end_run(bigint, text, text),
    reverse_etl.note_health(bigint, text, text), reverse_etl.settle_sync_rows(integer, bigint[], text[], bigint[]),
    reverse_etl.settle_lost_rows(integer),
    reverse_etl.count_outcomes(bigint, reverse_etl.sync_definitions, bigint, bigint, bigint), reverse_etl.syncs_to_run(),
    reverse_etl.has_sync_tasks()
    FROM PUBLIC;

CREATE PROCEDURE reverse_etl.run_sync(name text, wait boolean DEFAULT true)
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_run_sync';
COMMENT ON PROCEDURE reverse_etl.run_sync(text, boolean) IS 'sends what changed in the model of a sync, and waits until every row has its outcome';

CREATE FUNCTION reverse_etl.plan_sync(name text, most_rows integer DEFAULT 100, look_up boolean DEFAULT true,
    OUT operation text, OUT rows bigint, OUT requests bigint, OUT duration interval, OUT key jsonb, OUT old jsonb, OUT new jsonb,
    OUT reason text) RETURNS SETOF record
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_plan_sync';
COMMENT ON FUNCTION reverse_etl.plan_sync(text, integer, boolean) IS 'what a run would do now: a total for each operation, then the rows, as many as asked for, with the values that the destination has where they can be looked up';

CREATE FUNCTION reverse_etl.resync(name text, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_resync';
COMMENT ON FUNCTION reverse_etl.resync(text, text) IS 'has the next run send rows again for which a condition on the query''s columns holds; how many they are. That run removes nothing';

CREATE FUNCTION reverse_etl.adopt(name text) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_adopt';
COMMENT ON FUNCTION reverse_etl.adopt(text) IS 'takes rows of the model that the destination has already as sent; how many. Where values differ, the next run sends the row';

CREATE FUNCTION reverse_etl.cancel_run(run bigint) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_run reverse_etl.runs;
BEGIN
    SELECT * INTO found_run FROM reverse_etl.runs WHERE id = run;
    IF NOT FOUND THEN
        RAISE undefined_object USING MESSAGE = format('run %s does not exist', run), HINT = 'reverse_etl.runs lists them.';
    ELSIF found_run.status = 'reading' THEN
        PERFORM pg_cancel_backend(found_run.pid) WHERE found_run.pid <> pg_backend_pid();
    ELSIF found_run.status IN ('delivering', 'cancelling') THEN
        UPDATE reverse_etl.runs SET status = 'cancelling', reason = format('cancelled by %s', current_user)
         WHERE id = run AND status = 'delivering';
        PERFORM reverse_etl.wake_worker();
    ELSE
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('run %s is not under way', run), DETAIL = format('It is %s.', found_run.status);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.cancel_run(bigint) IS 'stops a run: what was accepted stays, the rest comes with the next run';

CREATE FUNCTION reverse_etl.release_run(run bigint) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held reverse_etl.runs;
    definition reverse_etl.sync_definitions;
BEGIN
    SELECT * INTO held FROM reverse_etl.runs WHERE id = run;
    SELECT * INTO definition FROM reverse_etl.sync_definitions WHERE id = held.sync_id;
    IF definition.id IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('run %s does not exist', run), HINT = 'reverse_etl.runs lists them.';
    ELSIF held.status <> 'held' OR held.started_at + definition.hold_for < clock_timestamp() THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('run %s cannot be released', run),
            DETAIL = CASE held.status WHEN 'held' THEN format('It was held more than %s ago.', definition.hold_for)
                     ELSE format('It is %s.', held.status) END,
            HINT = 'Run the sync anew.';
    END IF;
    UPDATE reverse_etl.runs SET released_by = current_user WHERE id = run;
    UPDATE reverse_etl.sync_definitions SET requested_at = clock_timestamp() WHERE id = definition.id;
    PERFORM reverse_etl.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.release_run(bigint) IS 'lets a run go on that a guard has held; it may do what it was held for, and no more';

CREATE FUNCTION reverse_etl.release_rows(name text, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(release_rows.name);
    released bigint;
BEGIN
    EXECUTE format('UPDATE reverse_etl.sync_%s_rows SET "#attempts" = 0 WHERE "#row" IS NULL AND "#attempts" >= $1 AND (%s)',
                   definition.id, condition) USING definition.max_attempts;
    GET DIAGNOSTICS released = ROW_COUNT;
    RETURN released;
END
$$;
COMMENT ON FUNCTION reverse_etl.release_rows(text, text) IS 'has the next run try quarantined rows again, those for whose keys the condition holds; how many they are';

-- Streams that feed a sync: rows whose keys a statement touched go at once, and the runs find them sent.

CREATE FUNCTION reverse_etl.push_sync() RETURNS trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_push_sync';
COMMENT ON FUNCTION reverse_etl.push_sync() IS 'trigger function of the triggers that stream_sync makes';

CREATE TABLE reverse_etl.sync_streams (
    sync_id integer NOT NULL,
    source regclass NOT NULL,
    keys text NOT NULL,
    UNIQUE (sync_id, source)
);
COMMENT ON TABLE reverse_etl.sync_streams IS 'tables whose changes go through a sync at once, as stream_sync made them';
COMMENT ON COLUMN reverse_etl.sync_streams.keys IS 'a SELECT over the changed rows, which have the name "changed": the keys of the sync''s rows that they may have touched';
SELECT pg_catalog.pg_extension_config_dump('reverse_etl.sync_streams', '');
ALTER TABLE reverse_etl.sync_streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_syncs ON reverse_etl.sync_streams
    USING (EXISTS (SELECT FROM reverse_etl.sync_definitions AS s WHERE s.id = sync_id));
COMMENT ON POLICY own_syncs ON reverse_etl.sync_streams IS 'a user sees, makes and removes those of their syncs';
GRANT SELECT, INSERT, DELETE ON reverse_etl.sync_streams TO PUBLIC;

CREATE FUNCTION reverse_etl.stream_sync(name text, source regclass, keys text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(stream_sync.name);
    missing text;
BEGIN
    IF definition.detect = 'cursor' THEN
        RAISE feature_not_supported USING
            MESSAGE = format('sync "%s" has a cursor, and keeps no state that a stream could feed', definition.name);
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
    INSERT INTO reverse_etl.sync_streams VALUES (definition.id, source, keys);
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_sync(%L)',
                   format('reverse_etl_sync_%s_insert', definition.id), source, definition.id);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed OLD TABLE AS changed_before
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_sync(%L)',
                   format('reverse_etl_sync_%s_update', definition.id), source, definition.id);
    EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push_sync(%L)',
                   format('reverse_etl_sync_%s_delete', definition.id), source, definition.id);
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('sync "%s" is already fed by "%s"', definition.name, source),
        HINT = 'Call reverse_etl.unstream_sync first.';
END
$$;
COMMENT ON FUNCTION reverse_etl.stream_sync(text, regclass, text) IS 'sends the rows of a sync whose keys a statement touches at once, in its transaction; runs go on to find the rest';

CREATE FUNCTION reverse_etl.unstream_sync(name text, source regclass) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(unstream_sync.name);
BEGIN
    DELETE FROM reverse_etl.sync_streams AS s WHERE s.sync_id = definition.id AND s.source = unstream_sync.source;
    IF NOT FOUND THEN
        RAISE undefined_object USING MESSAGE = format('sync "%s" is not fed by "%s"', definition.name, source);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.unstream_sync(text, regclass) IS 'has the changes of a table wait for the next run of the sync again';

-- The owner of a sync need not own the table: so the triggers are dropped with the rights of the extension's owner.
CREATE FUNCTION reverse_etl.drop_sync_triggers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trigger_name name;
BEGIN
    FOR trigger_name IN
        SELECT tgname FROM pg_trigger
         WHERE tgrelid = old.source AND tgfoid = 'reverse_etl.push_sync'::regproc
           AND tgname LIKE format('reverse\_etl\_sync\_%s\_%%', old.sync_id)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, old.source);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_sync_triggers() IS 'drops the triggers by which a table feeds a sync';
REVOKE ALL ON FUNCTION reverse_etl.drop_sync_triggers() FROM PUBLIC;
CREATE TRIGGER drop_triggers AFTER DELETE ON reverse_etl.sync_streams
    FOR EACH ROW EXECUTE FUNCTION reverse_etl.drop_sync_triggers();
COMMENT ON TRIGGER drop_triggers ON reverse_etl.sync_streams IS 'what feeds a sync and its triggers go together';

-- Schedules, by pg_cron

CREATE FUNCTION reverse_etl.schedule_sync(name text, schedule text) RETURNS bigint
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(schedule_sync.name);
    new_job bigint;
    cron_database text;
    command text := format('CALL reverse_etl.run_sync(%L, wait => false)', definition.name);
BEGIN
    PERFORM reverse_etl.next_run_after(schedule, now());
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        -- Not everyone may ask where it is.
        IF pg_has_role('pg_read_all_settings', 'USAGE') THEN
            cron_database := current_setting('cron.database_name', true);
        END IF;
        RAISE undefined_object USING
            MESSAGE = 'pg_cron is not installed in this database',
            DETAIL = COALESCE('It runs in database "' || cron_database || '".',
                              'It runs in one database of the server, if it is preloaded.'),
            HINT = CASE WHEN cron_database <> current_database()
                        THEN format('Call there: SELECT cron.schedule_in_database(%L, %L, %L, %L)',
                                    'reverse_etl ' || definition.name, schedule, command, current_database())
                        ELSE 'A superuser may CREATE EXTENSION pg_cron; or have another scheduler run ' || command END;
    ELSIF NOT has_schema_privilege('cron', 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'permission denied for schema cron',
            HINT = format('GRANT USAGE ON SCHEMA cron TO %I', current_user);
    END IF;
    PERFORM cron.unschedule(definition.job) WHERE EXISTS (SELECT FROM cron.job WHERE jobid = definition.job);
    new_job := cron.schedule('reverse_etl ' || definition.name, schedule, command);
    UPDATE reverse_etl.sync_definitions AS s
       SET schedule = schedule_sync.schedule, job = new_job, scheduled_at = clock_timestamp() WHERE id = definition.id;
    RETURN new_job;
END
$$;
COMMENT ON FUNCTION reverse_etl.schedule_sync(text, text) IS 'has pg_cron run a sync; returns the job''s id. The job runs as the role that calls this';

CREATE FUNCTION reverse_etl.unschedule_sync(name text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions := reverse_etl.find_sync(unschedule_sync.name);
BEGIN
    IF definition.job IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('sync "%s" has no schedule', definition.name);
    END IF;
    IF to_regclass('cron.job') IS NOT NULL THEN
        PERFORM cron.unschedule(definition.job) WHERE EXISTS (SELECT FROM cron.job WHERE jobid = definition.job);
    END IF;
    UPDATE reverse_etl.sync_definitions SET schedule = NULL, job = NULL, scheduled_at = NULL WHERE id = definition.id;
END
$$;
COMMENT ON FUNCTION reverse_etl.unschedule_sync(text) IS 'ends the schedule of a sync';

-- What there is to see

CREATE FUNCTION reverse_etl.quarantined_rows(sync integer, max_attempts integer) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rows bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM reverse_etl.sync_%s_rows WHERE "#row" IS NULL AND "#attempts" >= $1', sync)
       INTO rows USING max_attempts;
    RETURN rows;
END
$$;
COMMENT ON FUNCTION reverse_etl.quarantined_rows(integer, integer) IS 'how many rows of a sync were refused too often';

CREATE VIEW reverse_etl.syncs WITH (security_invoker = on) AS
SELECT s.id, s.name, s.owner, s.destination, s.mode, s.key,
       CASE WHEN under_way.id IS NOT NULL THEN under_way.status WHEN last.id IS NULL THEN 'new' ELSE last.status END AS state,
       s.health, last.id AS last_run, last.started_at AS last_run_at, s.schedule,
       reverse_etl.next_run_after(s.schedule, now()) AS next_run,
       COALESCE(GREATEST(last_try.started_at, s.scheduled_at) + interval '1 minute'
                < reverse_etl.last_run_before(s.schedule, now() - interval '1 minute'), false) AS overdue,
       COALESCE(under_way.waiting, 0) AS waiting,
       reverse_etl.quarantined_rows(s.id, s.max_attempts) AS quarantined,
       predecessor.name AS after, s.query
  FROM reverse_etl.sync_definitions AS s
  LEFT JOIN reverse_etl.sync_definitions AS predecessor ON predecessor.id = s.after
  LEFT JOIN reverse_etl.runs AS under_way
       ON under_way.sync_id = s.id AND under_way.status IN ('reading', 'delivering', 'cancelling')
  LEFT JOIN LATERAL (SELECT * FROM reverse_etl.runs AS r WHERE r.sync_id = s.id AND r.status <> 'skipped'
                      ORDER BY r.id DESC LIMIT 1) AS last ON true
  LEFT JOIN LATERAL (SELECT r.started_at FROM reverse_etl.runs AS r WHERE r.sync_id = s.id
                      ORDER BY r.id DESC LIMIT 1) AS last_try ON true;
COMMENT ON VIEW reverse_etl.syncs IS 'every sync: how it fares, its last run and its next; a user sees their own';
COMMENT ON COLUMN reverse_etl.syncs.state IS 'new, or the status of the run that is under way, or else of the last one';
COMMENT ON COLUMN reverse_etl.syncs.overdue IS 'a run should have begun more than a minute ago';
COMMENT ON COLUMN reverse_etl.syncs.waiting IS 'rows of the run under way that have no outcome yet';
COMMENT ON COLUMN reverse_etl.syncs.quarantined IS 'rows that were refused too often, and wait until they change or release_rows lets them go';
GRANT SELECT ON reverse_etl.syncs TO PUBLIC;

CREATE VIEW reverse_etl.run_progress WITH (security_invoker = on) AS
SELECT id AS run_id, sync, status AS phase, added + changed + removed AS rows_total,
       added + changed + removed - waiting AS rows_done, accepted, rejected,
       CASE WHEN queued_at IS NULL THEN NULL ELSE round(((accepted + rejected + cancelled)
            / GREATEST(EXTRACT(epoch FROM clock_timestamp() - queued_at), 0.001))::numeric, 1) END AS rows_per_second,
       CASE WHEN accepted + rejected + cancelled > 0
            THEN date_trunc('second', (clock_timestamp() - queued_at) * (waiting::float8 / (accepted + rejected + cancelled))) END
            AS time_left,
       pid, started_at
  FROM reverse_etl.runs WHERE status IN ('reading', 'delivering', 'cancelling');
COMMENT ON VIEW reverse_etl.run_progress IS 'each run that is under way, and how far it is; a user sees those of their syncs';
COMMENT ON COLUMN reverse_etl.run_progress.phase IS 'reading the model, delivering, or cancelling';
COMMENT ON COLUMN reverse_etl.run_progress.time_left IS 'at the rate so far';
GRANT SELECT ON reverse_etl.run_progress TO PUBLIC;

-- The guards come last: they look at everything that is made after them.

CREATE EVENT TRIGGER reverse_etl_guard_drop ON sql_drop EXECUTE FUNCTION reverse_etl.guard_definitions();
COMMENT ON EVENT TRIGGER reverse_etl_guard_drop IS 'streams go with their tables; what streams and syncs need is not dropped under them';
CREATE EVENT TRIGGER reverse_etl_guard_alter ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA',
                 'ALTER TRIGGER', 'CREATE VIEW', 'DROP OWNED')
    EXECUTE FUNCTION reverse_etl.guard_definitions();
COMMENT ON EVENT TRIGGER reverse_etl_guard_alter IS 'columns that streams and syncs need are not renamed or retyped under them';
