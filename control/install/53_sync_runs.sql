-- Runs: their states, and all that leads from one to another. C++ tells what happened (began, queued, must be held,
-- failed) and only reads what came of it.
--
--   begin_run          -> reading, or skipped; one that is held -> reading if it was released, else expired
--   hold_run           reading -> held (52_sync_guards.sql)
--   run_queued         reading -> delivering, or completed where there is nothing to deliver
--   fail_run           reading, delivering -> failed, cancelled
--   resume_straight    cancelling -> cancelled (57_straight_runs.sql)
--   release_run, start_sync_over: held -> released, expired (55_sync_functions.sql, 51_sync_definitions.sql)
--   cancel_run         delivering -> cancelling (55_sync_functions.sql)
--   settle_lost_rows   delivering -> cancelling (54_sync_outcomes.sql)
--   count_outcomes     delivering -> completed, cancelling; cancelling -> cancelled, failed (54_sync_outcomes.sql)

CREATE FUNCTION reverse_etl_internal.is_worked_at(run bigint) RETURNS boolean
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_is_worked_at';
COMMENT ON FUNCTION reverse_etl_internal.is_worked_at(bigint) IS 'whether a process reads the model for a run, or sends its rows';
REVOKE ALL ON FUNCTION reverse_etl_internal.is_worked_at(bigint) FROM PUBLIC;

CREATE FUNCTION reverse_etl_internal.begin_run(sync integer, requested_by name, pid integer, OUT run bigint, OUT note text, OUT resumed boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    other reverse_etl.runs;
    process timestamptz;
    left_alone boolean;
BEGIN
    resumed := false;
    -- Whoever comes at the same moment waits here, and then finds the run.
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions WHERE id = begin_run.sync FOR UPDATE;
    SELECT backend_start INTO process FROM pg_stat_get_activity(begin_run.pid);
    PERFORM reverse_etl_internal.settle_lost_rows(begin_run.sync);
    -- Where nobody works at the run, it is looked at once more: it may have ended just before that was asked.
    FOR look IN 1..2 LOOP
        SELECT * INTO other FROM reverse_etl.runs
         WHERE sync_id = begin_run.sync AND status IN ('reading', 'delivering', 'cancelling');
        left_alone := other.id IS NOT NULL AND NOT reverse_etl_internal.is_worked_at(other.id);
        EXIT WHEN NOT left_alone;
    END LOOP;
    IF other.id IS NOT NULL THEN
        resumed := EXISTS (SELECT FROM reverse_etl_internal.straight_runs WHERE run_id = other.id);
        IF (other.status = 'reading' OR resumed) AND left_alone THEN
            -- Whoever read the model is gone, and nothing was queued: the state tells what was accepted.
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
COMMENT ON FUNCTION reverse_etl_internal.begin_run(integer, name, integer) IS 'puts a run on record, unless one is under way; one that nobody works at is taken up';

CREATE FUNCTION reverse_etl_internal.run_queued(run bigint, queried bigint, added bigint, changed bigint, removed bigint,
    invalid bigint, quarantined bigint, pushes bigint[], straight boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before reverse_etl_internal.straight_runs;
BEGIN
    -- What was accepted before its process died is unchanged now.
    SELECT * INTO before FROM reverse_etl_internal.straight_runs WHERE run_id = run;
    before.added := COALESCE(before.added, 0);
    before.changed := COALESCE(before.changed, 0);
    before.removed := COALESCE(before.removed, 0);
    UPDATE reverse_etl.runs AS r
       SET status = CASE r.status WHEN 'reading' THEN 'delivering' ELSE r.status END,
           added = before.added + run_queued.added, changed = before.changed + run_queued.changed,
           removed = before.removed + run_queued.removed, invalid = run_queued.invalid, quarantined = run_queued.quarantined,
           unchanged = n.unchanged,
           queried = before.added + before.changed + before.removed + run_queued.added + run_queued.changed + run_queued.removed
                   + run_queued.invalid + n.unchanged,
           waiting = run_queued.added + run_queued.changed + run_queued.removed, pushes = run_queued.pushes,
           queued_at = COALESCE(r.queued_at, clock_timestamp()), pid = CASE WHEN straight THEN r.pid END
      FROM (SELECT GREATEST(run_queued.queried - run_queued.added - run_queued.changed - run_queued.removed - run_queued.invalid
                            - before.added - before.changed, 0) AS unchanged) AS n
     WHERE id = run;
    IF straight THEN
        INSERT INTO reverse_etl_internal.straight_runs (run_id) VALUES (run) ON CONFLICT (run_id) DO UPDATE SET is_reading = false;
    ELSE
        DELETE FROM reverse_etl_internal.straight_runs WHERE run_id = run;
    END IF;
    IF run_queued.added + run_queued.changed + run_queued.removed = 0 THEN
        PERFORM reverse_etl_internal.end_run(run, 'completed', NULL);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[], boolean) IS 'notes what a run has found; from here on the background worker sees to it, or its own process if the rows leave straight from that';

CREATE FUNCTION reverse_etl_internal.end_run(run bigint, status text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended reverse_etl.runs;
    definition reverse_etl_internal.sync_definitions;
    usual record;
    tried bigint;
BEGIN
    -- What a guard has counted before the run was released is not what it did.
    UPDATE reverse_etl.runs AS r
       SET queried = before.added + before.changed + before.removed, added = before.added, changed = before.changed,
           removed = before.removed, unchanged = 0, invalid = 0, quarantined = 0, waiting = 0, rejected = 0, cancelled = 0, absent = 0
      FROM (SELECT COALESCE(sum(added), 0)::bigint AS added, COALESCE(sum(changed), 0)::bigint AS changed,
                   COALESCE(sum(removed), 0)::bigint AS removed
              FROM reverse_etl_internal.straight_runs WHERE run_id = run) AS before
     WHERE id = run AND r.status = 'reading';
    DELETE FROM reverse_etl_internal.straight_runs WHERE run_id = run;
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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failed reverse_etl.runs;
BEGIN
    -- Of one whose rows have left straight from it the rest is not sent.
    UPDATE reverse_etl.runs AS r SET cancelled = r.cancelled + r.waiting, waiting = 0 WHERE id = run RETURNING * INTO failed;
    -- Who has it cancelled has said so already.
    PERFORM reverse_etl_internal.end_run(run, CASE WHEN fail_run.cancelled OR failed.status = 'cancelling' THEN 'cancelled' ELSE 'failed' END,
                                         CASE failed.status WHEN 'cancelling' THEN COALESCE(failed.reason, fail_run.reason) ELSE fail_run.reason END);
END
$$;
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

REVOKE ALL ON FUNCTION reverse_etl_internal.begin_run(integer, name, integer),
    reverse_etl_internal.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[], boolean),
    reverse_etl_internal.end_run(bigint, text, text),
    reverse_etl_internal.fail_run(bigint, text, boolean),
    reverse_etl_internal.note_health(bigint, text, text) FROM PUBLIC;
