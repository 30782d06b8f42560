-- What bench/syncs measures: one model in the order of its key and with an index, one without either.
CREATE EXTENSION reverse_etl;
-- Takes what is removed a hundred at a time, as HubSpot's batch/archive does.
SELECT reverse_etl.create_connector('batches', '{ "manifest": 1, "name": "batches", "extends": "http", "title": "Batches",
    "operations": { "delete": { "request": "POST {path}/deleted", "rows": 100, "body": { "ids": { "$rows": "{key}" } },
                                "outcome": "status", "errors": null } } }');
CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'batches', base_url :'sandbox_url');
CREATE FOREIGN TABLE customers (
    id bigint, email text, firstname text, lastname text, city text, stage text, score integer, vip boolean,
    seen_at timestamptz
) SERVER endpoint OPTIONS (path '/http/customers', key 'id', insert_as 'upsert');

CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-bench');
CREATE FOREIGN TABLE contacts (
    nr bigint, email text, firstname text, lastname text, city text, stage text, score integer, vip boolean,
    seen_at timestamptz
) SERVER hubspot;

CREATE TABLE ordered AS
SELECT i::bigint AS id, 'c' || i || '@example.com' AS email, 'First ' || i % 1000 AS firstname,
       'Last ' || i % 5000 AS lastname, 'City ' || i % 300 AS city, 'lead' AS stage, i % 100 AS score,
       i % 10 = 0 AS vip, timestamptz '2026-01-01' + make_interval(secs => i) AS seen_at
  FROM generate_series(1, :rows) AS i;
ALTER TABLE ordered ADD PRIMARY KEY (id);
CREATE TABLE unordered AS SELECT * FROM ordered ORDER BY hashint8(id);

-- The ways that people write by hand: a copy of all that was sent, and a digest of each row.
CREATE TABLE copy AS SELECT * FROM ordered;
CREATE TABLE md5s AS SELECT id, md5(t::text) AS md5 FROM ordered AS t;
ALTER TABLE md5s ADD PRIMARY KEY (id);

CREATE TABLE measured (round integer, model text, what text, seconds double precision);
SELECT reverse_etl.create_sync('ordered', 'SELECT * FROM ordered', 'customers', '{id}', mode => 'mirror');
SELECT reverse_etl.create_sync('unordered', 'SELECT * FROM unordered', 'customers', '{id}', mode => 'mirror');
CALL reverse_etl.run_sync('ordered');
CALL reverse_etl.run_sync('unordered');
VACUUM ANALYZE;
CHECKPOINT;
