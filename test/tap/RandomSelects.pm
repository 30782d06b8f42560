package RandomSelects;

# Random SELECTs over the table "edges" of test/sources/edges.mjs, all of them from one seed.
#
#   my $selects = RandomSelects->new($seed);
#   my ($sql, $is_ordered) = $selects->next;     # of a table that is called edges

use strict;
use utf8;
use warnings FATAL => 'all';

sub new { my ($class, $seed) = @_; srand $seed; return bless { number => 0 }, $class }

my %values = (
    small => [qw(0 1 -1 7 42 2147483647 -2147483648 NULL)],
    big   => [qw(0 5 -5 -9007199254740993 9223372036854775807 1000000000000 NULL)],
    whole => [qw(0 7 2147483648 12345678901234567890123456789012345678 -12345678901234567890123456789012345678 1234567890123456789 1e30 'NaN')],
    price => [qw(0 0.000000001 -0.000000001 1.5 1.50 10 2.25 -1.5 1.500000001 1.5000000001 99999999999999999999999999999.999999999 1e40), "'NaN'", "'Infinity'"],
    score => [qw(0 1.5 'NaN' 'Infinity' '-Infinity' 0.1 1e300)],
    born  => [map { "'$_'" } '2026-03-29', '1970-01-01', '0001-01-01', '9999-12-31', '2020-02-29', '0044-03-15 BC', 'infinity', '-infinity', '5874897-12-31'],
    seen  => [map { "'$_'" } '2026-03-29 02:30:00', '2026-03-29', '1969-12-31 23:59:59.999999', '0001-01-01', '9999-12-31 23:59:59.999999', '2026-03-29 02:30:00.000001', 'infinity', '0044-03-15 12:00:00 BC'],
    created => [map { "'$_'" } '2026-03-29 01:30:00+00', '2026-03-29 03:30:00', '2026-10-25 00:30:00.5+00', '1970-01-01 00:00:00+00', '-infinity', '2026-03-29 01:30:00.000001+00', '1969-12-31 23:59:58.75+00'],
    name  => ["''", "'a'", "'A'", "'ab'", "'ab '", "'a b'", "'a%b'", "'a\\b'", "'😀'", "'é'", "E'e\\u0301'", "'O''Neil'", "E'a\\nb'", "'\x{fffd}'", 'NULL'],
);
my %type = (small => 'integer', big => 'bigint', whole => 'numeric', price => 'numeric', score => 'double precision', born => 'date', seen => 'timestamp', created => 'timestamptz', name => 'text');
my @patterns = ("'a%'", "'%b'", "'a_b'", "'a\\_b'", "'a\\%b'", "'%\\\\%'", "'%'", "''", "'_'", "'__'", "'😀%'", "'%o%e%'", "'a%b%'", "E'a\\n%'", "'A%'", "'%\x{fffd}%'");
my @comparable = sort keys %type;
my @columns    = ('id', @comparable, 'active', 'extra');

sub one { return $_[ int rand @_ ] }
sub value { my ($column) = @_; my $value = one(@{ $values{$column} }); return $value eq 'NULL' ? "NULL::$type{$column}" : "($value)::$type{$column}" }

# What the planner knows, what it cannot know before it runs, and a value in the other way round.
sub compared {
    my $column = one(@comparable);
    my ($left, $right) = ($column, value($column));
    $right = "(SELECT $right)" if !int rand 6;
    ($left, $right) = ($right, $left) if !int rand 5;
    return "$left " . one('=', '=', '<>', '<', '<=', '>', '>=') . " $right";
}

sub moved {
    my $days = one(0, 1, 7, -3, 365, 100000);
    my $day = one(map { "'$_'::date" } '2026-03-29', '1970-01-02', '2020-03-01', '0001-01-05');
    my $moment = one(map { "'$_'::timestamp" } '2026-03-29 02:30:00', '2026-04-05', '1970-01-01 00:00:00.000001');
    my $comparison = one('=', '<', '<=', '>', '>=', '<>');
    return one("born + $days $comparison $day", "born - $days $comparison $day", "$day - born $comparison $days", "born - $day $comparison $days", "$day $comparison $days + born",
        "born + interval '$days days' $comparison $moment", "seen - interval '$days days' $comparison $moment", "seen + interval '$days days' $comparison $day", "born $comparison $moment", "seen $comparison $day",
        "created + interval '1 day' $comparison '2026-03-30 01:30:00+00'::timestamptz", "created - interval '1 month' $comparison '2026-02-28 01:30:00+00'::timestamptz", "seen::date $comparison $day", "born $comparison '2026-03-29 01:30:00+00'::timestamptz", "seen + interval '36 hours' $comparison $moment");
}

