-- What a sync refuses to begin with, and what becomes of rows that are absent or in doubt.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
CREATE SERVER api FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO crm;
CREATE TABLE people (email text, name text);
INSERT INTO people VALUES ('ada@example.com', 'Ada'), ('grace@example.com', 'Grace');
\set last_run 'SELECT status, added, changed, removed, unchanged, invalid, accepted, rejected, absent FROM reverse_etl.runs ORDER BY runs.id DESC LIMIT 1;'

-- One statement, whatever stands behind its semicolon.
SELECT reverse_etl.create_sync('semicolon', 'SELECT email FROM people; -- all of them', 'crm.contacts', '{email}') > 0 AS made;
SELECT query FROM reverse_etl_internal.sync_definitions WHERE name = 'semicolon';
SELECT reverse_etl.alter_sync('semicolon', query => E'/* all */ SELECT email FROM people -- of them\n ; ');
SELECT query FROM reverse_etl_internal.sync_definitions WHERE name = 'semicolon';
SELECT reverse_etl.create_sync('two', 'SELECT email FROM people; SELECT 1', 'crm.contacts', '{email}');
SELECT reverse_etl.create_sync('wrong', 'SELECT email FRM people', 'crm.contacts', '{email}');
SELECT reverse_etl.drop_sync('semicolon');
-- What only this session sees
CREATE TEMP TABLE mine (email text);
CREATE TEMP VIEW of_mine AS SELECT email FROM people;
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY '{mine,of_mine}'::text[] LOOP
        BEGIN
            PERFORM reverse_etl.create_sync('temporary', 'SELECT email FROM ' || source, 'crm.contacts', '{email}');
        EXCEPTION WHEN invalid_table_definition THEN
            RAISE NOTICE '%', regexp_replace(SQLERRM, 'pg_temp_[0-9]+', 'pg_temp');
        END;
    END LOOP;
END $$;
-- Two columns of one field
CREATE FOREIGN TABLE crm.twice (id text, a text OPTIONS (field 'z'), b text OPTIONS (field 'z')) SERVER api OPTIONS (path '/http/twice', key 'id');
SELECT reverse_etl.create_sync('twice', 'SELECT email AS id, name AS a, name AS b FROM people', 'crm.twice', '{id}');
INSERT INTO crm.twice VALUES ('1', 'a', 'b');
INSERT INTO crm.twice (id, a) VALUES ('1', 'a');

-- A type of the key whose schema needs quotes
CREATE SCHEMA "odd ""schema";
CREATE TYPE "odd ""schema".level AS ENUM ('low', 'high');
CREATE TABLE levels (id "odd ""schema".level, v text);
INSERT INTO levels VALUES ('low', 'l'), ('high', 'h');
CREATE FOREIGN TABLE crm.levels (id "odd ""schema".level, v text) SERVER api OPTIONS (path '/http/levels', key 'id', insert_as 'upsert');
SELECT reverse_etl.create_sync('levels', 'SELECT id, v FROM levels', 'crm.levels', '{id}', mode => 'mirror') > 0 AS made;
CALL reverse_etl.run_sync('levels');
SELECT reverse_etl.drop_sync('levels');

-- A CHECK that fails without words
CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ''; END $$;
CREATE FOREIGN TABLE crm.checked (email text, firstname text CHECK (firstname <> 'Ada' OR fail())) SERVER hubspot OPTIONS (object 'contacts');
SELECT reverse_etl.create_sync('checked', 'SELECT email, name AS firstname FROM people', 'crm.checked', '{email}') > 0 AS made;
CALL reverse_etl.run_sync('checked');
SELECT outcome, key, reason FROM reverse_etl.run_rows;
SELECT email FROM crm.contacts ORDER BY 1;
SELECT reverse_etl.drop_sync('checked');

