-- Identity: what tells this database from its copies

CREATE TABLE reverse_etl.identity (
    system_identifier bigint NOT NULL,
    database oid NOT NULL,
    host text NOT NULL,
    data_directory text NOT NULL,
    control_file bigint NOT NULL,
    control_file_created timestamptz,
    confirmed_by name NOT NULL,
    confirmed_at timestamptz NOT NULL
);
COMMENT ON TABLE reverse_etl.identity IS 'which database may talk to its destinations; in a copy it is still the original';
COMMENT ON COLUMN reverse_etl.identity.system_identifier IS 'the cluster''s, as pg_control_system() shows it';
COMMENT ON COLUMN reverse_etl.identity.database IS 'the database''s oid';
COMMENT ON COLUMN reverse_etl.identity.host IS 'the setting reverse_etl.host, or the name of the host';
COMMENT ON COLUMN reverse_etl.identity.data_directory IS 'the data directory, without symbolic links';
COMMENT ON COLUMN reverse_etl.identity.control_file IS 'the inode of the file global/pg_control';
COMMENT ON COLUMN reverse_etl.identity.control_file_created IS 'when that file was made; null if its file system does not tell';
-- No index and no constraint over rows: a dump has to restore, whatever is there already.
-- It names the data directory, and so it is shown to those to whom Postgres shows that. All may ask, or a role that
-- sees nothing of it could not dump the database.
ALTER TABLE reverse_etl.identity ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers_of_settings ON reverse_etl.identity FOR SELECT
    USING (pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE'));
COMMENT ON POLICY readers_of_settings ON reverse_etl.identity IS 'the identity is shown to members of pg_read_all_settings';
GRANT SELECT ON reverse_etl.identity TO PUBLIC;

CREATE FUNCTION reverse_etl.confirm_identity() RETURNS void
LANGUAGE C VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_confirm_identity';
COMMENT ON FUNCTION reverse_etl.confirm_identity() IS 'lets a database that looks like a copy talk to its destinations; superusers only';
REVOKE ALL ON FUNCTION reverse_etl.confirm_identity() FROM PUBLIC;

-- A dump says row_security = off before it makes the extension: what it restores is not confirmed here, and the row of
-- the original comes with its data, if it has any.
SELECT reverse_etl.confirm_identity() WHERE pg_catalog.current_setting('row_security')::boolean;
