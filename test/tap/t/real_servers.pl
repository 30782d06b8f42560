# Servers that nobody here wrote: etcd, json-server behind nginx, and Alertmanager behind nginx and an OAuth server. Each
# gets rows that it refuses and rows that break it, dies and comes back in the middle of a queue, and loses a row behind
# our back. What is there, as a client tells that is not ours, is what the model and the outcomes say.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use MIME::Base64 qw(decode_base64 encode_base64);
use RealServers;
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $servers = RealServers->start;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
my ($etcd, $members, $alerts, $oauth) = map { $servers->url($_) } qw(etcd members alerts oauth);
sub sql { return $node->safe_psql('postgres', @_) }

# Few attempts: what breaks a server is known for it the sooner.
my $attempts = "max_attempts '2', outbox_max_attempts '2'";
for my $name (qw(etcd alertmanager)) {
    sql("SELECT reverse_etl.create_connector('$name', \$manifest\$" . RealServers->manifest($name) . '$manifest$)');
}
sql(<<~SQL);
    CREATE SERVER etcd FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'etcd', base_url '$etcd', $attempts);
    CREATE SERVER members FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$members', max_in_flight '2', $attempts);
    CREATE SERVER alertmanager FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'alertmanager', base_url '$alerts', token_url '$oauth/token', $attempts);
    CREATE USER MAPPING FOR PUBLIC SERVER etcd;
    CREATE USER MAPPING FOR PUBLIC SERVER members;
    CREATE USER MAPPING FOR PUBLIC SERVER alertmanager OPTIONS (client_id 'warehouse', client_secret 'the secret of a test');
    CREATE FOREIGN TABLE pairs (key bytea, value bytea) SERVER etcd;
    CREATE FOREIGN TABLE members (id text, name text) SERVER members
        OPTIONS (path '/members', key 'id', insert_as 'create', body '{"\$columns": "all"}');
    CREATE FOREIGN TABLE alerts (alertname text, summary text) SERVER alertmanager OPTIONS (batch_size '5');
    CREATE FOREIGN TABLE silences (id text, comment text) SERVER alertmanager;
    SQL

# The columns that are asked for, of the last run of a sync; what was rejected since, by destination and key.
sub last_run {
    my ($sync, @columns) = @_;
    return sql('SELECT ' . join(', ', @columns) . " FROM reverse_etl.runs WHERE sync = '$sync' ORDER BY id DESC LIMIT 1");
}

sub run { my ($sync) = @_; sql("CALL reverse_etl.run_sync('$sync')"); return last_run($sync, qw(added changed removed accepted rejected absent)) }

# A run after rows were mended that were refused: what the server may have of them is to be removed, which it may refuse.
sub run_mended {
    my ($sync) = @_;
    sql("CALL reverse_etl.run_sync('$sync')");
    return last_run($sync, 'status', 'changed', 'added + changed + removed = accepted + rejected + absent');
}

# run_through(SYNC, HOW_MANY, IN_THE_MIDDLE): a run, in the middle of which something happens: when the server has some rows.
sub run_through {
    my ($sync, $how_many, $in_the_middle) = @_;
    sql("CALL reverse_etl.run_sync('$sync', wait => false)");
    wait_until(sub { $how_many->() > 20 });
    $in_the_middle->();
    cmp_ok(last_run($sync, 'waiting'), '>', 0, "$sync: it was in the middle of a queue");
    wait_until(sub { last_run($sync, 'status') eq 'completed' });
    return last_run($sync, qw(added changed removed)) . '|' . last_run($sync, 'accepted + rejected');
}

