package DestinationsPage;

# The table of docs/connectors.md, which t/destinations.pl makes: what each connector can do, and which of the truths each
# operation has passed. A page that says something else is stale.

use strict;
use warnings FATAL => 'all';

use Destinations;
use Test::More ();

my $page  = "$ENV{TESTS}/../docs/connectors.md";
my $head  = "| connector | signs in by | object | create | upsert | update | delete | look-up | list |";
my @words = qw(create upsert update delete lookup list);

# lines_of(NAME, MANIFEST, TRUTHS, OBJECT...): a line for each object.
sub lines_of {
    my ($name, $manifest, $truths, @objects) = @_;
    my $auth = $manifest->{auth};
    my %kinds = map { $_->{kind} => 1 } ref $auth eq 'ARRAY' ? @$auth : $auth;
    my $kinds = join ', ', sort keys %kinds;
    return map {
        my $object = $_;
        "| [$manifest->{title}](connectors/$name.md) | $kinds | `$object->{name}` | " . join(' | ', map { _cell($object, $_, $truths->{"$name.$object->{name}.$_"}) } @words) . ' |';
    } @objects;
}

sub _cell {
    my ($object, $name, $truths) = @_;
    my $operation = $object->operation($name) or return '';
    return 'by a look-up' if ($operation->{by} // '') eq 'lookup';
    my $truth = join(', ', sort keys %{ $truths // {} }) || 'documentation';
    return $truth if $name eq 'list';
    my $job  = $operation->{job} ? "job of @{[$operation->{job}{rows} // 10_000]}" : '';
    my $rows = $operation->{request} ? $object->rows_of($operation) : '';
    return join(' or ', grep { $_ ne '' } $rows, $job) . "; $truth";
}

# check(LINES, WHOLE): with `whole` they are all that there are, and the page has to say the same. Else only the page as it
# would be is kept, in the log.
sub check {
    my ($lines, $whole) = @_;
    my $text = Destinations::text_of($page);
    my $made = page_with($text, $whole ? {} : lines_in($text), $lines);
    my $log  = "$ENV{TESTLOGDIR}/connectors.md";
    open my $file, '>', $log or die "cannot write $log: $!";
    print {$file} $made;
    close $file or die "cannot write $log: $!";
    Test::More::note(join "\n", $head, map { @{ $lines->{$_} } } sort keys %$lines);
    return Test::More::note('docs/connectors.md is compared where all destinations run') if !$whole;
    Test::More::is(comparable($text), comparable($made), 'docs/connectors.md is as the connectors are')
        or Test::More::diag('build/log/tap-15/connectors.md is the page as it should be');
    return;
}

sub lines_in {
    my ($text) = @_;
    my %lines;
    for my $line (split /\n/, $text) {
        push @{ $lines{$1} }, $line if $line =~ /^\| \[.*?\]\(connectors\/(\w+)\.md\)/;
    }
    return \%lines;
}

sub page_with {
    my ($text, $there, $lines) = @_;
    my %all = (%$there, %$lines);
    my ($before) = $text =~ /^(.*?)(?:\Q$head\E|\z)/s;
    my $proven = grep { !grep { documented_only($_) } @{ $all{$_} } } keys %all;
    $before =~ s/^[0-9]+ connectors: [0-9]+ of/@{[scalar keys %all]} connectors: $proven of/m;
    return "$before$head\n" . ('|---' x 9) . "|\n" . join('', map { "$_\n" } map { @{ $all{$_} } } sort keys %all);
}

sub documented_only { my (@cells) = split / \| /, $_[0]; return grep { /documentation/ } @cells[3 .. 6] }

# What can be compared here: without the vendors' files or clients nobody knows which truths were passed.
sub comparable {
    my ($text) = @_;
    return $text if -d Destinations->published && !Destinations->missing;
    $text =~ s/(?:client|file|documentation)(?:, file)?(?= \|)//g;
    return $text =~ s/: [0-9]+ of them/: of them/r;
}

1;
