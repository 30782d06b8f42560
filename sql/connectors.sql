-- Connectors of one's own: a manifest, and nothing is compiled.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null

SELECT reverse_etl.create_connector('acme', '{
    "manifest": 1,
    "name": "acme",
    "title": "Acme loyalty",
    "version": "2.1",
    "note": "members join by themselves",
    "base_url": "https://loyalty.acme.example",
    "credentials": { "api_key": { "description": "key of the account", "example": "k-1" } },
    "auth": [{ "kind": "header", "name": "X-Api-Key", "value": "{api_key}" }],
    "defaults": { "rows": 2 },
    "operations": {
        "create": { "request": "POST /http/acme/{object}", "body": { "$rows": { "$columns": "all" } } }
    },
    "objects": {
        "members": { "id": "id", "columns": { "id": { "type": "text", "write": false }, "email": "text", "points": "integer" } },
        "$note": "there are more",
        "visits": { "columns": { "$note": "as the shop counts them", "email": "text", "seen": "timestamptz" } }
    }
}');
SELECT name, title, version, built_in, objects FROM reverse_etl.connectors WHERE NOT built_in;
SELECT connector, name, description, example FROM reverse_etl.credentials WHERE connector IN ('acme', 'slack') ORDER BY connector;

CREATE SERVER acme FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'acme', base_url :'sandbox_url', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER acme OPTIONS (api_key 'k-1');
CREATE SCHEMA acme;
IMPORT FOREIGN SCHEMA acme FROM SERVER acme INTO acme;
\d acme.members
INSERT INTO acme.members (email, points) VALUES ('ada@example.com', 5), ('grace@example.com', NULL), ('edsger@example.com', 7);
-- Three rows, two a request, with the key where the manifest puts it.
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"\|"x-api-key":"[^"]*"\|"body":"[^}]*}[^}]*"'

-- A faulty manifest is refused, with the place of its first fault.
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad" ');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 2, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }], "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "bearer" }], "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }],
    "objects": { "o": { "operations": { "create": { "request": "SEND /x" } } } } }');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }],
    "objects": { "o": { "operations": { "create": { "request": "POST /x/{tenant}" } } } } }');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }],
    "errors": [{ "status": 429, "then": "sleep" }], "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('other', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }], "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('hubspot', '{ "manifest": 1, "name": "hubspot", "title": "Mine", "base_url": "https://x", "auth": [{ "kind": "none" }], "objects": { "o": {} } }');

SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }],
    "headers": { "X-Query": "{ id }" }, "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('bad', '{ "manifest": 1, "name": "bad", "title": "Bad", "base_url": "https://x", "auth": [{ "kind": "none" }],
    "objects": { "o": { "id": "a", "key": "b", "id": "c" } } }');

-- An option is a value and no more: it chooses no host, and in a path it is one segment.
SELECT reverse_etl.create_connector('regional', '{ "manifest": 1, "name": "regional", "title": "Regional", "auth": [{ "kind": "none" }],
    "base_url": "https://{region}.example.com", "options": { "region": { "on": "server", "description": "where the account is" } }, "objects": { "o": {} } }');
SELECT reverse_etl.create_connector('regional', '{ "manifest": 1, "name": "regional", "title": "Regional", "auth": [{ "kind": "none" }],
    "base_url": "https://{region}.example.com",
    "options": { "region": { "on": "server", "type": "label", "required": true, "example": "eu", "description": "where the account is" },
                 "list": { "on": "table", "description": "the list that members join" } },
    "objects": { "members": { "columns": { "email": "text" }, "operations": { "create": { "request": "POST /lists/{list}/members", "body": { "$columns": "all" } } } } } }');
CREATE SERVER regional FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'regional');
CREATE SERVER regional FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'regional', region '127.0.0.1:42953/');
CREATE SERVER regional FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'regional', region 'eu', base_url 'http://h/?x=');
CREATE SERVER regional FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'regional', region 'eu');
CREATE FOREIGN TABLE members (email text) SERVER regional;
INSERT INTO members VALUES ('ada@example.com');
ALTER FOREIGN TABLE members OPTIONS (ADD list '../{key}?all=1');
EXPLAIN (COSTS OFF) INSERT INTO members VALUES ('ada@example.com');
ALTER FOREIGN TABLE members OPTIONS (SET list '..');
INSERT INTO members VALUES ('ada@example.com');
DROP SERVER regional CASCADE;
SELECT reverse_etl.drop_connector('regional');

SELECT reverse_etl.drop_connector('acme');
DROP SCHEMA acme CASCADE;
DROP SERVER acme CASCADE;
SELECT reverse_etl.drop_connector('acme');
SELECT reverse_etl.drop_connector('acme');
