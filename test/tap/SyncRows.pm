package SyncRows;

# Rows of models and of destinations, as t/sync_property.pl makes and compares them. A sync is a hash of what it is made
# of: its name, at which connector, the column of its key, and that column's type.

use strict;
use warnings FATAL => 'all';

use Exporter 'import';

our @EXPORT = qw(any_value code_of fresh_row fresh_value is_good key_of model_of pick query respell values_of write_row);

# A value that no row had before.
my $revision = 0;
sub fresh_value { my ($kind) = @_; return $kind . ++$revision }

# Often one that it may have had: rows change, and change back. What is created once tells by its values which came first.
sub any_value {
    my ($sync) = @_;
    return $sync->{mode} !~ /insert|append|update/ && rand() < 0.5 ? 'w' . int rand 2 : fresh_value('v');
}

sub pick { return $_[ int rand @_ ] }

sub code_of { my ($sync, $number) = @_; return $sync->{type} eq 'numeric' ? "$number.0" : "$sync->{name}-$number" }

sub fresh_row {
    my ($sync, $id) = @_;
    return { id => $id, code => code_of($sync, $id), email => "$sync->{name}-$id\@x", name => any_value($sync) };
}

# Another spelling of the key.
sub respell {
    my ($sync, $row) = @_;
    return if !$sync->{spelt} || !defined $row->{ $sync->{key} };
    $row->{email} = pick(lc $row->{email}, uc $row->{email}, ucfirst $row->{email}) if $sync->{key} eq 'email';
    $row->{code} = int($row->{code}) . pick('', '.0', '.00') if $sync->{key} eq 'code';
    return;
}

# The key as its destination compares it.
sub key_of {
    my ($sync, $row) = @_;
    my $key = $row->{ $sync->{key} };
    return defined $key && $sync->{key} eq 'email' && $sync->{at} eq 'hubspot' ? lc $key : $key;
}

sub literal { return defined $_[0] ? "'$_[0]'" : 'NULL' }

sub is_good {
    my ($sync, $row) = @_;
    return defined $row->{ $sync->{key} } && ($row->{name} // '') !~ /forbidden|poison/ && ($row->{email} // '') =~ /@/;
}

# HubSpot keeps e-mails in small letters.
sub values_of { my ($row) = @_; return join '|', $row->{code} // '', lc($row->{email} // $row->{mail} // ''), $row->{name} // '' }

# What the query yields: by key, the values that are sent.
sub model_of {
    my ($sync) = @_;
    my %model;
    for my $row (values %{ $sync->{rows} }) {
        my ($key, $name) = (key_of($sync, $row), $row->{name});
        $name .= '~' if $sync->{edition} && defined $name;
        $model{$key} = values_of({ %$row, name => $name }) if defined $key;
    }
    return \%model;
}

# The query of a sync, in one of two editions.
sub query {
    my ($sync, $edition) = @_;
    my $sent = $edition ? q(name || ''~'') : 'name';
    return "SELECT code, email, $sent AS name" . ($sync->{cursor} ? ', seq' : '') . " FROM model_$sync->{name}";
}

sub write_row {
    my ($sync, $row) = @_;
    my $values = join ', ', $row->{id}, map { literal($row->{$_}) } qw(code email name);
    $sync->{rows}{ $row->{id} } = $row;
    # Events are only added; one that could not be sent is found again without a cursor.
    my $seq = $sync->{name} eq 'events' ? '' : ', seq = excluded.seq';
    return <<~SQL;
        INSERT INTO model_$sync->{name} VALUES ($values)
        ON CONFLICT (id) DO UPDATE SET code = excluded.code, email = excluded.email, name = excluded.name$seq;
        SQL
}

1;
