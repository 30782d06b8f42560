-- Any JSON endpoint, as an in-house API needs it.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'http', base_url :'sandbox_url', max_in_flight '1', headers '{"X-Tenant": "acme"}');
CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse OPTIONS (token 'secret');
CREATE FOREIGN TABLE leads (email text, name text, score integer, notes jsonb)
    SERVER inhouse OPTIONS (path '/http/leads', batch_size '2', key 'email', records '/items', query '{"paged": "1", "limit": "2", "cursor": "{cursor}"}', next '{"cursor": "/next"}');
-- An array of rows a request.
INSERT INTO leads VALUES ('ada@example.com', 'Ada "the first"', 1, '{"tags": ["a", null]}'),
                         ('grace@example.com', E'Grace\nHopper', NULL, NULL),
                         ('edsger@example.com', 'Edsger', 3, '[]');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"method":"[^"]*"\|"path":"[^"]*"\|"x-tenant":"[^"]*"\|"authorization":"[^"]*"\|"body":.*,"status"'
SELECT * FROM leads ORDER BY email;
SELECT name FROM leads WHERE email = 'ada@example.com';
UPDATE leads SET score = 10 WHERE email = 'ada@example.com';
DELETE FROM leads WHERE email = 'edsger@example.com';
DELETE FROM leads WHERE email = 'edsger@example.com';
SELECT email, score FROM leads ORDER BY email;

-- The endpoint answers a batch only as a whole: it is halved until the bad rows stand alone.
ALTER FOREIGN TABLE leads OPTIONS (SET batch_size '100');
INSERT INTO leads (email, name)
SELECT CASE WHEN n IN (17, 44) THEN 'bad' || n ELSE 'n' || n || '@example.com' END, 'N' || n FROM generate_series(1, 100) AS n;
SELECT row_number, "row", reason, http_status FROM reverse_etl.rejected_rows ORDER BY row_number;
TRUNCATE reverse_etl.rejected_rows;
SELECT count(*) FROM leads;

-- One object a request, and a body of one's own.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE FOREIGN TABLE events (name text, amount numeric)
    SERVER inhouse OPTIONS (path '/http/events', method 'PUT', body '{"$columns": "all"}');
INSERT INTO events VALUES ('bought', 12.50), ('returned', -12.50);
CREATE FOREIGN TABLE wrapped (name text, amount numeric)
    SERVER inhouse OPTIONS (path '/http/wrapped', body '{"source": "warehouse", "events": {"$rows": {"id": "w-{row_number}", "what": "{row.name}", "label": "{row.name}!", "data": {"$columns": "all"}}}}');
INSERT INTO wrapped VALUES ('bought', 12.50), ('ret"urned', NULL);
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"method":"[^"]*"\|"path":"[^"]*"\|"body":.*,"status"'
-- A body that needs a column which the statement does not give.
INSERT INTO wrapped (amount) VALUES (1);
ALTER FOREIGN TABLE wrapped OPTIONS (SET body '{"x": "{row.colour}"}');
INSERT INTO wrapped VALUES ('bought', 1);
ALTER FOREIGN TABLE wrapped OPTIONS (SET body '{"x": "{colour}"}');
INSERT INTO wrapped VALUES ('bought', 1);

-- What has no JSON form is refused row by row, and a row that is too large too.
INSERT INTO events VALUES ('fine', 1), ('infinite', 'Infinity'), ('not a number', 'NaN'), ('fine', 2), (repeat('x', 5000000), 3);
SELECT row_number, left("row" ->> 'name', 20) AS name, reason, http_status FROM reverse_etl.rejected_rows ORDER BY row_number;
TRUNCATE reverse_etl.rejected_rows;

-- What enters a URL is escaped.
CREATE FOREIGN TABLE items (id text, name text) SERVER inhouse OPTIONS (path '/http/items', key 'id');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
DELETE FROM items WHERE id = E'a/b?c=d&e#f%\r\nX-Evil: 1 ü';
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"\|x-evil'
DROP SERVER inhouse CASCADE;
