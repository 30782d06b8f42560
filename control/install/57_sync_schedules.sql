-- Schedules, by pg_cron

-- By its name: after a dump was restored elsewhere, the number may be that of a job which is somebody else's.
CREATE FUNCTION reverse_etl.drop_job(job bigint, sync text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF job IS NOT NULL AND to_regclass('cron.job') IS NOT NULL THEN
        PERFORM cron.unschedule(j.jobid) FROM cron.job AS j
          WHERE j.jobname = 'reverse_etl ' || sync AND j.database = current_database();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_job(bigint, text) IS 'removes the job of a sync in pg_cron, if it is there and is that sync''s';

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
    PERFORM reverse_etl.drop_job(definition.job, definition.name);
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
    PERFORM reverse_etl.drop_job(definition.job, definition.name);
    UPDATE reverse_etl.sync_definitions SET schedule = NULL, job = NULL, scheduled_at = NULL WHERE id = definition.id;
END
$$;
COMMENT ON FUNCTION reverse_etl.unschedule_sync(text) IS 'ends the schedule of a sync';

