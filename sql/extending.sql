-- A connector that extends another says only what is different.
\getenv sandbox_url SANDBOX_URL
\set QUIET off
\! curl --silent --request POST $SANDBOX_URL/_sandbox/reset > /dev/null
SELECT reverse_etl.create_connector('hubspot_plus', '{ "manifest": 1, "name": "hubspot_plus", "extends": "hubspot", "title": "HubSpot and invoices",
    "objects": { "invoices": { "columns": { "hs_number": "text" } }, "tickets": null, "contacts": { "columns": { "loyalty": "integer", "zip": null } } } }');
SELECT name, title, extends, objects, manifest ->> 'schema' AS schema, manifest #>> '{objects,contacts,columns,loyalty}' AS loyalty,
       manifest #>> '{objects,contacts,columns,zip}' AS zip FROM reverse_etl.connectors, reverse_etl.show_manifest(name) AS manifest
 WHERE name = 'hubspot_plus';
SELECT name FROM reverse_etl.credentials WHERE connector = 'hubspot_plus' ORDER BY name;
CREATE SERVER plus FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot_plus', base_url :'sandbox_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER plus OPTIONS (access_token 'pat-plus');
CREATE SCHEMA plus;
IMPORT FOREIGN SCHEMA crm FROM SERVER plus INTO plus;
SELECT relname FROM pg_class WHERE relnamespace = 'plus'::regnamespace ORDER BY relname;
INSERT INTO plus.contacts (email, loyalty) VALUES ('ada@example.com', 7);
\! curl --silent $SANDBOX_URL/_sandbox/requests.jsonl | grep -o '"loyalty[^,}]*'

-- One that extends one that extends: what is replaced below reaches all that stand on it.
SELECT reverse_etl.create_connector('hubspot_more', '{ "manifest": 1, "name": "hubspot_more", "extends": "hubspot_plus", "base_url": "https://more.example" }');
SELECT reverse_etl.create_connector('hubspot_plus', '{ "manifest": 1, "name": "hubspot_plus", "extends": "hubspot", "title": "Renamed", "objects": { "deals": null } }');
SELECT name, title, extends, objects FROM reverse_etl.connectors WHERE name IN ('hubspot_plus', 'hubspot_more') ORDER BY name;
SELECT DISTINCT url FROM reverse_etl.show_request((SELECT manifest FROM reverse_etl_internal.custom_connectors WHERE name = 'hubspot_more'), 'contacts', 'create', '{"email": "a"}');

-- A base is neither dropped nor replaced by one with which its extenders would be wrong.
SELECT reverse_etl.drop_connector('hubspot_plus');
SELECT reverse_etl.create_connector('hubspot_more', '{ "manifest": 1, "name": "hubspot_more", "extends": "hubspot_plus", "objects": { "contacts": { "columns": { "zip": null } } } }');
SELECT reverse_etl.create_connector('hubspot_plus', '{ "manifest": 1, "name": "hubspot_plus", "extends": "hubspot", "objects": { "contacts": { "columns": { "zip": null } } } }');
SELECT reverse_etl.check_manifest('hubspot_plus', '{ "manifest": 1, "name": "hubspot_plus", "title": "Alone", "base_url": "https://x.example", "auth": { "kind": "none" }, "objects": { "o": {} } }');
-- Nor by one that makes a circle.
SELECT reverse_etl.create_connector('hubspot_plus', '{ "manifest": 1, "name": "hubspot_plus", "extends": "hubspot_more" }');
SELECT reverse_etl.create_connector('nobodys', '{ "manifest": 1, "name": "nobodys", "extends": "nobody" }');
SELECT title FROM reverse_etl.connectors WHERE name = 'hubspot_plus';
-- So deep, and no deeper
DO $$ BEGIN
    FOR i IN 1 .. 9 LOOP
        PERFORM reverse_etl.create_connector('deep_' || i, json_build_object('manifest', 1, 'name', 'deep_' || i,
            'extends', CASE i WHEN 1 THEN 'slack' ELSE 'deep_' || i - 1 END));
    END LOOP;
END $$;
DO $$ BEGIN
    FOR i IN 1 .. 8 LOOP
        PERFORM reverse_etl.create_connector('deep_' || i, json_build_object('manifest', 1, 'name', 'deep_' || i,
            'extends', CASE i WHEN 1 THEN 'slack' ELSE 'deep_' || i - 1 END));
    END LOOP;
    FOR i IN REVERSE 8 .. 1 LOOP
        PERFORM reverse_etl.drop_connector('deep_' || i);
    END LOOP;
END $$;

-- Who may not make connectors gains nothing by extending.
CREATE ROLE regress_extender;
SET ROLE regress_extender;
SELECT reverse_etl.create_connector('mine', '{ "manifest": 1, "name": "mine", "extends": "hubspot" }');
SELECT objects FROM reverse_etl.connectors WHERE name = 'hubspot_more';
RESET ROLE;
DROP ROLE regress_extender;
DROP SCHEMA plus CASCADE;
DROP SERVER plus CASCADE;
SELECT reverse_etl.drop_connector('hubspot_plus');
SELECT reverse_etl.drop_connector('hubspot_more');
SELECT reverse_etl.drop_connector('hubspot_plus');
