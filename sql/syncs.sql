-- A sync is a query, the model, whose rows a destination is to have. A run sends what changed since the destination last
-- accepted it.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\set SHOW_CONTEXT never
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
-- Messages tell the numbers of runs, which depend on what ran before; so they are left out.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;
CREATE TABLE customers (id integer PRIMARY KEY, email text, first_name text, stage text, country text);
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada', 'lead', 'GB'), (2, 'grace@example.com', 'Grace', 'lead', 'US'),
                             (3, 'alan@example.com', 'Alan', 'customer', 'GB'), (4, 'edith@example.com', 'Edith', 'lead', 'DE'),
                             (5, 'konrad@example.com', 'Konrad', 'lead', 'DE');
\set last_run 'SELECT status, queried, added, changed, removed, unchanged, invalid, accepted, rejected, cancelled FROM reverse_etl.runs ORDER BY runs.id DESC LIMIT 1;'
\set destination 'SELECT email, firstname, lifecyclestage FROM hubspot.contacts ORDER BY email;'

-- A sync that keeps the destination like the model: rows that leave the model are deleted there.
SELECT reverse_etl.create_sync('customers_to_hubspot',
    query => 'SELECT email, first_name AS firstname, stage AS lifecyclestage FROM customers',
    destination => 'hubspot.contacts', key => '{email}', mode => 'mirror', max_removed => '50%') > 0 AS made;
SELECT name, destination, mode, key, state, health, last_run IS NOT NULL AS has_run, schedule, overdue, waiting, quarantined, run_after
  FROM reverse_etl.syncs;
SELECT operation, rows, requests, duration, key, old, new FROM reverse_etl.plan_sync('customers_to_hubspot')
 ORDER BY key IS NOT NULL, operation, key->>'email';
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
:destination
-- Nothing changed, nothing is sent.
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
-- What changed is: a value, NULL for a value, a new row, a row that is gone.
UPDATE customers SET stage = 'customer' WHERE id = 1;
UPDATE customers SET first_name = NULL WHERE id = 2;
INSERT INTO customers VALUES (6, 'barbara@example.com', 'Barbara', 'lead', 'US');
DELETE FROM customers WHERE id = 3;
SELECT operation, rows, requests, key, old, new FROM reverse_etl.plan_sync('customers_to_hubspot')
 ORDER BY key IS NOT NULL, operation, key->>'email';
-- Totals only, or without asking the destination for the old values.
SELECT operation, rows, requests FROM reverse_etl.plan_sync('customers_to_hubspot', 0);
SELECT count(*) AS rows, count(old) AS looked_up FROM reverse_etl.plan_sync('customers_to_hubspot', max_rows => 2, look_up => false)
 WHERE key IS NOT NULL;
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
:destination

-- Rows that cannot go are invalid: without a key, with a key that is there twice, or against a CHECK or NOT NULL of the
-- foreign table, which is the data contract. What the destination refuses is rejected. Both come again with the next run.
ALTER FOREIGN TABLE hubspot.contacts ADD CONSTRAINT known_stage CHECK (lifecyclestage IN ('lead', 'customer')),
    ALTER firstname SET NOT NULL;
INSERT INTO customers VALUES (11, NULL, 'Nobody', 'lead'), (12, 'twice@example.com', 'One', 'lead'), (13, 'twice@example.com', 'Other', 'lead'),
                             (14, 'unnamed@example.com', NULL, 'lead'), (15, 'odd@example.com', 'Odd', 'unheard of'), (16, 'no address', 'Adele', 'lead');
SET client_min_messages = error;
CALL reverse_etl.run_sync('customers_to_hubspot');
SET client_min_messages = warning;
:last_run
SELECT outcome, key, reason, http_status FROM reverse_etl.run_rows
 WHERE run_id = (SELECT max(id) FROM reverse_etl.runs) ORDER BY key->>'email', reason;
