# A statement that waits for a destination ends at once when it is cancelled or times out, whatever it waits for, and
# its session goes on. Backends that die in the middle of a push leave a healthy server.
# Alone: it measures times.

use strict;
use warnings FATAL => 'all';

use List::Util qw(all);
use ReverseETL;
use Test::More;

# The promise is 100 ms; the rest is for a busy machine.
my $longest_ms = 300;

my $sandbox = start_sandbox();
my $node    = new_node('main', 'restart_after_crash = on');
my $url     = $sandbox->url;

$node->safe_psql('postgres', <<~SQL);
    SELECT reverse_etl.create_connector('slow', '{
        "manifest": 1, "name": "slow", "title": "One request an hour", "schema": "slow", "base_url": "$url",
        "auth": [{ "kind": "none" }],
        "rate_limits": [{ "name": "hourly", "requests": 1, "seconds": 3600 }],
        "operations": { "create": { "request": "POST /http/slow", "body": { "\$columns": "all" } } },
        "objects": { "messages": { "columns": { "body": "text" } } }
    }');
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url/http');
    CREATE SERVER slow FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'slow');
    CREATE SERVER salesforce FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'salesforce', base_url '$url', instance 'x');
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE SERVER next FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url/http');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
    CREATE USER MAPPING FOR PUBLIC SERVER next;
    CREATE USER MAPPING FOR PUBLIC SERVER slow;
    CREATE USER MAPPING FOR PUBLIC SERVER salesforce OPTIONS (client_id 'us', client_secret 'secret-1');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE people (email text) SERVER endpoint OPTIONS (path '/people');
    CREATE FOREIGN TABLE next_people (email text) SERVER next OPTIONS (path '/people');
    CREATE FOREIGN TABLE messages (body text) SERVER slow;
    CREATE FOREIGN TABLE accounts ("Name" text) SERVER salesforce OPTIONS (object 'Account');
    CREATE FOREIGN TABLE contacts (email text, firstname text, lastname text) SERVER hubspot;
    SQL

my @waits = (
    [ 'a request',       { p_stall => 1 },                      "INSERT INTO people VALUES ('a\@example.com')" ],
    [ 'an answer',       { p_stall => 1 },                      'SELECT * FROM people' ],
    [ 'its next chance', { p_503   => 1, retry_after => 3600 }, "INSERT INTO people VALUES ('b\@example.com')" ],
    [ 'a token', { p_stall => 1, path => 'oauth2' }, q(INSERT INTO accounts ("Name") VALUES ('a')) ],
    [ 'a rate limit',    {},                                    "INSERT INTO messages VALUES ('1'), ('2')" ],
);

for my $case (@waits) {
    my ($what, $faults, $statement) = @$case;
    for my $end ('pg_cancel_backend', 'statement_timeout') {
        my $session = $node->background_psql('postgres', on_error_stop => 0);
        $sandbox->post('/_sandbox/faults', $faults);
        my $ended = $end eq 'pg_cancel_backend' ? cancelled($session, $statement) : timed_out($session, $statement);
        note sprintf '%s while waiting for %s: %.0f ms', $end, $what, $ended;
        cmp_ok($ended, '<', $longest_ms, "$end ends the wait for $what");
        like($session->{stderr}, qr/canceling statement due to/, 'with the usual words');

        $session->{stderr} = '';
        $sandbox->post('/_sandbox/faults', {});
        # Elsewhere: what one statement was told by its destination holds for the next one.
        is($session->query("INSERT INTO next_people VALUES ('after\@example.com'); SELECT 1"), 1, 'the session goes on');
        is($session->{stderr}, '', 'without a word');
        $session->quit;
    }
}

for my $end ('pg_terminate_backend', 'kill -9') {
    $sandbox->post('/_sandbox/reset');
    $sandbox->post('/_sandbox/faults', { latency_ms => 50 });
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $session->query('SELECT pg_backend_pid()');
    $session->query_until(qr/started/, <<~'SQL');
        \echo started
        INSERT INTO contacts
        SELECT 'c' || i || '@example.com', 'first ' || i, 'last ' || i FROM generate_series(1, 50000) i;
        SQL
    wait_until(sub { $sandbox->get('/_sandbox/count/hubspot/contacts')->{count} >= 500 });
    $end eq 'kill -9' ? kill(KILL => $pid) : $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    wait_until(sub { !kill 0, $pid });
    wait_for_server($node);
    pass("$end in the middle of a push: the server is up");
    eval { $session->quit };

    my $contacts = $sandbox->get('/_sandbox/records/hubspot/contacts');
    note scalar(@$contacts) . ' contacts arrived';
    ok(@$contacts < 50000, 'the push ended early');
    ok((all { whole($_->{properties}) } @$contacts), 'every contact that arrived is whole');
    $sandbox->post('/_sandbox/faults', {});
    my $again = "INSERT INTO contacts VALUES ('c0\@example.com', 'first 0', 'last 0')";
    is($node->psql('postgres', $again), 0, 'and delivers again');
}

done_testing();

# Milliseconds from pg_cancel_backend to the session's next statement.
sub cancelled {
    my ($session, $statement) = @_;
    # The session goes on by itself, so that nothing else is measured.
    $session->query_until(qr/started/, "\\echo started\n$statement;\nSELECT extract(epoch FROM clock_timestamp());\n");
    my $waiting = "pg_stat_activity WHERE query = \$\$$statement;\$\$ AND wait_event_type = 'Extension'";
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM $waiting AND query_start < now() - interval '0.3 s'");
    my $cancelled_at = $node->safe_psql('postgres', <<~SQL);
        SELECT extract(epoch FROM at)
          FROM (SELECT pid, clock_timestamp() AS at FROM $waiting OFFSET 0) AS _, pg_cancel_backend(pid)
        SQL
    return 1000 * ($session->query('') - $cancelled_at);
}

# Milliseconds from the end of statement_timeout to the session's next statement.
sub timed_out {
    my ($session, $statement) = @_;
    my $began = $session->query("SET statement_timeout = '300ms'; SELECT extract(epoch FROM clock_timestamp())");
    $session->query($statement);
    my $ended = $session->query('RESET statement_timeout; SELECT extract(epoch FROM clock_timestamp())');
    return 1000 * ($ended - $began) - 300;
}

sub whole {
    my ($contact) = @_;
    my ($number) = $contact->{email} =~ /^c(\d+)\@example.com$/ or return 0;
    return $contact->{firstname} eq "first $number" && $contact->{lastname} eq "last $number";
}
