# Alone: it measures time and memory.
# Once: manifests are read by the engine, which is the same on every version of Postgres.
#
# Anyone may have a manifest checked, and write it as large and as odd as they like: that takes little memory, and a
# timeout ends it.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

plan skip_all => 'the sanitizer takes memory and time of its own' if $ENV{ASAN_OPTIONS};

my $node = new_node();
$node->safe_psql('postgres', 'CREATE TABLE manifests (name text PRIMARY KEY, manifest text)');

my $create = '{"request": "POST /x", "body": {"$columns": "all"}}';

# manifest(MEMBER => JSON, ...): one that is right but for the members given.
sub manifest {
    my %members = (
        manifest => 1, name => '"m"', title => '"M"', base_url => '"https://a.example"', auth => '{"kind": "none"}',
        objects => qq({"o": {"operations": {"create": $create}}}), @_);
    return '{' . join(', ', map { qq("$_": $members{$_}) } sort keys %members) . '}';
}

# many(COUNT, JSON): with N in it for the number
sub many { my ($count, $json) = @_; return join ',', map { $json =~ s/N/$_/gr } 1 .. $count }
sub option { my ($default, $type) = @_; return sprintf q({"on": "server", "type": "%s", "default": %s, "description": "-"}), $type // q(text), $default }
sub nested { my ($depth, $open, $close) = @_; return ($open x $depth) . '1' . ($close x $depth) }

# [name, the manifest]
my @cases = (
    [ 'a long option in many places', manifest(options => '{"a": ' . option('"' . 'x' x 50000 . '"') . '}', headers => '{' . many(4000, '"hN": "{a}"') . '}') ],
    [ 'a long option many times in one place', manifest(options => '{"a": ' . option('"' . 'x' x 50000 . '"') . '}', headers => '{"h": "' . '{a}' x 200000 . '"}') ],
    [ 'options that name options', manifest(options => '{"a": ' . option('"' . '{b}' x 50000 . '"', 'path') . ', "b": ' . option('"' . '{c}' x 50000 . '"', 'path') . ', "c": ' . option('"' . 'x' x 50000 . '"') . '}', headers => '{"h": "{a}"}') ],
    [ 'options that name themselves', manifest(options => '{"a": ' . option('"' . '{a}' x 5000 . '"', 'path') . '}', headers => '{"h": "{a}{a}{a}"}') ],
    [ 'a request put together of long options', manifest(options => '{"a": ' . option('"' . '/{b}' x 20000 . '"', 'path') . ', "b": ' . option('"' . 'x?' x 20000 . '"', 'path') . '}', defaults => '{"request": "POST ' . '/{a}' x 20000 . '"}') ],
    [ 'JSON of an option in many places', manifest(options => '{"a": ' . option('[' . many(5000, '{"": []}') . ']', 'json') . '}', defaults => '{"body": [' . many(5000, '"{a}"') . ']}') ],
    [ 'many options', manifest(options => '{' . many(4900, '"oN": ' . option('"x"')) . '}', headers => '{' . many(4900, '"hN": "{o4900}{o4899}{nothing}"') . '}') ],
    [ 'many options that no header names', manifest(options => '{' . many(4900, '"oN": ' . option('"x"')) . '}', defaults => '{"body": ["' . '{zz}' x 150000 . '"]}') ],
    [ 'many objects that share long defaults', manifest(defaults => '{"request": "POST /x", "body": {' . many(4900, '"N": [{}, []]') . ', "$columns": "all"}}', operations => '{"create": {}, "upsert": {}, "update": {}, "delete": {}}', objects => '{' . many(4900, '"N": {"operations": {"create": {}, "upsert": {}}}') . '}') ],
    [ 'many objects that share a long option', manifest(options => '{"a": ' . option('"' . 'x' x 400000 . '"') . '}', defaults => '{"request": "POST /{a}", "body": ["{a}", "{a}"]}', objects => '{' . many(4900, '"N": {"operations": {"create": {}, "upsert": {}}}') . '}') ],
    [ 'arrays without end', manifest(defaults => '{"body": ' . nested(200000, '[', ']') . '}') ],
    [ 'objects without end', manifest(defaults => '{"body": ' . nested(100000, '{"a":', '}') . '}') ],
    [ 'arrays as deep as may be', manifest(defaults => '{"body": [' . many(840, nested(58, '[', ']')) . ']}') ],
    [ 'too many of them', manifest(defaults => '{"body": [' . many(7500, nested(58, '[', ']')) . ']}') ],
    [ 'rows in rows', manifest(defaults => '{"body": [' . many(24000, '{"$rows":1}') . ']}') ],
    [ 'as many arrays as may be', manifest(defaults => '{"body": [' . many(49900, '[]') . ']}') ],
    [ 'as many objects as may be', manifest(defaults => '{"body": [' . many(24900, '{"":0}') . ']}') ],
    [ 'as many rules as may be', manifest(errors => '[' . many(7000, '{"body": {"/a": [1, 2]}, "then": "reject"}') . ']') ],
    [ 'options that are named over and over', manifest(options => '{' . many(100, '"oN": {"on": "server", "description": "-"}') . '}', defaults => '{"body": ["' . '{o100}' x 160000 . '"]}') ],
    [ 'empty arrays', manifest(defaults => '{"body": [' . many(300000, '[]') . ']}') ],
    [ 'empty objects', manifest(defaults => '{"body": [' . many(300000, '{}') . ']}') ],
    [ 'small objects', manifest(defaults => '{"body": [' . many(120000, '{"":0}') . ']}') ],
    [ 'a member with a long name', manifest(defaults => '{"body": {"' . 'x' x 400000 . '": [' . many(150000, '[]') . ']}}') ],
    [ 'objects of many members', manifest(defaults => '{"body": [' . many(20, '{' . join(',', map { qq("$_":0) } 1 .. 4900) . '}') . ']}') ],
    [ 'an object of too many members', manifest(defaults => '{"body": {' . many(60000, '"N": 0') . '}}') ],
    [ 'the same member many times', manifest(defaults => '{"body": {' . many(150000, '"":0') . '}}') ],
    [ 'encodings of great values', manifest(values => '{"encode": "' . 'x' x 900000 . '", "clear": 1e400}') ],
    [ 'great numbers', manifest(rate_limits => '[' . many(20000, '{"name": "N", "requests": 99999999999999999999, "seconds": 1}') . ']') ],
    [ 'many limits', manifest(rate_limits => '[' . many(18000, '{"name": "N", "requests": 1, "seconds": 1}') . ']') ],
    [ 'many rules', manifest(errors => '[' . many(15000, '{"body": {"/a": [1, 2]}, "then": "reject"}') . ']') ],
    [ 'as many columns as a table may have', manifest(columns => '{' . many(1600, '"cN": {"type": "text", "description": "' . 'x' x 550 . '"}') . '}') ],
    [ 'more columns than that', manifest(columns => '{' . many(4900, '"cN": {"type": "text", "description": "' . 'x' x 150 . '"}') . '}') ],
    [ 'placeholders without end', manifest(headers => '{"h": "' . '{a' x 300000 . '"}') ],
    [ 'braces without end', manifest(headers => '{"h": "' . '{' x 900000 . '"}') ],
    [ 'escapes', manifest(title => '"' . '\ud83d\ude00' x 80000 . '"', headers => '"' . '\u0000' x 1000 . '"') ],
    [ 'no JSON', '[' x 1000000 ],
    [ '50 MB', manifest(title => '"' . 'x' x (50 << 20) . '"') ],
    [ '50 MB of nothing', ' ' x (50 << 20) ],
    [ '50 MB of braces', '{' x (50 << 20) ],
);

for my $case (@cases) {
    my ($name, $manifest) = @$case;
    my $file = $node->basedir . '/manifest';
    open my $out, '>', $file or die;
    print {$out} $manifest;
    close $out;
    $node->safe_psql('postgres', "INSERT INTO manifests VALUES ('$name', pg_read_file('$file'))");
    my $peak = q(SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\s*(\d+) kB'))[1];);
    for my $timeout (20000, 200) {
        my ($output, $said) = ('', '');
        $node->psql('postgres', <<~SQL, on_error_stop => 0, stdout => \$output, stderr => \$said);
            DO \$\$ BEGIN PERFORM reverse_etl.check_manifest('m', '{}'); EXCEPTION WHEN OTHERS THEN END \$\$;
            $peak
            SET statement_timeout = $timeout;
            SELECT extract(epoch FROM clock_timestamp());
            SELECT reverse_etl.check_manifest('m', manifest) FROM manifests WHERE name = '$name';
            SELECT extract(epoch FROM clock_timestamp());
            $peak
            SQL
        my ($before, $begun, $ended, $after) = grep { length } split /\n/, $output;
        note(sprintf '%s: %d bytes, %d kB, %.2f s: %s', $name, length $manifest, $after - $before, $ended - $begun, substr($said, 0, 200));
        cmp_ok($after - $before, '<', (64 << 10) + length($manifest) / 1024, "$name: little memory, within $timeout ms");
        cmp_ok($ended - $begun, '<', 2, "$name: it ends") if $timeout == 200;
    }
}
is($node->safe_psql('postgres', "SELECT reverse_etl.create_connector('m', manifest::json) FROM manifests WHERE name = 'as many columns as a table may have'"), '',
    'what keeps within the bounds is taken');
done_testing();
