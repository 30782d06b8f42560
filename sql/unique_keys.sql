-- Rows of a model that have one key are found among very many, whatever the key's type, and none of them is sent.
SET client_min_messages = warning;
CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'http://127.0.0.1:9');
CREATE FUNCTION planned(query text, key text, columns text) RETURNS TABLE (operation text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE FOREIGN TABLE target (%s) SERVER endpoint OPTIONS (path ''/rows'', key %L, insert_as ''upsert'')', columns, key);
    PERFORM reverse_etl.create_sync('planned', query, 'target', ARRAY[key]);
    RETURN QUERY SELECT p.operation, p.rows FROM reverse_etl.plan_sync('planned', 0, false) AS p WHERE p.rows > 0 ORDER BY 1;
    PERFORM reverse_etl.drop_sync('planned');
    DROP FOREIGN TABLE target;
END
$$;

-- More than are kept in memory. Rows without a key are none of one key.
CREATE TABLE many AS SELECT i AS id, i % 7 AS value FROM generate_series(1, 120000) AS i;
SELECT * FROM planned('SELECT id, value FROM many', 'id', 'id integer, value integer');
INSERT INTO many VALUES (1, 0), (120000, 0), (NULL, 0), (NULL, 1);
SELECT * FROM planned('SELECT id, value FROM many', 'id', 'id integer, value integer');
SELECT * FROM planned('SELECT ''p'' || id AS id, value FROM many', 'id', 'id text, value integer');

-- Two spellings are one key where the type takes them for one.
SELECT * FROM planned('SELECT * FROM (VALUES (1.0, 1), (1.00, 2), (2, 3)) AS _ (id, value)', 'id', 'id numeric, value integer');
-- Of a type that cannot be hashed, too.
SELECT * FROM planned('SELECT id, value FROM (VALUES (B''10'', 1), (B''01'', 2), (B''10'', 3)) AS _ (id, value)', 'id', 'id bit(2), value integer');
SELECT * FROM planned('SELECT id, value FROM (VALUES (B''10'', 1), (B''01'', 2)) AS _ (id, value)', 'id', 'id bit(2), value integer');

DROP FUNCTION planned;
DROP TABLE many;
DROP SERVER endpoint;
