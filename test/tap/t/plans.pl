# What is planned and what is requested: EXPLAIN asks nobody, reads ask for no more than is needed, and options that
# change between two executions of a prepared statement take effect.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $second  = start_sandbox();
my $node    = new_node();
my $url     = $sandbox->url;

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url/http');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint OPTIONS (token 'one');
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO public;
    CREATE FOREIGN TABLE people (email text, n integer) SERVER endpoint OPTIONS (path '/people', key 'email');
    CREATE TABLE customers AS SELECT 'c' || i || '\@example.com' AS email FROM generate_series(1, 1000) AS i;
    ANALYZE customers;
    SQL

# EXPLAIN
my $nobody = 'http://127.0.0.1:1';
$node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (SET base_url '$nobody')");
for my $statement (
    'INSERT INTO contacts (email) SELECT email FROM customers',
    q(UPDATE contacts SET firstname = 'x' WHERE email = 'a'),
    q(DELETE FROM contacts WHERE firstname = 'x'),
    'SELECT * FROM contacts',
    'SELECT * FROM customers JOIN contacts USING (email)',
) {
    my (undef, $said) = outcome($node, "PREPARE s AS $statement; EXPLAIN (VERBOSE) $statement; EXPLAIN EXECUTE s");
    is($said, '', "EXPLAIN connects to nobody: $statement");
}
$node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (SET base_url '$url')");

# Reads
$node->safe_psql('postgres', 'INSERT INTO contacts (email, firstname) SELECT email, email FROM customers');
my $some = 'SELECT email FROM customers LIMIT 250';
for my $case (
    [ 'a list, by pages of 100', 'SELECT count(*) FROM (SELECT email FROM contacts) AS c', 1000, 10 ],
    [ 'LIMIT stops paging', 'SELECT count(*) FROM (SELECT email FROM contacts LIMIT 150) AS c', 150, 2 ],
    [ 'a look-up', q(SELECT email FROM contacts WHERE email = 'c7@example.com'), 'c7@example.com', 1 ],
    [ 'look-ups, 100 a request', "SELECT count(*) FROM contacts WHERE email = ANY (ARRAY($some))", 250, 3 ],
    [ 'a look-up of nothing', 'SELECT count(*) FROM contacts WHERE email = NULL', 0, 0 ],
) {
    my ($name, $query, $result, $requests) = @$case;
    $sandbox->post('/_sandbox/reset?keep=data');
    is((outcome($node, $query))[0], $result, $name);
    my @requests = $sandbox->get('/_sandbox/requests?last=100')->@*;
    is(@requests, $requests, "$requests requests");
    my @asked = grep { /firstname|lifecyclestage/ } map { $_->{path} . ($_->{body} // '') } @requests;
    is(@asked, 0, 'that ask for no other columns');
}

# Options that change
for my $mode ('force_custom_plan', 'force_generic_plan') {
    $_->post('/_sandbox/reset') for $sandbox, $second;
    my ($tag, $said) = outcome($node, <<~SQL);
        SET plan_cache_mode = $mode;
        PREPARE push AS INSERT INTO people VALUES ('a\@example.com', \$1);
        EXECUTE push(1);
        ALTER FOREIGN TABLE people OPTIONS (SET path '/others');
        EXECUTE push(2);
        ALTER FOREIGN TABLE people ALTER n OPTIONS (ADD field 'number');
        EXECUTE push(3);
        ALTER USER MAPPING FOR PUBLIC SERVER endpoint OPTIONS (SET token 'two');
        EXECUTE push(4);
        ALTER SERVER endpoint OPTIONS (SET base_url '${\$second->url}/http');
        EXECUTE push(5);
        ALTER SERVER endpoint OPTIONS (SET base_url '$url/http');
        ALTER FOREIGN TABLE people ALTER n OPTIONS (DROP field);
        ALTER FOREIGN TABLE people OPTIONS (SET path '/people');
        ALTER USER MAPPING FOR PUBLIC SERVER endpoint OPTIONS (SET token 'one');
        SQL
    is($said, '', "$mode: options change between executions");
    my @requests = map { $_->get('/_sandbox/requests?last=9')->@* } $sandbox, $second;
    my @sent = map { "$_->{path} $_->{headers}{authorization} $_->{body}" } @requests;
    is_deeply(\@sent, [
        '/http/people Bearer one [{"email":"a@example.com","n":1}]',
        '/http/others Bearer one [{"email":"a@example.com","n":2}]',
        '/http/others Bearer one [{"email":"a@example.com","number":3}]',
        '/http/others Bearer two [{"email":"a@example.com","number":4}]',
        '/http/others Bearer two [{"email":"a@example.com","number":5}]',
    ], 'and each takes effect at once');
}

done_testing();
