-- EXPLAIN says what would be sent, and never connects.
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url 'http://127.0.0.1:1');
CREATE SERVER slack FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'slack', base_url 'http://127.0.0.1:1');
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO crm;
IMPORT FOREIGN SCHEMA workspace FROM SERVER slack INTO crm;
EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO crm.contacts (email, firstname) VALUES ('ada@example.com', 'Ada');
-- 500,000 rows are 5,000 requests, which the published limits stretch.
CREATE TABLE customers (email text);
INSERT INTO customers SELECT 'c' || n || '@example.com' FROM generate_series(1, 50000) AS n;
ANALYZE customers;
EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO crm.contacts (email) SELECT c.email FROM customers AS c, generate_series(1, 10) AS n;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE crm.contacts SET city = 'Paris' WHERE id = '512';
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM crm.contacts WHERE email = 'ada@example.com';
EXPLAIN (VERBOSE, COSTS OFF) SELECT email FROM crm.contacts WHERE city = 'Paris';
EXPLAIN (VERBOSE, COSTS OFF) INSERT INTO crm.messages (channel, text) SELECT 'C1', email FROM customers;
EXPLAIN (COSTS OFF) SELECT * FROM crm.messages;
DROP TABLE customers;
DROP SCHEMA crm CASCADE;
DROP SERVER hubspot, slack CASCADE;