-- Mode update changes what is there; what is not is told, and not tried again until it changes.
SELECT reverse_etl.create_sync('update', 'SELECT email, name AS firstname FROM people', 'crm.contacts', '{email}', mode => 'update') > 0 AS made;
CALL reverse_etl.run_sync('update');
UPDATE people SET name = name || ' L.';
CALL reverse_etl.run_sync('update');
:last_run
SELECT outcome, key, reason FROM reverse_etl.run_rows;
CALL reverse_etl.run_sync('update');
SELECT reverse_etl.drop_sync('update');
SELECT count(*) FROM reverse_etl.rejected_rows;

-- A mirror whose row somebody deleted there: the next run creates it again.
CREATE FOREIGN TABLE crm.there (id text, v text) SERVER api OPTIONS (path '/http/there', key 'id', insert_as 'create');
CREATE TABLE here (id text, v text);
INSERT INTO here VALUES ('1', 'one'), ('2', 'two');
SELECT reverse_etl.create_sync('there', 'SELECT id, v FROM here', 'crm.there', '{id}', mode => 'mirror', max_removed => 'none') > 0 AS made;
CALL reverse_etl.run_sync('there');
DELETE FROM crm.there WHERE id = '1';
UPDATE here SET v = v || '!';
CALL reverse_etl.run_sync('there');
:last_run
SELECT outcome, key, reason FROM reverse_etl.run_rows;
CALL reverse_etl.run_sync('there');
:last_run
SELECT id, v FROM crm.there ORDER BY id;
-- To delete what is gone is done.
DELETE FROM crm.there WHERE id = '2';
DELETE FROM here WHERE id = '2';
CALL reverse_etl.run_sync('there');
:last_run
SELECT reverse_etl.drop_sync('there');

-- Rows that may have been created are not created again, until somebody says so.
CREATE FOREIGN TABLE crm.once (id text, v text) SERVER api OPTIONS (path '/http/once', key 'id', insert_as 'create', batch_size '1');
SELECT reverse_etl.create_sync('once', 'SELECT id, v FROM here', 'crm.once', '{id}', mode => 'insert') > 0 AS made;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"p_reset": 1, "reset_after_apply": true, "path": "/once", "times": 1}' > /dev/null
CALL reverse_etl.run_sync('once');
SELECT outcome, key, left(reason, 47) AS reason FROM reverse_etl.run_rows;
CALL reverse_etl.run_sync('once');
:last_run
SELECT id, v FROM crm.once ORDER BY 1;
SELECT outcome, key, reason FROM reverse_etl.run_rows WHERE run_id = (SELECT max(id) FROM reverse_etl.runs);
SELECT operation, rows, key FROM reverse_etl.plan_sync('once');
SELECT reverse_etl.resync('once');
CALL reverse_etl.run_sync('once');
:last_run
-- Or until the destination is asked: what it has is known, and what it has not is sent.
INSERT INTO here VALUES ('3', 'three');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"p_reset": 1, "reset_after_apply": true, "path": "/once", "times": 1}' > /dev/null
CALL reverse_etl.run_sync('once');
SELECT reverse_etl.adopt('once');
CALL reverse_etl.run_sync('once');
:last_run
SELECT reverse_etl.drop_sync('once');

-- Or until the destination is asked: a row that it has is one to be changed.
CREATE FOREIGN TABLE crm.asked (id text, v text) SERVER api OPTIONS (path '/http/asked', key 'id', insert_as 'create', batch_size '1');
SELECT reverse_etl.create_sync('asked', 'SELECT id, v FROM here', 'crm.asked', '{id}') > 0 AS made;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"p_reset": 1, "reset_after_apply": true, "path": "/asked", "times": 1}' > /dev/null
CALL reverse_etl.run_sync('asked');
:last_run
SELECT reverse_etl.adopt('asked');
UPDATE here SET v = v || '?';
CALL reverse_etl.run_sync('asked');
:last_run
SELECT id, v FROM crm.asked ORDER BY 1;
SELECT reverse_etl.drop_sync('asked');

