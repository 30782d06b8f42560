-- Slack: one message a request, as a form; HTTP status 200 may mean no.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
TRUNCATE reverse_etl.rejected_rows;
CREATE SERVER slack FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'slack', base_url :'sandbox_url', rate_limit 'none', max_in_flight '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER slack OPTIONS (bot_token 'xoxb-regress');
CREATE SCHEMA slack;
IMPORT FOREIGN SCHEMA workspace FROM SERVER slack INTO slack;

INSERT INTO slack.messages (channel, text) VALUES ('C1', 'Ada & Grace = 100 % "friends" é'), ('nowhere', 'lost'), ('C2', NULL);
SELECT row_number, "row", reason, http_status FROM reverse_etl.rejected_rows ORDER BY row_number;
TRUNCATE reverse_etl.rejected_rows;
INSERT INTO slack.messages (channel, blocks, unfurl_links) VALUES ('C1', '[{"type": "divider"}]', false);
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"body":"[^"]*"'

-- A message is named by its channel and its timestamp, which RETURNING shows.
INSERT INTO slack.messages (channel, text) VALUES ('C3', 'first') RETURNING channel, ts IS NOT NULL AS has_ts \gset
CREATE TABLE sent (channel text, ts text);
-- Beside another table it is queued, and has no timestamp yet, unless it is to leave at once.
ALTER FOREIGN TABLE slack.messages OPTIONS (ADD delivery 'immediate');
WITH message AS (INSERT INTO slack.messages (channel, text) VALUES ('C3', 'second') RETURNING channel, ts)
INSERT INTO sent SELECT * FROM message;
SELECT ts AS sent_ts FROM sent \gset
UPDATE slack.messages SET text = 'second, corrected' WHERE channel = 'C3' AND ts = :'sent_ts';
-- What chat.update does not take is refused, since Slack would not say that it ignored it.
UPDATE slack.messages SET username = 'bot' WHERE channel = 'C3' AND ts = :'sent_ts';
DELETE FROM slack.messages WHERE channel = 'C3' AND ts = :'sent_ts';
-- Gone already: nothing to delete.
DELETE FROM slack.messages WHERE channel = 'C3' AND ts = :'sent_ts';
UPDATE slack.messages SET text = 'x' WHERE channel = 'C3';
SELECT * FROM slack.messages;
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"' | sort | uniq --count | sed "s/^ *//"

SELECT count(*) > 0 AS has_users, count(*) = count(email) AS with_email FROM slack.users;
SELECT count(*) > 0 AS has_channels FROM slack.channels;
INSERT INTO slack.users (name) VALUES ('x');
DROP TABLE sent;
DROP SCHEMA slack CASCADE;
DROP SERVER slack CASCADE;
