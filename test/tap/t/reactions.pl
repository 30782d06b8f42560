# Reactions at a server of others, express-pouchdb, which takes a change only with the revision that it changes, as CouchDB
# does: what is there is what the model says, with no more requests than that takes, whoever dies in between.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use File::Temp;
use JSON::PP qw(decode_json encode_json);
use PostgreSQL::Test::Utils;
use RealServers;
use ReverseETL;
use ScriptedServer;
use Test::More;

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $servers = RealServers->start('couch');
my $url     = $servers->url('couch');
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nrestart_after_crash = on");
sub sql  { return $node->safe_psql('postgres', @_) }
sub ask  { my ($call, $what) = @_; return $servers->ask($what ? 'POST' : 'GET', "$url/_test/$call", $what) }

# An update that nothing knows makes a document whose id the server draws: a create that must not be made twice.
$servers->ask('PUT', "$url/docs");
my $conflict = '"errors": [{ "status": 409, "body": { "/error": "conflict" }, "then": { "try": "lookup", "and": "again", "with": "_rev" }, "reason": "/reason" }]';
sql(<<~SQL);
    SELECT reverse_etl.create_connector('couch', '{
        "manifest": 1, "name": "couch", "title": "Couch", "base_url": "$url", "auth": { "kind": "none" },
        "values": { "encode": "native" },
        "objects": {
            "docs": {
                "key": "_id",
                "columns": { "_id": "text", "_rev": { "type": "text", "write": false }, "name": "text" },
                "operations": {
                    "lookup": { "request": "GET /docs/{key}", "errors": [{ "status": 404, "then": "absent" }] },
                    "upsert": { "request": "PUT /docs/{key}", "body": { "\$columns": "all" }, $conflict },
                    "delete": { "request": "PUT /docs/{key}", "body": { "_deleted": true, "\$columns": "all" }, $conflict }
                }
            },
            "notes": {
                "key": "tag",
                "columns": { "tag": "text", "name": "text" },
                "operations": {
                    "create": { "request": "POST /docs", "body": { "\$columns": "all" } },
                    "update": { "request": "PATCH /docs/{key}", "body": { "\$columns": "all" },
                                "errors": [{ "status": 404, "then": { "try": "create" } }] }
                }
            }
        }
    }');
    CREATE SERVER couch FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'couch', max_in_flight '4');
    CREATE USER MAPPING FOR PUBLIC SERVER couch;
    CREATE FOREIGN TABLE docs (_id text, name text) SERVER couch;
    CREATE FOREIGN TABLE queued (_id text, name text) SERVER couch OPTIONS (object 'docs', delivery 'queued');
    CREATE FOREIGN TABLE notes (tag text, name text) SERVER couch OPTIONS (delivery 'queued');
    CREATE TABLE model (id text PRIMARY KEY, name text);
    SQL

# ---- At once, and queued: three requests for a document that is there, and one for another ---------------------------

my $insert = q(SELECT 'd' || i, '%s' || i FROM generate_series(1, %d) AS i);
for my $table (qw(docs queued)) {
    my $send = sub {
        my ($statement) = @_;
        ask('forget', {});
        my ($tag, $said) = outcome($node, "$statement;");
        sql("CALL reverse_etl.wait('$table', '60 s')");
        return ($tag, ask('state')->{answers});
    };
    my ($tag, $answers) = $send->("INSERT INTO $table " . sprintf $insert, 'first', 150);
    is($tag, 'INSERT 0 150', "$table: documents that are new");
    is_deeply($answers, { 'PUT 201' => 150 }, 'take a request each');
    ($tag, $answers) = $send->("INSERT INTO $table " . sprintf $insert, 'second', 220);
    is($tag, 'INSERT 0 220', "$table: those that are there are written as well");
    is_deeply($answers, { 'PUT 409' => 150, 'GET 200' => 150, 'PUT 201' => 220 }, 'by three requests each');
    is_deeply(docs(), { map { ("d$_" => "second$_") } 1 .. 220 }, 'and all are what they should be');
    ($tag, $answers) = $send->("DELETE FROM $table WHERE _id IN (" . join(', ', map { "'d$_'" } 1 .. 220) . ')');
    is($tag, 'DELETE 220', "$table: and deleted");
    is_deeply($answers, { 'PUT 409' => 220, 'GET 200' => 220, 'PUT 201' => 220 }, 'with their revisions');
    is_deeply(docs(), {}, 'none is left');
}
is(sql('SELECT count(*) FROM reverse_etl.rejected_rows'), 0, 'no row was rejected');
is(sql(q(SELECT string_agg(rows || ' ' || accepted || ' ' || rejected || ' ' || requests, ', ' ORDER BY id)
           FROM reverse_etl.audit_log WHERE destination = 'docs'::regclass)),
    '150 150 0 150, 220 220 0 520, 220 220 0 660', 'the audit log has each request');

