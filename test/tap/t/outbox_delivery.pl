# Queued rows are part of their transaction, leave when it has committed, in the order of their key, and whatever the
# worker is in the middle of.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_prepared_transactions = 5");
set_up($node, 'postgres');

# The end of a transaction
$node->safe_psql('postgres', <<~'SQL');
    BEGIN;
    INSERT INTO events VALUES (1);
    ROLLBACK;
    BEGIN;
    INSERT INTO events VALUES (2);
    SAVEPOINT s;
    INSERT INTO events VALUES (3);
    ROLLBACK TO s;
    INSERT INTO events VALUES (4);
    SAVEPOINT t;
    INSERT INTO events VALUES (5);
    RELEASE t;
    COMMIT;
    SQL
settle();
is(events(), '2 4 5', 'what was rolled back does not leave');
$node->psql('postgres', 'BEGIN; INSERT INTO events VALUES (6); SELECT 1 / 0; COMMIT');
$node->safe_psql('postgres', 'INSERT INTO events VALUES (7)');
settle();
is(events(), '2 4 5 7', 'nor do rows of a transaction that failed');

# Two-phase commit
$node->safe_psql('postgres', q(BEGIN; INSERT INTO events VALUES (8); PREPARE TRANSACTION 'kept'));
$node->safe_psql('postgres', q(BEGIN; INSERT INTO events VALUES (9); PREPARE TRANSACTION 'lost'));
$node->safe_psql('postgres', 'INSERT INTO events VALUES (10)');
wait_until(sub { events() =~ /\b10\b/ });
$node->safe_psql('postgres', q(ROLLBACK PREPARED 'lost'));
is(events(), '2 4 5 7 10', 'a prepared transaction waits');
$node->safe_psql('postgres', q(COMMIT PREPARED 'kept'));
wait_until(sub { events() =~ /\b8\b/ });
settle();
is(events(), '2 4 5 7 8 10', 'COMMIT PREPARED wakes the worker');

# Transactions that end in another order than they began, one of them prepared in between
my $late     = $node->background_psql('postgres');
my $prepared = $node->background_psql('postgres');
$late->query_safe('BEGIN; INSERT INTO events VALUES (11)');
$prepared->query_safe('BEGIN; INSERT INTO events VALUES (12)');
for my $n (13 .. 15) {
    $node->safe_psql('postgres', "INSERT INTO events VALUES ($n)");
    wait_until(sub { events() =~ /\b$n\b/ });
}
$prepared->query_safe(q(PREPARE TRANSACTION 'late'));
for my $n (16 .. 18) {
    $node->safe_psql('postgres', "INSERT INTO events VALUES ($n)");
    wait_until(sub { events() =~ /\b$n\b/ });
}
$late->query_safe('COMMIT');
wait_until(sub { events() =~ /\b11\b/ });
pass('rows of a transaction that ends late arrive');
for my $n (19 .. 20) {
    $node->safe_psql('postgres', "INSERT INTO events VALUES ($n)");
    wait_until(sub { events() =~ /\b$n\b/ });
}
$node->safe_psql('postgres', q(COMMIT PREPARED 'late'));
wait_until(sub { events() =~ /\b12\b/ });
pass('so do those of one that was prepared in between');
$_->quit for $late, $prepared;
settle();

# The order of a key
fresh();
$node->safe_psql('postgres', "INSERT INTO contacts VALUES ('ada\@example.com', '$_')") for 1 .. 50;
settle();
is(lastname('ada@example.com'), '50', 'changes of one key arrive in order');
fresh();
$sandbox->post('/_sandbox/faults', [ { p_503 => 1, times => 3 }, { p_reset => 0.2, latency_ms => 5 } ]);
$sandbox->post('/_sandbox/record', { on => JSON::PP::true });
for my $n (1 .. 50) {
    $node->safe_psql('postgres', "INSERT INTO contacts VALUES ('ada\@example.com', '$n'), ('bob$n\@example.com', '$n')");
    $node->safe_psql('postgres', q(DELETE FROM contacts WHERE email = 'ada@example.com')) if $n == 30;
}
settle();
is(lastname('ada@example.com'), '50', 'also where requests fail');
my @sent = map { $_->{body} =~ /"ada\@example\.com".*?"lastname":"(\d+)"/ && $_->{status} == 200 ? $1 : () }
    @{ $sandbox->get('/_sandbox/requests') };
is_deeply(\@sent, [ sort { $a <=> $b } @sent ], 'no change overtakes another');

