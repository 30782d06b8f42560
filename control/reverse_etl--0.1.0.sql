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
COMMENT ON COLUMN reverse_etl.audit_log.statement IS 'the kind of statement: INSERT, UPDATE, DELETE, COPY or MERGE';
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

CREATE FUNCTION reverse_etl.guard_streams() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_guard_streams';
COMMENT ON FUNCTION reverse_etl.guard_streams() IS 'function of the event triggers that guard what streams need';

REVOKE ALL ON FUNCTION reverse_etl.check_stream(text), reverse_etl.guard_streams() FROM PUBLIC;

CREATE EVENT TRIGGER reverse_etl_streams_drop ON sql_drop EXECUTE FUNCTION reverse_etl.guard_streams();
COMMENT ON EVENT TRIGGER reverse_etl_streams_drop IS 'streams go with their tables, and keep the columns that they need';
CREATE EVENT TRIGGER reverse_etl_streams_alter ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA',
                 'ALTER TRIGGER', 'CREATE VIEW', 'DROP OWNED')
    EXECUTE FUNCTION reverse_etl.guard_streams();
COMMENT ON EVENT TRIGGER reverse_etl_streams_alter IS 'columns that streams need are not renamed or retyped under them';

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
