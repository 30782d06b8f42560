# What is wrong with a destination keeps its rows, says so in reverse_etl.destination_states and passes by itself or is
# mended by someone. What is wrong with a row rejects the row.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '2');
    CREATE FOREIGN TABLE events (n integer) SERVER inhouse
        OPTIONS (path '/http/events', idempotency_key 'Idempotency-Key');
    CREATE FOREIGN TABLE things (email text, n integer) SERVER inhouse
        OPTIONS (path '/http/things', key 'email', outbox_max_attempts '2');
    SQL

# Credentials that are refused
$sandbox->post('/_sandbox/settings', { http_credentials => { header => 'Authorization', value => 'Bearer right' } });
$node->safe_psql('postgres', q(CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse OPTIONS (token 'wrong')));
queue('INSERT INTO events SELECT generate_series(1, 2000)');
wait_for_state('events', 'paused');
like(reason('events'), qr/HTTP status 401/, '401 pauses a destination, with the reason');
is(waiting('events'), 2000, 'and keeps its rows');
my $asked = stats()->{requests};
cmp_ok($asked, '<=', 8, 'no more was asked than was in flight');
queue('INSERT INTO events VALUES (2001)');
sleep 1;
is(stats()->{requests}, $asked, 'nor later, when more rows come');
$node->safe_psql('postgres', q(ALTER USER MAPPING FOR CURRENT_USER SERVER inhouse OPTIONS (SET token 'right')));
wait_until(sub { waiting('events') == 0 });
is(arrived('events'), 2001, 'a changed user mapping wakes it');
is(state('events'), '', 'and the state is gone');

expect('Bearer other');
queue('INSERT INTO events VALUES (2002)');
wait_for_state('events', 'paused');
expect('Bearer right');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.events')));
wait_until(sub { waiting('events') == 0 });
is(arrived('events'), 2002, 'so does resume()');

# Credentials that are not there
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.pause_server('inhouse');
    INSERT INTO events VALUES (2003);
    DROP USER MAPPING FOR CURRENT_USER SERVER inhouse;
    SELECT reverse_etl.resume_server('inhouse');
    SQL
wait_for_state('events', 'paused');
is(waiting('events'), 1, 'without credentials rows wait');
$node->safe_psql('postgres', q(CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse OPTIONS (token 'right')));
wait_until(sub { waiting('events') == 0 });
is(arrived('events'), 2003, 'until there are some');

# A host that is not there
$node->safe_psql('postgres', q(ALTER SERVER inhouse OPTIONS (SET base_url 'http://nowhere.invalid')));
queue('INSERT INTO events VALUES (2004)');
wait_for_state('events', 'paused');
like(reason('events'), qr/nowhere\.invalid/, 'a host that cannot be resolved pauses it');
$node->safe_psql('postgres', "ALTER SERVER inhouse OPTIONS (SET base_url '$url')");
wait_until(sub { waiting('events') == 0 });
is(arrived('events'), 2004, 'a changed server wakes it');

# A destination that is down for a while
fresh();
$sandbox->post('/_sandbox/faults', { p_503 => 1, path => '/http/events' });
queue('INSERT INTO events SELECT generate_series(1, 1000)');
wait_for_state('events', 'failing');
like(reason('events'), qr/service unavailable, after 2 attempts/, 'repeated failure opens the circuit');
$asked = stats()->{requests};
cmp_ok($asked, '<=', 16, 'after the attempts of what was in flight');
queue(q(INSERT INTO things VALUES ('other@example.com', 1)));
wait_until(sub { waiting('things') == 0 });
is(arrived('things'), 1, 'another destination of the server goes on');
my $probes = stats()->{requests};
$sandbox->post('/_sandbox/faults', {});
wait_until(sub { waiting('events') == 0 });
is(arrived('events'), 1000, 'the circuit closes by itself');
is(state('events'), '', 'and the state is gone');