ALTER FOREIGN TABLE hubspot.contacts DROP CONSTRAINT known_stage, ALTER firstname DROP NOT NULL;
-- After some attempts a row is quarantined, until it changes or is released.
SELECT reverse_etl.alter_sync('customers_to_hubspot', max_attempts => 1);
SET client_min_messages = error;
CALL reverse_etl.run_sync('customers_to_hubspot');
SET client_min_messages = warning;
:last_run
SELECT quarantined FROM reverse_etl.syncs;
SELECT outcome, key, reason FROM reverse_etl.run_rows WHERE run_id = (SELECT max(id) FROM reverse_etl.runs) AND outcome = 'quarantined'
 ORDER BY key->>'email';
SELECT reverse_etl.release_rows('customers_to_hubspot', 'email = ''another''');
SELECT reverse_etl.release_rows('customers_to_hubspot');
DELETE FROM customers WHERE id > 10;
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run

-- To send rows again, whether they changed or not
SELECT reverse_etl.resync('customers_to_hubspot', 'email LIKE ''%a%'' AND lifecyclestage = ''customer''');
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
-- Another query: the rows are sent whose output changed.
SELECT reverse_etl.alter_sync('customers_to_hubspot',
    query => 'SELECT email, upper(first_name) AS firstname, stage AS lifecyclestage FROM customers WHERE first_name IS NOT NULL OR stage = ''lead''');
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
SELECT reverse_etl.alter_sync('customers_to_hubspot', query => 'SELECT email, first_name AS firstname, stage AS lifecyclestage FROM customers -- as before');
CALL reverse_etl.run_sync('customers_to_hubspot');

-- Guards hold a run before it sends anything.
TRUNCATE customers;
SET client_min_messages = error;
CALL reverse_etl.run_sync('customers_to_hubspot');
SET client_min_messages = warning;
:last_run
SELECT reason FROM reverse_etl.runs WHERE status = 'held';
SELECT event, regexp_replace(message, ' \(run \d+\)', '') AS message FROM reverse_etl.alerts;
SELECT operation, rows, reason FROM reverse_etl.plan_sync('customers_to_hubspot', 0);
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada', 'lead', 'GB');
SELECT reverse_etl.alter_sync('customers_to_hubspot', max_removed => 'none');
CALL reverse_etl.run_sync('customers_to_hubspot');
:last_run
:destination
SELECT reverse_etl.alter_sync('customers_to_hubspot', min_rows => '2');
SET client_min_messages = error;
CALL reverse_etl.run_sync('customers_to_hubspot');
SET client_min_messages = warning;
SELECT status, reason FROM reverse_etl.runs ORDER BY id DESC LIMIT 1;
SELECT reverse_etl.alter_sync('customers_to_hubspot', min_rows => 'none', rename_to => 'customers');
SELECT name FROM reverse_etl.syncs;
SELECT reverse_etl.drop_sync('customers');
SELECT count(*) FROM reverse_etl.runs;
SELECT tablename FROM pg_tables WHERE schemaname = 'reverse_etl_internal' AND tablename ~ '^sync_[0-9]';

-- A destination that has the rows already: adopt takes them as sent.
SELECT reverse_etl.create_sync('adopted', 'SELECT email, first_name AS firstname, stage AS lifecyclestage FROM customers', 'hubspot.contacts', '{email}') > 0 AS made;
INSERT INTO customers VALUES (2, 'grace@example.com', 'Grace', 'lead', 'US');
SELECT reverse_etl.adopt('adopted');
CALL reverse_etl.run_sync('adopted');
:last_run
-- In a transaction, rows leave with the COMMIT.
BEGIN;
UPDATE customers SET stage = 'customer';
CALL reverse_etl.run_sync('adopted');
ROLLBACK;
BEGIN;
UPDATE customers SET stage = 'customer';
CALL reverse_etl.run_sync('adopted', wait => false);
SELECT phase, rows_total, rows_done, accepted FROM reverse_etl.run_progress;
ROLLBACK;
:last_run

