# What a dump holds: the connectors that were made here and the rejected rows, but no secret that the role may not see.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node();

$node->safe_psql('postgres', <<~SQL);
    SELECT reverse_etl.create_connector('acme', '{
        "manifest": 1, "name": "acme", "title": "Acme", "schema": "acme", "base_url": "${\$sandbox->url}",
        "auth": [{ "kind": "none" }],
        "operations": { "create": { "request": "POST /http/acme", "body": { "\$columns": "all" } } },
        "objects": { "orders": { "columns": { "number": "integer" } } }
    }');
    SELECT reverse_etl.create_connector('acme_twin', '{ "manifest": 1, "name": "acme_twin", "extends": "acme", "objects": { "returns": { "columns": { "number": "integer" } } } }');
    -- Its base is written again, and so comes after it.
    SELECT reverse_etl.create_connector('acme', reverse_etl.show_manifest('acme'));
    CREATE SERVER acme FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'acme');
    CREATE SERVER twin FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'acme_twin');
    CREATE FOREIGN TABLE returns (number integer) SERVER twin;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR PUBLIC SERVER acme;
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-secret');
    IMPORT FOREIGN SCHEMA acme FROM SERVER acme INTO public;
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO public;
    INSERT INTO contacts (email) VALUES ('no address');
    CREATE TABLE customers AS SELECT 'c' || n || '\@example.com' AS email, 'Name' AS name FROM generate_series(1, 10) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, name AS firstname FROM customers', 'contacts', '{email}', 'mirror');
    CALL reverse_etl.run_sync('customers');
    CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
    SQL

my $folder = $node->basedir;
$node->command_ok([ 'pg_dump', '-f', "$folder/dump.sql", 'postgres' ], 'a superuser dumps the database');
my $dump = slurp_file("$folder/dump.sql");
like($dump,   qr/"name": "acme"/,    'the dump holds the connector that was made here');
unlike($dump, qr/"name": "hubspot"/, 'but not those that came with the extension');
like($dump, qr/no address/, 'and the rejected rows');

$node->command_ok([ 'pg_dump', '-U', 'reader', '-f', "$folder/reader.sql", '--enable-row-security', 'postgres' ],
    'a role without rights on the servers dumps the database');
my $reader = slurp_file("$folder/reader.sql");
unlike($reader, qr/pat-secret/, 'without secrets');
unlike($reader, qr/no address/, "and without others' rejected rows");

$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/dump.sql", 'restored' ],
    'the dump restores');
is($node->safe_psql('restored', 'SELECT name, extends, objects FROM reverse_etl.connectors WHERE NOT built_in ORDER BY name'),
    "acme||{orders}\nacme_twin|acme|{orders,returns}", 'with the connectors, one of which extends the other');
is($node->safe_psql('restored', 'SELECT id, "row" FROM reverse_etl.rejected_rows'), '1|{"email": "no address"}',
    'and the rejected rows');
