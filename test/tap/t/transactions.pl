# What could still be rolled back is queued. Where rows are to leave at once, by the option "delivery", such statements
# are refused, unless a setting allows them.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node();

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}', rate_limit 'none');
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '${\$sandbox->url}/http');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (id text OPTIONS (field 'hs_object_id'), email text, firstname text) SERVER hubspot;
    CREATE FOREIGN TABLE people (email text, n integer) SERVER endpoint OPTIONS (path '/people', key 'email');
    -- 250 rows, of which two are bad
    CREATE TABLE customers AS
        SELECT CASE WHEN i IN (10, 200) THEN 'bad' || i ELSE 'c' || i || '\@example.com' END AS email,
               'n' || i AS firstname
          FROM generate_series(1, 250) AS i;
    CREATE FUNCTION push() RETURNS bigint LANGUAGE plpgsql AS \$\$
    DECLARE
        pushed bigint;
    BEGIN
        INSERT INTO contacts (email, firstname) SELECT email, firstname FROM customers;
        GET DIAGNOSTICS pushed = ROW_COUNT;
        RETURN pushed;
    END
    \$\$;
    CREATE FUNCTION careful_push() RETURNS void LANGUAGE plpgsql AS \$\$
    BEGIN
        PERFORM push();
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END
    \$\$;
    SQL
my $insert = 'INSERT INTO contacts (email, firstname) SELECT email, firstname FROM customers';
my $queued  = qr/NOTICE:  00000: rows for "public\.\w+" are queued, and leave when the transaction commits/;
my $refused = qr/ERROR:  25001: cannot deliver to "public\.\w+" immediately inside a transaction block/;
my $waiting = sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') };

# auto
my %rolled_back = (
    'in a transaction block'                => "BEGIN; $insert; ROLLBACK;",
    'in a function, in a transaction block' => 'BEGIN; SELECT push(); ROLLBACK;',
    'in statements sent as one'             => "INSERT INTO people VALUES ('x\@example.com', 1)\\; SELECT 1/0;",
    'in a function that fails'              => 'SELECT push() / 0;',
);
for my $how (sort keys %rolled_back) {
    $sandbox->post('/_sandbox/reset');
    my (undef, $said) = outcome($node, $rolled_back{$how});
    like($said, $queued, "$how: queued");
    is($waiting->(), 0, 'and gone with the transaction');
    is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'nothing was sent');
}
my %committed = (
    'in a transaction block'                => "BEGIN; $insert; COMMIT;",
    'in a function'                         => 'SELECT push();',
    'in a function with an EXCEPTION block' => 'SELECT careful_push();',
);
for my $how (sort keys %committed) {
    $sandbox->post('/_sandbox/reset');
    my (undef, $said) = outcome($node, $committed{$how});
    like($said, $queued, "$how: queued");
    wait_until(sub { $waiting->() == 0 });
    is($sandbox->get('/_sandbox/count/hubspot/contacts')->{count}, 248, 'and delivered');
}

# immediate
$node->safe_psql('postgres',
    "ALTER SERVER hubspot OPTIONS (ADD delivery 'immediate'); ALTER SERVER endpoint OPTIONS (ADD delivery 'immediate')");
for my $how (grep { !/fails/ } sort keys %rolled_back) {
    $sandbox->post('/_sandbox/reset');
    my (undef, $said) = outcome($node, $rolled_back{$how});
    like($said, $refused, "immediate, $how: refused");
    is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'nothing was sent');
}
$sandbox->post('/_sandbox/reset');
is((outcome($node, 'SELECT push();'))[0], 248, 'immediate, in a function: the outcome is known there');
$node->safe_psql('postgres', 'DELETE FROM reverse_etl.rejected_rows');

my $allow = 'SET reverse_etl.allow_immediate_in_transaction = on;';
my ($tag, $said) = outcome($node, "$allow BEGIN; $insert;");
is($tag, 'INSERT 0 248', 'the setting allows it');
unlike($said, qr/ERROR/, 'without an error');
($tag) = outcome($node, "$allow BEGIN; $insert; ROLLBACK; SELECT count(*) FROM contacts;");
is($tag, 248, 'what was sent stays after a rollback');
is($node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.rejected_rows'), 0,
    'though rejected rows are not kept then');

done_testing();
