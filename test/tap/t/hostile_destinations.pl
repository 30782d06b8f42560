# Whatever a destination answers, the worker outlives it: statuses, types of content, bodies, whole and cut, each to a
# destination of its own. Every row has an outcome or waits with a reason that is told, and a healthy destination beside
# them gets all its rows. A new answer is one line.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use ScriptedServer;
use Test::More;

my @statuses = (200, 201, 202, 204, 207, 301, 400, 401, 404, 409, 413, 422, 429, 500, 502, 503, 504, 600, 999);
my @bodies   = (
    [ 'nothing',           'application/json',         '' ],
    [ 'an object',         'application/json',         '{"message": "fine"}' ],
    [ 'an array',          'application/json',         '[1, 2, 3]' ],
    [ 'a scalar',          'application/json',         '17' ],
    [ 'no JSON',           'application/json',         '{"message": ' ],
    [ 'a nul',             'application/json',         '{"message": "a\u0000b"}' ],
    [ 'a raw nul',         'application/json',         qq({"message": "a\0b"}) ],
    [ 'a lone surrogate',  'application/json',         '{"message": "a\ud83db"}' ],
    [ 'bytes',             'application/json',         qq({"message": "\xff\xfe\x80"}) ],
    [ 'a large number',    'application/json',         '{"message": 1e999999}' ],
    [ 'deep nesting',      'application/json',         '[' x 5000 ],
    [ 'a long message',    'application/json',         '{"message": "' . 'x' x 300_000 . '"}' ],
    [ 'HTML',              'text/html; charset=utf-8', '<html><body>Log in</body></html>' ],
    [ 'text in UTF-16',    'text/plain; charset=utf-16', "\xfe\xff\0n\0o" ],
    [ 'a strange type',    "application/\xff",         'x' ],
);
my @raw = (
    [ 'the connection is closed',   '' ],
    [ 'half a status line',         'HTTP/1.1 2' ],
    [ 'half the headers',           "HTTP/1.1 200 OK\r\nContent-Le" ],
    [ 'half the body',              "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":" ],
    [ 'half a refusal',             "HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"message\":" ],
    [ 'chunks that end',            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":" ],
    [ 'no HTTP',                    "SSH-2.0-OpenSSH_9.2\r\n" ],
    [ 'a negative length',          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" ],
    [ 'gzip that is none',          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope" ],
    [ 'a date of long ago',         "HTTP/1.1 429 Wait\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n" ],
    [ 'a wait for ever',            "HTTP/1.1 429 Wait\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n" ],
    [ 'a negative wait',            "HTTP/1.1 503 Wait\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n" ],
);
my @answers = map { [ $_->[0], $_->[1] ] } @raw;
for my $status (@statuses) {
    push @answers, map { [ "$status with $_->[0]", [ $status, $_->[1], $_->[2] ] ] } @bodies;
}

my $broken = 0;
my $server = ScriptedServer->start(sub {
    my ($method, $path, $body, $set) = @_;
    return [ 500, 'application/json', '{"message": "broken by request ' . ++$broken . '"}' ] if "$path $body" =~ /poison/;
    return [ 502, 'text/html', '<html>Bad Gateway</html>' ] if $path eq '/proxied' && $set->{down};
    my ($place) = $path =~ m{^/d/(\d+)};
    return defined $place ? $answers[$place][1] : [ 200, 'application/json', '{}' ];
});
my $url  = $server->url;
my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'\nfsync = off");
my $last = $#answers;
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '1', request_timeout '5s');
    CREATE FOREIGN TABLE healthy (n integer) SERVER inhouse OPTIONS (path '/healthy');
    DO \$\$ BEGIN
        -- Each has an account of its own, for some ask their account to wait.
        FOR place IN 0 .. $last LOOP
            EXECUTE format('CREATE SERVER s_%1\$s FOREIGN DATA WRAPPER reverse_etl
                            OPTIONS (connector ''http'', base_url %3\$L, delivery ''queued'', max_attempts ''1'', request_timeout ''5s'')',
                           place, NULL, '$url');
            EXECUTE format('CREATE FOREIGN TABLE d_%1\$s (n integer) SERVER s_%1\$s OPTIONS (path %2\$L)', place, '/d/' || place);
        END LOOP;
    END \$\$;
    INSERT INTO healthy VALUES (0);
    CALL reverse_etl.wait('healthy');
    SQL
my $worker = worker();
my $healthy = 0;
for (my $from = 0; $from <= $last; $from += 25) {
    my $to = $from + 24 < $last ? $from + 24 : $last;
    $node->safe_psql('postgres', join ';', map { "INSERT INTO d_$_ VALUES ($_)" } $from .. $to);
    $healthy++;
    $node->safe_psql('postgres', "INSERT INTO healthy VALUES ($healthy); CALL reverse_etl.wait('healthy', '30s')");
}
my $open = q(SELECT string_agg(DISTINCT destination::text, ' ') FROM reverse_etl.outbox AS o
              WHERE NOT EXISTS (SELECT FROM reverse_etl.destination_states AS s WHERE s.destination = o.destination));
wait_until(sub { $node->safe_psql('postgres', $open) eq '' });
is(worker(), $worker, scalar(@answers) . ' kinds of answers: the worker goes on');
is(scalar(() = $server->seen('/healthy')), $healthy + 1, 'and the healthy destination has all its rows');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE reason = '')), 0,
    'no row is rejected without a reason');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.destination_states WHERE reason = '' OR retry_at < since)), 0,
    'no destination waits without one, or to be tried in the past');

