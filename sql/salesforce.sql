-- Salesforce: collections of 200, results by position, upsert by an external id.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER salesforce FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'salesforce', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER salesforce
    OPTIONS (client_id 'app', client_secret 'secret-1', refresh_token 'refresh-1');
CREATE SCHEMA salesforce;
IMPORT FOREIGN SCHEMA sobjects FROM SERVER salesforce INTO salesforce OPTIONS (discover 'false');

INSERT INTO salesforce.contact (email, firstname, lastname)
VALUES ('ada@example.com', 'Ada', 'Lovelace'), ('grace@example.com', 'Grace', 'Hopper'), ('nobody@example.com', 'No', NULL), ('broken', 'Bro', 'Ken');
SELECT row_number, operation, "row", reason, http_status FROM reverse_etl.rejected_rows ORDER BY row_number;
TRUNCATE reverse_etl.rejected_rows;
INSERT INTO salesforce.contact (lastname) SELECT 'L' || n FROM generate_series(1, 450) AS n;
-- One token, four requests.
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"' | sort | uniq --count | sed "s/^ *//"

SELECT firstname, lastname FROM salesforce.contact WHERE email = 'ada@example.com';
INSERT INTO salesforce.account (name, annualrevenue) VALUES ('Acme', 1000000) RETURNING length(id) AS id_length, name;
UPDATE salesforce.account SET industry = 'Energy' WHERE name = 'Acme';
SELECT name, industry, annualrevenue FROM salesforce.account;

-- An external id makes INSERT an upsert.
CREATE FOREIGN TABLE customers (id text OPTIONS (field 'Id'), customer_id text OPTIONS (field 'CustomerId__c'), lastname text)
    SERVER salesforce OPTIONS (object 'Contact', key 'CustomerId__c');
INSERT INTO customers (customer_id, lastname) VALUES ('42', 'Lovelace'), ('43', 'Hopper');
INSERT INTO customers (customer_id, lastname) VALUES ('42', 'King');
SELECT customer_id, lastname FROM customers WHERE customer_id IN ('42', '43', '44') ORDER BY 1;
-- Salesforce updates and deletes by its own id: the row is looked up.
UPDATE customers SET lastname = 'Byron' WHERE customer_id = '42';
DELETE FROM customers WHERE customer_id = '43';
SELECT customer_id, lastname FROM customers WHERE customer_id IN ('42', '43') ORDER BY 1;
-- The list goes over several pages.
\! curl --silent --request POST --data '{"salesforce_page_size": 200}' $SANDBOX_URL/_sandbox/settings > /dev/null
SELECT count(*) FROM salesforce.contact;

-- The token is refused: it is fetched anew, and no row is lost.
\! curl --silent --request POST --data '{}' $SANDBOX_URL/_sandbox/salesforce/expire > /dev/null
INSERT INTO salesforce.lead (lastname, company) VALUES ('Turing', 'Bletchley');
SELECT lastname, company FROM salesforce.lead;

-- Client credentials, and wrong ones.
ALTER USER MAPPING FOR CURRENT_USER SERVER salesforce OPTIONS (DROP refresh_token);
SELECT lastname FROM salesforce.lead;
ALTER USER MAPPING FOR CURRENT_USER SERVER salesforce OPTIONS (SET client_secret 'wrong');
DO $$ BEGIN PERFORM lastname FROM salesforce.lead; EXCEPTION WHEN invalid_authorization_specification THEN RAISE NOTICE 'the credentials are refused'; END $$;
DROP FOREIGN TABLE customers;
DROP SCHEMA salesforce CASCADE;
DROP SERVER salesforce CASCADE;
