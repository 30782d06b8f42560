-- What streams and syncs need is not dropped or changed under them: what both ask.

-- Looked at before a command: what is broken then was not broken by it. The locks that a look takes go with its error, or
-- two commands that look at one table would each keep the other from it.
CREATE FUNCTION reverse_etl_internal.fault_of(stream text DEFAULT NULL, sync integer DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The checks pass over what is null.
    PERFORM reverse_etl_internal.check_stream(stream), reverse_etl_internal.check_sync(sync);
    RAISE SQLSTATE 'RE000';
EXCEPTION WHEN SQLSTATE 'RE000' THEN
    RETURN NULL;
WHEN OTHERS THEN
    RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION reverse_etl_internal.fault_of(text, integer) IS 'the error that the next change of a stream''s source would raise, or the next run of a sync; null for none';

-- An error of somebody's definition does not keep others from renaming their schemas.
CREATE FUNCTION reverse_etl_internal.uses_schema(schema oid, relations regclass[], needs text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_class WHERE oid = ANY (relations) AND relnamespace = schema)
       OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = schema AND proname = ANY (needs))
       OR EXISTS (SELECT FROM pg_type WHERE typnamespace = schema AND typname = ANY (needs))
       OR EXISTS (SELECT FROM pg_operator WHERE oprnamespace = schema AND oprname = ANY (needs))
       OR EXISTS (SELECT FROM pg_collation WHERE collnamespace = schema AND collname = ANY (needs));
COMMENT ON FUNCTION reverse_etl_internal.uses_schema(oid, regclass[], text[]) IS 'whether a query may use something of a schema';

REVOKE ALL ON FUNCTION reverse_etl_internal.fault_of(text, integer), reverse_etl_internal.uses_schema(oid, regclass[], text[]) FROM PUBLIC;
