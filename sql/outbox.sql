-- Queued rows: the outbox, and what becomes of its rows.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none', delivery 'queued');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts, companies) FROM SERVER hubspot INTO hubspot;
ALTER FOREIGN TABLE hubspot.contacts ADD score float8;
-- Waits until faults are known of so many destinations.
CREATE PROCEDURE faults(number bigint) LANGUAGE plpgsql AS $$ BEGIN
    FOR i IN 1..1500 LOOP
        EXIT WHEN (SELECT count(*) FROM reverse_etl.destination_states) = number;
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;

-- The tag counts the rows that were queued. A paused destination keeps them waiting.
SELECT reverse_etl.pause_server('hubspot');
SELECT server = (SELECT oid FROM pg_foreign_server WHERE srvname = 'hubspot') AS server, destination,
       paused_by = current_user AS mine
  FROM reverse_etl.pauses;
INSERT INTO hubspot.contacts (email, firstname) VALUES ('ada@example.com', 'Ada'), ('grace@example.com', NULL);
COPY hubspot.contacts (email, score) FROM stdin;
edith@example.com	1.5
\.
SELECT destination, operation, enqueued_by = current_user::regrole AS mine, deliver_as = current_user::regrole AS as_me,
       attempts, key, "row"
  FROM reverse_etl.outbox ORDER BY id;
SELECT destination, server, state, waiting, oldest < now() AS aged FROM reverse_etl.destinations ORDER BY destination::text;
SELECT count(*) FROM hubspot.contacts;
CALL reverse_etl.wait('hubspot.contacts', '50 ms');
SELECT reverse_etl.resume_server('hubspot');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT email, firstname, score FROM hubspot.contacts ORDER BY email;

-- UPDATE and DELETE that name their rows by key are queued without a look; others look at the destination as it is now.
BEGIN;
UPDATE hubspot.contacts SET firstname = 'Ada L.', score = NULL WHERE email = 'ada@example.com';
DELETE FROM hubspot.contacts WHERE email IN ('grace@example.com', 'nobody@example.com');
UPDATE hubspot.contacts SET firstname = 'E.' WHERE score > 1 RETURNING email, firstname;
SELECT operation, key::jsonb - 'id' AS key, key::jsonb ? 'id' AS by_id, "row" FROM reverse_etl.outbox ORDER BY id;
COMMIT;
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT email, firstname, score FROM hubspot.contacts ORDER BY email;

-- A row that the destination refuses has the others go on, and goes to reverse_etl.rejected_rows. "on_reject" comes too late.
ALTER SERVER hubspot OPTIONS (ADD on_reject 'error');
INSERT INTO hubspot.contacts (email, firstname) VALUES ('linus@example.com', 'Linus'), ('nobody', 'No'), (NULL, 'Null');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT destination, operation, row_number > 0 AS numbered, key, "row", http_status, rejected_by = current_user AS mine,
       left(reason, 70) AS reason
  FROM reverse_etl.rejected_rows ORDER BY id;
SELECT email FROM hubspot.contacts WHERE email = 'linus@example.com';
-- What is mended can be tried again.
SELECT reverse_etl.mend(id, jsonb_set("row", '{email}', '"mended@example.com"')) FROM reverse_etl.rejected_rows
 WHERE "row" ->> 'email' = 'nobody';
SELECT reverse_etl.retry('hubspot.contacts', $$"row" ->> 'email' IS NOT NULL$$);
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT email, firstname FROM hubspot.contacts WHERE email = 'mended@example.com';
SELECT "row" FROM reverse_etl.rejected_rows;
TRUNCATE reverse_etl.rejected_rows;
-- A value that cannot be sent is known as such at once.
INSERT INTO hubspot.contacts (email, score) VALUES ('nan@example.com', 'NaN'), ('one@example.com', 1);
SELECT row_number, "row", reason FROM reverse_etl.rejected_rows;
-- Nor can it be sent when it is tried again.
SELECT reverse_etl.retry('hubspot.contacts');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT "row", reason FROM reverse_etl.rejected_rows;
TRUNCATE reverse_etl.rejected_rows;

