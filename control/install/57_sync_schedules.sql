-- Schedules, by pg_cron, whose jobs are the caller's

-- By its name: after a dump was restored elsewhere, the number may be that of a job which is somebody else's.
CREATE FUNCTION reverse_etl_internal.drop_job(caller oid, job bigint, sync text) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('cron.job') IS NOT NULL THEN
        PERFORM reverse_etl_internal.execute_as(caller, format(
            'SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = %L AND database = %L',
            'reverse_etl ' || sync, current_database()));
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.drop_job(oid, bigint, text) IS 'ends the job of a sync in pg_cron for a role, if it is there and is that sync''s';

CREATE FUNCTION reverse_etl.schedule_sync(name text, schedule text) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.schedule_sync_as(caller oid, name text, schedule text) RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, schedule_sync_as.name);
    new_job bigint;
    cron_database text;
    command text := format('CALL reverse_etl.run_sync(%L, wait => false)', definition.name);
BEGIN
    PERFORM reverse_etl.next_run_after(schedule, now());
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        -- Not everyone may ask where it is.
        IF pg_has_role(caller, 'pg_read_all_settings', 'USAGE') THEN
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
    ELSIF NOT has_schema_privilege(caller, 'cron', 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'permission denied for schema cron',
            HINT = format('GRANT USAGE ON SCHEMA cron TO %I', pg_get_userbyid(caller));
    END IF;
    PERFORM reverse_etl_internal.drop_job(caller, definition.job, definition.name);
    new_job := (reverse_etl_internal.execute_as(caller, format('SELECT cron.schedule(%L, %L, %L)', 'reverse_etl ' || definition.name,
                                                      schedule, command)))[1];
    UPDATE reverse_etl_internal.sync_definitions AS s
       SET schedule = schedule_sync_as.schedule, job = new_job, scheduled_at = clock_timestamp() WHERE id = definition.id;
    RETURN new_job;
END
$$;
COMMENT ON FUNCTION reverse_etl.schedule_sync(text, text) IS 'has pg_cron run a sync; returns the job''s id. The job runs as the role that calls this';

CREATE FUNCTION reverse_etl.unschedule_sync(name text) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.unschedule_sync_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, unschedule_sync_as.name);
BEGIN
    IF definition.job IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('sync "%s" has no schedule', definition.name);
    END IF;
    PERFORM reverse_etl_internal.drop_job(caller, definition.job, definition.name);
    UPDATE reverse_etl_internal.sync_definitions SET schedule = NULL, job = NULL, scheduled_at = NULL WHERE id = definition.id;
END
$$;
COMMENT ON FUNCTION reverse_etl.unschedule_sync(text) IS 'ends the schedule of a sync';
COMMENT ON FUNCTION reverse_etl_internal.schedule_sync_as(oid, text, text) IS 'schedule_sync() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.unschedule_sync_as(oid, text) IS 'unschedule_sync() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.drop_job(oid, bigint, text), reverse_etl_internal.schedule_sync_as(oid, text, text),
    reverse_etl_internal.unschedule_sync_as(oid, text) FROM PUBLIC;
