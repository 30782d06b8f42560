-- Runs: their states, and all that leads from one to another. C++ tells what happened (began, queued, must be held,
-- failed) and only reads what came of it.
--
--   begin_run          -> reading, or skipped; one that is held -> reading if it was released, else expired
--   hold_run           reading -> held
--   run_queued         reading -> delivering, or completed where there is nothing to deliver
--   fail_run           reading -> failed, cancelled
--   cancel_run         delivering -> cancelling (55_sync_functions.sql)
--   settle_lost_rows   delivering -> cancelling (54_sync_outcomes.sql)
--   count_outcomes     delivering -> completed, cancelling; cancelling -> cancelled, failed (54_sync_outcomes.sql)

CREATE FUNCTION reverse_etl_internal.begin_run(sync integer, requested_by name, pid integer, OUT run bigint, OUT note text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    other reverse_etl.runs;
    process timestamptz;
BEGIN
    -- Whoever comes at the same moment waits here, and then finds the run.
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions WHERE id = begin_run.sync FOR UPDATE;
    SELECT backend_start INTO process FROM pg_stat_get_activity(begin_run.pid);
    PERFORM reverse_etl_internal.settle_lost_rows(begin_run.sync);
    SELECT * INTO other FROM reverse_etl.runs
     WHERE sync_id = begin_run.sync AND status IN ('reading', 'delivering', 'cancelling');
    IF FOUND THEN
        IF other.status = 'reading'
           AND NOT EXISTS (SELECT FROM pg_stat_get_activity(other.pid) AS a
                            WHERE a.backend_start = other.process_started_at AND other.pid <> begin_run.pid) THEN
            -- Whoever read the model is gone, and nothing was queued.
            UPDATE reverse_etl.runs SET pid = begin_run.pid, process_started_at = process WHERE id = other.id;
            run := other.id;
        ELSE
            note := format('run %s of it is still under way', other.id);
            INSERT INTO reverse_etl.runs (sync_id, sync, status, reason, requested_by, finished_at)
            VALUES (begin_run.sync, definition.name, 'skipped', note, begin_run.requested_by, clock_timestamp());
        END IF;
        UPDATE reverse_etl_internal.sync_definitions SET requested_at = NULL WHERE id = begin_run.sync AND begin_run.run IS NOT NULL;
        RETURN;
    END IF;
    UPDATE reverse_etl_internal.sync_definitions SET requested_at = NULL WHERE id = begin_run.sync AND requested_at IS NOT NULL;
    UPDATE reverse_etl.runs AS r SET status = 'reading', pid = begin_run.pid, process_started_at = process,
           reason = NULL, finished_at = NULL, started_at = clock_timestamp()
     WHERE r.sync_id = begin_run.sync AND r.status = 'held' AND r.released_by IS NOT NULL
    RETURNING r.id INTO run;
    IF FOUND THEN
        RETURN;
    END IF;
    UPDATE reverse_etl.runs SET status = 'expired', finished_at = clock_timestamp()
     WHERE sync_id = begin_run.sync AND status = 'held';
    INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by, pid, process_started_at)
    VALUES (begin_run.sync, definition.name, 'reading', begin_run.requested_by, begin_run.pid, process)
    RETURNING id INTO run;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.begin_run(integer, name, integer) IS 'puts a run on record, unless one is under way; one whose process died is taken up';

