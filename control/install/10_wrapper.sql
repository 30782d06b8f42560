\echo Use "CREATE EXTENSION reverse_etl" to load this file. \quit

-- Made here and not by the control file: so they are dropped with the extension, and never somebody else's.
CREATE SCHEMA reverse_etl;
COMMENT ON SCHEMA reverse_etl IS 'reverse_etl: what people call and read';
CREATE SCHEMA reverse_etl_internal;
COMMENT ON SCHEMA reverse_etl_internal IS 'reverse_etl: what only the extension itself calls, and what it keeps for itself';
-- In the second, too: whoever queues rows, owns a sync or restores a trigger of a stream has things there looked up by
-- name. What a role may do with each is granted by itself.
GRANT USAGE ON SCHEMA reverse_etl, reverse_etl_internal TO PUBLIC;

-- The foreign data wrapper

CREATE FUNCTION reverse_etl_internal.fdw_handler() RETURNS fdw_handler
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_fdw_handler';
COMMENT ON FUNCTION reverse_etl_internal.fdw_handler() IS 'handler of the foreign data wrapper';

CREATE FUNCTION reverse_etl_internal.fdw_validator(options text[], catalog oid) RETURNS void
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_fdw_validator';
COMMENT ON FUNCTION reverse_etl_internal.fdw_validator(text[], oid) IS 'checks the options of servers, tables, columns and user mappings';

REVOKE ALL ON FUNCTION reverse_etl_internal.fdw_handler(), reverse_etl_internal.fdw_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER reverse_etl
    HANDLER reverse_etl_internal.fdw_handler VALIDATOR reverse_etl_internal.fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER reverse_etl IS 'makes SaaS destinations foreign tables';

-- Roles in tables that a dump holds. regrole writes the number of a role that was dropped, and where the dump is restored
-- that is another's; and it fails for a role that is not there. This one writes - for a role that is no more, and reads a
-- name that is unknown as nobody's.

CREATE TYPE reverse_etl.role;
CREATE FUNCTION reverse_etl_internal.role_in(cstring) RETURNS reverse_etl.role
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_role_in';
COMMENT ON FUNCTION reverse_etl_internal.role_in(cstring) IS 'input function of the type reverse_etl.role';
CREATE FUNCTION reverse_etl_internal.role_out(reverse_etl.role) RETURNS cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_role_out';
COMMENT ON FUNCTION reverse_etl_internal.role_out(reverse_etl.role) IS 'output function of the type reverse_etl.role';
CREATE TYPE reverse_etl.role (INPUT = reverse_etl_internal.role_in, OUTPUT = reverse_etl_internal.role_out, LIKE = oid);
COMMENT ON TYPE reverse_etl.role IS 'a role, as regrole; but one that is no more is written -, and a name that is unknown is read as that';
CREATE CAST (reverse_etl.role AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS reverse_etl.role) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (reverse_etl.role AS regrole) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (regrole AS reverse_etl.role) WITHOUT FUNCTION AS ASSIGNMENT;

-- Tables are read, functions write. What a role may change it changes by a function that hands on who calls it to one of
-- the same name with "_as" behind, which is granted to nobody, checks what that role may, and writes as the tables' owner.

CREATE FUNCTION reverse_etl_internal.execute_as(role oid, statement text) RETURNS text[]
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_execute_as';
COMMENT ON FUNCTION reverse_etl_internal.execute_as(oid, text) IS 'runs one statement with the rights of a role; the first column of its rows';

CREATE FUNCTION reverse_etl_internal.one_condition(condition text) RETURNS text
LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'reverse_etl_one_condition';
COMMENT ON FUNCTION reverse_etl_internal.one_condition(text) IS 'a condition in parentheses; an error if it is more than one expression';

REVOKE ALL ON FUNCTION reverse_etl_internal.execute_as(oid, text), reverse_etl_internal.one_condition(text) FROM PUBLIC;

-- Options

CREATE FUNCTION reverse_etl_internal.built_in_options(
    OUT name text, OUT place text, OUT type text, OUT default_value text, OUT superuser_only boolean,
    OUT description text) RETURNS SETOF record
LANGUAGE C STRICT STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reverse_etl_options';
COMMENT ON FUNCTION reverse_etl_internal.built_in_options() IS 'the options that every connector has; see reverse_etl.options';

CREATE VIEW reverse_etl.options AS
SELECT name, place, type, default_value, superuser_only, description FROM reverse_etl_internal.built_in_options();
COMMENT ON VIEW reverse_etl.options IS 'every option that all connectors share: where it may stand, its type and its default';
GRANT SELECT ON reverse_etl.options TO PUBLIC;
