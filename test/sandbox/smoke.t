# The sandbox itself: perl smoke.t PATH_OF_THE_BINARY
use strict;
use warnings;
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $binary    = shift or die "usage: smoke.t BINARY\n";
my $port_file = tempdir(CLEANUP => 1) . '/port';
my $pid       = fork() // die "fork: $!";
if ($pid == 0)
{
    open(STDOUT, '>', '/dev/null');
    exec($binary, '--port-file', $port_file) or die "$binary: $!";
}
END { if ($pid) { local $?; kill 'KILL', $pid; waitpid($pid, 0) } }

for (1 .. 100) { last if -e $port_file; sleep 0.05 }
open(my $file, '<', $port_file) or BAIL_OUT("no port file: $!");
chomp(my $port = <$file>);

my $http    = HTTP::Tiny->new(timeout => 5, max_redirect => 0);
my $hubspot = { Authorization => 'Bearer pat-test' };

sub call
{
    my ($method, $path, $body, $headers) = @_;
    my $content = ref $body ? encode_json($body) : $body;
    my $answer  = $http->request($method, "http://127.0.0.1:$port$path",
        { headers => $headers // {}, defined $content ? (content => $content) : () });
    $answer->{json} = eval { decode_json($answer->{content}) };
    return $answer;
}
sub control { return call(@_)->{json} }
sub faults  { control('POST', '/_sandbox/reset'); return control('POST', '/_sandbox/faults', shift) }

# The generic endpoint keeps rows by e-mail.
is(call('POST', '/http/leads', [ { email => 'a@x' }, { email => 'b@x' }, { email => 'a@x', n => 1 } ])->{json}{rows}, 3,
    'rows are taken');
is(control('GET', '/_sandbox/count/http/leads')->{count}, 2, 'and kept once an e-mail');
is(call('PATCH', '/http/leads/b@x', { n => 2 })->{json}{n}, 2, 'PATCH merges');
is(call('DELETE', '/http/leads/b@x')->{status}, 204, 'DELETE takes away');
is(call('GET', '/http/leads/b@x')->{status}, 404, 'what is gone');
my $refused = call('POST', '/http/leads', [ { email => 'c@x' }, { email => 'none' } ]);
is($refused->{status},      400,                     'a bad row sinks the batch');
is($refused->{json}{error}, 'row 2: invalid email', 'and is named');
is(call('POST', '/http/leads', '[{"email":"c@x"},]')->{status}, 400, 'JSON is checked');
is(call('POST', '/http/numbers', '[{"n":123456789012345678901234567890.50}]')->{status}, 200, 'long numbers are JSON');
like(call('GET', '/http/numbers')->{content}, qr/:123456789012345678901234567890\.50\}/, 'and stay as sent');
call('POST', '/http/paged', [ map { { email => "p$_\@x" } } 1 .. 5 ]);
my $page = call('GET', '/http/paged?paged=1&limit=3')->{json};
is(scalar @{ $page->{items} }, 3, 'a page');
is(scalar @{ call('GET', "/http/paged?paged=1&limit=3&cursor=$page->{next}")->{json}{items} }, 2, 'the rest');

# A bare connection sees what libraries hide.
sub raw
{
    my ($path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or die "connect: $!";
    print $socket "POST $path HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]";
    my $got = '';
    local $SIG{ALRM} = sub { die "stalled\n" };
    alarm 2;
    my $end = eval {
        while (1)
        {
            my $bytes = sysread($socket, $got, 1 << 20, length $got);
            return "error: $!" unless defined $bytes;
            return 'closed' if $bytes == 0;
        }
    } // 'stalled';
    alarm 0;
    return ($got, $end);
}

faults({ p_reset => 1 });
my ($got, $end) = raw('/http/x');
is($got, '', 'reset: no answer');
like($end, qr/^error: Connection reset/, 'reset: RST');
faults({ p_truncate => 1 });
($got, $end) = raw('/http/x');
my ($length) = $got =~ /Content-Length: (\d+)/;
my ($body) = $got =~ /\r\n\r\n(.*)/s;
ok(length($body) < $length, 'truncated: less than was announced');
is($end, 'closed', 'truncated: closed');
faults({ p_stall => 1 });
($got, $end) = raw('/http/x');
is("$got$end", 'stalled', 'stalled: held open');
faults({ p_huge => 1, huge_bytes => 3_000_000 });
($got, $end) = raw('/http/x');
ok(length($got) > 3_000_000 && $end eq 'closed', 'huge');
faults({ p_gzip_bomb => 1 });
$got = call('POST', '/http/x', [])->{content};
ok(length($got) < 1_000_000 && substr($got, 0, 2) eq "\x1f\x8b", 'a small body that inflates');

faults({ p_429 => 1, retry_after => '2', path => '/http/slow', times => 2 });
is_deeply([ map { call('POST', '/http/slow', [])->{status} } 1 .. 3 ], [ 429, 429, 200 ], 'times');
is(call('POST', '/http/other', [])->{status}, 200, 'path');
faults([ { path => '/one', p_503 => 1, retry_after_date_s => 60 }, { latency_ms => 300 } ]);
my $busy = call('POST', '/http/one', []);
is($busy->{status}, 503, 'the first rule that fits');
like($busy->{headers}{'retry-after'}, qr/^\w{3}, \d\d \w{3} \d{4} .* GMT$/, 'Retry-After as a date');
my $began = time;
is(call('POST', '/http/two', [])->{status}, 200, 'the second rule');
cmp_ok(time - $began, '>=', 0.3, 'latency');
faults({ p_html => 1, html_status => 200 });
like(call('POST', '/http/x', [])->{content}, qr/<!DOCTYPE html>/, 'HTML');
faults({ path => '/behind', p_html => 1, html_after_apply => JSON::PP::true });
is(call('POST', '/http/behind', [ { id => 1 } ])->{status}, 502, 'a proxy that has lost its server');
is(control('GET', '/_sandbox/count/http/behind')->{count}, 1, 'which had taken the rows');
faults({ body => 'poison', p_500 => 1 });
is_deeply([ map { call('POST', '/http/x', [ { name => $_ } ])->{status} } qw(poison honey) ], [ 500, 200 ], 'body');
faults({ redirect_to => 'http://127.0.0.1:1/' });
is(call('POST', '/http/x', [])->{headers}{location}, 'http://127.0.0.1:1/', 'redirect');
like(control('POST', '/_sandbox/faults', { p_sleep => 1 })->{error}, qr/unknown fault "p_sleep"/, 'faults have names');
my $draws = sub { faults({ p_500 => 0.5, seed => 7 }); join ',', map { call('GET', '/http/x')->{status} } 1 .. 20 };
is($draws->(), $draws->(), 'a seed repeats itself');
faults({ p_429 => 1, interval_ms => 250 });
my $limited = call('GET', '/crm/v3/objects/contacts', undef, $hubspot);
is($limited->{json}{policyName}, 'TEN_SECONDLY_ROLLING', 'HubSpot says it its own way');
is($limited->{headers}{'x-hubspot-ratelimit-interval-milliseconds'}, 250, 'with its own headers');
ok(!exists $limited->{headers}{'retry-after'}, 'and none other');

faults({ discard => JSON::PP::true });
is(call('POST', '/http/counted', [ {}, {} ])->{json}{rows}, 2, 'discard answers');
is(control('GET', '/_sandbox/count/http/counted')->{count}, 2, 'and counts');
is_deeply(control('GET', '/_sandbox/requests'), [], 'and records nothing');

faults({});
call('POST', '/http/seen?x=1', [ { email => 'a@x' } ], { 'X-Mine' => 'yes' });
my ($seen) = @{ control('GET', '/_sandbox/requests?last=1') };
is_deeply([ @$seen{qw(method path body status response)}, $seen->{headers}{'x-mine'} ],
    [ 'POST', '/http/seen?x=1', '[{"email":"a@x"}]', 200, { ok => JSON::PP::true, rows => 1 }, 'yes' ], 'requests are recorded');
my $stats = control('GET', '/_sandbox/stats');
is_deeply([ @$stats{qw(requests rows status)} ], [ 1, 1, { 200 => 1 } ], 'stats');
control('POST', '/_sandbox/settings', { http_credentials => { header => 'X-Api-Key', value => 'k1' } });
is(call('GET', '/http/seen')->{status}, 401, 'credentials wanted');
is(call('GET', '/http/seen', undef, { 'X-Api-Key' => 'k1' })->{status}, 200, 'credentials given');
control('POST', '/_sandbox/reset?keep=data');
is(control('GET', '/_sandbox/count/http/seen')->{count}, 1, 'a reset keeps what it is told to');
control('POST', '/_sandbox/settings', { slack_channel_rate => JSON::PP::true });
my @posts = map {
    call('POST', '/api/chat.postMessage', 'channel=C0GENERAL1&text=x',
        { Authorization => 'Bearer xoxb-1', 'Content-Type' => 'application/x-www-form-urlencoded' })->{status}
} 1 .. 2;
is_deeply(\@posts, [ 200, 429 ], 'Slack: a message a second and channel');
ok(grep({ $_ eq 'GET /_sandbox/stats' } @{ control('GET', '/_sandbox/nothing')->{calls} }), 'control calls are listed');

kill 'TERM', $pid;
waitpid($pid, 0);
is($?, 0, 'SIGTERM ends it with 0');
undef $pid;
done_testing();