# A row that its destination cannot stand
fresh();
queue(q(INSERT INTO things SELECT 'thing' || n || '@example.com', n FROM generate_series(1, 200) AS n));
queue(q(INSERT INTO things VALUES ('poison@example.com', 0)));
wait_until(sub { waiting('things') == 0 });
$sandbox->post('/_sandbox/faults', { p_500 => 1, path => '/http/things/poison' });
queue(q(UPDATE things SET n = -1 WHERE email = 'poison@example.com'));
for my $n (1 .. 200) {
    last if waiting('things') == 0;
    queue("UPDATE things SET n = -$n WHERE email = 'thing$n\@example.com'");
    sleep 0.05;
}
wait_until(sub { waiting('things') == 0 });
my $rejected = $node->safe_psql('postgres', q(SELECT key ->> 'email', reason FROM reverse_etl.rejected_rows));
like($rejected, qr/^poison\@example\.com\|gave up after 2 attempts: .*internal server error.*\n.*internal server error/,
    'a row that fails while others arrive is rejected, with the history of reasons');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows)), 1, 'it alone');

# A create without a key that the server's end cut short: nobody knows whether it was done
fresh();
$node->safe_psql('postgres', <<~'SQL');
    TRUNCATE reverse_etl.rejected_rows;
    CREATE FOREIGN TABLE letters (n integer) SERVER inhouse OPTIONS (path '/http/letters');
    SQL
$sandbox->post('/_sandbox/faults', { p_stall => 1, path => '/http/letters' });
queue('INSERT INTO letters VALUES (1), (2)');
wait_until(sub { stats()->{requests} > 0 });
$node->stop('immediate');
$sandbox->post('/_sandbox/faults', {});
$node->start;
queue('INSERT INTO letters VALUES (3)');
wait_until(sub { waiting('letters') == 0 });
is($node->safe_psql('postgres', q(SELECT row ->> 'n', reason LIKE 'outcome unknown%' FROM reverse_etl.rejected_rows ORDER BY 1)),
    "1|t\n2|t", 'a create without a key that was cut short is rejected as unknown');
is(arrived('letters'), 1, 'and not made again; what comes after it is');

# Creates that surely were not done when the server was killed: refused for now, or not even sent. Nobody doubts them.
fresh();
$node->safe_psql('postgres', 'TRUNCATE reverse_etl.rejected_rows');
# Not asked again before the server is killed, however long that takes.
$sandbox->post('/_sandbox/faults', { p_429 => 1, retry_after => '60', path => '/http/letters' });
my $before = arrived('letters');
queue('INSERT INTO letters SELECT generate_series(11, 70)');
wait_until(sub { stats()->{requests} > 0 });
wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl_internal.outbox_requests') eq '0' });
$node->stop('immediate');
$sandbox->post('/_sandbox/faults', {});
$node->start;
wait_until(sub { waiting('letters') == 0 });
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows)), 0, 'what never left is not unknown');
is(arrived('letters'), $before + 60, 'but sent, once');

# A create with a key that the server's end cut short comes again as it was, however many rows lie between its own
fresh();
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE calls (n integer, note text) SERVER inhouse
        OPTIONS (path '/http/calls', idempotency_key 'Idempotency-Key');
    SELECT reverse_etl.pause('public.calls');
    INSERT INTO calls (n) VALUES (1);
    INSERT INTO calls (note) SELECT 'note ' || n FROM generate_series(1, 2500) AS n;
    INSERT INTO calls (n) VALUES (2);
    SQL
$sandbox->post('/_sandbox/faults', { latency_ms => 60_000, path => '/http/calls' });
queue(q(SELECT reverse_etl.resume('public.calls')));
wait_until(sub { calls() });
is(calls(), '1 2', 'two rows leave together');
# As if it had ended between the transactions that put them off.
queue(q(UPDATE reverse_etl.outbox SET next_attempt_at = now() + interval '2 s', attempts = 1 WHERE "row" ->> 'n' = '1'));
$node->stop('immediate');
$sandbox->post('/_sandbox/faults', {});
$node->start;
wait_until(sub { waiting('calls') == 0 });
is(calls(), '1 2', 'and again after the server was killed: they are there once');
is(arrived('calls'), 2502, 'as are the rows between them');

# Of a create that may have been made, one row expires
$node->safe_psql('postgres', 'TRUNCATE reverse_etl.rejected_rows');
$sandbox->post('/_sandbox/faults', { latency_ms => 60_000, path => '/http/calls' });
queue('INSERT INTO calls (n) VALUES (3), (4)');
wait_until(sub { arrived('calls') > 2502 });
queue(q(UPDATE reverse_etl.outbox SET enqueued_at = now() - interval '1 year' WHERE "row" ->> 'n' = '3'));
$node->stop('immediate');
$sandbox->post('/_sandbox/faults', {});
$node->start;
wait_until(sub { waiting('calls') == 0 });
is(calls(), '1 2 3 4', 'the rest is not made again in another request');
is($node->safe_psql('postgres', q(SELECT "row" ->> 'n', reason FROM reverse_etl.rejected_rows ORDER BY 1)), <<~'ROWS' =~ s/\n$//r,
    3|outcome unknown, the destination may have the row: expired: it waited longer than "outbox_ttl" allows
    4|outcome unknown, the destination may have the row: a row of its request expired
    ROWS
    'and nobody says of either that it is not there');

