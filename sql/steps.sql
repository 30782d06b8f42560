-- A column's values are made by steps, which an option names in words with commas or in JSON.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS reverse_etl;
RESET client_min_messages;
\getenv sandbox_url SANDBOX_URL
CREATE SERVER steps FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER steps;
CREATE FOREIGN TABLE leads (
    person text  OPTIONS (encode 'trim,lower,md5'),
    phone text   OPTIONS (encode '[{"e164": "DE"}, "digits"]'),
    known text   OPTIONS (encode '["trim", {"unless": "[0-9a-f]{32}"}, "md5"]'),
    born  date   OPTIONS (encode '{"date": "DD.MM.YYYY"}'),
    tags  text[] OPTIONS (encode '{"join": ", "}'),
    words text   OPTIONS (encode '[{"split": ","}, {"each": ["trim", "upper"]}]'),
    data  jsonb  OPTIONS (encode 'json'),
    raw   text   OPTIONS (encode 'sha1,base64')
) SERVER steps OPTIONS (object 'endpoint', path '/http/leads');
INSERT INTO leads VALUES (' ABC', '0151 / 1234567', '900150983cd24fb0d6963f7d28e17f72', '2026-01-31', '{red,NULL,blue}', 'a, b', '{"a": 1.10}', 'abc');
\set received `curl -s "$SANDBOX_URL/http/leads"`
SELECT key AS "column", value AS sent FROM json_each(:'received'::json -> -1);

-- What a step cannot do rejects the row.
INSERT INTO leads (phone) VALUES ('call me'), ('12'), ('+49 151 1234567');
INSERT INTO leads (tags) VALUES ('{"a, b"}'), ('{{a},{b}}');
SELECT row_number, reason FROM reverse_etl.rejected_rows WHERE destination = 'public.leads'::regclass ORDER BY id;
DELETE FROM reverse_etl.rejected_rows WHERE destination = 'public.leads'::regclass;

-- A step that the type does not have, and steps that do not fit each other.
CREATE FOREIGN TABLE no_date (born text OPTIONS (encode '{"date": "YYYY"}')) SERVER steps OPTIONS (object 'endpoint', path '/http/x');
INSERT INTO no_date VALUES ('2026');
CREATE FOREIGN TABLE no_list (tags text OPTIONS (encode '{"join": ","}')) SERVER steps OPTIONS (object 'endpoint', path '/http/x');
INSERT INTO no_list VALUES ('a,b');
ALTER FOREIGN TABLE leads ALTER COLUMN raw OPTIONS (SET encode '["trim", "semicolon_list"]');
ALTER FOREIGN TABLE leads ALTER COLUMN raw OPTIONS (SET encode '{"e164": "XX"}');
ALTER FOREIGN TABLE leads ALTER COLUMN raw OPTIONS (SET encode '[{"split": ","}, "trim"]');
ALTER FOREIGN TABLE leads ALTER COLUMN raw OPTIONS (SET encode '["trim"');

DROP SERVER steps CASCADE;
