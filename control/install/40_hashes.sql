-- Hashes of rows: what a sync remembers of each row that it sent.

CREATE FUNCTION reverse_etl.hash_row(a_row record) RETURNS bigint
LANGUAGE C STRICT STABLE PARALLEL SAFE COST 3 AS 'MODULE_PATHNAME', 'reverse_etl_hash_row';
COMMENT ON FUNCTION reverse_etl.hash_row(record) IS 'a hash of the row''s values by the names of its columns, which no setting of the session and no version of Postgres changes';

CREATE FUNCTION reverse_etl.hash_row_version() RETURNS integer
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_hash_row_version';
COMMENT ON FUNCTION reverse_etl.hash_row_version() IS 'is raised when rows get other hashes than before';