# A row that its destination cannot stand, of a statement of its own, and good rows that another queues behind it. Whoever
# tries the destination tries them in turn: the good ones arrive, and the bad one is set aside while they do.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE fragile (email text, n integer, m integer) SERVER inhouse
        OPTIONS (path '/fragile', key 'email', insert_as 'upsert', outbox_max_attempts '3');
    UPDATE fragile SET n = 1 WHERE email = 'poison@example.com';
    SQL
wait_until(sub { state_of('fragile') eq 'failing' });
like($node->safe_psql('postgres', q(SELECT last_error FROM reverse_etl.destinations WHERE destination = 'fragile'::regclass)),
    qr/ row \d+\)$/, 'last_error names the row');
$node->safe_psql('postgres', 'CREATE ROLE clerk; GRANT INSERT ON fragile TO clerk; CREATE ROLE watcher; GRANT pg_monitor TO watcher');
for my $case ([ 'clerk', 0 ], [ 'watcher', 1 ]) {
    my ($role, $waiting) = @$case;
    is($node->safe_psql('postgres', "SET ROLE $role; SELECT waiting, oldest IS NULL FROM reverse_etl.destinations WHERE destination = 'public.fragile'::regclass"),
        "$waiting|" . ($waiting ? 'f' : 't'), "of the rows that wait $role sees $waiting");
}
is($node->safe_psql('postgres', 'SET ROLE clerk; SELECT count(*) FROM reverse_etl.outbox'), 0, 'and of the rows themselves only its own');
$node->safe_psql('postgres', q(INSERT INTO fragile SELECT 'good' || n || '@example.com', n, n FROM generate_series(1, 50) AS n));
wait_until(sub { waiting('fragile') <= 1 });
pass('rows behind one that breaks the destination arrive');
wait_until(sub { waiting('fragile') == 0 });
is($node->safe_psql('postgres', q(SELECT key ->> 'email' FROM reverse_etl.rejected_rows WHERE reason LIKE 'gave up after 3 attempts%')),
    'poison@example.com', 'and it alone is set aside');

# Whoever waits for a sync is told, in place of a time that nobody knows.
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE people AS SELECT 'poison@example.com' AS email, 1 AS n;
    CREATE FOREIGN TABLE synced (email text, n integer) SERVER inhouse OPTIONS (path '/synced', key 'email', insert_as 'upsert');
    SELECT reverse_etl.create_sync('people', 'SELECT email, n FROM people', 'synced', key => '{email}');
    SQL
like((outcome($node, q(SET reverse_etl.progress = on; SET statement_timeout = '5s'; CALL reverse_etl.run_sync('people'))))[1],
    qr/0 of 1 rows, 0 rows\/s, the destination is failing: /, 'the progress of a sync names what keeps it');

# But not every other second while nothing changes: what a destination says of each try may have another number in it, as
# libcurl's words of a port that refuses hold the milliseconds that it took.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE numbered (email text, n integer) SERVER inhouse OPTIONS (path '/numbered', key 'email', insert_as 'upsert');
    SELECT reverse_etl.create_sync('numbered', 'SELECT email, n FROM people', 'numbered', key => '{email}');
    SQL
my $told = (outcome($node, q(SET reverse_etl.progress = on; SET statement_timeout = '11s'; CALL reverse_etl.run_sync('numbered'))))[1];
my @bars = $told =~ /0 of 1 rows, 0 rows\/s, (the destination is failing): /g;
cmp_ok(scalar @bars, '>=', 2, 'who waits for a destination that fails is told');
cmp_ok(scalar @bars, '<=', 3, 'and less often while it goes on failing') or diag($told);

# The same within one request: it comes again in halves
$node->safe_psql('postgres', <<~'SQL');
    TRUNCATE reverse_etl.rejected_rows;
    CREATE FOREIGN TABLE batched (email text, n integer) SERVER inhouse
        OPTIONS (path '/batched', key 'email', insert_as 'upsert', outbox_max_attempts '12');
    INSERT INTO batched SELECT CASE n WHEN 7 THEN 'poison' ELSE 'good' END || n || '@example.com', n FROM generate_series(1, 20) AS n;
    SQL
wait_until(sub { waiting('batched') <= 1 });
pass('rows in one request with one that breaks the destination arrive');

# A proxy before a destination that is down: nobody knows whether creates were made
$server->set(down => 1);
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE proxied (n integer) SERVER inhouse OPTIONS (path '/proxied');
    INSERT INTO proxied SELECT generate_series(1, 3000);
    SQL
wait_until(sub { state_of('proxied') eq 'failing' });
sleep 3;
my $lost = $node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'public.proxied'::regclass));
cmp_ok($lost, '<=', 810, 'no more than was in flight, and single rows after it, is in doubt');
is($node->safe_psql('postgres', <<~'SQL'), 3000, 'and all others wait');
    SELECT (SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'public.proxied'::regclass)
         + (SELECT count(*) FROM reverse_etl.outbox WHERE destination = 'proxied'::regclass)
    SQL
$server->set(down => 0);
$node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.proxied')));
wait_until(sub { waiting('proxied') == 0 });
is(state_of('proxied'), '', 'they arrive when it is back');

sub waiting {
    my ($destination) = @_;
    return $node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.outbox WHERE destination = '$destination'::regclass");
}

sub state_of {
    my ($destination) = @_;
    return $node->safe_psql('postgres', "SELECT state FROM reverse_etl.destination_states WHERE destination = '$destination'::regclass");
}

sub worker {
    return $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
}

done_testing();