-- Changes of one key that wait together become one, where the last leaves nothing of those before.
SELECT reverse_etl.pause('hubspot.contacts');
INSERT INTO hubspot.contacts (email, firstname) SELECT 'many@example.com', 'Change ' || n FROM generate_series(1, 100) AS n;
INSERT INTO hubspot.contacts (email, lastname) VALUES ('many@example.com', 'Other columns');
INSERT INTO hubspot.contacts (email, firstname) VALUES ('gone@example.com', 'Gone');
DELETE FROM hubspot.contacts WHERE email = 'gone@example.com';
SELECT count(*) FROM reverse_etl.outbox;
\! curl --silent --request POST "$SANDBOX_URL/_sandbox/reset?keep=data" > /dev/null
SELECT reverse_etl.resume('hubspot.contacts');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
\! curl --silent $SANDBOX_URL/_sandbox/stats | grep -o '"rows": *[0-9]*'
SELECT email, firstname, lastname FROM hubspot.contacts WHERE email IN ('many@example.com', 'gone@example.com');
-- Creates are none of these: each makes a row.
SELECT reverse_etl.pause('hubspot.companies');
INSERT INTO hubspot.companies (name) VALUES ('Acme'), ('Acme');
SELECT reverse_etl.resume('hubspot.companies');
CALL reverse_etl.wait('hubspot.companies', '30 s');
SELECT name FROM hubspot.companies ORDER BY 1;

-- A role sees the rows that it queued, and those alone.
CREATE ROLE regress_marketing;
CREATE ROLE regress_sales;
CREATE USER MAPPING FOR regress_marketing SERVER hubspot OPTIONS (access_token 'pat-marketing');
CREATE USER MAPPING FOR regress_sales SERVER hubspot OPTIONS (access_token 'pat-sales');
GRANT USAGE ON SCHEMA hubspot TO regress_marketing, regress_sales;
GRANT INSERT, SELECT ON hubspot.contacts TO regress_marketing, regress_sales;
SELECT reverse_etl.pause_server('hubspot');
SET ROLE regress_marketing;
INSERT INTO hubspot.contacts (email) VALUES ('marketing@example.com'), ('marketing');
SET ROLE regress_sales;
INSERT INTO hubspot.contacts (email) VALUES ('sales@example.com');
SELECT enqueued_by, "row" FROM reverse_etl.outbox;
INSERT INTO reverse_etl.outbox SELECT * FROM reverse_etl.outbox;
DELETE FROM reverse_etl.outbox;
SELECT reverse_etl.pause('hubspot.contacts');
SELECT reverse_etl.resume_server('hubspot');
SELECT reverse_etl.pause('hubspot.nothing');
SELECT reverse_etl.pause('pg_class');
SELECT reverse_etl.pause_server('unknown');
RESET ROLE;
SELECT enqueued_by, deliver_as, "row" FROM reverse_etl.outbox ORDER BY id;
-- What it may at the time of delivery counts.
REVOKE INSERT ON hubspot.contacts FROM regress_sales;
SELECT reverse_etl.resume_server('hubspot');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT rejected_by, "row", http_status, left(reason, 70) AS reason FROM reverse_etl.rejected_rows ORDER BY rejected_by;
SET ROLE regress_marketing;
SELECT rejected_by, "row" FROM reverse_etl.rejected_rows;
SELECT email FROM hubspot.contacts WHERE email IN ('marketing@example.com', 'sales@example.com') ORDER BY 1;
RESET ROLE;
TRUNCATE reverse_etl.rejected_rows;

-- Wrong credentials pause the destination for those who have them, until somebody changes them.
ALTER USER MAPPING FOR regress_marketing SERVER hubspot OPTIONS (SET access_token 'wrong');
SET ROLE regress_marketing;
INSERT INTO hubspot.contacts (email) VALUES ('late@example.com');
RESET ROLE;
CALL faults(1);
SELECT destination, state, waiting, last_error LIKE '%HTTP status 401%' AS says_why FROM reverse_etl.destinations
 WHERE destination = 'hubspot.contacts'::regclass;
SELECT destination, role, state, reason LIKE '%HTTP status 401%' AS says_why, failures, retry_at > now() AS tried_again
  FROM reverse_etl.destination_states;
