-- What the values of each type look like when they are sent as JSON.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS reverse_etl;
RESET client_min_messages;
\getenv sandbox_url SANDBOX_URL
CREATE SERVER types FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER types;

-- These settings change what Postgres prints, but not what is sent.
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET timezone = 'Asia/Kolkata';
SET extra_float_digits = -3;
SET bytea_output = 'escape';
SET lc_monetary = 'C';

CREATE DOMAIN percentage AS numeric CHECK (value BETWEEN 0 AND 100);
CREATE TYPE stage AS ENUM ('lead', 'customer');
CREATE TYPE address AS (street text, "zip code" varchar(5), since date, tags text[]);

CREATE FOREIGN TABLE every_type (
    a_smallint      smallint,
    an_integer      integer,
    a_bigint        bigint,
    an_oid          oid,
    a_numeric       numeric,
    a_real          real,
    a_double        double precision,
    a_money         money,
    a_boolean       boolean,
    a_text          text,
    a_varchar       varchar(10),
    a_char          char(5),
    a_name          name,
    a_date          date,
    a_time          time,
    a_timetz        timetz,
    a_timestamp     timestamp,
    a_timestamptz   timestamptz,
    an_interval     interval,
    a_uuid          uuid,
    a_bytea         bytea,
    a_json          json,
    a_jsonb         jsonb,
    an_enum         stage,
    a_domain        percentage,
    an_array        integer[],
    a_matrix        integer[],
    a_text_array    text[],
    a_composite     address,
    composites      address[],
    an_inet         inet,
    a_macaddr       macaddr,
    a_bit           bit(3),
    a_point         point,
    a_range         int4range,
    a_tsvector      tsvector
) SERVER types OPTIONS (object 'endpoint', path '/http/types');

INSERT INTO every_type VALUES (
    '-32768', '2147483647', '-9223372036854775808', '4294967295',
    '1234567890123456789012345678901234567890.10', '0.1', '1.7976931348623157e308', '1234.5',
    true,
    E'quote " backslash \\ line\nbreak, and ä', 'varchar', 'char', 'name',
    '31.01.2026', '12:34:56.7', '24:00+05:30', '31.01.2026 12:34:56', '31.01.2026 12:34:56.789012', 'P1Y2M3DT4H5M6.7S',
    '6F1C7F0E-9D3C-4B42-8F1A-0123456789AB', '\x00ff10',
    E'{"kept":  1e2,\n "as": ["it", "is"]}', '{"b": 1, "a": null}',
    'customer', '99.90',
    '{1,NULL,3}', '{{1,2},{3,4}}', '{"a b","c\"d",NULL}',
    ROW('Main St 1', '12345', '31.01.2026', '{home,NULL}'),
    ARRAY[ROW('Main St 1', NULL, NULL, '{}'), NULL]::address[],
    '10.0.0.1/8', '08:00:2b:01:02:03', '101', '(1,2)', '[1,5)', 'fat:1 cat:2');
\set received `curl -s "$SANDBOX_URL/http/types"`
SELECT key AS "column", value AS sent FROM json_each(:'received'::json -> -1);

-- What ISO 8601 and JSON cannot express is refused, each row for itself.
CREATE FOREIGN TABLE extremes (id integer, day date, moment timestamptz, number double precision, exact numeric[])
    SERVER types OPTIONS (object 'endpoint', path '/http/extremes');
INSERT INTO extremes VALUES
    (1, '31.12.9999', '01.01.0001 00:00:00+00', '5e-324', '{1e-20}'),
    (2, 'infinity', NULL, NULL, NULL),
    (3, '31.12.0044 BC', NULL, NULL, NULL),
    (4, NULL, '-infinity', NULL, NULL),
    (5, NULL, '01.01.10000 00:00:00+00', NULL, NULL),
    (6, NULL, NULL, 'NaN', NULL),
    (7, NULL, NULL, '-Infinity', NULL),
    (8, NULL, NULL, NULL, '{1,NaN}');
SELECT "row" ->> 'id' AS id, reason FROM reverse_etl.rejected_rows WHERE destination = 'public.extremes'::regclass ORDER BY 1;
\set received `curl -s "$SANDBOX_URL/http/extremes"`
SELECT value AS sent FROM json_array_elements(:'received'::json);

