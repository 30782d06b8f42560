-- Characters that other encodings than UTF-8 lack. All else in sql/ runs on databases of any encoding.
SELECT getdatabaseencoding() <> 'UTF8' AS is_other \gset
\if :is_other
\quit
\endif
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
CREATE SERVER api FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER api;
CREATE FOREIGN TABLE words (word text OPTIONS (field 'id'), n jsonb) SERVER api OPTIONS (path '/http/words', key 'id', insert_as 'upsert', records '');

-- They leave as they are, in bodies and in paths, and come back.
INSERT INTO words VALUES ('ä€中😀', '{"☕": "\u2615 😀"}');
UPDATE words SET n = '"é"' WHERE word = 'ä€中😀';
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"path":"[^"]*"\|"body":"[^"]*{.*}[^"]*"'
SELECT * FROM words;

-- What is no character is read as the sign for one that is lost.
\! curl --silent --request POST $SANDBOX_URL/_sandbox/faults --data '{"times": 1, "answer": "[{\"id\": \"half \\ud83d\", \"n\": {\"nul\": \"\\u0000\"}}]"}' > /dev/null
SELECT * FROM words;

-- Hashes of text, which a sync remembers.
CREATE FUNCTION hash_of(anyelement) RETURNS bigint LANGUAGE sql AS
$$ SELECT reverse_etl.hash_row(one) FROM (SELECT $1 AS a) AS one $$;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS citext;
RESET client_min_messages;
SELECT type, hash_of AS hash FROM (VALUES
    ('text',               hash_of('Zoë'::text)),
    ('text, long',         hash_of('Zoë € крона 😀'::text)),
    ('varchar',            hash_of('Zoë'::varchar(5))),
    ('name',               hash_of('Zoë'::name)),
    ('citext',             hash_of('Zoë'::citext)),
    ('citext, upper case', hash_of('ZOË'::citext)),
    ('char(3)',            hash_of('Zoë'::char(3))),
    ('char(5), padded',    hash_of('Zoë'::char(5))),
    ('tsvector',           hash_of('für:1 zoë:2'::tsvector)),
    ('tsquery',            hash_of('für & zoë'::tsquery))
) AS every_text (type, hash_of);
DROP FUNCTION hash_of;

-- Collations that take capital letters for small ones: the destination does not.
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE spellings (word text COLLATE any_case, n jsonb);
INSERT INTO spellings VALUES ('ône', '1'), ('two', '2');
TRUNCATE reverse_etl.rejected_rows;
DELETE FROM words;
SELECT reverse_etl.create_sync('words', 'SELECT word, n FROM spellings', 'words', '{word}', mode => 'mirror', max_removed => 'none') > 0 AS made;
SET client_min_messages = warning;
CALL reverse_etl.run_sync('words');
UPDATE spellings SET word = 'ÔNE' WHERE n = '1';
CALL reverse_etl.run_sync('words');
RESET client_min_messages;
SELECT added, removed, unchanged, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1;
SELECT word, n FROM words ORDER BY word COLLATE "C";

SELECT reverse_etl.drop_sync('words');
DROP TABLE spellings;
DROP COLLATION any_case;
DROP SERVER api CASCADE;
