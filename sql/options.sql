-- What is wrong with an option is said, with the options that are valid there.
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl;
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubsopt');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', retries '3');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url 'ftp://example.com');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url 'https://user:secret@example.com');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', request_timeout 'soon');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', max_in_flight '1000');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', on_reject 'ignore');
-- Secrets are accepted in a user mapping only, and a misplaced one is not repeated.
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', access_token 'pat-very-secret');
CREATE SERVER s FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', request_timeout '2min', max_in_flight '4');
ALTER SERVER s OPTIONS (SET max_in_flight '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (password_of_mine 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (base_url 'https://example.com');
-- One that belongs to another connector is refused, also from within a function.
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (bot_token 'x');
DO $$ BEGIN CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (access_token 'x', bot_token 'x'); END $$;
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token 'x');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (ADD username 'x');
DROP USER MAPPING FOR PUBLIC SERVER s;
CREATE FOREIGN TABLE t (email text) SERVER s OPTIONS (object 'contacts', base_url 'https://example.com');
CREATE FOREIGN TABLE t (email text) SERVER s OPTIONS (object 'contacts', batch_size 'many');
CREATE FOREIGN TABLE t (email text OPTIONS (encode 'rot13')) SERVER s OPTIONS (object 'contacts');
CREATE FOREIGN DATA WRAPPER other HANDLER reverse_etl_internal.fdw_handler VALIDATOR reverse_etl_internal.fdw_validator OPTIONS (debug 'on');

-- What only the connector can know is said when the table is used.
CREATE FOREIGN TABLE nothing (email text) SERVER s OPTIONS (object 'persons');
INSERT INTO nothing VALUES ('ada@example.com');
CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER s OPTIONS (path '/x');
INSERT INTO contacts VALUES ('ada@example.com', 'Ada');
ALTER FOREIGN TABLE contacts OPTIONS (DROP path);
INSERT INTO contacts VALUES ('ada@example.com', 'Ada');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (client_id 'only');
INSERT INTO contacts VALUES ('ada@example.com', 'Ada');
CREATE SERVER nowhere FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'salesforce');
CREATE FOREIGN TABLE contact (email text) SERVER nowhere OPTIONS (object 'Contact');
INSERT INTO contact VALUES ('ada@example.com');
-- A dump may bring one; then it is said when it is used.
SET check_function_bodies = off;
ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (ADD bot_token 'x');
RESET check_function_bodies;
INSERT INTO contacts VALUES ('ada@example.com', 'Ada');
DROP SERVER s, nowhere CASCADE;
