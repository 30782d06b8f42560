SELECT reverse_etl.create_sync('vips', destination => 'hubspot.contacts', key => '{email}', mode => 'mirror',
           query => 'SELECT email, first_name AS firstname FROM customers WHERE vip');
CALL reverse_etl.run_sync('vips');

\echo '\n-- One customer gets another name, one becomes a VIP, one is none any more:\n'
UPDATE customers SET first_name = 'Augusta' WHERE id = 1;
UPDATE customers SET vip = true WHERE id = 2;
UPDATE customers SET vip = false WHERE id = 21;
SELECT operation, key ->> 'email' AS email, old ->> 'firstname' AS old, new ->> 'firstname' AS new
  FROM reverse_etl.plan_sync('vips') WHERE key IS NOT NULL;
CALL reverse_etl.run_sync('vips');
SELECT id, status, queried, added, changed, removed, unchanged, invalid, accepted, rejected FROM reverse_etl.runs ORDER BY id;
