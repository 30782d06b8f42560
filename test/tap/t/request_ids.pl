# The ids of requests and rows are the same when a crash makes the worker send them again: in the URL, in headers and in the
# body. What signs the request is in none of what waited meanwhile.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\n");
$node->safe_psql('postgres', <<~SQL);
    SELECT reverse_etl.create_connector('ids', '{
        "manifest": 1, "name": "ids", "title": "Ids", "base_url": "https://ids.example",
        "credentials": { "signing_secret": { "description": "secret of the signature" } },
        "auth": { "kind": "signature", "algorithm": "hmac_sha256", "key": "{signing_secret}", "text": "{request.id}.{request.time_ms}.{request.body}",
                  "headers": { "X-Time": "{request.time_ms}", "X-Signature": "{request.signature}" } },
        "objects": { "events": { "columns": { "n": "integer" }, "operations": { "create": {
            "request": "POST /http/ids/{request.id}", "headers": { "X-Request": "{request.id}" }, "rows": 10, "idempotency_key": { "body": "/key" },
            "body": { "rows": { "\$rows": { "id": "{entry.id}", "\$columns": "all" } } } } } } }
    }');
    CREATE SERVER ids FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'ids', base_url '$url', delivery 'queued');
    CREATE USER MAPPING FOR CURRENT_USER SERVER ids OPTIONS (signing_secret 'very-s3cret');
    CREATE FOREIGN TABLE events (n integer) SERVER ids;
    SQL

$sandbox->post('/_sandbox/faults', [ { latency_ms => 2000, times => 1 } ]);
$node->safe_psql('postgres', 'INSERT INTO events SELECT generate_series(1, 3)');
wait_until(sub { $sandbox->get('/_sandbox/stats')->{in_flight} > 0 });
unlike($node->safe_psql('postgres', 'SELECT * FROM reverse_etl.outbox'), qr/s3cret/, 'the outbox holds no secret');
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', q(CALL reverse_etl.wait('events')));
wait_until(sub { $sandbox->get('/_sandbox/requests')->@* == 2 });

my ($first, $again) = $sandbox->get('/_sandbox/requests')->@*;
my $id = $first->{headers}{'x-request'};
like($id, qr/^[0-9a-f]{32}$/, 'the request has an id');
is($first->{path}, "/http/ids/$id", 'in its URL');
like($first->{body}, qr/"key":"$id"/, 'and in its body');
is(scalar(my @ids = $first->{body} =~ /"id":"([0-9a-f]{32})"/g), 3, 'each row has one');
is(scalar(keys %{ { map { $_ => 1 } @ids } }), 3, 'of its own');
is($again->{$_}, $first->{$_}, "after the crash, the $_ is the same") for qw(path body);
is($again->{headers}{'x-request'}, $id, 'and so is the header');
isnt($again->{headers}{'x-signature'}, $first->{headers}{'x-signature'}, 'each attempt is signed anew');
is($node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox'), 0, 'nothing waits any more');

done_testing();
