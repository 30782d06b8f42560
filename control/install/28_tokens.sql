-- Access tokens and refresh tokens, as the processes that fetch them keep them (src/postgres/destinations/token_tables). What
-- is kept is sealed with the key of reverse_etl.token_key_file where there is one. Nobody reads them by SQL but superusers.

-- What came of the last request for a token. It is fetched anew where it is lost, so no dump holds it.
CREATE TABLE reverse_etl_internal.access_tokens (
    account bytea PRIMARY KEY,
    number bigint NOT NULL,
    entry bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE reverse_etl_internal.access_tokens IS 'the access token of each set of credentials that needs one, or why there is none';
COMMENT ON COLUMN reverse_etl_internal.access_tokens.account IS 'digest of the credentials, and of how they are sent';
COMMENT ON COLUMN reverse_etl_internal.access_tokens.number IS 'rises with each request for a token';
COMMENT ON COLUMN reverse_etl_internal.access_tokens.entry IS 'the token and how long it may be used, or the fault';

-- A refresh token that took the place of the user mapping's. The mapping's own is worth nothing any more, so dumps hold this
-- one, as they hold user mappings. Everyone may ask, and only superusers see something: a role that sees nothing of it could
-- not dump the database otherwise.
CREATE TABLE reverse_etl_internal.refresh_tokens (
    account bytea PRIMARY KEY,
    mapped bytea NOT NULL,
    entry bytea NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE reverse_etl_internal.refresh_tokens ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON reverse_etl_internal.refresh_tokens TO PUBLIC;
COMMENT ON TABLE reverse_etl_internal.refresh_tokens IS 'refresh tokens that took the place of those in user mappings';
COMMENT ON COLUMN reverse_etl_internal.refresh_tokens.account IS 'digest of the refresh token in the user mapping, and of where it is sent';
COMMENT ON COLUMN reverse_etl_internal.refresh_tokens.mapped IS 'digest of the refresh token in the user mapping';
COMMENT ON COLUMN reverse_etl_internal.refresh_tokens.entry IS 'the newest refresh token';

-- A day, since a user mapping may be dropped and made again.
CREATE FUNCTION reverse_etl_internal.forget_tokens() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM reverse_etl_internal.access_tokens WHERE kept_at < clock_timestamp() - interval '7 days';
    DELETE FROM reverse_etl_internal.refresh_tokens AS t
     WHERE kept_at < clock_timestamp() - interval '1 day'
       AND NOT EXISTS (SELECT FROM pg_user_mapping AS m, pg_options_to_table(m.umoptions) AS o
                        WHERE sha256(convert_to(o.option_value, 'UTF8')) = t.mapped);
END;
COMMENT ON FUNCTION reverse_etl_internal.forget_tokens() IS 'removes access tokens that nobody asks for any more, and refresh tokens of user mappings that are gone';
REVOKE ALL ON FUNCTION reverse_etl_internal.forget_tokens() FROM PUBLIC;