INSERT INTO hubspot.contacts (email) VALUES ('mine@example.com');
CALL faults(1);
SELECT "row", attempts, array_length(reasons, 1) AS reasons FROM reverse_etl.outbox WHERE enqueued_by = 'regress_marketing'::regrole;
ALTER USER MAPPING FOR regress_marketing SERVER hubspot OPTIONS (SET access_token 'pat-marketing');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
CALL faults(0);
SELECT email FROM hubspot.contacts WHERE email IN ('late@example.com', 'mine@example.com') ORDER BY email;
-- None at all are the same.
DROP USER MAPPING FOR regress_marketing SERVER hubspot;
SET ROLE regress_marketing;
INSERT INTO hubspot.contacts (email) VALUES ('none@example.com');
RESET ROLE;
CALL faults(1);
SELECT destination, role, state, reason FROM reverse_etl.destination_states;
CREATE USER MAPPING FOR regress_marketing SERVER hubspot OPTIONS (access_token 'pat-marketing');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
CALL faults(0);

-- Rows that wait too long are rejected, and so are those whose destination or column is gone.
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (ADD outbox_ttl '1s');
SELECT reverse_etl.pause_server('hubspot');
INSERT INTO hubspot.contacts (email) VALUES ('old@example.com');
INSERT INTO hubspot.companies (name) VALUES ('Acme');
ALTER FOREIGN TABLE hubspot.companies DROP COLUMN name;
SELECT pg_sleep(1.5);
SELECT reverse_etl.resume_server('hubspot');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
CALL reverse_etl.wait('hubspot.companies', '30 s');
SELECT destination, key, "row", reason FROM reverse_etl.rejected_rows ORDER BY destination_name;
TRUNCATE reverse_etl.rejected_rows;
SELECT reverse_etl.pause_server('hubspot');
INSERT INTO hubspot.companies (domain) VALUES ('acme.example');
DROP FOREIGN TABLE hubspot.companies;
SELECT reverse_etl.resume_server('hubspot');
DO $$ BEGIN
    FOR i IN 1..1500 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM reverse_etl.outbox);
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
SELECT destination, destination_name, "row", reason FROM reverse_etl.rejected_rows;
SELECT DISTINCT destination, destination_name FROM reverse_etl.audit_log WHERE destination_name ~ 'companies';
TRUNCATE reverse_etl.rejected_rows;

-- A destination and its columns have other names: what waits is delivered under the new ones, and what was rejected before is
-- found by retry(). Rows that a parent renames, and two columns that change their names, are no different.
CREATE SERVER named FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url', delivery 'queued');
CREATE TABLE named (n integer, a text, b text, c text);
CREATE FOREIGN TABLE hubspot.named () INHERITS (named) SERVER named OPTIONS (path '/http/named', key 'n');
SELECT reverse_etl.pause('hubspot.named');
INSERT INTO hubspot.named VALUES (1, E'a "quoted" \\ one', 'b', 'dropped'), (2, 'a', NULL, NULL);
INSERT INTO hubspot.named (n, a) VALUES (3, 'a alone');
INSERT INTO reverse_etl.rejected_rows (destination, destination_name, operation, row_number, "row", reason, statement_at, rejected_by, role_id)
SELECT 'hubspot.named', 'hubspot.named', 'create', 1, kept, 'because', now(), current_user, quote_ident(current_user)::regrole
  FROM unnest(ARRAY['{"n": 4, "a": "was rejected"}', to_jsonb('{"n":5,"a":"kept as text"}'::text)]) AS kept;
ALTER TABLE named RENAME COLUMN a TO d;
ALTER TABLE named RENAME COLUMN b TO a;
ALTER TABLE named DROP COLUMN c;
BEGIN ISOLATION LEVEL REPEATABLE READ;
ALTER TABLE named RENAME COLUMN d TO e;
ROLLBACK;
SELECT n, o."row" FROM reverse_etl.outbox AS o, json_to_record("row") AS _ (n text) ORDER BY id;
SELECT "row" FROM reverse_etl.rejected_rows ORDER BY id;
ALTER FOREIGN TABLE hubspot.named RENAME TO "Named anew";
SELECT destination, destination_name FROM reverse_etl.rejected_rows ORDER BY id LIMIT 1;
SELECT DISTINCT destination, destination_name FROM reverse_etl.audit_log WHERE destination = 'hubspot."Named anew"'::regclass;
SET quote_all_identifiers = on;
BEGIN; INSERT INTO hubspot."Named anew" (n) VALUES (6); COMMIT;
RESET quote_all_identifiers;
SELECT DISTINCT destination_name FROM reverse_etl.audit_log WHERE destination = 'hubspot."Named anew"'::regclass ORDER BY 1;
SELECT reverse_etl.retry('hubspot."Named anew"');
SELECT reverse_etl.resume('hubspot."Named anew"');
CALL reverse_etl.wait('hubspot."Named anew"', '30 s');
SELECT destination, "row", reason FROM reverse_etl.rejected_rows ORDER BY id;
SELECT n, d, a FROM hubspot."Named anew" ORDER BY n;
DROP TABLE named CASCADE;
DROP SERVER named;
-- What was rejected stays when the table is dropped, and points to no other.
SELECT destination, destination_name FROM reverse_etl.rejected_rows;
SELECT DISTINCT destination, destination_name FROM reverse_etl.audit_log WHERE destination_name ~ '(?i)named' ORDER BY 2;
TRUNCATE reverse_etl.rejected_rows;

