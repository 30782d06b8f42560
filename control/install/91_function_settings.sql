-- The last of all: what a function's body says depends on no setting of its caller: '%\%' is another pattern where
-- standard_conforming_strings is off. Here and not in each function, so that none is left out.

DO $$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
         WHERE p.pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::pg_catalog.regnamespace[]) AND l.lanname IN ('sql', 'plpgsql')
    LOOP
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET standard_conforming_strings = on', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET backslash_quote = safe_encoding', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET transform_null_equals = off', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET array_nulls = on', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET quote_all_identifiers = off', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET DateStyle = ISO', routine);
        EXECUTE pg_catalog.format('ALTER ROUTINE %s SET IntervalStyle = postgres', routine);
    END LOOP;
END
$$;

-- Whoever made a column or a function of a table's row type would keep an upgrade from changing the table.
DO $$
DECLARE
    type regtype;
BEGIN
    FOR type IN
        SELECT c.reltype FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::pg_catalog.regnamespace[]) AND c.reltype <> 0
    LOOP
        EXECUTE pg_catalog.format('REVOKE USAGE ON TYPE %s FROM PUBLIC', type);
    END LOOP;
END
$$;
