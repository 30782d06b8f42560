# Rows of a run that leave straight from its session: what happens while they do. The session, or the server, is killed,
# the wait is cancelled, the destination is paused or breaks down, others queue rows of the same keys.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PsqlSession;
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    restart_after_crash = on
    synchronous_commit = off
    CONF
my $session = PsqlSession->new($node);
sub sql { return $session->ask(@_) }
sub connect_anew { $session->stop; return }

my $rows = 1000;
sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', max_in_flight '2', max_attempts '1');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE TABLE customers AS SELECT 'c' || n || '\@x' AS email, 'v0' AS name FROM generate_series(1, $rows) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, name AS firstname FROM customers', 'contacts', '{email}', 'mirror',
        max_removed => 'none');
    SQL
my @counts = qw(status queried added changed removed unchanged invalid waiting accepted rejected cancelled);
sub last_run { my $of = join ', ', @_ ? @_ : @counts; return sql("SELECT $of FROM reverse_etl.runs ORDER BY id DESC LIMIT 1") }
sub names { my %of = map { $_->{properties}{email} => $_->{properties}{firstname} } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') }; return \%of }
sub faults { $sandbox->post('/_sandbox/faults', {@_}); return }
sub slow { faults(path => '/crm/', latency_ms => $_[0]); return }

# A run in a session of its own, under way: some rows are known to be accepted. The session goes on with further
# statements.
sub begin_run {
    my @statements = map { ('-c', $_) } q(CALL reverse_etl.run_sync('customers')), @_;
    open my $running, '-|', 'bash', '-c', 'exec psql -X -v VERBOSITY=verbose -d "$0" "$@" 2>&1',
        $node->connstr('postgres') . ' application_name=runner', @statements or die;
    wait_until(sub { last_run('status', 'accepted > 0') eq 'delivering|t' });
    return $running;
}
sub said_by { my ($running) = @_; local $/; my $said = <$running> // ''; close $running; return $said }
sub is_straight { return sql('SELECT count(*) FROM reverse_etl_internal.straight_runs') }
sub queued { return sql('SELECT count(*) FROM reverse_etl.outbox') }
sub wait_for { my ($status) = @_; wait_until(sub { (eval { last_run('status') } // '') eq $status }); return }
sub are_as_in_model {
    my ($what) = @_;
    my %model = map { split /\|/ } split /\n/, sql('SELECT email, name FROM customers');
    is_deeply(names(), \%model, $what);
    return;
}

# ---- The way itself -------------------------------------------------------------------------------------------------

slow(500);
my $running = begin_run();
is(is_straight(), 1, 'rows leave straight from the session');
is(queued(), 0, 'and none of them is in the outbox');
is(sql(q(SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE application_name = 'runner')), 't',
    'while its network is waited for, it holds no snapshot and no transaction id');
# Others queue what is newer.
sql(q(BEGIN; INSERT INTO contacts VALUES ('c1000@x', 'newer'); COMMIT));
is(queued(), 1, 'a row that is queued meanwhile waits');
slow(0);
like(said_by($running), qr/NOTICE: .* run 1 of sync "customers": 1000 added, 0 changed, 0 removed, 0 unchanged, 0 invalid; 1000 accepted, 0 rejected/, 'a run of a thousand rows');
sql(q(CALL reverse_etl.wait('contacts')));
is(names()->{'c1000@x'}, 'newer', 'and leaves after those of the run');
is(sql('SELECT outcome, rows, accepted FROM reverse_etl.audit_log WHERE id = ANY ((SELECT pushes FROM reverse_etl.runs)::bigint[])'),
    'completed|1000|1000', 'the push is on record');
is(is_straight(), 0, 'nothing is left of it');

# ---- The end of the session, or of the server -----------------------------------------------------------------------

my $edition = 0;
sub change { $edition++; sql("UPDATE customers SET name = 'v$edition'"); slow(500); return }
change();
$running = begin_run();
my $run = last_run('id');
# No process of the server's is to be asked to write it down.
kill KILL => last_run('pid');
said_by($running);
slow(0);
wait_for_server($node);
wait_for('completed');
is(last_run('id', @counts), "$run|completed|$rows|0|$rows|0|0|0|0|$rows|0|0", 'a run whose session is killed goes on elsewhere, and its counts add up');
are_as_in_model('every row is as in the model');

change();
$running = begin_run();
$run     = last_run('id');
$node->stop('immediate');
said_by($running);
slow(0);
$node->start;
wait_for('completed');
is(last_run('id', @counts), "$run|completed|$rows|0|$rows|0|0|0|0|$rows|0|0", 'so does one whose server is stopped');
are_as_in_model('with every row');

# What was under way may have arrived. It is told apart, also where the model is as before again.
change();
$running = begin_run();
$node->stop('immediate');
said_by($running);
slow(0);
# Nobody takes the run up before the model is as it was.
$node->append_conf('postgresql.conf', q(shared_preload_libraries = ''));
$node->start;
connect_anew();
$edition--;
sql("UPDATE customers SET name = 'v$edition'; DELETE FROM customers WHERE email IN ('c5\@x', 'c500\@x')");
$node->append_conf('postgresql.conf', q(shared_preload_libraries = 'reverse_etl'));
$node->restart;
connect_anew();
wait_for('completed');
are_as_in_model('what arrived before a crash, and is taken back, does not stay');

# ---- Cancels --------------------------------------------------------------------------------------------------------

change();
$running = begin_run('SELECT pg_sleep(60)');
$run     = last_run('id');
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'runner'));
slow(0);
wait_for('completed');
is(sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runner')), 't', 'who waits for a run goes on to other things');
like(said_by($running), qr/ERROR:  57014: .*canceling statement due to user request/, 'when told not to');
my $of_model = $rows - 2;
is(last_run('id', @counts), "$run|completed|$of_model|0|$of_model|0|0|0|0|$of_model|0|0", 'it goes on in the background, to its end');
are_as_in_model('with every row, again');

change();
$running = begin_run();
my $began = time;
sql('SELECT reverse_etl.cancel_run(' . last_run('id') . ')');
like(said_by($running), qr/WARNING: .*run \d+ of sync "customers" was cancelled/, 'a run is cancelled');
cmp_ok(time - $began, '<', 3, 'within a moment');
my ($status, $accepted, $cancelled, $waiting) = split /\|/, last_run(qw(status accepted cancelled waiting));
is("$status " . ($accepted + $cancelled) . " $waiting", "cancelled $of_model 0", 'and its counts add up');
is(scalar(grep { $_ eq "v$edition" } values %{ names() }), $accepted, 'the destination has what was accepted');
slow(0);
sql(q(CALL reverse_etl.run_sync('customers')));
is(last_run(qw(changed accepted)), "$cancelled|$cancelled", 'the next one sends the rest');

# ---- Into the outbox ------------------------------------------------------------------------------------------------

change();
$running = begin_run();
sql(q(BEGIN; INSERT INTO contacts VALUES ('c999@x', 'newer'); COMMIT));
sql(q(SELECT reverse_etl.pause('contacts')));
wait_until(sub { queued() > 1 });
is(is_straight(), 0, 'a destination is paused, and the rest waits in the outbox');
is(last_run('status', 'accepted + waiting'), "delivering|$of_model", 'no row is lost on the way');
is(sql('SELECT max(id) FROM reverse_etl.outbox WHERE sync IS NULL') > sql('SELECT max(id) FROM reverse_etl.outbox WHERE sync IS NOT NULL'), 1,
    'before what was queued since');
slow(0);
sql(q(SELECT reverse_etl.resume('contacts')));
like(said_by($running), qr/998 accepted, 0 rejected/, 'where its session waits for it');
sql(q(CALL reverse_etl.wait('contacts')));
is(names()->{'c999@x'}, 'newer', 'and leaves in order');
sql(q(UPDATE customers SET name = 'newer' WHERE email = 'c999@x'));

change();
$running = begin_run();
faults(path => '/crm/', p_500 => 1);
wait_until(sub { sql('SELECT count(*) FROM reverse_etl.destination_states') });
is(is_straight(), 0, 'a destination breaks down, and the rest waits in the outbox');
slow(0);
sql(q(SELECT reverse_etl.resume('contacts')));
like(said_by($running), qr/998 accepted, 0 rejected/, 'until it is back');
are_as_in_model('when all of it is there');

# ---- What is refused ------------------------------------------------------------------------------------------------

sql(q(UPDATE customers SET email = 'nowhere' || substr(email, 2, 3) WHERE email LIKE 'c99_@x'; CALL reverse_etl.run_sync('customers')));
is(last_run(qw(status added removed accepted rejected)), 'completed|10|10|10|10', 'rows that are refused are counted');
is(sql(q(SELECT outcome, count(*), min(http_status) FROM reverse_etl.run_rows WHERE run_id = (SELECT max(id) FROM reverse_etl.runs) GROUP BY 1)),
    'rejected|10|207', 'and shown');
sql(q(SELECT reverse_etl.alter_sync('customers', max_attempts => 2); CALL reverse_etl.run_sync('customers'); CALL reverse_etl.run_sync('customers')));
is(last_run(qw(status invalid quarantined)), 'completed|10|10', 'until they were refused too often');

# ---- In the background ----------------------------------------------------------------------------------------------

sub status_of { return sql("SELECT status FROM reverse_etl.runs WHERE sync = '$_[0]' ORDER BY id DESC LIMIT 1") }
sub straight { return sql(q(SELECT string_agg(sync, ' ') FROM reverse_etl_internal.straight_runs JOIN reverse_etl.runs ON id = run_id)) }
sql(<<~SQL);
    SELECT reverse_etl.create_sync(name, 'SELECT email, name AS firstname FROM customers WHERE email LIKE ''c%''' || asleep, 'contacts',
        '{email}', run_after => 'customers')
      FROM (VALUES ('one', ''), ('sleeps', ' AND pg_sleep(600) IS NOT NULL'), ('two', '')) AS _ (name, asleep);
    SQL
slow(1500);
sql(q(CALL reverse_etl.run_sync('customers')));
wait_until(sub { straight() eq 'one' });
pass('rows of a run that follows another leave straight from its process');
# The second process of the role is busy with the one that sleeps.
wait_until(sub { status_of('two') });
is(status_of('one') . (straight() =~ /one/ ? ' straight' : ' queued'), 'delivering queued',
    'until others have waited for long enough, when the rest goes into the outbox');
slow(0);
wait_until(sub { status_of('one') eq 'completed' && status_of('two') eq 'completed' });
is(sql(q(SELECT string_agg(accepted::text, ' ') FROM reverse_etl.runs WHERE sync IN ('one', 'two'))), '988 988', 'from where all of it leaves');

done_testing();
