-- Secrets stand where the API wants them, and nowhere else; ids tell a repeated request and a repeated row.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null

SELECT reverse_etl.create_connector('parts', '{
    "manifest": 1,
    "name": "parts",
    "title": "Secrets in parts",
    "base_url": "https://parts.example",
    "credentials": { "project_key": { "description": "key of the project" } },
    "auth": { "kind": "parts", "headers": { "Authorization": "Key {project_key}" }, "query": { "token": "{project_key}" }, "body": { "api_key": "{project_key}" } },
    "operations": {
        "create": {
            "request": "POST /http/parts/{object}",
            "rows": 10,
            "idempotency_key": { "body": "/request" },
            "body": { "batch": { "$rows": { "insertId": "{entry.id}", "$columns": "all" } } }
        }
    },
    "objects": { "events": { "columns": { "name": "text" } } }
}');
CREATE SERVER parts FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'parts', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER parts OPTIONS (project_key 'very/s3cret');
CREATE FOREIGN TABLE events (name text) SERVER parts;

INSERT INTO events VALUES ('a'), ('b');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"\|"authorization":"[^"]*"\|"body":".*"status"' | sed 's/[0-9a-f]\{32\}/ID/g'

-- A preview stars them, wherever they stand.
SELECT regexp_replace(url, '^https?://[^/]+', '') AS path, headers ->> 'Authorization' AS header, regexp_replace(body, '[0-9a-f]{32}', 'ID', 'g') AS body
  FROM reverse_etl.preview($$INSERT INTO events VALUES ('p')$$);

-- A destination that repeats them tells them to nobody, nor does anything that shows requests.
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO events VALUES ('c');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"message\": \"{authorization} and very%2Fs3cret\"}", "answer_status": 422}' > /dev/null
INSERT INTO events VALUES ('c');
SELECT reason FROM reverse_etl.rejected_rows;

-- A row that waits holds none. Its ids are the same when it is sent again.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '[{"times": 1, "p_reset": 1, "reset_after_apply": true}]' > /dev/null
SELECT reverse_etl.pause_server('parts');
BEGIN;
INSERT INTO events VALUES ('d');
COMMIT;
SELECT count(*), count(*) FILTER (WHERE outbox::text LIKE '%s3cret%') AS with_a_secret FROM reverse_etl.outbox;
SELECT reverse_etl.resume_server('parts');
CALL reverse_etl.wait('events');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"body":".*"status":[0-9]*' | grep -o '[0-9a-f]\{32\}' | sort | uniq --count | sed 's/[0-9a-f]\{32\}/ID/'
SELECT count(*) FROM reverse_etl.outbox;

-- A client certificate and its key belong to the user mapping of any connector. What is refused is not repeated.
CREATE USER MAPPING FOR PUBLIC SERVER parts OPTIONS (client_certificate 'no-certificate');
CREATE USER MAPPING FOR PUBLIC SERVER parts OPTIONS (client_key '-----BEGIN PRIVATE KEY-----
s3cret
-----END PRIVATE KEY-----');
ALTER SERVER parts OPTIONS (ADD client_key 'x');
\set key `openssl genpkey -algorithm RSA 2>/dev/null`
\setenv CLIENT_KEY :key
\set certificate `echo "$CLIENT_KEY" | openssl req -x509 -new -key /dev/stdin -subj /CN=client`
\set other_key `openssl genpkey -algorithm RSA 2>/dev/null`
ALTER USER MAPPING FOR CURRENT_USER SERVER parts OPTIONS (ADD client_certificate :'certificate', ADD client_key :'other_key');
INSERT INTO events VALUES ('e');
ALTER USER MAPPING FOR CURRENT_USER SERVER parts OPTIONS (SET client_key :'key');
INSERT INTO events VALUES ('e');

-- A way out of the house is the superuser's to choose, and holds no password.
ALTER SERVER parts OPTIONS (ADD proxy 'http://user:s3cret@proxy.example.com:3128');
ALTER SERVER parts OPTIONS (ADD proxy 'proxy.example.com');
CREATE ROLE owner_of_parts;
GRANT USAGE ON FOREIGN DATA WRAPPER reverse_etl TO owner_of_parts;
ALTER SERVER parts OWNER TO owner_of_parts;
SET ROLE owner_of_parts;
ALTER SERVER parts OPTIONS (ADD proxy 'http://proxy.example.com:3128');
RESET ROLE;
ALTER SERVER parts OPTIONS (ADD proxy 'none');
INSERT INTO events VALUES ('f');
ALTER SERVER parts OPTIONS (SET proxy 'http://127.0.0.1:1', ADD max_attempts '1');
\set VERBOSITY sqlstate
INSERT INTO events VALUES ('g');
\set VERBOSITY default

DROP SERVER parts CASCADE;
DROP OWNED BY owner_of_parts;
DROP ROLE owner_of_parts;
TRUNCATE reverse_etl.rejected_rows;
SELECT reverse_etl.drop_connector('parts');
