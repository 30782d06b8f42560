-- The guards of a sync: what they may be, and whether a run exceeds one of them and is held.

-- In alter_sync NULL stands for what is as it was.
CREATE FUNCTION reverse_etl_internal.check_sync_limits(name text, max_removed text, max_changed text, min_rows text, max_rejected text,
    max_attempts integer, hold_for interval, alert_to regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken record;
BEGIN
    IF name = '' OR octet_length(name) > 200 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid name of a sync: "%s"', name), HINT = 'It has 1 to 200 bytes.';
    END IF;
    SELECT * INTO broken
      FROM (VALUES ('max_removed', max_removed), ('max_changed', max_changed), ('min_rows', min_rows),
                   ('max_rejected', max_rejected)) AS guard (name, value)
     WHERE value !~ '^[0-9]{1,18}([.][0-9]{1,9})?%?$' AND value <> 'none' LIMIT 1;
    IF FOUND THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for %s: "%s"', broken.name, broken.value),
            HINT = 'Give a number of rows, like 100, or a share, like 25%.';
    END IF;
    IF max_attempts < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'max_attempts must be at least 1';
    END IF;
    IF hold_for <= '0' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'hold_for must be greater than zero';
    END IF;
    IF alert_to IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_attribute
                        WHERE attrelid = alert_to AND NOT attisdropped AND attname IN ('text', 'message', 'event')) THEN
        RAISE undefined_column USING
            MESSAGE = format('%s has no column for an alert', alert_to), HINT = 'Give it a column "text" or "message".';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.check_sync_limits(text, text, text, text, text, integer, interval, regclass) IS 'refuses what a sync''s guards and other settings cannot be';

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

CREATE FUNCTION reverse_etl_internal.exceeded_guard(sync integer, run bigint, known bigint, queried bigint, changed bigint, removed bigint, invalid bigint)
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
COMMENT ON FUNCTION reverse_etl_internal.exceeded_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint) IS 'why a run is to be held, before anything is sent; null if it is not';

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

REVOKE ALL ON FUNCTION reverse_etl_internal.check_sync_limits(text, text, text, text, text, integer, interval, regclass),
    reverse_etl_internal.exceeded_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint),
    reverse_etl_internal.hold_run(bigint, bigint, bigint, bigint, bigint, bigint, bigint, text),
    reverse_etl_internal.exceeds(text, bigint, bigint),
    reverse_etl_internal.usual_rows(integer) FROM PUBLIC;
