-- Connectors

CREATE TABLE reverse_etl_internal.custom_connectors (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]*$'),
    manifest json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by name NOT NULL DEFAULT session_user
);
COMMENT ON TABLE reverse_etl_internal.custom_connectors IS 'connectors made by reverse_etl.create_connector';
COMMENT ON COLUMN reverse_etl_internal.custom_connectors.manifest IS 'how the connector speaks with its destination';
-- Whoever may use a connector must be able to read it. A manifest holds no secrets.
GRANT SELECT ON reverse_etl_internal.custom_connectors TO PUBLIC;

CREATE FUNCTION reverse_etl_internal.all_connectors(OUT name text, OUT title text, OUT category text, OUT objects text[],
                                                    OUT operations text[], OUT auth text[], OUT batches text, OUT truth text,
                                                    OUT documentation text, OUT version text) RETURNS SETOF record
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_all_connectors';
COMMENT ON FUNCTION reverse_etl_internal.all_connectors() IS 'what manifests say of their connectors, and tests of those that came with the extension; see reverse_etl.connectors';

CREATE FUNCTION reverse_etl.show_manifest(name text) RETURNS json
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_show_manifest';
COMMENT ON FUNCTION reverse_etl.show_manifest(text) IS 'the manifest of a connector, with what it has from those that it extends';

CREATE FUNCTION reverse_etl.describe_connector(name text, format text DEFAULT 'text') RETURNS SETOF text
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_describe_connector';
COMMENT ON FUNCTION reverse_etl.describe_connector(text, text) IS 'a page about a connector: what to ask the vendor for, what to type, its objects and limits; as text for psql, or in markdown';

CREATE VIEW reverse_etl.connectors AS
SELECT connector.name, title, category, objects, operations, auth, truth::jsonb AS truth, documentation, version,
       custom.name IS NULL AS built_in, custom.manifest ->> 'extends' AS extends
  FROM reverse_etl_internal.all_connectors() AS connector
  LEFT JOIN reverse_etl_internal.custom_connectors AS custom ON custom.name = connector.name;
COMMENT ON VIEW reverse_etl.connectors IS 'every connector that CREATE SERVER ... OPTIONS (connector ...) may name';
GRANT SELECT ON reverse_etl.connectors TO PUBLIC;

CREATE VIEW reverse_etl.credentials AS
SELECT connectors.name AS connector, credential.key AS name, credential.value ->> 'description' AS description,
       credential.value ->> 'example' AS example, credential.value ->> 'documentation' AS documentation
  FROM reverse_etl.connectors,
       -- One without a title cannot be read any more.
       json_each(CASE WHEN title IS NOT NULL THEN reverse_etl.show_manifest(connectors.name) END -> 'credentials') AS credential
 WHERE credential.key <> '$note';
COMMENT ON VIEW reverse_etl.credentials IS 'what a user mapping for a server of each connector may hold, and where the vendor tells of it';
GRANT SELECT ON reverse_etl.credentials TO PUBLIC;

CREATE FUNCTION reverse_etl.check_manifest(name text, manifest text) RETURNS void
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_check_manifest';
COMMENT ON FUNCTION reverse_etl.check_manifest(text, text) IS 'raises an error that names the first fault of a connector manifest by its JSON pointer';

-- Both write as the owner, so that EXECUTE is all that a role has to be granted: nobody may write into the table itself.
CREATE FUNCTION reverse_etl.create_connector(name text, manifest json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- One after the other: what is extended stays as it was checked. A transaction that does not see what others did
    -- meanwhile fails to write the row of the base.
    LOCK TABLE reverse_etl_internal.custom_connectors IN SHARE ROW EXCLUSIVE MODE;
    UPDATE reverse_etl_internal.custom_connectors SET manifest = custom_connectors.manifest
     WHERE custom_connectors.name = create_connector.manifest ->> 'extends';
    PERFORM reverse_etl.check_manifest(create_connector.name, create_connector.manifest::text);
    INSERT INTO reverse_etl_internal.custom_connectors (name, manifest)
    VALUES (create_connector.name, create_connector.manifest)
    ON CONFLICT ON CONSTRAINT custom_connectors_pkey DO UPDATE SET manifest = excluded.manifest;
END
$$;
COMMENT ON FUNCTION reverse_etl.create_connector(text, json) IS 'makes a connector from a manifest, or replaces the one of that name';

CREATE FUNCTION reverse_etl.drop_connector(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    server text;
    extenders text;
BEGIN
    LOCK TABLE reverse_etl_internal.custom_connectors IN SHARE ROW EXCLUSIVE MODE;
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
    SELECT pg_catalog.string_agg(pg_catalog.format('"%s"', c.name), ', ' ORDER BY c.name) INTO extenders
      FROM reverse_etl_internal.custom_connectors AS c WHERE c.manifest ->> 'extends' = drop_connector.name;
    IF extenders IS NOT NULL THEN
        RAISE dependent_objects_still_exist USING
            MESSAGE = format('cannot drop connector "%s" because others extend it', drop_connector.name),
            DETAIL = format('They are: %s.', extenders),
            HINT = 'Drop them first.';
    END IF;
    DELETE FROM reverse_etl_internal.custom_connectors WHERE custom_connectors.name = drop_connector.name;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('custom connector "%s" does not exist', drop_connector.name),
            HINT = 'reverse_etl.connectors lists them. Those that came with the extension cannot be dropped.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_connector(text) IS 'drops a connector that create_connector made';

REVOKE ALL ON FUNCTION reverse_etl.create_connector(text, json), reverse_etl.drop_connector(text) FROM PUBLIC;