-- What cannot be made, and why
\set VERBOSITY default
SELECT reverse_etl.create_sync('adopted', 'SELECT email FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync(NULL, 'SELECT email FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{{email}}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '[5:5]={email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{NULL}');
SELECT reverse_etl.create_sync('', 'SELECT email FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'customers', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{id}');
SELECT reverse_etl.create_sync('x', 'SELECT email, first_name FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT id, first_name AS firstname FROM customers', 'hubspot.contacts', '{firstname}');
SELECT reverse_etl.create_sync('x', 'SELECT email, upper(first_name), lower(first_name) AS upper FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email, 1 FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT first_name AS firstname, stage AS lifecyclestage FROM customers', 'hubspot.contacts', '{firstname}');
SELECT reverse_etl.create_sync('x', 'SELECT email, id AS createdate FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email, now() AS createdate FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT point(1, 2) AS email FROM customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM nowhere', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'DELETE FROM customers RETURNING email', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers; SELECT 1', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'customers', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', '', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers WHERE id = $1', 'hubspot.contacts', '{email}');
SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS firstname FROM customers', 'hubspot.contacts', '{email}', mode => 'merge');
SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS firstname FROM customers', 'hubspot.contacts', '{email}', mode => NULL);
SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS firstname FROM customers', 'hubspot.contacts', '{email}', mode => 'upsert', on_missing => 'delete');
SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS firstname FROM customers', 'hubspot.contacts', '{email}', mode => 'mirror', on_missing => 'hide');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', mode => 'mirror', on_missing => 'clear');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', mode => 'update');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', change_detection => 'guess');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', change_detection => 'cursor');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', change_detection => 'cursor', cursor_column => 'id');
SELECT reverse_etl.create_sync('x', 'SELECT email, id FROM customers', 'hubspot.contacts', '{email}', mode => 'mirror', change_detection => 'cursor', cursor_column => 'id');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', max_removed => 'a few');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', max_attempts => 0);
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', hold_for => '-1 day');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', run_after => 'nothing');
SELECT reverse_etl.create_sync('x', 'SELECT email FROM customers', 'hubspot.contacts', '{email}', alert_to => 'customers');
CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse;
CREATE FOREIGN TABLE event (name text, n integer) SERVER inhouse OPTIONS (path '/http/events');
SELECT reverse_etl.create_sync('x', 'SELECT first_name AS name, id AS n FROM customers', 'event', '{n}');
SELECT reverse_etl.create_sync('x', 'SELECT first_name AS name, id AS n FROM customers', 'event', '{n}', mode => 'mirror');
SELECT reverse_etl.create_sync('x', 'SELECT first_name AS name, id AS n FROM customers', 'event', '{n}', mode => 'update');
SELECT reverse_etl.create_sync('x', 'SELECT first_name AS name, now() AS n FROM customers', 'event', '{n}', mode => 'append');

