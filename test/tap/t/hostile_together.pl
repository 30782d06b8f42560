# Hostile roles, data, destinations and settings, all at once, beside a healthy destination: that delivers all its rows,
# in order, once, at the rate that it has alone, and the worker is the process that it was at the start.
# HOSTILE_SECONDS=600 makes it ten minutes.
# Once: no version of Postgres does this in another way.
# Alone: it measures times.

use strict;
use warnings FATAL => 'all';

use HTTP::Tiny;
use JSON::PP qw(encode_json);
use PostgreSQL::Test::Utils qw(slurp_file);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{HOSTILE_SECONDS} // 25;
my ($at_once, $keys, $pause) = (20, 7, 0.1); # healthy rows of a transaction, their keys, and seconds to the next

# The healthy one has a sandbox for itself: what is measured is the worker.
my ($sandbox, $hostile) = (start_sandbox(), start_sandbox());
my ($url, $hostile_url) = ($sandbox->url, $hostile->url);
$_->post('/_sandbox/record', { on => JSON::PP::false }) for $sandbox, $hostile;
my $node = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    max_worker_processes = 16
    CONF
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER good FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url', delivery 'queued');
    CREATE FOREIGN TABLE healthy (id integer, n integer) SERVER good OPTIONS (path '/http/healthy', key 'id');
    CREATE SERVER bad FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$hostile_url', delivery 'queued', max_attempts '2', request_timeout '2s');
    CREATE SERVER nowhere FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url 'http://nowhere.invalid', delivery 'queued');
    CREATE SERVER refusing FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$hostile_url', delivery 'queued');
    CREATE USER MAPPING FOR PUBLIC SERVER refusing OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE faulty (id integer, v text) SERVER bad OPTIONS (path '/http/faulty');
    CREATE FOREIGN TABLE documents (id integer, v json) SERVER bad OPTIONS (path '/http/documents');
    CREATE FOREIGN TABLE lost (id integer) SERVER nowhere OPTIONS (path '/http/lost');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER refusing;
    CREATE SEQUENCE healthy_batches;
    CREATE ROLE stranger LOGIN;
    SQL

# The table of what is done meanwhile, each by a process of its own, again and again: who, what, and how often in a second.
my @hostile = (
    [ 'owner', 4, q(INSERT INTO faulty SELECT n, repeat('x', n) FROM generate_series(1, 50) AS n) ],
    [ 'owner', 1, q(INSERT INTO faulty VALUES (0, repeat('large', 400000))) ],
    [ 'owner', 2, q(INSERT INTO documents VALUES (1, '{"a":"\ud83d"}'), (2, '{"a":1e1000000}'), (3, '{"a":"\u0000"}')) ],
    [ 'owner', 2, q(INSERT INTO lost SELECT generate_series(1, 20)) ],
    [ 'owner', 2, q(INSERT INTO contacts SELECT 'bad' || n, chr(128512) FROM generate_series(1, 20) AS n) ],
    [ 'owner', 1, <<~'SQL' ],
        CREATE FOREIGN TABLE brief (n integer) SERVER bad OPTIONS (path '/http/brief');
        INSERT INTO brief VALUES (1), (2);
        SELECT reverse_etl.pause('public.brief');
        DROP FOREIGN TABLE brief;
        SQL
    [ 'owner', 1, q(BEGIN; INSERT INTO faulty SELECT generate_series(1, 1000), 'never'; ROLLBACK) ],
    [ 'owner', 2, q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker') ],
    [ 'owner', 1, q(SELECT reverse_etl.resume_server('bad'), reverse_etl.resume_server('nowhere')) ],
    [ 'owner', 0.5, <<~'SQL' ],
        ALTER DATABASE postgres SET default_transaction_isolation = 'serializable';
        ALTER DATABASE postgres SET standard_conforming_strings = off;
        ALTER DATABASE postgres SET lock_timeout = '1ms';
        SELECT pg_reload_conf();
        ALTER DATABASE postgres RESET ALL;
        SQL
    [ 'stranger', 2, q(SELECT reverse_etl_internal.describe_sync(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) ],
    [ 'stranger', 2, q(SELECT reverse_etl_internal.read_mapping(NULL, NULL, NULL, NULL, NULL, NULL)) ],
    [ 'stranger', 2, q(SELECT reverse_etl_internal.requeue(10, 1, ARRAY['create'], ARRAY['{'], ARRAY['no json'])) ],
    [ 'stranger', 1, q(BEGIN; SET LOCAL statement_timeout = '900ms'; LOCK TABLE reverse_etl.pauses; SELECT pg_sleep(0.8)) ],
    [ 'stranger', 1, q(BEGIN; SET LOCAL statement_timeout = '900ms'; LOCK TABLE reverse_etl.outbox; SELECT pg_sleep(0.8)) ],
);
# What the destination answers, one after the other.
my @answers = (
    { p_500 => 0.5 }, { p_429 => 0.5 }, { p_reset => 0.5 }, { p_truncate => 0.5 }, { p_html => 0.5 }, { p_stall => 0.2 },
    { p_gzip_bomb => 0.2 }, { p_huge => 0.1, huge_bytes => 20_000_000 }, { redirect_to => 'http://127.0.0.1:1/' }, { latency_ms => 500 },
);

my $sent = 0;
deliver(1);
my $worker = worker();
my $alone  = deliver(8);
my @children = map { start($_) } @hostile;
push @children, start_answers();
my $beside = deliver($seconds);
kill TERM => @children;
waitpid $_, 0 for @children;
$? = 0;

note sprintf '%.1f rows/s alone, %.1f beside', $alone, $beside;
is(worker(), $worker, 'the worker is the process that it was at the start');
cmp_ok($beside, '>=', 0.9 * $alone, 'the healthy destination has nine tenths of its rate');
my @records = @{$sandbox->get('/_sandbox/records/http/healthy')};
is(scalar(@records), $sent, 'it has every row, once');
my %n;
my $out_of_order = grep { ($n{$_->{id}} // -1) >= $_->{n} or ($n{$_->{id}} = $_->{n}, 0)[1] } @records;
is($out_of_order, 0, 'in the order of each key');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'public.healthy'::regclass)), 0,
    'none was rejected');
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows)), '>', 0, 'others were');
unlike(slurp_file($node->logfile), qr/background worker "reverse_etl worker.* exited with exit code [1-9]|terminated by signal/,
    'no process broke');

