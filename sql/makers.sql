-- For makers of connectors: a request of a manifest that is not made yet, cases that run without a network, a server that is checked.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
\set manifest '{"manifest": 1, "name": "maker", "title": "Maker", "base_url": "https://{region}.maker.example", "auth": [{ "kind": "header", "name": "X-Key", "value": "k {api_key}" }, { "kind": "none" }], "credentials": { "api_key": { "description": "key of the account" } }, "options": { "region": { "on": "server", "type": "label", "description": "where the account is" } }, "objects": { "members": { "key": "email", "operations": { "create": { "request": "POST /members", "body": { "$columns": "all" }, "outcome": { "accepted_when": { "/ok": true }, "reason": "/why" } }, "delete": { "request": "DELETE /members/{key}" } } } } }'
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'create', '{"email": "ada@example.com", "points": 12345678901234567890, "gone": null}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'delete', '{"email": "a/b"}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'delete', '{"email": ".."}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'create', '{"email": "ada@example.com"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'delete', '{"name": "Ada"}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'update', '{}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'send', '{}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'visitors', 'create', '{}', '{"region": "eu"}');
SELECT * FROM reverse_etl.show_request(:'manifest', 'members', 'create', '[]');
SELECT * FROM reverse_etl.show_request('{"manifest": 1}', 'members', 'create', '{}');

SELECT reverse_etl.create_connector('maker', :'manifest');
SELECT * FROM reverse_etl.test_connector('maker', '[
    { "name": "a member", "object": "members", "operation": "create", "options": { "region": "eu" }, "credentials": { "api_key": "1" },
      "rows": [{ "email": "ada@example.com" }], "request": "POST /members", "headers": { "x-key": "k 1" }, "body": { "email": "ada@example.com" },
      "answer": { "body": { "ok": true } }, "outcome": "accepted" },
    { "name": "a refusal", "object": "members", "operation": "create", "options": { "region": "eu" }, "rows": [{ "email": "nobody" }],
      "body": { "email": "somebody" } },
    { "object": "members", "operation": "create", "options": { "region": "eu" }, "rows": [{ "email": "nobody" }],
      "answer": { "body": { "ok": false, "why": "no such address" } }, "outcome": [{ "is": "rejected", "reason": "no such member" }] },
    { "object": "members", "operation": "list" },
    { "object": "members", "operation": "create", "option": {} }]');
SELECT * FROM reverse_etl.test_connector('maker', '{}');
SELECT * FROM reverse_etl.test_connector('maker', '[');
SELECT * FROM reverse_etl.test_connector('nobody', '[]');
SELECT reverse_etl.drop_connector('maker');

-- Who we are at a server, and what is missing
CREATE SERVER maker_slack FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'slack', base_url :'sandbox_url');
SELECT * FROM reverse_etl.check_server('maker_slack');
CREATE USER MAPPING FOR CURRENT_USER SERVER maker_slack OPTIONS (bot_token 'xoxb-all-0123456789');
SELECT * FROM reverse_etl.check_server('maker_slack');
ALTER USER MAPPING FOR CURRENT_USER SERVER maker_slack OPTIONS (SET bot_token 'xoxb-few-0123456789');
SELECT * FROM reverse_etl.check_server('maker_slack');
ALTER USER MAPPING FOR CURRENT_USER SERVER maker_slack OPTIONS (SET bot_token 'wrong-0123456789');
CREATE SERVER maker_hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER maker_hubspot OPTIONS (client_id 'i', client_secret 'secret-1', refresh_token 'refresh-1');
SELECT * FROM reverse_etl.check_server('maker_hubspot');
ALTER USER MAPPING FOR CURRENT_USER SERVER maker_hubspot OPTIONS (SET refresh_token 'revoked');
CREATE SERVER maker_salesforce FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'salesforce', base_url :'sandbox_url', instance 'acme');
CREATE USER MAPPING FOR CURRENT_USER SERVER maker_salesforce OPTIONS (access_token 'token-1');
SELECT * FROM reverse_etl.check_server('maker_salesforce');
\set VERBOSITY terse
SELECT * FROM reverse_etl.check_server('maker_hubspot');
SELECT * FROM reverse_etl.check_server('maker_slack');
ALTER SERVER maker_slack OPTIONS (SET base_url 'http://127.0.0.1:1');
SELECT * FROM reverse_etl.check_server('maker_slack');
ALTER SERVER maker_slack OPTIONS (SET base_url 'http://nobody.invalid');
SELECT * FROM reverse_etl.check_server('maker_slack');
SELECT :'sandbox_url' || '/nowhere' AS nowhere \gset
ALTER SERVER maker_slack OPTIONS (SET base_url :'nowhere');
SELECT * FROM reverse_etl.check_server('maker_slack');
\set VERBOSITY default
CREATE SERVER maker_http FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
SELECT * FROM reverse_etl.check_server('maker_http');
SELECT * FROM reverse_etl.check_server('nobody');
CREATE FOREIGN DATA WRAPPER maker_other;
CREATE SERVER maker_others FOREIGN DATA WRAPPER maker_other;
SELECT * FROM reverse_etl.check_server('maker_others');
CREATE ROLE regress_maker;
SET ROLE regress_maker;
SELECT * FROM reverse_etl.check_server('maker_slack');
RESET ROLE;
DROP ROLE regress_maker;
DROP FOREIGN DATA WRAPPER maker_other CASCADE;
DROP SERVER maker_slack CASCADE;
DROP SERVER maker_hubspot CASCADE;
DROP SERVER maker_salesforce CASCADE;
DROP SERVER maker_http CASCADE;
