# What happens around a job that is open: runs of syncs wait for it, are cancelled or time out, its table is paused, changed
# or dropped, its credentials change, are gone or expire. No row is lost, doubled or judged wrong.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';
use utf8;

use JobServer;
use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $server = JobServer->start;
my $node   = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    log_statement = none
    restart_after_crash = on
    CONF
sub sql { return $node->safe_psql('postgres', @_) }
sub set { return $server->ask('POST', '/_set', {@_}) }
sub state { return $server->ask('GET', '/_state') }

sub job {
    my ($operation) = @_;
    return <<~JSON;
        "job": {
            "open": { "request": "POST /jobs", "body": { "object": "{object}", "operation": "$operation", "key": "{key_field}" },
                      "keep": { "id": "/id", "url": "/contentUrl" } },
            "upload": { "address": "{job.url}", "hosts": ["127.0.0.1"], "body": { "rows": { "\$rows": { "\$columns": "all" } } } },
            "close": { "request": "PATCH /jobs/{job.id}", "body": { "state": "UploadComplete" } },
            "poll": { "request": "GET /jobs/{job.id}", "every": { "seconds": 1 }, "done_when": { "/state": "JobComplete" } },
            "results": [
                { "request": "GET /jobs/{job.id}/successful", "query": { "locator": "{cursor}" }, "format": "csv",
                  "outcome": { "each": "", "is": "accepted", "row": [{ "key": "/{key_field}" }] },
                  "next": { "header": "Sforce-Locator" } },
                { "request": "GET /jobs/{job.id}/failed", "query": { "locator": "{cursor}" }, "format": "csv",
                  "outcome": { "each": "", "is": "rejected", "row": [{ "key": "/{key_field}" }], "reason": "/sf__Error" },
                  "next": { "header": "Sforce-Locator" } }
            ]
        }
        JSON
}
my $delete = job('delete') =~ s/"\$columns": "all"/"id": "{key}"/r;
sub connector {
    my ($name, $auth, $credentials) = @_;
    sql(<<~SQL);
        SELECT reverse_etl.create_connector('$name', \$manifest\${
            "manifest": 1, "name": "$name", "title": "Bulk", "base_url": "{base_url}",
            "credentials": { "$credentials": { "description": "secret" } }, "auth": $auth, "reason": "/message",
            "objects": { "people": { "key": "id", "insert": "upsert", "columns": { "id": "text", "name": "text" },
                "operations": { "create": { ${\job('insert')} }, "upsert": { ${\job('upsert')} }, "delete": { $delete } } } }
        }\$manifest\$);
        SQL
}
connector('bulk', '{ "kind": "bearer", "token": "{token}" }', 'token');
connector('granted', qq({ "kind": "oauth2", "grant": "client_credentials", "token_url": "{base_url}/token", "client_id": "c",
                          "client_secret": "{secret}" }), 'secret');
