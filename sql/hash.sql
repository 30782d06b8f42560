-- The hash of a row, by which a sync tells what has changed. These numbers are the same on every platform and in every
-- version of Postgres: a sync remembers them. Where one of them changes, row_hash_version has to be raised.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS reverse_etl;
CREATE EXTENSION IF NOT EXISTS citext;
RESET client_min_messages;

SELECT reverse_etl.hash_row_version();

-- The hash of a row with one column, named a.
CREATE FUNCTION hash_of(anyelement) RETURNS bigint LANGUAGE sql AS
$$ SELECT reverse_etl.hash_row(one) FROM (SELECT $1 AS a) AS one $$;

CREATE DOMAIN percentage AS numeric CHECK (value BETWEEN 0 AND 100);
CREATE TYPE stage AS ENUM ('lead', 'customer');
CREATE DOMAIN known_stage AS stage NOT NULL;
CREATE TYPE address AS (street text, "zip code" varchar(5), since date, tags text[]);
CREATE TYPE float_range AS RANGE (subtype = double precision);

-- Each type, and what hashes like it.
SELECT type, hash_of AS hash FROM (VALUES
    ('boolean',                 hash_of(true)),
    ('boolean, false',          hash_of(false)),
    ('smallint',                hash_of(7::smallint)),
    ('integer',                 hash_of(7)),
    ('bigint',                  hash_of(7::bigint)),
    ('oid',                     hash_of(7::oid)),
    ('integer, negative',       hash_of(-7)),
    ('bigint, negative',        hash_of(-7::bigint)),
    ('oid, beyond integer',     hash_of(4294967295::oid)),
    ('real',                    hash_of(0.1::real)),
    ('real, NaN',               hash_of('NaN'::real)),
    ('double precision',        hash_of(0.1::double precision)),
    ('double precision, 0',     hash_of(0::double precision)),
    ('double precision, -0',    hash_of('-0'::double precision)),
    ('double precision, NaN',   hash_of('NaN'::double precision)),
    ('double precision, -NaN',  hash_of(-'NaN'::double precision)),
    ('numeric',                 hash_of(7::numeric)),
    ('numeric, 0',              hash_of(0::numeric)),
    ('numeric, 1.0',            hash_of(1.0)),
    ('numeric, 1.00',           hash_of(1.00)),
    ('numeric, negative',       hash_of(-123456.789)),
    ('numeric, small',          hash_of(1e-70)),
    ('numeric, large',          hash_of(1e300)),
    ('numeric, long form',      hash_of(-1.5e-200)),
    ('numeric, NaN',            hash_of('NaN'::numeric)),
    ('numeric, Infinity',       hash_of('Infinity'::numeric)),
    ('numeric, -Infinity',      hash_of('-Infinity'::numeric)),
    ('domain over numeric',     hash_of(99.90::percentage)),
    ('its base type',           hash_of(99.90)),
    ('money',                   hash_of(12.34::money)),
    ('text',                    hash_of('Zoe'::text)),
    ('text, empty',             hash_of(''::text)),
    ('varchar',                 hash_of('Zoe'::varchar(5))),
    ('name',                    hash_of('Zoe'::name)),
    ('citext',                  hash_of('Zoe'::citext)),
    ('citext, upper case',      hash_of('ZOE'::citext)),
    ('char(3)',                 hash_of('Zoe'::char(3))),
    ('char(5), padded',         hash_of('Zoe'::char(5))),
    ('"char"',                  hash_of('Z'::"char")),
    ('json',                    hash_of('{"a": 1}'::json)),
    ('jsonb',                   hash_of('{"a":1}'::jsonb)),
    ('jsonb, 1.0',              hash_of('{"a":1.0}'::jsonb)),
    ('bytea',                   hash_of('\x00ff10'::bytea)),
    ('uuid',                    hash_of('6f1c7f0e-9d3c-4b42-8f1a-0123456789ab'::uuid)),
    ('enum',                    hash_of('customer'::stage)),
    ('domain over an enum',     hash_of('customer'::known_stage)),
    ('its label',               hash_of('customer'::text)),
    ('date',                    hash_of(date '2026-01-31')),
    ('date, infinity',          hash_of(date 'infinity')),
    ('time',                    hash_of(time '12:34:56')),
    ('timetz',                  hash_of('12:34:56+05:30'::timetz)),
    ('timetz, the same time',   hash_of('07:04:56+00'::timetz)),
    ('timestamp',               hash_of(timestamp '2026-01-31 12:34:56')),
    ('timestamptz',             hash_of(timestamptz '2026-01-31 12:34:56+00')),
    ('timestamptz, -infinity',  hash_of(timestamptz '-infinity')),
    ('interval',                hash_of(interval '1 mon')),
    ('interval, 30 days',       hash_of(interval '30 days')),
    ('inet',                    hash_of(inet '10.0.0.1/8')),
    ('cidr',                    hash_of(cidr '10.0.0.0/8')),
    ('macaddr',                 hash_of(macaddr '08:00:2b:01:02:03')),
    ('bit varying',             hash_of(B'10110'::bit varying)),
    ('point',                   hash_of(point '(1.5,-2)')),
    ('polygon',                 hash_of(polygon '((0,0),(1,1),(1,0))')),
    ('tsvector',                hash_of('fur:1 zoe:2'::tsvector)),
    ('tsquery',                 hash_of('fur & zoe'::tsquery)),
    ('jsonpath',                hash_of('$.a[*]'::jsonpath)),
    ('pg_lsn',                  hash_of('16/B374D848'::pg_lsn)),
    ('xid8',                    hash_of('7'::xid8)),
    ('regclass',                hash_of('pg_class'::regclass)),
    ('its name',                hash_of('pg_class'::text)),
    ('regtype',                 hash_of('timestamptz'::regtype)),
    ('regrole',                 hash_of('pg_monitor'::regrole)),
    ('aclitem',                 hash_of('pg_monitor=r/pg_monitor'::aclitem)),
    ('array',                   hash_of('{1,NULL,3}'::int[])),
    ('array of bigint',         hash_of('{1,NULL,3}'::bigint[])),
    ('array, empty',            hash_of('{}'::int[])),
    ('array, lower bound',      hash_of('[0:2]={1,NULL,3}'::int[])),
    ('array, two dimensions',   hash_of('{{1,2},{3,4}}'::int[])),
    ('array, one dimension',    hash_of('{1,2,3,4}'::int[])),
    ('array of text',           hash_of('{ab,c}'::text[])),
    ('array of text, other',    hash_of('{a,bc}'::text[])),
    ('array of enum',           hash_of('{lead,customer}'::stage[])),
    ('array of regclass',       hash_of('{pg_class}'::regclass[])),
    ('oidvector',               hash_of('1 2'::oidvector)),
    ('composite',               hash_of(('Main St', '12345', date '2026-01-31', '{a,b}')::address)),
    ('composite, nulls',        hash_of((NULL, NULL, NULL, NULL)::address)),
    ('array of composite',      hash_of(ARRAY[('Main St', '12345', NULL, '{}')::address])),
    ('int4range',               hash_of('[1,5)'::int4range)),
    ('int4range, the same',     hash_of('[1,4]'::int4range)),
    ('int4range, empty',        hash_of('empty'::int4range)),
    ('int4range, endless',      hash_of('[1,)'::int4range)),
    ('numrange',                hash_of('(1.0,5.5]'::numrange)),
    ('tstzrange',               hash_of('[2026-01-31 12:34:56+00,infinity)'::tstzrange)),
    ('range type of one''s own', hash_of('[1.5,2.5]'::float_range)),
    ('int4multirange',          hash_of('{[1,3),[5,7)}'::int4multirange))
) AS every_type (type, hash_of);

