-- An upsert where the API has none: rows are looked up by their key, and then updated by the id that was found, or
-- created. HubSpot's batches stand in, which refuse to create what is there, and to update what is not.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
SELECT reverse_etl.create_connector('lookups', '{
    "manifest": 1, "name": "lookups", "extends": "hubspot",
    "rate_limits": [{ "name": "burst", "requests": 100, "seconds": 10 }],
    "objects": {
        "contacts": {
            "operations": {
                "upsert": { "by": "lookup" },
                "update": { "by": "id" },
                "lookup": [
                    { "by": "id", "rows": 10 },
                    { "by": ["email"], "rows": 3 },
                    { "by": ["phone"], "rows": 1,
                      "request": "POST /crm/v3/objects/contacts/search",
                      "body": { "filterGroups": [{ "filters": [{ "propertyName": "phone", "operator": "EQ", "value": "{key}" }] }],
                                "properties": "{fields}", "limit": 10 } }
                ]
            }
        }
    }
}');
CREATE SERVER lookups FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'lookups', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER lookups OPTIONS (access_token 'pat-1');
CREATE FOREIGN TABLE contacts (id text OPTIONS (field 'hs_object_id'), email text, firstname text, phone text)
    SERVER lookups;

EXPLAIN (COSTS OFF) INSERT INTO contacts (email, firstname) VALUES ('ada@example.com', 'Ada');

INSERT INTO contacts (email, firstname, phone) SELECT 'c' || i || '@example.com', 'n' || i, i FROM generate_series(1, 4) AS i;
INSERT INTO contacts (email, firstname) SELECT 'C' || i || '@example.com', 'm' || i FROM generate_series(3, 6) AS i;
SELECT email, firstname, phone FROM contacts ORDER BY email;
SELECT statement, operation, rows, accepted, rejected, requests FROM reverse_etl.audit_log WHERE destination = 'contacts'::regclass ORDER BY id;

-- More than a burst, of which every second row is there
INSERT INTO contacts (email, firstname) SELECT 'many' || i || '@example.com', 'old' FROM generate_series(1, 500, 2) AS i;
INSERT INTO contacts (email, firstname) SELECT 'many' || i || '@example.com', 'new' FROM generate_series(1, 500) AS i;
SELECT count(*), count(DISTINCT email), min(firstname) FROM contacts WHERE email LIKE 'many%';

-- Rows of a key go one after the other, whatever becomes of the first.
INSERT INTO contacts (email, firstname) VALUES ('twice@example.com', 'first'), ('TWICE@example.com', 'second'), ('twice@example.com', 'third');
SELECT email, firstname FROM contacts WHERE email = 'twice@example.com';

-- RETURNING has the id of both.
INSERT INTO contacts (email, firstname) VALUES ('c1@example.com', 'back') RETURNING id IS NOT NULL AS has_id, firstname;
INSERT INTO contacts (email, firstname) VALUES ('c7@example.com', 'new') RETURNING id IS NOT NULL AS has_id, firstname;

-- A row that cannot be sent, a key that names nothing
INSERT INTO contacts (email, firstname) VALUES (NULL, 'x'), ('', 'x'), ('c8@example.com', 'good');
SELECT reason FROM reverse_etl.rejected_rows WHERE destination = 'contacts'::regclass ORDER BY id;
INSERT INTO contacts (firstname) VALUES ('no key');

-- What the requests would be
SELECT operation, rows, body FROM reverse_etl.preview($$INSERT INTO contacts (email, firstname) VALUES ('z@example.com', 'Z')$$);
SELECT method, body FROM reverse_etl.show_request(reverse_etl.show_manifest('lookups'), 'contacts', 'upsert', '{"email": "z@example.com", "firstname": "Z"}');

-- Queued
ALTER FOREIGN TABLE contacts OPTIONS (ADD delivery 'queued');
INSERT INTO contacts (email, firstname) VALUES ('c1@example.com', 'queued'), ('q1@example.com', 'queued'), ('q2@example.com', 'queued');
INSERT INTO contacts (email, firstname) VALUES ('q1@example.com', 'again');
CALL reverse_etl.wait('contacts', '30 s');
ALTER FOREIGN TABLE contacts OPTIONS (DROP delivery);
SELECT email, firstname FROM contacts WHERE email IN ('c1@example.com', 'q1@example.com', 'q2@example.com') ORDER BY email;

-- A sync
CREATE TABLE people (email text PRIMARY KEY, name text);
INSERT INTO people VALUES ('c2@example.com', 'synced'), ('s1@example.com', 'synced'), ('s2@example.com', NULL);
SELECT reverse_etl.create_sync('people', 'SELECT email, name AS firstname FROM people', 'contacts', '{email}', mode => 'mirror',
                               max_removed => 'none') > 0 AS made;
SET client_min_messages = warning; -- a run has a number
CALL reverse_etl.run_sync('people');
UPDATE people SET name = NULL WHERE email = 's1@example.com';
UPDATE people SET name = 'named' WHERE email = 's2@example.com';
CALL reverse_etl.run_sync('people');
DELETE FROM people WHERE email = 's2@example.com';
CALL reverse_etl.run_sync('people');
RESET client_min_messages;
SELECT added, changed, removed, accepted, rejected FROM reverse_etl.runs WHERE sync = 'people' ORDER BY id;
SELECT email, firstname FROM contacts WHERE email IN ('c2@example.com', 's1@example.com', 's2@example.com') ORDER BY email;
SELECT reverse_etl.drop_sync('people');

-- WHERE chooses the look-up.
EXPLAIN (COSTS OFF) SELECT firstname FROM contacts WHERE email = 'c1@example.com';
EXPLAIN (COSTS OFF) SELECT firstname FROM contacts WHERE id IN ('1', '2');
EXPLAIN (COSTS OFF) SELECT firstname FROM contacts WHERE phone = '3';
EXPLAIN (COSTS OFF) SELECT firstname FROM contacts WHERE phone = '3' AND email = 'c3@example.com';
SELECT email, firstname FROM contacts WHERE phone = '3';
SELECT p.n, c.email FROM (VALUES ('2'), ('4'), ('9')) AS p (n) JOIN contacts AS c ON c.phone = p.n ORDER BY 1;
UPDATE contacts SET firstname = 'by phone' WHERE phone = '4';
SELECT email, firstname FROM contacts WHERE email = 'c4@example.com';

-- A key without a look-up is an error, and not a list of everything.
CREATE FOREIGN TABLE by_name (id text OPTIONS (field 'hs_object_id'), email text, firstname text)
    SERVER lookups OPTIONS (object 'contacts', key 'firstname');
INSERT INTO by_name (email, firstname) VALUES ('x@example.com', 'X');
SELECT email FROM by_name WHERE firstname = 'synced';
UPDATE by_name SET email = 'x@example.com' WHERE firstname = 'synced';
DELETE FROM by_name WHERE firstname = 'synced';
SELECT email FROM (SELECT * FROM by_name OFFSET 0) AS _ WHERE firstname = 'synced';

DROP TABLE people;
DROP SERVER lookups CASCADE;
SELECT reverse_etl.drop_connector('lookups');
