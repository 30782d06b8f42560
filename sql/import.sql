-- IMPORT FOREIGN SCHEMA makes a foreign table of each object of the connector.
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot');
CREATE SERVER salesforce FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'salesforce', instance 'acme');
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts, deals) FROM SERVER hubspot INTO crm;
\det crm.*
\d crm.contacts
IMPORT FOREIGN SCHEMA crm EXCEPT (contacts, deals) FROM SERVER hubspot INTO crm;
\det crm.*
-- A CamelCase API gets columns that SQL need not quote.
IMPORT FOREIGN SCHEMA sobjects LIMIT TO (contact) FROM SERVER salesforce INTO crm;
\d crm.contact
IMPORT FOREIGN SCHEMA public FROM SERVER hubspot INTO crm;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO crm OPTIONS (custom 'true');
CREATE SERVER http FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'http://127.0.0.1:1');
IMPORT FOREIGN SCHEMA http FROM SERVER http INTO crm;
DROP SCHEMA crm CASCADE;
DROP SERVER hubspot, salesforce, http;