SELECT reverse_etl.hash_row(r) AS of_records FROM (SELECT row(1, 'a'::text, row(2.0)) AS a) AS r;

-- No setting has a part in it, not even in what only a type's output function tells.
SET client_min_messages = warning;
CREATE TYPE moment;
CREATE FUNCTION moment_in(cstring, oid, integer) RETURNS moment LANGUAGE internal IMMUTABLE STRICT AS 'timestamptz_in';
CREATE FUNCTION moment_out(moment) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'timestamptz_out';
CREATE TYPE moment (INPUT = moment_in, OUTPUT = moment_out, LIKE = timestamptz);
RESET client_min_messages;

CREATE SCHEMA crm;
CREATE TABLE crm.contacts ("Id" bigint);
CREATE VIEW every_setting AS
SELECT interval '1 mon 2 days' AS an_interval, timestamptz '2026-01-31 12:34:56+00' AS a_timestamptz,
       timetz '12:34:56+00' AS a_timetz, date '2026-01-31' AS a_date,
       0.1::real AS a_real, 1/3::double precision AS a_double,
       '\x00ff10'::bytea AS a_bytea, 12.34::money AS some_money, '2026-01-31 12:34:56+00'::moment AS a_moment,
       '[2026-01-31 12:34:56+00,)'::tstzrange AS a_range, 'zoe eur'::tsvector AS a_tsvector,
       'Zoe eur'::text AS a_text, '{"b": 1.0, "a": null}'::jsonb AS a_jsonb,
       'crm.contacts'::regclass AS a_regclass, 'crm.contacts'::regtype AS a_regtype,
       ARRAY[timestamptz '2026-01-31 12:34:56+00'] AS an_array;