-- Names that nobody knows
CALL reverse_etl.run_sync('unknown');
CALL reverse_etl.run_sync(NULL);
CALL reverse_etl.run_sync('adopted', wait => NULL);
SELECT operation, rows FROM reverse_etl.plan_sync('unknown');
SELECT operation, rows FROM reverse_etl.plan_sync(NULL);
SELECT reverse_etl.resync('unknown');
SELECT reverse_etl.resync('adopted', 'no_such_column = 1');
-- A condition is one expression, and nothing in it ends the statement that it stands in.
SELECT reverse_etl.resync('adopted', 'true) OR (true');
SELECT reverse_etl.resync('adopted', 'true); SELECT 1311768467463790320::bigint WHERE (true');
SELECT reverse_etl.resync('adopted', 'true FROM pg_class');
SELECT reverse_etl.resync('adopted', 'true AS x');
SELECT reverse_etl.resync('adopted', 'true, true');
SELECT reverse_etl.resync('adopted', '');
SELECT reverse_etl.release_rows('adopted', 'true) OR (true');
SELECT reverse_etl.discard('true) OR (true');
SELECT reverse_etl.resync('adopted', 'true -- and so on');
SELECT reverse_etl.adopt('unknown');
SELECT reverse_etl.alter_sync('unknown');
SELECT reverse_etl.alter_sync('adopted', mode => 'merge');
SELECT reverse_etl.alter_sync('adopted', query => 'SELECT id AS email FROM customers');
SELECT reverse_etl.alter_sync('adopted', run_after => 'adopted');
SELECT reverse_etl.alter_sync('adopted', run_after => 'unknown');
SELECT reverse_etl.alter_sync('adopted', max_changed => 'lots');
SELECT reverse_etl.drop_sync('unknown');
SELECT reverse_etl.release_rows('unknown');
SELECT reverse_etl.cancel_run(0);
SELECT reverse_etl.release_run(0);
SELECT reverse_etl.unschedule_sync('unknown');
SELECT reverse_etl.unschedule_sync('adopted');
SELECT reverse_etl.schedule_sync('adopted', 'whenever');
SELECT reverse_etl.create_sync('other', 'SELECT email, stage AS lifecyclestage FROM customers', 'hubspot.contacts', '{email}', run_after => 'adopted') > 0 AS made;
SELECT reverse_etl.alter_sync('adopted', run_after => 'other');
SELECT reverse_etl.alter_sync('other', rename_to => 'adopted');
SELECT name, run_after FROM reverse_etl.syncs ORDER BY name;
SELECT reverse_etl.drop_sync('adopted'), reverse_etl.drop_sync('other');

-- Another destination or key: the sync begins as a new one does.
CREATE TABLE moved (id integer PRIMARY KEY, name text);
INSERT INTO moved VALUES (1, 'Ada'), (2, 'Grace');
CREATE FOREIGN TABLE first_place (id integer, name text) SERVER inhouse OPTIONS (path '/http/first', key 'id', insert_as 'upsert');
CREATE FOREIGN TABLE second_place (id integer, name text) SERVER inhouse OPTIONS (path '/http/second', key 'id', insert_as 'upsert');
CREATE FOREIGN TABLE by_name (id integer, name text) SERVER inhouse OPTIONS (path '/http/named', key 'name', insert_as 'upsert');
SELECT reverse_etl.create_sync('moves', 'SELECT id, name FROM moved', 'first_place', '{id}') > 0 AS made;
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', destination => 'first_place', key => '{id}');
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', destination => 'second_place');
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', key => '{name}');
SELECT reverse_etl.alter_sync('moves', destination => 'by_name', key => '{name}');
SELECT destination, key FROM reverse_etl.syncs WHERE name = 'moves';
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', destination => 'customers');
SELECT reverse_etl.alter_sync('moves', cursor_column => 'id');
SELECT reverse_etl.alter_sync('moves', change_detection => 'cursor', cursor_column => 'id');
CALL reverse_etl.run_sync('moves');
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', change_detection => 'difference', backfill => false);
CALL reverse_etl.run_sync('moves');
:last_run
-- What would be created again is not forgotten.
SELECT reverse_etl.alter_sync('moves', mode => 'insert');
SELECT reverse_etl.alter_sync('moves', change_detection => 'cursor', cursor_column => 'id');
SELECT reverse_etl.alter_sync('moves', destination => 'second_place', key => '{id}');
SELECT reverse_etl.alter_sync('moves', mode => 'upsert', destination => 'second_place', key => '{id}', backfill => true);
CALL reverse_etl.run_sync('moves');
:last_run
-- Nor is what a stream needs, or what is on its way.
SELECT reverse_etl.alter_sync('moves', mode => 'upsert');
SELECT reverse_etl.stream_sync('moves', 'moved');
SELECT reverse_etl.alter_sync('moves', change_detection => 'cursor', cursor_column => 'id');
SELECT reverse_etl.pause('second_place');
UPDATE moved SET name = 'Augusta' WHERE id = 1;
SELECT reverse_etl.alter_sync('moves', destination => 'first_place');
SELECT reverse_etl.resume('second_place');
CALL reverse_etl.wait('second_place');
SELECT reverse_etl.alter_sync('moves', destination => 'first_place');
CALL reverse_etl.run_sync('moves');
:last_run
SELECT reverse_etl.alter_sync('moves', max_rejected => repeat('9', 20));
SELECT reverse_etl.drop_sync('moves');
DROP TABLE moved;

