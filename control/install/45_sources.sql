-- Sources: statements that run at warehouses, and tables over them

CREATE FUNCTION reverse_etl_internal.source_queries(
    OUT pid integer, OUT role oid, OUT server oid, OUT source_table regclass, OUT state text, OUT statement_id text, OUT sql text,
    OUT started_at timestamptz, OUT ended_at timestamptz, OUT rows bigint, OUT bytes bigint, OUT source_bytes bigint) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'reverse_etl_source_queries';
COMMENT ON FUNCTION reverse_etl_internal.source_queries() IS 'what reverse_etl.source_queries shows';

CREATE VIEW reverse_etl.source_queries AS
SELECT query.pid, pg_catalog.pg_get_userbyid(query.role) AS role, server.srvname AS server, query.source_table, query.state,
       query.statement_id, query.sql, query.started_at,
       pg_catalog.date_part('epoch', COALESCE(query.ended_at, pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.-) query.started_at) AS seconds,
       query.rows, query.bytes, query.source_bytes
  FROM reverse_etl_internal.source_queries() AS query
  JOIN pg_catalog.pg_foreign_server AS server ON server.oid OPERATOR(pg_catalog.=) query.server;
COMMENT ON VIEW reverse_etl.source_queries IS 'the latest statements that ran or run at sources, 256 of the cluster at most; a user sees their own, pg_read_all_stats all';
COMMENT ON COLUMN reverse_etl.source_queries.pid IS 'the process that reads, as in pg_stat_activity';
COMMENT ON COLUMN reverse_etl.source_queries.source_table IS 'the foreign table that was read; NULL where a function asked';
COMMENT ON COLUMN reverse_etl.source_queries.state IS 'running, done, cancelled (the source was told so where it ran yet) or failed';
COMMENT ON COLUMN reverse_etl.source_queries.statement_id IS 'the source''s own name of the statement';
COMMENT ON COLUMN reverse_etl.source_queries.sql IS 'the beginning of the SQL that was sent; values of parameters are not in it';
COMMENT ON COLUMN reverse_etl.source_queries.rows IS 'rows that were read so far';
COMMENT ON COLUMN reverse_etl.source_queries.bytes IS 'of answers that were read so far, uncompressed';
COMMENT ON COLUMN reverse_etl.source_queries.source_bytes IS 'that the source read for it, where it says so: what it bills by';
GRANT SELECT ON reverse_etl.source_queries TO PUBLIC;

CREATE FUNCTION reverse_etl.import_query(server text, "table" text, sql text) RETURNS void
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_import_query';
COMMENT ON FUNCTION reverse_etl.import_query(text, text, text) IS 'makes a foreign table of a query in the source''s own SQL, with the columns that the source says it has';

CREATE FUNCTION reverse_etl.import_files(server text, "table" text, files text, format text DEFAULT '', delimiter text DEFAULT '',
                                         header boolean DEFAULT true, null_text text DEFAULT '') RETURNS void
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_import_files';
COMMENT ON FUNCTION reverse_etl.import_files(text, text, text, text, text, boolean, text) IS 'makes a foreign table of files, with the columns that their first rows and their names show';
