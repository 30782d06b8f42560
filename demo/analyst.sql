INSERT INTO hubspot.contacts (email, firstname) SELECT email, first_name FROM customers;
SELECT "row" ->> 'email' AS email, http_status, reason FROM reverse_etl.rejected_rows;

\echo '\n-- HubSpot allows 100 requests in 10 seconds, and the customers took them all: the next one waits its turn.\n'
UPDATE hubspot.contacts SET lifecyclestage = 'customer' WHERE email = 'ada@example.com';
SELECT id, email, firstname, lifecyclestage FROM hubspot.contacts WHERE email = 'ada@example.com';
DELETE FROM hubspot.contacts WHERE email = 'ada@example.com';
SELECT id, email, firstname, lifecyclestage FROM hubspot.contacts WHERE email = 'ada@example.com';

\echo '\n-- What would be sent, and how fast; nothing is:\n'
EXPLAIN (VERBOSE) INSERT INTO hubspot.contacts (email, firstname) SELECT email, first_name FROM customers;