# Rights that are taken away while rows wait
fresh();
$node->safe_psql('postgres', <<~'SQL');
    TRUNCATE reverse_etl.rejected_rows;
    CREATE ROLE clerk;
    CREATE ROLE leaver;
    CREATE USER MAPPING FOR PUBLIC SERVER inhouse OPTIONS (token 'right');
    GRANT INSERT ON events TO clerk, leaver;
    SELECT reverse_etl.pause('public.events');
    SET ROLE clerk;
    INSERT INTO events VALUES (1);
    SET ROLE leaver;
    INSERT INTO events VALUES (2);
    RESET ROLE;
    INSERT INTO events VALUES (3);
    REVOKE INSERT ON events FROM clerk, leaver;
    DROP ROLE leaver;
    SELECT reverse_etl.resume('public.events');
    SQL
wait_until(sub { waiting('events') == 0 });
is($node->safe_psql('postgres', q(SELECT row ->> 'n', reason FROM reverse_etl.rejected_rows ORDER BY 1)),
    "1|the role has no INSERT on the table any more\n2|the role does not exist any more", 'rows without rights are rejected');
is(arrived('events'), 1, 'the others arrive');

# A row that waits too long
$node->safe_psql('postgres', <<~'SQL');
    TRUNCATE reverse_etl.rejected_rows;
    ALTER FOREIGN TABLE events OPTIONS (ADD outbox_ttl '1s');
    SELECT reverse_etl.pause('public.events');
    INSERT INTO events VALUES (4);
    SELECT pg_sleep(1.1);
    SELECT reverse_etl.resume('public.events');
    SQL
wait_until(sub { waiting('events') == 0 });
is($node->safe_psql('postgres', q(SELECT reason FROM reverse_etl.rejected_rows)),
    'expired: it waited longer than "outbox_ttl" allows', 'a row that waited too long is rejected');
is(arrived('events'), 1, 'and not sent');

# A destination that is dropped
$node->safe_psql('postgres', <<~'SQL');
    TRUNCATE reverse_etl.rejected_rows;
    SELECT reverse_etl.pause('public.events');
    INSERT INTO events SELECT generate_series(5, 7);
    DROP FOREIGN TABLE events;
    SELECT reverse_etl_internal.wake_worker();
    SQL
wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.rejected_rows') == 3 });
is($node->safe_psql('postgres', q(SELECT DISTINCT destination_name ~ 'events|dropped', destination IS NULL, reason FROM reverse_etl.rejected_rows)),
    't|t|the destination was dropped', 'rows of a dropped destination are rejected');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.outbox)), 0, 'and wait no more');

sub queue {
    my ($sql) = @_;
    $node->safe_psql('postgres', $sql);
    return;
}

sub waiting {
    my ($table) = @_;
    return $node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.outbox WHERE destination = '$table'::regclass");
}

sub calls {
    return join ' ', sort map { $_->{n} // () } @{ $sandbox->get('/_sandbox/records/http/calls') };
}

sub arrived { return $sandbox->get("/_sandbox/count/http/$_[0]")->{count} }

sub state { return of_state($_[0], 'state') }
sub reason { return of_state($_[0], 'reason') }

sub of_state {
    my ($table, $column) = @_;
    return $node->safe_psql('postgres',
        "SELECT $column FROM reverse_etl.destination_states WHERE destination = '$table'::regclass");
}

sub wait_for_state {
    my ($table, $wanted) = @_;
    wait_until(sub { state($table) eq $wanted });
    return;
}

sub expect {
    $sandbox->post('/_sandbox/settings', { http_credentials => { header => 'Authorization', value => $_[0] } });
    return;
}

sub fresh {
    $sandbox->post('/_sandbox/reset?keep=settings');
    return;
}

sub stats { return $sandbox->get('/_sandbox/stats') }

done_testing();