-- Keys of types and collations in schemas whose names need quotes, and dots and quotes in names
CREATE SCHEMA "Odd ""Name.";
CREATE DOMAIN "Odd ""Name."."E Mail" AS text;
CREATE TYPE "Odd ""Name."."Kind." AS ENUM ('a', 'b');
CREATE COLLATION "Odd ""Name."."C C" FROM "C";
CREATE TABLE "Odd ""Name."."The Source" ("E" "Odd ""Name."."E Mail", k "Odd ""Name."."Kind.", name text COLLATE "Odd ""Name."."C C");
INSERT INTO "Odd ""Name."."The Source" VALUES ('ada@example.com', 'a', 'Ada');
CREATE FOREIGN TABLE "Odd ""Name."."To" (email text, kind text, name text)
    SERVER inhouse OPTIONS (path '/http/odd', key 'email', insert_as 'upsert');
SELECT reverse_etl.create_sync('odd "name.', 'SELECT "E" AS email, k AS kind, name FROM "Odd ""Name."."The Source"',
    '"Odd ""Name."."To"', '{email}') > 0 AS made;
CALL reverse_etl.run_sync('odd "name.');
:last_run
SELECT reverse_etl.drop_sync('odd "name.');
ALTER FOREIGN TABLE "Odd ""Name."."To" OPTIONS (SET key 'kind');
SELECT reverse_etl.create_sync('odd "name.', 'SELECT "E" AS email, k AS kind, name FROM "Odd ""Name."."The Source"',
    '"Odd ""Name."."To"', '{kind}') > 0 AS made;
CALL reverse_etl.run_sync('odd "name.');
:last_run
SELECT reverse_etl.drop_sync('odd "name.');
ALTER FOREIGN TABLE "Odd ""Name."."To" OPTIONS (SET key 'name');
SELECT reverse_etl.create_sync('odd "name.', 'SELECT "E" AS email, k AS kind, name FROM "Odd ""Name."."The Source"',
    '"Odd ""Name."."To"', '{name}') > 0 AS made;
CALL reverse_etl.run_sync('odd "name.');
:last_run
SELECT reverse_etl.drop_sync('odd "name.');

