-- What a definition says, checked

CREATE FUNCTION reverse_etl_internal.describe_sync(role oid, query text, search_path text, destination regclass, key text[], mode text,
    on_missing text, cursor_column text, OUT columns text[], OUT key_types regtype[], OUT key_collations regcollation[],
    OUT reads regclass[], OUT key_forms text[], OUT needs text[], OUT not_at_source text)
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_describe_sync';
COMMENT ON FUNCTION reverse_etl_internal.describe_sync(oid, text, text, regclass, text[], text, text, text) IS 'checks what a sync of a role is to be made of; see reverse_etl.create_sync. not_at_source: why the difference cannot be found where the model is; null if it can';

CREATE FUNCTION reverse_etl_internal.sole_statement(query text) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'reverse_etl_sole_statement';
COMMENT ON FUNCTION reverse_etl_internal.sole_statement(text) IS 'a query without the semicolon that ends it, and comments behind that';

-- Found by the type, not by name: an operator of that name may be another one, or in a schema where nobody looks.
CREATE FUNCTION reverse_etl_internal.equality_of(type regtype, form text) RETURNS text
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'reverse_etl_equality_of';
COMMENT ON FUNCTION reverse_etl_internal.equality_of(regtype, text) IS 'the operator by which keys of a type are told apart in their form, as SQL names it';

CREATE FUNCTION reverse_etl_internal.key_form(value text, trimmed boolean, case_insensitive boolean) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_key_form';
COMMENT ON FUNCTION reverse_etl_internal.key_form(text, boolean, boolean) IS 'the one form that all spellings of a key have in common which a destination takes for the same';

CREATE FUNCTION reverse_etl_internal.key_forms(destination oid, key text[], types oid[], collations oid[]) RETURNS text[]
LANGUAGE C STABLE STRICT AS 'MODULE_PATHNAME', 'reverse_etl_key_forms';
COMMENT ON FUNCTION reverse_etl_internal.key_forms(oid, text[], oid[], oid[]) IS 'by what a destination takes two keys for the same: an expression over each column';