# ---- A managed sync ---------------------------------------------------------------------------------------------------

sql(q(INSERT INTO model SELECT 's' || i, 'n' || i FROM generate_series(1, 250) AS i));
sql(q(SELECT reverse_etl.create_sync('docs', 'SELECT id AS _id, name FROM model', 'docs', '{_id}', mode => 'mirror', max_removed => 'none')));
is(run(), '250|0|0|250|0|0', 'a first run');
sql(q(UPDATE model SET name = name || '!' WHERE id LIKE 's%0'; DELETE FROM model WHERE id LIKE 's%5'; INSERT INTO model VALUES ('s300', 'new')));
is(run(), '1|25|25|51|0|0', 'edits and removals');
is_deeply(ask('state')->{answers}, { 'PUT 409' => 50, 'GET 200' => 50, 'PUT 201' => 51 }, 'take what they need');
is_deeply(docs(), model(), 'the destination is the model');

# Somebody else changes documents, between the look-up and the change as well.
$servers->ask('PUT', "$url/docs/s1", { name => 'of others', _rev => rev('s1') });
sql(q(UPDATE model SET name = 'ours' WHERE id IN ('s1', 's2')));
ask('hold', { 'GET 200' => 1 });
sql(q(CALL reverse_etl.run_sync('docs', wait => false)));
wait_until(sub { ask('state')->{held} });
$servers->ask('PUT', "$url/docs/$_", { name => 'of others', _rev => rev($_) }) for grep { docs()->{$_} !~ /ours/ } qw(s1 s2);
ask('release', {});
ended();
is(last_run('changed, accepted + rejected'), '2|2', 'who is overtaken once more is told so');
like(sql('SELECT reason FROM reverse_etl.rejected_rows ORDER BY id DESC LIMIT 1'), qr/^Document update conflict/, 'in the words of the server');
is(run() =~ s/\|0\|0$//r, '0|1|0|1', 'and comes again with the next run');
is_deeply(docs(), model(), 'the destination is the model');

# A key that is twice: one row after the other, or what was found for one would be out of date for the next.
is((outcome($node, q(INSERT INTO docs VALUES ('s1', 'one'), ('s1', 'another'), ('s1', 'last');)))[0], 'INSERT 0 3', 'rows of a key in a statement');
is(docs()->{s1}, 'last', 'are written one after the other');
sql(q(BEGIN; INSERT INTO docs VALUES ('s1', 'first'), ('s1', 'ours'); COMMIT; CALL reverse_etl.wait('docs', '60 s')));
is(docs()->{s1}, 'ours', 'and so are queued ones');

# A statement can be cancelled wherever it is.
for my $held ('PUT 409', 'GET 200', 'PUT 201') {
    ask('hold', { $held => 1 });
    like((outcome($node, q(SET statement_timeout = '1s'; INSERT INTO docs VALUES ('s1', 'ours');)))[1],
        qr/canceling statement due to statement timeout/, "a statement is cancelled at $held");
    ask('release', {});
}

# ---- Whoever dies: behind the refused request, the look-up, and the request that is made once more ---------------------

for my $held ('PUT 409', 'GET 200', 'PUT 201') {
    sql("UPDATE model SET name = '$held ' || id WHERE id LIKE 's1%'");
    ask('hold', { $held => 10 });
    sql(q(CALL reverse_etl.run_sync('docs', wait => false)));
    wait_until(sub { ask('state')->{held} });
    kill_process(q(backend_type LIKE 'reverse_etl worker%'));
    ask('release', {});
    ended();
    my $changed = sql(q(SELECT count(*) FROM model WHERE id LIKE 's1%'));
    is(last_run('added, changed, removed, accepted, rejected, absent'), "0|$changed|0|$changed|0|0", "the worker dies at $held: counts add up");
    is_deeply(docs(), model(), 'and the destination is the model');

    ask('hold', { $held => 10 });
    my $statement = "INSERT INTO docs SELECT id, 'again $held ' || id FROM model WHERE id LIKE 's1%'";
    my $psql = $node->background_psql('postgres', on_error_stop => 0);
    $psql->query_until(qr/started/, "\\echo started\n$statement;\n");
    wait_until(sub { ask('state')->{held} });
    kill_process(q(query LIKE 'INSERT INTO docs%' AND pid <> pg_backend_pid()));
    eval { $psql->quit };
    ask('release', {});
    ok($node->poll_query_until('postgres', q(SELECT outcome = 'unknown' FROM reverse_etl.audit_log WHERE statement = 'INSERT' ORDER BY id DESC LIMIT 1)),
        "a session dies at $held: it is on record");
    sql($statement);
    my ($docs, $model) = (docs(), model());
    is_deeply($docs, { %$model, map { $_ => "again $held $_" } grep { /^s1/ } keys %$model }, 'and when it is made again, all of it is there, once');
}

# ---- A create in reaction, which must not be made twice ----------------------------------------------------------------

sql(q(DELETE FROM reverse_etl.rejected_rows));
ask('hold', { 'POST 201' => 2 });
sql(q(UPDATE notes SET name = 'note ' || tag WHERE tag IN ('1', '2', '3', '4')));
wait_until(sub { ask('state')->{held} });
kill_process(q(backend_type LIKE 'reverse_etl worker%'));
ask('release', {});
sql(q(CALL reverse_etl.wait('notes', '60 s')));
my %notes;
$notes{$_}++ for grep { /^note/ } values %{ docs() };
is_deeply(\%notes, { map { ("note $_" => 1) } 1 .. 4 }, 'each is there once');
my @unknown = split /\n/, sql(q(SELECT reason FROM reverse_etl.rejected_rows));
cmp_ok(scalar @unknown, '>', 0, 'what was under way is in doubt');
is(scalar(grep { !/^outcome unknown, the destination may have the row: the server stopped while it was sent/ } @unknown), 0, 'which is the reason');

# ---- A create with an idempotency key, at a server that keeps no refusal under it --------------------------------------

my $work  = File::Temp->newdir;
my (%made, %known, %refused);
my $server = ScriptedServer->start(sub {
    my ($method, $path, $body) = @_;
    return [ 200, 'application/json', encode_json(\%made) ] if $method eq 'GET';
    return [ 200, 'application/json', '{}' ] if $path =~ /unlock/;
    my $row = decode_json($body);
    return [ 409, 'application/json', '{}' ] if !$refused{ $row->{tag} }++;
    if (!$known{ $row->{id} }++) {
        $made{ $row->{tag} }++;
        open my $file, '>', "$work/made" or die "cannot write: $!";
        sleep 2;
    }
    return [ 201, 'application/json', '{}' ];
});
sql(<<~SQL);
    SELECT reverse_etl.create_connector('entries', '{
        "manifest": 1, "name": "entries", "title": "Entries", "base_url": "${\$server->url}", "auth": { "kind": "none" },
        "objects": { "entries": {
            "key": "tag", "columns": { "tag": "text" },
            "reactions": { "unlock": { "request": "POST /entries/{key}/unlock" } },
            "operations": { "create": {
                "request": "POST /entries", "body": { "\$columns": "all" }, "idempotency_key": { "body": "/id" },
                "errors": [{ "status": 409, "then": { "try": "unlock", "and": "again" } }]
            } }
        } }
    }');
    CREATE SERVER entries FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'entries');
    CREATE USER MAPPING FOR PUBLIC SERVER entries;
    CREATE FOREIGN TABLE entries (tag text) SERVER entries OPTIONS (delivery 'queued');
    DELETE FROM reverse_etl.rejected_rows;
    INSERT INTO entries VALUES ('one');
    SQL
