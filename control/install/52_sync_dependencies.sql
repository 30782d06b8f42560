-- What syncs need is not dropped or changed under them.

CREATE FUNCTION reverse_etl_internal.check_sync(sync integer) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_check_sync';
COMMENT ON FUNCTION reverse_etl_internal.check_sync(integer) IS 'raises the error that the next run of a sync would raise';

CREATE FUNCTION reverse_etl_internal.is_broken(sync integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT broken IS NOT NULL FROM reverse_etl_internal.sync_definitions WHERE id = sync);
COMMENT ON FUNCTION reverse_etl_internal.is_broken(integer) IS 'whether a sync was broken before the running command, or by one that was let pass';

CREATE FUNCTION reverse_etl_internal.syncs_before(relations text[], schemas oid[], others text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sync record;
    began timestamptz := clock_timestamp();
BEGIN
    FOR sync IN
        SELECT s.id FROM reverse_etl_internal.sync_definitions AS s
         WHERE s.needs && others
            OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = ANY (s.reads || s.destination) AND c.relname = ANY (relations))
            OR EXISTS (SELECT FROM unnest(schemas) AS schema
                        WHERE reverse_etl_internal.uses_schema(schema, s.reads || s.destination, s.needs))
         ORDER BY s.id
    LOOP
        -- Tables of one name are many, and so may be what reads them.
        EXIT WHEN clock_timestamp() > began + interval '1 s';
        UPDATE reverse_etl_internal.sync_definitions AS s SET broken = fault FROM reverse_etl_internal.fault_of(sync => sync.id) AS fault
         WHERE s.id = sync.id AND fault IS DISTINCT FROM s.broken;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.syncs_before(text[], oid[], text[]) IS 'notes which syncs are broken already, of those that a command may matter to';

CREATE FUNCTION reverse_etl_internal.syncs_that_lost(OUT id integer, OUT name text, OUT object_type text, OUT object_identity text,
    OUT is_destination boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT ON (s.id) s.id, s.name, o.object_type, o.object_identity,
           o.objid = s.destination AND o.objsubid = 0 AS is_destination
      FROM reverse_etl_internal.sync_definitions AS s
      JOIN pg_event_trigger_dropped_objects() AS o
        ON NOT o.is_temporary
           AND CASE WHEN o.classid = 'pg_class'::regclass THEN o.objid = s.destination OR o.objid = ANY (s.reads)
                    ELSE o.object_type NOT IN ('default value', 'trigger', 'rule') AND o.address_names <> '{}'
                         AND COALESCE(o.object_name, o.address_names[cardinality(o.address_names)]) = ANY (s.needs) END
     ORDER BY s.id, is_destination DESC;
END;
COMMENT ON FUNCTION reverse_etl_internal.syncs_that_lost() IS 'the syncs that may need what the running command has dropped';

CREATE FUNCTION reverse_etl_internal.syncs_after_drop(cascade boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN SELECT * FROM reverse_etl_internal.syncs_that_lost() LOOP
        IF lost.is_destination AND cascade THEN
            RAISE NOTICE 'sync "%" is removed too', lost.name;
            DELETE FROM reverse_etl_internal.sync_definitions WHERE id = lost.id;
            CONTINUE;
        END IF;
        BEGIN
            PERFORM reverse_etl_internal.check_sync(lost.id);
        EXCEPTION WHEN OTHERS THEN
            IF NOT cascade AND NOT reverse_etl_internal.is_broken(lost.id) THEN
                RAISE dependent_objects_still_exist USING
                    MESSAGE = format('cannot drop %s %s because sync "%s" needs it',
                                     lost.object_type, lost.object_identity, lost.name),
                    DETAIL = format('Without it the sync would fail: %s.', SQLERRM),
                    HINT = CASE WHEN lost.is_destination THEN format('Drop the sync first: reverse_etl.drop_sync(%L).', lost.name)
                           ELSE format('Change or drop the sync first: reverse_etl.alter_sync(%L, query => ...), reverse_etl.drop_sync(%L).',
                                       lost.name, lost.name) END;
            END IF;
            RAISE WARNING 'sync "%" will fail from now on: %', lost.name, SQLERRM;
            UPDATE reverse_etl_internal.sync_definitions SET broken = SQLERRM WHERE id = lost.id;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.syncs_after_drop(boolean) IS 'refuses to drop what a sync needs; a command that cascades is warned of';

CREATE FUNCTION reverse_etl_internal.altered_syncs(OUT id integer, OUT name text, OUT object_type text, OUT object_identity text)
RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT ON (s.id) s.id, s.name, c.object_type, c.object_identity
      FROM reverse_etl_internal.sync_definitions AS s
      JOIN pg_event_trigger_ddl_commands() AS c
        ON c.classid = 'pg_class'::regclass AND (c.objid = s.destination OR c.objid = ANY (s.reads))
           OR c.classid = 'pg_namespace'::regclass AND reverse_etl_internal.uses_schema(c.objid, s.reads || s.destination, s.needs)
     ORDER BY s.id;
END;
COMMENT ON FUNCTION reverse_etl_internal.altered_syncs() IS 'the syncs that may need what the running command has altered';

CREATE FUNCTION reverse_etl_internal.syncs_after_alter() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    altered record;
BEGIN
    FOR altered IN SELECT * FROM reverse_etl_internal.altered_syncs() LOOP
        BEGIN
            PERFORM reverse_etl_internal.check_sync(altered.id), reverse_etl_internal.renew_key_forms(altered.id);
        EXCEPTION WHEN OTHERS THEN
            CONTINUE WHEN reverse_etl_internal.is_broken(altered.id);
            -- Another may take its place, as tools that make tables anew do it.
            IF SQLSTATE IN ('42P01', '3F000') THEN
                RAISE WARNING 'sync "%" will fail until there is another: %', altered.name, SQLERRM;
                UPDATE reverse_etl_internal.sync_definitions SET broken = SQLERRM WHERE id = altered.id;
                CONTINUE;
            END IF;
            RAISE dependent_objects_still_exist USING
                MESSAGE = format('cannot alter %s %s because sync "%s" needs it as it was',
                                 altered.object_type, altered.object_identity, altered.name),
                DETAIL = format('After that the sync would fail: %s.', SQLERRM),
                HINT = format('Change the sync first, so that it does without: reverse_etl.alter_sync(%L, query => ...).', altered.name);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.syncs_after_alter() IS 'refuses to alter what a sync needs as it is';
REVOKE ALL ON FUNCTION reverse_etl_internal.check_sync(integer), reverse_etl_internal.syncs_before(text[], oid[], text[]),
    reverse_etl_internal.is_broken(integer), reverse_etl_internal.syncs_that_lost(),
    reverse_etl_internal.syncs_after_drop(boolean),
    reverse_etl_internal.altered_syncs(), reverse_etl_internal.syncs_after_alter() FROM PUBLIC;
