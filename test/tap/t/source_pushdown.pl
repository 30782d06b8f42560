# What a source evaluates gives what Postgres gives: random SELECTs, from one seed, on a table of what is hard to compare and on its copy here.
#
#   PUSHDOWN_SEED=7 PUSHDOWN_SELECTS=5000 SOURCES='trino athena' test/tap/run 15 test/tap/t/source_pushdown.pl

use strict;
use warnings FATAL => 'all';
use utf8;

use Encode qw(decode encode);
use RandomSelects;
use ReverseETL;
use SourceHouses;
use Sources;
use Test::More;

plan skip_all => Sources->missing if defined Sources->missing;

my $seed  = $ENV{PUSHDOWN_SEED}    // 20261127;
my $count = $ENV{PUSHDOWN_SELECTS} // 1050;
note "PUSHDOWN_SEED=$seed PUSHDOWN_SELECTS=$count";

my %houses  = %SourceHouses::houses;
my @names   = $ENV{SOURCES} ? split / /, $ENV{SOURCES} : sort keys %houses;
my $sources = Sources->start(@names);
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_parallel_workers_per_gather = 0");

# Each SELECT as its number and a digest of its rows, of a table.
sub digests {
    my ($table, @selects) = @_;
    my $sql = "SET client_encoding = 'UTF8'; SET TimeZone = 'Europe/Berlin'; SET extra_float_digits = 1;\n";
    for my $number (0 .. $#selects) {
        my ($select, $is_ordered) = @{ $selects[$number] };
        my $order = $is_ordered ? '' : ' ORDER BY r::text';
        $sql .= "SELECT $number, coalesce(md5(string_agg(r::text, chr(10)$order)), 'none'), count(r) FROM (" . ($select =~ s/\bFROM edges\b/FROM $table/r) . ") AS r;\n";
    }
    my ($output, $said) = ('', '');
    $node->psql('postgres', encode('UTF-8', $sql), on_error_stop => 0, stdout => \$output, stderr => \$said, timeout => 3000);
    diag decode('UTF-8', $said) if $said ne '';
    return { map { /^(\d+)\|(.*)/ ? ($1 => $2) : () } split /\n/, $output };
}

for my $name (@names) {
    my $schema = $houses{$name}{schema};
    $node->safe_psql('postgres', SourceHouses::server($sources, $name, 'CURRENT_USER'));
    $node->safe_psql('postgres', "CREATE SCHEMA $name; IMPORT FOREIGN SCHEMA $schema LIMIT TO (edges) FROM SERVER $name INTO $name;
        ALTER FOREIGN TABLE $name.edges ALTER id SET NOT NULL;
        CREATE TABLE $name.here AS SELECT * FROM $name.edges");
    is($node->safe_psql('postgres', "SELECT count(*) || ' ' || count(DISTINCT id) FROM $name.here"), '600 600', "$name: the copy has all rows");

    # What is read without the input functions is what they read: the same texts, cast here.
    my @typed = qw(id small big whole price score active born seen created name);
    my %is    = map { split / / } split /\n/, $node->safe_psql('postgres', "SELECT attname, replace(format_type(atttypid, NULL), ' ', '_') FROM pg_attribute WHERE attrelid = '$name.edges'::regclass AND attnum > 0") =~ s/\|/ /gr;
    $node->safe_psql('postgres', "CREATE FOREIGN TABLE $name.texts (" . join(', ', map { "$_ text" } @typed) . ") SERVER $name OPTIONS (object '" . ($name eq 'snowflake' ? 'EDGES' : 'edges') . "', schema_name '" . $schema =~ s/"//gr . "')");
    my $cast = join ', ', map { "$_\::" . $is{$_} =~ s/_/ /gr } @typed;
    is($node->safe_psql('postgres', "SELECT count(*) FROM (SELECT @{[join ', ', @typed]} FROM $name.here EXCEPT ALL SELECT $cast FROM $name.texts) AS t"), 0, "$name: values are those of the input functions");

    my $random  = RandomSelects->new($seed + unpack '%32C*', $name);
    my @selects = map { [ $random->next ] } 1 .. int $count / @names;
    my $here    = digests("$name.here", @selects);
    $sources->reset($name);
    my $there = digests("$name.edges", @selects);
    my $sent  = $sources->state($name)->{statements};

    my $differing = 0;
    for my $number (0 .. $#selects) {
        my ($one, $other) = ($here->{$number} // 'failed', $there->{$number} // 'failed');
        next if $one eq $other && $one ne 'failed';
        next if $differing++ >= 5;
        my $select = $selects[$number][0];
        diag encode('UTF-8', "$name: $one here, $other there: $select");
        diag $node->safe_psql('postgres', encode('UTF-8', "SET TimeZone = 'Europe/Berlin'; EXPLAIN (VERBOSE, COSTS OFF) " . $select =~ s/\bFROM edges\b/FROM $name.edges/r));
    }
    is($differing, 0, "$name: " . @selects . ' SELECTs give the rows that they give here');

    # They are not the same because nothing was shipped.
    my %share;
    for my $statement (@$sent) {
        $share{$_->[0]} += $statement =~ $_->[1] for [ WHERE => qr/ WHERE / ], [ 'AND and OR' => qr/ OR .* AND | AND .* OR / ], [ LIKE => qr/ LIKE / ], [ 'ORDER BY and LIMIT' => qr/ ORDER BY .* LIMIT / ], [ 'GROUP BY' => qr/ GROUP BY / ],
            [ aggregates => qr/SELECT .*(?:count|min|max|sum)(?:OrNull)?\(.* FROM /i ], [ IN => qr/ IN \(/ ];
    }
    cmp_ok($share{$_} // 0, '>', @selects / 200, "$name: $_ went along") for sort keys %share;
    note join ', ', map { "$_ $share{$_}" } sort keys %share;
}

done_testing();
