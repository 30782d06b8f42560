# A process that lives for months. Rows are queued, delivered and rejected, destinations are dropped and made anew,
# connections break, sessions come and go: what the worker uses stays flat, and it is the same process in the end.
# SOAK_SECONDS=1800 makes it half an hour.
# Alone: it looks at the memory of the worker over time.

use strict;
use warnings FATAL => 'all';

use List::Util qw(max sum);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SOAK_SECONDS} // 25;
my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', <<~CONF);
    shared_preload_libraries = 'reverse_etl'
    dynamic_shared_memory_type = mmap
    autovacuum_naptime = 1s
    CONF
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url', delivery 'queued');
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE events (n integer, words text) SERVER inhouse OPTIONS (path '/http/events');
    CREATE FOREIGN TABLE things (email text, n integer) SERVER inhouse OPTIONS (path '/http/things', key 'email');
    CREATE FOREIGN TABLE people (email text, firstname text) SERVER hubspot OPTIONS (object 'contacts', delivery 'queued');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE SERVER brief FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '2');
    SQL

# What a round does; each part alone is a way in which memory, places or files were once kept.
my @parts = (
    [ 'rows that are large',        q(INSERT INTO events SELECT n, repeat(md5(n::text), 250) FROM generate_series(1, 200) AS n) ],
    [ 'many rows',                  q(INSERT INTO events SELECT n, 'x' FROM generate_series(1, 1000) AS n) ],
    [ 'many transactions',          join ';', map { "INSERT INTO events VALUES ($_, 'alone')" } 1 .. 20 ],
    [ 'changes of the same keys',   q(INSERT INTO things SELECT n % 50 || '@example.com', n FROM generate_series(1, 200) AS n) ],
    [ 'rows that are refused',      q(INSERT INTO people SELECT 'bad' || n, 'x' FROM generate_series(1, 20) AS n) ],
    [ 'refused rows of a push',     q(INSERT INTO contacts SELECT 'bad' || n, repeat('x', 100) FROM generate_series(1, 20) AS n) ],
    [ 'a push that is rolled back', q(BEGIN; INSERT INTO events SELECT n, 'never' FROM generate_series(1, 500) AS n; ROLLBACK) ],
    [ 'a destination that goes, with its rows and pauses', <<~'SQL' ],
        CREATE FOREIGN TABLE short (n integer) SERVER brief OPTIONS (path '/http/short');
        INSERT INTO short VALUES (1);
        CALL reverse_etl.wait('short', '10s');
        SELECT reverse_etl.pause('public.short');
        INSERT INTO short SELECT generate_series(1, 20);
        DROP FOREIGN TABLE short;
        SQL
);

$node->safe_psql('postgres', q(INSERT INTO events VALUES (0, 'first')));
wait_until(sub { worker() ne '' });
my $worker = worker();
my $rounds = 0;
my @samples;
my ($began, $last) = (time, 0);
while (time - $began < $seconds || $rounds < 12) {
    # Every third round connections break.
    $sandbox->post('/_sandbox/faults', $rounds % 3 == 2 ? { p_reset => 0.05, discard => JSON::PP::true } : { discard => JSON::PP::true });
    $node->psql('postgres', $_->[1]) for @parts;
    $sandbox->post('/_sandbox/faults', { discard => JSON::PP::true });
    $node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('inhouse')));
    wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') == 0 });
    push @samples, sample();
    $rounds++;
}
note "$rounds rounds";
note join '  ', map { "$_ $samples[0]{$_}, $samples[$#samples / 2]{$_}, $samples[-1]{$_}" } sort keys %{$samples[0]};

