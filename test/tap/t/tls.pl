# Certificates are checked: only a destination that is what its name says gets credentials and rows, over HTTP/2.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

BEGIN {
    # This test needs the nginx that speaks TLS in front of the sandbox: it runs itself beside them.
    exec "$ENV{TESTS}/with_sandbox", '--tls', $^X, $0 if !$ENV{SANDBOX_TLS_URL};
}

use ReverseETL;
use Test::More;

my $sandbox = ReverseETL::Sandbox->at($ENV{SANDBOX_URL});
my $node    = new_node();
my $insert  = 'INSERT INTO contacts SELECT i || \'@example.com\' FROM generate_series(1, 1000) AS i';

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$ENV{SANDBOX_TLS_URL}');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text) SERVER hubspot;
    SQL

my ($tag, $said) = outcome($node, $insert);
like($said, qr/ERROR:  HV00N: could not deliver to "public.contacts": https:\/\/localhost:\d+: .*certificate/,
    'an unknown authority is refused');
like($said, qr/^HINT:  .* server option "ca_file"/m, 'and the message says what to do about it');

$node->safe_psql('postgres',
    "ALTER SERVER hubspot OPTIONS (SET base_url '$ENV{SANDBOX_WRONG_CERT_URL}', ca_file '$ENV{SANDBOX_CA_FILE}')");
(undef, $said) = outcome($node, $insert);
like($said, qr/ERROR:  HV00N: could not deliver to "public.contacts": .*certificate/,
    "another host's certificate is refused");
is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'nothing was sent to either');

$node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (SET base_url '$ENV{SANDBOX_TLS_URL}')");
($tag, $said) = outcome($node, $insert);
is("$tag $said", 'INSERT 0 1000 ', 'a known authority is trusted');
is_deeply([ map { $_->{headers}{'x-protocol'} } $sandbox->get('/_sandbox/requests')->@* ], [ ('HTTP/2.0') x 10 ],
    'over HTTP/2');

# A client certificate of one role opens a connection that the session keeps, and that serves no other role.
my ($certificate, $key) = map { PostgreSQL::Test::Utils::slurp_file($ENV{SANDBOX_CA_FILE} =~ s/ca\.crt$/$_/r) } 'client.crt', 'client.key';
$node->safe_psql('postgres', <<~SQL);
    ALTER SERVER hubspot OPTIONS (SET base_url '$ENV{SANDBOX_TLS_URL}/strict', ADD max_in_flight '1');
    CREATE ROLE known;
    CREATE ROLE stranger;
    GRANT INSERT ON contacts TO known, stranger;
    CREATE USER MAPPING FOR known SERVER hubspot
        OPTIONS (access_token 'pat-1', client_certificate '$certificate', client_key '$key');
    SQL
$sandbox->post('/_sandbox/reset', {});
(undef, $said) = outcome($node, "SET ROLE stranger; $insert");
like($said, qr/ERROR:  .*401/, 'a server that asks for a client certificate refuses who has none');
($tag, $said) = outcome($node, "SET ROLE known; $insert");
is("$tag $said", 'INSERT 0 1000 ', 'and takes who has one');
(undef, $said) = outcome($node, "SET ROLE known; $insert; SET ROLE stranger; $insert");
like($said, qr/ERROR:  .*401/, 'also in the session that has such a connection');
is($sandbox->get('/_sandbox/stats')->{rows}, 2000, 'only rows of the known role arrived');
unlike($said, qr/PRIVATE KEY/, 'nothing is said of the key');

$node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (SET ca_file '/nonexistent')");
(undef, $said) = outcome($node, $insert);
like($said, qr/ERROR:  HV00N: /, 'an authority that cannot be read is not trusted');

done_testing();
