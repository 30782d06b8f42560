-- SELECT reads back: by key where WHERE names it, else page by page.
\getenv sandbox_url SANDBOX_URL
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO hubspot;
SELECT count(*) FROM hubspot.contacts;
INSERT INTO hubspot.contacts (email, firstname) SELECT 'c' || n || '@example.com', 'C' || n FROM generate_series(1, 1050) AS n;

\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
SELECT email, firstname FROM hubspot.contacts WHERE email = 'c7@example.com';
SELECT email FROM hubspot.contacts WHERE email = ANY ('{c7@example.com,c8@example.com,c7@example.com,nobody@example.com}') ORDER BY 1;
SELECT email FROM hubspot.contacts WHERE email = NULL;
-- Only what is asked for travels, 150 keys are two requests.
SELECT count(*), min(firstname) FROM hubspot.contacts
 WHERE email = ANY (ARRAY(SELECT 'c' || n || '@example.com' FROM generate_series(1, 150) AS n));
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"\|.properties.":[^]]*]'
-- LIMIT stops paging.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
SELECT count(*) FROM (SELECT email FROM hubspot.contacts LIMIT 150) AS rows_150;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"'
SELECT count(*), count(DISTINCT id) FROM hubspot.contacts;

-- Joins look up each row, or read the list once.
CREATE TABLE vip AS SELECT 'c' || n || '@example.com' AS email FROM generate_series(1, 3) AS n;
ANALYZE vip;
EXPLAIN (COSTS OFF) SELECT c.email, c.firstname FROM vip LEFT JOIN hubspot.contacts AS c USING (email);
SELECT c.email, c.firstname FROM vip JOIN hubspot.contacts AS c USING (email) ORDER BY 1;

-- Types are read as they are written.
ALTER FOREIGN TABLE hubspot.companies ADD COLUMN founded date, ADD COLUMN active boolean, ADD COLUMN tags text[] OPTIONS (encode 'semicolon_list'),
    ADD COLUMN seen timestamptz OPTIONS (encode 'epoch_ms');
SET timezone = 'UTC';
INSERT INTO hubspot.companies (name, numberofemployees, annualrevenue, founded, active, tags, seen)
VALUES ('Acme', 12, 1234567.890, '1999-12-31', true, '{a,b}', '2026-01-02 03:04:05.678+00');
SELECT name, numberofemployees, annualrevenue, founded, active, tags, seen FROM hubspot.companies;
ALTER FOREIGN TABLE hubspot.companies ALTER COLUMN name TYPE integer;
SELECT name FROM hubspot.companies;

DROP TABLE vip;
DROP SCHEMA hubspot CASCADE;
DROP SERVER hubspot CASCADE;
