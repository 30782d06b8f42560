# Managed syncs where something gets in the way: guards, crashes, cancels, other sessions, other roles, other settings.

use strict;
use warnings FATAL => 'all';

use JSON::PP qw(decode_json);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    restart_after_crash = on
    CONF
sub sql { return $node->safe_psql('postgres', @_) }
sub requests { return $sandbox->get('/_sandbox/stats')->{requests} }
sub rows { return $sandbox->get('/_sandbox/stats')->{rows} }

# as(ROLE, SQL): what it yields; said_to(ROLE, SQL): what is said.
sub as { my ($role, $sql) = @_; return $node->safe_psql('postgres', $sql, extra_params => [ '-U', $role ]) }
sub said_to { my ($role, $sql) = @_; return (outcome($node, $sql, '-U', $role))[1] }

# In a session that goes on meanwhile; what it said is read from what is returned.
sub begin_session {
    my ($statement, $name) = @_;
    open my $session, '-|', 'bash', '-c', 'exec psql -X -v VERBOSITY=verbose -d "$0" -c "$1" 2>&1',
        $node->connstr('postgres') . " application_name=$name", $statement or die;
    return $session;
}
sub rest_of { my ($session) = @_; local $/; my $said = <$session> // ''; close $session; return $said }

my @counts = qw(status queried added changed removed unchanged invalid waiting accepted rejected cancelled);
sub last_run {
    my ($sync, @columns) = @_;
    my $columns = join ', ', @columns ? @columns : @counts;
    return sql("SELECT $columns FROM reverse_etl.runs WHERE sync = '$sync' ORDER BY id DESC LIMIT 1");
}
sub run { my ($sync) = @_; sql("CALL reverse_etl.run_sync('$sync')"); return last_run($sync) }
sub wait_for { my ($sync, $status) = @_; wait_until(sub { last_run($sync, 'status') eq $status }); return }

my $rows = 2000;
sql(<<~SQL);
    CREATE ROLE sales LOGIN;
    CREATE ROLE clerk LOGIN IN ROLE sales;
    CREATE ROLE stranger LOGIN;
    GRANT CREATE, USAGE ON SCHEMA public TO sales;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', max_in_flight '2');
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    GRANT USAGE ON FOREIGN SERVER hubspot, inhouse TO sales;
    CREATE USER MAPPING FOR PUBLIC SERVER inhouse;
    CREATE USER MAPPING FOR sales SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    SQL
as('sales', <<~SQL);
    CREATE FOREIGN TABLE contacts (email text, firstname text, lastname text) SERVER hubspot;
    CREATE TABLE customers (id integer PRIMARY KEY, email text, name text, region text DEFAULT 'north');
    INSERT INTO customers SELECT n, 'c' || n || '\@example.com', 'Name ' || n FROM generate_series(1, $rows) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, name AS firstname FROM customers', 'contacts', '{email}', 'mirror');
    SQL

# ---- Guards ---------------------------------------------------------------------------------------------------------

as('sales', q(CALL reverse_etl.run_sync('customers')));
is(last_run('customers'), "completed|$rows|$rows|0|0|0|0|0|$rows|0|0", 'the first run sends all');
is(requests(), $rows / 100, 'in as many requests as it takes');

my $before = requests();
like(said_to('sales', q(BEGIN; TRUNCATE customers; COMMIT; CALL reverse_etl.run_sync('customers'))),
    qr/WARNING:  .*run \d+ of sync "customers" is held, and has sent nothing\nDETAIL:  Because it would remove 2000 of 2000 rows, and max_removed is 25%: /,
    'a run that would remove all rows is held');
is(last_run('customers', 'status', 'removed', 'waiting', 'accepted'), "held|$rows|0|0", 'on record');
sleep 1;
is(requests(), $before, 'it sends no request');
my $held = last_run('customers', 'id');
like(said_to('stranger', "SELECT reverse_etl.release_run($held)"), qr/ERROR:  42704: .*run $held does not exist/, 'a stranger does not release it');
is(sql('SELECT count(*) FROM reverse_etl.runs WHERE released_by IS NOT NULL'), 0, 'indeed');
sql("INSERT INTO customers SELECT n, 'c' || n || '\@example.com', 'Name ' || n FROM generate_series(1, $rows) AS n WHERE n > 200");
as('clerk', "SELECT reverse_etl.release_run($held)");
wait_for('customers', 'completed');
is(last_run('customers', 'id', 'removed', 'accepted', 'released_by'), "$held|200|200|clerk", 'a member of its owner releases it: it does what is to be done now');
is($sandbox->get('/_sandbox/count/hubspot/contacts')->{count}, $rows - 200, 'at the destination');
like(said_to('clerk', "SELECT reverse_etl.release_run($held)"), qr/ERROR:  55000: .*run $held cannot be released\nDETAIL:  It is completed/, 'once');

# What is released and fails has ended.
sql(q(DELETE FROM customers WHERE id > 500; CALL reverse_etl.run_sync('customers')));
$held = last_run('customers', 'id');
sql('REVOKE INSERT ON contacts FROM sales');
as('clerk', "SELECT reverse_etl.release_run($held)");
wait_for('customers', 'failed');
is(last_run('customers', 'id', 'reason'), "$held|permission denied for foreign table public.contacts", 'a released run that fails is failed');
sql('GRANT INSERT ON contacts TO sales');
sql("INSERT INTO customers SELECT n, 'c' || n || '\@example.com', 'Name ' || n FROM generate_series(1, $rows) AS n ON CONFLICT DO NOTHING");
is(run('customers'), "completed|$rows|200|0|0|1800|0|0|200|0|0", 'and the next one is not');

# ---- Overlap, chains ------------------------------------------------------------------------------------------------

sub slow { my ($ms) = @_; $sandbox->post('/_sandbox/faults', { path => '/crm/', latency_ms => $ms }); return }
slow(200);
sql(q(UPDATE customers SET name = name || '.'; CALL reverse_etl.run_sync('customers', wait => false)));
my $first = last_run('customers', 'id');
like(said_to('clerk', q(CALL reverse_etl.run_sync('customers'))), qr/NOTICE:  .*sync "customers" is skipped: run $first of it is still under way/, 'a second run is skipped');
is(last_run('customers', 'status', 'reason', 'requested_by'), "skipped|run $first of it is still under way|clerk", 'and recorded');
is(sql(q(SELECT state, last_run FROM reverse_etl.syncs WHERE name = 'customers')), "delivering|$first", 'the first goes on');
like(said_to('sales', q(SELECT reverse_etl.drop_sync('customers'))), qr/ERROR:  55006: .*cannot drop sync "customers" because a run of it is under way/, 'a sync with a run under way stays');

# Another table, for while a run has its turn at one, rows of others wait for it.
as('sales', q(CREATE FOREIGN TABLE surnames (email text, lastname text) SERVER hubspot OPTIONS (object 'contacts')));
as('sales', q(SELECT reverse_etl.create_sync('afterwards', 'SELECT email, name AS lastname FROM customers', 'surnames', '{email}', 'upsert', run_after => 'customers')));
slow(600); # it has three rounds of requests to make, the other one only one
wait_until(sub { sql("SELECT status FROM reverse_etl.runs WHERE id = $first") eq 'completed' });
wait_until(sub { sql(q(SELECT count(*) FROM reverse_etl.runs WHERE sync = 'afterwards' AND status = 'delivering')) == 1 });
# While it is delivering, the first one has another run: it will have one more.
sql(q(UPDATE customers SET name = 'Ada' WHERE id = 1; CALL reverse_etl.run_sync('customers')));
is(last_run('afterwards', 'status'), 'delivering', 'a sync that comes after another is still delivering');
slow(0);
wait_until(sub { sql(q(SELECT count(*) FROM reverse_etl.runs WHERE sync = 'afterwards' AND status = 'completed')) == 2 });
is(sql(q(SELECT status, accepted FROM reverse_etl.runs WHERE sync = 'afterwards' ORDER BY id)), "completed|$rows\ncompleted|1", 'and runs again then: not at the same time');
sql(q(SELECT reverse_etl.drop_sync('afterwards'); DROP FOREIGN TABLE surnames));

# ---- Crashes --------------------------------------------------------------------------------------------------------

as('sales', <<~SQL);
    CREATE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN PERFORM pg_sleep(0.03); RETURN \$1; END \$\$;
    SELECT reverse_etl.alter_sync('customers', query => 'SELECT email, name AS firstname FROM customers WHERE id > 100 OR slowly(name) IS NOT NULL');
    SQL
sub begin_reading {
    my $session = begin_session(q(SET application_name = 'reader'), 'unused');
    close $session;
    $session = begin_session(q(CALL reverse_etl.run_sync('customers')), 'reader');
    wait_until(sub { last_run('customers', 'status') eq 'reading' });
    return $session;
}
sql(q(UPDATE customers SET name = name || '!' WHERE id <= 150));
my $session = begin_reading();
my $run     = last_run('customers', 'id');
kill KILL => last_run('customers', 'pid');
rest_of($session);
wait_until(sub { (eval { last_run('customers', 'status') } // '') eq 'completed' });
is(last_run('customers', 'id', 'changed', 'accepted'), "$run|150|150", 'a run whose session is killed while it reads the model is taken up');

sql(q(UPDATE customers SET name = name || '!' WHERE id <= 150));
$session = begin_reading();
$run     = last_run('customers', 'id');
sql("SELECT pg_terminate_backend(pid) FROM reverse_etl.runs WHERE id = $run");
rest_of($session);
wait_for('customers', 'completed');
is(last_run('customers', 'id', 'changed', 'accepted'), "$run|150|150", 'and so is one whose session is terminated');

slow(100);
sql(q(UPDATE customers SET name = name || '?'; CALL reverse_etl.run_sync('customers', wait => false)));
wait_until(sub { last_run('customers', 'accepted') > 0 });
$node->stop('immediate');
$node->start;
slow(0);
wait_for('customers', 'completed');
is(last_run('customers'), "completed|$rows|0|$rows|0|0|0|0|$rows|0|0", 'a run goes on after the server was stopped, and its counts add up');

# ---- Cancels --------------------------------------------------------------------------------------------------------

slow(1500);
sql(q(UPDATE customers SET name = 'Name ' || id));
$session = begin_session(q(CALL reverse_etl.run_sync('customers')), 'waiter');
wait_until(sub { last_run('customers', 'accepted') =~ /[1-9]/ && last_run('customers', 'status') eq 'delivering' });
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'));
like(rest_of($session), qr/ERROR:  57014: canceling statement due to user request/, 'the wait for a run is cancelled');
is(last_run('customers', 'status'), 'delivering', 'and the run goes on');
slow(100);
wait_for('customers', 'completed');
is(last_run('customers'), "completed|$rows|0|$rows|0|0|0|0|$rows|0|0", 'to its end');

$session = begin_reading();
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'reader'));
like(rest_of($session), qr/ERROR:  57014: canceling statement due to user request/, 'the session that reads the model is cancelled');
is(last_run('customers', 'status', 'reason', 'queried'), 'cancelled|canceling statement due to user request|0', 'and with it the run');
$session = begin_reading();
sql('SELECT reverse_etl.cancel_run(' . last_run('customers', 'id') . ')');
rest_of($session);
is(last_run('customers', 'status'), 'cancelled', 'so is it by cancel_run');

slow(1000);
sql(q(UPDATE customers SET name = 'No. ' || id));
$before = rows();
sql(q(CALL reverse_etl.run_sync('customers', wait => false)));
wait_until(sub { last_run('customers', 'accepted') >= 100 });
as('clerk', 'SELECT reverse_etl.cancel_run(' . last_run('customers', 'id') . ')');
wait_for('customers', 'cancelled');
my ($accepted, $cancelled) = split /\|/, last_run('customers', 'accepted', 'cancelled');
cmp_ok($cancelled, '>', 0, 'a run is cancelled while it delivers');
is($accepted + $cancelled, $rows, 'every row is accepted or cancelled');
is(rows() - $before, $accepted, 'the destination has what was accepted');
is(last_run('customers', 'reason'), 'cancelled by clerk', 'by whom is on record');
slow(0);
is(run('customers'), "completed|$rows|0|$cancelled|0|$accepted|0|0|$cancelled|0|0", 'the next run sends the rest');
is(rows() - $before, $rows, 'and only the rest');

# ---- What is in doubt -----------------------------------------------------------------------------------------------

# A change arrives, its answer does not, and it is taken back: the destination has to be told.
sql(q(ALTER SERVER hubspot OPTIONS (ADD outbox_max_attempts '1', ADD max_attempts '1')));
$sandbox->post('/_sandbox/faults', { path => '/batch/upsert', p_reset => 1, reset_after_apply => JSON::PP::true, times => 1 });
sql(q(UPDATE customers SET name = 'lost' WHERE id = 7));
is(run('customers'), "completed|$rows|0|1|0|@{[ $rows - 1 ]}|0|0|0|1|0", 'a row is given up whose answer did not come');
sql(q(UPDATE customers SET name = 'No. 7' WHERE id = 7));
is(run('customers'), "completed|$rows|0|1|0|@{[ $rows - 1 ]}|0|0|1|0|0", 'changed back it is sent again');
# A new row arrives, its answer does not, and it leaves the model.
$sandbox->post('/_sandbox/faults', { path => '/batch/upsert', p_reset => 1, reset_after_apply => JSON::PP::true, times => 1 });
sql(q(INSERT INTO customers VALUES (9001, 'lost@example.com', 'lost')));
run('customers');
sql(q(DELETE FROM customers WHERE id = 9001));
run('customers');
is(scalar(grep { $_->{properties}{email} =~ /lost/ } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') }), 0, 'a new row that was given up is removed when it is gone');
sql(q(ALTER SERVER hubspot OPTIONS (DROP outbox_max_attempts, DROP max_attempts)));

# ---- Alerts ---------------------------------------------------------------------------------------------------------

as('sales', <<~SQL);
    CREATE FOREIGN TABLE alarms (text text, event text, sync text) SERVER inhouse OPTIONS (path '/http/alarms');
    SELECT reverse_etl.alter_sync('customers', alert_to => 'public.alarms', min_rows => '1000');
    SQL
sub alarms { return join ' ', map { $_->{event} } @{ $sandbox->get('/_sandbox/records/http/alarms') } }
sub known_alarms { my $of = sql('SELECT count(*) FROM reverse_etl.alerts WHERE pushed_at IS NOT NULL'); return $of }
my $alarms_before = alarms();
sql(q(CREATE TABLE kept AS SELECT * FROM customers; DELETE FROM customers));
sql(q(CALL reverse_etl.run_sync('customers'))) for 1 .. 3;
wait_until(sub { alarms() =~ /held$/ });
sql(q(INSERT INTO customers SELECT * FROM kept));
run('customers') for 1 .. 2;
wait_until(sub { alarms() =~ /recovered$/ });
sleep 0.5;
is(substr(alarms(), length $alarms_before) =~ s/^ //r, 'held recovered', 'an alert for each change of state');
my ($alarm) = grep { $_->{event} eq 'held' } @{ $sandbox->get('/_sandbox/records/http/alarms') };
like($alarm->{text}, qr/^sync "customers" is held: it would remove 2000 of 2000 rows, and max_removed is 25% \(run \d+\)$/, 'it tells what happened');
like(said_to('sales', q(ALTER TABLE customers RENAME COLUMN name TO full_name)),
    qr/ERROR:  .*cannot alter table column public.customers.\w+ because sync "customers" needs it as it was/, 'a column that the model needs stays');
sql(q(REVOKE INSERT ON contacts FROM sales));
like(said_to('sales', q(CALL reverse_etl.run_sync('customers'))), qr/ERROR:  42501: .*permission denied for foreign table public.contacts/, 'a right that is gone fails a run');
wait_until(sub { alarms() =~ /failed$/ });
sql(q(GRANT INSERT ON contacts TO sales));
run('customers');
wait_until(sub { alarms() =~ /failed recovered$/ });
pass('alerts tell of a failure, and of its end');
sql(q(SELECT reverse_etl.alter_sync('customers', alert_to => 'none', min_rows => 'none')));

# ---- Whose rights ---------------------------------------------------------------------------------------------------

as('sales', q(ALTER TABLE customers ENABLE ROW LEVEL SECURITY; ALTER TABLE customers FORCE ROW LEVEL SECURITY;
    CREATE POLICY north ON customers USING (region = 'north' OR current_user <> 'sales')));
sql(q(UPDATE customers SET region = 'south' WHERE id <= 10));
my $north = $rows - 10;
is(run('customers'), "completed|$rows|0|0|10|$north|0|0|10|0|0", "run by a superuser, the model is what its owner sees");
as('clerk', q(CALL reverse_etl.run_sync('customers')));
is(last_run('customers'), "completed|$north|0|0|0|$north|0|0|0|0|0", 'and so it is run by a member');
said_to('postgres', q(SET row_security = off; CALL reverse_etl.run_sync('customers')));
is(last_run('customers'), "completed|$north|0|0|0|$north|0|0|0|0|0", 'whatever row_security says');
as('sales', q(ALTER TABLE customers NO FORCE ROW LEVEL SECURITY; ALTER TABLE customers DISABLE ROW LEVEL SECURITY));
run('customers');

sql(q(CREATE TABLE secrets (email text, name text)));
like(said_to('sales', q(SELECT reverse_etl.create_sync('secrets', 'SELECT email, name AS firstname FROM secrets', 'contacts', '{email}'))),
    qr/ERROR:  42501: .*permission denied for table secrets/, 'who may not read the source makes no sync of it');
sql(q(GRANT SELECT ON secrets TO stranger; GRANT USAGE ON SCHEMA public TO stranger));
like(said_to('stranger', q(SELECT reverse_etl.create_sync('secrets', 'SELECT email, name AS firstname FROM secrets', 'contacts', '{email}'))),
    qr/ERROR:  42501: .*permission denied for foreign table public.contacts\nDETAIL:  A sync runs with the rights of its owner, and role "stranger" lacks INSERT \(email, firstname\)/,
    'nor does who may not write to the destination');
like(said_to('stranger', q(CALL reverse_etl.run_sync('customers'))), qr/ERROR:  42704: .*sync "customers" does not exist/, "others' syncs are not seen");
sql(q(GRANT SELECT ON secrets TO sales));
as('sales', q(SELECT reverse_etl.create_sync('secrets', 'SELECT email, name AS firstname FROM secrets', 'contacts', '{email}')));
sql(q(REVOKE SELECT ON secrets FROM sales));
like(said_to('sales', q(CALL reverse_etl.run_sync('secrets'))), qr/ERROR:  42501: .*permission denied for table secrets/, 'a right that is gone fails the run');
is(last_run('secrets', 'status', 'reason'), 'failed|permission denied for table secrets', 'which is on record');
sql(q(SELECT reverse_etl.drop_sync('secrets')));

# ---- What is sent again, and what is not ----------------------------------------------------------------------------

as('sales', <<~SQL);
    CREATE FOREIGN TABLE facts (email text, at timestamptz, day date, f double precision, n numeric, span interval, b bytea)
        SERVER inhouse OPTIONS (path '/http/facts', key 'email', insert_as 'upsert');
    CREATE TABLE measured AS SELECT 'm' || i || '\@x' AS email, timestamptz '2026-01-01 12:00+00' + i * interval '1 hour' AS at,
        date '2026-01-01' + i AS day, i / 3.0::double precision AS f, i / 7.0 AS n, i * interval '1 day 2 hours' AS span,
        decode('00ff', 'hex') AS b FROM generate_series(1, 100) AS i;
    SELECT reverse_etl.create_sync('measured', 'SELECT * FROM measured', 'facts', '{email}', 'mirror');
    SQL
is(run('measured'), 'completed|100|100|0|0|0|0|0|100|0|0', 'values of many types are sent');
for my $setting (q(TimeZone = 'Asia/Tokyo'), q(DateStyle = 'SQL, DMY'), q(IntervalStyle = 'iso_8601'), 'extra_float_digits = -5',
    q(bytea_output = 'escape'), q(search_path = 'pg_catalog'), q(client_encoding = 'LATIN1'), q(lc_monetary = 'C'), 'enable_hashjoin = off', q(work_mem = 64)) {
    sql("SET $setting; CALL reverse_etl.run_sync('measured')");
    is(last_run('measured'), 'completed|100|0|0|0|100|0|0|0|0|0', "nothing is sent again with $setting");
}
sql(q(SELECT reverse_etl.alter_sync('measured', query => 'SELECT email, at, day, f, CASE WHEN n > 13 THEN 13 ELSE n END AS n, span, b FROM public.measured')));
is(run('measured'), 'completed|100|0|9|0|91|0|0|9|0|0', 'a changed query sends the rows whose output has changed');

is(sql(q(SELECT reverse_etl.resync('customers', 'email LIKE ''c12_@%'''))), 10, 'rows are to be sent again');
sql(q(DELETE FROM customers WHERE id = 1999));
$before = requests();
run('customers');
is(last_run('customers', 'status', 'changed', 'removed', 'accepted'), 'completed|10|0|10', 'just those are sent, and none is removed');
run('customers');
is(last_run('customers', 'status', 'changed', 'removed', 'accepted'), 'completed|0|1|1', 'until the run after that');

# A destination that has rows already.
as('sales', <<~SQL);
    CREATE FOREIGN TABLE members (email text, name text) SERVER inhouse OPTIONS (path '/http/members', key 'email', insert_as 'upsert');
    INSERT INTO members VALUES ('a\@x', 'A'), ('b\@x', 'old'), ('z\@x', 'not ours');
    CREATE TABLE member (email text, name text);
    INSERT INTO member VALUES ('a\@x', 'A'), ('b\@x', 'B'), ('c\@x', 'C');
    SELECT reverse_etl.create_sync('members', 'SELECT * FROM member', 'members', '{email}', 'mirror');
    SQL
is(sql(q(SELECT reverse_etl.adopt('members'))), 2, 'rows that the destination has are adopted');
is(run('members'), 'completed|3|1|1|0|1|0|0|2|0|0', 'what differs is sent, and what is new');
is(join(' ', map { "$_->{email}=$_->{name}" } sort { $a->{email} cmp $b->{email} } @{ $sandbox->get('/_sandbox/records/http/members') }),
    'a@x=A b@x=B c@x=C z@x=not ours', 'what is not of the model stays');
sql(q(SELECT reverse_etl.create_sync('from_now_on', 'SELECT * FROM member', 'members', '{email}', 'upsert', backfill => false)));
sql(q(UPDATE member SET name = 'BB' WHERE email = 'b@x'; SELECT reverse_etl.adopt('from_now_on')));
is(run('from_now_on'), 'completed|3|0|1|0|2|0|0|1|0|0', 'adopted rows that differ are sent by a sync that looks forward, too');

# ---- Keys of all kinds ----------------------------------------------------------------------------------------------

my $has_citext = sql(q(SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'));
my $has_ltree = sql(q(SELECT count(*) FROM pg_available_extensions WHERE name = 'ltree'));
sql('CREATE SCHEMA extras');
sql('CREATE EXTENSION citext SCHEMA extras') if $has_citext;
sql('CREATE EXTENSION ltree SCHEMA extras')  if $has_ltree;
sql(q(CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE DOMAIN code AS text CHECK (value <> '')));
my %keys = (
    uuid        => [ 'uuid', q(md5(i::text)::uuid) ],
    timestamptz => [ 'timestamptz', q(timestamptz '2026-01-01' + i * interval '1 second') ],
    numeric     => [ 'numeric', 'i / 10.0' ],
    enum        => [ 'mood', q((ARRAY['sad', 'ok', 'happy'])[i]::mood), 3 ],
    no_case     => [ 'text COLLATE no_case', q('K' || i) ],
    domain      => [ 'code', q('K' || i) ],
    char        => [ 'char(8)', q('K' || i) ],
    array       => [ 'integer[]', 'ARRAY[i, i + 1]' ],
    date        => [ 'date', q(date '2026-01-01' + i) ],
    inet        => [ 'inet', q(inet '10.0.0.0' + i) ],
    bytea       => [ 'bytea', q(decode(md5(i::text), 'hex')) ],
    interval    => [ 'interval', q(i * interval '1 month') ],
    boolean     => [ 'boolean', 'i = 1', 2 ],
    $has_citext ? (citext => [ 'extras.citext', q('K' || i) ]) : (),
    $has_ltree ? (ltree => [ 'extras.ltree', q(('top.k' || i)::extras.ltree) ]) : (),
);
for my $kind (sort keys %keys) {
    my ($type, $value, $count) = @{ $keys{$kind} };
    $count //= 20;
    sql(<<~SQL);
        CREATE TABLE of_$kind (k $type, part integer, name text);
        INSERT INTO of_$kind SELECT $value, 1, 'v' FROM generate_series(1, $count) AS i;
        CREATE FOREIGN TABLE to_$kind (k $type, part integer, name text) SERVER inhouse OPTIONS (path '/http/of_$kind', idempotency_key 'Idempotency-Key');
        SELECT reverse_etl.create_sync('of_$kind', 'SELECT k, part, name FROM public.of_$kind', 'to_$kind', '{part,k}', 'insert', search_path => 'pg_catalog');
        SQL
    is(run("of_$kind"), "completed|$count|$count|0|0|0|0|0|$count|0|0", "$kind: rows with such a key are sent");
    is(run("of_$kind"), "completed|$count|0|0|0|$count|0|0|0|0|0", "$kind: and not again");
    sql("SET search_path = public, extras; INSERT INTO of_$kind SELECT k, 2, name FROM of_$kind; DELETE FROM of_$kind WHERE part = 1 AND k = (SELECT max(k::text) FROM of_$kind)::$type");
    my $left = 2 * $count - 1;
    is(run("of_$kind"), "completed|$left|$count|0|0|@{[ $left - $count ]}|0|0|$count|0|0", "$kind: as a part of a key");
    is(sql(q(SELECT count(*) FROM reverse_etl_internal.sync_) . sql("SELECT id FROM reverse_etl.syncs WHERE name = 'of_$kind'") . '_state'), $left, "$kind: which is forgotten with the row");
}
sql(q(INSERT INTO of_no_case VALUES ('k1', 1, 'the same'), ('new', 1, 'v')));
is(run('of_no_case'), 'completed|41|2|0|0|39|0|0|2|0|0', 'keys are told apart as the destination does, not as their collation');
if ($has_citext) {
    sql(q(INSERT INTO of_citext VALUES ('k1', 1, 'the same'), ('new', 1, 'v')));
    is(run('of_citext'), 'completed|41|2|0|0|39|0|0|2|0|0', 'or their type');
}

# ---- Only what changed travels --------------------------------------------------------------------------------------

as('sales', <<~SQL);
    CREATE TABLE many AS SELECT n AS id, 'm' || n || '\@many.example.com' AS email, 'Name ' || n AS name FROM generate_series(1, 20000) AS n;
    SELECT reverse_etl.create_sync('many', 'SELECT email, name AS firstname FROM many', 'contacts', '{email}', 'mirror');
    SQL
sql(q(CALL reverse_etl.run_sync('many')));
sql(q(UPDATE many SET name = name || '!' WHERE id % 100 = 0; ANALYZE many));
$before = requests();
is(run('many'), 'completed|20000|0|200|0|19800|0|0|200|0|0', 'of 20,000 rows 1% has changed');
is(requests() - $before, 2, 'which makes two requests');
sql(q(UPDATE many SET name = name || '!' WHERE id <= 201));
$before = requests();
run('many');
is(requests() - $before, 3, 'and 201 rows three');
$before = requests();
run('many');
is(requests() - $before, 0, 'nothing changed makes none');

# ---- A stream beside a run ------------------------------------------------------------------------------------------

as('sales', <<~SQL);
    CREATE TABLE fed (email text PRIMARY KEY, name text);
    INSERT INTO fed VALUES ('fed1\@example.com', 'v1'), ('fed2\@example.com', 'v1');
    CREATE VIEW slowly AS SELECT email, name AS firstname FROM fed, pg_sleep(0.5);
    SELECT reverse_etl.create_sync('fed', 'SELECT email, firstname FROM slowly', 'contacts', '{email}');
    SELECT reverse_etl.stream_sync('fed', 'fed');
    SQL
my $meanwhile = begin_session(q(CALL reverse_etl.run_sync('fed')), 'fed');
wait_until(sub { (last_run('fed', 'status') // '') eq 'reading' });
as('sales', q(UPDATE fed SET name = 'v2' WHERE email LIKE 'fed1%'));
rest_of($meanwhile);
sql(q(CALL reverse_etl.wait('contacts')));
is(sql(q(SELECT string_agg(firstname, ' ' ORDER BY email) FROM contacts WHERE email IN ('fed1@example.com', 'fed2@example.com'))),
    'v2 v1', 'what a stream sent meanwhile is not overwritten by a run');
is(run('fed'), 'completed|2|0|0|0|2|0|0|0|0|0', 'and is known');

# Between the moment when a run looks at what streams have queued and its commit
as('sales', <<~SQL);
    CREATE FUNCTION is_let_pass(name text) RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN IF name = ''slow'' THEN PERFORM pg_advisory_xact_lock(77); END IF; RETURN true; END';
    ALTER FOREIGN TABLE contacts ADD CONSTRAINT is_let_pass CHECK (is_let_pass(firstname));
    CREATE OR REPLACE VIEW slowly AS SELECT email, name AS firstname FROM fed, pg_sleep(0);
    SQL
sql(q(SET session_replication_role = replica; UPDATE fed SET name = 'slow'));
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(77)');
$meanwhile = begin_session(q(CALL reverse_etl.run_sync('fed')), 'fed');
sub waits { my ($name) = @_; return sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = '$name' AND wait_event_type = 'Lock'") }
wait_until(sub { waits('fed') });
my $writer = begin_session(q(UPDATE fed SET name = 'v3' WHERE email LIKE 'fed1%'), 'writer');
wait_until(sub {
    waits('writer') || sql(q(SELECT count(*) FROM contacts WHERE email = 'fed1@example.com' AND firstname = 'v3'));
});
$gate->quit;
rest_of($_) for $meanwhile, $writer;
sql(q(CALL reverse_etl.wait('contacts')));
is(sql(q(SELECT string_agg(firstname, ' ' ORDER BY email) FROM contacts WHERE email IN ('fed1@example.com', 'fed2@example.com'))),
    'v3 slow', 'what a stream sends while a run queues its rows is not overwritten');
is(run('fed'), 'completed|2|0|0|0|2|0|0|0|0|0', 'and is known as well');

# Whoever waits while somebody alters a sync goes by what it is then.
sql(<<~SQL);
    CREATE SERVER places FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    CREATE FOREIGN TABLE old_place (id integer, name text) SERVER places OPTIONS (path '/http/old', key 'id', insert_as 'upsert');
    CREATE FOREIGN TABLE new_place (id integer, name text) SERVER places OPTIONS (path '/http/new', key 'id', insert_as 'upsert');
    CREATE TABLE crew (id integer PRIMARY KEY, name text);
    INSERT INTO crew VALUES (1, 'Ada'), (2, 'Grace');
    SELECT reverse_etl.create_sync('moving', 'SELECT id, name FROM crew', 'old_place', '{id}');
    SELECT reverse_etl.create_sync('other', 'SELECT id, name FROM crew', 'old_place', '{id}');
    SQL
my $last_place = q(SELECT destination_name || ' ' || accepted FROM reverse_etl.audit_log ORDER BY id DESC LIMIT 1);

sub while_altered {
    my ($change, $command) = @_;
    my $editor = $node->background_psql('postgres');
    $editor->query_safe("BEGIN; SELECT reverse_etl.alter_sync($change)");
    my $waiting = begin_session($command, 'waiting');
    wait_until(sub { waits('waiting') });
    $editor->query_safe('COMMIT');
    $editor->quit;
    return rest_of($waiting);
}
while_altered(q('moving', destination => 'new_place'), q(CALL reverse_etl.run_sync('moving')));
is(sql($last_place), 'public.new_place 2', 'a run goes to the destination that the sync has by then');
sql(q(SELECT reverse_etl.stream_sync('moving', 'crew')));
while_altered(q('moving', destination => 'old_place'), q(INSERT INTO crew VALUES (3, 'Joan')));
sql(q(CALL reverse_etl.wait('old_place')));
is(sql($last_place), 'public.old_place 1', 'and so does what a stream sends');
while_altered(q('moving', query => 'SELECT id, name FROM crew WHERE id > 0'), q(SELECT reverse_etl.alter_sync('moving', max_attempts => 3)));
is(sql(q(SELECT query FROM reverse_etl.syncs WHERE name = 'moving')), 'SELECT id, name FROM crew WHERE id > 0', 'of two who alter it none undoes what the other did');
like(while_altered(q('moving', run_after => 'other'), q(SELECT reverse_etl.alter_sync('other', run_after => 'moving'))),
    qr/sync "other" cannot run after "moving"/, 'nor do two make a circle of syncs');

done_testing();
