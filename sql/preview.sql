-- reverse_etl.preview: what a statement would send, and nothing leaves.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER preview_hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER preview_hubspot OPTIONS (access_token 'pat-preview-secret');
CREATE SCHEMA preview;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts, companies) FROM SERVER preview_hubspot INTO preview OPTIONS (discover 'false');
CREATE TABLE preview.customers (email text, name text, seen boolean DEFAULT false);
INSERT INTO preview.customers VALUES ('ada@example.com', 'Ada'), ('grace@example.com', NULL), ('pat-preview-secret', 'x');

-- Requests as they would be, but for the host, which is another in each run
CREATE FUNCTION preview.of(statement text, OUT operation text, OUT method text, OUT path text, OUT body text, OUT rows bigint[], OUT refusal text)
RETURNS SETOF record LANGUAGE sql AS $$
SELECT operation, method, regexp_replace(url, '^https?://[^/]+', ''), body, rows, refusal FROM reverse_etl.preview(statement)
$$;
SELECT * FROM preview.of('INSERT INTO preview.contacts (email, firstname) SELECT email, name FROM preview.customers LIMIT 2');
SELECT headers FROM reverse_etl.preview('INSERT INTO preview.contacts (email) VALUES (''ada@example.com'')');
-- A secret that a row holds is one as well.
SELECT body FROM preview.of('INSERT INTO preview.contacts (email) SELECT email FROM preview.customers WHERE name = ''x''');
-- Batches of a table's size, and rows that would be refused
ALTER FOREIGN TABLE preview.contacts OPTIONS (ADD batch_size '2');
SELECT operation, rows, refusal FROM preview.of('INSERT INTO preview.contacts (email) SELECT x FROM unnest(''{a,b,NULL,c,d}''::text[]) AS x');
-- UPDATE, DELETE, SELECT: what they read is shown, and finds nothing
SELECT * FROM preview.of('UPDATE preview.contacts SET firstname = NULL, lastname = ''L'' WHERE id IN (''1'', ''2'')');
SELECT * FROM preview.of('DELETE FROM preview.contacts WHERE id = ''7''');
SELECT * FROM preview.of('DELETE FROM preview.contacts WHERE email = ''ada@example.com''');
SELECT * FROM preview.of('SELECT email FROM preview.contacts');
SELECT * FROM preview.of('WITH made AS (INSERT INTO preview.companies (name) VALUES (''Acme'') RETURNING id) INSERT INTO preview.contacts (email) SELECT ''a@b.c'' FROM made');
SELECT * FROM preview.of('INSERT INTO preview.contacts (email) SELECT email FROM preview.customers WHERE false');

-- Nothing was sent, queued, put on record or counted, and what else the statement did is taken back.
SELECT * FROM preview.of('WITH seen AS (UPDATE preview.customers SET seen = true RETURNING email)
    INSERT INTO preview.contacts (email) SELECT min(email) FROM seen');
SELECT count(*) FROM preview.customers WHERE seen;
BEGIN;
SELECT rows FROM preview.of('INSERT INTO preview.contacts (email) VALUES (''in a block'')');
ALTER FOREIGN TABLE preview.contacts OPTIONS (ADD delivery 'queued');
SELECT rows FROM preview.of('INSERT INTO preview.contacts (email) VALUES (''queued'')');
COMMIT;
ALTER FOREIGN TABLE preview.contacts OPTIONS (DROP delivery, ADD on_reject 'error');
SELECT operation, rows, refusal FROM preview.of('INSERT INTO preview.contacts (email) VALUES (NULL)');
SELECT count(*) FROM reverse_etl.outbox;
SELECT count(*) FROM reverse_etl.audit_log WHERE destination = 'preview.contacts'::regclass;
SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'preview.contacts'::regclass;
SELECT COALESCE(sum(requests), 0) AS requests, COALESCE(sum(rows_accepted), 0) AS accepted FROM reverse_etl.stat_destinations WHERE destination = 'preview.contacts'::regclass;
SELECT count(*) FROM reverse_etl.activity;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | wc -l

-- A token is not fetched: nobody is at the address.
CREATE SERVER preview_nowhere FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url 'http://127.0.0.1:1');
CREATE USER MAPPING FOR CURRENT_USER SERVER preview_nowhere OPTIONS (client_id 'i-1234', client_secret 's-1234', refresh_token 'r-1234');
CREATE FOREIGN TABLE preview.elsewhere (email text) SERVER preview_nowhere OPTIONS (object 'contacts');
SELECT url, headers ->> 'Authorization' AS authorization, rows FROM reverse_etl.preview('INSERT INTO preview.elsewhere VALUES (''a@b.c'')');

-- What is no statement about a destination
SELECT * FROM preview.of('SELECT 1');
SELECT * FROM preview.of('');
SELECT * FROM preview.of('INSERT INTO preview.contacts (email) VALUES (''a''); DELETE FROM preview.contacts');
SELECT * FROM preview.of('COMMIT');
SELECT * FROM preview.of('DROP TABLE preview.customers');
SELECT * FROM preview.of('INSERT INTO preview.contacts (emial) VALUES (''a'')');
SELECT * FROM preview.of('INSERT INTO preview.contacts (email) SELECT ''a'' || i FROM generate_series(1, 3000) AS i');
SELECT reverse_etl.preview(NULL);
-- After an error statements do again what they say.
ALTER FOREIGN TABLE preview.contacts OPTIONS (DROP on_reject);
INSERT INTO preview.contacts (email) VALUES ('sent@example.com');

-- With the caller's own rights, and mapping
CREATE ROLE regress_previewer;
GRANT USAGE ON SCHEMA preview TO regress_previewer;
SET ROLE regress_previewer;
SELECT reverse_etl.preview('INSERT INTO preview.contacts (email) VALUES (''a@b.c'')');
RESET ROLE;
GRANT INSERT ON preview.contacts TO regress_previewer;
SET ROLE regress_previewer;
SELECT reverse_etl.preview('INSERT INTO preview.contacts (email) VALUES (''a@b.c'')');
RESET ROLE;
-- A view's owner signs: its secrets are no more to be seen.
CREATE VIEW preview.inbox AS SELECT email FROM preview.contacts;
GRANT INSERT ON preview.inbox TO regress_previewer;
SET ROLE regress_previewer;
SELECT headers ->> 'Authorization' AS authorization, body FROM reverse_etl.preview('INSERT INTO preview.inbox VALUES (''PAT-PREVIEW-SECRET'')');
RESET ROLE;

DROP SCHEMA preview CASCADE;
DROP SERVER preview_hubspot CASCADE;
DROP SERVER preview_nowhere CASCADE;
DROP ROLE regress_previewer;