sub reason_of {
    my ($destination, $key) = @_;
    return sql("SELECT reason FROM reverse_etl.rejected_rows AS r, jsonb_each_text(r.key) AS k
                 WHERE destination = 'public.$destination'::regclass AND k.value = '$key' ORDER BY id DESC LIMIT 1");
}

sub model_of {
    my ($query) = @_;
    return { map { split /\|/, $_, 2 } split /\n/, sql($query) };
}

# ---- etcd: durable, and a request that is too large is declined as if it came too early ------------------------------

subtest 'etcd' => sub {
    my $pairs = sub {
        my $found = $servers->ask('POST', "$etcd/v3/kv/range", { key => 'AA==', range_end => 'AA==' });
        return { map { decode_base64($_->{key}) => decode_base64($_->{value}) } @{ $found->{kvs} // [] } };
    };
    my $model = sub { return model_of(q(SELECT convert_from(key, 'utf8'), convert_from(value, 'utf8') FROM etcd_model WHERE length(value) < 1000 AND key <> '')) };
    sql(<<~'SQL');
        CREATE TABLE etcd_model (key bytea, value bytea);
        INSERT INTO etcd_model SELECT convert_to('k' || n, 'utf8'), convert_to('Größe ' || n, 'utf8') FROM generate_series(1, 500) AS n;
        INSERT INTO etcd_model VALUES ('', 'no key'), ('large', repeat('x', 150000)::bytea), ('huge', repeat('x', 700000)::bytea);
        SELECT reverse_etl.create_sync('pairs', 'SELECT key, value FROM etcd_model', 'pairs', '{key}', mode => 'mirror', max_removed => 'none');
        SQL
    my $middle = sub { $servers->kill('etcd'); sleep 0.3; $servers->run('etcd') };
    is(run_through('pairs', sub { scalar keys %{ $pairs->() } }, $middle), '503|0|0|503', 'every row has its outcome');
    is(last_run('pairs', qw(accepted rejected)), '500|3', 'all but three are accepted');
    is_deeply($pairs->(), $model->(), 'those are there');
    is(reason_of('pairs', encode_base64('', '')), 'etcdserver: key is not provided', 'a row that it refuses has its words');
    like(reason_of('pairs', encode_base64('large', '')), qr/^etcdserver: request is too large$/, 'and another');
    like(reason_of('pairs', encode_base64('huge', '')), qr/^gave up after 2 attempts: .*received message larger than max/s, 'one that it always declines is set aside');

    $servers->ask('POST', "$etcd/v3/kv/deleterange", { key => encode_base64('k1', '') });
    $servers->ask('POST', "$etcd/v3/kv/deleterange", { key => encode_base64('k2', '') });
    sql(q(DELETE FROM etcd_model WHERE length(value) > 1000 OR key IN ('', 'k3'); UPDATE etcd_model SET value = 'mended' WHERE key = 'k1'));
    is(run_mended('pairs'), 'completed|1|t', 'what was changed there by others is not seen');
    my ($found, $wanted) = ($pairs->(), $model->());
    is(join(' ', grep { !exists $found->{$_} } sort keys %$wanted), 'k2', 'a row that is sent is there again');
    sql(q(SELECT reverse_etl.resync('pairs', 'key = ''k2''')));
    is(run_mended('pairs'), 'completed|1|t', 'and so is one that is sent again');
    is_deeply($pairs->(), $model->(), 'what is there is the model');
    is(sql(q(SELECT count(*) FROM pairs JOIN etcd_model USING (key, value))), 499, 'as we read it, too');
};

# ---- json-server behind nginx: it creates once, and a second time breaks it -----------------------------------------

subtest 'json-server behind nginx' => sub {
    my $there = sub { return { map { $_->{id} => $_->{name} } @{ $servers->ask('GET', $servers->url('json_server') . '/members') } } };
    my $model = sub { return model_of('SELECT id, name FROM members_model WHERE length(name) < 1000') };
    $servers->ask('POST', "$members/members", { id => 'm7', name => 'somebody else' });
    sql(<<~'SQL');
        CREATE TABLE members_model (id text, name text);
        INSERT INTO members_model SELECT 'm' || n, 'Name ' || n FROM generate_series(1, 300) AS n;
        INSERT INTO members_model VALUES ('large', repeat('x', 1200000));
        SELECT reverse_etl.create_sync('members', 'SELECT id, name FROM members_model', 'members', '{id}', mode => 'mirror', max_removed => 'none');
        SQL
    # nginx is there before json-server is.
    my $middle = sub {
        $servers->kill('nginx');
        $servers->kill('json_server');
        $servers->run('nginx');
        sleep 1;
        $servers->run('json_server');
    };
    is(run_through('members', sub { scalar keys %{ $there->() } }, $middle), '301|0|0|301', 'every row has its outcome');
    like(reason_of('members', 'large'), qr/413 Request Entity Too Large/, 'a row that nginx refuses has its words');
    like(reason_of('members', 'm7'), qr/^outcome unknown, .*: Error: Insert failed, duplicate id/, 'one that breaks json-server has its words');

    # While nginx has no server for them, rows wait; of a few nobody knows.
    my @doubtful = split /\n/, sql(q(SELECT DISTINCT key ->> 'id' FROM reverse_etl.rejected_rows WHERE destination = 'public.members'::regclass AND reason LIKE 'outcome unknown%'));
    cmp_ok(scalar @doubtful, '<', 12, 'a proxy without its server does not drain the queue: ' . @doubtful . ' are in doubt');
    my %doubtful = map { $_ => 1 } @doubtful;
    is(last_run('members', 'accepted'), 300 - @doubtful, 'all others are accepted');
    my ($found, $wanted) = ($there->(), $model->());
    is(join(' ', grep { ($found->{$_} // '') ne $wanted->{$_} } grep { !$doubtful{$_} } sort keys %$wanted), '', 'and there');
    is(run('members'), '1|0|0|0|1|0', 'what is in doubt is not created again');

    # The destination can be asked.
    is(sql(q(SELECT reverse_etl.adopt('members'))), scalar keys %{ $there->() }, 'what is there is known then');
    sql(q(DELETE FROM members_model WHERE id = 'large'; SELECT reverse_etl.resync('members', $$id NOT IN (SELECT id FROM members)$$)));
    sql(q(CALL reverse_etl.run_sync('members')));
    is_deeply($there->(), $model->(), 'what is there is the model');

    $servers->ask('DELETE', "$members/members/m1");
    sql(q(UPDATE members_model SET name = name || '!' WHERE id IN ('m1', 'm2'); DELETE FROM members_model WHERE id = 'm3'));
    is(run('members'), '0|2|1|2|0|1', 'a row that others deleted is absent');
    is(run('members'), '1|0|0|1|0|0', 'and is created by the next run');
    is_deeply($there->(), $model->(), 'what is there is the model');
};

# ---- Alertmanager behind nginx and OAuth: it forgets, and its tokens live two seconds -------------------------------

subtest 'Alertmanager behind nginx, with tokens of an OAuth server' => sub {
    my $api   = $servers->url('alertmanager') . '/api/v2';
    my $there = sub { return { map { $_->{labels}{alertname} => $_->{annotations}{summary} } @{ $servers->ask('GET', "$api/alerts") } } };
    my $model = sub { return model_of(q(SELECT name, summary FROM alert_model WHERE name <> '')) };
    sql(<<~'SQL');
        CREATE TABLE alert_model (name text, summary text);
        INSERT INTO alert_model SELECT 'a' || n, 'Summary ' || n FROM generate_series(1, 200) AS n;
        INSERT INTO alert_model VALUES ('', 'no name');
        SELECT reverse_etl.create_sync('alerts', 'SELECT name AS alertname, summary FROM alert_model', 'alerts', '{alertname}', mode => 'mirror', max_removed => 'none');
        SQL
    # Without the OAuth server nginx lets nobody through: it says 500. Another one knows none of the tokens.
    my $middle = sub {
        $servers->kill($_) for qw(alertmanager oauth);
        sleep 0.5;
        $servers->run($_) for qw(alertmanager oauth);
    };
    is(run_through('alerts', sub { scalar keys %{ $there->() } }, $middle), '201|0|0|201', 'every row has its outcome');
    is(last_run('alerts', qw(accepted rejected)), '200|1', 'all but one are accepted');
    is(reason_of('alerts', ''), q(an empty text, "." or ".." names no row, nor does a list's separator), 'that one has no name, and is not sent');
    my ($kept, $wanted) = ($there->(), $model->());
    cmp_ok(scalar keys %$kept, '<', 200, 'those of before are forgotten: ' . keys(%$kept) . ' are there');
    is_deeply($kept, { map { $_ => $wanted->{$_} } keys %$kept }, 'the others are there as they were sent');
    sql(q(SELECT reverse_etl.resync('alerts')));
    sql(q(CALL reverse_etl.run_sync('alerts')));
    is(last_run('alerts', 'accepted', 'rejected'), '200|1', 'they are sent again');
    is_deeply($there->(), $model->(), 'what is there is the model');

    my @long_ago = (startsAt => '2020-01-01T00:00:00Z', endsAt => '2020-01-01T00:00:01Z');
    $servers->ask('POST', "$api/alerts", [ { labels => { alertname => 'a1' }, @long_ago } ]);
    ok(!exists $there->()->{a1}, 'somebody takes one away');
    sql(q(DELETE FROM alert_model WHERE name IN ('', 'a3'); UPDATE alert_model SET summary = summary || '!' WHERE name IN ('a1', 'a2')));
    is(run_mended('alerts'), 'completed|2|t', 'it is changed');
    is_deeply($there->(), $model->(), 'what is there is the model');

    # To end a silence that is not there breaks it each time.
    sql(<<~'SQL');
        BEGIN;
        DELETE FROM silences WHERE id = '00000000-0000-4000-8000-000000000000';
        INSERT INTO silences (comment) SELECT 'silence ' || n FROM generate_series(1, 10) AS n;
        INSERT INTO silences (comment) VALUES ('');
        COMMIT;
        SQL
    # It is told from an outage by others that come after it.
    my $silences = 10;
    wait_until(sub {
        return 1 if !sql('SELECT count(*) FROM reverse_etl.outbox');
        sleep 0.3;
        $silences++;
        sql("BEGIN; INSERT INTO silences (comment) VALUES ('silence $silences'); COMMIT");
        return 0;
    });
    is_deeply([ sort map { $_->{comment} } @{ $servers->ask('GET', "$api/silences") } ], [ sort map { "silence $_" } 1 .. $silences ], 'a row that always breaks it holds up no other');
    like(reason_of('silences', '00000000-0000-4000-8000-000000000000'), qr/^gave up after 2 attempts: .*silence not found/s, 'and is set aside with its words');
    is(sql(q(SELECT reason FROM reverse_etl.rejected_rows WHERE destination = 'public.silences'::regclass AND http_status = 400)),
        'silence invalid: at least one matcher must not match the empty string', 'as is what it refuses');
    is(sql(q(SELECT count(*) FROM silences)), $silences, 'we read the same');
};

is(sql('SELECT count(*) FROM reverse_etl.outbox'), 0, 'no row waits');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/the secret of a test(?!')/, 'no secret is told');

done_testing();