is($node->safe_psql('restored', 'SELECT DISTINCT destination, destination_name FROM reverse_etl.rejected_rows UNION ALL
        SELECT DISTINCT destination, destination_name FROM reverse_etl.audit_log'), "contacts|public.contacts\ncontacts|public.contacts",
    'they and the audit log name the table, and its name at the time');
like(($node->psql('restored', 'INSERT INTO orders VALUES (1)'))[2], qr/because database "restored" looks like a copy/,
    'it does not deliver, since it is a copy');
like(($node->psql('restored', q(CALL reverse_etl.run_sync('customers'))))[2], qr/because database "restored" looks like a copy/,
    'nor does it run a sync');
like($node->safe_psql('restored', q(SELECT url FROM reverse_etl.preview('INSERT INTO returns VALUES (1)'))), qr{/http/acme$},
    'what it would send can be shown all the same');
$node->safe_psql('restored', 'SELECT reverse_etl.confirm_identity()');
$node->safe_psql('restored', q(INSERT INTO orders VALUES (1); INSERT INTO contacts (email) VALUES ('bad')));
is($sandbox->get('/_sandbox/count/http/acme')->{count}, 1, 'confirmed, it delivers');
is($node->safe_psql('restored', 'SELECT count(*), max(id) FROM reverse_etl.rejected_rows'), '2|2',
    'ids go on where they were');

# A sync and its state survive: nothing is sent again.
is($node->safe_psql('restored', 'SELECT name, destination, last_run, state FROM reverse_etl.syncs'), 'customers|contacts|1|completed',
    'syncs are in the dump');
my $sent = $sandbox->get('/_sandbox/stats')->{rows};
$node->safe_psql('restored', q(CALL reverse_etl.run_sync('customers')));
is($node->safe_psql('restored', 'SELECT id, status, queried, unchanged FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'),
    '2|completed|10|10', 'with their state, and the numbers of their runs');
is($sandbox->get('/_sandbox/stats')->{rows}, $sent, 'so that nothing is sent again');
$node->safe_psql('restored', q(DELETE FROM customers WHERE email LIKE 'c1\@%'; CALL reverse_etl.run_sync('customers')));
is($node->safe_psql('restored', 'SELECT removed, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), '1|1',
    'and what is gone is removed');

# Rows that were on their way, or did not get through, are known by the numbers that they had: those do not come again.
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.stream_sync('customers', 'customers', 'SELECT email FROM changed');
    SELECT reverse_etl.pause('public.contacts');
    INSERT INTO customers VALUES ('p1@example.com', 'Paused'), ('p2@example.com', 'Paused');
    SQL
$node->command_ok([ 'pg_dump', '-f', "$folder/on_their_way.sql", 'postgres' ], 'a database with rows on their way is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored_again');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/on_their_way.sql", 'restored_again' ], 'and restored');
$node->safe_psql('restored_again', q(SELECT reverse_etl.confirm_identity(), reverse_etl.pause('public.contacts')));
is($node->psql('restored_again', q(INSERT INTO customers VALUES ('p3@example.com', 'Later'))), 0, 'applications go on writing there');
is($node->safe_psql('restored_again', 'SELECT count(*) FROM reverse_etl.outbox'), 1, 'what they write is queued');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.contacts'); CALL reverse_etl.wait('contacts', '30s')));

# What belonged to a role that was dropped is nobody's, also where its number is another's; and a role that is not there
# keeps nothing from being restored.
$node->safe_psql('postgres', <<~'SQL');
    CREATE ROLE gone SUPERUSER; CREATE ROLE elsewhere SUPERUSER; CREATE TABLE theirs (email text);
    CREATE USER MAPPING FOR gone SERVER hubspot OPTIONS (access_token 'pat-1'); CREATE USER MAPPING FOR elsewhere SERVER hubspot OPTIONS (access_token 'pat-2');
    SET ROLE gone; SELECT reverse_etl.stream_table('theirs', 'contacts', 'SELECT email FROM changed');
    INSERT INTO contacts (email) VALUES ('gone');
    SET ROLE elsewhere; INSERT INTO contacts (email) VALUES ('elsewhere');
    RESET ROLE;
    DROP USER MAPPING FOR gone SERVER hubspot; DROP USER MAPPING FOR elsewhere SERVER hubspot;
    DROP ROLE gone;
    SQL
$node->command_ok([ 'pg_dump', '-f', "$folder/gone.sql", 'postgres' ], 'a database with what a dropped role has left is dumped');
$node->safe_psql('postgres', 'DROP ROLE elsewhere; CREATE DATABASE restored_without');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/gone.sql", 'restored_without' ], 'and restored where another role is missing, too');
is($node->safe_psql('restored_without', q(SELECT rejected_by, role_id FROM reverse_etl.rejected_rows WHERE rejected_by IN ('gone', 'elsewhere') ORDER BY 1)),
    "elsewhere|-\ngone|-", 'their rejected rows are nobody\'s');
is($node->safe_psql('restored_without', q(SELECT owner, owner::oid FROM reverse_etl.streams)), '-|0', 'and so is their stream');
is($node->safe_psql('postgres', q(SELECT owner FROM reverse_etl.streams)), '-', 'which nobody owns here either');
$node->safe_psql('postgres', q(SELECT reverse_etl.unstream_table('theirs_to_contacts')));

my (undef, $said) = outcome($node, 'DROP EXTENSION reverse_etl');
like($said, qr/ERROR:  2BP01: cannot drop extension reverse_etl because other objects depend on it/,
    'DROP EXTENSION tells what depends on it');
is($node->psql('postgres', 'DROP EXTENSION reverse_etl CASCADE'), 0, 'and drops it with CASCADE');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_foreign_server)), 0, 'nothing is left');
is($node->psql('postgres', 'CREATE EXTENSION reverse_etl'), 0, 'and it can be made again');

done_testing();
