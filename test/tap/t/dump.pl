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
    CREATE SERVER acme FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'acme');
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR PUBLIC SERVER acme;
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-secret');
    IMPORT FOREIGN SCHEMA acme FROM SERVER acme INTO public;
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO public;
    INSERT INTO contacts (email) VALUES ('no address');
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
is($node->safe_psql('restored', 'SELECT name FROM reverse_etl.connectors WHERE NOT built_in'), 'acme',
    'with the connector');
is($node->safe_psql('restored', 'SELECT id, "row" FROM reverse_etl.rejected_rows'), '1|{"email": "no address"}',
    'and the rejected rows');
like(($node->psql('restored', 'INSERT INTO orders VALUES (1)'))[2], qr/because database "restored" looks like a copy/,
    'it does not deliver, since it is a copy');
$node->safe_psql('restored', 'SELECT reverse_etl.confirm_identity()');
$node->safe_psql('restored', q(INSERT INTO orders VALUES (1); INSERT INTO contacts (email) VALUES ('bad')));
is($sandbox->get('/_sandbox/count/http/acme')->{count}, 1, 'confirmed, it delivers');
is($node->safe_psql('restored', 'SELECT count(*), max(id) FROM reverse_etl.rejected_rows'), '2|2',
    'ids go on where they were');

my (undef, $said) = outcome($node, 'DROP EXTENSION reverse_etl');
like($said, qr/ERROR:  2BP01: cannot drop extension reverse_etl because other objects depend on it/,
    'DROP EXTENSION tells what depends on it');
is($node->psql('postgres', 'DROP EXTENSION reverse_etl CASCADE'), 0, 'and drops it with CASCADE');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_foreign_server)), 0, 'nothing is left');
is($node->psql('postgres', 'CREATE EXTENSION reverse_etl'), 0, 'and it can be made again');

done_testing();
