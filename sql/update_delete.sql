-- UPDATE and DELETE find the row by its key, batched, and read nothing that they do not need.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;
INSERT INTO hubspot.contacts (email, firstname, city)
SELECT 'c' || n || '@example.com', 'C' || n, 'London' FROM generate_series(1, 250) AS n;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset?keep=data > /dev/null

UPDATE hubspot.contacts SET lifecyclestage = 'customer' WHERE email = 'c1@example.com';
UPDATE hubspot.contacts SET lifecyclestage = 'lead' WHERE email IN ('c2@example.com', 'c3@example.com', 'c2@example.com');
CREATE TABLE stages AS SELECT 'c' || n || '@example.com' AS email, 'opportunity' AS stage FROM generate_series(101, 250) AS n;
UPDATE hubspot.contacts AS c SET lifecyclestage = s.stage FROM stages AS s WHERE c.email = s.email;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"?]*' | sort | uniq --count | sed "s/^ *//"
SELECT lifecyclestage, count(*) FROM hubspot.contacts GROUP BY 1 ORDER BY 1;

-- HubSpot updates contacts by its own id, so that was looked up first. Companies it finds by a key, and nothing is read.
CREATE FOREIGN TABLE hubspot.companies (domain text, city text) SERVER hubspot OPTIONS (key 'domain');
INSERT INTO hubspot.companies SELECT 'c' || n || '.com', 'London' FROM generate_series(1, 250) AS n;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset?keep=data > /dev/null
UPDATE hubspot.companies SET city = 'Paris' WHERE domain = 'c1.com';
UPDATE hubspot.companies SET city = 'Rome' WHERE domain IN ('c2.com', 'c3.com', 'c2.com');
UPDATE hubspot.companies AS c SET city = s.stage FROM stages AS s WHERE c.domain = replace(s.email, '@example', '');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"' | sort | uniq --count | sed "s/^ *//"
SELECT city, count(*) FROM hubspot.companies GROUP BY 1 ORDER BY 1;

-- Where the new value depends on the old one, the row is read.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
UPDATE hubspot.contacts SET firstname = upper(firstname) || '!' WHERE email = 'c1@example.com' RETURNING email, firstname;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"' | sort | uniq --count | sed "s/^ *//"

-- A key can be changed, and NULL clears a field.
UPDATE hubspot.contacts SET email = 'first@example.com', city = NULL WHERE email = 'c1@example.com';
SELECT email, firstname, city FROM hubspot.contacts WHERE email IN ('c1@example.com', 'first@example.com');

-- The destination does not know the row, or does not take the value.
UPDATE hubspot.contacts SET city = 'Paris' WHERE email = 'nobody@example.com';
UPDATE hubspot.contacts SET email = 'broken' WHERE email = 'c2@example.com';
SELECT operation, key, "row", left(reason, 60) AS reason FROM reverse_etl.rejected_rows ORDER BY id;
TRUNCATE reverse_etl.rejected_rows;
UPDATE hubspot.contacts SET id = '7' WHERE email = 'c2@example.com';

-- HubSpot deletes by its own id: a DELETE by key looks it up first.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
DELETE FROM hubspot.contacts WHERE email = 'c5@example.com';
DELETE FROM hubspot.contacts WHERE email = 'c5@example.com';
DELETE FROM hubspot.contacts AS c USING stages AS s WHERE c.email = s.email AND s.email LIKE 'c10%';
DELETE FROM hubspot.contacts WHERE email = 'c6@example.com' RETURNING email, firstname;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"' | sort | uniq --count | sed "s/^ *//"
SELECT count(*) FROM hubspot.contacts;

DROP TABLE stages;
DROP SCHEMA hubspot CASCADE;
DROP SERVER hubspot CASCADE;
