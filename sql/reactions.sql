-- On this answer, do that: a rule of an operation has another one tried for a row, once. The stand-in's faults say what is
-- archived, what is there already, and what is refused for want of a revision.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\set fresh `curl --silent --request POST $SANDBOX_URL/_sandbox/reset`
SELECT reverse_etl.create_connector('reactions', '{
    "manifest": 1, "name": "reactions", "title": "Reactions", "base_url": "https://example.com", "auth": { "kind": "none" },
    "values": { "encode": "native" },
    "errors": [{ "status": [400, 404, 409, 422, 423], "then": "reject", "reason": "/error" }],
    "objects": {
        "contacts": {
            "key": "email",
            "columns": { "email": "text", "name": "text", "_rev": "text" },
            "reactions": {
                "unarchive": { "request": "POST /http/contacts/{key}/unarchive", "body": { "id": "{key}" } }
            },
            "operations": {
                "create": {
                    "request": "POST /http/contacts", "body": { "$columns": "all" },
                    "errors": [{ "status": 409, "body": { "/code": "exists" }, "then": { "try": "update" } }]
                },
                "update": {
                    "request": "PATCH /http/contacts/{key}", "body": { "$columns": "all" },
                    "errors": [
                        { "status": 409, "body": { "/code": "archived" }, "then": { "try": "unarchive", "and": "again" } },
                        { "status": 409, "body": { "/code": "conflict" }, "then": { "try": "lookup", "and": "again", "with": "_rev" } },
                        { "status": 404, "then": { "try": "create" } }
                    ]
                },
                "delete": {
                    "request": "DELETE /http/contacts/{key}",
                    "errors": [{ "status": 423, "then": { "try": "unarchive", "and": "again" } }, { "status": 404, "then": "absent" }]
                },
                "lookup": { "request": "GET /http/contacts/{key}", "errors": [{ "status": 404, "then": "absent" }] },
                "list": { "request": "GET /http/contacts" }
            }
        },
        "people": {
            "id": "id", "key": "email",
            "columns": { "id": { "type": "text", "write": false }, "email": "text", "name": "text" },
            "reactions": { "unarchive": { "request": "POST /http/people/{key}/unarchive", "body": { "id": "{key}" } } },
            "operations": {
                "lookup": { "by": "key", "request": "GET /http/people", "query": { "email": "{key}" } },
                "create": {
                    "request": "POST /http/people", "body": { "$columns": "all" },
                    "errors": [{ "status": 409, "then": { "try": "unarchive", "and": "again" } }]
                },
                "update": {
                    "by": "id", "request": "PATCH /http/people/{key}", "body": { "$columns": "all" },
                    "errors": [{ "status": [404, 410], "then": { "try": "create" } }]
                },
                "upsert": { "by": "lookup" }
            }
        }
    }
}');
CREATE SERVER reactions FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'reactions', base_url :'sandbox_url', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER reactions;
CREATE FOREIGN TABLE contacts (email text, name text) SERVER reactions;
CREATE FOREIGN TABLE people (id text, email text, name text) SERVER reactions;

EXPLAIN (COSTS OFF) INSERT INTO contacts VALUES ('a@x', 'A');
EXPLAIN (COSTS OFF) UPDATE contacts SET name = 'B' WHERE email = 'a@x';
EXPLAIN (COSTS OFF) DELETE FROM contacts WHERE email = 'a@x';
EXPLAIN (COSTS OFF) INSERT INTO people (email, name) VALUES ('a@x', 'A');

-- What was asked since the last time; the faults that hold from now on.
\set requests '\\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --invert-match ''"GET","path":"/http/contacts"'' | sed --regexp-extended ''s/.*"method":"([^"]*)","path":"([^"]*)".*\\},("body":"(.*)",)?"status":([0-9]*).*/\\1 \\2 \\5 \\4/''; curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null'
\set fault '\\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --output /dev/null --data '
INSERT INTO contacts VALUES ('a@x', 'A'), ('b@x', 'B'), ('c@x', 'C');
:requests

-- A named request, and then the same once more
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"a is archived\"}"}]'
UPDATE contacts SET name = 'unarchived' WHERE email IN ('a@x', 'b@x');
:requests

-- What is found goes with the row; it may be whatever JSON.
\! curl --silent --request PATCH $SANDBOX_URL/http/contacts/a@x --output /dev/null --data '{"_rev": "2-\"}, {\u0000\u2028"}'
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"no revision\"}"}]'
UPDATE contacts SET name = 'found' WHERE email = 'a@x';
:requests

-- Another operation in place of the first, either way
UPDATE contacts SET name = 'created' WHERE email = 'd@x';
:requests
:fault '[{"path": "/contacts", "times": 1, "answer_status": 409, "answer": "{\"code\": \"exists\", \"error\": \"b is there\"}"}]'
INSERT INTO contacts VALUES ('b@x', 'updated');
:requests
:fault '[{"path": "/contacts/c%40x", "times": 1, "answer_status": 423, "answer": "{\"error\": \"locked\"}"}]'
DELETE FROM contacts WHERE email = 'c@x';
:requests
SELECT * FROM contacts WHERE name IS NOT NULL ORDER BY email;

