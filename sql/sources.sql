-- Tables of a warehouse, read by SQL that runs there: what EXPLAIN says, which sends nothing. Rows are read in
-- test/tap/t/sources.pl.
\set VERBOSITY default
CREATE SERVER wh FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'snowflake', account 'myorg-acc', warehouse 'SYNC_WH', role 'REVERSE_ETL', database 'ANALYTICS', base_url 'http://127.0.0.1:1');
CREATE USER MAPPING FOR CURRENT_USER SERVER wh OPTIONS (access_token 'secret');

-- As IMPORT FOREIGN SCHEMA would make it.
CREATE FOREIGN TABLE customers (
    id bigint OPTIONS (field 'ID', source_type 'bigint'),
    email text OPTIONS (source_type 'text'),
    price numeric OPTIONS (source_type 'numeric'),
    active boolean OPTIONS (source_type 'boolean'),
    born date OPTIONS (source_type 'date'),
    seen timestamptz OPTIONS (source_type 'timestamptz'),
    "mixedCase" text,
    seats text OPTIONS (source_type 'integer')
) SERVER wh;

-- What is exact runs there, and nothing of it stays here.
EXPLAIN (VERBOSE, COSTS OFF) SELECT email FROM customers WHERE id > 5 AND 10 > id AND active AND born IS NOT NULL LIMIT 3 OFFSET 2;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM customers WHERE NOT active;
-- Texts, decimals and dates are looked at once more.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE email = 'it''s' AND price < 1.50 LIMIT 3;
SET TimeZone = 'Asia/Kolkata';
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE born = '2026-11-27' AND seen >= '2026-11-27 10:00:00.5';
RESET TimeZone;
-- Joined, and of a list; of a pattern what escapes is left out, and it is looked at once more.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE id IN (1, 2) OR email = 'a';
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE (id > 5 OR active IS NOT TRUE) AND id NOT IN (7, 8) AND NOT (id = 9 AND born IS NULL) AND email LIKE 'a\_b%';
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE id = 1 OR lower(email) = 'a';
-- Days are moved to the other side; a moment's day depends on the time zone.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE born + 7 > '2026-11-27' AND '2026-11-27'::date - born < 30 AND born + interval '2 days' <= '2026-11-27 12:00' AND seen + interval '1 day' > '2026-11-27';
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE id IN (1, 2) AND email = ANY ('{a,NULL,b}');
-- Not the type that it is there, not known there, or not surely the same.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE seats = '5' AND "mixedCase" = 'x' AND email < 'b' AND email LIKE 'a%' AND id + 1 = 3;
-- An order goes along with LIMIT where the source has the same, and where nothing is left out behind it.
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE email = 'a' ORDER BY price DESC, born NULLS FIRST, id LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers ORDER BY email LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers WHERE lower(email) = 'a' ORDER BY id LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM customers ORDER BY id;
-- Rows are counted and grouped there; what is said of groups is evaluated here.
EXPLAIN (VERBOSE, COSTS OFF) SELECT active, count(*), count(born), min(born), max(price), sum(id) + 1 FROM customers WHERE email <> 'a' AND price < 1 GROUP BY active HAVING count(*) > 5 ORDER BY 2;
EXPLAIN (VERBOSE, COSTS OFF) SELECT email, count(*) FROM customers GROUP BY email;
EXPLAIN (VERBOSE, COSTS OFF) SELECT max(email) FROM customers;
EXPLAIN (VERBOSE, COSTS OFF) SELECT sum(price) FROM customers;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM customers WHERE email LIKE 'a%';
-- Nothing but columns goes along where that is not wanted.
ALTER FOREIGN TABLE customers OPTIONS (pushdown 'off');
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM customers WHERE id = 1;
ALTER FOREIGN TABLE customers OPTIONS (SET pushdown 'maybe');
ALTER FOREIGN TABLE customers OPTIONS (DROP pushdown);
-- Values that the query gives later.
PREPARE by_id(bigint) AS SELECT email FROM customers WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE by_id(7);
RESET plan_cache_mode;

-- A query of the warehouse's own SQL.
CREATE FOREIGN TABLE totals (country text, people bigint OPTIONS (source_type 'bigint')) SERVER wh
    OPTIONS (query 'SELECT COUNTRY, count(*) AS PEOPLE
  FROM CUSTOMERS GROUP BY COUNTRY -- all of them
;', statement_timeout '5min');
EXPLAIN (VERBOSE, COSTS OFF) SELECT country FROM totals WHERE people > 10;
CREATE FOREIGN TABLE other_schema (id bigint) SERVER wh OPTIONS (object 'Mixed "Name"', schema_name 'RAW');
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM other_schema;

-- What cannot be.
CREATE FOREIGN TABLE two (x text) SERVER wh OPTIONS (query 'SELECT 1; DELETE FROM t');
SELECT * FROM two;
INSERT INTO totals VALUES ('x', 1);
INSERT INTO customers (id) VALUES (1);
SELECT reverse_etl.import_query('nobody', 't', 'SELECT 1');
CREATE SERVER web FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'http://127.0.0.1:1');
SELECT reverse_etl.import_query('web', 't', 'SELECT 1');
CREATE FOREIGN TABLE no_sql (x text) SERVER web OPTIONS (schema_name 'x');
SELECT * FROM no_sql;

SELECT count(*) FROM reverse_etl.source_queries;

DROP SERVER web CASCADE;
DROP SERVER wh CASCADE;