CREATE FUNCTION reverse_etl_internal.exceeds(bound text, number bigint, of_all bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN right(bound, 1) = '%' THEN number > rtrim(bound, '%')::numeric / 100 * of_all
            ELSE number > bound::numeric END;
COMMENT ON FUNCTION reverse_etl_internal.exceeds(text, bigint, bigint) IS 'whether a number is greater than a guard allows: so many, or so many percent of all';

-- The numbers of the runs before, against which guards in percent and alerts compare.
CREATE FUNCTION reverse_etl_internal.usual_rows(sync integer, OUT last bigint, OUT mean numeric, OUT runs bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT (array_agg(rows ORDER BY id DESC))[1], avg(rows), count(*)
      FROM (SELECT id, queried - removed AS rows FROM reverse_etl.runs
             WHERE sync_id = usual_rows.sync AND status IN ('completed', 'cancelled') AND queued_at IS NOT NULL
             ORDER BY id DESC LIMIT 5) AS before;
END;
COMMENT ON FUNCTION reverse_etl_internal.usual_rows(integer) IS 'how many rows the model of a sync had in its last runs';

CREATE FUNCTION reverse_etl_internal.broken_guard(sync integer, run bigint, known bigint, queried bigint, changed bigint, removed bigint, invalid bigint)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    held reverse_etl.runs;
    usual bigint;
    rows bigint := queried - removed;
BEGIN
    SELECT * INTO held FROM reverse_etl.runs WHERE id = run;
    SELECT * INTO definition FROM reverse_etl_internal.sync_definitions WHERE id = sync;
    -- Whoever released a run has seen its numbers: it may not do more than that.
    IF held.released_by IS NOT NULL AND removed <= held.removed AND changed <= held.changed AND invalid <= held.invalid
       AND rows >= held.queried - held.removed THEN
        RETURN NULL;
    END IF;
    usual := (SELECT last FROM reverse_etl_internal.usual_rows(definition.id));
    RETURN CASE
        WHEN removed > 0 AND reverse_etl_internal.exceeds(definition.max_removed, removed, known) THEN
            format('it would remove %s of %s rows, and max_removed is %s', removed, known, definition.max_removed)
        WHEN known > 0 AND reverse_etl_internal.exceeds(definition.max_changed, changed, known) THEN
            format('it would change %s of %s rows, and max_changed is %s', changed, known, definition.max_changed)
        WHEN definition.min_rows LIKE '%\%' AND usual IS NOT NULL
             AND rows < rtrim(definition.min_rows, '%')::numeric / 100 * usual THEN
            format('the query gives %s rows, the last run had %s, and min_rows is %s', rows, usual, definition.min_rows)
        WHEN definition.min_rows NOT LIKE '%\%' AND rows < definition.min_rows::numeric THEN
            format('the query gives %s rows, and min_rows is %s', rows, definition.min_rows)
        WHEN invalid > 0 AND reverse_etl_internal.exceeds(definition.max_rejected, invalid, rows) THEN
            format('%s of %s rows cannot be sent, and max_rejected is %s', invalid, rows, definition.max_rejected)
    END;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.broken_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint) IS 'why a run is to be held, before anything is sent; null if it is not';

CREATE FUNCTION reverse_etl_internal.hold_run(run bigint, queried bigint, added bigint, changed bigint, removed bigint, invalid bigint,
    quarantined bigint, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reverse_etl.runs AS r
       SET status = 'held', queried = hold_run.queried, added = hold_run.added, changed = hold_run.changed,
           removed = hold_run.removed, invalid = hold_run.invalid, quarantined = hold_run.quarantined,
           unchanged = hold_run.queried - hold_run.added - hold_run.changed - hold_run.removed - hold_run.invalid,
           reason = hold_run.reason, released_by = NULL, pid = NULL
     WHERE id = run;
    PERFORM reverse_etl_internal.note_health(run, 'held', hold_run.reason);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.hold_run(bigint, bigint, bigint, bigint, bigint, bigint, bigint, text) IS 'stops a run before anything is sent';

CREATE FUNCTION reverse_etl_internal.run_queued(run bigint, queried bigint, added bigint, changed bigint, removed bigint,
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
        PERFORM reverse_etl_internal.end_run(run, 'completed', NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[]) IS 'notes what a run has queued; from here on the background worker sees to it';

CREATE FUNCTION reverse_etl_internal.end_run(run bigint, status text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended reverse_etl.runs;
    definition reverse_etl_internal.sync_definitions;
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
    SELECT * INTO definition FROM reverse_etl_internal.sync_definitions WHERE id = ended.sync_id;
    usual := reverse_etl_internal.usual_rows(definition.id);
    tried := ended.added + ended.changed + ended.removed + ended.invalid;
    IF end_run.status = 'failed' THEN
        PERFORM reverse_etl_internal.note_health(run, 'failed', ended.reason);
    ELSIF end_run.status = 'completed' AND tried >= 10 AND (ended.rejected + ended.invalid) * 10 > tried THEN
        PERFORM reverse_etl_internal.note_health(run, 'rejecting',
            format('%s of %s rows did not get through', ended.rejected + ended.invalid, tried));
    ELSIF end_run.status = 'completed' AND ended.released_by IS NULL AND usual.runs > 3 AND usual.mean >= 10
          AND (ended.queried - ended.removed < usual.mean / 2 OR ended.queried - ended.removed > usual.mean * 2) THEN
        PERFORM reverse_etl_internal.note_health(run, 'unusual',
            format('the query gave %s rows, and %s on average of the last runs', ended.queried - ended.removed,
                   round(usual.mean)));
    ELSIF end_run.status = 'completed' THEN
        PERFORM reverse_etl_internal.note_health(run, 'ok', format('%s rows accepted', ended.accepted));
    END IF;
    IF end_run.status = 'completed' THEN
        UPDATE reverse_etl_internal.sync_definitions
           SET has_run = true, may_remove = true, hash_version = reverse_etl.hash_row_version(), broken = NULL
         WHERE id = ended.sync_id AND NOT (has_run AND may_remove AND hash_version = reverse_etl.hash_row_version()
                                            AND broken IS NULL);
        UPDATE reverse_etl_internal.sync_definitions SET requested_at = clock_timestamp() WHERE run_after = ended.sync_id;
        IF FOUND THEN
            PERFORM reverse_etl_internal.wake_worker();
        END IF;
    ELSE
        UPDATE reverse_etl.audit_log SET outcome = 'cancelled', finished_at = clock_timestamp()
         WHERE id = ANY (ended.pushes) AND outcome = 'queued';
    END IF;
    IF definition.requested_at IS NOT NULL THEN
        PERFORM reverse_etl_internal.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.end_run(bigint, text, text) IS 'notes the end of a run, and what follows from it';

CREATE FUNCTION reverse_etl_internal.fail_run(run bigint, reason text, cancelled boolean) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT reverse_etl_internal.end_run(run, CASE WHEN cancelled THEN 'cancelled' ELSE 'failed' END, reason);
END;
COMMENT ON FUNCTION reverse_etl_internal.fail_run(bigint, text, boolean) IS 'notes that what was begun could not be brought to its end';

CREATE FUNCTION reverse_etl_internal.note_health(run bigint, health text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_run record;
BEGIN
    SELECT r.sync_id, r.sync, s.health, s.alert_to INTO of_run
      FROM reverse_etl.runs AS r JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id WHERE r.id = run;
    IF of_run.health = note_health.health THEN
        RETURN;
    END IF;
    UPDATE reverse_etl_internal.sync_definitions AS s SET health = note_health.health WHERE id = of_run.sync_id;
    INSERT INTO reverse_etl.alerts (sync_id, sync, run_id, event, message, push_to)
    VALUES (of_run.sync_id, of_run.sync, run, CASE note_health.health WHEN 'ok' THEN 'recovered' ELSE note_health.health END,
            format('sync "%s" %s: %s (run %s)', of_run.sync,
                   CASE note_health.health WHEN 'ok' THEN 'recovered' WHEN 'held' THEN 'is held'
                        WHEN 'rejecting' THEN 'loses rows' WHEN 'unusual' THEN 'looks unusual' ELSE 'failed' END,
                   message, run), of_run.alert_to);
    IF of_run.alert_to IS NOT NULL THEN
        PERFORM reverse_etl_internal.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.note_health(bigint, text, text) IS 'writes an alert if the health of a sync has changed';

