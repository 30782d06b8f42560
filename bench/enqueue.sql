-- What bench/enqueue measures: the same contacts in a table without triggers, in one with a trigger as one would write it
-- by hand, and in one that is streamed. Run with psql --set=rows=N.
CREATE EXTENSION reverse_etl;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END $$;

CREATE TABLE contacts (
    id integer PRIMARY KEY,
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
SELECT n, 'ada.lovelace' || n || '@acme.example.com', 'Ada', 'Lovelace', '+49 30 ' || 1000000 + n * 7919::bigint % 9000000,
       'Frankfurt am Main', n % 101, (n * 7.13) % 100000, n % 3 <> 0,
       timestamptz '2015-01-01 00:00:00.123456 UTC' + n * interval '317 seconds'
  FROM generate_series(1, :rows) AS n;
VACUUM (ANALYZE, FREEZE) contacts;
CREATE TABLE plain (LIKE contacts INCLUDING ALL);
CREATE TABLE by_hand (LIKE contacts INCLUDING ALL);
CREATE TABLE streamed (LIKE contacts INCLUDING ALL);

CREATE TABLE queue_by_hand (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queued_at timestamptz NOT NULL DEFAULT now(),
    "row" jsonb NOT NULL
);
CREATE FUNCTION queue_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queue_by_hand ("row")
    SELECT to_jsonb(mapped) FROM (SELECT email, firstname, lastname, phone, city, score, amount, subscribed, signed_up
                                    FROM changed) AS mapped;
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_insert AFTER INSERT ON by_hand REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_by_hand();
CREATE TRIGGER queue_update AFTER UPDATE ON by_hand REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_by_hand();

-- Nothing is sent: what is measured is rolled back.
CREATE SERVER http FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'http://127.0.0.1:1');
CREATE USER MAPPING FOR PUBLIC SERVER http;
CREATE FOREIGN TABLE to_http (email text, firstname text, lastname text, phone text, city text, score integer,
    amount numeric, subscribed boolean, signed_up timestamptz)
    SERVER http OPTIONS (path '/contacts', key 'email', delivery 'queued');
SELECT reverse_etl.stream_table('streamed', 'to_http', on_truncate => 'ignore');

CREATE TABLE measured (round integer, what text, ms double precision);