# Changes that wait together
fresh();
$node->safe_psql('postgres', q(SELECT reverse_etl.pause_server('hubspot')));
for my $n (1 .. 20) {
    $node->safe_psql('postgres', "INSERT INTO contacts SELECT 'c' || i || '\@example.com', '$n' FROM generate_series(1, 50) AS i");
}
sleep 0.5;
is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'nothing leaves while the destination is paused');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot')));
settle();
is($sandbox->get('/_sandbox/stats')->{requests}, 1, 'changes that wait together leave as the last of them');
is($sandbox->get('/_sandbox/stats')->{rows}, 50, 'once a key');
is(lastname('c7@example.com'), '20', 'in the last state');
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.pause('public.contacts');
    INSERT INTO contacts VALUES ('gone@example.com', '1');
    DELETE FROM contacts WHERE email = 'gone@example.com';
    INSERT INTO contacts VALUES ('back@example.com', '1');
    DELETE FROM contacts WHERE email = 'back@example.com';
    INSERT INTO contacts VALUES ('back@example.com', '2');
    SELECT reverse_etl.resume('public.contacts');
    SQL
settle();
is(lastname('gone@example.com'), undef, 'what was deleted last is gone');
is(lastname('back@example.com'), '2', 'what came back is there');
$node->safe_psql('postgres', <<~'SQL');
    SELECT reverse_etl.pause('public.contacts');
    INSERT INTO contacts VALUES ('kept@example.com', '1');
    INSERT INTO contacts VALUES ('kept@example.com', NULL);
    SELECT reverse_etl.resume('public.contacts');
    SQL
settle();
is(lastname('kept@example.com'), '1', 'what a later change leaves alone is not lost');

# More waits than the worker holds when the definition is read anew.
fresh();
$node->safe_psql('postgres',
    q(SELECT reverse_etl.pause_server('inhouse'); INSERT INTO events SELECT generate_series(1, 6000)));
sleep 0.5;
$node->safe_psql('postgres', q(CREATE SCHEMA another; ALTER SERVER inhouse OPTIONS (ADD max_in_flight '4')));
sleep 0.2;
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('inhouse')));
settle();
is((my @events = split / /, events()), 6000, 'a full queue whose definition changed goes on');

# A standby is silent, and goes on when it is promoted.
fresh();
$node->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 5");
$node->restart;
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q(SELECT reverse_etl.pause_server('inhouse'); INSERT INTO events SELECT generate_series(1, 300)));
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('inhouse'), reverse_etl.pause_server('hubspot'); INSERT INTO contacts VALUES ('sb@example.com', '1')));
wait_until(sub { (my @all = split / /, events()) == 300 });
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')),
    0, 'a standby has no worker');
$node->stop;
$standby->promote;
$standby->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot')));
wait_until(sub { defined lastname('sb@example.com') });
is((my @all = split / /, events()), 300, 'a promoted standby goes on where the primary stood');
$standby->stop;

# Without preload
my $alone = new_node('alone');
set_up($alone, 'postgres');
fresh();
$alone->restart;
is(workers($alone), 0, 'without preload there is no worker');
$alone->safe_psql('postgres', 'BEGIN; INSERT INTO events VALUES (1); ROLLBACK');
is(workers($alone), 0, 'a transaction that is rolled back needs none');
$alone->safe_psql('postgres', 'INSERT INTO events VALUES (2)');
wait_until(sub { events() eq '2' });
is(workers($alone), 1, 'COMMIT starts one');
$alone->safe_psql('postgres', 'INSERT INTO events VALUES (3)');
wait_until(sub { events() eq '2 3' });
is(workers($alone), 1, 'which serves what follows');
$alone->restart;
is(workers($alone), 0, 'it does not come back by itself');
$alone->safe_psql('postgres', 'INSERT INTO events VALUES (4)');
wait_until(sub { events() eq '2 3 4' });
pass('but when it is needed');

sub set_up {
    my ($cluster, $database) = @_;
    $cluster->safe_psql($database, <<~SQL);
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url', delivery 'queued');
        CREATE FOREIGN TABLE events (n integer) SERVER inhouse OPTIONS (path '/http/events');
        CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'hubspot', base_url '$url', delivery 'queued');
        CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
        CREATE FOREIGN TABLE contacts (email text, lastname text) SERVER hubspot;
        SQL
    return;
}

# Until nothing waits.
sub settle {
    wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') == 0 });
    return;
}

sub events {
    return join ' ', sort { $a <=> $b } map { $_->{n} } @{ $sandbox->get('/_sandbox/records/http/events') };
}

sub lastname {
    my ($email) = @_;
    my ($found) = grep { $_->{properties}{email} eq $email } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') };
    return $found && $found->{properties}{lastname};
}

sub workers {
    my ($cluster) = @_;
    return $cluster->safe_psql('postgres',
        q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
}

sub fresh {
    $sandbox->post('/_sandbox/reset');
    return;
}

done_testing();