CREATE FUNCTION reverse_etl_internal.index_sync_keys(sync integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    forms text;
    key text;
    are_plain boolean;
BEGIN
    SELECT string_agg(format(k.form, quote_ident(k.name)), ', ' ORDER BY place), string_agg(quote_ident(k.name), ', ' ORDER BY place),
           bool_and(k.form = '%s')
      INTO STRICT forms, key, are_plain
      FROM reverse_etl_internal.sync_definitions AS s
     CROSS JOIN ROWS FROM (unnest(s.key), unnest(s.key_forms)) WITH ORDINALITY AS k (name, form, place)
     WHERE s.id = sync;
    EXECUTE format(CASE WHEN are_plain THEN 'ALTER TABLE reverse_etl_internal.sync_%1$s_state ADD CONSTRAINT sync_%1$s_state_pkey PRIMARY KEY (%2$s)'
                   ELSE 'CREATE UNIQUE INDEX sync_%1$s_state_key ON reverse_etl_internal.sync_%1$s_state (%3$s)' END, sync, key, forms);
    EXECUTE format('CREATE INDEX sync_%1$s_rows_key ON reverse_etl_internal.sync_%1$s_rows (%2$s)', sync, forms);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.index_sync_keys(integer) IS 'indexes the tables of a sync by what its destination takes for the same key';

-- What was two keys may be one now: what the destination has under it nobody knows, so it is sent again. A key that has
-- become two is the spelling that was accepted last.
CREATE FUNCTION reverse_etl_internal.renew_key_forms(sync integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    now_compared text[];
    forms text;
BEGIN
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions WHERE id = sync;
    now_compared := reverse_etl_internal.key_forms(definition.destination, definition.key, definition.key_types::oid[],
                                          definition.key_collations::regcollation[]::oid[]);
    IF definition.key_forms = now_compared THEN
        RETURN false;
    END IF;
    UPDATE reverse_etl_internal.sync_definitions SET key_forms = now_compared WHERE id = sync;
    SELECT string_agg(format(form, quote_ident(name)), ', ') INTO STRICT forms
      FROM ROWS FROM (unnest(definition.key), unnest(now_compared)) AS k (name, form);
    EXECUTE format('ALTER TABLE reverse_etl_internal.sync_%1$s_state DROP CONSTRAINT IF EXISTS sync_%1$s_state_pkey', sync);
    EXECUTE format('DROP INDEX IF EXISTS reverse_etl_internal.sync_%1$s_state_key, reverse_etl_internal.sync_%1$s_rows_key', sync);
    EXECUTE format($query$
        WITH spellings AS MATERIALIZED (
            SELECT ctid AS place, row_number() OVER same AS number, count(*) OVER same AS of_all
              FROM reverse_etl_internal.sync_%1$s_state WINDOW same AS (PARTITION BY %2$s)
        ), doubled AS (
            DELETE FROM reverse_etl_internal.sync_%1$s_state AS s USING spellings WHERE s.ctid = place AND number > 1
        )
        UPDATE reverse_etl_internal.sync_%1$s_state AS s SET "#hash" = NULL FROM spellings WHERE s.ctid = place AND number = 1 AND of_all > 1$query$,
        sync, forms);
    PERFORM reverse_etl_internal.index_sync_keys(sync);
    RETURN true;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.renew_key_forms(integer) IS 'has the state of a sync tell keys apart as its destination does by now; whether that has changed';

-- The tables of a sync belong to the extension's owner, so that nobody writes into them by hand; its owner reads them.
CREATE FUNCTION reverse_etl_internal.make_sync_tables(sync integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    columns text;
BEGIN
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions WHERE id = sync;
    SELECT string_agg(format('%I %s%s', name, type,
                             CASE WHEN collated.oid <> 0 THEN format(' COLLATE %s.%I', collnamespace::regnamespace, collname)
                             ELSE '' END), ', ' ORDER BY place)
      INTO columns
      FROM ROWS FROM (unnest(definition.key), unnest(definition.key_types), unnest(definition.key_collations::regcollation[]))
           WITH ORDINALITY AS k (name, type_oid, collated_oid, place)
      JOIN LATERAL (SELECT format('%s.%I', typnamespace::regnamespace, typname) AS type
                      FROM pg_type WHERE pg_type.oid = k.type_oid) AS t ON true
      JOIN LATERAL (SELECT k.collated_oid::oid AS oid) AS collated ON true
      LEFT JOIN pg_collation ON pg_collation.oid = collated.oid;
    EXECUTE format('CREATE TABLE reverse_etl_internal.sync_%s_state (%s, "#hash" bigint)
                    WITH (autovacuum_vacuum_scale_factor = 0.05)', sync, columns);
    EXECUTE format('COMMENT ON TABLE reverse_etl_internal.sync_%s_state IS %L', sync,
                   format('what the destination of sync "%s" has accepted: keys, and hashes of the rows', definition.name));
    EXECUTE format('CREATE TABLE reverse_etl_internal.sync_%s_rows (%s, "#hash" bigint, "#change" "char" NOT NULL, "#run" bigint,
                    "#row" bigint, "#attempts" integer NOT NULL)
                    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)', sync, columns);
    -- Who looks for the failures of a key is not to find all failures by it.
    EXECUTE format('CREATE UNIQUE INDEX ON reverse_etl_internal.sync_%s_rows ("#row") WHERE "#row" IS NOT NULL', sync);
    EXECUTE format('ALTER TABLE reverse_etl_internal.sync_%s_rows REPLICA IDENTITY FULL', sync); -- no column names each of its rows
    PERFORM reverse_etl_internal.index_sync_keys(sync);
    EXECUTE format('COMMENT ON TABLE reverse_etl_internal.sync_%s_rows IS %L', sync,
                   format('rows of sync "%s" that are on their way, by their number in the outbox, and those that did not get through', definition.name));
    EXECUTE format('REVOKE USAGE ON TYPE reverse_etl_internal.sync_%1$s_state, reverse_etl_internal.sync_%1$s_rows FROM PUBLIC', sync);
    EXECUTE format('GRANT SELECT ON reverse_etl_internal.sync_%1$s_state, reverse_etl_internal.sync_%1$s_rows TO %2$s', sync, definition.owner);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.make_sync_tables(integer) IS 'makes the tables of a new sync: its state, and its rows on their way';

CREATE FUNCTION reverse_etl_internal.forget_sync() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM reverse_etl.runs WHERE sync_id = old.id AND status IN ('reading', 'delivering', 'cancelling')) THEN
        RAISE object_in_use USING
            MESSAGE = format('cannot drop sync "%s" because a run of it is under way', old.name),
            HINT = 'Wait for its end, or call reverse_etl.cancel_run first.';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS reverse_etl_internal.sync_%s_state, reverse_etl_internal.sync_%s_rows', old.id, old.id);
    DELETE FROM reverse_etl.runs WHERE sync_id = old.id;
    DELETE FROM reverse_etl.alerts WHERE sync_id = old.id;
    DELETE FROM reverse_etl_internal.sync_streams WHERE sync_id = old.id;
    UPDATE reverse_etl_internal.sync_definitions SET run_after = NULL WHERE run_after = old.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.forget_sync() IS 'drops the tables and the history of a sync that is dropped';
REVOKE ALL ON FUNCTION reverse_etl_internal.forget_sync() FROM PUBLIC;
CREATE TRIGGER forget AFTER DELETE ON reverse_etl_internal.sync_definitions
    FOR EACH ROW EXECUTE FUNCTION reverse_etl_internal.forget_sync();
-- Whatever the session replays.
ALTER TABLE reverse_etl_internal.sync_definitions ENABLE ALWAYS TRIGGER forget;
COMMENT ON TRIGGER forget ON reverse_etl_internal.sync_definitions IS 'a sync''s tables and history go with it';

CREATE FUNCTION reverse_etl_internal.find_sync(caller oid, name text) RETURNS reverse_etl_internal.sync_definitions
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
BEGIN
    SELECT * INTO definition FROM reverse_etl_internal.sync_definitions AS s
     WHERE s.name = find_sync.name AND pg_has_role(caller, s.owner, 'USAGE');
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('sync "%s" does not exist', find_sync.name),
            HINT = 'reverse_etl.syncs lists those that you own.';
    END IF;
    RETURN definition;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.find_sync(oid, text) IS 'the sync of a name, for its owner';

CREATE FUNCTION reverse_etl_internal.check_sync_choices(mode text, on_missing text, change_detection text, cursor_column text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF reverse_etl_internal.sync_mode(mode) IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid mode: "%s"', mode),
            HINT = 'Use insert, update, upsert, mirror, full or append.';
    END IF;
    IF on_missing NOT IN ('ignore', 'delete', 'archive', 'clear') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for on_missing: "%s"', on_missing),
            HINT = 'Use delete, archive, clear or ignore.';
    END IF;
    IF on_missing <> 'ignore' AND NOT (reverse_etl_internal.sync_mode(mode)).removes THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('mode "%s" removes nothing', mode),
            HINT = 'Use mode mirror, or leave on_missing out.';
    END IF;
    IF change_detection NOT IN ('difference', 'cursor', 'source') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for change_detection: "%s"', change_detection), HINT = 'Use difference, source or cursor.';
    END IF;
    IF COALESCE(change_detection = 'cursor', false) <> (cursor_column IS NOT NULL) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'change_detection => ''cursor'' and cursor_column go together',
            HINT = 'Name the column of the query that only grows.';
    END IF;
    IF change_detection = 'cursor' AND NOT (reverse_etl_internal.sync_mode(mode)).takes_cursor THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('mode "%s" needs change_detection => ''difference''', mode),
            DETAIL = 'A cursor finds new rows, not those that are gone.',
            HINT = 'With a cursor use mode append, insert or upsert.';
    END IF;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.check_sync_choices(text, text, text, text) IS 'refuses what does not go together in a sync';

-- NULL: found there where it can be, and a read of all rows is not needed anyway.
CREATE FUNCTION reverse_etl_internal.detection_of(change_detection text, mode text, not_at_source text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF change_detection = 'source' AND not_at_source IS NOT NULL THEN
        RAISE feature_not_supported USING
            MESSAGE = 'the difference cannot be found at the source of the query',
            DETAIL = not_at_source,
            HINT = 'Select columns of one table of the source as they are, with conditions that it evaluates; a table with the option "query" has all of its SQL. Or use change_detection => ''difference'', which compares here.';
    END IF;
    RETURN COALESCE(change_detection, CASE WHEN not_at_source IS NULL AND mode <> 'full' THEN 'source' ELSE 'difference' END);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.detection_of(text, text, text) IS 'how a sync finds what changed: as it was asked for, and where nobody asked at the source, if that can be';

-- The default of search_path is the caller's, which the function itself does not see.
CREATE FUNCTION reverse_etl.create_sync(name text, query text, destination regclass, key text[],
    mode text DEFAULT 'upsert', on_missing text DEFAULT NULL, change_detection text DEFAULT NULL, cursor_column text DEFAULT NULL,
    backfill boolean DEFAULT true, max_removed text DEFAULT '25%', max_changed text DEFAULT NULL,
    min_rows text DEFAULT NULL, max_rejected text DEFAULT NULL, max_attempts integer DEFAULT 5,
    hold_for interval DEFAULT '1 day', run_after text DEFAULT NULL, alert_to regclass DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS integer
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.create_sync_as(caller oid, name text, query text, destination regclass, key text[], mode text,
    on_missing text, change_detection text, cursor_column text, backfill boolean, max_removed text, max_changed text, min_rows text,
    max_rejected text, max_attempts integer, hold_for interval, run_after text, alert_to regclass, search_path text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about record;
    sync integer;
BEGIN
    IF name IS NULL OR query IS NULL OR destination IS NULL OR key IS NULL OR search_path IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'a sync needs a name, a query, a destination and a key';
    END IF;
    on_missing := COALESCE(on_missing, CASE WHEN (reverse_etl_internal.sync_mode(mode)).removes THEN 'delete' ELSE 'ignore' END);
    PERFORM reverse_etl_internal.check_sync_choices(mode, on_missing, change_detection, cursor_column);
    PERFORM reverse_etl_internal.check_sync_limits(name, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for, alert_to);
    query := reverse_etl_internal.sole_statement(query);
    about := reverse_etl_internal.describe_sync(caller, query, search_path, destination, key, mode, on_missing, cursor_column);
    change_detection := reverse_etl_internal.detection_of(change_detection, mode, about.not_at_source);
    INSERT INTO reverse_etl_internal.sync_definitions AS s
           (name, owner, query, search_path, destination, key, key_types, key_collations, key_forms, columns, reads, needs, mode, on_missing,
            change_detection, cursor_column, backfill, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for,
            run_after, alert_to, hash_version)
    VALUES (create_sync_as.name, caller, create_sync_as.query, create_sync_as.search_path,
            create_sync_as.destination, create_sync_as.key, about.key_types, about.key_collations::text[], about.key_forms,
            about.columns, about.reads, about.needs,
            create_sync_as.mode, create_sync_as.on_missing, create_sync_as.change_detection, create_sync_as.cursor_column, create_sync_as.backfill,
            NULLIF(create_sync_as.max_removed, 'none'), NULLIF(create_sync_as.max_changed, 'none'),
            NULLIF(create_sync_as.min_rows, 'none'), NULLIF(create_sync_as.max_rejected, 'none'), create_sync_as.max_attempts, create_sync_as.hold_for,
            CASE WHEN create_sync_as.run_after IS NOT NULL THEN (reverse_etl_internal.find_sync(caller, create_sync_as.run_after)).id END,
            create_sync_as.alert_to, reverse_etl.hash_row_version())
    RETURNING s.id INTO sync;
    PERFORM reverse_etl_internal.make_sync_tables(sync);
    RETURN sync;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING
        MESSAGE = format('sync "%s" already exists', create_sync_as.name),
        HINT = 'Use reverse_etl.alter_sync to change it, or another name.';
END
$$;
COMMENT ON FUNCTION reverse_etl.create_sync(text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, regclass, text) IS 'makes a sync: a query whose rows a destination is to have; returns its id';

-- What the state says holds for one destination and key. With another the sync begins as a new one does, but for its name.
CREATE FUNCTION reverse_etl_internal.start_sync_over(sync integer, destination regclass, key text[], mode text, change_detection text,
    cursor_column text, key_types regtype[], key_collations text[], key_forms text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions;
    on_their_way boolean;
    sent_any boolean;
    fed_by regclass;
BEGIN
    -- Whoever streams waits for the lock on the table.
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions WHERE id = sync;
    EXECUTE format('LOCK TABLE reverse_etl_internal.sync_%s_rows', sync);
    EXECUTE format('SELECT EXISTS (SELECT FROM reverse_etl_internal.sync_%s_rows WHERE "#row" IS NOT NULL)', sync) INTO on_their_way;
    IF on_their_way OR EXISTS (SELECT FROM reverse_etl.runs
                                WHERE sync_id = start_sync_over.sync AND status IN ('reading', 'delivering', 'cancelling')) THEN
        RAISE object_in_use USING
            MESSAGE = format('rows of sync "%s" are on their way', definition.name),
            DETAIL = 'Their outcomes are kept by its key and for its destination.',
            HINT = format('Wait for the end of its run, or call reverse_etl.cancel_run first; CALL reverse_etl.wait(%L) waits for the rows.',
                          definition.destination);
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM reverse_etl_internal.sync_%s_state)', sync) INTO sent_any;
    sent_any := sent_any OR definition.has_run OR definition.cursor_value IS NOT NULL;
    -- Also for another destination: there and back again, all would be there twice.
    IF sent_any AND NOT (reverse_etl_internal.sync_mode(start_sync_over.mode)).sends_changed THEN
        RAISE feature_not_supported USING
            MESSAGE = format('destination, key and change_detection of sync "%s" cannot be changed', definition.name),
            DETAIL = format('What it knows of its rows would be forgotten, and mode "%s" would create all of them again.', start_sync_over.mode),
            HINT = 'Drop the sync and make it anew with backfill => false, which takes what is there now as sent.';
    END IF;
    SELECT source INTO fed_by FROM reverse_etl_internal.sync_streams AS s WHERE s.sync_id = sync LIMIT 1;
    IF FOUND AND (start_sync_over.key <> definition.key OR start_sync_over.change_detection = 'cursor') THEN
        RAISE feature_not_supported USING
            MESSAGE = format('key and change_detection of sync "%s" cannot be changed while %s feeds it', definition.name, fed_by),
            DETAIL = 'Its triggers find rows by the key, and need a state.',
            HINT = format('Call reverse_etl.unstream_sync(%L, %L) first, and stream_sync again afterwards.', definition.name, fed_by);
    END IF;
    UPDATE reverse_etl.runs AS r SET status = 'expired', finished_at = clock_timestamp() WHERE r.sync_id = start_sync_over.sync AND r.status = 'held';
    UPDATE reverse_etl_internal.sync_definitions AS s
       SET destination = start_sync_over.destination, key = start_sync_over.key, key_types = start_sync_over.key_types,
           key_collations = start_sync_over.key_collations, key_forms = start_sync_over.key_forms,
           change_detection = start_sync_over.change_detection, cursor_column = start_sync_over.cursor_column,
           cursor_value = NULL, has_run = false, may_remove = false, requested_at = NULL
     WHERE s.id = sync;
    EXECUTE format('DROP TABLE reverse_etl_internal.sync_%s_state, reverse_etl_internal.sync_%s_rows', sync, sync);
    PERFORM reverse_etl_internal.make_sync_tables(sync);
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.start_sync_over(integer, regclass, text[], text, text, text, regtype[], text[], text[]) IS 'gives a sync another destination, key or way to find changes; it forgets what was sent';

-- NULL leaves a setting as it is, and "none" takes a guard, a predecessor or the alerts away.
CREATE FUNCTION reverse_etl.alter_sync(name text, query text DEFAULT NULL, destination regclass DEFAULT NULL, key text[] DEFAULT NULL,
    mode text DEFAULT NULL, on_missing text DEFAULT NULL, change_detection text DEFAULT NULL, cursor_column text DEFAULT NULL,
    backfill boolean DEFAULT NULL, max_removed text DEFAULT NULL, max_changed text DEFAULT NULL, min_rows text DEFAULT NULL,
    max_rejected text DEFAULT NULL, max_attempts integer DEFAULT NULL, hold_for interval DEFAULT NULL,
    run_after text DEFAULT NULL, alert_to text DEFAULT NULL, rename_to text DEFAULT NULL,
    search_path text DEFAULT pg_catalog.current_setting('search_path')) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.alter_sync_as(caller oid, name text, query text, destination regclass, key text[], mode text,
    on_missing text, change_detection text, cursor_column text, backfill boolean, max_removed text, max_changed text, min_rows text,
    max_rejected text, max_attempts integer, hold_for interval, run_after text, alert_to text, rename_to text, search_path text)
    RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, alter_sync_as.name);
    about record;
    predecessor reverse_etl_internal.sync_definitions;
    seen integer[] := '{}';
BEGIN
    -- Whoever begins a run or alters it waits here, and then finds what this has made of it.
    SELECT * INTO STRICT definition FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = definition.id FOR UPDATE;
    mode := COALESCE(mode, definition.mode);
    on_missing := COALESCE(on_missing, CASE WHEN mode = definition.mode THEN definition.on_missing
                                            WHEN (reverse_etl_internal.sync_mode(mode)).removes THEN 'delete' ELSE 'ignore' END);
    destination := COALESCE(destination, definition.destination);
    key := COALESCE(key, definition.key);
    cursor_column := COALESCE(cursor_column, CASE WHEN change_detection <> 'cursor' THEN NULL ELSE definition.cursor_column END);
    change_detection := COALESCE(change_detection, definition.change_detection);
    PERFORM reverse_etl_internal.check_sync_choices(mode, on_missing, change_detection, cursor_column);
    PERFORM reverse_etl_internal.check_sync_limits(rename_to, max_removed, max_changed, min_rows, max_rejected, max_attempts, hold_for,
                                          NULLIF(alert_to, 'none')::regclass);
    IF query IS NOT NULL THEN
        definition.query := reverse_etl_internal.sole_statement(query);
        definition.search_path := search_path;
    END IF;
    -- What is checked has to hold for the owner, who runs it.
    about := reverse_etl_internal.describe_sync(definition.owner, definition.query, definition.search_path, destination, key, mode,
                                                on_missing, cursor_column);
    change_detection := reverse_etl_internal.detection_of(change_detection, mode, about.not_at_source);
    IF (destination, key, change_detection) <> (definition.destination, definition.key, definition.change_detection)
       OR cursor_column IS DISTINCT FROM definition.cursor_column THEN
        PERFORM reverse_etl_internal.start_sync_over(definition.id, destination, key, mode, change_detection, cursor_column,
                                                     about.key_types, about.key_collations::text[], about.key_forms);
    ELSIF about.key_types <> definition.key_types OR about.key_collations::text[] <> definition.key_collations THEN
        RAISE datatype_mismatch USING
            MESSAGE = format('the key of sync "%s" cannot change its type', definition.name),
            DETAIL = format('It is %s, and the query gives %s.', definition.key_types, about.key_types),
            HINT = 'Cast the column in the query, or drop the sync and make it anew.';
    END IF;
    IF run_after IS NOT NULL AND run_after <> 'none' THEN
        predecessor := reverse_etl_internal.find_sync(caller, run_after);
        definition.run_after := predecessor.id;
        -- Locked, lest two become each other's predecessor at the same moment.
        WHILE predecessor.id IS NOT NULL AND predecessor.id <> ALL (seen) LOOP
            IF predecessor.id = definition.id THEN
                RAISE invalid_parameter_value USING
                    MESSAGE = format('sync "%s" cannot run after "%s"', definition.name, run_after),
                    DETAIL = 'Each would wait for the other.';
            END IF;
            seen := seen || predecessor.id;
            SELECT * INTO predecessor FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = predecessor.id FOR SHARE;
            SELECT * INTO predecessor FROM reverse_etl_internal.sync_definitions AS s WHERE s.id = predecessor.run_after;
        END LOOP;
    ELSIF run_after = 'none' THEN
        definition.run_after := NULL;
    END IF;
    IF rename_to IS NOT NULL THEN
        PERFORM reverse_etl_internal.drop_job(caller, definition.job, definition.name);
    END IF;
    UPDATE reverse_etl_internal.sync_definitions AS s
       SET name = COALESCE(rename_to, s.name), query = definition.query, search_path = definition.search_path,
           columns = about.columns, reads = about.reads, needs = about.needs, mode = alter_sync_as.mode, on_missing = alter_sync_as.on_missing,
           backfill = COALESCE(alter_sync_as.backfill, s.backfill),
           max_removed = CASE WHEN alter_sync_as.max_removed = 'none' THEN NULL ELSE COALESCE(alter_sync_as.max_removed, s.max_removed) END,
           max_changed = CASE WHEN alter_sync_as.max_changed = 'none' THEN NULL ELSE COALESCE(alter_sync_as.max_changed, s.max_changed) END,
           min_rows = CASE WHEN alter_sync_as.min_rows = 'none' THEN NULL ELSE COALESCE(alter_sync_as.min_rows, s.min_rows) END,
           max_rejected = CASE WHEN alter_sync_as.max_rejected = 'none' THEN NULL ELSE COALESCE(alter_sync_as.max_rejected, s.max_rejected) END,
           max_attempts = COALESCE(alter_sync_as.max_attempts, s.max_attempts),
           hold_for = COALESCE(alter_sync_as.hold_for, s.hold_for),
           run_after = definition.run_after,
           alert_to = CASE WHEN alter_sync_as.alert_to = 'none' THEN NULL
                           ELSE COALESCE(alter_sync_as.alert_to::regclass, s.alert_to) END,
           may_remove = s.may_remove AND alter_sync_as.mode = s.mode, broken = NULL
     WHERE s.id = definition.id;
    PERFORM reverse_etl_internal.renew_key_forms(definition.id);
    IF rename_to IS NOT NULL AND definition.job IS NOT NULL THEN
        PERFORM reverse_etl_internal.schedule_sync_as(caller, rename_to, definition.schedule);
    END IF;
EXCEPTION WHEN unique_violation THEN
    RAISE duplicate_object USING MESSAGE = format('sync "%s" already exists', rename_to);
END
$$;
COMMENT ON FUNCTION reverse_etl.alter_sync(text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, text, text, text) IS 'changes a sync; what is not given stays, "none" takes a guard away. A changed query sends the rows whose output changed; with another destination, key or change_detection it begins anew';

CREATE FUNCTION reverse_etl.drop_sync(name text) RETURNS void
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_hand_on';
CREATE FUNCTION reverse_etl_internal.drop_sync_as(caller oid, name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition reverse_etl_internal.sync_definitions := reverse_etl_internal.find_sync(caller, drop_sync_as.name);
BEGIN
    PERFORM reverse_etl_internal.unschedule_sync_as(caller, definition.name) WHERE definition.job IS NOT NULL;
    DELETE FROM reverse_etl_internal.sync_definitions WHERE id = definition.id;
END
$$;
COMMENT ON FUNCTION reverse_etl.drop_sync(text) IS 'removes a sync, its state and its history; what the destination has stays there';

COMMENT ON FUNCTION reverse_etl_internal.create_sync_as(oid, text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, regclass, text) IS 'create_sync() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.alter_sync_as(oid, text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, text, text, text) IS 'alter_sync() for the role that calls it';
COMMENT ON FUNCTION reverse_etl_internal.drop_sync_as(oid, text) IS 'drop_sync() for the role that calls it';
REVOKE ALL ON FUNCTION reverse_etl_internal.sole_statement(text), reverse_etl_internal.describe_sync(oid, text, text, regclass, text[], text, text, text),
    reverse_etl_internal.key_forms(oid, text[], oid[], oid[]), reverse_etl_internal.index_sync_keys(integer), reverse_etl_internal.renew_key_forms(integer),
    reverse_etl_internal.make_sync_tables(integer), reverse_etl_internal.start_sync_over(integer, regclass, text[], text, text, text, regtype[], text[], text[]), reverse_etl_internal.find_sync(oid, text), reverse_etl_internal.check_sync_choices(text, text, text, text),
    reverse_etl_internal.detection_of(text, text, text),
    reverse_etl_internal.create_sync_as(oid, text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, regclass, text),
    reverse_etl_internal.alter_sync_as(oid, text, text, regclass, text[], text, text, text, text, boolean, text, text, text, text, integer, interval, text, text, text, text),
    reverse_etl_internal.drop_sync_as(oid, text) FROM PUBLIC;
