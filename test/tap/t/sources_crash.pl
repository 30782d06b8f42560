# Statements that run at a warehouse when the process that reads them is gone: the background worker has them cancelled
# there, whatever was known of them by then.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils qw(slurp_file);
use ReverseETL;
use SourceHouses;
use Sources;
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => Sources->missing if defined Sources->missing;

# What cancels a statement there.
my %cancels = (snowflake => 'POST /api/v2/statements/', bigquery => 'POST /bigquery/v2/projects/acme-1/jobs/', trino => 'DELETE /v1/query/');
my @names   = sort keys %cancels;
my @houses  = sort keys %SourceHouses::houses;
my $sources = Sources->start(@houses);
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nrestart_after_crash = on");
sub notes { my @found = glob($node->data_dir . '/pg_stat_tmp/reverse_etl.*.json*'); return @found }

sub begin_reading {
    my ($name) = @_;
    open my $session, '-|', 'bash', '-c', 'exec psql -X -d "$0" -c "$1" 2>&1', $node->connstr('postgres') . ' application_name=reader', "SELECT count(*) FROM of_$name.customers" or die;
    return $session;
}

sub kill_reader {
    my $said = -s $node->logfile;
    kill KILL => $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE application_name = 'reader'));
    wait_until(sub { slurp_file($node->logfile, $said) =~ /ready to accept connections/ });
    wait_for_server($node);
    return;
}

# What is cancelled while its session is there is so at once: the source's answer is understood, and nothing is left to the worker.
for my $name (@houses) {
    $node->safe_psql('postgres', SourceHouses::server($sources, $name, 'CURRENT_USER') . " CREATE SCHEMA of_$name; IMPORT FOREIGN SCHEMA $SourceHouses::houses{$name}{schema} LIMIT TO (customers) FROM SERVER $name INTO of_$name");
    $sources->reset($name);
    $sources->set($name, delay => 120_000);
    $node->psql('postgres', "SET statement_timeout = '1s'; SELECT count(*) FROM of_$name.customers");
    is(scalar(notes()), 0, "$name: one that timed out is off the record at once");
    is_deeply([ @{ $sources->state($name) }{qw(running cancelled)} ], [ 0, 1 ], 'and is cancelled there');
    $sources->set($name, delay => 0);
}

for my $name (@names) {
    is(scalar(notes()), 0, "$name: no statement is left on record that has ended");
    my $is_cancelled = sub {
        my ($what) = @_;
        wait_until(sub { $sources->state($name)->{running} == 0 });
        is($sources->state($name)->{cancelled}, 1, "$name: $what is cancelled there");
        is($sources->state($name)->{submitted}, 1, 'and was not begun anew');
        wait_until(sub { !notes() });
        is(scalar(notes()), 0, 'and off the record');
    };

    $sources->reset($name);
    $sources->set($name, delay => 120_000);
    my $session = begin_reading($name);
    wait_until(sub { $sources->state($name)->{running} == 1 });
    wait_until(sub { $node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.source_queries WHERE state = 'running' AND statement_id <> ''") eq '1' });
    my ($note) = notes();
    like(slurp_file($note), qr/"role":\d+.*"sql":"SELECT .*"kept":\{"(handle|location)":"[^"]+"\}/, 'a statement is on record while it runs');
    kill_reader();
    close $session;
    $is_cancelled->('one whose process was killed');
    like(slurp_file($node->logfile), qr/LOG: .*statement \S+ of server "$name", which was left behind, was cancelled at its source/, 'which the log tells');

    $sources->reset($name);
    $session = begin_reading($name);
    wait_until(sub { $sources->state($name)->{running} == 1 });
    $node->stop('immediate');
    close $session;
    $node->start;
    $is_cancelled->('one whose server has stopped at once');

    # The source has it, and nobody here has read its answer.
    # (Trino begins with it when it is asked for a page.)
    if ($name ne 'trino') {
        $sources->reset($name);
        $sources->set($name, latency => 3000);
        $session = begin_reading($name);
        wait_until(sub { $sources->state($name)->{running} == 1 });
        kill_reader();
        close $session;
        $sources->set($name, latency => 0);
        $is_cancelled->('one whose answer was not read');
    }

    # The session is there, and could not tell the source.
    $sources->reset($name);
    my $reader = $node->background_psql('postgres', on_error_stop => 0);
    $reader->query_until(qr/begun/, "\\echo begun\nSELECT count(*) FROM of_$name.customers;\n");
    wait_until(sub { $node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.source_queries WHERE state = 'running' AND statement_id <> ''") eq '1' });
    $sources->faults($name, { match => $cancels{$name}, status => 503, times => 1000 });
    $node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM reverse_etl.source_queries WHERE state = 'running'");
    wait_until(sub { $node->safe_psql('postgres', "SELECT count(*) FROM reverse_etl.source_queries WHERE state = 'running'") eq '0' });
    is($sources->state($name)->{running}, 1, 'one that could not be cancelled runs on');
    $sources->faults($name);
    $is_cancelled->('one that could not be cancelled when it had to');
    $reader->quit;
    $sources->set($name, delay => 0);
    is($node->safe_psql('postgres', "SELECT count(*) FROM of_$name.customers"), 2500, 'and rows are read as ever');
    is(scalar(notes()), 0, 'without a trace');
}

done_testing();
