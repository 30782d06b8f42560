-- The background worker calls it in the transaction that takes the rows out of the outbox.
CREATE FUNCTION reverse_etl_internal.settle_sync_rows(sync integer, ids bigint[], outcomes text[], in_doubt bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    key text;
    key_forms text;
    respelled text;
    key_json text;
    same_key text;
    settled record;
BEGIN
    SELECT * INTO definition FROM reverse_etl_internal.sync_definitions WHERE id = sync;
    IF NOT FOUND THEN
        RETURN; -- it was dropped
    END IF;
    SELECT string_agg(quote_ident(name), ', '),
           string_agg(format(form, quote_ident(name)), ', '),
           string_agg(format('%1$I = excluded.%1$I', name), ', '),
           -- A type that is not Postgres' own may have a cast to JSON, and with it somebody's function: hence its text.
           format('jsonb_build_object(%s)', string_agg(format(
               CASE WHEN type::oid < 16384 THEN '%L::text, %I' ELSE '%L::text, format(''%%s'', %I)' END, name, name), ', ')),
           string_agg(format('%s %s %s', format(form, 'state.' || quote_ident(name)), reverse_etl_internal.equality_of(type, form),
                             format(form, 'removed.' || quote_ident(name))), ' AND ')
      INTO key, key_forms, respelled, key_json, same_key
      FROM ROWS FROM (unnest(definition.key), unnest(definition.key_types), unnest(definition.key_forms)) AS k (name, type, form);
    FOR settled IN EXECUTE format($query$
        WITH outcomes AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest($1), unnest($2)) AS _ ("#row", outcome)
        ), failed AS (
            UPDATE reverse_etl_internal.sync_%1$s_rows AS r
               SET "#row" = NULL, "#attempts" = LEAST(r."#attempts", 2147483646) + (o.outcome = 'rejected')::int,
                   "#change" = CASE o.outcome WHEN 'unknown' THEN '?' ELSE r."#change" END
              FROM outcomes AS o WHERE r."#row" = o."#row" AND o.outcome NOT IN ('accepted', 'absent')
            RETURNING r.*, o.outcome AS "#outcome", o."#row" AS sent
        ), gone AS (
            DELETE FROM reverse_etl_internal.sync_%1$s_rows AS r USING outcomes AS o
             WHERE r."#row" = o."#row" AND o.outcome IN ('accepted', 'absent')
            RETURNING r.*, o.outcome = 'absent' AND r."#change" <> '-' AS "#absent"
        ), last AS MATERIALIZED (
            SELECT DISTINCT ON (%4$s) * FROM gone ORDER BY %4$s, "#row" DESC
        ), removed AS (
            DELETE FROM reverse_etl_internal.sync_%1$s_state AS state USING last AS removed
             WHERE (removed."#change" = '-' OR removed."#absent" AND $5) AND %3$s
        ), kept AS (
            INSERT INTO reverse_etl_internal.sync_%1$s_state (%2$s, "#hash")
            SELECT %2$s, "#hash" FROM last WHERE "#change" <> '-' AND $3 AND NOT ("#absent" AND $5)
            ON CONFLICT (%4$s) DO UPDATE SET %5$s, "#hash" = excluded."#hash"
        ), named AS (
            INSERT INTO reverse_etl_internal.invalid_rows (run_id, quarantined, absent, key, reason, "row")
            SELECT "#run", false, true, %6$s, 'the destination does not have the row', %6$s
              FROM gone WHERE "#absent" AND "#run" IS NOT NULL
        ), in_doubt AS (
            -- The destination may have the row, and what it has nobody knows: it is to be sent or removed again.
            INSERT INTO reverse_etl_internal.sync_%1$s_state (%2$s, "#hash")
            SELECT DISTINCT ON (%4$s) %2$s, NULL::bigint FROM failed WHERE sent = ANY ($4) AND $3
            ON CONFLICT (%4$s) DO UPDATE SET %5$s, "#hash" = NULL
        )
        SELECT "#run" AS run, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
               count(*) FILTER (WHERE outcome IN ('rejected', 'unknown')) AS rejected,
               count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE outcome = 'absent') AS absent
          FROM (SELECT "#run", CASE WHEN "#absent" THEN 'absent' ELSE 'accepted' END AS outcome FROM gone
                UNION ALL SELECT "#run", "#outcome" FROM failed) AS _
         WHERE "#run" IS NOT NULL GROUP BY 1$query$, sync, key, same_key, key_forms, respelled, key_json)
        USING ids, outcomes, definition.change_detection <> 'cursor', in_doubt,
              (reverse_etl_internal.sync_mode(definition.mode)).sends_new -- otherwise it wants no row there that is not
    LOOP
        PERFORM reverse_etl_internal.count_outcomes(settled.run, definition, settled.accepted, settled.rejected, settled.cancelled,
                                           settled.absent);
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.settle_sync_rows(integer, bigint[], text[], bigint[]) IS 'moves the state of a sync by the outcomes of its rows in the outbox';