-- What may wait has a bound.
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (DROP outbox_ttl, ADD outbox_max_rows '2');
SELECT reverse_etl.pause_server('hubspot');
INSERT INTO hubspot.contacts (email) VALUES ('full1@example.com'), ('full2@example.com');
INSERT INTO hubspot.contacts (email) VALUES ('full3@example.com');
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (DROP outbox_max_rows, ADD outbox_max_bytes '100 bytes');
INSERT INTO hubspot.contacts (email, firstname) VALUES ('full4@example.com', repeat('x', 100));
SELECT waiting FROM reverse_etl.destinations WHERE destination = 'hubspot.contacts'::regclass;
SELECT reverse_etl.resume_server('hubspot');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
INSERT INTO hubspot.contacts (email) VALUES ('full3@example.com');
CALL reverse_etl.wait('hubspot.contacts', '30 s');
SELECT email FROM hubspot.contacts WHERE email LIKE 'full%' ORDER BY email;

-- No time is too long to wait, and none too short.
CALL reverse_etl.wait('hubspot.contacts', '178000000 years');
CALL reverse_etl.wait('hubspot.contacts', '-178000000 years');
SELECT reverse_etl.pause_server('hubspot');
INSERT INTO hubspot.contacts (email) VALUES ('late@example.com');
CALL reverse_etl.wait('hubspot.contacts', '-178000000 years');
SET statement_timeout = '100ms';
CALL reverse_etl.wait('hubspot.contacts', '178000000 years');
RESET statement_timeout;
SELECT reverse_etl.resume_server('hubspot');
CALL reverse_etl.wait('hubspot.contacts', '30 s');

-- A pause is of the server, whatever its name is; one that is made under its name later is another.
CREATE SERVER again FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE hubspot.again (name text) SERVER again OPTIONS (path '/http/again');
SELECT reverse_etl.pause_server('again');
ALTER SERVER again RENAME TO renamed;
CREATE SERVER again FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE hubspot.another (name text) SERVER again OPTIONS (path '/http/again');
SELECT server, destination, state FROM reverse_etl.destinations WHERE server IN ('again', 'renamed') ORDER BY server;
SELECT server_name FROM reverse_etl.pauses;
SELECT reverse_etl.resume_server('renamed');
SELECT reverse_etl.pause_server('again');
SET client_min_messages = error;
DROP SERVER again CASCADE;
CREATE SERVER again FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE hubspot.another (name text) SERVER again OPTIONS (path '/http/again');
SELECT server, destination, state FROM reverse_etl.destinations WHERE server = 'again';
SELECT count(*) FROM reverse_etl.pauses;
DROP SERVER again, renamed CASCADE;
RESET client_min_messages;

-- Options
ALTER SERVER hubspot OPTIONS (SET delivery 'later');
ALTER SERVER hubspot OPTIONS (ADD outbox_ttl 'never');
ALTER SERVER hubspot OPTIONS (ADD outbox_max_attempts '0');
ALTER SERVER hubspot OPTIONS (ADD outbox_max_bytes 'much');
ALTER SERVER hubspot OPTIONS (ADD outbox_max_rows '0');
ALTER SERVER hubspot OPTIONS (ADD outbox_ttl '2d', ADD outbox_max_attempts '3', ADD outbox_max_bytes '1GB', ADD outbox_max_rows '1000');

DROP PROCEDURE faults;
DROP SCHEMA hubspot CASCADE;
DROP SERVER hubspot CASCADE;
DROP ROLE regress_marketing, regress_sales;