is(worker(), $worker, 'the worker is the process that it was at the start');
my @warm = @samples[0 .. $#samples / 3];
# A table that vacuum held when it was to go, goes at the next try, a minute later.
my ($tables, $patience) = (max(map { $_->{tables} } @warm), time + 90);
while (time < $patience && grep { $_->{tables} > $tables } @samples[-2, -1]) {
    sleep 1;
    push @samples, sample();
}
my @late = @samples[-3 .. -1];
# An empty table of the outbox goes when nobody holds it, vacuum neither: on a busy machine one more may be there.
# The sanitizer keeps what was freed for a while.
my $kept = $ENV{ASAN_OPTIONS} ? 300_000 : 0;
for ([ memory => 'memory, in kB', 4000 + $kept ], [ files => 'sockets and files beside those of tables', 3 ], [ segments => 'segments of shared memory', 2 ],
    [ tables => 'tables of the outbox', 1 ], [ pauses => 'pauses', 0 ], [ dead => 'dead rows', 40_000 ])
{
    my ($key, $what, $tolerance) = @$_;
    my ($before, $after) = (max(map { $_->{$key} } @warm), (sort { $a <=> $b } map { $_->{$key} } @late)[1]);
    cmp_ok($after, '<=', $before + $tolerance, "$what: stays flat, from $before to $after");
}
cmp_ok($node->safe_psql('postgres', q(SELECT sum(n_tup_del) FROM pg_stat_user_tables WHERE relname LIKE 'outbox%')), '>',
    0, 'Postgres knows of the rows that it deleted');
wait_until(sub { activity() eq 'idle|waiting for rows' });
pass('pg_stat_activity tells that it waits');
$sandbox->post('/_sandbox/faults', { latency_ms => 5000 });
$node->safe_psql('postgres', q(INSERT INTO events VALUES (1, 'slow')));
wait_until(sub { activity() eq 'active|sending rows to public.events' });
pass('and what it sends');

# A row that fails for months does not gather reasons for ever.
$sandbox->post('/_sandbox/faults', { path => '/http/months', p_500 => 1 });
$node->safe_psql('postgres', q(CREATE FOREIGN TABLE months (n integer) SERVER brief OPTIONS (path '/http/months', key 'n', insert_as 'upsert')));
$node->safe_psql('postgres', q(INSERT INTO months VALUES (1)));
wait_until(sub { reasons() ne '' });
$node->safe_psql('postgres', q(UPDATE reverse_etl.outbox SET reasons = array_fill('old'::text, ARRAY[10]) WHERE destination = 'months'::regclass));
wait_until(sub {
    $node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.months')));
    return reasons() =~ /^10 (?!old)/;
});
pass('it keeps the last ten');

sub reasons {
    return $node->safe_psql('postgres', q(SELECT cardinality(reasons) || ' ' || reasons[cardinality(reasons)] FROM reverse_etl.outbox WHERE destination = 'months'::regclass));
}

sub worker { return $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) }

sub activity {
    return $node->safe_psql('postgres', q(SELECT state, query FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
}

# sample(): what the worker and its cluster use just now.
sub sample {
    my ($memory) = map { /^RssAnon:\s+(\d+)/ ? $1 : () } lines("/proc/$worker/status");
    my ($tables, $pauses, $dead) = split /\|/, $node->safe_psql('postgres', <<~'SQL');
        SELECT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'reverse_etl_internal.outbox'::regclass),
               (SELECT count(*) FROM reverse_etl.pauses),
               (SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE schemaname IN ('reverse_etl', 'reverse_etl_internal'))
        SQL
    return {
        memory   => $memory,
        files    => scalar(grep { is_own($_) } glob "/proc/$worker/fd/*"),
        segments => scalar(() = glob $node->data_dir . '/pg_dynshmem/*'),
        tables   => $tables,
        pauses   => $pauses,
        dead     => $dead
    };
}

# Postgres keeps files of tables open, as many as max_files_per_process lets it: those of this cluster's data are its own.
sub is_own {
    my ($descriptor) = @_;
    my $target = readlink $descriptor;
    return defined $target && index($target, $node->data_dir . '/') != 0;
}

sub lines {
    my ($path) = @_;
    open my $file, '<', $path or die "cannot read $path: $!";
    return <$file>;
}

done_testing();
