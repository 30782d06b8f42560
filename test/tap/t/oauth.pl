# OAuth 2.0: a token is fetched, renewed when the destination no longer takes it, and no row is lost or doubled by that.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', 'log_statement = none');

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER salesforce FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'salesforce', base_url '${\$sandbox->url}', instance 'acme', max_in_flight '4');
    CREATE FOREIGN TABLE accounts ("Name" text) SERVER salesforce
        OPTIONS (object 'Account', insert_as 'create', batch_size '50');
    SQL

my %credentials = (
    refresh_token      => "client_id 'us', client_secret 'secret-1', refresh_token 'refresh-1'",
    client_credentials => "client_id 'us', client_secret 'secret-1'",
);
for my $grant (sort keys %credentials) {
    $sandbox->post('/_sandbox/reset');
    $node->safe_psql('postgres', "CREATE USER MAPPING FOR PUBLIC SERVER salesforce OPTIONS ($credentials{$grant})");
    # All that is in flight when the token expires is refused together.
    $sandbox->post('/_sandbox/salesforce/expire', { after_requests => 40 });
    $sandbox->post('/_sandbox/faults', { latency_ms => 10 });
    my ($tag, $said) =
        outcome($node, q(INSERT INTO accounts SELECT 'account ' || i FROM generate_series(1, 5000) AS i));
    is("$tag $said", 'INSERT 0 5000 ', "$grant: a token that expires in the middle of a statement is renewed");
    my @names = map { $_->{Name} } $sandbox->get('/_sandbox/records/salesforce/Account')->@*;
    is_deeply([ sort @names ], [ sort map { "account $_" } 1 .. 5000 ], "$grant: every row is there once");
    my $status = $sandbox->get('/_sandbox/stats')->{status};
    cmp_ok($status->{401}, '>', 1, "$grant: though several requests were refused");
    my @tokens = grep { $_->{path} =~ /oauth2\/token/ } $sandbox->get('/_sandbox/requests?last=1000')->@*;
    is(@tokens, 2, "$grant: two tokens were fetched");
    like($tokens[0]{body}, qr/grant_type=$grant/, "$grant: by that grant");
    $node->safe_psql('postgres', 'DROP USER MAPPING FOR PUBLIC SERVER salesforce');
}

$node->safe_psql('postgres',
    "CREATE USER MAPPING FOR PUBLIC SERVER salesforce OPTIONS (client_id 'us', client_secret 'wrong-secret')");
my (undef, $said) = outcome($node, q(INSERT INTO accounts VALUES ('one')));
like($said, qr/ERROR:  28000: could not deliver to "public.accounts": no access token from \S+: /,
    'a wrong secret is one clear error');
is(() = $said =~ /ERROR|WARNING/g, 1, 'and nothing else');
unlike($said . slurp_file($node->logfile), qr/wrong-secret|secret-1|refresh-1/, 'no message holds a secret');

done_testing();
