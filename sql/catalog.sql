-- What people read about connectors.
SELECT reverse_etl.create_connector('loyalty', '{
    "manifest": 1, "name": "loyalty", "title": "Loyalty\nof Acme", "category": "marketing", "version": "2.1", "documentation": "https://acme.example/docs",
    "base_url": "https://{region}.acme.example", "schema": "select",
    "options": {
        "region": { "on": "server", "type": "label", "required": true, "example": "eu", "description": "where the account is" },
        "list": { "on": "table", "default": "all", "one_of": ["all", "vip"], "description": "which | list" }
    },
    "credentials": {
        "api_key": { "description": "key of the *account*", "example": "k-1''2", "documentation": "https://acme.example/keys_and_more" },
        "user": { "description": "name of a user" }, "password": { "description": "password of that user" }
    },
    "auth": [{ "kind": "header", "name": "X-Api-Key", "value": "{api_key}" }, { "kind": "basic", "username": "{user}", "password": "{password}" }],
    "rate_limits": [{ "name": "all", "requests": 10, "seconds": 1 }],
    "check": { "request": "GET /me", "identity": "/name", "scopes": { "header": "X-Scopes", "needed": ["write", "read"] } },
    "discover": {
        "fields": { "request": "GET /fields/{object}", "records": "/fields", "field": "/name", "type": { "at": "/type", "types": {} } }
    },
    "objects": {
        "members": {
            "id": "id", "key": "email",
            "columns": { "id": { "type": "text", "write": false }, "email": { "column": "mail", "type": "text", "description": "where letters go" }, "points": "integer" },
            "operations": {
                "create": { "request": "POST /{list}/members", "rows": 50, "body": { "$rows": { "$columns": "all" } } },
                "upsert": { "request": "PUT /{list}/members", "rows": 50, "body": { "$rows": { "$columns": "all" } } },
                "update": { "request": "PATCH /members/{key}", "body": { "$columns": "all" } },
                "delete": { "request": "DELETE /members/{key}", "by": "id" },
                "lookup": { "request": "GET /members/{key}", "records": "" },
                "list": { "request": "GET /members", "records": "", "rate_limits": [{ "name": "list", "requests": 2, "seconds": 60 }] }
            }
        },
        "visits": { "operations": { "create": { "request": "POST /visits", "body": { "$columns": "all" } } } }
    }
}');
\x on
SELECT * FROM reverse_etl.connectors WHERE name IN ('http', 'loyalty') ORDER BY name;
\x off
\pset format unaligned
\pset tuples_only on
SELECT reverse_etl.describe_connector('loyalty');
SELECT reverse_etl.describe_connector('loyalty', 'markdown');
\pset format aligned
\pset tuples_only off

-- Psql shows every page in 80 columns, but for what cannot be cut.
SELECT name, line FROM reverse_etl.connectors, reverse_etl.describe_connector(name) AS line
 WHERE length(line) > 78 AND line ~ '\S \S' AND line !~ '''';

-- What is asked for and not there.
SELECT reverse_etl.describe_connector('hubsopt');
SELECT reverse_etl.describe_connector('Loyal');
SELECT reverse_etl.describe_connector('');
SELECT reverse_etl.describe_connector('loyalty', 'html');
SELECT count(*) FROM reverse_etl.describe_connector(NULL);
SELECT reverse_etl.show_manifest('royalty');

-- One that extends another is described whole.
SELECT reverse_etl.create_connector('loyalty_plus', '{ "manifest": 1, "name": "loyalty_plus", "extends": "loyalty", "title": "Loyalty plus", "category": null, "objects": { "visits": null } }');
SELECT name, category, objects, operations, auth, truth, built_in, extends FROM reverse_etl.connectors WHERE name = 'loyalty_plus';
SELECT line FROM reverse_etl.describe_connector('loyalty_plus') AS line WHERE line ~ 'CREATE SERVER|visits';
SELECT reverse_etl.show_manifest('loyalty_plus') -> 'objects' -> 'visits' IS NULL AS is_gone, reverse_etl.show_manifest('loyalty_plus') ->> 'schema' AS schema;

-- Whoever may connect may read.
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT count(*) > 20 AS reads FROM reverse_etl.describe_connector('loyalty');
SELECT count(*) AS connectors FROM reverse_etl.connectors WHERE NOT built_in;
SELECT reverse_etl.show_manifest('loyalty') ->> 'name' AS name;
RESET ROLE;
DROP ROLE regress_reader;

-- One that was made under another version of the language hides no other.
SELECT reverse_etl.drop_connector('loyalty_plus');
UPDATE reverse_etl_internal.custom_connectors SET manifest = '{ "manifest": 1, "name": "loyalty", "of_old": true }';
SELECT name, title, category, objects, operations, auth, truth, built_in FROM reverse_etl.connectors WHERE NOT built_in;
SELECT count(*) > 3 AS others FROM reverse_etl.connectors WHERE built_in AND title IS NOT NULL;
SELECT reverse_etl.drop_connector('loyalty');
