# What WHERE says and the API can goes into the request of a list, and means the same: the rows are those that a table
# would give. What is written by steps is the same bytes, whatever the database, at once and from the outbox.

use strict;
use warnings FATAL => 'all';

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);
use JSON::PP qw(decode_json encode_json);
use ReverseETL;
use ScriptedServer;
use Test::More;

# A server that takes no parameter that it does not know, and compares texts in any case.
my @records = (
    { id => 1, status => 'active', name => 'Ada',   age => 36, created => '2026-01-01T00:00:00Z', vip => JSON::PP::true },
    { id => 2, status => 'ACTIVE', name => 'grace', age => 85, created => '2026-02-01T00:00:00Z', vip => JSON::PP::false },
    { id => 3, status => 'closed', name => 'Alan',  age => 41, created => '2026-03-01T00:00:00Z', vip => JSON::PP::true },
    { id => 4, status => 'a,b',    name => undef,   age => undef, created => undef,                vip => undef },
    { id => 5, status => undef,    name => 'Zoe',   age => 36, created => '2026-03-01T00:00:00Z', vip => JSON::PP::false },
);
my %filters = (
    status   => sub { my ($one, $value) = @_; return lc($one->{status} // '') eq lc $value },
    statuses => sub { my ($one, $value) = @_; return grep { lc($one->{status} // '') eq lc } split /,/, $value },
    since    => sub { my ($one, $value) = @_; return ($one->{created} // '') ge $value =~ s/\+00:00$/Z/r },
    min_age  => sub { my ($one, $value) = @_; return defined $one->{age} && $one->{age} >= $value },
    after    => sub { my ($one, $value) = @_; return ($one->{name} // '') gt $value },
    vip      => sub { my ($one, $value) = @_; return defined $one->{vip} && ($one->{vip} ? 'true' : 'false') eq $value },
);
my $server = ScriptedServer->start(sub {
    my ($method, $target, $body) = @_;
    return [ 200, 'application/json', '{}' ] if $method ne 'GET';
    # A look-up by a string literal of OData.
    if (my ($literal) = $target =~ m{^/people\(name=(?:'|%27)(.*)(?:'|%27)\)$}) {
        my $name = $literal =~ s/%([0-9A-F]{2})/chr hex $1/ger;
        return [ 400, 'application/json', '{"error": "a quote ends the name"}' ] if $name =~ s/''//gr =~ /'/;
        $name =~ s/''/'/g;
        return $name eq "O'Neil" ? [ 200, 'application/json', encode_json({ id => 9, name => $name }) ] : [ 404, 'application/json', '{}' ];
    }
    my ($path, $query) = split /\?/, $target, 2;
    my @found = @records;
    my (@ids, $page);
    for (split /&/, $query // '') {
        my ($name, $value) = map { s/%([0-9A-F]{2})/chr hex $1/ger } split /=/, $_, 2;
        if    ($name eq 'id[]') { push @ids, $value }
        elsif ($name eq 'page') { $page = $value }
        elsif (my $filter = $filters{$name}) { @found = grep { $filter->($_, $value) } @found }
        else { return [ 400, 'application/json', encode_json({ error => "there is no parameter $name" }) ] }
    }
    @found = grep { my $one = $_; grep { $one->{id} == $_ } @ids } @found if @ids;
    my $first = 2 * ($page // 0);
    my $content = encode_json({ records => [ grep { defined } @found[ $first, $first + 1 ] ] });
    my $kept    = join '', map { "$_&" } grep { !/^page=/ } split /&/, $query // '';
    my $link    = $first + 2 < @found ? "Link: <?${kept}page=" . (($page // 0) + 1) . ">; rel=\"next\"\r\n" : '';
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${link}Content-Length: " . length($content)
        . "\r\nConnection: close\r\n\r\n$content";
});

my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_worker_processes = 24");
$ENV{PGCLIENTENCODING} = 'UTF8';
sub sql { my ($sql) = @_; return $node->safe_psql('postgres', $sql) }

sql(<<~SQL);
    SELECT reverse_etl.create_connector('people', \$\${
        "manifest": 1, "name": "people", "title": "People", "base_url": "${\$server->url}", "auth": {"kind": "none"},
        "reason": "/error",
        "objects": {"people": {"key": "id", "columns": {"id": "integer", "status": "text", "name": "text", "age": "integer",
                "created": "timestamptz", "vip": "boolean"},
            "operations": {"list": {"request": "GET /people", "records": "/records", "next": {"link": "next"},
                "filter": {"id": {"in": ["id[]"]}, "status": {"=": "status", "in": "statuses"}, "name": {">": "after"},
                    "age": {">=": "min_age"}, "created": {">=": "since"}, "vip": {"=": "vip"}}}}}}}\$\$);
    CREATE SERVER people FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'people');
    IMPORT FOREIGN SCHEMA people FROM SERVER people INTO public;
    CREATE TABLE kept AS SELECT * FROM people;
    CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    SQL
is(sql('SELECT count(*) FROM kept'), '5', 'a list without a filter is whole, page by page');

# What WHERE says, and what the first request does.
my @cases = (
    [ "status = 'active'"                          => 'status=active' ],
    [ "'active' = status AND age > 1"              => 'status=active' ],
    [ "status = 'active' AND status = 'closed'"    => undef ],
    [ "status IN ('active', 'closed')"             => 'statuses=active%2Cclosed' ],
    [ "status IN ('active', NULL, 'ACTIVE')"       => 'statuses=active%2CACTIVE' ],
    [ "status IN ('active', 'a,b')"                => '' ],
    [ "status = ''"                                => '' ],
    [ "status = 'a&b=c'"                           => 'status=a%26b%3Dc' ],
    [ "status = ANY (ARRAY[]::text[])"             => undef ],
    [ "status = (SELECT NULL::text)"               => undef ],
    [ "status = (SELECT 'closed')"                 => 'status=closed' ],
    [ "status = 'active' COLLATE any_case"         => '' ],
    [ "status = 'active' OR age = 36"              => '' ],
    [ "lower(status) = 'active'"                   => '' ],
    [ "status IS NULL"                             => '' ],
    [ "status <> 'active'"                         => '' ],
    [ "name > 'B'"                                 => '' ],
    [ "age >= 41"                                  => 'min_age=41' ],
    [ "41 <= age"                                  => 'min_age=41' ],
    [ "age >= 41::bigint"                          => '' ],
    [ "age >= 41::smallint"                        => 'min_age=41' ],
    [ "age > 36"                                   => '' ],
    [ "created >= '2026-02-01+00'"                 => 'since=2026-02-01T00%3A00%3A00%2B00%3A00' ],
    [ "created >= '2026-02-01'::date"              => '' ],
    [ "created >= 'infinity'"                      => '' ],
    [ "vip"                                        => 'vip=true' ],
    [ "NOT vip AND age >= 36"                      => 'min_age=36&vip=false' ],
    [ "vip IS NOT TRUE"                            => '' ],
    [ "id IN (1, 3, 3)"                            => 'id%5B%5D=1&id%5B%5D=3&id%5B%5D=3' ],
);
for (@cases) {
    my ($where, $query) = @$_;
    my $target = '/people' . ($query ? "?$query" : '');
    my $before = () = $server->seen($target);
    my $all    = () = $server->seen('/people');
    is(sql("SELECT id FROM people WHERE $where ORDER BY id"), sql("SELECT id FROM kept WHERE $where ORDER BY id"), "rows where $where");
    if (defined $query) {
        is(scalar(() = $server->seen($target)), $before + 1, "request where $where");
    } else {
        is(scalar(() = $server->seen('/people')), $all, "no request where $where");
    }
}
like(sql("EXPLAIN (COSTS OFF) SELECT * FROM people WHERE status = 'active' AND age >= 41 AND name > 'B'"),
    qr/Filter: .*status = 'active'.*\n.*Filter at Destination: status = 'active'::text AND age >= 41$/sm, 'EXPLAIN shows what is left to the destination');
unlike(sql("EXPLAIN (COSTS OFF) SELECT * FROM people WHERE name > 'B'"), qr/Filter at Destination/, 'and nothing else');
is(sql("PREPARE p(text) AS SELECT id FROM people WHERE status = \$1; SET plan_cache_mode = force_generic_plan; EXECUTE p('closed'); EXECUTE p('a,b')"),
    "3\n4", 'a plan of any value');
is(sql("SELECT k.id, (SELECT count(*) FROM people AS p WHERE p.status = k.status) FROM kept AS k ORDER BY 1"),
    "1|1\n2|1\n3|1\n4|1\n5|0", 'a filter that changes from row to row');

# What is derived from a key names the row as the key does.
sql(<<~SQL);
    SELECT reverse_etl.create_connector('names', \$\${
        "manifest": 1, "name": "names", "title": "Names", "base_url": "${\$server->url}", "auth": {"kind": "none"},
        "reason": "/error", "objects": {"names": {"key": "name", "columns": {"name": "text", "id": "integer"},
            "derived": {"quoted": {"from": "name", "encode": "odata"}},
            "operations": {"lookup": {"request": "GET /people(name='{row.quoted}')", "errors": [{"status": 404, "then": "absent"}]},
                "delete": {"request": "DELETE /names/{row.quoted}"}}}}}\$\$);
    CREATE SERVER names FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'names');
    IMPORT FOREIGN SCHEMA names FROM SERVER names INTO public;
    SQL
is(sql("SELECT name, id FROM names WHERE name = 'O''Neil'"), "O'Neil|9", 'a look-up by what is derived from the key');
is(sql("SELECT count(*) FROM names WHERE name = ''' or name eq ''O'"), '0', 'no value ends the literal');
is(sql("SELECT id FROM names WHERE name IN ('', 'O''Neil')"), '9', 'no row has an empty key, so it is not asked for');
$node->psql('postgres', "SELECT id FROM names WHERE name IN ('O''Neil', '..')", on_error_stop => 0, stderr => \my $unknown);
like($unknown, qr/destination "public.names" cannot look up a row\nDETAIL:  "\.\." cannot be asked for/, 'one that cannot be asked for is an error');
$node->psql('postgres', "DELETE FROM names WHERE name = ''; DELETE FROM names WHERE name = 'x''y'", on_error_stop => 0, stderr => \my $refused);
is(scalar(() = $server->seen('/names/')), 0, 'an empty key deletes nothing');
is(scalar(() = $server->seen('/names/x%27%27y')), 1, 'another one does');

# The same bytes from databases of other locales and encodings, at once and from the outbox.
my ($ada, $hash) = (encode_utf8("\x{e4}da\@example.com"), '0123456789abcdef' x 4);
my $sent = {
    email => sha256_hex($ada), phone => sha256_hex('+4915112345678'), known => $hash, born => '31.01.2026', at => 1769862896,
    tags => 'Ein, Zwei', payload => '{"a": [1.10]}', each => [ map { sha256_hex($_) } 'a', encode_utf8("\x{f6}") ], big => encode_utf8("\x{c4}DA"), id => md5_hex($ada),
};
for ([ 'utf8', 'UTF8', 'C.UTF-8' ], [ 'latin1', 'LATIN1', 'C' ], [ 'ascii', 'SQL_ASCII', 'C' ]) {
    my ($database, $encoding, $locale) = @$_;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LOCALE '$locale'");
    my $insert = encode_utf8("INSERT INTO steps VALUES (E' \x{c4}DA\@Example.com\\t', '0151 / 1234-5678', '$hash', '2026-01-31', '2026-01-31 12:34:56.9+00', '{Ein,Zwei}', '{\"a\": [1.10]}', E'{\" A\",\"\x{d6}\"}', '\x{e4}da');");
    $node->safe_psql($database, <<~SQL);
        CREATE EXTENSION reverse_etl;
        SELECT reverse_etl.create_connector('steps', \$\${
            "manifest": 1, "name": "steps", "title": "Steps", "base_url": "${\$server->url}", "auth": {"kind": "none"},
            "objects": {"steps": {"key": "email", "columns": {
                    "email": {"type": "text", "encode": ["trim", "lower"]},
                    "phone": {"type": "text", "encode": [{"e164": "DE"}, "sha256"]},
                    "known": {"type": "text", "encode": ["trim", {"unless": "[0-9a-f]{64}"}, "digits", "sha256"]},
                    "born": {"type": "date", "encode": {"date": "DD.MM.YYYY"}},
                    "at": {"type": "timestamptz", "encode": "epoch_s"},
                    "tags": {"type": "text[]", "encode": {"join": ", "}},
                    "payload": {"type": "jsonb", "encode": "json"},
                    "each": {"type": "text[]", "encode": {"each": ["trim", "lower", "sha256"]}},
                    "big": {"type": "text", "encode": "upper"}},
                "derived": {"id": {"from": "email", "encode": "md5"}, "hash": {"from": "email", "encode": "sha256"}},
                "operations": {"upsert": {"request": "PUT /$database/{row.id}", "body": {"email": "{row.hash}", "id": "{row.id}",
                    "phone": "{row.phone}", "known": "{row.known}", "born": "{row.born}", "at": "{row.at}", "tags": "{row.tags}",
                    "payload": "{row.payload}", "each": "{row.each}", "big": "{row.big}"}}}}}}\$\$);
        CREATE SERVER steps FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'steps');
        IMPORT FOREIGN SCHEMA steps FROM SERVER steps INTO public;
        $insert
        SQL
    my $path = "/$database/" . md5_hex($ada);
    my @bodies = $server->seen($path);
    is_deeply(decode_json($bodies[0] // '{}'), { %$sent, big => "\x{c4}DA" }, "steps in a database of $encoding");
    $node->safe_psql($database, "BEGIN; $insert COMMIT;");
    wait_until(sub { 1 < (() = $server->seen($path)) });
    @bodies = $server->seen($path);
    is($bodies[1], $bodies[0], "and from its outbox, byte for byte");
}
is($node->psql('postgres', "CREATE FOREIGN TABLE misfit (a integer OPTIONS (encode '{\"date\": \"YYYY\"}')) SERVER people OPTIONS (object 'people'); SELECT * FROM misfit WHERE false", stderr => \my $said), 0, 'an encoding is looked at where it is used');

done_testing();
