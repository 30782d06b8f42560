# Destinations that refuse rows, ask to wait and break connections: whatever happens, every good row is there once,
# every bad one is in reverse_etl.rejected_rows, and the command tag tells how many were accepted.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use JSON::PP ();
use List::Util qw(max);
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node();
my $url     = $sandbox->url;

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url/http');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE FOREIGN TABLE people (email text, firstname text) SERVER endpoint
        OPTIONS (path '/people', key 'email', insert_as 'upsert');
    CREATE FOREIGN TABLE events (n integer) SERVER endpoint OPTIONS (path '/events', insert_as 'create');
    CREATE FOREIGN TABLE keyed_events (n integer) SERVER endpoint
        OPTIONS (path '/keyed_events', insert_as 'create', idempotency_key 'Idempotency-Key');
    SQL

# One row in a hundred is bad.
my $rows = <<~'SQL';
    SELECT CASE WHEN i % 100 = 0 THEN 'bad' || i ELSE 'c' || i || '@example.com' END, 'n' || i
      FROM generate_series(1, 20000) AS i
    SQL
my %faults = (p_429 => 0.05, interval_ms => 20, retry_after => 0, p_reset => 0.03, seed => 7);

# HubSpot names the bad rows in a 207, the endpoint refuses a batch as a whole and is asked again by halves.
for my $case (map { [ 'hubspot/contacts', 207, $_ ], [ 'http/people', 400, $_ ] } 0, 1) {
    my ($destination, $status, $after_apply) = @$case;
    my $table = $destination =~ s/.*\///r;
    $node->safe_psql('postgres', 'TRUNCATE reverse_etl.rejected_rows');
    $sandbox->post('/_sandbox/reset');
    $sandbox->post('/_sandbox/faults', { %faults, $after_apply ? (reset_after_apply => JSON::PP::true) : () });
    my ($tag, $said) = outcome($node, "INSERT INTO $table $rows;");
    is($tag, 'INSERT 0 19800', "$destination: the tag counts the accepted rows");
    like($said, qr/WARNING:  01000: destination "public.$table" rejected 200 of 20000 rows/,
        'a warning counts the others');
    cmp_ok($sandbox->get('/_sandbox/stats')->{status}{429}, '>', 3, 'some requests were told to wait');
    my @names = map { ($_->{properties} // $_)->{firstname} } $sandbox->get("/_sandbox/records/$destination")->@*;
    is_deeply([ sort @names ], [ sort map { "n$_" } grep { $_ % 100 } 1 .. 20000 ],
        'every good row is there once, no other');
    is($node->safe_psql('postgres', <<~SQL), "200|200|0|$status", 'every bad row is kept, and no other');
        SELECT count(*), count(DISTINCT "row" ->> 'email'), count(*) FILTER (WHERE "row" ->> 'email' NOT LIKE 'bad%'),
               max(http_status)
          FROM reverse_etl.rejected_rows WHERE destination = 'public.$table'::regclass
        SQL
}

# A create that may have arrived is not sent again, ...
$sandbox->post('/_sandbox/reset');
$sandbox->post('/_sandbox/faults', { p_reset => 0.3, reset_after_apply => JSON::PP::true, seed => 7 });
my ($tag) = outcome($node, 'INSERT INTO events SELECT generate_series(1, 3000)');
my $unknown = $node->safe_psql('postgres', <<~'SQL');
    SELECT count(DISTINCT "row" ->> 'n') FROM reverse_etl.rejected_rows
     WHERE destination = 'public.events'::regclass AND reason LIKE 'outcome unknown, the destination may have the row: %'
    SQL
cmp_ok($unknown, '>', 0, 'the outcome of some rows is unknown');
is($tag, 'INSERT 0 ' . (3000 - $unknown), 'and those are not counted as accepted');
is_deeply([ sort { $a <=> $b } map { $_->{n} } $sandbox->get('/_sandbox/records/http/events')->@* ],
    [ 1 .. 3000 ], 'nothing is doubled');

# ... unless a key lets the destination see that it is the same.
$sandbox->post('/_sandbox/reset');
$sandbox->post('/_sandbox/faults', { p_reset => 0.3, seed => 7 });
($tag) = outcome($node, 'INSERT INTO keyed_events SELECT generate_series(1, 3000)');
is($tag, 'INSERT 0 3000', 'with an idempotency key every row arrives');
my (%times, %bodies);
for my $request ($sandbox->get('/_sandbox/requests?last=1000')->@*) {
    my $key = $request->{headers}{'idempotency-key'};
    $times{$key}++;
    $bodies{$key}{ $request->{body} } = 1;
}
is(keys %bodies, 30, 'each batch has a key of its own');
cmp_ok(max(values %times), '>', 1, 'some were sent again');
is(max(map { scalar keys %$_ } values %bodies), 1, 'under the same key');

done_testing();
