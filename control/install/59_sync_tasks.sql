-- What the background worker finds to do for syncs.

-- A run that is asked for while another is under way comes after it.
CREATE FUNCTION reverse_etl_internal.syncs_to_run(sync integer DEFAULT NULL) RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.id FROM reverse_etl_internal.sync_definitions AS s
     WHERE s.requested_at IS NOT NULL AND (syncs_to_run.sync IS NULL OR s.id = syncs_to_run.sync)
       AND NOT EXISTS (SELECT FROM reverse_etl.runs AS r
                        WHERE r.sync_id = s.id AND r.status IN ('reading', 'delivering', 'cancelling'))
    UNION ALL
    SELECT r.sync_id FROM reverse_etl.runs AS r
     WHERE (r.status = 'reading' OR r.status IN ('delivering', 'cancelling')
                                    AND EXISTS (SELECT FROM reverse_etl_internal.straight_runs AS t WHERE t.run_id = r.id))
       AND (syncs_to_run.sync IS NULL OR r.sync_id = syncs_to_run.sync)
       AND NOT reverse_etl_internal.is_worked_at(r.id);
END;
COMMENT ON FUNCTION reverse_etl_internal.syncs_to_run(integer) IS 'the syncs of which somebody asked for a run, or whose run nobody works at any more; only this one, if it is among them';

CREATE FUNCTION reverse_etl_internal.give_up_run(sync integer, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failed bigint;
BEGIN
    UPDATE reverse_etl_internal.sync_definitions SET requested_at = NULL WHERE id = give_up_run.sync;
    SELECT id INTO failed FROM reverse_etl.runs AS r
     WHERE r.sync_id = give_up_run.sync
       AND (r.status = 'reading' OR EXISTS (SELECT FROM reverse_etl_internal.straight_runs AS t WHERE t.run_id = r.id));
    IF NOT FOUND THEN
        INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by)
        SELECT id, name, 'reading', current_user FROM reverse_etl_internal.sync_definitions WHERE id = give_up_run.sync
        RETURNING id INTO failed;
    END IF;
    PERFORM reverse_etl_internal.fail_run(failed, give_up_run.reason, false) WHERE failed IS NOT NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.give_up_run(integer, text) IS 'notes that a run which somebody asked for could not begin, so that the next sync has its turn';

CREATE FUNCTION reverse_etl_internal.has_sync_tasks() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM reverse_etl_internal.syncs_to_run())
           OR EXISTS (SELECT FROM reverse_etl.alerts AS a
                       WHERE a.pushed_at IS NULL AND a.push_to IS NOT NULL AND a.created_at > now() - interval '1 day');
END;
COMMENT ON FUNCTION reverse_etl_internal.has_sync_tasks() IS 'whether there is a run to begin or to resume, or an alert to push';

REVOKE ALL ON FUNCTION reverse_etl_internal.syncs_to_run(integer),
    reverse_etl_internal.give_up_run(integer, text),
    reverse_etl_internal.has_sync_tasks() FROM PUBLIC;
