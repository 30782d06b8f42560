-- What an account has that its connector does not list

CREATE FUNCTION reverse_etl.refresh_columns(destination regclass, OUT "column" text, OUT type text, OUT field text) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_refresh_columns';
COMMENT ON FUNCTION reverse_etl.refresh_columns(regclass) IS 'adds the columns to a destination for fields that its account has got since, and names them; takes nothing away';

CREATE FUNCTION reverse_etl_internal.comment_on_imported() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'reverse_etl_comment_on_imported';
COMMENT ON FUNCTION reverse_etl_internal.comment_on_imported() IS 'function of the event trigger that comments on the columns of imported tables as their account does';
REVOKE ALL ON FUNCTION reverse_etl_internal.comment_on_imported() FROM PUBLIC;

CREATE EVENT TRIGGER reverse_etl_comment_on_imported ON ddl_command_end WHEN TAG IN ('IMPORT FOREIGN SCHEMA')
    EXECUTE FUNCTION reverse_etl_internal.comment_on_imported();
COMMENT ON EVENT TRIGGER reverse_etl_comment_on_imported IS 'columns of imported tables have the comments that their account has for them';
