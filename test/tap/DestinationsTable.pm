package DestinationsTable;

# The table that t/destinations.pl prints: what each connector can do, and which of the truths each operation has passed.

use strict;
use warnings FATAL => 'all';

my @operations = qw(create upsert update delete lookup list);

# lines_of(MANIFEST, TRUTHS, OBJECT...): a line for each object.
sub lines_of {
    my ($manifest, $truths, @objects) = @_;
    my $auth  = $manifest->{auth};
    my %kinds = map { $_->{kind} => 1 } ref $auth eq 'ARRAY' ? @$auth : $auth;
    my $kinds = join ', ', sort keys %kinds;
    return map {
        my $object = $_;
        join ' | ', $manifest->{title}, $kinds, $object->{name}, map { _cell($object, $_, $truths->of($object, $_)) } @operations;
    } @objects;
}

sub _cell {
    my ($object, $name, $truths) = @_;
    my $operation = $object->operation($name) or return '-';
    my $truth     = join(' ', sort keys %$truths) || 'documentation';
    return $truth if $name eq 'list';
    return "by a look-up; $truth" if ($operation->{by} // '') eq 'lookup';
    my $job  = $operation->{job} ? "job of @{[$operation->{job}{rows} // 10_000]}" : '';
    my $rows = $operation->{request} ? $object->rows_of($operation) : '';
    return join(' or ', grep { $_ ne '' } $rows, $job) . "; $truth";
}

# text(NAME => [LINE, ...], ...): the table, and how many connectors rest on more than documentation in all that writes.
sub text {
    my (%lines) = @_;
    my $proven = grep { !grep { /documentation/ } map { (split / \| /)[3 .. 6] } @{ $lines{$_} } } keys %lines;
    return join "\n", join(' | ', qw(connector), 'signs in by', 'object', @operations), (map { @{ $lines{$_} } } sort keys %lines),
        keys(%lines) . " connectors: $proven of them have passed their vendor's file or client in every operation that writes";
}

1;
