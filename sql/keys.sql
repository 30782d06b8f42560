-- What a destination takes for the same key is one key: the column option "compare", and what connectors say of it.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO crm;

-- HubSpot keeps e-mails in lower case. WHERE finds the contact by any spelling.
INSERT INTO crm.contacts (email, firstname) VALUES ('Sel@Example.com', 'S');
SELECT email, firstname FROM crm.contacts WHERE email = 'Sel@Example.com';
SELECT email, firstname FROM crm.contacts WHERE email = 'sel@example.com';
SELECT email FROM crm.contacts WHERE email IN ('SEL@example.com', 'sel@EXAMPLE.com', 'nobody@example.com') ORDER BY 1;
UPDATE crm.contacts SET firstname = 'Selma' WHERE email = 'SEL@example.com';
CREATE TABLE people (id int PRIMARY KEY, email text, name text);
INSERT INTO people VALUES (1, 'SEL@EXAMPLE.com', 'Selma');
ANALYZE people;
SELECT p.id, c.firstname FROM people AS p JOIN crm.contacts AS c ON c.email = p.email;
DELETE FROM crm.contacts WHERE email = 'Sel@Example.com';
SELECT count(*) FROM crm.contacts;

-- A sync: the spelling changes, and nothing is removed.
TRUNCATE people;
INSERT INTO people VALUES (1, 'Ada@Example.com', 'Ada'), (2, 'grace@example.com', 'Grace');
SELECT reverse_etl.create_sync('people', 'SELECT email, name AS firstname FROM people', 'crm.contacts', '{email}',
                               mode => 'mirror', max_removed => 'none');
CALL reverse_etl.run_sync('people');
UPDATE people SET email = lower(email);
SELECT operation, rows, key, old, new FROM reverse_etl.plan_sync('people') WHERE key IS NOT NULL;
CALL reverse_etl.run_sync('people');
SELECT email, firstname FROM crm.contacts ORDER BY email;
-- A second spelling is another row with the key; once one of them is gone, the other is what it was.
INSERT INTO people VALUES (3, 'GRACE@example.com', 'Grace H.');
CALL reverse_etl.run_sync('people');
DELETE FROM people WHERE id = 2;
CALL reverse_etl.run_sync('people');
SELECT email, firstname FROM crm.contacts ORDER BY email;
CALL reverse_etl.run_sync('people');
SELECT reverse_etl.drop_sync('people');
-- adopt() finds what the destination has under any spelling.
UPDATE people SET email = upper(email);
SELECT reverse_etl.create_sync('people', 'SELECT email, name AS firstname FROM people', 'crm.contacts', '{email}', mode => 'mirror');
SELECT reverse_etl.adopt('people');
SELECT operation, rows FROM reverse_etl.plan_sync('people') WHERE key IS NULL;
SELECT reverse_etl.drop_sync('people');

-- A stream
SELECT reverse_etl.stream_table('people', 'crm.contacts', mapping => 'SELECT email, name AS firstname FROM changed');
UPDATE people SET email = lower(email);
UPDATE people SET email = 'edith@example.com' WHERE email = 'ada@example.com';
CALL reverse_etl.wait('crm.contacts', '30 s');
SELECT email, firstname FROM crm.contacts ORDER BY email;
SELECT reverse_etl.unstream_table('people_to_contacts');
DROP TABLE people;

-- Numbers that are sent as texts: 1.0 and 1.00 are two keys there, whatever SQL says.
CREATE TABLE firms (number numeric, name text);
INSERT INTO firms VALUES (1.0, 'x'), (2.5, 'y');
CREATE FOREIGN TABLE crm.firms (erp numeric, name text) SERVER hubspot OPTIONS (object 'companies', key 'erp');
SELECT reverse_etl.create_sync('firms', 'SELECT number AS erp, name FROM firms', 'crm.firms', '{erp}', mode => 'mirror', max_removed => 'none');
CALL reverse_etl.run_sync('firms');
UPDATE firms SET number = 1.00 WHERE number = 1;
CALL reverse_etl.run_sync('firms');
SELECT erp, name FROM crm.firms ORDER BY erp;
DELETE FROM firms WHERE number = 1;
CALL reverse_etl.run_sync('firms');
SELECT erp, name FROM crm.firms ORDER BY erp;

-- A table says itself how its API compares.
CREATE SERVER api FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE crm.any_words (word text OPTIONS (field 'id', compare 'case_insensitive, trimmed'), n text)
    SERVER api OPTIONS (path '/http/any', key 'id', insert_as 'upsert', delivery 'queued');
SELECT reverse_etl.pause('crm.any_words');
INSERT INTO crm.any_words VALUES ('Three', 'first'), (' three', 'second');
INSERT INTO crm.any_words VALUES ('THREE', 'third');
SELECT reverse_etl.resume('crm.any_words');
CALL reverse_etl.wait('crm.any_words', '30 s');
SELECT word, n FROM crm.any_words ORDER BY 1;
ALTER FOREIGN TABLE crm.any_words ALTER COLUMN word OPTIONS (SET compare 'loosely');

-- Rows of one key keep their order within a statement.
INSERT INTO crm.contacts (email, firstname)
SELECT format(CASE n % 2 WHEN 0 THEN 'Turn%s@example.com' ELSE 'turn%s@EXAMPLE.com' END, n / 3), n % 3 FROM generate_series(0, 2999) AS n;
SELECT firstname, count(*) FROM crm.contacts WHERE email LIKE 'turn%' GROUP BY firstname;

