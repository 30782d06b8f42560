CREATE EXTENSION reverse_etl;
CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url :'sandbox_url');

CREATE ROLE marketing LOGIN;
CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-demo');
CREATE SCHEMA hubspot;
IMPORT FOREIGN SCHEMA crm FROM SERVER hubspot INTO hubspot;
GRANT USAGE ON SCHEMA hubspot TO marketing;
GRANT SELECT, INSERT (email, firstname, lifecyclestage), UPDATE (lifecyclestage), DELETE
    ON hubspot.contacts TO marketing;
GRANT SELECT, UPDATE ON customers TO marketing;
