-- Runs whose rows leave straight from the process that found them.

-- Asked before rows are sent and while they are.
CREATE FUNCTION reverse_etl_internal.look_at_straight(run bigint, is_begun boolean, OUT goes_on boolean, OUT is_cancelled boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.status = 'delivering'
           AND NOT EXISTS (SELECT FROM reverse_etl.pauses AS p WHERE p.destination = s.destination)
           AND NOT EXISTS (SELECT FROM reverse_etl.pauses AS p JOIN pg_foreign_table AS t ON t.ftrelid = s.destination
                            WHERE reverse_etl_internal.paused_server(p.server, p.server_name, p.cluster) = t.ftserver)
           AND NOT EXISTS (SELECT FROM reverse_etl_internal.sync_streams AS f WHERE f.sync_id = s.id)
           -- What others have queued leaves first, and one that ails is the worker's to try.
           AND (is_begun OR NOT EXISTS (SELECT FROM reverse_etl_internal.outbox AS o WHERE o.destination = s.destination)
                            AND NOT EXISTS (SELECT FROM reverse_etl.destination_states AS d WHERE d.destination = s.destination)),
           r.status = 'cancelling'
      FROM reverse_etl.runs AS r JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id
     WHERE r.id = run;
END;
COMMENT ON FUNCTION reverse_etl_internal.look_at_straight(bigint, boolean) IS 'whether rows of a run may leave straight from it, or go on to, and whether it was told to stop';

CREATE FUNCTION reverse_etl_internal.note_straight(run bigint, keys bytea) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bytes CONSTANT integer := 3900; -- of a part: two versions of it and their headers are in one page
    parts integer := (length(note_straight.keys) + bytes - 1) / bytes;
BEGIN
    UPDATE reverse_etl_internal.straight_notes AS t
       SET keys = substring(note_straight.keys FROM t.part * bytes + 1 FOR bytes)
     WHERE t.run_id = run AND (t.part < parts OR t.keys <> '');
    INSERT INTO reverse_etl_internal.straight_notes (run_id, part, keys)
    SELECT run, n, substring(note_straight.keys FROM n * bytes + 1 FOR bytes)
      FROM generate_series((SELECT count(*) FROM reverse_etl_internal.straight_notes WHERE run_id = run)::integer, parts - 1) AS n;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.note_straight(bigint, bytea) IS 'notes which keys are about to be sent straight from a run, in place of those that were noted before';

CREATE FUNCTION reverse_etl_internal.count_straight(run bigint, added bigint, changed bigint, removed bigint, rejected bigint, absent bigint)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reverse_etl_internal.straight_runs AS t
       SET added = t.added + count_straight.added, changed = t.changed + count_straight.changed,
           removed = t.removed + count_straight.removed
     WHERE run_id = run;
    PERFORM reverse_etl_internal.count_outcomes(run, s, count_straight.added + count_straight.changed + count_straight.removed,
                                                count_straight.rejected, 0, count_straight.absent)
       FROM reverse_etl.runs AS r JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id WHERE r.id = run;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.count_straight(bigint, bigint, bigint, bigint, bigint, bigint) IS 'adds outcomes of rows that left straight from a run, and ends it with the last one';

CREATE FUNCTION reverse_etl_internal.add_run_times(run bigint, read_for bigint, compared_for bigint, waited_for bigint, requested_for bigint,
    written_for bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE reverse_etl.runs AS r
       SET reading_ms = COALESCE(r.reading_ms, 0) + read_for, comparing_ms = COALESCE(r.comparing_ms, 0) + compared_for,
           waiting_ms = COALESCE(r.waiting_ms + waited_for, waited_for, r.waiting_ms),
           requests_ms = COALESCE(r.requests_ms + requested_for, requested_for, r.requests_ms),
           writing_ms = COALESCE(r.writing_ms + written_for, written_for, r.writing_ms)
     WHERE id = run;
END;
COMMENT ON FUNCTION reverse_etl_internal.add_run_times(bigint, bigint, bigint, bigint, bigint, bigint) IS 'adds to where the time of a run went, in milliseconds; null for what was not measured';

CREATE FUNCTION reverse_etl_internal.stop_straight(run bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT reverse_etl_internal.count_outcomes(run, s, 0, 0, r.waiting, 0)
      FROM reverse_etl.runs AS r JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id
     WHERE r.id = run AND r.status = 'cancelling';
END;
COMMENT ON FUNCTION reverse_etl_internal.stop_straight(bigint) IS 'ends a run that was told to stop: what has not left comes with the next one';

CREATE FUNCTION reverse_etl_internal.leave_straight(run bigint, to_outbox boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE reverse_etl.runs SET pid = NULL, process_started_at = NULL WHERE id = run AND status IN ('delivering', 'cancelling');
    DELETE FROM reverse_etl_internal.straight_runs WHERE run_id = run AND to_outbox;
    PERFORM reverse_etl_internal.wake_worker();
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.leave_straight(bigint, boolean) IS 'a process leaves a run to the background: its rows are in the outbox, or are to be found once more';

-- The rows that were refused, or had no outcome, are found again.
CREATE FUNCTION reverse_etl_internal.resume_straight(run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    resumed reverse_etl.runs;
BEGIN
    SELECT * INTO STRICT resumed FROM reverse_etl.runs WHERE id = run;
    IF resumed.status = 'cancelling' THEN
        PERFORM reverse_etl_internal.stop_straight(run);
        RETURN false;
    END IF;
    UPDATE reverse_etl_internal.straight_runs SET is_reading = true WHERE run_id = run;
    DELETE FROM reverse_etl_internal.invalid_rows WHERE run_id = run;
    UPDATE reverse_etl.audit_log SET outcome = 'cancelled', finished_at = clock_timestamp()
     WHERE id = ANY (resumed.pushes) AND outcome = 'queued';
    -- The numbers stay, for what was released may not do more than that.
    UPDATE reverse_etl.runs AS r
       SET waiting = GREATEST(r.added + r.changed + r.removed - r.accepted, 0), rejected = 0, cancelled = 0, absent = 0
     WHERE id = run;
    RETURN true;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.resume_straight(bigint) IS 'takes up a run whose process died while its rows left: what was accepted counts, and the rest is to be found once more. False if it was told to stop meanwhile';

REVOKE ALL ON FUNCTION reverse_etl_internal.look_at_straight(bigint, boolean),
    reverse_etl_internal.note_straight(bigint, bytea),
    reverse_etl_internal.count_straight(bigint, bigint, bigint, bigint, bigint, bigint),
    reverse_etl_internal.add_run_times(bigint, bigint, bigint, bigint, bigint, bigint),
    reverse_etl_internal.stop_straight(bigint),
    reverse_etl_internal.leave_straight(bigint, boolean),
    reverse_etl_internal.resume_straight(bigint) FROM PUBLIC;
