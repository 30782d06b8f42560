CREATE PROCEDURE reverse_etl.run_sync(name text, wait boolean DEFAULT true)
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_run_sync';
COMMENT ON PROCEDURE reverse_etl.run_sync(text, boolean) IS 'sends what changed in the model of a sync, and waits until every row has its outcome';

CREATE FUNCTION reverse_etl.plan_sync(name text, max_rows integer DEFAULT 100, look_up boolean DEFAULT true,
    OUT operation text, OUT rows bigint, OUT requests bigint, OUT duration interval, OUT key jsonb, OUT old jsonb, OUT new jsonb,
    OUT reason text, OUT reading_ms bigint, OUT comparing_ms bigint, OUT requests_ms bigint) RETURNS SETOF record
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_plan_sync';
COMMENT ON FUNCTION reverse_etl.plan_sync(text, integer, boolean) IS 'what a run would do now: a total for each operation, then the rows, as many as asked for, with the values that the destination has where they can be looked up; the row "unchanged" tells where the time of the plan went';

CREATE FUNCTION reverse_etl.resync(name text, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_resync';
COMMENT ON FUNCTION reverse_etl.resync(text, text) IS 'has the next run send rows again for which a condition on the query''s columns holds; how many they are. That run removes nothing';

CREATE FUNCTION reverse_etl.adopt(name text) RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_adopt';
COMMENT ON FUNCTION reverse_etl.adopt(text) IS 'takes rows of the model that the destination has already as sent; how many. Where values differ, the next run sends the row';

CREATE FUNCTION reverse_etl.cancel_run(run bigint) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.cancel_run_as(caller oid, run bigint) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_run reverse_etl.runs;
BEGIN
    SELECT r.* INTO found_run FROM reverse_etl.runs AS r JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id
     WHERE r.id = run AND pg_has_role(caller, s.owner, 'USAGE');
    IF NOT FOUND THEN
        RAISE undefined_object USING MESSAGE = format('run %s does not exist', run), HINT = 'reverse_etl.runs lists them.';
    ELSIF found_run.status = 'reading' THEN
        -- Its number may be another process's by now.
        PERFORM pg_cancel_backend(a.pid) FROM pg_stat_get_activity(found_run.pid) AS a
          WHERE a.backend_start = found_run.process_started_at AND a.pid <> pg_backend_pid();
    ELSIF found_run.status IN ('delivering', 'cancelling') THEN
        UPDATE reverse_etl.runs SET status = 'cancelling', reason = format('cancelled by %s', pg_get_userbyid(caller))
         WHERE id = run AND status = 'delivering';
        -- One that was resumed reads the model.
        PERFORM pg_cancel_backend(a.pid) FROM pg_stat_get_activity(found_run.pid) AS a, reverse_etl_internal.straight_runs AS s
          WHERE a.backend_start = found_run.process_started_at AND a.pid <> pg_backend_pid() AND s.run_id = run AND s.is_reading;
        PERFORM reverse_etl_internal.wake_worker();
    ELSE
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('run %s is not under way', run), DETAIL = format('It is %s.', found_run.status);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.cancel_run(bigint) IS 'stops a run: what was accepted stays, the rest comes with the next run';

CREATE FUNCTION reverse_etl.release_run(run bigint) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.release_run_as(caller oid, run bigint) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held reverse_etl.runs;
    definition reverse_etl_internal.sync_definitions;
BEGIN
    SELECT * INTO held FROM reverse_etl.runs WHERE id = run;
    SELECT * INTO definition FROM reverse_etl_internal.sync_definitions AS s
     WHERE s.id = held.sync_id AND pg_has_role(caller, s.owner, 'USAGE');
    IF definition.id IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('run %s does not exist', run), HINT = 'reverse_etl.runs lists them.';
    ELSIF held.status <> 'held' OR held.started_at + definition.hold_for < clock_timestamp() THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('run %s cannot be released', run),
            DETAIL = CASE held.status WHEN 'held' THEN format('It was held more than %s ago.', definition.hold_for)
                     ELSE format('It is %s.', held.status) END,
            HINT = 'Run the sync anew.';
    END IF;
    UPDATE reverse_etl.runs SET released_by = pg_get_userbyid(caller) WHERE id = run;
    UPDATE reverse_etl_internal.sync_definitions SET requested_at = clock_timestamp() WHERE id = definition.id;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl.release_run(bigint) IS 'lets a run go on that a guard has held; it may do what it was held for, and no more';

CREATE FUNCTION reverse_etl.release_rows(name text, condition text DEFAULT 'true') RETURNS bigint
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.release_rows_as(caller oid, name text, condition text) RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, release_rows_as.name);
    chosen text[];
    released bigint;
BEGIN
    chosen := reverse_etl_internal.execute_as(caller, format('SELECT ctid FROM reverse_etl_internal.sync_%s_rows WHERE %s', definition.id,
                                                    reverse_etl_internal.one_condition(condition)));
    EXECUTE format('UPDATE reverse_etl_internal.sync_%s_rows SET "#attempts" = 0
                     WHERE ctid = ANY ($1) AND "#row" IS NULL AND "#attempts" >= $2', definition.id)
      USING chosen::tid[], definition.max_attempts;
    GET DIAGNOSTICS released = ROW_COUNT;
    RETURN released;
END
$$;
COMMENT ON FUNCTION reverse_etl.release_rows(text, text) IS 'has the next run try quarantined rows again, those for whose keys the condition holds; how many they are';

-- History is the owner's to throw away.
CREATE FUNCTION reverse_etl.discard_runs(name text, before timestamptz) RETURNS bigint
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.discard_runs_as(caller oid, name text, before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    discarded bigint;
BEGIN
    PERFORM reverse_etl_internal.find_sync(caller, discard_runs_as.name) WHERE discard_runs_as.name IS NOT NULL;
    DELETE FROM reverse_etl.runs AS r USING reverse_etl_internal.sync_definitions AS s
     WHERE s.id = r.sync_id AND pg_has_role(caller, s.owner, 'USAGE') AND s.name = COALESCE(discard_runs_as.name, s.name)
       AND r.finished_at < before AND r.status NOT IN ('reading', 'delivering', 'cancelling');
    GET DIAGNOSTICS discarded = ROW_COUNT;
    RETURN discarded;
END
$$;
COMMENT ON FUNCTION reverse_etl.discard_runs(text, timestamptz) IS 'deletes the runs of a sync, or for NULL of all of yours, that ended before a time; how many they were';

COMMENT ON FUNCTION reverse_etl_internal.cancel_run_as(oid, bigint) IS 'cancel_run() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.release_run_as(oid, bigint) IS 'release_run() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.release_rows_as(oid, text, text) IS 'release_rows() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.discard_runs_as(oid, text, timestamptz) IS 'discard_runs() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.cancel_run_as(oid, bigint), reverse_etl_internal.release_run_as(oid, bigint),
    reverse_etl_internal.release_rows_as(oid, text, text), reverse_etl_internal.discard_runs_as(oid, text, timestamptz) FROM PUBLIC;