-- A column may ask for another encoding.
CREATE FOREIGN TABLE encoded (
    a_string        boolean     OPTIONS (encode 'string'),
    a_json_string   integer[]   OPTIONS (encode 'string'),
    seconds         timestamptz OPTIONS (encode 'epoch_s'),
    milliseconds    timestamptz OPTIONS (encode 'epoch_ms'),
    midnight        date        OPTIONS (encode 'epoch_ms'),
    a_list          text[]      OPTIONS (encode 'semicolon_list'),
    a_hash          text        OPTIONS (encode 'sha256'),
    a_person        text        OPTIONS (encode 'trim,lower,sha256')
) SERVER types OPTIONS (object 'endpoint', path '/http/encoded');
INSERT INTO encoded VALUES (true, '{1,NULL}', '31.01.2026 12:34:56.789', '31.12.1969 23:59:59.9995+00', '31.01.2026',
                            '{red,NULL,light blue}', ' Ada@Example.COM ', ' Ada@Example.COM ');
\set received `curl -s "$SANDBOX_URL/http/encoded"`
SELECT key AS "column", value AS sent FROM json_each(:'received'::json -> -1);
SELECT encode(sha256(' Ada@Example.COM '), 'hex') AS expected_hash, encode(sha256('ada@example.com'), 'hex') AS expected_person;

-- It must fit the column's type.
CREATE FOREIGN TABLE misfit (a_text text OPTIONS (encode 'epoch_ms')) SERVER types OPTIONS (object 'endpoint');
INSERT INTO misfit VALUES ('x');
CREATE FOREIGN TABLE no_list (a_text text OPTIONS (encode 'semicolon_list')) SERVER types OPTIONS (object 'endpoint');
INSERT INTO no_list VALUES ('x');
INSERT INTO encoded (a_list) VALUES ('{"red;blue"}');

-- Bytes come back as they left, alone and in arrays, also where a manifest has all values sent as strings.
SELECT reverse_etl.create_connector('bytes', '{"manifest": 1, "name": "bytes", "title": "Bytes", "base_url": "http://localhost",
  "auth": {"kind": "none"}, "values": {"encode": "string"}, "objects": {"files": {"key": ["id"],
    "operations": {"create": {"request": "POST /http/files", "rows": 100, "body": {"$rows": {"$columns": "all"}}},
                   "list": {"request": "GET /http/files", "records": ""}}}}}');
CREATE SERVER bytes FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'bytes', base_url :'sandbox_url');
CREATE FOREIGN TABLE files (id text, body bytea, parts bytea[] OPTIONS (encode 'native')) SERVER bytes;
CREATE FOREIGN TABLE plain_files (id text, body bytea, parts bytea[]) SERVER types OPTIONS (object 'endpoint', path '/http/plain_files', key 'id');
CREATE TABLE originals (id text, body bytea, parts bytea[]);
INSERT INTO originals
SELECT n::text, decode(string_agg(lpad(to_hex((n * i) % 256), 2, '0'), '' ORDER BY i), 'hex'), ARRAY['\x00ff'::bytea, '', decode(lpad(to_hex(n), 2, '0'), 'hex')]
  FROM generate_series(1, 9) AS n, generate_series(1, 40 * n) AS i GROUP BY n
UNION ALL VALUES ('empty', ''::bytea, '{}'::bytea[]), ('null', NULL, NULL), ('like a text', 'abcd', ARRAY['abcd'::bytea]);
INSERT INTO files SELECT * FROM originals;
INSERT INTO plain_files SELECT * FROM originals;
SELECT count(*) FROM files AS f JOIN originals AS o ON (o.id, o.body, o.parts) IS NOT DISTINCT FROM (f.id, f.body, f.parts);
SELECT count(*) FROM plain_files AS f JOIN originals AS o ON (o.id, o.body, o.parts) IS NOT DISTINCT FROM (f.id, f.body, f.parts);
DROP TABLE originals;

SET client_min_messages = warning;
DROP SERVER bytes CASCADE;
SELECT reverse_etl.drop_connector('bytes');
DROP SERVER types CASCADE;
DROP TYPE address, stage;
DROP DOMAIN percentage;
