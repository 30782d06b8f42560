# Limits are kept by all sessions together where the library is preloaded, else by each for itself.
# Once: no version of Postgres does this in another way.
# Alone: it measures times.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;

my $manifest = <<~'JSON';
    { "manifest": 1, "name": "limited", "title": "Limited", "base_url": "https://limited.example",
      "options": { "path": { "on": "table", "type": "path", "description": "where rows go" } },
      "credentials": { "token": { "description": "the token" } },
      "auth": [ { "kind": "bearer", "token": "{token}" } ],
      "rate_limits": [ LIMITS ],
      "objects": { "things": { "columns": { "n": "integer" }, "operations": {
        "create": { "request": "POST {path}", "idempotent": true, "body": { "$columns": "all" } } } } } }
    JSON

# set_up(NODE, NAME => LIMITS...): a server for each connector, named after it.
sub set_up {
    my ($node, %limits) = @_;
    while (my ($name, $limits) = each %limits) {
        my $own = $manifest =~ s/"limited"/"$name"/r =~ s/LIMITS/$limits/r;
        $node->safe_psql('postgres', <<~SQL);
            SELECT reverse_etl.create_connector('$name', \$\$$own\$\$);
            CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$name', base_url '$url');
            CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (token 'secret');
            CREATE FOREIGN TABLE $name (n integer) SERVER $name OPTIONS (object 'things', path '/http/$name');
            SQL
    }
    return;
}

# begin(NODE, SQL): a session that runs it; quit() waits for its end.
sub begin {
    my ($node, $sql) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_until(qr/begins/, "\\echo begins\n$sql;\n");
    return $session;
}

# sessions(NODE, NUMBER, SQL): so many run it at once, once all are there; answers the seconds that they took.
sub sessions {
    my ($node, $number, $sql) = @_;
    my @sessions = map { $node->background_psql('postgres') } 1 .. $number;
    my $began    = time;
    $_->query_until(qr/begins/, "\\echo begins\n$sql;\n") for @sessions;
    $_->quit for @sessions;
    return time - $began;
}

# took(NODE, SQL): seconds.
sub took {
    my ($node, $sql) = @_;
    my $began = time;
    $node->safe_psql('postgres', $sql);
    return time - $began;
}

sub fresh {
    $sandbox->post('/_sandbox/reset');
    $sandbox->post('/_sandbox/faults', { latency_ms => $_[0] // 5 });
    return;
}

sub stats { return $sandbox->get('/_sandbox/stats') }

my $limits = '{ "name": "burst", "requests": 40, "seconds": 1 }';
my $places = '{ "name": "open", "concurrent": 3 }';

my $alone = new_node('alone');
set_up($alone, burst => $limits);
fresh();
sessions($alone, 4, 'INSERT INTO burst SELECT generate_series(1, 60)');
is(stats()->{rows}, 240, 'without preload: all rows arrive');
cmp_ok(stats()->{in_a_second_max}, '>', 80, 'each session counts for itself');
$alone->stop;

my $node = new_node('together', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    max_connections = 40
    CONF
set_up($node,
    burst => $limits,
    open  => $places,
    two   => '{ "name": "two", "requests": 2, "seconds": 4 }',
    quiet => '');

# 10 sessions, 240 requests: 6 windows, the first of which is there at once.
fresh();
my $seconds = sessions($node, 10, 'INSERT INTO burst SELECT generate_series(1, 24)');
my $stats = stats();
is($stats->{rows}, 240, 'all rows arrive');
# What leaves evenly may arrive in a lump on a busy machine.
cmp_ok($stats->{in_a_second_max}, '<=', 44, 'ten sessions keep the limit together');
cmp_ok($seconds, '>=', 4.9, 'which takes its time');
cmp_ok($seconds, '<', 8, 'and not much more');
note("$stats->{in_a_second_max} requests in a second at most, $seconds s");

# Another role with the same credentials has the same account, one with others has not.
$node->safe_psql('postgres', <<~'SQL');
    CREATE ROLE same; CREATE ROLE other;
    CREATE USER MAPPING FOR same SERVER two OPTIONS (token 'secret');
    CREATE USER MAPPING FOR other SERVER two OPTIONS (token 'another');
    GRANT INSERT ON two TO same, other;
    SQL
fresh();
my $began = time;
$node->safe_psql('postgres', 'INSERT INTO two VALUES (1), (2)');
$node->safe_psql('postgres', 'SET ROLE other; INSERT INTO two VALUES (3), (4)');
cmp_ok(time - $began, '<', 4, 'other credentials are another account');
$node->safe_psql('postgres', 'SET ROLE same; INSERT INTO two VALUES (5)');
cmp_ok(time - $began, '>=', 4, 'the same credentials are the same account');

# So many at once, and a session that sends for long lets others in.
fresh(50);
my $long = begin($node, 'INSERT INTO open SELECT generate_series(1, 150)');
wait_until(sub { stats()->{rows} >= 6 });
cmp_ok(took($node, 'INSERT INTO open SELECT 1'), '<', 1, 'who comes later gets a place');
$long->quit;
is(stats()->{rows}, 151, 'all rows arrive');
is(stats()->{in_flight_max}, 3, 'never more at once than is permitted');
fresh(20);
sessions($node, 8, 'INSERT INTO open SELECT generate_series(1, 20)');
is(stats()->{rows}, 160, 'all rows of eight sessions arrive');
is(stats()->{in_flight_max}, 3, 'and never more at once either');

# A place comes back whatever becomes of its session.
my $three = 'INSERT INTO open SELECT generate_series(1, 3)';
for my $end ('statement_timeout', 'pg_terminate_backend') {
    fresh();
    $sandbox->post('/_sandbox/faults', { p_stall => 1 });
    my $session = begin($node, "SET statement_timeout = @{[ $end eq 'statement_timeout' ? 500 : 0 ]}; $three");
    wait_until(sub { stats()->{in_flight} == 3 });
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '$three%'")
        if $end eq 'pg_terminate_backend';
    wait_until(sub { stats()->{in_flight} == 0 });
    $sandbox->post('/_sandbox/faults', {});
    cmp_ok(took($node, $three), '<', 1, "$end gives places back");
    eval { $session->quit };
}

# What one session was told holds for all, also where no limit is published.
fresh();
$sandbox->post('/_sandbox/faults', { p_429 => 1, retry_after => 2, times => 1, path => '/http/quiet' });
$began = time;
my $told  = begin($node, 'INSERT INTO quiet SELECT 1');
wait_until(sub { (stats()->{status}{429} // 0) == 1 });
took($node, 'INSERT INTO quiet SELECT 2');
cmp_ok(time - $began, '>=', 1.9, 'Retry-After of one session holds the others');
$told->quit;
is(stats()->{status}{429}, 1, 'nobody asks before');

# What the headers say: others have used the account up.
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text) SERVER hubspot;
    SQL
fresh();
$sandbox->post('/_sandbox/faults', { interval_ms => 3000 });
$sandbox->post('/_sandbox/settings', { hubspot_rate_max => 100, hubspot_rate_remaining => 0 });
$began = time;
$node->safe_psql('postgres', q(INSERT INTO contacts VALUES ('a@example.com')));
$sandbox->post('/_sandbox/settings', {});
$node->safe_psql('postgres', q(INSERT INTO contacts VALUES ('b@example.com')));
cmp_ok(time - $began, '>=', 3, 'others used the account up: nothing goes until the reset');
cmp_ok(took($node, q(INSERT INTO contacts VALUES ('c@example.com'))), '<', 3, 'then it goes on');

done_testing();