-- What a stream and runs failed with is one row in the next run, and its attempts are counted together.
CREATE FOREIGN TABLE crm.refusing (email text, v text) SERVER api OPTIONS (path '/http/refusing', key 'email', insert_as 'upsert');
CREATE TABLE mail (email text PRIMARY KEY, v text);
SELECT reverse_etl.create_sync('refused', 'SELECT email, v FROM mail', 'crm.refusing', '{email}', mode => 'mirror', max_removed => 'none') > 0 AS made;
SELECT reverse_etl.stream_sync('refused', 'mail');
INSERT INTO mail VALUES ('no address', 'one'), ('ada@example.com', 'two');
CALL reverse_etl.wait('crm.refusing');
UPDATE mail SET v = v || '!';
CALL reverse_etl.wait('crm.refusing');
UPDATE mail SET v = v || '?';
CALL reverse_etl.wait('crm.refusing');
CALL reverse_etl.run_sync('refused');
:last_run
CALL reverse_etl.run_sync('refused');
:last_run
-- Rows that the destination does not let go, likewise.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"path": "/refusing/", "answer": "it is needed", "answer_status": 409, "answer_type": "text/plain", "times": 3}' > /dev/null
DELETE FROM mail WHERE v LIKE 'two%';
CALL reverse_etl.wait('crm.refusing');
INSERT INTO mail VALUES ('ada@example.com', 'two!?');
CALL reverse_etl.wait('crm.refusing');
DELETE FROM mail WHERE v LIKE 'two%';
CALL reverse_etl.wait('crm.refusing');
CALL reverse_etl.run_sync('refused');
:last_run
CALL reverse_etl.run_sync('refused');
:last_run
SELECT email, v FROM crm.refusing ORDER BY 1;
SELECT reverse_etl.drop_sync('refused');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{}' > /dev/null

-- A destination that compares in another way from now on: the state of a sync follows. What was two keys is one, and is sent
-- again; what was one key is two, and the spelling that has left is removed.
CREATE TABLE tags (tag text, n text);
INSERT INTO tags VALUES ('One', '1'), ('one', '2'), ('Two', '3');
CREATE FOREIGN TABLE crm.tags (tag text OPTIONS (field 'id'), n text) SERVER api OPTIONS (path '/http/tags', key 'id', insert_as 'upsert');
SELECT reverse_etl.create_sync('tags', 'SELECT tag, n FROM tags', 'crm.tags', '{tag}', mode => 'mirror', max_removed => 'none') > 0 AS made;
CALL reverse_etl.run_sync('tags');
ALTER FOREIGN TABLE crm.tags ALTER COLUMN tag OPTIONS (ADD compare 'case_insensitive');
SELECT key_forms FROM reverse_etl_internal.sync_definitions WHERE name = 'tags';
DO $$ BEGIN EXECUTE format('CREATE VIEW tags_state AS SELECT * FROM reverse_etl_internal.sync_%s_state',
                           (SELECT id FROM reverse_etl_internal.sync_definitions WHERE name = 'tags')); END $$;
SELECT lower(tag) AS tag, "#hash" IS NULL AS in_doubt FROM tags_state ORDER BY 1;
DELETE FROM tags WHERE tag = 'One';
UPDATE tags SET tag = 'TWO' WHERE tag = 'Two';
CALL reverse_etl.run_sync('tags');
ALTER FOREIGN TABLE crm.tags ALTER COLUMN tag OPTIONS (DROP compare);
UPDATE tags SET tag = 'two' WHERE tag = 'TWO';
CALL reverse_etl.run_sync('tags');
CALL reverse_etl.run_sync('tags');
SELECT tag, "#hash" IS NULL AS in_doubt FROM tags_state ORDER BY 1;
DROP VIEW tags_state;
SELECT reverse_etl.drop_sync('tags');
DROP TABLE tags;

TRUNCATE reverse_etl.rejected_rows;
DROP SCHEMA crm, "odd ""schema" CASCADE;
DROP TABLE people, levels, here, mine, mail CASCADE;
DROP FUNCTION fail;
DROP SERVER hubspot, api CASCADE;