SELECT reverse_etl.hash_row(v) AS hash FROM every_setting AS v \gset
SELECT :hash AS under_default_settings;
SET timezone = 'Asia/Kolkata';
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -3;
SET bytea_output = 'escape';
SET quote_all_identifiers = on;
SET search_path = crm, public;
SET client_encoding = 'LATIN1';
SELECT reverse_etl.hash_row(v) = :hash AS under_others FROM every_setting AS v;
SHOW timezone;
SHOW client_encoding;
RESET ALL;

-- Binary forms are made in the database's encoding; the client's is there again after an error.
SET client_min_messages = warning;
CREATE TYPE broken;
CREATE FUNCTION broken_in(cstring) RETURNS broken LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION broken_out(broken) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE FUNCTION broken_send(broken) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'enum_send';
CREATE TYPE broken (INPUT = broken_in, OUTPUT = broken_out, SEND = broken_send, LIKE = integer);
RESET client_min_messages;
SET client_encoding = 'LATIN1';
SELECT hash_of('1'::broken);
SELECT pg_client_encoding();
RESET client_encoding;

-- Columns count by name, not by position.
SELECT reverse_etl.hash_row(r) AS hash FROM (SELECT 1 AS a, 'x' AS b) AS r;
SELECT reverse_etl.hash_row(r) AS hash FROM (SELECT 'x' AS b, 1 AS a) AS r;
SELECT reverse_etl.hash_row(r) AS renamed FROM (SELECT 1 AS a, 'x' AS c) AS r;
SELECT reverse_etl.hash_row(r) AS swapped FROM (SELECT 'x' AS a, 1 AS b) AS r;
SELECT reverse_etl.hash_row(r) AS with_null FROM (SELECT 1 AS a, 'x' AS b, NULL::text AS c) AS r;
SELECT reverse_etl.hash_row(r) AS with_other_null FROM (SELECT 1 AS a, 'x' AS b, NULL::text AS d) AS r;
SELECT reverse_etl.hash_row(r) AS with_null_of_other_type FROM (SELECT 1 AS a, 'x' AS b, NULL::int AS c) AS r;
SELECT reverse_etl.hash_row(r) AS with_empty_text FROM (SELECT 1 AS a, 'x' AS b, '' AS c) AS r;
SELECT reverse_etl.hash_row(r) IS NULL AS of_no_row FROM (SELECT NULL::address AS a) AS s, LATERAL (SELECT a AS r) AS t;

