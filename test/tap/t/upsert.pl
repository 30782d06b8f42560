# Upserts by look-ups at a server of others, json-server, which knows no upsert and makes its own ids: whatever becomes of
# requests in between, each key is there once, with its last value.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use RealServers;
use ReverseETL;
use Test::More;

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $servers = RealServers->start('json_server');
my $url     = $servers->url('json_server');
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
sub sql { return $node->safe_psql('postgres', @_) }

sql(<<~SQL);
    SELECT reverse_etl.create_connector('members', '{
        "manifest": 1, "name": "members", "title": "Members", "base_url": "$url", "auth": { "kind": "none" },
        "values": { "encode": "native" },
        "objects": { "members": {
            "id": "id", "key": "email",
            "columns": { "id": { "type": "text", "write": false }, "email": "text", "name": "text" },
            "operations": {
                "lookup": { "by": "key", "request": "GET /members", "query": { "email": "{key}" } },
                "update": { "by": "id", "request": "PATCH /members/{key}", "body": { "\$columns": "all" },
                            "errors": [{ "status": 404, "then": "absent" }] },
                "delete": { "by": "id", "request": "DELETE /members/{key}", "errors": [{ "status": 404, "then": "absent" }] },
                "create": { "request": "POST /members", "body": { "\$columns": "all" } },
                "list": { "request": "GET /members" },
                "upsert": { "by": "lookup" }
            }
        } }
    }');
    CREATE SERVER members FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'members', max_attempts '3', max_in_flight '2');
    CREATE USER MAPPING FOR PUBLIC SERVER members;
    CREATE FOREIGN TABLE members (id text, email text, name text) SERVER members;
    CREATE TABLE people (email text PRIMARY KEY, name text);
    SQL

# What is there, as a client tells that is not ours: names by e-mail.
sub members {
    my $members = $servers->ask('GET', "$url/members");
    my %names;
    push @{ $names{ $_->{email} } }, $_->{name} for @$members;
    return { map { $_ => join ',', @{ $names{$_} } } keys %names };
}

sub model { return { map { split /\|/, $_, 2 } split /\n/, sql('SELECT email, name FROM people') } }

# At once
sql(q(INSERT INTO members (email, name) SELECT 'm' || i || '@example.com', 'n' || i FROM generate_series(1, 10) AS i));
sql(q(INSERT INTO members (email, name) SELECT 'm' || i || '@example.com', 'x' || i FROM generate_series(6, 15) AS i));
is_deeply(members(), { map { ("m$_\@example.com" => $_ < 6 ? "n$_" : "x$_") } 1 .. 15 }, 'each is there once, with what came last');

# Twice there already
$servers->ask('POST', "$url/members", { email => 'm1@example.com', name => 'another' });
is((outcome($node, q(INSERT INTO members (email, name) VALUES ('m1@example.com', 'y'), ('m2@example.com', 'y');)))[0],
    'INSERT 0 1', 'a key that is there twice is not written');
is(sql('SELECT reason FROM reverse_etl.rejected_rows'), 'the destination has several rows with this key', 'and says why');

# By a sync, while the server dies and comes back, and so does the worker. What the server acknowledged it has kept
# (servers/members.mjs), so a row that is missing, or has its old name, is one that we lost.
sql(q(INSERT INTO people SELECT 's' || i || '@example.com', 'n' || i FROM generate_series(1, 60) AS i));
sql(q(INSERT INTO members (email, name) SELECT 's' || i || '@example.com', 'old' FROM generate_series(1, 30) AS i));
sql(q(SELECT reverse_etl.create_sync('people', 'SELECT email, name FROM people', 'members', '{email}', mode => 'mirror', max_removed => 'none')));
sql(q(CALL reverse_etl.run_sync('people', wait => false)));
wait_until(sub { scalar(grep { /^n/ } values %{ members() }) > 5 });
$servers->kill('json_server');
sleep 1;
$servers->run('json_server');
sql(q(SELECT reverse_etl.resume_server('members')));
ended();

# What may or may not be there is rejected as unknown; the next run looks it up.
my $run = 'added + changed + removed = accepted + rejected + absent';
is(last_run($run), 't', 'the counts of a run add up');
for (1 .. 5) {
    last if last_run('rejected') eq '0';
    sql(q(CALL reverse_etl.run_sync('people')));
}
is_deeply(of_sync(), model(), 'all are there, once');

for my $round (1 .. 3) {
    sql("UPDATE people SET name = name || '$round'");
    sql("INSERT INTO people SELECT 'r' || $round || '-' || i || '\@example.com', 'r' FROM generate_series(1, 20) AS i");
    sql(q(CALL reverse_etl.run_sync('people', wait => false)));
    my $before = scalar keys %{ members() };
    wait_until(sub { last_run('waiting') < 60 });
    crash_worker();
    ended();
    is(last_run($run), 't', 'the counts add up after a crash');
    for (1 .. 5) {
        last if last_run('rejected') eq '0';
        sql(q(CALL reverse_etl.run_sync('people')));
    }
    is_deeply(of_sync(), model(), "after a crash all are there, once, with their last names ($round)");
}
sql('DELETE FROM people WHERE email LIKE \'r%\'');
sql(q(CALL reverse_etl.run_sync('people')));
is_deeply(of_sync(), model(), 'rows that are gone are looked up and deleted');

done_testing();

sub of_sync {
    my $members = members();
    return { map { $_ => $members->{$_} } grep { /^[sr]/ } keys %$members };
}

sub last_run {
    my ($columns) = @_;
    return sql("SELECT $columns FROM reverse_etl.runs WHERE sync = 'people' ORDER BY id DESC LIMIT 1");
}

sub ended {
    wait_until(sub { last_run('status') eq 'completed' });
    return;
}

# The whole server dies, with the worker in the middle of its requests.
sub crash_worker {
    $node->stop('immediate');
    $node->start;
    return;
}