-- The same fault again, or another that has a reaction: once a row, and no round.
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"archived\"}"}, {"path": "/contacts/a%40x/unarchive", "answer": "{}"}, {"path": "/contacts/a%40x", "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"still archived\"}"}]'
UPDATE contacts SET name = 'never' WHERE email IN ('a@x', 'b@x');
:requests
:fault '[{"path": "/contacts/e%40x", "answer_status": 404, "answer": "{\"error\": \"gone\"}"}, {"path": "/contacts", "answer_status": 409, "answer": "{\"code\": \"exists\", \"error\": \"e is there\"}"}]'
UPDATE contacts SET name = 'neither' WHERE email = 'e@x';
:requests

-- What is tried fails, finds no row, finds one without the field, or another one.
:fault '[{"path": "/unarchive", "answer_status": 422, "answer": "{\"error\": \"it is locked\"}"}, {"path": "/contacts/a%40x", "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"archived\"}"}]'
UPDATE contacts SET name = 'never' WHERE email = 'a@x';
:requests
:fault '[{"path": "/contacts/e%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"no revision\"}"}]'
UPDATE contacts SET name = 'never' WHERE email = 'e@x';
:requests
:fault '[{"path": "/contacts/b%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"no revision\"}"}]'
UPDATE contacts SET name = 'never' WHERE email = 'b@x';
:requests
:fault '[{"path": "/contacts/b%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"no revision\"}"}, {"path": "/contacts/b%40x", "times": 1, "answer": "{\"email\": \"d@x\", \"_rev\": \"7\"}"}]'
UPDATE contacts SET name = 'never' WHERE email = 'b@x';
:requests
SELECT "row" ->> 'email' AS email, "row" ->> 'name' AS name, key ->> 'email' AS key, http_status, reason
  FROM reverse_etl.rejected_rows WHERE destination = 'contacts'::regclass ORDER BY id;

-- Counts add up.
SELECT operation, rows, accepted, rejected, absent, requests FROM reverse_etl.audit_log
 WHERE destination = 'contacts'::regclass ORDER BY id;

-- Queued
ALTER FOREIGN TABLE contacts OPTIONS (ADD delivery 'queued');
\set settled 'CALL reverse_etl.wait(''contacts'', ''30 s'');'
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"a is archived\"}"}]'
UPDATE contacts SET name = 'queued' WHERE email = 'a@x';
:settled
:requests
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"no revision\"}"}]'
UPDATE contacts SET name = 'queued again' WHERE email = 'a@x';
:settled
:requests
UPDATE contacts SET name = 'queued' WHERE email = 'f@x';
:settled
:requests
:fault '[{"path": "/contacts", "times": 1, "answer_status": 409, "answer": "{\"code\": \"exists\", \"error\": \"b is there\"}"}]'
INSERT INTO contacts VALUES ('b@x', 'queued');
:settled
:requests
:fault '[{"path": "/contacts/d%40x", "times": 1, "answer_status": 423, "answer": "{\"error\": \"locked\"}"}]'
DELETE FROM contacts WHERE email = 'd@x';
:settled
:requests
DELETE FROM reverse_etl.rejected_rows WHERE destination = 'contacts'::regclass;
:fault '[{"path": "/unarchive", "answer": "{}"}, {"path": "/contacts/a%40x", "answer_status": 409, "answer": "{\"code\": \"archived\", \"error\": \"still archived\"}"}]'
UPDATE contacts SET name = 'never' WHERE email = 'a@x';
:settled
:requests
SELECT reason, http_status FROM reverse_etl.rejected_rows WHERE destination = 'contacts'::regclass;
SELECT * FROM contacts WHERE name IS NOT NULL ORDER BY email;

-- A create in reaction that may have been made is not made again.
ALTER FOREIGN TABLE contacts OPTIONS (DROP delivery);
:fault '[{"path": "/contacts", "body": "g@x", "p_500": 1}]'
UPDATE contacts SET name = 'unknown' WHERE email = 'g@x';
:requests
SELECT reason, http_status FROM reverse_etl.rejected_rows WHERE destination = 'contacts'::regclass ORDER BY id DESC LIMIT 1;

-- A statement that has a revision means that one.
CREATE FOREIGN TABLE revisions (email text, name text, rev text OPTIONS (field '_rev')) SERVER reactions OPTIONS (object 'contacts');
EXPLAIN (COSTS OFF) UPDATE revisions SET rev = '1' WHERE email = 'a@x';
:fault '[{"path": "/contacts/a%40x", "times": 1, "answer_status": 409, "answer": "{\"code\": \"conflict\", \"error\": \"another revision\"}"}]'
UPDATE revisions SET rev = '1' WHERE email = 'a@x';
:requests

DROP SERVER reactions CASCADE;
SELECT reverse_etl.drop_connector('reactions');
