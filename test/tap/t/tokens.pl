# Access tokens that all sessions share, and refresh tokens that rotate. The judge is the npm registry's oidc-provider
# (servers/accounts.mjs): a refresh token that is used twice revokes the account.
#
# TOKEN_KILLS=100 has processes killed a hundred times.

use strict;
use warnings FATAL => 'all';

use List::Util qw(max sum0);
use PostgreSQL::Test::Utils;
use RealServers;
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $kills    = $ENV{TOKEN_KILLS} // 6;
my $servers  = RealServers->start('accounts');
my $accounts = $servers->url('accounts');
my $node     = new_node('main', <<~'CONF');
    log_statement = none
    max_connections = 100
    restart_after_crash = on
    recovery_init_sync_method = syncfs
    CONF
sub sql { return $node->safe_psql('postgres', @_) }
sub set { return $servers->ask('POST', "$accounts/set", {@_}) }
sub state { return $servers->ask('GET', "$accounts/state") }
sub expire { return $servers->ask('POST', "$accounts/expire", {}) }

# What happened since, of the kinds that the server counts.
my %before = (fetched => 0, reused => 0, revoked => 0);
sub since {
    my $now   = state();
    my %since = map { $_ => $now->{$_} - $before{$_} } keys %before;
    @before{ keys %before } = @{$now}{ keys %before };
    return \%since;
}
sub refresh_token { return $servers->ask('POST', "$accounts/grant", {})->{refresh_token} }

sql(<<~SQL);
    SELECT reverse_etl.create_connector('accounts', \$manifest\${
        "manifest": 1, "name": "accounts", "title": "Accounts", "base_url": "{base_url}",
        "credentials": {
            "client_id": { "description": "client" }, "client_secret": { "description": "its secret" },
            "refresh_token": { "description": "what a user gave the client" }
        },
        "auth": {
            "kind": "oauth2", "grant": "refresh_token", "token_url": "{base_url}/token", "client": "basic",
            "client_id": "{client_id}", "client_secret": "{client_secret}", "refresh_token": "{refresh_token}"
        },
        "reason": "/message",
        "check": "GET /state",
        "discover": { "fields": { "request": "GET /fields", "records": "/fields", "field": "/name" } },
        "objects": { "things": { "key": "id", "columns": { "id": "text" }, "operations": {
            "upsert": { "request": "POST /things", "rows": 5, "body": { "rows": { "\$rows": { "\$columns": "all" } } } }
        } } }
    }\$manifest\$);
    CREATE SERVER accounts FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'accounts', base_url '$accounts');
    CREATE FOREIGN TABLE things (id text) SERVER accounts;
    SQL

sub map_user {
    my ($token) = @_;
    sql('DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER accounts');
    sql("CREATE USER MAPPING FOR PUBLIC SERVER accounts "
            . "OPTIONS (client_id 'warehouse', client_secret 'the secret of a test', refresh_token '$token')");
    return $token;
}
my $first = map_user(refresh_token());

