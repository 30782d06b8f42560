-- History ends: what is older than a setting allows is thrown away by the background worker, a few rows at a time. Ids rise
-- with time, so that the old rows of a table are its first ones, and nothing is searched for them.

CREATE FUNCTION reverse_etl_internal.time_span(span text) RETURNS interval
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_time_span';
COMMENT ON FUNCTION reverse_etl_internal.time_span(text) IS 'a value of reverse_etl.keep_history; null for "forever", and for what is no such value';

-- The worker was connected before the database was altered: so that is asked first.
CREATE FUNCTION reverse_etl_internal.kept_for(setting text) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT reverse_etl_internal.time_span(COALESCE(
        (SELECT substr(one, length(setting) + 2)
           FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase, unnest(s.setconfig) AS one
          WHERE d.datname = current_database() AND s.setrole = 0 AND starts_with(one, setting || '=')),
        current_setting(setting)));
END;
COMMENT ON FUNCTION reverse_etl_internal.kept_for(text) IS 'how long a setting of this database has something kept; null for ever';

CREATE FUNCTION reverse_etl_internal.runs_to_keep(sync integer) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ARRAY(SELECT c.id FROM reverse_etl.runs AS c
                  WHERE c.sync_id = runs_to_keep.sync AND c.status IN ('completed', 'cancelled') AND c.queued_at IS NOT NULL
                  ORDER BY c.id DESC LIMIT 5)
           || (SELECT max(r.id) FROM reverse_etl.runs AS r WHERE r.sync_id = runs_to_keep.sync);
END;
COMMENT ON FUNCTION reverse_etl_internal.runs_to_keep(integer) IS 'the runs of a sync that are kept however old they are: those with which guards and alerts compare, and the last one';

CREATE FUNCTION reverse_etl_internal.purge_some(history text, before timestamptz, after bigint, OUT last_seen bigint, OUT purged bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_time text := CASE history WHEN 'alerts' THEN 'created_at' WHEN 'rejected_rows' THEN 'rejected_at' ELSE 'started_at' END;
    may_go text := CASE history
        WHEN 'audit_log' THEN $c$t.outcome NOT IN ('running', 'queued') AND COALESCE(t.finished_at, t.started_at) < $1$c$
        WHEN 'runs' THEN $c$t.finished_at < $1 AND t.id <> ALL (reverse_etl_internal.runs_to_keep(t.sync_id))
                         AND NOT EXISTS (SELECT FROM reverse_etl_internal.invalid_rows AS i WHERE i.run_id = t.id)$c$
        WHEN 'alerts' THEN $c$t.created_at < $1 AND (t.pushed_at IS NOT NULL OR t.push_to IS NULL OR t.created_at < now() - interval '1 day')$c$
        ELSE 't.rejected_at < $1' END;
BEGIN
    IF history = 'invalid_rows' THEN
        -- Several are of one run: the next step begins with the run at which this one ends.
        WITH first AS MATERIALIZED (
            SELECT i.ctid AS place, i.run_id FROM reverse_etl_internal.invalid_rows AS i WHERE i.run_id >= after ORDER BY i.run_id LIMIT 1000
        ), old AS MATERIALIZED (
            SELECT r.id FROM reverse_etl.runs AS r
             WHERE r.id IN (SELECT run_id FROM first) AND r.finished_at < before AND r.id <> ALL (reverse_etl_internal.runs_to_keep(r.sync_id))
        ), free AS MATERIALIZED (
            SELECT i.ctid AS place FROM reverse_etl_internal.invalid_rows AS i JOIN first ON first.place = i.ctid
             WHERE i.run_id IN (SELECT id FROM old) FOR UPDATE OF i SKIP LOCKED
        ), gone AS (
            DELETE FROM reverse_etl_internal.invalid_rows AS i USING free WHERE i.ctid = free.place RETURNING 1
        )
        SELECT CASE WHEN count(*) = 1000 THEN max(run_id) + CASE WHEN EXISTS (SELECT FROM gone) THEN 0 ELSE 1 END END,
               (SELECT count(*) FROM gone)
          INTO last_seen, purged FROM first;
        RETURN;
    END IF;
    EXECUTE format($query$
        WITH first AS MATERIALIZED (
            SELECT t.id, %2$I < $1 AS is_old, %3$s AS goes FROM reverse_etl.%1$I AS t WHERE t.id > $2 ORDER BY t.id LIMIT 1000
        ), free AS MATERIALIZED (
            SELECT t.id FROM reverse_etl.%1$I AS t JOIN first ON first.id = t.id AND first.goes FOR UPDATE OF t SKIP LOCKED
        ), gone AS (
            DELETE FROM reverse_etl.%1$I AS t USING free WHERE t.id = free.id RETURNING t.id
        )
        SELECT CASE WHEN count(*) = 1000 AND bool_or(is_old) THEN max(id) END, (SELECT count(*) FROM gone) FROM first$query$,
        history, of_time, may_go) INTO last_seen, purged USING before, after;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.purge_some(text, timestamptz, bigint) IS 'throws away what is old of the thousand rows after one; the last of these, or null if there is no more';

CREATE FUNCTION reverse_etl_internal.purge_step(history text, after bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept interval := reverse_etl_internal.kept_for(CASE history WHEN 'rejected_rows' THEN 'reverse_etl.keep_rejected_rows'
                                                   ELSE 'reverse_etl.keep_history' END);
BEGIN
    IF kept IS NULL THEN
        RETURN NULL;
    END IF;
    -- Whoever holds one of the tables is not waited for: there is another time.
    IF history IN ('invalid_rows', 'runs') THEN
        LOCK TABLE reverse_etl.runs, reverse_etl_internal.invalid_rows IN ROW EXCLUSIVE MODE NOWAIT;
    ELSE
        EXECUTE format('LOCK TABLE reverse_etl.%I IN ROW EXCLUSIVE MODE NOWAIT', history);
    END IF;
    RETURN (SELECT last_seen FROM reverse_etl_internal.purge_some(history, now() - kept, after));
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.purge_step(text, bigint) IS 'one step of the background worker through one kind of history: after which row the next step begins; null if that was the last';

-- It is everybody's history that goes, and so for superusers, or whom they grant it to.
CREATE FUNCTION reverse_etl.purge_history(older_than interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    history text;
    last_seen bigint;
    purged bigint;
    all_purged bigint := 0;
BEGIN
    IF older_than IS NULL OR older_than < '0' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'older_than must be a time that is not negative', HINT = 'For example: reverse_etl.purge_history(''90 days'').';
    END IF;
    FOREACH history IN ARRAY '{invalid_rows,runs,alerts,audit_log}'::text[] LOOP
        last_seen := 0;
        WHILE last_seen IS NOT NULL LOOP
            SELECT s.last_seen, s.purged INTO last_seen, purged
              FROM reverse_etl_internal.purge_some(history, now() - older_than, last_seen) AS s;
            all_purged := all_purged + CASE history WHEN 'invalid_rows' THEN 0 ELSE purged END;
        END LOOP;
    END LOOP;
    RETURN all_purged;
END
$$;
COMMENT ON FUNCTION reverse_etl.purge_history(interval) IS 'throws away pushes, runs and alerts that ended so long ago; how many they were';
REVOKE ALL ON FUNCTION reverse_etl_internal.time_span(text), reverse_etl_internal.kept_for(text),
    reverse_etl_internal.runs_to_keep(integer), reverse_etl_internal.purge_some(text, timestamptz, bigint),
    reverse_etl_internal.purge_step(text, bigint), reverse_etl.purge_history(interval) FROM PUBLIC;
