# A destination that is down, out of order or not what it says it is: one error that says what happened, to which rows,
# and what was accepted before. Credentials and rows stay out of messages and of the server's log.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox   = start_sandbox();
my $elsewhere = start_sandbox();
my $node      = new_node('main', "log_statement = none\nlog_error_verbosity = verbose");

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}',
        rate_limit 'none', max_in_flight '1', max_attempts '2', request_timeout '30s');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-confidential');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE TABLE customers AS SELECT 'c' || i || '\@private.example' AS email FROM generate_series(1, 1000) AS i;
    SQL
my $push = 'INSERT INTO contacts SELECT email FROM customers';
my $said_in_all = '';

# What comes after three good requests, which SQLSTATE it has, and what the message says.
my @faults = (
    [ { p_503       => 1 },                     'HV00N', 'internal error, after 2 attempts' ],
    [ { p_500       => 1 },                     'HV00N', 'internal error, after 2 attempts' ],
    [ { p_429       => 1, interval_ms => 10 },  'HV00N', 'You have reached your \w+ limit., after 2 attempts' ],
    [ { p_reset     => 1 },                     'HV00N', '.*Connection reset by peer .*, after 2 attempts' ],
    [ { p_truncate  => 1 },                     'HV00N', 'transfer closed .*, after 2 attempts' ],
    [ { p_stall     => 1 },                     'HV00N', 'Operation timed out .*, after 2 attempts' ],
    [ { p_html      => 1 },                     'HV00N', 'Bad gateway.*, after 2 attempts' ],
    [ { p_html      => 1, html_status => 200 }, 'HV00K', 'the answer is a web page, .*, after 2 attempts' ],
    [ { p_huge      => 1 },                     'HV00K', 'the answer is larger than this extension accepts .*' ],
    [ { p_gzip_bomb => 1 },                     'HV00K', 'the answer is larger than this extension accepts .*' ],
    [ { redirect_to => $elsewhere->url }, 'HV00R', 'the destination redirects elsewhere, which is not followed .*' ],
);
for my $case (@faults) {
    my ($fault, $sqlstate, $message) = @$case;
    $sandbox->post('/_sandbox/reset');
    $sandbox->post('/_sandbox/faults', [ { times => 3, latency_ms => 0 }, $fault ]);
    # Only the one that is about it: a busy machine takes its time with the others.
    my $seconds = $fault->{p_stall} ? 5 : 30;
    $node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (SET request_timeout '${seconds}s')");
    ok_error((sort keys %$fault)[-1], $sqlstate, $message,
        '300 rows were accepted before, and stay at the destination');
}
is($elsewhere->get('/_sandbox/stats')->{requests}, 0, 'no request reached the other host');

# Changes of the server's and the mapping's options, and what they lead to.
my @options = (
    [ "SERVER hubspot OPTIONS (SET base_url 'http://127.0.0.1:1')", 'HV00N', '.*connect.*, after 2 attempts' ],
    [ "SERVER hubspot OPTIONS (SET base_url 'http://nowhere.invalid')", 'HV00N', 'Could not resolve host: .*' ],
    [ "SERVER hubspot OPTIONS (SET base_url '${\$sandbox->url}')", undef ],
    [ "USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (SET access_token 'confidential')", '28000', '.*status 401.*' ],
    [ "USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (SET access_token 'pat-confidential')", undef ],
);
$sandbox->post('/_sandbox/reset');
for my $case (@options) {
    my ($change, $sqlstate, $message) = @$case;
    $node->safe_psql('postgres', "ALTER $change");
    ok_error($change =~ s/.*SET (\w+) '(.*)'.*/$1 $2/r, $sqlstate, $message, 'No row was accepted before') if $sqlstate;
}

$node->safe_psql('postgres', "ALTER SERVER hubspot OPTIONS (ADD on_reject 'error')");
my (undef, $said) = outcome($node, q(INSERT INTO contacts SELECT replace(email, '@', ' at ') FROM customers LIMIT 3));
like($said, qr/ERROR:  HV000: destination "public.contacts" rejected row 1\nDETAIL:  .* c1 at private.example/,
    'the user sees why a row was refused');
is(() = $said =~ /ERROR/g, 1, 'in one error');

unlike($said_in_all, qr/confidential|private|<html/i, 'no message holds a secret, a row or an answer');
my $log = slurp_file($node->logfile);
cmp_ok(() = $log =~ /ERROR:  /g, '>=', @faults, 'the log has the errors');
is_deeply([ grep { /confidential|private|<html/i } split /\n/, $log ], [], 'and holds no secret, no row and no answer');

done_testing();

sub ok_error {
    my ($name, $sqlstate, $message, $progress) = @_;
    my (undef, $said) = outcome($node, $push);
    $said_in_all .= $said;
    like($said, qr/^\S+ ERROR:  $sqlstate: could not deliver to "public.contacts": http:\/\/[^\/ ]+: $message$/m,
        "$name: one error");
    is(() = $said =~ /ERROR|WARNING/g, 1, "$name: and nothing else");
    like($said, qr/^DETAIL:  $progress\.$/m, "$name: what was accepted before");
    like($said, qr/^CONTEXT:  POST \S+, rows \d+01 to \d+00$|^CONTEXT:  POST \S+, rows 1 to 100$/m,
        "$name: which rows");
}