wait_until(sub { -e "$work/made" });
kill_process(q(backend_type LIKE 'reverse_etl worker%'));
sql(q(CALL reverse_etl.wait('entries', '60 s')));
is_deeply($servers->ask('GET', $server->url . '/made'), { one => 1 }, 'what was made once more is not made again with its first key');
like(sql('SELECT reason FROM reverse_etl.rejected_rows'), qr/^outcome unknown, the destination may have the row/, 'it is in doubt');

done_testing();

# What is there, as a client tells that is not ours: names by id.
sub docs {
    my $rows = $servers->ask('GET', "$url/docs/_all_docs?include_docs=true")->{rows};
    return { map { $_->{id} => $_->{doc}{name} } @$rows };
}

sub rev { my ($id) = @_; return $servers->ask('GET', "$url/docs/$id")->{_rev} }

sub model { return { map { split /\|/, $_, 2 } split /\n/, sql('SELECT id, name FROM model') } }

sub run {
    ask('forget', {});
    sql(q(CALL reverse_etl.run_sync('docs')));
    return last_run('added, changed, removed, accepted, rejected, absent');
}

sub last_run {
    my ($columns) = @_;
    return sql("SELECT $columns FROM reverse_etl.runs WHERE sync = 'docs' ORDER BY id DESC LIMIT 1");
}

sub ended {
    wait_until(sub { last_run('status') eq 'completed' });
    return;
}

# By a signal that nothing can answer: Postgres starts anew.
sub kill_process {
    my ($which) = @_;
    my $pid = sql("SELECT pid FROM pg_stat_activity WHERE $which LIMIT 1");
    kill KILL => $pid;
    wait_until(sub { !kill 0, $pid });
    wait_for_server($node);
    return;
}
