-- A stream sends what changes in a table, in the transaction that changes it.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\set SHOW_CONTEXT never
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;
CREATE TABLE customers (id integer PRIMARY KEY, email text, first_name text, stage text, note text);
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada', 'lead'), (2, 'grace@example.com', 'Grace', 'lead'),
                             (3, 'alan@example.com', 'Alan', 'lead');
\set queued 'SELECT operation, key, "row" FROM reverse_etl.outbox WHERE enqueued_at >= now() ORDER BY id;'

SELECT reverse_etl.stream_table('customers', 'hubspot.contacts',
    mapping => 'SELECT email, first_name AS firstname, stage AS lifecyclestage FROM changed');
\d customers
SELECT name, source, destination, on_delete, on_truncate, columns FROM reverse_etl.streams;

-- INSERT, COPY, UPDATE, DELETE
BEGIN;
INSERT INTO customers VALUES (4, 'barbara@example.com', 'Barbara', 'lead');
COPY customers (id, email, first_name, stage) FROM STDIN;
5	edith@example.com	Edith	lead
\.
UPDATE customers SET stage = 'customer' WHERE id = 1;
DELETE FROM customers WHERE id = 2;
:queued
ROLLBACK;
-- INSERT ... ON CONFLICT, MERGE: what was inserted, updated and deleted, each as such
BEGIN;
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada L.'), (4, 'barbara@example.com', 'Barbara')
ON CONFLICT (id) DO UPDATE SET first_name = excluded.first_name;
MERGE INTO customers AS c USING (VALUES (2, NULL), (3, 'Alan T.'), (5, 'Edith')) AS new (id, name) ON c.id = new.id
WHEN MATCHED AND new.name IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET first_name = new.name
WHEN NOT MATCHED THEN INSERT VALUES (new.id, lower(new.name) || '@example.com', new.name);
:queued
ROLLBACK;

-- Rows in which nothing changed that the mapping reads are not sent.
BEGIN;
UPDATE customers SET note = 'called';
UPDATE customers SET first_name = first_name;
UPDATE customers SET first_name = 'Ada' WHERE id IN (1, 3);
:queued
ROLLBACK;

-- A row whose key changes, or that the mapping leaves out from now on, is deleted under its old key.
SELECT reverse_etl.unstream_table('customers', 'hubspot.contacts');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', name => 'leads',
    mapping => $$SELECT email, first_name AS firstname FROM changed WHERE note IS DISTINCT FROM 'blocked'$$);
BEGIN;
UPDATE customers SET email = 'ada.lovelace@example.com' WHERE id = 1;
UPDATE customers SET note = 'blocked' WHERE id = 2;
:queued
ROLLBACK;
-- With the same keys on other rows nothing is deleted.
BEGIN;
UPDATE customers SET email = CASE id WHEN 1 THEN 'alan@example.com' ELSE 'ada@example.com' END WHERE id IN (1, 3);
:queued
ROLLBACK;

-- TRUNCATE
TRUNCATE customers;
SELECT reverse_etl.unstream_table('leads');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT email FROM changed', on_truncate => 'delete');
BEGIN;
TRUNCATE customers;
:queued
ROLLBACK;

-- What a stream needs is not dropped or altered under it. The rest is.
ALTER TABLE customers DROP COLUMN email;
ALTER TABLE customers RENAME COLUMN email TO mail;
ALTER FOREIGN TABLE hubspot.contacts ALTER COLUMN email TYPE integer;
ALTER FOREIGN TABLE hubspot.contacts DROP COLUMN email;
ALTER TRIGGER customers_to_contacts_insert ON customers RENAME TO mine;
DROP TABLE customers;
DROP SCHEMA hubspot;
ALTER TABLE customers DROP COLUMN note, ADD COLUMN phone text, ALTER COLUMN email TYPE varchar;
ALTER TABLE customers RENAME TO people;
ALTER FOREIGN TABLE hubspot.contacts RENAME TO persons;
BEGIN;
INSERT INTO people VALUES (6, 'radia@example.com');
:queued
ROLLBACK;
ALTER FOREIGN TABLE hubspot.persons RENAME TO contacts;
ALTER TABLE people RENAME TO customers;
-- CASCADE takes the stream along, and so does DROP TRIGGER.
ALTER TABLE customers DROP COLUMN email CASCADE;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'customers'::regclass;
SELECT name FROM reverse_etl.streams;
ALTER TABLE customers ADD COLUMN email text;
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts');
SELECT mapping FROM reverse_etl.streams;
DROP TRIGGER customers_to_contacts_insert ON customers;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'customers'::regclass;
SELECT name FROM reverse_etl.streams;

