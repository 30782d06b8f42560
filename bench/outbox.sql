-- What bench/outbox measures: contacts, and foreign tables that queue them and that do not. Run with
-- psql --set=rows=N --set=sandbox_url=URL --set=sick_url=URL.
\set some_rows 1
\ir contacts.sql

CREATE FOREIGN TABLE queued_http (email text, firstname text, lastname text, phone text, city text, score integer,
    amount numeric, subscribed boolean, signed_up timestamptz)
    SERVER http OPTIONS (path '/http/contacts', batch_size '100', delivery 'queued');
CREATE FOREIGN TABLE queued_hubspot (email text, firstname text, lastname text, phone text, city text, score integer,
    amount numeric, subscribed boolean, signed_up timestamptz)
    SERVER hubspot OPTIONS (object 'contacts', insert_as 'upsert', delivery 'queued');

-- One row a commit, and when that was about to be.
CREATE FOREIGN TABLE events (n integer) SERVER http OPTIONS (path '/http/events', delivery 'queued');
CREATE TABLE committed (what text, round integer, n integer, at timestamptz);
CREATE TABLE arrived (line jsonb);
CREATE TABLE latencies (what text, round integer, ms double precision);

CREATE SERVER sick FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sick_url', rate_limit 'none');
CREATE USER MAPPING FOR PUBLIC SERVER sick OPTIONS (token 'wrong');
CREATE FOREIGN TABLE sick (n integer) SERVER sick OPTIONS (path '/http/sick', idempotency_key 'Idempotency-Key', delivery 'queued');
