# Rows that leave in jobs: each state of one is cut short, and no row is lost, doubled or judged wrong.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

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

my $job = <<~'JSON';
    "rows": 50,
    "open": { "request": "POST /jobs", "body": { "object": "{object}", "operation": "upsert", "key": "{key_field}" },
              "keep": { "id": "/id", "url": "/contentUrl" } },
    "upload": { "address": "{job.url}", "hosts": ["127.0.0.1"], "body": { "rows": { "$rows": { "$columns": "all" } } } },
    "close": { "request": "PATCH /jobs/{job.id}", "body": { "state": "UploadComplete" } },
    "poll": { "request": "GET /jobs/{job.id}", "every": { "seconds": 1 },
              "done_when": { "/state": "JobComplete" }, "failed_when": { "/state": ["Failed", "Aborted"] },
              "reason": "/errorMessage" },
    "results": [
        { "request": "GET /jobs/{job.id}/successful", "query": { "locator": "{cursor}" }, "format": "csv",
          "outcome": { "each": "", "is": "accepted", "row": [{ "key": "/{key_field}" }] },
          "next": { "header": "Sforce-Locator" } },
        { "request": "GET /jobs/{job.id}/failed", "query": { "locator": "{cursor}" }, "format": "csv",
          "outcome": { "each": "", "is": "rejected", "row": [{ "key": "/{key_field}" }], "reason": "/sf__Error" },
          "next": { "header": "Sforce-Locator" } },
        { "request": "GET /jobs/{job.id}/unprocessed", "query": { "locator": "{cursor}" }, "format": "csv",
          "outcome": { "each": "", "entries": [{ "then": "wait" }], "row": [{ "key": "/{key_field}" }] },
          "next": { "header": "Sforce-Locator" } }
    ]
    JSON
my $single = q("request": "POST /single", "rows": 10, "body": { "rows": { "$rows": { "$columns": "all" } } });
sub connector {
    my ($name, $operation) = @_;
    sql(<<~SQL);
        SELECT reverse_etl.create_connector('$name', \$manifest\${
            "manifest": 1, "name": "$name", "title": "Bulk", "base_url": "{base_url}",
            "credentials": { "token": { "description": "token" } }, "auth": { "kind": "bearer", "token": "{token}" },
            "reason": "/message",
            "objects": { "people": { "key": "id", "columns": { "id": "text", "name": "text" },
                                     "operations": { "upsert": { $operation } } } }
        }\$manifest\$);
        CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector '$name', base_url '${\$server->url}', max_attempts '2');
        CREATE USER MAPPING FOR PUBLIC SERVER $name OPTIONS (token 't0ken');
        SQL
}
connector('bulk', qq("job": { $job }));
connector('twofold', qq($single, "job": { "from": 20, $job }));
sql(q(CREATE FOREIGN TABLE people (id text, name text) SERVER bulk));
sql(q(CREATE FOREIGN TABLE persons (id text, name text) SERVER twofold OPTIONS (object 'people', delivery 'queued')));

sub waiting { return sql('SELECT count(*) FROM reverse_etl.outbox') }
sub comes { wait_until(@_); return 1 }
sub settled { return comes(sub { waiting() eq '0' }) }
sub jobs { return sql('SELECT count(*) FROM reverse_etl_internal.outbox_jobs') }
sub worker { return sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) }
sub wait_for { my ($of) = @_; return comes(sub { grep { $_ eq $of } state()->{log}->@* }) }

# All outcomes, from pages of three files
my ($tag, $said) = outcome($node, q(INSERT INTO people SELECT i, CASE i % 10 WHEN 3 THEN 'bad ' WHEN 4 THEN 'later ' ELSE 'n' END || i
                                      FROM generate_series(1, 20) AS i));