CREATE VIEW names AS SELECT email, first_name FROM customers;

-- What is wrong with a stream is said when it is made.
SELECT reverse_etl.stream_table('customers', 'names');
SELECT reverse_etl.stream_table('names', 'hubspot.contacts');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT emial AS email FROM changed');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT email FROM customers');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'DELETE FROM changed');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT email, id AS nothing FROM changed');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT first_name AS firstname FROM changed');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT ARRAY[email] AS createdate, email FROM changed');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', on_delete => 'archive');
SELECT reverse_etl.unstream_table('nothing');
CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE events (email text) SERVER inhouse OPTIONS (path '/http/events');
SELECT reverse_etl.stream_table('customers', 'events');
SELECT reverse_etl.stream_table('customers', 'events', on_delete => 'ignore');
BEGIN;
INSERT INTO customers (id, email) VALUES (7, 'seven@example.com');
DELETE FROM customers WHERE id = 7;
:queued
ROLLBACK;
SELECT reverse_etl.unstream_table('customers', 'events');

-- What was broken before a command is no ground to refuse it.
CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower($1)';
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT LOWERED(email) AS email, first_name AS firstname FROM changed');
SELECT needs, broken FROM reverse_etl.streams;
DROP FUNCTION lowered(text);
ALTER TABLE customers RENAME first_name TO given_name;
ALTER EVENT TRIGGER reverse_etl_guard_drop DISABLE; -- so that nobody notices
DROP FUNCTION lowered(text);
ALTER EVENT TRIGGER reverse_etl_guard_drop ENABLE;
ALTER TABLE customers RENAME first_name TO given_name;
SELECT broken FROM reverse_etl.streams;
ALTER TABLE customers RENAME given_name TO first_name;
-- It is mended, and guarded again.
CREATE FUNCTION lowered(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower($1)';
ALTER TABLE customers RENAME first_name TO given_name;
SELECT reverse_etl.unstream_table('customers', 'hubspot.contacts');
DROP FUNCTION lowered(text);

-- Triggers of one's own: which changes, when, in which order.
CREATE TRIGGER vips AFTER INSERT ON customers REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push('hubspot.contacts', 'SELECT email FROM changed WHERE id > 10');
CREATE TRIGGER renamed AFTER UPDATE OF first_name ON customers
    FOR EACH ROW WHEN (old.first_name IS DISTINCT FROM new.first_name)
    EXECUTE FUNCTION reverse_etl.push('hubspot.contacts', 'SELECT email, first_name AS firstname FROM changed');
CREATE TRIGGER gone AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION reverse_etl.push('hubspot.contacts');
BEGIN;
INSERT INTO customers (id, email, first_name) VALUES (10, 'ten@example.com', 'Ten'), (11, 'eleven@example.com', 'Eleven');
UPDATE customers SET first_name = CASE id WHEN 10 THEN 'Ten' ELSE 'Elf' END WHERE id IN (10, 11);
DELETE FROM customers WHERE id = 11;
:queued
ROLLBACK;
DROP TRIGGER vips ON customers;
CREATE TRIGGER vips AFTER INSERT ON customers FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push('hubspot.contacts');
INSERT INTO customers (id) VALUES (12);
DROP TRIGGER vips ON customers;
CREATE TRIGGER vips BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION reverse_etl.push('hubspot.contacts');
INSERT INTO customers (id) VALUES (12);

DROP TABLE customers CASCADE;
DROP SERVER hubspot CASCADE;
DROP SCHEMA hubspot;
DROP SERVER inhouse CASCADE;
