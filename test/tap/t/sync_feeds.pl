# What a stream sends through a sync is what the destination has in the end, without another run: whatever of the same keys
# is on its way already, in the outbox or straight from a run, and whenever the stream was made.
#
#   SYNC_FEEDS_SEED=7 SYNC_FEEDS_ROUNDS=100 test/tap/run 15 test/tap/t/sync_feeds.pl
#
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PsqlSession;
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $seed   = $ENV{SYNC_FEEDS_SEED}   // int(rand(1_000_000));
my $rounds = $ENV{SYNC_FEEDS_ROUNDS} // 6;
note("SYNC_FEEDS_SEED=$seed SYNC_FEEDS_ROUNDS=$rounds");
srand($seed);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\n");
sub sql { return $node->safe_psql('postgres', @_) }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot OPTIONS (batch_size '20');
    CREATE TABLE customers AS SELECT 'c' || n || '\@x' AS email, 'v0' AS firstname FROM generate_series(1, 200) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, firstname FROM customers', 'contacts', '{email}', 'mirror',
        max_removed => 'none');
    CALL reverse_etl.run_sync('customers');
    SQL
sub slow { $sandbox->post('/_sandbox/faults', { path => '/crm/', latency_ms => $_[0] }); return }
sub last_run { return sql("SELECT $_[0] FROM reverse_etl.runs ORDER BY id DESC LIMIT 1") }
sub stream { return sql("SELECT reverse_etl.$_[0]_sync('customers', 'customers')") }

sub are_as_in_model {
    my ($what) = @_;
    sql(q(CALL reverse_etl.wait('contacts')));
    my %there = map { $_->{properties}{email} => $_->{properties}{firstname} } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') };
    my %model = map { split /\|/ } split /\n/, sql('SELECT email, firstname FROM customers');
    return is_deeply(\%there, \%model, $what);
}

# A run in a session of its own, some of whose rows are known to be accepted.
sub begin_run {
    my ($accepted) = @_;
    slow(200);
    open my $running, '-|', 'bash', '-c', 'exec psql -X -d "$0" -c "$1" 2>&1', $node->connstr('postgres'),
        q(CALL reverse_etl.run_sync('customers')) or die;
    wait_until(sub { last_run("status = 'delivering' AND accepted >= $accepted") eq 't' });
    is(sql('SELECT count(*) FROM reverse_etl_internal.straight_runs'), 1, 'rows leave straight from a run') if $accepted;
    return $running;
}
sub end_run { my ($running) = @_; slow(0); local $/; my $said = <$running>; close $running; return $said }

# ---- Rows of the same key wait --------------------------------------------------------------------------------------

stream('stream');
sql(<<~'SQL');
    SELECT reverse_etl.pause('contacts');
    UPDATE customers SET firstname = 'v1' WHERE email = 'c1@x';
    UPDATE customers SET firstname = 'v0' WHERE email = 'c1@x';
    UPDATE customers SET firstname = 'v1' WHERE email = 'c2@x';
    DELETE FROM customers WHERE email = 'c2@x';
    INSERT INTO customers VALUES ('d1@x', 'v0');
    DELETE FROM customers WHERE email = 'd1@x';
    DELETE FROM customers WHERE email = 'c3@x';
    INSERT INTO customers VALUES ('c3@x', 'v0');
    UPDATE customers SET firstname = 'v1' WHERE email = 'c4@x';
    UPDATE customers SET firstname = 'v2' WHERE email = 'c4@x';
    UPDATE customers SET firstname = 'v1' WHERE email = 'c4@x';
    UPDATE customers SET firstname = firstname || '' WHERE email IN ('c4@x', 'c5@x');
    SQL
is(sql('SELECT count(*) FROM reverse_etl.outbox'), 11, 'a stream sends what differs from what leaves before it');
sql(q(SELECT reverse_etl.resume('contacts')));
are_as_in_model('and the destination has what came last');
is(sql(q(CALL reverse_etl.run_sync('customers'); SELECT added + changed + removed FROM reverse_etl.runs ORDER BY id DESC LIMIT 1)), 0,
    'which the state knows');
stream('unstream');

# ---- A stream is made while rows leave straight ---------------------------------------------------------------------

sql(<<~'SQL');
    UPDATE customers SET firstname = 'v3';
    DELETE FROM customers WHERE email = 'c199@x';
    INSERT INTO customers VALUES ('e1@x', 'v3');
    SQL
my $running = begin_run(1);
stream('stream');
sql(<<~'SQL');
    UPDATE customers SET firstname = 'v0' WHERE email <> 'c4@x';
    INSERT INTO customers VALUES ('c199@x', 'v0');
    DELETE FROM customers WHERE email = 'e1@x';
    SQL
end_run($running);
are_as_in_model('what the run has read is overwritten, also where the state does not know of it yet');
stream('unstream');

