# What goes wrong in the middle of a result, and how often a source is asked: no row is missing or twice there, no statement is left running,
# and no statement is sent that is not needed.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use SourceHouses;
use Sources;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => Sources->missing if defined Sources->missing;

my %houses  = %SourceHouses::houses;
my @names   = qw(bigquery databricks snowflake trino);
my $sources = Sources->start(@names);
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nrestart_after_crash = on");

sub sql   { return $node->safe_psql('postgres', $_[0]) }
sub fault { my ($output, $said) = outcome($node, $_[0]); return $said }

for my $name (@names) {
    sql(SourceHouses::server($sources, $name, 'CURRENT_USER', "statement_timeout '20s', max_attempts '4'"));
    sql("CREATE SCHEMA $name; IMPORT FOREIGN SCHEMA $houses{$name}{schema} LIMIT TO (customers) FROM SERVER $name INTO $name");
    $sources->set($name, rows => 100);
    subtest $name => sub { test_pages($name); test_asked($name); test_ends($name) };
}

# The rows of all pages, told apart: none of them is missing, or there twice.
sub digest { return "SELECT count(*), count(DISTINCT t), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (SELECT id, email, price, born, extra FROM $_[0].customers OFFSET 0) AS t;" }

sub test_pages {
    my ($name) = @_;
    my $page = $houses{$name}{pages};
    my $all  = sql(digest($name));
    like($all, qr/^2500\|2500\|/, 'all rows are there');

    my @passing = ({ status => 500, skip => 4, times => 3 }, { status => 503, skip => 10, times => 2 }, { drop => 1, after => 1, skip => 6, times => 2 }, { status => 429, skip => 3, times => 1 });
    # A token that is made here is made anew; one that somebody has given is not.
    push @passing, { status => 401, skip => 8, times => 1 } if $houses{$name}{renews};
    for my $one (@passing) {
        $sources->reset($name);
        $sources->faults($name, { match => $page, %$one });
        is(sql(digest($name)), $all, "the same rows after " . ($one->{status} // 'a connection that broke'));
        my $state = $sources->state($name);
        is("$state->{submitted} $state->{running}", '1 0', 'by one statement');
    }

    if ($name eq 'databricks') {
        $sources->reset($name);
        $sources->faults($name, { match => 'GET /storage/', status => 503, skip => 3, times => 2 }, { match => 'GET /storage/', drop => 1, after => 1, skip => 9, times => 1 });
        is(sql(digest($name)), $all, 'the same rows after addresses at which nobody answered');
        $sources->reset($name);
        $sources->faults($name, { match => 'GET /storage/', status => 403, skip => 5, times => 1000 });
        like(fault(digest($name)), qr/ERROR: .*could not read "$name.customers": .*\nDETAIL: +Statement \w[\w-]{20,}\b/s, 'an address that has ended is told with the statement');
    }

    my @lasting = ([ 'a result that expired', { status => 404, skip => 5, times => 1000 } ], [ 'a source that fails', { status => 500, skip => 5, times => 1000 } ]);
    push @lasting, [ 'a token that expired', { status => 401, skip => 5, times => 1000 } ] if !$houses{$name}{renews};
    for my $one (@lasting) {
        my ($what, $fault) = @$one;
        $sources->reset($name);
        $sources->faults($name, { match => $page, %$fault });
        like(fault(digest($name)), qr/ERROR: .*could not read "$name.customers": .*\nDETAIL: +Statement \w[\w-]{20,}\b.*CONTEXT: +source SQL: SELECT/s, "$what is told with the statement");
        is($sources->state($name)->{running}, 0, 'and none is left there');
    }
    $sources->reset($name);
    is(sql(digest($name)), $all, 'and afterwards all is well');

    # Pages that can be had at once are.
    $sources->reset($name);
    $sources->set($name, latency => 50);
    is(sql(digest($name)), $all, 'the same rows from far away');
    my %together = (snowflake => 4, databricks => 2);
    cmp_ok($sources->state($name)->{together}, '>=', $together{$name} // 1, 'pages are fetched before they are asked for');
    $sources->set($name, latency => 0);
    return;
}

# How often a source is asked.
sub test_asked {
    my ($name) = @_;
    my $customers = "$name.customers";
    my $asked     = sub {
        my ($statements, $sql, $gives, $what) = @_;
        $sources->reset($name);
        is(sql($sql), $gives, $what) if defined $gives;
        fault("$sql;") if !defined $gives;
        return is($sources->state($name)->{submitted}, $statements, "$what: statements") || diag join "\n", @{ $sources->state($name)->{statements} };
    };
    $asked->(0, "SELECT * FROM $customers LIMIT 0", '', 'LIMIT 0');
    $asked->(0, "SELECT * FROM $customers WHERE false", '', 'what is never');
    $asked->(0, "SELECT count(*) FROM $customers WHERE visits = (SELECT NULL::bigint)", 0, 'a count of what is never');
    $asked->(0, "SELECT count(*), max(visits), sum(visits) FROM $customers WHERE visits = (SELECT NULL::bigint)", '0||', 'and what is put together of it');
    $asked->(0, "SELECT email FROM $customers WHERE 1 = (SELECT 2)", '', 'a condition without columns');
    $asked->(0, "EXPLAIN (VERBOSE) SELECT count(*) FROM $customers WHERE visits = (SELECT 1) AND seats = (SELECT 2) + 1", undef, 'EXPLAIN');
    $asked->(1, "SELECT count(*), min(visits), max(born) FROM $customers WHERE visits > 0", '2497|1000000000|2026-11-02', 'aggregates');
    like($sources->state($name)->{statements}[0], qr/^(?:EXECUTE IMMEDIATE ')?SELECT count\(\*\), min\(.*\), max\(.*\) FROM .* WHERE /, 'are put together there');
    $asked->(1, "SELECT (SELECT count(lower(email)) FROM $customers), (SELECT max(lower(email)) FROM $customers)", '2499|zoë@example.com', 'two queries of one');
    $asked->(1, "SELECT count(*) FROM $customers AS a JOIN $customers AS b USING (email)", 2499, 'a table joined with itself');
    $asked->(1, "SELECT count(*) FROM (SELECT email FROM $customers UNION ALL SELECT email FROM $customers) AS t", 5000, 'the same rows twice');
    $asked->(2, "SELECT count(*) FROM $customers AS a JOIN $customers AS b USING (email) WHERE a.visits > 5000000000 AND b.visits < 9000000000", 3, 'two conditions');
    $asked->(2, "SELECT (SELECT count(lower(email)) FROM $customers WHERE seats = 1) + (SELECT count(lower(email)) FROM $customers WHERE seats = 2)", 50, 'two values');
    $asked->(1, "SET work_mem = '64kB'; SELECT count(*) FROM $customers AS a JOIN $customers AS b USING (email)", 2499, 'rows that are kept in a file');
    return;
}

# However a statement ends here, it ends there.
sub test_ends {
    my ($name) = @_;
    my $running = sub { return $sources->state($name)->{running} };
    $sources->set($name, delay => 60_000);
    like(fault("SET statement_timeout = '1s'; SELECT * FROM $name.customers;"), qr/statement timeout/, 'a timeout');
    wait_until(sub { !$running->() });
    is($running->(), 0, 'ends it there');
    $sources->set($name, delay => 0);

    # In the middle of a result nothing runs there any more.
    $sources->set($name, latency => 200);
    like(fault("SET statement_timeout = '1s'; " . digest($name)), qr/statement timeout/, 'a timeout in the middle of a result');
    is($running->(), 0, 'leaves nothing');
    $sources->set($name, latency => 0);

    # A process that is killed can tell nobody: the source ends the statement after the longest time that it was given.
    return if $houses{$name}{endless};
    sql("ALTER SERVER $name OPTIONS (SET statement_timeout '3s')");
    $sources->reset($name);
    $sources->set($name, delay => 60_000);
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_until(qr/begun/, "\\echo begun\nSELECT * FROM $name.customers;\n");
    wait_until(sub { $running->() == 1 });
    my $pid = sql("SELECT pid FROM reverse_etl.source_queries WHERE state = 'running'");
    kill KILL => $pid;
    wait_for_server($node);
    wait_until(sub { !$running->() });
    is($running->(), 0, 'kill -9 leaves nothing running for long');
    eval { $session->quit };
    $sources->set($name, delay => 0);
    like(sql(digest($name)), qr/^2500\|2500\|/, 'and afterwards all is well');
    return;
}

done_testing();