-- A table, a view and a query hash alike; a dropped column does not count, an added one counts with its default.
CREATE TABLE customers (gone int, b text, a int);
INSERT INTO customers VALUES (0, 'x', 1);
ALTER TABLE customers DROP COLUMN gone;
CREATE VIEW customer_view AS SELECT a, b FROM customers;
SELECT reverse_etl.hash_row(c) AS of_table FROM customers AS c;
SELECT reverse_etl.hash_row(c) AS of_view FROM customer_view AS c;
SELECT reverse_etl.hash_row(c.*) AS of_join FROM customers AS c CROSS JOIN generate_series(1, 1);
ALTER TABLE customers ADD COLUMN c text DEFAULT '';
SELECT reverse_etl.hash_row(customers) AS with_default FROM customers;
SELECT reverse_etl.hash_row(customer) AS as_composite
  FROM (SELECT customers AS customer FROM customers OFFSET 0) AS kept;

-- A call keeps what it learned of types, until they change; rows of several types may go through it.
DO $$
DECLARE
    hashes bigint[];
    one_row record;
BEGIN
    FOR i IN 1..3 LOOP
        FOR one_row IN EXECUTE CASE i WHEN 2 THEN 'SELECT 1 AS another'
                                      ELSE 'SELECT s FROM unnest(enum_range(NULL::stage)) AS s' END LOOP
            hashes := hashes || reverse_etl.hash_row(one_row);
        END LOOP;
        IF i = 2 THEN
            ALTER TYPE stage RENAME VALUE 'lead' TO 'prospect';
        END IF;
    END LOOP;
    RAISE NOTICE 'the renamed label hashes alike: %, the other one: %', hashes[1] = hashes[4], hashes[2] = hashes[5];
END
$$;

-- However a value is stored.
CREATE TABLE stored (how text, plain text, jsonb jsonb, number numeric, list text[]);
ALTER TABLE stored ALTER plain SET STORAGE EXTERNAL;
INSERT INTO stored
SELECT 'kept outside', string_agg(md5(n::text), '' ORDER BY n), jsonb_agg(md5(n::text) ORDER BY n),
       ('1' || repeat('0', 5000) || '.' || repeat('123', 5000))::numeric, array_agg(md5(n::text) ORDER BY n)
  FROM generate_series(1, 2000) AS n;
ALTER TABLE stored ALTER plain SET STORAGE MAIN;
INSERT INTO stored SELECT 'compressed', repeat('ab', 2000), '{}', 1, '{}';
INSERT INTO stored SELECT 'short', 'ab', '{}', 1, '{}';
SELECT s.how, reverse_etl.hash_row(s) AS hash, reverse_etl.hash_row(s) = reverse_etl.hash_row(fresh) AS like_a_fresh_one
  FROM stored AS s,
       LATERAL (SELECT how || '' AS how, plain || '' AS plain, (jsonb::text || ' ')::jsonb AS jsonb,
                       number + 0 AS number, list || '{}'::text[] AS list OFFSET 0) AS fresh
 ORDER BY s.how;
SELECT hash_of(repeat('0123456789', 1000000)) AS ten_megabytes;

-- regclass and its like by name: what is renamed changes, what another search_path shows otherwise does not.
CREATE TABLE orders ();
SELECT hash_of('orders'::regclass) = hash_of('public.orders'::text) AS by_name;
ALTER TABLE orders RENAME TO "Orders";
SELECT hash_of('"Orders"'::regclass) = hash_of('public."Orders"'::text) AS by_new_name;

DROP FUNCTION hash_of;
DROP SCHEMA crm CASCADE;
DROP TABLE stored, "Orders", customers CASCADE;
SET client_min_messages = warning;
DROP TYPE moment, broken CASCADE;
DROP TYPE address, float_range, stage, percentage CASCADE;
