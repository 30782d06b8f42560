-- Rows that were sent cannot be rolled back, so a transaction block refuses immediate delivery.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE leads (email text) SERVER inhouse OPTIONS (path '/http/leads');
INSERT INTO leads VALUES ('alone@example.com');
BEGIN;
INSERT INTO leads VALUES ('block@example.com');
ROLLBACK;
INSERT INTO leads VALUES ('one@example.com')\; INSERT INTO leads VALUES ('two@example.com');
DO $$ BEGIN
    INSERT INTO leads VALUES ('caught@example.com');
EXCEPTION WHEN active_sql_transaction THEN
    RAISE NOTICE 'refused: a block with EXCEPTION may be rolled back';
END $$;
DO $$ BEGIN INSERT INTO leads VALUES ('do@example.com'); END $$;
-- Reading is welcome, and so is EXPLAIN.
BEGIN;
SELECT count(*) FROM leads;
EXPLAIN (COSTS OFF) INSERT INTO leads VALUES ('explained@example.com');
COMMIT;
-- Whoever knows better may say so.
BEGIN;
SET LOCAL reverse_etl.allow_immediate_in_transaction = on;
INSERT INTO leads VALUES ('knowing@example.com');
ROLLBACK;
SELECT email FROM leads ORDER BY email;
DROP SERVER inhouse CASCADE;
