-- Rows that must share a request: those of one list, whose id stands in the path.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
SELECT reverse_etl.create_connector('lists', '{
    "manifest": 1, "name": "lists", "title": "Lists", "base_url": "https://lists.example", "auth": { "kind": "none" },
    "objects": { "members": { "key": ["list_id", "email"], "columns": { "list_id": "integer", "email": "text", "name": "text" },
        "operations": {
            "upsert": { "request": "POST /lists/{row.list_id}/members", "group_by": "list_id", "rows": 4,
                        "body": { "list": "{row.list_id}", "members": { "$rows": { "email": "{row.email}", "name": "{row.name}" } } } },
            "delete": { "request": "POST /lists/{row.list_id}/removed", "group_by": "list_id", "rows": 4, "body": { "emails": { "$rows": { "email": "{row.email}" } } } }
        } } } }');
SELECT :'sandbox_url' || '/http' AS url \gset
CREATE SERVER lists FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'lists', base_url :'url');
IMPORT FOREIGN SCHEMA lists FROM SERVER lists INTO public;
EXPLAIN (COSTS off) INSERT INTO members SELECT i, 'a', 'b' FROM generate_series(1, 10) AS i;
INSERT INTO members SELECT i % 3, 'row' || i || '@example.com', 'Row ' || i FROM generate_series(1, 14) AS i;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching '"path":"[^"]*"' | sort | uniq -c
-- A row without a list is rejected, and one that the list refuses takes no other list with it.
INSERT INTO members VALUES (1, 'one@example.com', 'One'), (NULL, 'two@example.com', 'Two'), (2, 'no address', 'Three'), (2, 'four@example.com', 'Four');
-- Those that are queued
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset" > /dev/null
BEGIN;
INSERT INTO members SELECT i % 3, 'row' || i || '@example.com', 'Row ' || i FROM generate_series(1, 12) AS i;
DELETE FROM members WHERE list_id = 7 AND email IN ('x@example.com');
COMMIT;
CALL reverse_etl.wait('members', '30s');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching '"path":"[^"]*"' | sort | uniq -c
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching 'list\\"[^,]*' | sort | uniq -c
-- Of a key the last change comes last, whatever statements and lists lie between; a row without a list is rejected when it would leave.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset" > /dev/null
BEGIN;
INSERT INTO members VALUES (1, 'a@example.com', 'first'), (2, 'a@example.com', 'first'), (NULL, 'nowhere@example.com', 'Nobody');
INSERT INTO members VALUES (2, 'a@example.com', 'last'), (1, 'b@example.com', 'only'), (1, 'a@example.com', 'last');
DELETE FROM members WHERE list_id = 1 AND email = 'b@example.com';
COMMIT;
CALL reverse_etl.wait('members', '30s');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching '"path":"[^"]*"\|{\\"email[^}]*}' | sort
SELECT operation, reason FROM reverse_etl.rejected_rows WHERE "row" ->> 'email' = 'nowhere@example.com';
-- Those of a sync
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset" > /dev/null
CREATE TABLE people AS SELECT i % 2 AS list_id, 'p' || i || '@example.com' AS email, 'Person ' || i AS name FROM generate_series(1, 8) AS i;
INSERT INTO people VALUES (NULL, 'nowhere@example.com', 'Nobody');
SELECT reverse_etl.create_sync('people', 'SELECT * FROM people', 'members', key => '{list_id,email}') > 0 AS made;
SET client_min_messages = error;
CALL reverse_etl.run_sync('people');
RESET client_min_messages;
SELECT queried, added, invalid, accepted, rejected FROM reverse_etl.runs WHERE sync = 'people';
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep --only-matching '"path":"[^"]*"' | sort | uniq -c
-- Those of a statement, queued ones and those of a sync at the same time: all arrive in their own list.
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset" > /dev/null
SET client_min_messages = error;
UPDATE people SET name = 'changed', email = 'of' || list_id || 'by_sync' || email;
BEGIN;
INSERT INTO members SELECT i % 2, 'of' || i % 2 || 'queued' || i || '@example.com', 'x' FROM generate_series(1, 20) AS i;
COMMIT;
CALL reverse_etl.run_sync('people', wait => false);
INSERT INTO members SELECT i % 2, 'of' || i % 2 || 'at_once' || i || '@example.com', 'x' FROM generate_series(1, 20) AS i;
CALL reverse_etl.wait('members', '30s');
RESET client_min_messages;
\! for list in 0 1; do curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep /http/lists/$list/members | grep --only-matching 'of[01][a-z_]*' | sort | uniq -c; done
SELECT reverse_etl.drop_sync('people');
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset" > /dev/null
DROP TABLE people;
DROP FOREIGN TABLE members;
DROP SERVER lists;
SELECT reverse_etl.drop_connector('lists');