# table(NAME, CONNECTOR, OPTIONS)
sub table {
    my ($name, $connector, $options) = @_;
    my $secret = $connector eq 'bulk' ? q(token 't0ken') : q(secret 's3cr3t');
    sql(<<~SQL);
        CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$connector', base_url '${\$server->url}', max_attempts '2');
        CREATE USER MAPPING FOR PUBLIC SERVER $name OPTIONS ($secret);
        CREATE FOREIGN TABLE $name (id text, name text) SERVER $name OPTIONS (object 'people'${\($options // '')});
        SQL
    return;
}
table('people', 'bulk');

sub comes { wait_until(@_); return 1 }
sub waiting { return sql('SELECT count(*) FROM reverse_etl.outbox') }
sub settled { return comes(sub { waiting() eq '0' }) }
sub jobs { return sql('SELECT count(*) FROM reverse_etl_internal.outbox_jobs') }
sub submitted { return comes(sub { sql('SELECT count(*) FROM reverse_etl_internal.outbox_jobs WHERE submitted') eq ($_[0] // 1) }) }
sub worker { return sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) }
sub polls { return scalar grep { /^GET \/jobs\/JOB$/ } state()->{log}->@* }
sub last_run { return sql('SELECT status, queried, added, changed, removed, unchanged, accepted, rejected FROM reverse_etl.runs ORDER BY id DESC LIMIT 1') }

# A sync whose rows go through jobs
sql(q(CREATE TABLE source (id text PRIMARY KEY, name text)));
sql(q(INSERT INTO source SELECT i, CASE WHEN i = 3 THEN 'bad' ELSE 'n' || i END FROM generate_series(1, 12) AS i));
sql(q(SELECT reverse_etl.create_sync('mirror', 'SELECT id, name FROM source', 'people', key => '{id}', mode => 'mirror', max_removed => '100%')));
sql(q(CALL reverse_etl.run_sync('mirror')));
is(last_run(), 'completed|12|12|0|0|0|11|1', 'a run waits for its job, and counts what it tells');
sql(q(UPDATE source SET name = 'changed' WHERE id IN ('1', '2')));
sql(q(DELETE FROM source WHERE id IN ('4', '5')));
sql(q(UPDATE source SET name = 'good' WHERE id = '3'));
sql(q(CALL reverse_etl.run_sync('mirror')));
is(last_run(), 'completed|12|0|3|2|7|5|0', 'the next one sends what changed, what was rejected and what is gone');
is_deeply(state()->{rows}, { map { $_ => $_ < 3 ? 'changed' : $_ == 3 ? 'good' : "n$_" } grep { $_ != 4 && $_ != 5 } 1 .. 12 },
    'and the destination is a mirror');
sql(q(CALL reverse_etl.run_sync('mirror')));
is(last_run(), 'completed|10|0|0|0|10|0|0', 'of which the next run has nothing to say');

# Nobody has to wait, and whoever does can stop
set(complete => 0, log => []);
sql(q(UPDATE source SET name = 'newer' WHERE id IN ('6', '7')));
my (undef, $said) = outcome($node, q(SET statement_timeout = '1s'; CALL reverse_etl.run_sync('mirror')));
like($said, qr/ERROR: +57014/, 'a run that waits for a job can be cancelled');
(undef, $said) = outcome($node, q(SET statement_timeout = '1s'; CALL reverse_etl.wait('people')));
like($said, qr/ERROR: +57014/, 'and so can who waits for the table');
ok(submitted(), 'the job goes on');
is(waiting(), '2', 'and its rows wait');
outcome($node, q(SELECT reverse_etl.cancel_run(max(id)) FROM reverse_etl.runs));
is(waiting(), '2', 'a run that is cancelled leaves alone what is handed over');
sql(q(SELECT reverse_etl.pause('people')));
comes(sub { my $before = polls(); sleep 2; $before == polls() });
set(complete => 1);
is(waiting(), '2', 'whoever pauses the table is not told meanwhile');
sql(q(SELECT reverse_etl.resume('people')));
ok(settled(), 'but later');
is_deeply([ map { $_->[-1] } @{ state()->{applied} }{qw(6 7)} ], [ 'newer', 'newer' ], 'what the destination did');
sql(q(CALL reverse_etl.run_sync('mirror')));
like(last_run(), qr/^completed\|10\|0\|[02]\|0\|/, 'the sync knows it, or looks once more');
is(state()->{rows}{6}, 'newer', 'and is right');
sql(q(SELECT reverse_etl.drop_sync('mirror')));

# Credentials that change, go and come
set(complete => 0, log => []);
sql(q(INSERT INTO people VALUES ('token', 'n')));
ok(submitted(), 'a job is open');
sql(q(ALTER USER MAPPING FOR PUBLIC SERVER people OPTIONS (SET token 'n3w')));
set(token => 'n3w', complete => 1);
ok(settled(), 'whose end is asked for with other credentials');
set(complete => 0);
sql(q(INSERT INTO people VALUES ('mapping', 'n')));
ok(submitted(), 'a job is open');
sql(q(DROP USER MAPPING FOR PUBLIC SERVER people));
comes(sub { sql(q(SELECT count(*) FROM reverse_etl.destination_states WHERE destination = 'people'::regclass)) > 0 });
set(complete => 1);
is(waiting(), '1', 'of which nobody may ask');
sql(q(CREATE USER MAPPING FOR PUBLIC SERVER people OPTIONS (token 'n3w')));
sql(q(SELECT reverse_etl.resume('people')));
ok(settled(), 'until there are credentials again');
is(sql(q(SELECT string_agg(key::text || reason, E'\n') FROM reverse_etl.rejected_rows WHERE reason ~ 'unknown')), '', 'nothing of it is in doubt');
set(token => 't0ken');

# A token that expires while the server is down, and an id that is not of this world
table('by_token', 'granted', q(, delivery 'queued'));
set(complete => 0, log => [], suffix => q( /../?&="'{job.url}ü😀));
sql(q(INSERT INTO by_token VALUES ('expired', 'n')));
ok(submitted(), 'a job is open');
$node->stop('immediate');
set(token => 'expired', complete => 1, log => []);
$node->start;
ok(settled(), 'and taken up with a new token');
is_deeply(state()->{applied}{expired}, ['n'], 'its rows are there once');
is(scalar(grep { /^POST \/jobs/ } state()->{log}->@*), 0, 'as no other job told');
is(scalar(grep { /POST \/token/ } state()->{log}->@*), 1, 'the token was asked for once');
set(token => 't0ken', suffix => '');

# A table that is dropped, with its server or alone, at once or while nobody looks
for my $how ('DROP FOREIGN TABLE gone', 'DROP SERVER gone CASCADE', 'killed') {
    table('gone', 'bulk', q(, insert_as 'create'));
    set(complete => 0, log => []);
    sql(qq(INSERT INTO gone SELECT '$how' || i, 'n' FROM generate_series(1, 3) AS i));
    ok(submitted(), "$how: a job is open");
    if ($how eq 'killed') {
        my $worker = worker();
        kill 'STOP', $worker;
        sql('DROP SERVER gone CASCADE');
        kill 'KILL', $worker;
        wait_for_server($node);
    } else {
        sql($how);
    }
    ok(settled(), "$how: its rows are rejected");
    is(sql(qq(SELECT DISTINCT reason FROM reverse_etl.rejected_rows WHERE "row" ->> 'id' ~ '^$how')),
        'outcome unknown, the destination may have the row: the destination was dropped', "$how: and in doubt");
    ok(comes(sub { jobs() eq '0' }), "$how: nothing is left of the job");
    sql('DROP SERVER IF EXISTS gone CASCADE');
}
set(complete => 1);

unlike(slurp_file($node->logfile), qr/s3cr3t|t0ken|n3w|granted\d/, 'no message holds a secret');
$server->stop;
done_testing();
