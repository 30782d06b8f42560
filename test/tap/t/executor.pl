# Whatever way rows take through Postgres, they arrive, and its counts are of the rows that the destination accepted.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'pg_stat_statements'");
my $copied  = $node->basedir . '/copied';

$node->safe_psql('postgres', <<~SQL);
    CREATE EXTENSION pg_stat_statements;
    -- Delivered at once also where that stands in a function
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}', rate_limit 'none', delivery 'immediate');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (id text OPTIONS (field 'hs_object_id'), email text, firstname text) SERVER hubspot;
    -- 250 rows, of which two are bad
    CREATE TABLE customers AS
        SELECT CASE WHEN i IN (10, 200) THEN 'bad' || i ELSE 'c' || i || '\@example.com' END AS email,
               'n' || i AS firstname
          FROM generate_series(1, 250) AS i;
    COPY customers TO '$copied';

    CREATE FUNCTION push() RETURNS bigint LANGUAGE plpgsql AS \$\$
    DECLARE
        pushed bigint;
    BEGIN
        INSERT INTO contacts (email, firstname) SELECT email, firstname FROM customers;
        GET DIAGNOSTICS pushed = ROW_COUNT;
        RETURN pushed;
    END
    \$\$;

    CREATE TABLE by_kind (email text, firstname text) PARTITION BY LIST (firstname);
    CREATE TABLE first_two PARTITION OF by_kind FOR VALUES IN ('n1', 'n2');
    CREATE FOREIGN TABLE others PARTITION OF by_kind DEFAULT SERVER hubspot OPTIONS (object 'contacts');

    CREATE VIEW checked AS SELECT email, firstname FROM contacts WHERE firstname LIKE 'n%' WITH CHECK OPTION;

    CREATE TABLE seen (id text, email text, total bigint);
    CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS
        \$\$ BEGIN IF NEW.email <> 'c3\@example.com' THEN RETURN NEW; END IF; RETURN NULL; END \$\$;
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        \$\$ BEGIN INSERT INTO seen VALUES (NEW.id, NEW.email); RETURN NULL; END \$\$;
    CREATE FUNCTION count_all() RETURNS trigger LANGUAGE plpgsql AS
        \$\$ BEGIN INSERT INTO seen SELECT NULL, NULL, count(*) FROM contacts; RETURN NULL; END \$\$;
    CREATE FOREIGN TABLE before_row (id text OPTIONS (field 'hs_object_id'), email text, firstname text)
        SERVER hubspot OPTIONS (object 'contacts');
    CREATE FOREIGN TABLE after_row (id text OPTIONS (field 'hs_object_id'), email text, firstname text)
        SERVER hubspot OPTIONS (object 'contacts');
    CREATE FOREIGN TABLE after_statement (email text, firstname text) SERVER hubspot OPTIONS (object 'contacts');
    CREATE TRIGGER skip BEFORE INSERT ON before_row FOR EACH ROW EXECUTE FUNCTION skip();
    CREATE TRIGGER see AFTER INSERT ON after_row FOR EACH ROW EXECUTE FUNCTION see();
    CREATE TRIGGER count_all AFTER INSERT ON after_statement EXECUTE FUNCTION count_all();
    SQL