# Rows that were accepted are there once each.
sub inserts {
    my ($ids, $message) = @_;
    my ($tag, $said) = outcome($node, "INSERT INTO things SELECT id FROM unnest('{" . join(',', @$ids) . "}'::text[]) AS id");
    my $rows = state()->{rows};
    is("$tag $said", 'INSERT 0 ' . @$ids . ' ', $message);
    is(join(' ', map { $rows->{$_} // 0 } @$ids), join(' ', (1) x @$ids), "$message: each row is there once");
    return;
}

# Fifty sessions at once

sub at_once {
    my ($how) = @_;
    set(delay => 300);
    expire();
    sql('DELETE FROM reverse_etl_internal.access_tokens');
    since();
    my $script = $node->basedir . "/at_once_$how.sql";
    append_to_file($script, "INSERT INTO things VALUES ('$how ' || :client_id);\n");
    $node->command_ok([ 'pgbench', '-n', '-c', '50', '-t', '1', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
        "$how: fifty sessions need a token at once");
    my $rows = state()->{rows};
    is(sum0(map { $rows->{"$how $_"} // 0 } 0 .. 49), 50, "$how: each has sent its row");
    is_deeply(since(), { fetched => 1, reused => 0, revoked => 0 }, "$how: the token was fetched once");
    set(delay => 0);
    return;
}
at_once('alone');

# A check is one of those who share it

expire();
sql('DELETE FROM reverse_etl_internal.access_tokens');
since();
sql("SELECT * FROM reverse_etl.check_server('accounts')");
inserts(['after a check'], 'a statement after a check');
is_deeply(since(), { fetched => 1, reused => 0, revoked => 0 }, 'uses the token that the check had fetched');

# An import is one as well

expire();
sql('DELETE FROM reverse_etl_internal.access_tokens; CREATE SCHEMA imported');
since();
sql('IMPORT FOREIGN SCHEMA accounts FROM SERVER accounts INTO imported');
is(sql("SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'imported.things'::regclass AND attnum > 0"),
    'id points', 'an import asks an account whose refresh token rotates');
inserts(['after an import'], 'a statement after an import');
is_deeply(since(), { fetched => 1, reused => 0, revoked => 0 }, 'uses the token that the import had fetched');

# What is not committed no other process sees: there a token that rotates is not spent, and another one is.

sub import_uncommitted {
    my ($connector) = @_;
    my $token = refresh_token();
    return outcome($node, <<~SQL);
        BEGIN;
        CREATE SERVER new FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$connector', base_url '$accounts');
        CREATE USER MAPPING FOR PUBLIC SERVER new
            OPTIONS (client_id 'warehouse', client_secret 'the secret of a test', refresh_token '$token');
        CREATE SCHEMA new;
        IMPORT FOREIGN SCHEMA accounts FROM SERVER new INTO new;
        SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'new.things'::regclass AND attnum > 0;
        ROLLBACK;
        SQL
}
my (undef, $uncommitted) = import_uncommitted('accounts');
like($uncommitted, qr/no access token: a background worker could not fetch it.*user mapping.*not committed/s,
    'an import with a user mapping that is not committed says why it cannot ask');
is_deeply(since(), { fetched => 0, reused => 0, revoked => 0 }, 'and spends no refresh token');
sql(<<~SQL);
    SELECT reverse_etl.create_connector('steady', \$manifest\${
        "manifest": 1, "name": "steady", "extends": "accounts", "title": "Steady", "schema": "accounts",
        "auth": {
            "kind": "oauth2", "grant": "refresh_token", "token_url": "{base_url}/token", "client": "basic", "rotates": false,
            "client_id": "{client_id}", "client_secret": "{client_secret}", "refresh_token": "{refresh_token}"
        }
    }\$manifest\$)
    SQL
my ($columns, $steady) = import_uncommitted('steady');
is($steady, '', 'with a refresh token that does not rotate the session asks by itself') or diag($columns);
is(since()->{fetched}, 1, 'with a token of its own');

# A session whose token is refused finds one that another had fetched, and that has ended as well

my $session = $node->background_psql('postgres');
$session->query_safe(q(INSERT INTO things VALUES ('an old token')));
expire();
inserts(['the token of another'], 'a second session');
expire();
since();
$session->query_safe(q(INSERT INTO things VALUES ('two old tokens')));
$session->quit;
is(state()->{rows}{'two old tokens'}, 1, 'a session gets a new one where neither its own nor that of another is good any more');
is_deeply(since(), { fetched => 1, reused => 0, revoked => 0 }, 'by fetching one');

# A token that ends in mid-statement

set(slow => 60);
expire();
inserts([ map { "expired $_" } 1 .. 300 ], 'a token that expires while a statement runs');
cmp_ok(since()->{fetched}, '>=', 1, 'was fetched anew');
set(slow => 0);

# Sessions that go while the answer is under way

for my $way ('SET statement_timeout = 300; ', '') {
    expire();
    set(delay => 1500);
    since();
    sql('DELETE FROM reverse_etl_internal.access_tokens');
    my $began = time;
    if ($way) {
        my (undef, $said) = outcome($node, "${way}INSERT INTO things VALUES ('cancelled')");
        like($said, qr/57014: canceling statement due to statement timeout/, 'a session that waits for a token is cancelled');
        cmp_ok(time - $began, '<', 1.4, 'before the answer is there');
    } else {
        my $session = $node->background_psql('postgres', on_error_stop => 0);
        my $pid     = $session->query_safe('SELECT pg_backend_pid()');
        $session->{stdin} .= "INSERT INTO things VALUES ('terminated');\n";
        $session->{run}->pump_nb;
        wait_until(sub { state()->{fetched} > $before{fetched} });
        sql("SELECT pg_terminate_backend($pid)");
        eval { $session->quit };
    }
    set(delay => 0);
    inserts([ $way ? 'after cancel' : 'after end' ], 'the next one');
    my $since = since();
    is("$since->{reused} $since->{revoked}", '0 0', 'uses what that answer brought');
    cmp_ok($since->{fetched}, '<=', 2, 'and fetches no more than it needs');
}

# Where it is kept

my $kept = sql('SELECT count(*) FROM reverse_etl_internal.refresh_tokens');
is($kept, 1, 'the newest refresh token is kept');
is(sql('SELECT substr(entry, 2) = $$' . $first . '$$::bytea FROM reverse_etl_internal.refresh_tokens'), 'f', 'it is a new one');
sql('CREATE ROLE analyst LOGIN; GRANT INSERT ON things TO analyst');
is(sql('SET ROLE analyst; SELECT count(*) FROM reverse_etl_internal.refresh_tokens'), 0, 'nobody else sees it');
my (undef, $refused) = outcome($node, 'SET ROLE analyst; SELECT * FROM reverse_etl_internal.access_tokens');
like($refused, qr/permission denied/, 'nor access tokens');
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'a superuser dumps the database');
like(slurp_file($dump), qr/COPY reverse_etl_internal\.refresh_tokens .*\n\\\\x/, 'with the refresh token, as with user mappings');
unlike(slurp_file($dump), qr/COPY reverse_etl_internal\.access_tokens/, 'and without the access token');

# A key

my $key = $node->basedir . '/key';
append_to_file($key, 'a key of more than sixteen bytes');
$node->append_conf('postgresql.conf', "reverse_etl.token_key_file = '$key'");
$node->reload;
expire();
inserts([ map { "sealed $_" } 1 .. 3 ], 'with a key');
is(sql('SELECT get_byte(entry, 0) FROM reverse_etl_internal.refresh_tokens'), 1, 'the refresh token is sealed');
is(sql('SELECT DISTINCT get_byte(entry, 0) FROM reverse_etl_internal.access_tokens'), 1, 'and so is the access token');
rename $key, "$key.elsewhere" or die "cannot rename: $!";
expire();
since();
(undef, $refused) = outcome($node, q(INSERT INTO things VALUES ('no key')));
like($refused, qr/could not read the file that "reverse_etl.token_key_file" names/, 'a key that is gone is an error');
is(since()->{fetched}, 0, 'and no refresh token is spent for nothing');
rename "$key.elsewhere", $key or die "cannot rename: $!";
inserts(['key again'], 'with the key again');
$node->append_conf('postgresql.conf', "reverse_etl.token_key_file = ''");
$node->reload;
sql('DELETE FROM reverse_etl_internal.access_tokens');
(undef, $refused) = outcome($node, q(INSERT INTO things VALUES ('no key')));
like($refused, qr/cannot be opened|no access token/, 'without it the refresh token cannot be used');

# A refresh token that is set by hand

map_user(refresh_token());
since();
inserts(['by hand'], 'a new refresh token in the user mapping');
is_deeply(since(), { fetched => 1, reused => 0, revoked => 0 }, 'is the one that counts');
map_user('no refresh token at all');
my ($tag, $said) = outcome($node, q(INSERT INTO things VALUES ('refused')));
like($said, qr/28000: .*no access token from \S+: HTTP status 400/, 'one that the server does not know is an error');
unlike($said . slurp_file($node->logfile), qr/no refresh token at all|the secret of a test/, 'which holds no secret');

# With shared memory, and by the worker

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'reverse_etl'");
$node->restart;
map_user(refresh_token());
at_once('preloaded');
expire();
sql(q(BEGIN; INSERT INTO things SELECT 'queued ' || i FROM generate_series(1, 20) AS i; COMMIT));
wait_until(sub { sql('SELECT count(*) FROM reverse_etl.outbox') == 0 });
my $rows = state()->{rows};
is(sum0(map { $rows->{"queued $_"} // 0 } 1 .. 20), 20, 'queued rows leave with a token that the worker had fetched anew');
since();

# kill -9. The one thing that no client can help is a kill between the server's answer and its arrival; for that servers have a
# leeway, and so has this one.

set(leeway => 60, slow => 5, delay => 20);
my %done;
for my $kill (1 .. $kills) {
    my $kind = qw(backend fetcher server worker)[ $kill % 4 ];
    set(delay => $kind eq 'fetcher' ? 500 : 20);
    expire();
    my @load = map {
        my $n       = $_;
        my $session = $node->background_psql('postgres', on_error_stop => 0);
        $session->{stdin} .= "INSERT INTO things SELECT 'kill $kill $n ' || i FROM generate_series(1, 40) AS i;\n"
            . "BEGIN; INSERT INTO things VALUES ('kill queued $kill $n'); COMMIT;\n";
        $session->{run}->pump_nb;
        $session
    } 1 .. 2;
    my $at = time + rand 0.4;
    sleep max(0, $at - time);
    if ($kind eq 'server') {
        $node->stop('immediate');
        $node->start;
        $done{server}++;
    } else {
        my $pattern = { backend => 'client backend', fetcher => 'reverse_etl token fetcher', worker => 'reverse_etl worker' }->{$kind};
        my $pid;
        # One that fetches a token is there only while the answer is under way: the worst of moments.
        for (1 .. ($kind eq 'fetcher' ? 40 : 1)) {
            $pid = eval {
                sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$pattern' AND pid <> pg_backend_pid() LIMIT 1");
            };
            last if $pid;
        }
        kill KILL => $pid if $pid;
        $done{$kind}++ if $pid;
    }
    eval { $_->quit } for @load;
    wait_for_server($node);
    set(delay => 20);
    my ($tag, $said) = outcome($node, "INSERT INTO things VALUES ('survived $kill')");
    is($tag, 'INSERT 0 1', "the account works after kill $kill, of a $kind") or diag($said);
}
note join ', ', map { "$done{$_} of $_" } sort keys %done;
is(state()->{revoked} - $before{revoked}, 0, 'no account was revoked');
wait_until(sub { sql('SELECT count(*) FROM reverse_etl.outbox') == 0 });
is(sql('SELECT count(*) FROM reverse_etl_internal.refresh_tokens WHERE kept_at > now() - interval \'1 hour\'') > 0, 1, 'its refresh token is kept');

done_testing();
