EXPLAIN (VERBOSE) INSERT INTO hubspot.contacts (email, firstname) SELECT email, first_name FROM customers;
INSERT INTO hubspot.contacts (email, firstname) SELECT email, first_name FROM customers;
SELECT data ->> 'email' AS email, reason FROM reverse_etl.rejected_rows;

UPDATE hubspot.contacts SET lifecyclestage = 'customer' WHERE email = 'ada@example.com';
SELECT id, email, firstname, lifecyclestage FROM hubspot.contacts WHERE email = 'ada@example.com';
DELETE FROM hubspot.contacts WHERE email = 'ada@example.com';
SELECT id, email, firstname, lifecyclestage FROM hubspot.contacts WHERE email = 'ada@example.com';