# ---- Or while it still reads ----------------------------------------------------------------------------------------

sub backend { my ($name) = @_; return "FROM pg_stat_activity WHERE application_name = '$name'" }
sub session {
    my ($name, $statement) = @_;
    open my $session, '-|', 'bash', '-c', 'exec psql -X -d "$0" -c "$1" 2>&1', $node->connstr('postgres') . " application_name=$name", $statement
        or die;
    return $session;
}
sql(<<~'SQL');
    SELECT reverse_etl.alter_sync('customers', query => 'SELECT email, firstname FROM customers, LATERAL (SELECT pg_sleep(1) LIMIT 1) AS _ WHERE email = ''c1@x'' UNION ALL SELECT email, firstname FROM customers WHERE email <> ''c1@x''');
    UPDATE customers SET firstname = 'v5';
    SQL
$running = session('reader', q(CALL reverse_etl.run_sync('customers')));
wait_until(sub { sql('SELECT wait_event ' . backend('reader')) eq 'PgSleep' });
my $maker = session('maker', q(SELECT reverse_etl.stream_sync('customers', 'customers')));
wait_until(sub { sql('SELECT wait_event_type ' . backend('maker')) eq 'Lock' });
pass('a stream is made when a run has what it reads on record');
close $maker;
sql(q(UPDATE customers SET firstname = 'v6' WHERE email < 'c2'));
end_run($running);
are_as_in_model('and sends what comes after it');

sql(q(UPDATE customers SET firstname = 'v7' WHERE email = 'c5@x'; SELECT reverse_etl.pause('contacts')));
$running = session('reader', q(CALL reverse_etl.run_sync('customers', wait => false)));
wait_until(sub { sql('SELECT wait_event ' . backend('reader')) eq 'PgSleep' });
sql(q(UPDATE customers SET firstname = 'v8' WHERE email = 'c5@x'));
stream('unstream');
end_run($running);
sql(q(SELECT reverse_etl.resume('contacts')));
are_as_in_model('one that ends while a run reads has sent what came last');

# What a subtransaction sends before a run reads, and commits afterwards.
stream('stream');
sql(q(SET session_replication_role = replica; UPDATE customers SET firstname = 'v9' WHERE email = 'c6@x'));
my $writer = PsqlSession->new($node);
$writer->ask($_) for 'BEGIN', 'SAVEPOINT one', q(UPDATE customers SET firstname = 'v10' WHERE email = 'c6@x'), 'RELEASE one';
sql(q(SELECT reverse_etl.pause('contacts')));
$running = session('reader', q(CALL reverse_etl.run_sync('customers', wait => false)));
wait_until(sub { sql('SELECT wait_event ' . backend('reader')) eq 'PgSleep' });
$writer->ask('COMMIT');
$writer->stop;
end_run($running);
sql(q(SELECT reverse_etl.resume('contacts')));
are_as_in_model('what a savepoint has sent is newer than what a run has read meanwhile');
stream('unstream');
sql(q(SELECT reverse_etl.alter_sync('customers', query => 'SELECT email, firstname FROM customers')));

# ---- At random ------------------------------------------------------------------------------------------------------

# Few keys and few values, so that much comes back to what it was.
sub edit {
    my ($keys) = @_;
    my ($n, $value) = (1 + int rand $keys, 'w' . int rand 2);
    return rand() < 0.3 ? "DELETE FROM customers WHERE email = 'c$n\@x';"
        : "WITH gone AS (UPDATE customers SET firstname = '$value' WHERE email = 'c$n\@x' RETURNING 1) "
        . "INSERT INTO customers SELECT 'c$n\@x', '$value' WHERE NOT EXISTS (SELECT FROM gone);";
}
for my $round (1 .. $rounds) {
    sql(join "\n", "UPDATE customers SET firstname = 'w' || (substr(firstname, 2)::int + 1) % 2;", map { edit(200) } 1 .. 10);
    $running = begin_run(0);
    sleep rand 0.3;
    my $does = (qw(nothing pause cancel terminate))[ int rand 4 ];
    my @script = ("SELECT reverse_etl.stream_sync('customers', 'customers');", map { edit(20) } 1 .. 30);
    splice @script, 1 + int rand @script, 0, "SELECT reverse_etl.pause('contacts');" if $does eq 'pause';
    splice @script, 1 + int rand @script, 0, "SELECT pg_${does}_backend(pid) FROM reverse_etl.runs WHERE status = 'delivering';" if $does =~ /cancel|terminate/;
    sql(join "\n", @script);
    sql(q(SELECT reverse_etl.resume('contacts'))) if $does eq 'pause';
    end_run($running);
    wait_until(sub { last_run('status') eq 'completed' });
    are_as_in_model("round $round, $does: the destination has what came last") or diag("SYNC_FEEDS_SEED=$seed");
    stream('unstream');
}

done_testing();