my $rows   = 'SELECT email, firstname FROM customers';
my $insert = "INSERT INTO contacts (email, firstname) $rows";
# Statements that Postgres runs without planning for the destination find its library loaded in a session that used it.
my $load = 'SELECT FROM reverse_etl.options;';
my @ways = (
    [ 'INSERT',              $insert,                                                            'INSERT 0 248' ],
    [ 'EXECUTE',             "PREPARE push AS $insert; EXECUTE push",                            'INSERT 0 248' ],
    [ 'RETURNING',           "$insert RETURNING id, email",                                      'INSERT 0 248' ],
    [ 'DO',                  "DO \$\$ BEGIN $insert; END \$\$",                                  'DO' ],
    [ 'GET DIAGNOSTICS',     'SELECT push()',                                                    '248' ],
    [ 'a CTE',               "WITH sent AS ($insert) SELECT 1",                                  '1' ],
    [ 'a CTE RETURNING',     "WITH sent AS ($insert RETURNING id) SELECT count(*) FROM sent",    '248' ],
    [ 'COPY',                "$load COPY contacts (email, firstname) FROM '$copied'",            'COPY 248' ],
    [ 'a partition',         "$load INSERT INTO by_kind $rows",                                  'INSERT 0 248', 246 ],
    [ 'COPY to a partition', "$load COPY by_kind FROM '$copied'",                                'COPY 248', 246 ],
    [ 'a checked view',      "INSERT INTO checked $rows",                                        'INSERT 0 248' ],
    [ 'a BEFORE trigger',    "INSERT INTO before_row (email, firstname) $rows",                  'INSERT 0 247', 247 ],
    [ 'an AFTER trigger',    "INSERT INTO after_row (email, firstname) $rows",                   'INSERT 0 248' ],
    [ 'a statement trigger', "INSERT INTO after_statement $rows",                                'INSERT 0 248' ],
    [ 'EXPLAIN ANALYZE',     "EXPLAIN (ANALYZE) $insert",                                        qr/^Execution Time/ ],
);
for my $way (@ways) {
    my ($name, $statement, $tag, $count) = @$way;
    $sandbox->post('/_sandbox/reset');
    my ($output, $said) = outcome($node, "$statement;");
    like($output, ref $tag ? $tag : qr/^\Q$tag\E$/, "$name: the count");
    like($said, qr/^\S+ WARNING:  01000: destination "\S+" rejected 2 of \d+ rows/, 'a warning');
    is($sandbox->get('/_sandbox/count/hubspot/contacts')->{count}, $count // 248, 'the rows');
}
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id), count(DISTINCT email) FROM seen WHERE total IS NULL'),
    '248|248',
    'an AFTER trigger sees the accepted rows, with the ids that the destination gave them');
is($node->safe_psql('postgres', 'SELECT total FROM seen WHERE total IS NOT NULL'), 248,
    'a statement trigger runs when the rows have arrived');

$sandbox->post('/_sandbox/reset');
my (undef, $said) = outcome($node, q(INSERT INTO checked VALUES ('a@example.com', 'other')));
like($said, qr/ERROR:  44000: new row violates check option for view "checked"/,
    'a row that violates the CHECK OPTION is an error');
is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'and is not sent');

# The extended protocol, as drivers speak it
my $script = $node->basedir . '/script';
append_to_file($script, "$insert;\n");
for my $mode ('extended', 'prepared') {
    $node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
    $node->command_ok([ 'pgbench', '-n', '-t', '2', '-M', $mode, '-f', $script, 'postgres' ], "pgbench -M $mode");
    my $counted = q(SELECT calls, rows FROM pg_stat_statements WHERE query LIKE 'INSERT INTO contacts%');
    is($node->safe_psql('postgres', $counted), '2|496', 'pg_stat_statements counts the accepted rows');
}

# A COPY that loads the library itself
$sandbox->post('/_sandbox/reset');
my ($copy_tag, $copy_said) = outcome($node, "COPY contacts (email, firstname) FROM '$copied'");
is($copy_tag, 'COPY 248', 'a COPY that loads the library counts the accepted rows');
like($copy_said, qr/NOTICE:  00000: rows go one a request, since this statement loaded the library reverse_etl/,
    'and says that it goes row by row');

# UPDATE and DELETE
for my $case (
    [ q(UPDATE contacts SET firstname = 'new' WHERE email = ANY (ARRAY(SELECT email FROM customers))), 'UPDATE 248' ],
    [ q(UPDATE contacts SET firstname = c.email FROM customers AS c WHERE c.email = contacts.email), 'UPDATE 248' ],
    [ q(DELETE FROM contacts WHERE email LIKE 'c1%'), 'DELETE 110' ],
) {
    is((outcome($node, $case->[0]))[0], $case->[1], $case->[0]);
}

# A server in single-user mode has no postmaster to wait for
$sandbox->post('/_sandbox/reset');
$node->stop;
my $single = "INSERT INTO contacts (email, firstname) SELECT email, 'Ada' FROM customers\n";
my ($said_there, $complained);
IPC::Run::run([ 'postgres', '--single', '-D', $node->data_dir, 'postgres' ], '<', \$single, '>', \$said_there, '2>', \$complained);
unlike($complained, qr/ERROR|FATAL/, 'single-user mode sends rows');
is($sandbox->get('/_sandbox/stats')->{rows}, 248, 'and all arrive');

done_testing();
