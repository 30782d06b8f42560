-- The guards come last: they look at everything that is made after them.

CREATE EVENT TRIGGER reverse_etl_guard_drop ON sql_drop EXECUTE FUNCTION reverse_etl.guard_definitions();
COMMENT ON EVENT TRIGGER reverse_etl_guard_drop IS 'streams go with their tables; what streams and syncs need is not dropped under them';
CREATE EVENT TRIGGER reverse_etl_guard_alter ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE', 'ALTER VIEW', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA',
                 'ALTER TRIGGER', 'CREATE VIEW', 'DROP OWNED')
    EXECUTE FUNCTION reverse_etl.guard_definitions();
COMMENT ON EVENT TRIGGER reverse_etl_guard_alter IS 'columns that streams and syncs need are not renamed or retyped under them';
