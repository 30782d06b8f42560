-- A run, and the plan of one, tell in milliseconds where their time went: each part is made slow here, and is told to be.
\getenv sandbox_url SANDBOX_URL
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;

-- The query takes 0.2 seconds, a CHECK of each row that is sent 0.1, a request 0.3.
CREATE FUNCTION slow(seconds double precision) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(seconds); RETURN true; END $$;
CREATE TABLE people (email text PRIMARY KEY, firstname text);
INSERT INTO people VALUES ('ada@example.com', 'Ada');
ALTER FOREIGN TABLE hubspot.contacts ADD CHECK (slow(0.1));
SELECT reverse_etl.create_sync('timed', 'SELECT email, firstname FROM people WHERE slow(0.2)', 'hubspot.contacts', '{email}') > 0 AS made;
\! curl --silent --data '{"latency_ms":300}' $SANDBOX_URL/_sandbox/faults > /dev/null

-- Of a plan, the row "unchanged" tells. A row that is new is not looked up, but one that changed is.
SELECT operation, rows, reading_ms BETWEEN 200 AND 20000 AS reading, comparing_ms BETWEEN 100 AND 20000 AS comparing,
       requests_ms < 300 AS no_request
  FROM reverse_etl.plan_sync('timed') ORDER BY key IS NOT NULL, operation;
CALL reverse_etl.run_sync('timed');
UPDATE people SET firstname = 'Grace';
SELECT reading_ms >= 200 AS reading, comparing_ms >= 100 AS comparing, requests_ms >= 300 AS a_request
  FROM reverse_etl.plan_sync('timed') WHERE operation = 'unchanged';
SELECT reading_ms >= 200 AS reading, comparing_ms >= 100 AS comparing, requests_ms IS NULL AS may_not_ask
  FROM reverse_etl.plan_sync('timed', look_up => false) WHERE operation = 'unchanged';

-- A run that is waited for tells all of it. Where nothing is to be sent, no time goes there.
SELECT reading_ms BETWEEN 200 AND 20000 AS reading, comparing_ms BETWEEN 100 AND 20000 AS comparing, waiting_ms < 300 AS no_waiting,
       requests_ms BETWEEN 300 AND 20000 AS requests, writing_ms >= 0 AS writing,
       reading_ms + comparing_ms + waiting_ms + requests_ms + writing_ms
           <= extract(epoch FROM finished_at - started_at) * 1000 + 5 AS all_within_the_run
  FROM reverse_etl.runs ORDER BY id DESC LIMIT 1;
CALL reverse_etl.run_sync('timed');
CALL reverse_etl.run_sync('timed');
SELECT accepted, reading_ms >= 200 AS reading, comparing_ms < 100 AS nothing_compared, waiting_ms, requests_ms, writing_ms
  FROM reverse_etl.runs ORDER BY id DESC LIMIT 1;

-- Where the destination wants fewer requests, what is waited is told apart from the requests.
\! curl --silent --data '{"path":"/crm/","p_429":1,"times":3}' $SANDBOX_URL/_sandbox/faults > /dev/null
UPDATE people SET firstname = 'Katherine';
CALL reverse_etl.run_sync('timed');
SELECT accepted, waiting_ms BETWEEN 300 AND 20000 AS waiting, requests_ms < 300 AS requests FROM reverse_etl.runs ORDER BY id DESC LIMIT 1;

SELECT reverse_etl.drop_sync('timed') \g /dev/null
DROP SCHEMA hubspot CASCADE;
DROP SERVER hubspot CASCADE;
DROP TABLE people;
DROP FUNCTION slow;
