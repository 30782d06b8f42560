-- What answers say, and what they do not: odd values, no records, pages, the destination's own words, and secrets.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER answers FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url', max_attempts '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER answers OPTIONS (username 'the-user', password 'pass/word 1"');
CREATE FOREIGN TABLE odd (id text, n numeric, d double precision, t text, j jsonb, b bytea, "a/b~c" integer)
    SERVER answers OPTIONS (path '/http/odd', key 'id', records '/items');

-- One odd value decides about itself alone, and numbers keep their digits.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"items\": [{\"id\": \"1\", \"n\": 123456789012345678901234567890.10, \"t\": \"half \\ud83d\", \"j\": {\"x\": 1.10, \"y\": 12345678901234567890123}}, {\"id\": \"2\", \"n\": NaN, \"d\": 0.1, \"t\": \"nul \\u0000\", \"j\": \"\\u0000\"}, {\"id\": \"3\", \"a/b~c\": 7, \"b\": \"AAH/\"}]}"}' > /dev/null
SELECT id, n, d, regexp_replace(t, '[^ -~]+$', '?') AS t, regexp_replace(j::text, '[^ -~]+', '?') AS j, b, "a/b~c" FROM odd;

-- No records are no error, and a pointer that is wrong is one.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "", "answer_status": 204}' > /dev/null
SELECT count(*) FROM odd;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"total\": 0}"}' > /dev/null
SELECT count(*) FROM odd;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"rows\": [{\"id\": 1}]}"}' > /dev/null
\set VERBOSITY sqlstate
SELECT count(*) FROM odd;
\set VERBOSITY default

-- A page of a login is no success.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "<!doctype html><html><title>Acme</title><p>Please log in</p></html>", "answer_type": "text/html"}' > /dev/null
INSERT INTO odd (id, t) VALUES ('1', 'x');
SELECT reason FROM reverse_etl.rejected_rows;
TRUNCATE reverse_etl.rejected_rows;

-- Without a reason that fits, the body is what the destination says; control characters are seen.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '[{"times": 1, "answer": "{\"errors\": [{\"field\": \"t\", \"why\": \"too long\"}]}", "answer_status": 422}, {"times": 1, "answer": "no\u0000\u001b[31m\n  such   tenant", "answer_status": 400, "answer_type": "text/plain"}]' > /dev/null
ALTER FOREIGN TABLE odd OPTIONS (ADD batch_size '1', ADD max_in_flight '1');
INSERT INTO odd (id) VALUES ('1'), ('2');
SELECT reason, http_status FROM reverse_etl.rejected_rows ORDER BY row_number;
TRUNCATE reverse_etl.rejected_rows;

-- A destination that repeats what it was sent tells nobody the credentials.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '[{"times": 1, "answer": "{\"error\": \"you said {authorization}, so pass%2Fword+1%22 is wrong, the-user\"}", "answer_status": 422}]' > /dev/null
INSERT INTO odd (id) VALUES ('1');
SELECT reason FROM reverse_etl.rejected_rows;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"items\": [{\"n\": \"{authorization}\"}]}"}' > /dev/null
SELECT n FROM odd;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{}' > /dev/null
TRUNCATE reverse_etl.rejected_rows;

-- Pages by offset and by number, and a key behind which a query stands.
CREATE FOREIGN TABLE paged (email text, n integer) SERVER answers
    OPTIONS (path '/http/paged', key 'email', next '{"offset": 0}', query '{"limit": "2", "offset": "{cursor}"}');
INSERT INTO paged SELECT n || '@x', n FROM generate_series(1, 5) AS n;
SELECT count(*), sum(n) FROM paged;
UPDATE paged SET n = 10 WHERE email = '1@x';
ALTER FOREIGN TABLE paged OPTIONS (SET path '/http/paged/?tenant=1');
UPDATE paged SET n = 20 WHERE email = '2@x';
ALTER FOREIGN TABLE paged OPTIONS (SET path '/http/paged');
SELECT sum(n) FROM paged;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"method":"P[^"]*","path":"/http/paged[^"]*"'

-- What an option makes of the manifest is checked as the manifest is, and a request has to name its row.
ALTER FOREIGN TABLE paged OPTIONS (ADD item_path '/http/paged');
DELETE FROM paged WHERE email = '1@x';
ALTER SERVER answers OPTIONS (SET base_url 'https://api.example.com/x?y=1');
SELECT reverse_etl.create_connector('odd', '{"manifest": 1, "name": "odd", "title": "Odd", "base_url": "https://a.example",
    "options": {"how": {"on": "server", "default": "native", "description": "how values are written"}},
    "auth": {"kind": "none"}, "values": {"encode": "{how}"},
    "objects": {"things": {"operations": {"create": {"request": "POST /x", "body": {"$columns": "all"}}}}}}');
CREATE SERVER odd FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'odd', how 'sideways');
CREATE FOREIGN TABLE things (x text) SERVER odd;
INSERT INTO things VALUES ('1');
DROP SERVER odd CASCADE;
SELECT reverse_etl.drop_connector('odd');
SELECT reverse_etl.check_manifest('big', '{"manifest": 1, "name": "big", "title": "Big", "base_url": "https://a.example", "auth": {"kind": "none"},
    "options": {"a": {"on": "server", "default": "' || repeat('x', 50000) || '", "description": "-"}}, "objects": {"o": {}}, "headers": {'
    || (SELECT string_agg(format('"h%s": "{a}"', n), ',') FROM generate_series(1, 4000) AS n) || '}}');
DROP SERVER answers CASCADE;
