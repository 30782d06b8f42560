-- What else can stand around a push: WITH, casts of one's own, statements within statements, a COPY to begin with.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\set VERBOSITY terse
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO hubspot;

COPY hubspot.contacts (email, firstname) FROM PROGRAM 'printf "ada@example.com,Ada\ngrace@example.com,Grace\n"' CSV;
COPY hubspot.contacts (email, firstname) FROM PROGRAM 'printf "ada@example.com,Ada\nnobody,Bob\n"' CSV;

-- Rows that nobody asks for are pushed all the same.
WITH pushed AS (INSERT INTO hubspot.contacts (email) VALUES ('linus@example.com'), ('nobody')) SELECT 'done' AS push;
WITH pushed AS (INSERT INTO hubspot.contacts (email) VALUES ('ken@example.com'), ('nobody'))
INSERT INTO hubspot.contacts (email) VALUES ('dennis@example.com'), ('nobody'), ('brian@example.com');
SELECT email FROM hubspot.contacts ORDER BY email;

-- A row that cannot be sent leaves no trace in those after it.
CREATE FOREIGN TABLE hubspot.scores (email text, score float8) SERVER hubspot OPTIONS (object 'contacts');
INSERT INTO hubspot.scores
SELECT 'c' || n || '@example.com', CASE WHEN n % 3 = 0 THEN 'NaN' ELSE sum(n)::float8 END
  FROM generate_series(1, 300) AS n GROUP BY n;
SELECT count(*), count(score) FROM hubspot.scores WHERE email LIKE 'c%';

-- A rejected row is kept as it was sent, whatever casts its types have.
CREATE ROLE regress_owner_of_types;
GRANT USAGE ON FOREIGN SERVER hubspot TO regress_owner_of_types;
CREATE SCHEMA of_types AUTHORIZATION regress_owner_of_types;
SET ROLE regress_owner_of_types;
CREATE TYPE of_types.mood AS ENUM ('fine');
CREATE FUNCTION of_types.to_json(of_types.mood) RETURNS json LANGUAGE sql AS 'SELECT to_json(current_user)';
CREATE CAST (of_types.mood AS json) WITH FUNCTION of_types.to_json(of_types.mood);
CREATE FOREIGN TABLE of_types.contacts (email text, mood of_types.mood) SERVER hubspot;
INSERT INTO of_types.contacts VALUES ('nobody', 'fine');
SELECT "row" FROM reverse_etl.rejected_rows;
RESET ROLE;

-- Nor does it matter what a json column holds.
TRUNCATE reverse_etl.rejected_rows;
CREATE FOREIGN TABLE hubspot.notes (email text, note json) SERVER hubspot OPTIONS (object 'contacts');
INSERT INTO hubspot.notes VALUES ('nobody', '{"a": "\u0000", "a": [1, "b"]}'), ('none', '"\u0000"');
SELECT "row" FROM reverse_etl.rejected_rows ORDER BY id;

-- What jsonb cannot hold is kept as the text that it is, and tried again as it was.
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER archive FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER archive;
CREATE FOREIGN TABLE documents (n integer, d json) SERVER archive OPTIONS (path '/http/documents');
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"answer": "{\"message\": \"no\"}", "answer_status": 422}' > /dev/null
INSERT INTO documents VALUES (1, '{"a": "x\u0000y"}'), (2, '{"\u0000": 1}'), (3, '{"a": "\ud83d"}'),
    (4, '{"a": 1e1000000}'), (5, '{"a": "\\u0000"}');
SELECT row_number, "row" FROM reverse_etl.rejected_rows ORDER BY row_number;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{}' > /dev/null
SELECT reverse_etl.retry('documents');
CALL reverse_etl.wait('documents', '30s');
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep '"path":"/http/documents"' | grep -v '"status":422' | grep -o '{\\"[^{]*{\\"[^}]*}[^}]*}' | sort --unique
DROP SERVER archive CASCADE;
TRUNCATE reverse_etl.rejected_rows;

-- Reading a value may run SQL, and that read another destination.
CREATE FUNCTION is_known(name text) RETURNS boolean LANGUAGE sql AS
    $$ SELECT count(*) > 0 FROM hubspot.contacts WHERE email = 'ada@example.com' $$;
CREATE DOMAIN known AS text CHECK (is_known(VALUE));
CREATE FOREIGN TABLE hubspot.known (email text, score known)
    SERVER hubspot OPTIONS (object 'contacts', batch_size '2', max_in_flight '4');
SET statement_timeout = '30s';
SELECT count(score) FROM hubspot.known
 WHERE email = ANY (ARRAY(SELECT 'c' || n || '@example.com' FROM generate_series(1, 40) AS n));
RESET statement_timeout;

-- A table that cannot be used is no reason to hide the others.
CREATE FOREIGN TABLE broken (email text) SERVER hubspot OPTIONS (object 'nothing');
SELECT table_name FROM information_schema.tables WHERE table_name = 'broken' AND is_insertable_into = 'YES';
INSERT INTO broken VALUES ('ada@example.com');

\set VERBOSITY default
SET client_min_messages = warning;
TRUNCATE reverse_etl.rejected_rows;
DROP SERVER hubspot CASCADE;
DROP SCHEMA hubspot, of_types CASCADE;
DROP DOMAIN known;
DROP FUNCTION is_known(text);
DROP ROLE regress_owner_of_types;