-- What was broken before a command is no ground to refuse it. What a query uses is known as Postgres understands it,
-- however it is written.
CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower($1)';
CREATE TYPE "Odd ""Name."."Mood" AS ENUM ('lead', 'customer');
CREATE FUNCTION "Odd ""Name.".like_it(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR "Odd ""Name.".=~ (LEFTARG = text, RIGHTARG = text, FUNCTION = "Odd ""Name.".like_it);
SELECT reverse_etl.create_sync('unnoticed', $$SELECT LOWERED(email) AS email, stage::"Odd ""Name.".U&"\004Dood"::text AS lifecyclestage
    FROM customers WHERE email OPERATOR("Odd ""Name.".=~) 'x'$$, 'hubspot.contacts', '{email}') > 0 AS made;
SELECT needs FROM reverse_etl_internal.sync_definitions WHERE name = 'unnoticed';
DROP FUNCTION lowered(text);
DROP TYPE "Odd ""Name."."Mood";
DROP OPERATOR "Odd ""Name.".=~ (text, text);
BEGIN;
ALTER SCHEMA "Odd ""Name." RENAME TO odd;
ROLLBACK;
ALTER TABLE customers RENAME stage TO phase;
SELECT broken FROM reverse_etl_internal.sync_definitions WHERE name = 'unnoticed';
ALTER EVENT TRIGGER reverse_etl_guard_drop DISABLE; -- so that nobody notices
DROP FUNCTION lowered(text);
ALTER EVENT TRIGGER reverse_etl_guard_drop ENABLE;
ALTER TABLE customers RENAME stage TO phase;
SELECT broken FROM reverse_etl_internal.sync_definitions WHERE name = 'unnoticed';
ALTER TABLE customers ALTER phase TYPE varchar(20);
DROP TYPE "Odd ""Name."."Mood";
ALTER TABLE customers RENAME phase TO stage;
-- It is mended, and guarded again.
CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower($1)';
SELECT reverse_etl.alter_sync('unnoticed', query => 'SELECT lowered(email) AS email, stage AS lifecyclestage FROM customers');
ALTER TABLE customers RENAME stage TO phase;
SELECT reverse_etl.drop_sync('unnoticed');
SET client_min_messages = error;
DROP SCHEMA "Odd ""Name." CASCADE;
DROP FUNCTION lowered(text);
SET client_min_messages = warning;

-- What a sync needs stays as it is; with what it cannot do without, it goes.
SELECT reverse_etl.create_sync('needy', 'SELECT email, stage AS lifecyclestage FROM customers', 'hubspot.contacts', '{email}') > 0 AS made;
ALTER TABLE customers RENAME stage TO phase;
ALTER FOREIGN TABLE hubspot.contacts RENAME lifecyclestage TO stage;
DROP TABLE customers;
CALL reverse_etl.run_sync('needy');
SELECT status, reason FROM reverse_etl.runs;
DROP SERVER hubspot CASCADE;
SELECT name FROM reverse_etl.syncs;

-- A domain has no operators of its own, as over an enum. And a column may have any name, also one that a statement uses.
CREATE TYPE "50% mood" AS ENUM ('sad', 'glad', 'calm');
CREATE DOMAIN felt AS "50% mood";
CREATE TABLE moods (m felt, d char(3), s int);
INSERT INTO moods VALUES ('sad', 'abc', 1), ('glad', 'abd', 2), ('calm', 'abe', 3);
CREATE FOREIGN TABLE there_moods (m text, d char(3), s int) SERVER inhouse OPTIONS (path '/http/moods', key 'm', insert_as 'upsert');
CREATE FOREIGN TABLE there_codes (m text, d char(3) OPTIONS (field 'id'), s int) SERVER inhouse OPTIONS (path '/http/codes', key 'id', insert_as 'upsert');
SELECT reverse_etl.create_sync('moods', 'SELECT m, d, s FROM moods', 'there_moods', '{m}') > 0 AS made;
SELECT reverse_etl.create_sync('codes', 'SELECT m, d, s FROM moods', 'there_codes', '{d}') > 0 AS made;
CALL reverse_etl.run_sync('moods');
CALL reverse_etl.run_sync('codes');
UPDATE moods SET s = 4 WHERE d = 'abc';
SELECT operation, rows, requests, duration, key, old, new, reason FROM reverse_etl.plan_sync('codes');
CALL reverse_etl.run_sync('moods');
CALL reverse_etl.run_sync('codes');
SELECT reverse_etl.resync('moods', $$m::text = 'glad'$$);
CALL reverse_etl.run_sync('moods');
SELECT reverse_etl.drop_sync('moods'), reverse_etl.drop_sync('codes');
DROP TABLE moods;
DROP DOMAIN felt;
DROP TYPE "50% mood";

DROP SERVER inhouse CASCADE;
DROP TABLE customers;
DROP SCHEMA hubspot;