is($tag, 'INSERT 0 20', 'a statement queues the rows of a job');
like($said, qr/NOTICE: .*rows for "public.people" are queued, and leave in a job/, 'and says so');
ok(settled(), 'all rows have an outcome');
is_deeply([ sort { $a <=> $b } keys state()->{rows}->%* ], [ grep { $_ % 10 != 3 } 1 .. 20 ], 'those that are taken are there');
is_deeply([ grep { @$_ != 1 } values state()->{applied}->%* ], [], 'each once');
is(sql(q(SELECT key ->> 'id', reason, http_status FROM reverse_etl.rejected_rows ORDER BY 1)),
    qq(13|REQUIRED: "name", not bad at all|200\n3|REQUIRED: "name", not bad at all|200), 'others are rejected with its words');
is(sql('SELECT accepted, rejected, outcome FROM reverse_etl.audit_log'), '18|2|completed', 'counts add up');
cmp_ok(scalar(keys state()->{jobs}->%*), '>', 1, 'what was not processed goes again');
is(jobs(), '0', 'nothing is kept of jobs that ended');

like(sql(q(EXPLAIN INSERT INTO people VALUES ('1', 'n'))), qr/Job: POST \/jobs\n\s*Rows per Job: 50\n\s*->/, 'EXPLAIN shows the job');
like(sql(q(EXPLAIN INSERT INTO persons VALUES ('1', 'n'))),
    qr/Job: POST \/jobs\n\s*Rows per Job: 50\n\s*Job from Rows: 20\n\s*Request: POST \/single/, 'or both');

# Order, and what a job holds back
set(complete => 0, log => []);
sql(q(INSERT INTO people VALUES ('1', 'first'), ('2', 'other')));
ok(wait_for('PATCH /jobs/JOB'), 'a job is under way');
ok(comes(sub { sql('SELECT submitted FROM reverse_etl_internal.outbox_jobs') eq 't' }), 'which is noted');
sql(q(INSERT INTO people VALUES ('1', 'second')));
is(waiting(), '3', 'its rows wait, and so does a later row of its key');
sql(q(ALTER FOREIGN TABLE people OPTIONS (ADD max_in_flight '3')));
sql(q(ALTER FOREIGN TABLE people RENAME COLUMN name TO called));
sql(q(ALTER FOREIGN TABLE people ALTER COLUMN called OPTIONS (ADD field 'name')));
set(complete => 1);
ok(settled(), 'a definition that changes meanwhile holds up nothing');
is_deeply(state()->{applied}{1}, [ 'n1', 'first', 'second' ], 'changes of one key come in their order');
sql(q(ALTER FOREIGN TABLE people ALTER COLUMN called OPTIONS (DROP field)));
sql(q(ALTER FOREIGN TABLE people RENAME COLUMN called TO name));

# Killed in each state. What holds the job there is a fault of the request that would end the state.
my $round = 100;
for my $state (
    [ 'opening',          'POST /jobs$' ],
    [ 'uploading',        'PUT /upload' ],
    [ 'closing',          'PATCH' ],
    [ 'waiting',          undef ],
    [ 'reading results',  'GET .*failed' ],
    [ 'reading the rest', 'GET .*unprocessed' ],
    )
{
    my ($name, $of) = @$state;
    for my $killed ('worker', 'server') {
        $round += 100;
        set(log => [], complete => $of ? 1 : 0, faults => [ $of ? { of => $of, count => 1000, status => 500 } : () ]);
        sql("INSERT INTO people SELECT i, CASE i % 10 WHEN 3 THEN 'bad' ELSE 'n' END || i FROM generate_series($round, $round + 9) AS i");
        ok(comes(sub { grep { $of ? /$of/ : /GET/ } state()->{log}->@* }), "$name");
        # Replaced changes of its keys wait as well.
        sql("INSERT INTO people VALUES ($round, 'newer $_')") for 1 .. 2;
        if ($killed eq 'worker') {
            kill 'KILL', worker();
            wait_for_server($node);
        } else {
            $node->stop('immediate');
            $node->start;
        }
        set(complete => 1, faults => []);
        sql('SELECT reverse_etl.resume(destination) FROM (VALUES (\'people\'::regclass)) AS _ (destination)');
        ok(settled(), "$name when the $killed is killed: every row gets its outcome");
        my $applied = state()->{applied};
        # What was not handed over yet is replaced by what came after it.
        my @handed_over = $name =~ /^(opening|uploading)$/ ? () : "n$round";
        is_deeply($applied->{$round}, [ @handed_over, 'newer 2' ], "$name, $killed: in order, and nothing twice");
        is_deeply([ map { scalar $applied->{$_}->@* } grep { $_ % 10 != 3 } $round + 1 .. $round + 9 ],
            [ (1) x 8 ], "$name, $killed: each row once");
        is(sql("SELECT count(*) FROM reverse_etl.rejected_rows WHERE key ->> 'id' = '${\($round + 3)}'"), '1', "$name, $killed: as judged");
        is(jobs(), '0', "$name, $killed: nothing is kept");
    }
}

