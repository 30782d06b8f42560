-- A row leaves when it can no longer be rolled back: the option "delivery".
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE FOREIGN TABLE leads (email text) SERVER inhouse OPTIONS (path '/http/leads');

-- auto, a statement on its own: at once, and the tag is the outcome.
INSERT INTO leads VALUES ('alone@example.com');
SELECT email FROM leads;

-- auto, in a transaction block: queued, which one NOTICE says, and gone at COMMIT.
BEGIN;
INSERT INTO leads VALUES ('block1@example.com');
INSERT INTO leads VALUES ('block2@example.com'), ('block3@example.com');
SELECT destination, operation, "row" FROM reverse_etl.outbox ORDER BY id;
SELECT email FROM leads;
COMMIT;
CALL reverse_etl.wait('leads', '30 s');
SELECT email FROM leads ORDER BY email;

-- A rollback takes rows back, also one to a savepoint.
BEGIN;
INSERT INTO leads VALUES ('rolled-back@example.com');
ROLLBACK;
BEGIN;
INSERT INTO leads VALUES ('savepoint1@example.com');
SAVEPOINT s;
INSERT INTO leads VALUES ('rolled-back@example.com');
ROLLBACK TO SAVEPOINT s;
INSERT INTO leads VALUES ('savepoint2@example.com');
COMMIT;
BEGIN;
INSERT INTO leads VALUES ('rolled-back@example.com');
SELECT 1 / 0;
COMMIT;
CALL reverse_etl.wait('leads', '30 s');
SELECT email FROM leads WHERE email LIKE 'savepoint%' OR email LIKE 'rolled%' ORDER BY email;

-- Statements that are sent together are one transaction.
INSERT INTO leads VALUES ('one@example.com')\; INSERT INTO leads VALUES ('two@example.com');

-- What follows a statement in a function, a DO block or a trigger may fail, and take it back.
DO $$ BEGIN INSERT INTO leads VALUES ('do@example.com'); END $$;
DO $$ BEGIN
    INSERT INTO leads VALUES ('caught@example.com');
    RAISE EXCEPTION 'no';
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'what was queued in this block is gone';
END $$;
CREATE FUNCTION add_lead(email text) RETURNS void LANGUAGE sql AS 'INSERT INTO leads VALUES (email)';
SELECT add_lead('function@example.com');
CREATE PROCEDURE add_leads() LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO leads VALUES ('procedure1@example.com');
    COMMIT;
    INSERT INTO leads VALUES ('procedure2@example.com');
    ROLLBACK;
END $$;
CALL add_leads();
CREATE TABLE signups (email text);
CREATE FUNCTION push_signup() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO leads VALUES (NEW.email); RETURN NULL; END $$;
CREATE TRIGGER push AFTER INSERT ON signups FOR EACH ROW EXECUTE FUNCTION push_signup();
INSERT INTO signups VALUES ('trigger1@example.com'), ('trigger2@example.com');
CALL reverse_etl.wait('leads', '30 s');
SELECT email FROM leads WHERE email !~ '^(alone|block|savepoint)' ORDER BY email;

-- Statements of their own are also these.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
PREPARE add AS INSERT INTO leads VALUES ($1);
EXECUTE add('execute@example.com');
WITH pushed AS (INSERT INTO leads VALUES ('with@example.com') RETURNING email) SELECT * FROM pushed;
COPY leads FROM stdin;
copy@example.com
\.
SELECT email FROM leads ORDER BY email;
-- EXPLAIN is around what it runs. (Its rows are written as 1 or as 1.00, as the Postgres is.)
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) INSERT INTO leads VALUES ('analyze@example.com') \g /dev/null
CALL reverse_etl.wait('leads', '30 s');
SELECT email FROM leads WHERE email LIKE 'analyze%';

-- Reading is as ever in a block, and so is EXPLAIN.
BEGIN;
SELECT count(*) FROM leads;
EXPLAIN (COSTS OFF) INSERT INTO leads VALUES ('explained@example.com');
COMMIT;

-- queued: always, and so without a NOTICE.
ALTER SERVER inhouse OPTIONS (ADD delivery 'queued');
INSERT INTO leads VALUES ('queued1@example.com');
COPY leads FROM stdin;
queued2@example.com
\.
BEGIN;
INSERT INTO leads VALUES ('queued3@example.com') RETURNING email;
COMMIT;
CALL reverse_etl.wait('leads', '30 s');
SELECT email FROM leads WHERE email LIKE 'queued%' ORDER BY email;

-- immediate: never. A block is refused, and what runs within another statement is not.
ALTER FOREIGN TABLE leads OPTIONS (ADD delivery 'immediate');
BEGIN;
INSERT INTO leads VALUES ('block@example.com');
ROLLBACK;
INSERT INTO leads VALUES ('one@example.com')\; INSERT INTO leads VALUES ('two@example.com');
DO $$ BEGIN
    INSERT INTO leads VALUES ('immediate-do@example.com');
    RAISE EXCEPTION 'too late';
END $$;
-- Whoever knows better may say so.
BEGIN;
SET LOCAL reverse_etl.allow_immediate_in_transaction = on;
INSERT INTO leads VALUES ('immediate-block@example.com');
ROLLBACK;
SELECT email FROM leads WHERE email LIKE 'immediate%' ORDER BY email;

DROP TABLE signups;
DROP FUNCTION push_signup, add_lead;
DROP PROCEDURE add_leads;
DROP SERVER inhouse CASCADE;