# deliver(SECONDS): healthy rows, at an even pace; how many arrive in a second, until the last has.
sub deliver {
    my ($how_long) = @_;
    my ($began, $before) = (time, $sent);
    $node->safe_psql('postgres', <<~SQL);
        DO \$\$
        DECLARE
            due timestamptz := clock_timestamp();
            stop timestamptz := due + interval '$how_long s';
            first integer;
        BEGIN
            WHILE clock_timestamp() < stop LOOP
                first := nextval('healthy_batches') * $at_once;
                INSERT INTO healthy SELECT n % $keys, n FROM generate_series(first, first + $at_once - 1) AS n;
                COMMIT;
                due := due + interval '$pause s';
                PERFORM pg_sleep(extract(epoch FROM due - clock_timestamp()));
            END LOOP;
        END
        \$\$
        SQL
    $sent = $at_once * $node->safe_psql('postgres', 'SELECT last_value FROM healthy_batches');
    wait_until(sub { $sandbox->get('/_sandbox/count/http/healthy')->{count} >= $sent });
    return ($sent - $before) / (time - $began);
}

# again_and_again(HOW_OFTEN, STEP): a process of its own that takes the step so often in a second, until it is ended.
sub again_and_again {
    my ($often, $step) = @_;
    my $pid = fork // die "cannot fork: $!";
    return $pid if $pid;
    $SIG{TERM} = 'DEFAULT'; # the handler of the tests would stop the server
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    while (1) {
        $step->();
        sleep 1 / $often;
    }
}

sub start {
    my ($who, $often, $sql) = @{$_[0]};
    my $connection = $node->connstr('postgres') . ($who eq 'owner' ? '' : " user=$who");
    return again_and_again($often, sub { system 'psql', '-XqAt', '-d', $connection, '-c', $sql });
}

sub start_answers {
    my $http = HTTP::Tiny->new(timeout => 5);
    my $next = 0;
    return again_and_again(1, sub {
        my $answer = { %{$answers[$next++ % @answers]}, path => '/http/' };
        $http->post("$hostile_url/_sandbox/faults", { content => encode_json($answer) });
    });
}

sub worker { return $node->safe_psql('postgres', q(SELECT pid FROM reverse_etl.worker_status)) }

done_testing();
