-- What an account has that its connector does not list: fields as columns, objects as tables.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
-- Properties as HubSpot tells of them, and as no one should: three on a page.
\! curl --silent --output /dev/null --data '[{"name": "email", "type": "string", "label": "Email"}, {"name": "Loyalty_Points", "type": "number", "label": "Points of the loyalty program", "modificationMetadata": {"readOnlyValue": false}}, {"name": "since", "type": "datetime", "label": "Since", "modificationMetadata": {"readOnlyValue": true}}, {"name": "tier", "type": "enumeration", "label": "Tier", "closed": true, "options": [{"value": "gold", "hidden": false}, {"value": "it\u0027s", "hidden": false}, {"value": "old", "hidden": true}], "modificationMetadata": {"readOnlyValue": false}}, {"name": "stage", "type": "enumeration", "label": "Stage", "options": [{"value": "new", "hidden": false}, {"value": "open", "hidden": false}], "modificationMetadata": {"readOnlyValue": false}}, {"name": "gone", "archived": true}]' $SANDBOX_URL/http/properties/contacts
\! curl --silent --output /dev/null --data '[{"name": "a\"; DROP TABLE t; --"}, {"name": "LOYALTY"}, {"name": "loyalty"}, {"name": "ctid"}, {"name": "id"}, {"name": "two\nlines"}, {"name": "where", "type": "object_coordinates"}, {"name": "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn1"}, {"name": "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn2"}, {"name": "needed", "needed": true}]' $SANDBOX_URL/http/properties/p1_cars
\! curl --silent --output /dev/null --data '[{"fullyQualifiedName": "p1_cars", "name": "Cars"}, {"fullyQualifiedName": "contacts", "name": "contacts"}, {"fullyQualifiedName": "p2 bad", "name": "bad"}, {"fullyQualifiedName": "p1_contacts", "name": "Contacts"}]' $SANDBOX_URL/http/schemas
SELECT reverse_etl.create_connector('finder', '{
    "manifest": 1, "name": "finder", "title": "Finder", "base_url": "https://finder.example", "schema": "crm",
    "auth": { "kind": "bearer", "token": "{token}" }, "credentials": { "token": { "description": "token of the account" } },
    "id": "hs_object_id", "columns": { "hs_object_id": { "type": "text", "column": "id", "write": false } },
    "discover": {
        "fields": {
            "request": "GET /properties/{object}", "query": { "paged": "1", "limit": "3", "cursor": "{cursor}" }, "records": "/items", "next": { "cursor": "/next" },
            "field": "/name", "only_when": { "/archived": { "not": true } },
            "type": { "at": "/type", "types": { "number": "numeric", "datetime": { "type": "timestamptz", "encode": "epoch_ms" }, "object_coordinates": "jsonb" } },
            "write": { "/modificationMetadata/readOnlyValue": { "not": true } }, "required": { "/needed": true },
            "choices": { "at": "/options", "value": "/value", "only_when": { "/hidden": false }, "closed_when": { "/closed": true } },
            "description": "/label"
        },
        "objects": { "request": "GET /schemas", "records": "", "object": "/fullyQualifiedName", "table": "/name" }
    },
    "operations": {
        "create": { "request": "POST /rows/{object}", "rows": 10, "body": { "rows": { "$rows": { "$columns": "all" } } } },
        "update": { "request": "PATCH /rows/{object}/{key}", "by": "id", "body": { "$columns": "all" } },
        "list": { "request": "GET /rows/{object}" }
    },
    "objects": { "contacts": { "key": "tier", "columns": { "email": "text" } }, "plain": { "discover": false, "columns": { "a": "text" } },
        "*": { "pattern": "[a-z0-9_]+" } } }');
