-- The tables that operations.mjs speaks with.

CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-contract');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO hubspot;
CREATE SCHEMA by_email;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO by_email;

-- As accounts have them that keep a unique property of their own.
CREATE SCHEMA by_ref;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO by_ref;
DO $$
DECLARE
    object text;
BEGIN
    FOREACH object IN ARRAY '{contacts,companies,deals,tickets}'::text[] LOOP
        EXECUTE format('ALTER FOREIGN TABLE by_ref.%I ADD COLUMN ref text', object);
        EXECUTE format('ALTER FOREIGN TABLE by_ref.%I OPTIONS (ADD key ''ref'', ADD insert_as ''upsert'')', object);
        EXECUTE format('ALTER FOREIGN TABLE hubspot.%I OPTIONS (ADD insert_as ''create'')', object);
    END LOOP;
END
$$;

CREATE SERVER slack FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'slack', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER slack OPTIONS (bot_token 'xoxb-contract');
CREATE SCHEMA slack;
IMPORT FOREIGN SCHEMA workspace FROM SERVER slack INTO slack;

-- The same in pages of two, so that there is a second page.
SELECT reverse_etl.create_connector('slack_in_pages',
           replace(replace(reverse_etl.show_manifest('slack')::text, '"name": "slack"', '"name": "slack_in_pages"'), '"200"', '"2"')::json);
CREATE SERVER slack_in_pages FOREIGN DATA WRAPPER reverse_etl
    OPTIONS (connector 'slack_in_pages', base_url :'sandbox_url', rate_limit 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER slack_in_pages OPTIONS (bot_token 'xoxb-contract');
CREATE SCHEMA slack_in_pages;
IMPORT FOREIGN SCHEMA workspace FROM SERVER slack_in_pages INTO slack_in_pages;
