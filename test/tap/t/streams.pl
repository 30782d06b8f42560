# Streams: with whose rights rows are queued, and that nobody borrows them; what a rollback, a dump and DDL leave of them.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "log_statement = none\nmax_prepared_transactions = 2");
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', <<~SQL);
    CREATE ROLE marketing LOGIN;
    CREATE ROLE app LOGIN;
    CREATE ROLE mallory LOGIN;
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '${\$sandbox->url}');
    CREATE FOREIGN TABLE leads (email text, name text) SERVER inhouse OPTIONS (path '/http/leads', key 'email', delivery 'immediate');
    CREATE FOREIGN TABLE others (email text, name text) SERVER inhouse OPTIONS (path '/http/others', key 'email');
    GRANT SELECT, INSERT, DELETE ON leads, others TO marketing;
    CREATE TABLE customers (id integer PRIMARY KEY, email text, first_name text);
    GRANT TRIGGER, SELECT ON customers TO marketing;
    GRANT TRIGGER ON customers TO mallory;
    GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO app;
    CREATE FUNCTION nickname(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left(\$1, 2)';
    CREATE SCHEMA app AUTHORIZATION app;
    CREATE SCHEMA mallory AUTHORIZATION mallory;
    SQL
as(marketing => q(SELECT reverse_etl.stream_table('customers', 'leads', 'SELECT email, nickname(first_name) AS name FROM changed')));

# With the rights of the stream's owner
my $insert = q(INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada'), (2, 'grace@example.com', 'Grace'));
my $queued = q(SELECT enqueued_by, deliver_as, operation, CASE operation WHEN 'delete' THEN key ELSE "row" END FROM reverse_etl.outbox ORDER BY id);
is(shown_after(app => $insert), <<~'ROWS', "who changes the table needs no right on the destination: the rows are its owner's");
    marketing|marketing|create|{"email":"ada@example.com","name":"Ad"}
    marketing|marketing|create|{"email":"grace@example.com","name":"Gr"}
    ROWS
denied(app => q(INSERT INTO leads VALUES ('ada@example.com')), 'sending rows otherwise');
is(session(app => "$insert; SELECT current_user, current_setting('search_path')"), 'app|"$user", public',
    'afterwards the session is as it was');
is(session(app => <<~'SQL'), 'app|app, public', 'also after an error in the stream');
    SET search_path = app, public;
    DO $$ BEGIN INSERT INTO customers VALUES (9, 'x', repeat('x', 10)), (9, 'y', 'y'); EXCEPTION WHEN OTHERS THEN NULL; END $$;
    SELECT current_user, current_setting('search_path')
    SQL

# Nobody puts their own names in the way of the mapping's.
as(app => <<~'SQL');
    CREATE FUNCTION app.nickname(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT current_user::text$$;
    CREATE FUNCTION app.left(text, integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT current_user::text$$
    SQL
like(shown_after(app => "SET search_path = app, pg_catalog, public; $insert"), qr/"name":"Ad"/,
    'the mapping finds what its owner meant, whatever the search path');

# Rights are not borrowed.
as(mallory => <<~'SQL');
    CREATE TABLE mallory.mine (id integer, email text, first_name text);
    CREATE TRIGGER leads_insert AFTER INSERT ON mallory.mine REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream('customers_to_leads');
    CREATE TRIGGER customers_to_leads_insert AFTER INSERT ON mallory.mine REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream('customers_to_leads');
    SQL
like(as(mallory => q(INSERT INTO mallory.mine VALUES (1, 'spam@example.com'))),
    qr/ERROR:  42501: trigger "customers_to_leads_insert" is not one of stream "customers_to_leads"/,
    'not by a trigger with the same name on another table');
as(mallory => q(CREATE TRIGGER spam AFTER INSERT ON customers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION reverse_etl_internal.push_stream('customers_to_leads')));
like(as(app => $insert), qr/ERROR:  42501: trigger "spam" is not one of stream "customers_to_leads"/,
    'nor by another trigger on the same table');
$node->safe_psql('postgres', 'DROP TRIGGER spam ON customers');
denied(mallory => q(INSERT INTO reverse_etl.streams DEFAULT VALUES), 'making a definition by hand');
denied(mallory => q(UPDATE reverse_etl.streams SET mapping = 'SELECT email FROM changed'), 'changing a stream');
denied(mallory => q(SELECT reverse_etl.stream_table('customers', 'leads', 'SELECT email FROM changed', name => 'mine')),
    'streaming to where it may not write');
denied(mallory => q(SELECT reverse_etl_internal.check_stream('customers_to_leads')), 'checking a stream');
is(session(mallory => 'SELECT count(*) FROM reverse_etl.streams'), '0', "and it does not see others' streams");
like(as(mallory => q(SELECT reverse_etl.unstream_table('customers_to_leads'))), qr/ERROR:  42704: stream .* does not exist/,
    'nor removes them');
like(as(app => q(SELECT reverse_etl.stream_table('customers', 'leads'))), qr/ERROR:  42501: permission denied for/,
    'who may not make triggers makes no stream');
as($superuser => 'REVOKE DELETE ON others FROM marketing');
like(as(marketing => q(SELECT reverse_etl.stream_table('customers', 'others', 'SELECT email FROM changed'))),
    qr/ERROR:  42501: permission denied for foreign table public.others\nDETAIL:  .* role "marketing" lacks DELETE\./,
    'what is lacking is said when the stream is made');
unlike(as(marketing => q(SELECT reverse_etl.stream_table('customers', 'others', 'SELECT email FROM changed', on_delete => 'ignore'))),
    qr/ERROR/, 'and only what the stream needs is needed');
as(marketing => q(SELECT reverse_etl.unstream_table('customers', 'others')));
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'customers_to_others%')), '0',
    'whoever made a stream removes it, without owning the table');

# Rolled back together
is($node->safe_psql('postgres', "BEGIN; $insert; ROLLBACK; SELECT count(*) FROM reverse_etl.outbox"), '0',
    'a rollback takes the rows back');
is($node->safe_psql('postgres', <<~SQL), "1", 'and so does one to a savepoint');
    BEGIN; SAVEPOINT s; $insert; ROLLBACK TO s; INSERT INTO customers VALUES (3, 'alan\@example.com', 'Alan');
    SELECT count(*) FROM reverse_etl.outbox; ROLLBACK;
    SQL
is($sandbox->get('/_sandbox/count/http/leads')->{count}, 0, 'nothing has left');

# What fires it
is(shown_after($superuser => "$insert; UPDATE customers SET email = 'g' WHERE id = 2; DELETE FROM customers WHERE id = 1"), <<~'ROWS', 'UPDATE of a key deletes the old one');
    marketing|marketing|create|{"email":"ada@example.com","name":"Ad"}
    marketing|marketing|create|{"email":"grace@example.com","name":"Gr"}
    marketing|marketing|delete|{"email":"grace@example.com"}
    marketing|marketing|create|{"email":"g","name":"Gr"}
    marketing|marketing|delete|{"email":"ada@example.com"}
    ROWS
is(shown_after($superuser => "SET session_replication_role = replica; $insert"), '',
    'a subscriber does not send what the publisher has sent');

# A partitioned source
$node->safe_psql('postgres', <<~SQL);
    CREATE TABLE events (region text, email text) PARTITION BY LIST (region);
    CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('eu');
    CREATE TABLE events_us (email text, region text);
    ALTER TABLE events ATTACH PARTITION events_us FOR VALUES IN ('us');
    SQL
is($node->safe_psql('postgres', q(SELECT reverse_etl.stream_table('events', 'others', 'SELECT email, region AS name FROM changed'))),
    'events_to_others', 'a partitioned table is streamed');
my $moved = shown_after($superuser => q(INSERT INTO events VALUES ('eu', 'a'), ('us', 'b'); UPDATE events SET region = 'us' WHERE email = 'a'));
is($moved =~ s/^\w+\|\w+\|//mgr, <<~ROWS, 'rows that move between partitions are updates, whatever the order of columns');
    create|{"email":"a","name":"eu"}
    create|{"email":"b","name":"us"}
    create|{"email":"a","name":"us"}
    ROWS
is(shown_after($superuser => q(INSERT INTO events_eu VALUES ('eu', 'c'))), '', 'what names the partition itself is not seen');

# Many rows, and few after them
is($node->safe_psql('postgres', <<~SQL), '20000|1|20000', 'plans for many and for few rows');
    BEGIN;
    CREATE TEMP TABLE counts AS SELECT 0 AS n LIMIT 0;
    INSERT INTO events SELECT 'eu', n FROM generate_series(1, 20000) AS n;
    SELECT count(*) AS many FROM reverse_etl.outbox \\gset
    INSERT INTO events VALUES ('us', 'one');
    SELECT count(*) - :many AS few FROM reverse_etl.outbox \\gset
    DELETE FROM events WHERE email <> 'one';
    SELECT :many, :few, count(*) - :many - :few FROM reverse_etl.outbox;
    ROLLBACK;
    SQL

# A dump and its restore
my $folder = $node->basedir;
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/dump", 'postgres' ], 'the database is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->safe_psql('postgres', 'CREATE DATABASE schema_only');
$node->command_ok([ 'pg_restore', '-e', '-j2', '-d', 'restored', "$folder/dump" ], 'and restored');
is($node->safe_psql('restored', "BEGIN; $insert; SELECT count(*) FROM reverse_etl.outbox; ROLLBACK"), '2',
    'the stream works there');
my (undef, undef, $said) = $node->psql('restored', 'ALTER TABLE customers DROP COLUMN first_name');
like($said, qr/cannot drop table column public.customers.first_name because stream "customers_to_leads" needs it/,
    'and is guarded there');
$node->command_ok([ 'pg_restore', '-e', '--schema-only', '-d', 'schema_only', "$folder/dump" ], 'the schema alone restores');
(undef, undef, $said) = $node->psql('schema_only', $insert);
like($said, qr/WARNING: .*stream "customers_to_leads" does not exist/, 'and there the tables can be changed: a WARNING tells');
is($node->safe_psql('schema_only', 'SELECT count(*) FROM customers'), '2', 'that nothing is sent');

# What goes with what
for my $case (
    [ 'DROP TABLE customers CASCADE',            'the source' ],
    [ 'DROP FOREIGN TABLE leads CASCADE',        'the destination' ],
    [ 'DROP SERVER inhouse CASCADE',             'its server' ],
    [ 'DROP SCHEMA public CASCADE',              'the schema of both' ],
    [ 'DROP OWNED BY marketing',                 'what its owner has' ],
    [ 'DROP FUNCTION nickname(text) CASCADE',    'a function of the mapping' ],
    [ 'ALTER TABLE customers DROP COLUMN email CASCADE', 'a column' ],
) {
    my ($statement, $what) = @$case;
    is($node->safe_psql('restored', <<~SQL), '0|0', "with $what goes the stream") or diag($statement);
        BEGIN; SET LOCAL client_min_messages = error; $statement;
        SELECT (SELECT count(*) FROM reverse_etl.streams WHERE name = 'customers_to_leads'),
               (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'customers_to_leads%' AND tgrelid <> to_regclass('mallory.mine'));
        ROLLBACK;
        SQL
    next if $statement =~ /OWNED/;
    (my $restricted = $statement) =~ s/ CASCADE//;
    (undef, undef, $said) = $node->psql('restored', $restricted);
    like($said, qr/ERROR:  cannot drop/, "and without CASCADE it is refused: $restricted");
}
like(as($superuser => 'DROP FUNCTION nickname(text)'),
    qr/cannot drop function public.nickname\(pg_catalog.text\) because stream "customers_to_leads" needs it/,
    'also a function that the mapping calls');
like(as($superuser => 'DROP EXTENSION reverse_etl'), qr/ERROR:  2BP01: cannot drop extension reverse_etl/,
    'DROP EXTENSION tells what depends on it');
is($node->psql('postgres', 'DROP EXTENSION reverse_etl CASCADE'), 0, 'and takes all with it');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'customers'::regclass"), '0',
    'no trigger is left');
is($node->psql('postgres', "$insert; ALTER TABLE customers DROP COLUMN email"), 0, 'and the table can be changed');

done_testing();

sub as {
    my ($role, $statement) = @_;
    return join ' ', outcome($node, $statement, '--username', $role);
}

sub session {
    my ($role, $script) = @_;
    return $node->safe_psql('postgres', "BEGIN;\n$script;\nROLLBACK", extra_params => [ '--username', $role ]);
}

# shown_after(ROLE, STATEMENTS): what is in the outbox then; it is taken back.
sub shown_after {
    my ($role, $statements) = @_;
    my $rows = $node->safe_psql('postgres',
        "BEGIN; SET SESSION AUTHORIZATION $role; $statements; RESET SESSION AUTHORIZATION; $queued; ROLLBACK");
    return $rows eq '' ? '' : "$rows\n";
}

sub denied {
    my ($role, $statement, $name) = @_;
    like(as($role, $statement), qr/ERROR:  42501: permission denied for /, "$role is denied: $name");
}