SELECT :'sandbox_url' || '/http' AS url \gset
CREATE SERVER finder FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'finder', base_url :'url');
CREATE SCHEMA crm;
-- Who has no credentials gets what the connector lists, and is told so; unless the account was to be asked, or was not.
IMPORT FOREIGN SCHEMA crm FROM SERVER finder INTO crm;
\d crm.contacts
DROP FOREIGN TABLE crm.contacts, crm.plain;
IMPORT FOREIGN SCHEMA crm FROM SERVER finder INTO crm OPTIONS (discover 'false');
DROP FOREIGN TABLE crm.contacts, crm.plain;
IMPORT FOREIGN SCHEMA crm FROM SERVER finder INTO crm OPTIONS (discover 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER finder OPTIONS (token 'secret-0123456789');
IMPORT FOREIGN SCHEMA crm FROM SERVER finder INTO crm;
\det crm.*
\d+ crm.contacts
\d crm.cars
\d crm.contacts_2
-- LIMIT TO asks for no more than that.
DROP FOREIGN TABLE crm.contacts, crm.cars, crm.contacts_2, crm.plain;
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER finder INTO crm;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching '"path":"[^"]*"'
IMPORT FOREIGN SCHEMA crm LIMIT TO (cars) FROM SERVER finder INTO crm;
-- What is found is written and read as any other column.
INSERT INTO crm.contacts (email, loyalty_points, tier) VALUES ('ada@example.com', 12.5, 'gold');
INSERT INTO crm.contacts (email, since) VALUES ('ada@example.com', now());
SELECT email, loyalty_points, tier FROM crm.contacts;
-- What the account has got since
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
\! curl --silent --output /dev/null --data '[{"name": "Nickname", "type": "string", "label": "What friends say"}, {"name": "NICKNAME", "type": "number"}]' $SANDBOX_URL/http/properties/contacts
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
SELECT col_description('crm.contacts'::regclass, attnum) AS comment FROM pg_attribute WHERE attrelid = 'crm.contacts'::regclass AND attname = 'nickname';
INSERT INTO crm.contacts (email, nickname_2) VALUES ('grace@example.com', 7);
SELECT email, nickname, nickname_2 FROM crm.contacts WHERE nickname_2 IS NOT NULL;
-- A column that was dropped, or that a table never had, is one that it lacks; one that was renamed is not.
ALTER FOREIGN TABLE crm.contacts DROP COLUMN stage;
ALTER FOREIGN TABLE crm.contacts RENAME COLUMN tier TO level;
ALTER FOREIGN TABLE crm.contacts ALTER COLUMN level OPTIONS (ADD field 'tier');
CREATE FOREIGN TABLE crm.few (email text) SERVER finder OPTIONS (object 'contacts');
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
SELECT "column" FROM reverse_etl.refresh_columns('crm.few');
-- Rights are those of ALTER FOREIGN TABLE.
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA crm TO regress_reader;
GRANT ALL ON crm.contacts TO regress_reader;
GRANT USAGE ON FOREIGN SERVER finder TO regress_reader;
CREATE USER MAPPING FOR regress_reader SERVER finder OPTIONS (token 'another-0123456789');
SET ROLE regress_reader;
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
RESET ROLE;
ALTER FOREIGN TABLE crm.few OWNER TO regress_reader;
\! curl --silent --output /dev/null --data '[{"name": "last"}]' $SANDBOX_URL/http/properties/contacts
SET ROLE regress_reader;
SELECT * FROM reverse_etl.refresh_columns('crm.few');
RESET ROLE;
SELECT * FROM reverse_etl.refresh_columns('pg_class');
CREATE FOREIGN TABLE crm.plain (a text) SERVER finder OPTIONS (object 'plain');
SELECT * FROM reverse_etl.refresh_columns('crm.plain');
BEGIN READ ONLY;
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
ROLLBACK;
CREATE FOREIGN TABLE crm.other (a text) SERVER finder OPTIONS (object 'p2 bad');
SELECT * FROM crm.other;
-- An account that refuses, or is not there: nothing is made.
\! curl --silent --output /dev/null --data '{"http_credentials": {"header": "Authorization", "value": "Bearer other"}}' $SANDBOX_URL/_sandbox/settings
\set VERBOSITY sqlstate
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts_2) FROM SERVER finder INTO crm;
SELECT * FROM reverse_etl.refresh_columns('crm.contacts');
\set VERBOSITY terse
-- An option of columns: which operations write one
ALTER FOREIGN TABLE crm.contacts ALTER COLUMN email OPTIONS (ADD write 'delete');
ALTER FOREIGN TABLE crm.contacts ALTER COLUMN email OPTIONS (ADD write 'update');
INSERT INTO crm.contacts (email) VALUES ('x@example.com');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
DROP SCHEMA crm CASCADE;
DROP SERVER finder CASCADE;
DROP ROLE regress_reader;
SELECT reverse_etl.drop_connector('finder');
