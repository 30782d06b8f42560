-- What bench/many_syncs measures: syncs of 1,000 rows each, all of which the destination has. Run with
-- psql --set=syncs=N --set=sandbox_url=URL.
CREATE EXTENSION IF NOT EXISTS reverse_etl;
CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
CREATE FOREIGN TABLE customers (id bigint, email text, name text, stage text)
    SERVER endpoint OPTIONS (path '/http/customers', key 'id', insert_as 'upsert');
SELECT format('CREATE TABLE model_%1$s AS SELECT i::bigint AS id, ''c'' || i || ''@example.com'' AS email, ''Name '' || i AS name, '
              '''lead'' AS stage FROM generate_series(1, 1000) AS i', n) FROM generate_series(1, :syncs) AS n \gexec
\o /dev/null
SELECT reverse_etl.create_sync('sync_' || n, 'SELECT * FROM model_' || n, 'customers', '{id}', mode => 'mirror')
  FROM generate_series(1, :syncs) AS n;
-- One that all others may follow.
CREATE TABLE model_0 AS TABLE model_1;
SELECT reverse_etl.create_sync('leader', 'SELECT * FROM model_0', 'customers', '{id}', mode => 'mirror');
\o
SELECT format('CALL reverse_etl.run_sync(%L)', name) FROM reverse_etl.syncs \gexec
VACUUM ANALYZE;
CHECKPOINT;