# A job that never ends
set(complete => 0, log => []);
sql(q(INSERT INTO people VALUES ('never', 'n')));
ok(wait_for('GET /jobs/JOB'), 'a job that does not end');
sql(q(UPDATE reverse_etl_internal.outbox_jobs SET made_at = made_at - interval '25 hours'));
kill 'KILL', worker();
wait_for_server($node);
ok(settled(), 'is given up after a day');
like(sql(q(SELECT reason FROM reverse_etl.rejected_rows WHERE key ->> 'id' = 'never')),
    qr/^outcome unknown, the destination may have the row: its job has not ended within 24 hours/, 'its rows are in doubt');
set(complete => 1);

# What a job that is refused leaves
set(faults => [ { of => 'POST /jobs$', count => 1, status => 400 } ]);
sql(q(INSERT INTO people VALUES ('refused', 'n')));
ok(settled(), 'a job that is refused');
is(sql(q(SELECT reason, http_status FROM reverse_etl.rejected_rows WHERE key ->> 'id' = 'refused')),
    'the destination refused the job: fault on demand|400', 'rejects its rows');
set(faults => [ { of => 'PUT', count => 1, status => 422 } ]);
sql(q(INSERT INTO people SELECT 'divided ' || i, 'n' FROM generate_series(1, 4) AS i));
ok(settled(), 'rows that are refused together');
is(scalar(grep { /^divided/ } keys state()->{rows}->%*), 4, 'are tried with fewer others');

# A request or a job
set(log => []);
sql(q(SELECT reverse_etl.pause('persons')));
sql(q(INSERT INTO persons SELECT 'few ' || i, 'n' FROM generate_series(1, 19) AS i));
set(faults => [ { of => 'POST /single', count => 1000, status => 200 } ]);
sql(q(SELECT reverse_etl.resume('persons')));
ok(settled(), 'few rows');
is_deeply([ state()->{log}->@* ], [ ('POST /single') x 2 ], 'leave in requests');
set(log => []);
sql(q(SELECT reverse_etl.pause('persons')));
sql(q(INSERT INTO persons SELECT 'many ' || i, 'n' FROM generate_series(1, 20) AS i));
sql(q(SELECT reverse_etl.resume('persons')));
ok(settled(), 'many rows');
is((state()->{log}->@*)[0], 'POST /jobs', 'leave in a job');
set(log => []);
sql(q(ALTER FOREIGN TABLE persons OPTIONS (ADD bulk_from '5')));
sql(q(SELECT reverse_etl.pause('persons')));
sql(q(INSERT INTO persons SELECT 'five ' || i, 'n' FROM generate_series(1, 5) AS i));
sql(q(SELECT reverse_etl.resume('persons')));
ok(settled(), 'and how many are many');
is((state()->{log}->@*)[0], 'POST /jobs', 'is an option of the table');

(undef, $said) = outcome($node, q(ALTER FOREIGN TABLE people OPTIONS (ADD delivery 'immediate')));
(undef, $said) = outcome($node, q(INSERT INTO people VALUES ('now', 'n')));
like($said, qr/ERROR: .*cannot deliver to "public.people" immediately/, 'a job cannot be waited for by a statement');
is(sql(q(SELECT count(*) FROM reverse_etl.audit_log WHERE outcome = 'completed' AND accepted + rejected + absent + replaced <> rows)), '0',
    'every push has as many outcomes as rows');
unlike(slurp_file($node->logfile), qr/s3cr3t|t0ken/, 'no message holds a secret');

$server->stop;
done_testing();