-- A dump holds the run, and not the outbox; and a superuser may empty that.
CREATE FUNCTION reverse_etl_internal.settle_lost_rows(sync integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost bigint[];
    left_over record;
BEGIN
    UPDATE reverse_etl.runs AS r SET status = 'cancelling', reason = COALESCE(r.reason, 'its rows are not in the outbox any more')
     WHERE r.sync_id = settle_lost_rows.sync AND r.status IN ('delivering', 'cancelling')
       AND NOT EXISTS (SELECT FROM reverse_etl_internal.outbox AS o WHERE o.sync = settle_lost_rows.sync)
       AND NOT EXISTS (SELECT FROM reverse_etl_internal.straight_runs AS s WHERE s.run_id = r.id);
    IF FOUND THEN
        EXECUTE format('SELECT array_agg("#row") FROM reverse_etl_internal.sync_%s_rows WHERE "#row" IS NOT NULL', sync) INTO lost;
        PERFORM reverse_etl_internal.settle_sync_rows(sync, lost, array_fill('cancelled'::text, ARRAY[cardinality(lost)]), lost);
        -- Those that have left straight from a run were in no outbox.
        FOR left_over IN SELECT r.id, r.waiting, s AS definition FROM reverse_etl.runs AS r
                           JOIN reverse_etl_internal.sync_definitions AS s ON s.id = r.sync_id
                          WHERE r.sync_id = settle_lost_rows.sync AND r.status = 'cancelling'
        LOOP
            PERFORM reverse_etl_internal.count_outcomes(left_over.id, left_over.definition, 0, 0, left_over.waiting, 0);
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.settle_lost_rows(integer) IS 'ends a run none of whose rows is in the outbox any more: they come again with the next one';

CREATE FUNCTION reverse_etl_internal.count_outcomes(run bigint, definition reverse_etl_internal.sync_definitions, accepted bigint,
    rejected bigint, cancelled bigint, absent bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counted reverse_etl.runs;
    sent bigint;
    too_many boolean;
BEGIN
    UPDATE reverse_etl.runs AS r
       SET accepted = r.accepted + count_outcomes.accepted, rejected = r.rejected + count_outcomes.rejected,
           cancelled = r.cancelled + count_outcomes.cancelled, absent = r.absent + count_outcomes.absent,
           waiting = r.waiting - count_outcomes.accepted - count_outcomes.rejected - count_outcomes.cancelled
                   - count_outcomes.absent
     -- Of a run that was changed by hand nothing is counted any more.
     WHERE id = run AND r.status IN ('delivering', 'cancelling')
       AND r.waiting >= count_outcomes.accepted + count_outcomes.rejected + count_outcomes.cancelled + count_outcomes.absent
    RETURNING * INTO counted;
    sent := counted.added + counted.changed + counted.removed;
    too_many := COALESCE(counted.rejected > 0 AND counted.released_by IS NULL
                         AND reverse_etl_internal.exceeds(definition.max_rejected, counted.rejected, sent), false);
    IF counted.waiting = 0 AND counted.status = 'cancelling' THEN
        PERFORM reverse_etl_internal.end_run(run, CASE WHEN too_many THEN 'failed' ELSE 'cancelled' END, NULL);
    ELSIF counted.waiting = 0 AND counted.status = 'delivering' THEN
        PERFORM reverse_etl_internal.end_run(run, 'completed', NULL);
    ELSIF too_many AND counted.status = 'delivering' THEN
        UPDATE reverse_etl.runs AS r
           SET status = 'cancelling',
               reason = format('the destination rejected %s of %s rows, and max_rejected is %s', counted.rejected, sent,
                               definition.max_rejected)
         WHERE id = run;
        PERFORM reverse_etl_internal.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.count_outcomes(bigint, reverse_etl_internal.sync_definitions, bigint, bigint, bigint, bigint) IS 'adds outcomes to a run, and ends it with the last one';

REVOKE ALL ON FUNCTION reverse_etl_internal.settle_sync_rows(integer, bigint[], text[], bigint[]),
    reverse_etl_internal.settle_lost_rows(integer),
    reverse_etl_internal.count_outcomes(bigint, reverse_etl_internal.sync_definitions, bigint, bigint, bigint, bigint) FROM PUBLIC;