-- Integers of another size name a row, too.
CREATE FOREIGN TABLE crm.big (id bigint, v text) SERVER api OPTIONS (path '/http/big', key 'id');
CREATE FOREIGN TABLE crm.small (id smallint, v text) SERVER api OPTIONS (path '/http/big', key 'id');
CREATE TABLE ints (id int, v text);
INSERT INTO ints VALUES (4, 'four'), (5, 'five'), (1000000, 'too large');
INSERT INTO crm.big SELECT n, 'n' FROM generate_series(1, 9) AS n;
EXPLAIN (COSTS OFF) DELETE FROM crm.big WHERE id = 4;
EXPLAIN (COSTS OFF) SELECT v FROM crm.small WHERE id = ANY ('{4,5,1000000}'::int[]);
-- How the filter is written depends on the version.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        CONTINUE WHEN line ~ 'Filter';
        RETURN NEXT line;
    END LOOP;
END
$$;
SELECT plan('UPDATE crm.big SET v = ints.v FROM ints WHERE ints.id = big.id');
DROP FUNCTION plan;
UPDATE crm.big SET v = ints.v FROM ints WHERE ints.id = big.id;
SELECT id, v FROM crm.small WHERE id = ANY ('{4,5,1000000}'::int[]) ORDER BY 1;
SELECT id, v FROM crm.small WHERE id = 1000000;
DELETE FROM crm.small WHERE id = 4;
SELECT id, v FROM crm.big WHERE id = 4::smallint OR id = 5 ORDER BY id;

-- Keys of several columns are looked up where the request names each.
SELECT reverse_etl.create_connector('pairs', '{"manifest": 1, "name": "pairs", "title": "Pairs", "base_url": "http://localhost",
  "auth": {"kind": "none"}, "objects": {
    "named": {"key": ["a", "b"], "columns": {"a": "text", "b": "text", "v": "text"},
      "operations": {"lookup": {"request": "GET /http/pairs/{row.a}-{row.b}", "errors": [{"status": 404, "then": "absent"}]}}},
    "unnamed": {"key": ["a", "b"], "columns": {"a": "text", "b": "text", "v": "text"},
      "operations": {"lookup": {"request": "GET /http/pairs/{key}"}}}}}');
CREATE SERVER pairs FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'pairs', base_url :'sandbox_url');
CREATE FOREIGN TABLE crm.named (a text, b text, v text) SERVER pairs;
CREATE FOREIGN TABLE crm.unnamed (a text, b text, v text) SERVER pairs;
CREATE FOREIGN TABLE crm.pairs (id text, a text, b text, v text) SERVER api OPTIONS (path '/http/pairs', key 'id');
INSERT INTO crm.pairs VALUES ('1-2', '1', '2', 'found');
SELECT * FROM crm.named WHERE a = '1' AND b = '2';
SELECT * FROM crm.named WHERE a = '1';
SELECT * FROM crm.unnamed WHERE a = '1' AND b = '2';
-- A join gives all columns of the key, or those that the query does not.
INSERT INTO crm.pairs VALUES ('1-3', '1', '3', 'found too');
CREATE TABLE wanted (a varchar, b text);
INSERT INTO wanted VALUES ('1', '2'), ('1', '3'), ('2', '2');
ANALYZE wanted;
SELECT w.*, n.v FROM wanted AS w JOIN crm.named AS n ON n.a = w.a AND n.b = w.b;
SELECT w.*, n.v FROM wanted AS w JOIN crm.named AS n ON n.a = w.a AND n.b = '3' WHERE w.b = '3';
SELECT w.*, n.v FROM wanted AS w LEFT JOIN crm.named AS n USING (a, b) ORDER BY b, a;
SELECT w.*, n.v FROM wanted AS w JOIN crm.named AS n ON n.a = w.a;
DROP TABLE wanted;

-- A literal of another type names the row where the column's type holds it without a loss.
CREATE FOREIGN TABLE crm.by_numeric (id numeric, v text) SERVER api OPTIONS (path '/http/by_type', key 'id');
CREATE FOREIGN TABLE crm.by_uuid (id uuid, v text) SERVER api OPTIONS (path '/http/by_type', key 'id');
CREATE FOREIGN TABLE crm.by_text (id text, v text) SERVER api OPTIONS (path '/http/by_type', key 'id');
INSERT INTO crm.by_text VALUES ('7', 'seven'), ('5b1b9a9e-9f3c-4d5e-8a7b-0c1d2e3f4a5b', 'uuid');
EXPLAIN (COSTS OFF) SELECT v FROM crm.by_numeric WHERE id = 7;
EXPLAIN (COSTS OFF) SELECT v FROM crm.by_uuid WHERE id = '5B1B9A9E-9F3C-4D5E-8A7B-0C1D2E3F4A5B';
SELECT v FROM crm.by_numeric WHERE id = 7;
SELECT v FROM crm.by_numeric WHERE id = 7::bigint;
SELECT v FROM crm.by_uuid WHERE id = '5B1B9A9E-9F3C-4D5E-8A7B-0C1D2E3F4A5B';
SELECT v FROM crm.by_text WHERE id = '7'::varchar;
SELECT v FROM (VALUES (7::smallint)) AS w (id) JOIN crm.by_numeric USING (id);

SELECT reverse_etl.drop_sync('firms');
DROP TABLE firms, ints;
DROP SCHEMA crm CASCADE;
TRUNCATE reverse_etl.rejected_rows;
DROP SERVER hubspot, api, pairs CASCADE;
SELECT reverse_etl.drop_connector('pairs');
