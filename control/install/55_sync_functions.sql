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

