-- For makers of connectors: what would be sent, before anything is

CREATE FUNCTION reverse_etl.preview(statement text, OUT destination text, OUT operation text, OUT method text, OUT url text,
                                    OUT headers json, OUT body text, OUT rows bigint[], OUT refusal text) RETURNS SETOF record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_preview';
COMMENT ON FUNCTION reverse_etl.preview(text) IS 'the requests that a statement would make; nothing is sent, and what else the statement changes is taken back';

CREATE FUNCTION reverse_etl.show_request(manifest json, object text, operation text, "row" json, options json DEFAULT '{}',
                                         OUT method text, OUT url text, OUT headers json, OUT body text, OUT rows bigint[],
                                         OUT refusal text) RETURNS SETOF record
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_show_request';
COMMENT ON FUNCTION reverse_etl.show_request(json, text, text, json, json) IS 'the request that an operation of a manifest makes of a row; the manifest need not be a connector yet';

CREATE FUNCTION reverse_etl.test_connector(name text, cases json, OUT test_case text, OUT passed boolean, OUT fault text) RETURNS SETOF record
LANGUAGE C STRICT STABLE AS 'MODULE_PATHNAME', 'reverse_etl_test_connector';
COMMENT ON FUNCTION reverse_etl.test_connector(text, json) IS 'runs cases of a connector without a network: requests against what they should be, answers against what should follow';

CREATE FUNCTION reverse_etl.check_server(server text, OUT identity text, OUT scopes text[], OUT missing_scopes text[]) RETURNS record
LANGUAGE C STRICT VOLATILE AS 'MODULE_PATHNAME', 'reverse_etl_check_server';
COMMENT ON FUNCTION reverse_etl.check_server(text) IS 'signs in at a server with the caller''s credentials, and says as whom, and what is missing';
