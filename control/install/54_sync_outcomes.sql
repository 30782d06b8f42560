-- The background worker calls it in the transaction that takes the rows out of the outbox.
CREATE FUNCTION reverse_etl.settle_sync_rows(sync integer, ids bigint[], outcomes text[], in_doubt bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl.sync_definitions;
    key text;
    same_key text;
    settled record;
BEGIN
    SELECT * INTO definition FROM reverse_etl.sync_definitions WHERE id = sync;
    IF NOT FOUND THEN
        RETURN; -- it was dropped
    END IF;
    SELECT string_agg(quote_ident(name), ', '),
           string_agg(format('state.%1$I %2$s removed.%1$I', name, reverse_etl.equality_of(type)), ' AND ')
      INTO key, same_key FROM ROWS FROM (unnest(definition.key), unnest(definition.key_types)) AS k (name, type);
    FOR settled IN EXECUTE format($query$
        WITH outcomes AS MATERIALIZED (
            SELECT * FROM ROWS FROM (unnest($1), unnest($2)) AS _ ("#row", outcome)
        ), failed AS (
            UPDATE reverse_etl.sync_%1$s_rows AS r
               SET "#row" = NULL, "#attempts" = LEAST(r."#attempts", 2147483646) + (o.outcome = 'rejected')::int
              FROM outcomes AS o WHERE r."#row" = o."#row" AND o.outcome <> 'accepted'
            RETURNING r.*, o.outcome, o."#row" AS sent
        ), gone AS (
            DELETE FROM reverse_etl.sync_%1$s_rows AS r USING outcomes AS o
             WHERE r."#row" = o."#row" AND o.outcome = 'accepted'
            RETURNING r.*
        ), last AS MATERIALIZED (
            SELECT DISTINCT ON (%2$s) * FROM gone ORDER BY %2$s, "#row" DESC
        ), removed AS (
            DELETE FROM reverse_etl.sync_%1$s_state AS state USING last AS removed
             WHERE removed."#change" = '-' AND %3$s
        ), kept AS (
            INSERT INTO reverse_etl.sync_%1$s_state (%2$s, "#hash")
            SELECT %2$s, "#hash" FROM last WHERE "#change" <> '-' AND $3
            ON CONFLICT (%2$s) DO UPDATE SET "#hash" = excluded."#hash"
        ), in_doubt AS (
            -- The destination may have the row, and what it has nobody knows: it is to be sent or removed again.
            INSERT INTO reverse_etl.sync_%1$s_state (%2$s, "#hash")
            SELECT DISTINCT %2$s, NULL::bigint FROM failed WHERE sent = ANY ($4) AND $3
            ON CONFLICT (%2$s) DO UPDATE SET "#hash" = NULL
        )
        SELECT "#run" AS run, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
               count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
               count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled
          FROM (SELECT "#run", 'accepted' AS outcome FROM gone UNION ALL SELECT "#run", outcome FROM failed) AS _
         WHERE "#run" IS NOT NULL GROUP BY 1$query$, sync, key, same_key)
        USING ids, outcomes, definition.detect = 'difference', in_doubt
    LOOP
        PERFORM reverse_etl.count_outcomes(settled.run, definition, settled.accepted, settled.rejected, settled.cancelled);
    END LOOP;
END
$$;
COMMENT ON FUNCTION reverse_etl.settle_sync_rows(integer, bigint[], text[], bigint[]) IS 'moves the state of a sync by the outcomes of its rows in the outbox';

-- A dump holds the run, and not the outbox; and a superuser may empty that.
CREATE FUNCTION reverse_etl.settle_lost_rows(sync integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost bigint[];
BEGIN
    UPDATE reverse_etl.runs AS r SET status = 'cancelling', reason = COALESCE(r.reason, 'its rows are not in the outbox any more')
     WHERE r.sync_id = settle_lost_rows.sync AND r.status IN ('delivering', 'cancelling')
       AND NOT EXISTS (SELECT FROM reverse_etl.outbox AS o WHERE o.sync = settle_lost_rows.sync);
    IF FOUND THEN
        EXECUTE format('SELECT array_agg("#row") FROM reverse_etl.sync_%s_rows WHERE "#row" IS NOT NULL', sync) INTO lost;
        PERFORM reverse_etl.settle_sync_rows(sync, lost, array_fill('cancelled'::text, ARRAY[cardinality(lost)]), lost);
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.settle_lost_rows(integer) IS 'ends a run none of whose rows is in the outbox any more: they come again with the next one';

CREATE FUNCTION reverse_etl.count_outcomes(run bigint, definition reverse_etl.sync_definitions, accepted bigint,
    rejected bigint, cancelled bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counted reverse_etl.runs;
    sent bigint;
    too_many boolean;
BEGIN
    UPDATE reverse_etl.runs AS r
       SET accepted = r.accepted + count_outcomes.accepted, rejected = r.rejected + count_outcomes.rejected,
           cancelled = r.cancelled + count_outcomes.cancelled,
           waiting = r.waiting - count_outcomes.accepted - count_outcomes.rejected - count_outcomes.cancelled
     -- Of a run that was changed by hand nothing is counted any more.
     WHERE id = run AND r.status IN ('delivering', 'cancelling')
       AND r.waiting >= count_outcomes.accepted + count_outcomes.rejected + count_outcomes.cancelled
    RETURNING * INTO counted;
    sent := counted.added + counted.changed + counted.removed;
    too_many := COALESCE(counted.rejected > 0 AND counted.released_by IS NULL
                         AND reverse_etl.exceeds(definition.max_rejected, counted.rejected, sent), false);
    IF counted.waiting = 0 AND counted.status = 'cancelling' THEN
        PERFORM reverse_etl.end_run(run, CASE WHEN too_many THEN 'failed' ELSE 'cancelled' END, NULL);
    ELSIF counted.waiting = 0 AND counted.status = 'delivering' THEN
        PERFORM reverse_etl.end_run(run, 'completed', NULL);
    ELSIF too_many AND counted.status = 'delivering' THEN
        UPDATE reverse_etl.runs AS r
           SET status = 'cancelling',
               reason = format('the destination rejected %s of %s rows, and max_rejected is %s', counted.rejected, sent,
                               definition.max_rejected)
         WHERE id = run;
        PERFORM reverse_etl.wake_worker();
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl.count_outcomes(bigint, reverse_etl.sync_definitions, bigint, bigint, bigint) IS 'adds outcomes to a run, and ends it with the last one';

-- A run that is asked for while another is under way comes after it.
CREATE FUNCTION reverse_etl.syncs_to_run() RETURNS SETOF integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.id FROM reverse_etl.sync_definitions AS s
     WHERE s.requested_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM reverse_etl.runs AS r
                        WHERE r.sync_id = s.id AND r.status IN ('reading', 'delivering', 'cancelling'))
    UNION ALL
    SELECT r.sync_id FROM reverse_etl.runs AS r
     WHERE r.status = 'reading'
       AND NOT EXISTS (SELECT FROM pg_stat_get_activity(r.pid) AS a WHERE a.backend_start = r.process_started_at);
END;
COMMENT ON FUNCTION reverse_etl.syncs_to_run() IS 'the syncs of which somebody asked for a run, or whose run''s process has died';

CREATE FUNCTION reverse_etl.has_sync_tasks() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM reverse_etl.syncs_to_run())
           OR EXISTS (SELECT FROM reverse_etl.alerts AS a
                       WHERE a.pushed_at IS NULL AND a.push_to IS NOT NULL AND a.created_at > now() - interval '1 day');
END;
COMMENT ON FUNCTION reverse_etl.has_sync_tasks() IS 'whether there is a run to begin or to resume, or an alert to push';

REVOKE ALL ON FUNCTION reverse_etl.begin_run(integer, name, integer), reverse_etl.broken_guard(integer, bigint, bigint, bigint, bigint, bigint, bigint),
    reverse_etl.hold_run(bigint, bigint, bigint, bigint, bigint, bigint, bigint, text),
    reverse_etl.run_queued(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint[]), reverse_etl.end_run(bigint, text, text),
    reverse_etl.note_health(bigint, text, text), reverse_etl.settle_sync_rows(integer, bigint[], text[], bigint[]),
    reverse_etl.settle_lost_rows(integer),
    reverse_etl.count_outcomes(bigint, reverse_etl.sync_definitions, bigint, bigint, bigint), reverse_etl.syncs_to_run(),
    reverse_etl.has_sync_tasks()
    FROM PUBLIC;

