# An error that is raised in any callback arrives whole, and leaves neither a broken session nor memory behind.

use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', 'log_statement = none');
plan skip_all => 'the extension is built without INJECTION_POINTS=yes'
    if $node->safe_psql('postgres', "LOAD 'reverse_etl'; SELECT current_setting('reverse_etl.inject_error', true) IS NULL") eq 't';
my $rows    = $node->basedir . '/rows';
append_to_file($rows, "c\@example.com\t3\n");

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '${\$sandbox->url}/http');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
    CREATE FOREIGN TABLE people (email text, n integer) SERVER endpoint OPTIONS (path '/people', key 'email');
    INSERT INTO people VALUES ('a\@example.com', 1), ('b\@example.com', 2);
    SQL

my $select = 'SELECT * FROM people';
my $insert = "INSERT INTO people VALUES ('d\@example.com', 4)";
my $update = "UPDATE people SET n = 2 WHERE email = 'b\@example.com'";
my $delete = "DELETE FROM people WHERE email = 'x\@example.com'";
my $join   = "SELECT n FROM (VALUES ('a\@example.com'), ('b\@example.com')) AS v (e), LATERAL
              (SELECT n FROM people WHERE email = e OFFSET 0) AS p";

my %statement = (
    get_rel_size    => $select,
    get_paths       => $select,
    get_plan        => $select,
    get_upper_paths => $select,
    begin_scan      => $select,
    iterate_scan    => $select,
    rescan          => $join,
    end_scan        => $select,
    plan_modify     => $insert,
    begin_modify    => $insert,
    exec_insert     => $insert,
    exec_update     => $update,
    exec_delete     => $delete,
    end_modify      => $insert,
    begin_insert    => "COPY people FROM '$rows'",
    end_insert      => "COPY people FROM '$rows'",
    explain_scan    => "EXPLAIN $select",
    explain_modify  => "EXPLAIN $insert",
    import_schema   => 'IMPORT FOREIGN SCHEMA http FROM SERVER endpoint INTO public',
);
my @source = map { slurp_file($_) } glob "$FindBin::Bin/../../../src/postgres/*/*.cpp";
is_deeply([ sort keys %statement ], [ sort map { /INJECTION_POINT\("(\w+)"\)/g } @source ],
    'every injection point is tried');

my %error = (
    '' => [ 'HV000', 'injected error in %s', 'injected detail', 'injected hint' ],
    'postgres:' => [ 'HV000', 'injected Postgres error in %s', 'injected detail', 'injected hint' ],
    'unknown:'  => [ 'XX000', 'unknown C++ exception' ],
);

# What psql shows of an error: the SQLSTATE comes with \set VERBOSITY verbose.
sub shown {
    my ($kind, $place) = @_;
    my ($state, @texts) = map { s/%s/$place/r } $error{$kind}->@*;
    my @lines = ([ ERROR => "$state: $texts[0]" ], [ DETAIL => $texts[1] ], [ HINT => $texts[2] ]);
    return join "\n", map { "$_->[0]:  $_->[1]" } grep { $_->[1] } @lines;
}

my $memory = <<~'SQL';
    SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts) / 1024 AS contexts,
           substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s*(\d+)') AS resident;
    SQL

my @cases = map { my $place = $_; map { [ $_, $place ] } sort keys %error } sort keys %statement;
my $round = join '', map { "SET reverse_etl.inject_error = '$_->[0]$_->[1]';\n$statement{$_->[1]};\n" } @cases;
my ($output, $errors) = ('', '');
$node->psql('postgres', "\\set VERBOSITY verbose\n" . ($round x 10) . $memory . ($round x 100) . $memory
        . "RESET reverse_etl.inject_error; $update; SELECT n FROM people ORDER BY email;",
    on_error_stop => 0, stdout => \$output, stderr => \$errors);

my %times;
for my $error (split /^psql:<stdin>:\d+: (?=ERROR)/m, $errors) {
    $error =~ s/^(?!ERROR|DETAIL|HINT).*\n?//mg;
    $times{ $error =~ s/\s+$//r }++ if $error =~ /^ERROR/;
}
for my $case (@cases) {
    my $expected = shown(@$case);
    my $wanted = 110 * ($case->[0] eq 'unknown:' ? keys %statement : 1);
    is($times{$expected}, $wanted, "an error '$case->[0]' in $case->[1] arrives whole, every time");
}
is(keys %times, 2 * keys(%statement) + 1, 'and no other');

my @lines = split /\n/, $output;
is("@lines[ -3 .. -1 ]", '1 2 4', 'the session works as before') or diag $output;
my ($before, $after) = map { [ split /\|/ ] } grep { /^\d+\.?\d*\|\d+$/ } @lines;
note "kB in contexts and resident: @$before before, @$after after";
cmp_ok($after->[0] - $before->[0], '<', 64,   'memory contexts do not grow');
SKIP: {
    skip 'the sanitizer keeps what is freed for a while', 1 if $ENV{ASAN_OPTIONS};
    cmp_ok($after->[1] - $before->[1], '<', 1024, 'resident memory does not grow');
}

$node->safe_psql('postgres', 'CREATE ROLE analyst LOGIN');
my $set = "SET reverse_etl.inject_error = 'fdw_validator'";
$node->psql('postgres', "SELECT count(*) FROM reverse_etl.connectors; $set", on_error_stop => 0, stderr => \$errors,
    extra_params => [ '-U', 'analyst' ]);
like($errors, qr/permission denied to set parameter "reverse_etl.inject_error"/, 'only a superuser injects errors');
$node->psql('postgres', "$set; SELECT count(*) FROM reverse_etl.connectors; SHOW reverse_etl.inject_error",
    stdout => \$output, stderr => \$errors, extra_params => [ '-U', 'analyst' ]);
like($errors, qr/permission denied to set parameter "reverse_etl.inject_error"/,
    'and not before the library is loaded either');
like($output, qr/^[0-9]+\n$/, 'what was set then does not hold');

done_testing();