sub listed {
    my $column = one(@comparable);
    my $list = join ', ', map { value($column) } 1 .. 1 + int rand 4;
    return one("$column IN ($list)", "$column NOT IN ($list)", "$column = ANY (ARRAY[$list])", "$column <> ALL (ARRAY[$list])");
}

sub tested {
    my $column = one(@columns);
    return one("$column IS NULL", "$column IS NOT NULL", 'active', 'NOT active', 'active IS TRUE', 'active IS NOT TRUE', 'active IS NOT FALSE', 'active IS UNKNOWN', 'active = true', 'active <> (SELECT false)',
        "extra->>'a' = '1'", 'lower(name) = \'a\'', 'length(name) = 2', 'small::bigint + 1 = 8', 'small < 3000000000', 'small > -2147483649', 'big % 5 = 0', "small::bigint = big", "name < 'b'", 'small > 2.5', "photo = '\\x00ff'");
}

sub leaf {
    my $kind = int rand 12;
    return compared() if $kind < 5;
    return moved()    if $kind < 7;
    return listed()   if $kind < 9;
    return one('name LIKE ', 'name LIKE ', 'name NOT LIKE ', 'name ILIKE ') . one(@patterns) if $kind < 10;
    return tested() if $kind < 11;
    my $column = one(@comparable);
    return "$column IS " . one('', 'NOT ') . "DISTINCT FROM " . value($column);
}

sub tree {
    my ($depth) = @_;
    return leaf() if $depth == 0 || !int rand 3;
    return 'NOT (' . tree($depth - 1) . ')' if !int rand 6;
    my $join = one(' AND ', ' OR ');
    return '(' . join($join, map { tree($depth - 1) } 1 .. 2 + int rand 2) . ')';
}

sub where { return int rand 6 ? ' WHERE ' . tree(int rand 4) : '' }
# What the source may surely evaluate as a whole, so that what stands on it goes along as well.
sub plain_where { return int rand 2 ? where() : one('', map { " WHERE $_" } 'active', 'small > 0 OR big < 6', "name = 'a'", "name IN ('a', 'A', '') AND active IS NOT TRUE", "born >= '1970-01-01'", 'price < 2', 'small IS NOT NULL', 'big NOT IN (5, 0)', 'small = (SELECT 7)', "born = (SELECT NULL::date)") }

sub rows { return 'SELECT ' . join(', ', map { one(@columns) } 1 .. 1 + int rand 4) . " FROM edges" . where() }

sub ordered {
    my @keys = map { one(@comparable, 'active') . one('', ' DESC') . one('', ' NULLS FIRST', ' NULLS LAST') } 0 .. int rand 2;
    # What is alike in all keys has no order, so the rows have one of their own.
    my $offset = int rand 3 ? '' : ' OFFSET ' . int rand 20;
    return 'SELECT id, ' . one(@columns) . ' FROM edges' . plain_where() . ' ORDER BY ' . join(', ', @keys, 'id' . one('', ' DESC')) . ' LIMIT ' . one(0, 1, 7, 50, 10000) . $offset;
}

sub aggregate {
    my $column = one(@comparable);
    return one('count(*)', 'count(*)', "count($column)", 'count(extra)', "min($column)", "max($column)", 'sum(small)', 'sum(big)', 'sum(price)', 'sum(whole)', 'sum(small) + 1', 'avg(small)', "count(DISTINCT $column)", 'count(*) FILTER (WHERE active)', 'min(small::bigint + 1)', 'bool_or(active)');
}

# Those that a source surely has.
sub plain_aggregate {
    return one('count(*)', 'count(*)', 'count(' . one(@comparable) . ')', one('min', 'max') . '(' . one(qw(small big whole price born seen created)) . ')', 'sum(small)', 'sum(big)', 'sum(small) + 1');
}

sub grouped {
    my $is_plain = int rand 3;
    my @by = map { one('active', 'small', 'big', 'name', 'born', 'seen', 'created', 'price', 'score', 'small', 'name', 'whole') } 1 .. int rand 3;
    my %seen;
    @by = grep { !$seen{$_}++ } @by;
    my $sql = 'SELECT ' . join(', ', @by, map { $is_plain ? plain_aggregate() : aggregate() } 1 .. 1 + int rand 3) . ' FROM edges' . plain_where();
    $sql .= ' GROUP BY ' . join(', ', @by) if @by;
    $sql .= ' HAVING ' . one('count(*) > 20', 'min(small) < 5', 'count(*) > 1 AND max(born) IS NOT NULL') if !int rand 4;
    return $sql;
}

sub next {
    my ($self) = @_;
    my $kind = int rand 3;
    $self->{number}++;
    return $kind == 0 ? (rows(), 0) : $kind == 1 ? (ordered(), 1) : (grouped(), 0);
}

1;
