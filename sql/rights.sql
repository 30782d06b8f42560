-- What a role without any grant may do with the extension: read what is its own, and call what checks. Whatever is added to
-- the extension turns up here, and has to say why it is harmless.
\set VERBOSITY terse
CREATE ROLE regress_nobody;

-- No table, column or sequence may be written.
SELECT c.oid::regclass AS object, p.right
  FROM pg_class AS c, unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p ("right")
 WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (has_table_privilege('regress_nobody', c.oid, p.right)
        OR p.right IN ('INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege('regress_nobody', c.oid, p.right))
UNION ALL
SELECT c.oid::regclass, p.right FROM pg_class AS c, unnest('{USAGE,SELECT,UPDATE}'::text[]) AS p ("right")
 WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind = 'S' AND has_sequence_privilege('regress_nobody', c.oid, p.right);

-- Every table that may be read, and holds what belongs to roles, has row security.
SELECT oid::regclass AS without_row_security FROM pg_class
 WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind IN ('r', 'p') AND NOT relrowsecurity
   AND has_any_column_privilege('regress_nobody', oid, 'SELECT')
   AND oid <> 'reverse_etl_internal.custom_connectors'::regclass; -- a manifest holds no secrets, and is for whoever has a server

-- No policy goes by a role's name, which is another role's tomorrow.
SELECT polrelid::regclass, polname FROM pg_policy
 WHERE polrelid::regclass::text LIKE ANY ('{reverse\_etl.%,reverse\_etl\_internal.%}')
   AND regexp_replace(pg_get_expr(polqual, polrelid), 'quote_ident\(\(CURRENT_USER\)::text\)\)::regrole', '', 'g') ~ 'CURRENT_USER|SESSION_USER';

-- Nobody makes columns and functions of the types of their rows: an upgrade could not change the tables.
SELECT reltype::regtype FROM pg_class
 WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND reltype <> 0 AND has_type_privilege('regress_nobody', reltype, 'USAGE');
-- Nor does anything of the extension's own: each table can be given columns.
BEGIN;
DO $$ DECLARE changed regclass; BEGIN
    FOR changed IN SELECT oid FROM pg_class WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind = 'r' AND relname !~ '^outbox_[0-9]'
    LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN one_more text NOT NULL DEFAULT gen_random_uuid()', changed);
    END LOOP;
END $$;
ROLLBACK;

-- Functions
CREATE TEMP TABLE harmless (name text PRIMARY KEY, why text NOT NULL);
INSERT INTO harmless VALUES
    ('all_connectors', 'reads manifests, which all may read; the view connectors calls it'),
    ('built_in_options', 'constant'),
    ('check_manifest', 'reads its arguments alone'),
    ('check_server', 'asks for USAGE on the server, and signs in as who calls it'),
    ('import_files', 'asks for USAGE on the server, and signs in and makes a table as who calls it'),
    ('import_query', 'asks for USAGE on the server, and signs in and makes a table as who calls it'),
    ('source_queries', 'shows a role what it may see; the view source_queries calls it'),
    ('refresh_columns', 'asks for ownership of the table, and alters it as who calls it'),
    ('preview', 'runs what the caller could run, sends nothing and takes back the rest'),
    ('show_request', 'reads its arguments alone'),
    ('test_connector', 'reads its arguments, and manifests, which all may read'),
    ('show_manifest', 'reads manifests, which all may read'),
    ('describe_connector', 'reads manifests, which all may read'),
    ('hash_row', 'reads its argument alone; models call it'),
    ('hash_row_version', 'constant'),
    ('next_run_after', 'reads its arguments alone'),
    ('last_run_before', 'reads its arguments alone'),
    ('run_times', 'reads its argument alone; the view syncs calls it'),
    ('unpacked', 'reads its arguments alone; the view outbox calls it'),
    ('paused_server', 'reads a catalog that all may read; the view destinations calls it'),
    ('equality_of', 'reads catalogs that all may read'),
    ('find_worker', 'tells whether the worker is there; the view destinations calls it'),
    ('key_form', 'reads its arguments alone; statements of syncs call it as their owners'),
    ('key_hash', 'reads its arguments alone; statements of syncs call it as their owners'),
    ('sees', 'counts where a token lets it, which the process that made the statement has drawn; statements of syncs call it as their owners'),
    ('was_seen', 'the same, and only reads'),
    ('fate', 'the same as sees, and reads the state that the token names'),
    ('statistics', 'shows a role what it may see'),
    ('running_pushes', 'shows a role what it may see'),
    ('role_in', 'reads its argument, and a catalog that all may read'),
    ('role_out', 'reads its argument, and a catalog that all may read'),
    ('push', 'a trigger function that pushes as who fires it'),
    ('push_stream', 'a trigger function that asks whether stream_table made the trigger'),
    ('push_sync', 'a trigger function that asks whether stream_sync made it feed the sync'),
    ('wait', 'waits for the caller''s own rows'),
    ('run_sync', 'finds syncs of the caller alone'),
    ('plan_sync', 'finds syncs of the caller alone'),
    ('resync', 'finds syncs of the caller alone'),
    ('adopt', 'finds syncs of the caller alone');
-- These only hand on who calls them.
INSERT INTO harmless SELECT DISTINCT proname, 'its counterpart checks' FROM pg_proc
 WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND prosrc = 'reverse_etl_hand_on';
SELECT COALESCE(proname, name) AS function,
       CASE WHEN name IS NULL THEN 'is granted to everybody: why is it harmless?' ELSE 'is not granted to everybody any more' END AS what
  FROM (SELECT DISTINCT proname::text FROM pg_proc
         WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND has_function_privilege('regress_nobody', oid, 'EXECUTE')) AS granted
  FULL JOIN harmless ON name = proname
 WHERE name IS NULL OR proname IS NULL;
SELECT count(*) AS hand_on FROM harmless WHERE why = 'its counterpart checks';

-- Nobody but the owner runs what has the owner's rights, and under a search path of its own.
SELECT oid::regprocedure AS open_to_others FROM pg_proc
 WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND prosecdef
   AND (has_function_privilege('regress_nobody', oid, 'EXECUTE') OR NOT 'search_path=pg_catalog, pg_temp' = ANY (COALESCE(proconfig, '{}')));

-- Locks that others would have to wait for
SET ROLE regress_nobody;
DO $$
DECLARE
    target record;
    taken text := '';
BEGIN
    FOR target IN
        SELECT c.oid::regclass AS name, m.mode FROM pg_class AS c,
               unnest('{ROW SHARE,ROW EXCLUSIVE,SHARE UPDATE EXCLUSIVE,SHARE,SHARE ROW EXCLUSIVE,EXCLUSIVE,ACCESS EXCLUSIVE}'::text[]) AS m (mode)
         WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind IN ('r', 'p', 'v')
    LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN %s MODE NOWAIT', target.name, target.mode);
            taken := taken || format(' %s (%s)', target.name, target.mode);
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
    END LOOP;
    RAISE NOTICE 'locks taken:%', taken;
END
$$;
SELECT id FROM reverse_etl.rejected_rows FOR UPDATE;
SELECT id FROM reverse_etl.outbox FOR SHARE;
RESET ROLE;

-- Every function is called with NULLs, wrong oids, huge and hostile values: by a role that has nothing, by one that owns a
-- sync "x", and by a superuser, who may call those that nobody is granted.
CREATE ROLE regress_owner;
CREATE SCHEMA regress_owner AUTHORIZATION regress_owner;
CREATE SERVER regress_sink FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url 'http://127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER regress_sink TO regress_owner;
CREATE USER MAPPING FOR regress_owner SERVER regress_sink OPTIONS (access_token 'none');
SET ROLE regress_owner;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER regress_sink INTO regress_owner OPTIONS (discover 'false');
CREATE TABLE regress_owner.people (email text PRIMARY KEY, firstname text);
SELECT reverse_etl.create_sync('x', 'SELECT email, firstname FROM regress_owner.people', 'regress_owner.contacts', '{email}') > 0 AS made;
RESET ROLE;
CREATE FUNCTION pg_temp.hostile(type regtype) RETURNS text[] LANGUAGE sql AS $$
SELECT CASE
    WHEN type IN ('text'::regtype, 'name'::regtype) THEN ARRAY['NULL', '''''', '''x''', '''none''', 'repeat(''x'', 60)', '''%s%n''', '''"; DROP TABLE x; --''',
        '''true) OR (true''', '''SELECT 1; SELECT 2''', '''pg_class''', 'E''\\x01''', '''{"a":"\\ud83d"}''']
    WHEN type IN ('oid'::regtype, 'regclass'::regtype, 'regtype'::regtype, 'regrole'::regtype) THEN
        ARRAY['NULL', '0::oid', '1::oid', '4294967295::oid', '1259::oid', '25::oid', '10::oid']
    WHEN type IN ('integer'::regtype, 'bigint'::regtype, 'smallint'::regtype) THEN ARRAY['NULL', '0', '-1', '2147483647', '-2147483648', '1']
    WHEN type = 'boolean'::regtype THEN ARRAY['NULL', 'true', 'false']
    WHEN type = 'interval'::regtype THEN ARRAY['NULL', '''-1 day''', '''178000000 years''', '''0''']
    WHEN type = 'timestamptz'::regtype THEN ARRAY['NULL', '''infinity''', '''-infinity''', '''294276-12-31''', '''4713-01-01 BC''']
    WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN ARRAY['NULL', '''{}''', '''[]''', '''"x"''', '''{"a": {"b": null}}''']
    WHEN type = 'record'::regtype THEN ARRAY['NULL', 'ROW(1, NULL)', 'ROW()']
    WHEN type = 'text[]'::regtype THEN ARRAY['NULL', '''{}''', '''{NULL}''', '''{a,NULL}''', '''{{a},{b}}''', '''{accepted}''', 'array_fill(''x''::text, ARRAY[1000])']
    WHEN type::text LIKE '%[]' THEN ARRAY['NULL', '''{}''', '''{NULL}''', '''{1}''', '''{{1},{2}}''']
    ELSE ARRAY['NULL'] END
$$;
CREATE FUNCTION pg_temp.call_all() RETURNS TABLE (called bigint, internal_errors text) LANGUAGE plpgsql AS $$
DECLARE
    target record;
    call text;
    variant integer;
    all_called bigint := 0;
    internal text := '';
BEGIN
    FOR target IN SELECT oid, proname, pronamespace, prokind, proargtypes::oid[] AS types FROM pg_proc
                   WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) ORDER BY oid::regprocedure::text COLLATE "C"
    LOOP
        FOR variant IN 0 .. 24 LOOP
            call := CASE target.prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT ' END
                || format('%s.%I(%s)', target.pronamespace::regnamespace, target.proname,
                          (SELECT string_agg(CASE variant WHEN 0 THEN 'NULL' ELSE choices[1 + (variant * (place + 1) + place) % cardinality(choices)] END
                                             || '::' || type::regtype, ', ' ORDER BY place)
                             FROM unnest(target.types) WITH ORDINALITY AS t (type, place), pg_temp.hostile(type::regtype) AS choices));
            BEGIN
                EXECUTE call;
                RAISE EXCEPTION USING ERRCODE = 'UNDO0'; -- whatever it did
            EXCEPTION WHEN OTHERS THEN
                all_called := all_called + 1;
                IF SQLSTATE LIKE 'XX%' THEN
                    internal := internal || format(E'\n%s: %s', call, SQLERRM);
                END IF;
            END;
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT all_called, internal;
END
$$;
SET client_min_messages = error;
SET ROLE regress_nobody;
SELECT called > 2000 AS called, internal_errors FROM pg_temp.call_all();
SET ROLE regress_owner;
SELECT called > 2000 AS called, internal_errors FROM pg_temp.call_all();
RESET ROLE;
SELECT called > 2000 AS called, internal_errors FROM pg_temp.call_all();
RESET client_min_messages;
-- The server still stands, and so does the extension.
SELECT count(*) > 50 AS functions FROM pg_proc WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]);
SELECT name FROM reverse_etl.syncs;
DROP OWNED BY regress_owner CASCADE;
SELECT name FROM reverse_etl.syncs;
DROP SERVER regress_sink CASCADE;
DROP ROLE regress_owner, regress_nobody;
