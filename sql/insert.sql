-- INSERT pushes rows; its tag counts those that the destination accepted.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-regress');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO hubspot;

INSERT INTO hubspot.contacts (email, firstname) VALUES ('ada@example.com', 'Ada'), ('grace@example.com', 'Grace');
-- The row with this key is there: it is updated.
INSERT INTO hubspot.contacts (email, lastname) VALUES ('ada@example.com', 'Lovelace');
SELECT email, firstname, lastname FROM hubspot.contacts ORDER BY email;

-- One bad row does not sink the rest.
INSERT INTO hubspot.contacts (email, firstname)
SELECT CASE WHEN n % 100 = 50 THEN 'nobody' || n ELSE 'c' || n || '@example.com' END, 'C' || n
  FROM generate_series(1, 250) AS n;
SELECT destination, operation, row_number, "row", http_status, rejected_by = current_user AS mine,
       left(reason, 70) AS reason
  FROM reverse_etl.rejected_rows ORDER BY id;
SELECT count(*) FROM hubspot.contacts;
TRUNCATE reverse_etl.rejected_rows;

-- Strict: the first rejected row ends the statement.
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (ADD on_reject 'error');
INSERT INTO hubspot.contacts (email) VALUES ('nobody');
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (DROP on_reject);

-- RETURNING shows the id that the destination gave.
INSERT INTO hubspot.contacts (email) VALUES ('linus@example.com') RETURNING id IS NOT NULL AS has_id, email;
INSERT INTO hubspot.contacts (email) VALUES ('nobody'), ('ken@example.com') RETURNING email;

-- The key must be given, and what the destination fills cannot be.
INSERT INTO hubspot.contacts (firstname) VALUES ('Nobody');
INSERT INTO hubspot.contacts (id, email) VALUES ('1', 'ada@example.com');
INSERT INTO hubspot.contacts (email) VALUES ('ada@example.com') ON CONFLICT DO NOTHING;

-- Companies have no key of their own: INSERT creates. A unique property may be named.
INSERT INTO hubspot.companies (name, numberofemployees, annualrevenue) VALUES ('Acme', 12, 1234567.89), ('Acme', 12, 0);
SELECT name, numberofemployees, annualrevenue FROM hubspot.companies;
ALTER FOREIGN TABLE hubspot.companies OPTIONS (ADD key 'domain');
INSERT INTO hubspot.companies (domain, name) VALUES ('acme.example', 'Acme 1'), ('umbrella.example', 'Umbrella');
INSERT INTO hubspot.companies (domain, name) VALUES ('acme.example', 'Acme 2');
SELECT domain, name FROM hubspot.companies WHERE domain IN ('acme.example', 'umbrella.example') ORDER BY 1;

-- NULL is left out, sent as null, or sent as what clears the field.
INSERT INTO hubspot.contacts (email, firstname) VALUES ('grace@example.com', NULL);
SELECT firstname FROM hubspot.contacts WHERE email = 'grace@example.com';
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (ADD null_as 'clear');
INSERT INTO hubspot.contacts (email, firstname) VALUES ('grace@example.com', NULL);
SELECT firstname FROM hubspot.contacts WHERE email = 'grace@example.com';
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (DROP null_as);

-- A property that the manifest does not list: a column of its name, or one that names its field.
ALTER FOREIGN TABLE hubspot.contacts ADD COLUMN score integer, ADD COLUMN vip boolean OPTIONS (field 'is_vip');
INSERT INTO hubspot.contacts (email, score, vip) VALUES ('grace@example.com', 7, true);
\! curl --silent "$SANDBOX_URL/_sandbox/requests?last=1" | grep -o '"properties.*}}]}"'
SELECT email, score, vip FROM hubspot.contacts WHERE email = 'grace@example.com';

-- Nothing to send: nothing is sent.
INSERT INTO hubspot.contacts (email) SELECT 'x@example.com' WHERE false;

-- COPY, a partition (queued, since a row of another may fail yet), triggers, a view with a check.
COPY hubspot.contacts (email, firstname) FROM stdin;
copy1@example.com	One
copy2	Two
copy3@example.com	\N
\.
CREATE TABLE people (email text, firstname text, region text) PARTITION BY LIST (region);
CREATE TABLE people_eu PARTITION OF people FOR VALUES IN ('eu');
CREATE FOREIGN TABLE people_us PARTITION OF people FOR VALUES IN ('us')
    SERVER hubspot OPTIONS (object 'contacts');
INSERT INTO people VALUES ('eu1@example.com', 'E', 'eu'), ('us1@example.com', 'U', 'us'), ('us2', 'U', 'us');
CALL reverse_etl.wait('people_us', '30 s');
SELECT email, firstname FROM people_eu;
SELECT email, firstname FROM hubspot.contacts WHERE email = 'us1@example.com';

CREATE FUNCTION upper_name() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.lastname := upper(NEW.firstname); RETURN NEW; END $$;
CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE '% %', TG_WHEN, NEW.email; RETURN NULL; END $$;
CREATE TRIGGER before_row BEFORE INSERT ON hubspot.contacts FOR EACH ROW EXECUTE FUNCTION upper_name();
CREATE TRIGGER after_row AFTER INSERT ON hubspot.contacts FOR EACH ROW EXECUTE FUNCTION say();
INSERT INTO hubspot.contacts (email, firstname) VALUES ('t1@example.com', 'Tee'), ('t2', 'Tee');
SELECT email, lastname FROM hubspot.contacts WHERE email = 't1@example.com';
DROP TRIGGER before_row ON hubspot.contacts;
DROP TRIGGER after_row ON hubspot.contacts;

CREATE VIEW examples AS SELECT email, firstname FROM hubspot.contacts WHERE email LIKE '%@example.com' WITH CHECK OPTION;
INSERT INTO examples VALUES ('v1@example.com', 'View');
INSERT INTO examples VALUES ('v2@example.org', 'View');

-- The count is true where it is asked for in other ways.
ALTER FOREIGN TABLE hubspot.contacts OPTIONS (ADD delivery 'immediate');
DO $$
DECLARE
    accepted bigint;
BEGIN
    INSERT INTO hubspot.contacts (email) VALUES ('d1@example.com'), ('d2'), ('d3@example.com');
    GET DIAGNOSTICS accepted = ROW_COUNT;
    RAISE NOTICE 'accepted: %', accepted;
END
$$;
WITH pushed AS (INSERT INTO hubspot.contacts (email) VALUES ('w1@example.com'), ('w2') RETURNING email)
SELECT count(*) FROM pushed;

DROP VIEW examples;
DROP TABLE people;
DROP SCHEMA hubspot CASCADE;
DROP SERVER hubspot CASCADE;
DROP FUNCTION upper_name, say;
