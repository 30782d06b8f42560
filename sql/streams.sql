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
CREATE VIEW names AS SELECT email, first_name FROM customers;
\set at_hubspot 'SELECT email, firstname, lifecyclestage FROM hubspot.contacts ORDER BY email;'

SELECT reverse_etl.stream_table('customers', 'hubspot.contacts',
    mapping => 'SELECT email, first_name AS firstname, stage AS lifecyclestage FROM changed');
\d customers
SELECT name, source, destination, on_delete, on_truncate, columns FROM reverse_etl.streams;

-- INSERT, COPY, UPDATE, DELETE, INSERT ... ON CONFLICT, MERGE
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada', 'lead'), (2, 'grace@example.com', 'Grace', 'lead');
COPY customers (id, email, first_name, stage) FROM STDIN;
3	alan@example.com	Alan	lead
\.
UPDATE customers SET stage = 'customer' WHERE id = 1;
DELETE FROM customers WHERE id = 2;
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada L.'), (4, 'barbara@example.com', 'Barbara')
ON CONFLICT (id) DO UPDATE SET first_name = excluded.first_name;
MERGE INTO customers AS c USING (VALUES (3, 'Alan T.'), (4, NULL), (5, 'Edith')) AS new (id, name) ON c.id = new.id
WHEN MATCHED AND new.name IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET first_name = new.name
WHEN NOT MATCHED THEN INSERT VALUES (new.id, lower(new.name) || '@example.com', new.name);
:at_hubspot

-- Rows in which nothing changed that the mapping reads are not sent.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
UPDATE customers SET note = 'called';
UPDATE customers SET first_name = first_name;
UPDATE customers SET first_name = 'Edith' WHERE id IN (1, 5);
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"'

-- A row whose key changes, or that the mapping leaves out from now on, is deleted under its old key.
SELECT reverse_etl.unstream_table('customers', 'hubspot.contacts');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', name => 'leads',
    mapping => $$SELECT email, first_name AS firstname FROM changed WHERE note IS DISTINCT FROM 'blocked'$$);
UPDATE customers SET email = 'ada.lovelace@example.com' WHERE id = 1;
UPDATE customers SET note = 'blocked' WHERE id = 5;
:at_hubspot
-- With the same keys on other rows nothing is deleted.
UPDATE customers SET email = CASE id WHEN 1 THEN 'alan@example.com' ELSE 'ada.lovelace@example.com' END WHERE id IN (1, 3);
:at_hubspot

-- TRUNCATE
TRUNCATE customers;
SELECT reverse_etl.unstream_table('leads');
SELECT reverse_etl.stream_table('customers', 'hubspot.contacts', 'SELECT email FROM changed', on_truncate => 'delete');
TRUNCATE customers;
:at_hubspot

DROP VIEW names;

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
INSERT INTO people VALUES (1, 'ada@example.com');
ALTER FOREIGN TABLE hubspot.persons RENAME TO contacts;
ALTER TABLE people RENAME TO customers;
:at_hubspot
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
SELECT reverse_etl.stream_table('customers', 'events', on_delete => 'nothing');
INSERT INTO customers (id, email) VALUES (7, 'seven@example.com');
\! curl --silent $SANDBOX_URL/_sandbox/count/http/events; echo
SELECT reverse_etl.unstream_table('customers', 'events');

-- Triggers of one's own: which changes, when, in which order.
CREATE TRIGGER vips AFTER INSERT ON customers REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl.push('hubspot.contacts', 'SELECT email FROM changed WHERE id > 10');
CREATE TRIGGER renamed AFTER UPDATE OF first_name ON customers
    FOR EACH ROW WHEN (old.first_name IS DISTINCT FROM new.first_name)
    EXECUTE FUNCTION reverse_etl.push('hubspot.contacts', 'SELECT email, first_name AS firstname FROM changed');
CREATE TRIGGER gone AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION reverse_etl.push('hubspot.contacts');
INSERT INTO customers (id, email, first_name) VALUES (10, 'ten@example.com', 'Ten'), (11, 'eleven@example.com', 'Eleven');
:at_hubspot
UPDATE customers SET first_name = 'Elf' WHERE id = 11;
:at_hubspot
DELETE FROM customers WHERE id = 11;
:at_hubspot
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
