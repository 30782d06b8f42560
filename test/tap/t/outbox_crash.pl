# No crash loses a queued row. 100,000 rows are delivered while the server is stopped with -m immediate five times, its
# worker is killed five times and cancelled ten times, and connections to the sandbox break at random.

use strict;
use warnings FATAL => 'all';

use List::Util qw(sum);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my ($contacts, $events) = (12_500, 50_000);
my ($stops, $kills, $cancels) = (5, 5, 10);
my $in_flight = 8; # requests, of 100 rows each: the defaults

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
# Slow enough that all of it falls into the delivery, also on a busy machine. Only an answer that is lost after the rows
# were taken makes the worker repeat what was done: of upserts. Of creates nothing but a crash does.
$sandbox->post('/_sandbox/faults',
    [ { path => '/crm/', latency_ms => 500, p_reset => 0.03, reset_after_apply => JSON::PP::true },
        { path => '/http/', latency_ms => 500, p_reset => 0.03 } ]);
$sandbox->post('/_sandbox/record', { on => JSON::PP::false });

my $node = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    fsync = on
    restart_after_crash = on
    recovery_init_sync_method = syncfs
    CONF
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', delivery 'queued');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, lastname text) SERVER hubspot;
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', delivery 'queued');
    CREATE FOREIGN TABLE events (n integer) SERVER inhouse
        OPTIONS (path '/http/events', idempotency_key 'Idempotency-Key');
    CREATE TABLE customers AS
    SELECT 'c' || n || '\@example.com' AS email, 0 AS revision FROM generate_series(1, $contacts) AS n;
    SQL

# Every customer changes four times, in many transactions; what was queued and what is committed are of one mind.
my $changes = 0;
sub change {
    my ($remainder, $of) = @_;
    $changes += $node->safe_psql('postgres', <<~SQL);
        BEGIN;
        CREATE TEMPORARY TABLE changed ON COMMIT DROP AS
        SELECT email FROM customers WHERE hashtext(email) & 1023 % $of = $remainder;
        UPDATE customers SET revision = revision + 1 WHERE email IN (SELECT email FROM changed);
        INSERT INTO contacts SELECT email, 'revision ' || revision FROM customers WHERE email IN (SELECT email FROM changed);
        SELECT count(*) FROM changed;
        COMMIT;
        SQL
    return;
}

my $began = time;
$node->safe_psql('postgres', q(SELECT reverse_etl.pause_server('hubspot'), reverse_etl.pause_server('inhouse')));
for my $revision (1 .. 3) {
    change($_, 4) for 0 .. 3;
    $node->safe_psql('postgres',
        "INSERT INTO events SELECT generate_series(@{[ int(($revision - 1) * $events / 3) + 1 ]}, @{[ int($revision * $events / 3) ]})");
}
my $queued = $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox');
is($queued, 3 * $contacts + $events, 'rows are queued');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot'), reverse_etl.resume_server('inhouse')));

# The fourth change of all is made between what follows, part by part.
my @faults = map { ([ 'stop' ], [ 'cancel' ], [ 'kill' ], [ 'cancel' ]) } 1 .. 5;
my %done;
for my $part (0 .. $#faults) {
    my $kind = $faults[$part][0];
    change($part, scalar @faults);
    my $before = rows();
    wait_until(sub { rows() > $before + 500 || waiting() == 0 });
    $done{$kind}++ if waiting() > 0;
    if ($kind eq 'cancel') {
        is($node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . worker() . ')'), 't', 'the worker is cancelled');
    } elsif ($kind eq 'stop') {
        $node->stop('immediate');
        $node->start;
    } else {
        my $pid = worker();
        kill KILL => $pid;
        wait_until(sub { my $now = eval { worker() }; $now && $now != $pid });
    }
}
is($done{stop},   $stops,   'stopped while rows waited');
is($done{kill},   $kills,   'killed while rows waited');
is($done{cancel}, $cancels, 'cancelled while rows waited');
my $under_fire = time - $began;
$sandbox->post('/_sandbox/faults', {});
$sandbox->post('/_sandbox/record', { on => JSON::PP::false });
wait_until(sub { waiting() == 0 });

is($changes, 4 * $contacts, 'every customer changed four times');
is($node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.rejected_rows'), 0, 'no row is rejected');
my %revision = map { $_->{properties}{email} => $_->{properties}{lastname} } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') };
is(scalar keys %revision, $contacts, 'every contact is there');
is($sandbox->get('/_sandbox/count/hubspot/contacts')->{count}, $contacts, 'once');
is((grep { $_ ne 'revision 4' } values %revision), 0, 'in its last state');
is($node->safe_psql('postgres', 'SELECT count(*) FROM customers WHERE revision = 4'), $contacts, 'as at its source');
my %times;
$times{ $_->{n} }++ for @{ $sandbox->get('/_sandbox/records/http/events') };
is(scalar keys %times, $events, 'every event is there');
is((grep { $_ != 1 } values %times), 0, 'once: what was created before came with the same key');
my $stats = $sandbox->get('/_sandbox/stats');
is($stats->{status}{422} // 0, 0, 'and was the same request');
cmp_ok($stats->{repeated}, '<=', ($stops + $kills) * $in_flight, 'no more was repeated than was in flight when it stopped');
note(sprintf '%d rows queued (%d changes of %d contacts, %d events), delivered in %.1f s, %.1f s of it under fire',
    $changes + $events, $changes, $contacts, $events, time - $began, $under_fire);
note(sprintf '%d stops, %d kills, %d cancels; %d requests; %d rows taken by the sandbox; %d creates were repeated, all with their key',
    @done{qw(stop kill cancel)}, $stats->{requests}, $stats->{rows}, $stats->{repeated});

sub rows { return $sandbox->get('/_sandbox/stats')->{rows} }

sub waiting {
    return $node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT FROM reverse_etl.outbox LIMIT 1) AS _');
}

sub worker {
    return $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
}

done_testing();
