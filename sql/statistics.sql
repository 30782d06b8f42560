-- What is counted of each destination, and what runs now.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER counted FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'http', base_url :'sandbox_url', max_in_flight '1');
CREATE USER MAPPING FOR PUBLIC SERVER counted;
CREATE FOREIGN TABLE people (email text, name text)
    SERVER counted OPTIONS (path '/http/people', key 'email', insert_as 'upsert', batch_size '10');
CREATE FOREIGN TABLE unused (email text) SERVER counted OPTIONS (path '/http/unused');

-- A destination is there from its first use on.
SELECT count(*) FROM reverse_etl.stat_destinations WHERE server = 'counted';
INSERT INTO people SELECT 'p' || n || '@example.com', 'Name ' || n FROM generate_series(1, 100) AS n;
\set sandbox `curl --silent $SANDBOX_URL/_sandbox/stats`
SELECT destination, server, rows_accepted, rows_rejected, rows_read, rows_coalesced, rows_waiting, bytes_waiting,
       requests, retries, throttled, connections_opened, connections_reused
  FROM reverse_etl.stat_destinations WHERE server = 'counted';
SELECT bytes_sent = (:'sandbox'::json ->> 'bytes')::bigint AS bytes_as_the_sandbox_counted,
       bytes_received > 0 AND bytes_received = bytes_received_uncompressed AS answers_are_not_compressed,
       0 < latency_p50_ms AND latency_p50_ms <= latency_p95_ms AND latency_p95_ms <= latency_p99_ms AS latency_is_known,
       stats_reset < last_accepted_at AND last_accepted_at <= clock_timestamp() AS times_are_right
  FROM reverse_etl.stat_destinations WHERE destination = 'people'::regclass;

-- Reads count too, in a read-only transaction as in any other, and no rollback takes them back.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"gzip": true}' > /dev/null
BEGIN READ ONLY;
SELECT count(*) FROM people;
ROLLBACK;
SELECT rows_read, requests, bytes_received < bytes_received_uncompressed AS answers_are_compressed
  FROM reverse_etl.stat_destinations WHERE destination = 'people'::regclass;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{}' > /dev/null

-- A new beginning. Rows that are refused, and requests that are repeated.
SELECT reverse_etl.stat_reset('people');
SELECT rows_accepted, rows_read, requests, bytes_sent, latency_p99_ms, last_accepted_at
  FROM reverse_etl.stat_destinations WHERE destination = 'people'::regclass;
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"p_429": 1, "times": 2, "retry_after": 0}' > /dev/null
INSERT INTO people VALUES ('ada@example.com', 'Ada'), ('bad', 'Nobody');
SELECT rows_accepted, rows_rejected, requests, retries, throttled
  FROM reverse_etl.stat_destinations WHERE destination = 'people'::regclass;
-- What a statement did before it failed is counted.
INSERT INTO people SELECT 'q' || n || '@example.com', CASE WHEN n = 90 THEN (1 / (n - 90))::text END FROM generate_series(1, 100) AS n;
SELECT rows_accepted, rows_rejected, requests
  FROM reverse_etl.stat_destinations WHERE destination = 'people'::regclass;
DELETE FROM reverse_etl.rejected_rows WHERE destination = 'public.people'::regclass;

-- Numbers are for who has a privilege on the table, and for monitoring roles.
CREATE ROLE regress_outsider;
CREATE ROLE regress_sender;
CREATE ROLE regress_monitor IN ROLE pg_read_all_stats;
GRANT INSERT (email) ON people TO regress_sender;
SET ROLE regress_outsider;
SELECT count(*) FROM reverse_etl.stat_destinations WHERE server = 'counted';
SELECT reverse_etl.stat_reset();
SET ROLE regress_sender;
SELECT destination, rows_accepted FROM reverse_etl.stat_destinations WHERE server = 'counted';
SET ROLE regress_monitor;
SELECT destination, rows_accepted FROM reverse_etl.stat_destinations WHERE server = 'counted';
RESET ROLE;

-- A push that runs sees itself.
SELECT count(*) FROM reverse_etl.activity;
INSERT INTO people
SELECT 'seen@example.com', (SELECT format('%s %s, as %s: %s rows', operation, destination, role = current_user, rows_seen)
                              FROM reverse_etl.activity WHERE pid = pg_backend_pid());
SELECT name FROM people WHERE email = 'seen@example.com';
SELECT count(*) FROM reverse_etl.activity;

-- What is dropped is gone.
DROP SERVER counted CASCADE;
SELECT count(*) FROM reverse_etl.stat_destinations WHERE server = 'counted';
DROP ROLE regress_outsider, regress_sender, regress_monitor;
