-- What is measured: contacts of nine columns, and a foreign table for each of two destinations. Run with
-- psql --set=rows=N --set=some_rows=N --set=sandbox_url=URL.
CREATE EXTENSION reverse_etl;
-- Postgres compiles what looks expensive, which these statements do by their rows: LLVM's memory would
-- count as the extension's.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END $$;

CREATE TABLE contacts (
    email text NOT NULL,
    firstname text NOT NULL,
    lastname text NOT NULL,
    phone text NOT NULL,
    city text NOT NULL,
    score integer NOT NULL,
    amount numeric NOT NULL,
    subscribed boolean NOT NULL,
    signed_up timestamptz NOT NULL
);

INSERT INTO contacts
SELECT lower(firstname || '.' || lastname) || n || '@' || company || '.example.com', firstname, lastname,
       '+49 30 ' || 1000000 + n * 7919::bigint % 9000000, city, n % 101, (n * 7.13) % 100000, n % 3 <> 0,
       timestamptz '2015-01-01 00:00:00.123456 UTC' + n * interval '317 seconds'
  FROM generate_series(1, :rows) AS n,
       LATERAL (SELECT
           ('{Ada,Grace,Alan,Edsger,Barbara,Margaret,Donald,Frances,Konrad,Katherine}'::text[])[1 + n % 10] AS firstname,
           ('{Lovelace,Hopper,Turing,Dijkstra,Liskov,Hamilton,Knuth,Allen,Zuse,Johnson,Ritchie}'::text[])[1 + n % 11]
               AS lastname,
           ('{acme,globex,initech,umbrella,hooli,stark-industries,wayne}'::text[])[1 + n % 7] AS company,
           ('{Berlin,London,"New York",Paris,"São Paulo",Tokyo,"Frankfurt am Main",Kraków,Oslo}'::text[])[1 + n % 9]
               AS city) AS words;
VACUUM (ANALYZE, FREEZE) contacts;

CREATE SERVER http FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'http', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR PUBLIC SERVER http;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'hubspot', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-bench');

CREATE FOREIGN TABLE to_http (email text, firstname text, lastname text, phone text, city text, score integer,
    amount numeric, subscribed boolean, signed_up timestamptz)
    SERVER http OPTIONS (path '/http/contacts', batch_size '100');
CREATE FOREIGN TABLE to_hubspot (email text, firstname text, lastname text, phone text, city text, score integer,
    amount numeric, subscribed boolean, signed_up timestamptz)
    SERVER hubspot OPTIONS (object 'contacts', insert_as 'upsert');

-- The bodies that the extension sends for these rows, for the program that replays them.
CREATE VIEW bodies_http AS
SELECT n / 100 AS batch, '[' || string_agg(row_to_json(c)::text, ',' ORDER BY n) || ']' AS body
  FROM (SELECT row_number() OVER () - 1 AS n, contacts AS c FROM contacts) AS numbered
 GROUP BY n / 100;

CREATE VIEW bodies_hubspot AS
SELECT n / 100 AS batch, '{"inputs":[' || string_agg(row_to_json(input)::text, ',' ORDER BY n) || ']}' AS body
  FROM (SELECT row_number() OVER () - 1 AS n, contacts.* FROM contacts) AS c,
       LATERAL (SELECT email, firstname, lastname, phone, city, score::text, amount::text, subscribed::text,
                       to_json(signed_up) #>> '{}' AS signed_up) AS properties,
       LATERAL (SELECT c.email AS id, 'email' AS "idProperty", (n + 1)::text AS "objectWriteTraceId", properties) AS input
 GROUP BY n / 100;

-- A part of them, for a server that takes its time.
CREATE TABLE some_contacts AS TABLE contacts LIMIT :some_rows;
VACUUM (ANALYZE, FREEZE) some_contacts;

CREATE TABLE measured (latency_ms integer, round integer, what text, seconds double precision);
CREATE TABLE memory (destination text, anonymous_kb bigint, resident_kb bigint, contexts_kb bigint);

-- Called on a statement's last row: notes what the backend's memory contexts hold while the statement runs.
CREATE FUNCTION note_contexts() RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT set_config('bench.contexts_kb', (sum(total_bytes) / 1024)::bigint::text, false) IS NOT NULL
      FROM pg_backend_memory_contexts
$$;
