package DestinationObject;

# One object of a destination, as its manifest and its description in test/destinations/NAME.json have it: which operations
# it has, how many requests they take at least, and SQL over `n`, the number of a row.

use strict;
use warnings FATAL => 'all';

use JSON::PP qw(encode_json);
use List::Util qw(sum0);
use POSIX qw(ceil);

# new(manifest => ..., described => ..., name => ..., table => ...): `described` is the object's part of the description.
sub new {
    my ($class, %self) = @_;
    my $object = $self{manifest}{objects}{ $self{name} } // $self{manifest}{objects}{'*'};
    my $self = bless { %self, object => $object }, $class;
    for my $name (qw(create upsert update delete lookup list)) {
        my @said = grep { defined } $object->{operations}{$name} // $self->{manifest}{operations}{$name};
        next if !@said;
        $self->{operations}{$name} = [ map { $self->_whole($name, $_) } ref $said[0] eq 'ARRAY' ? @{ $said[0] } : @said ];
    }
    my $given  = $self->{described}{key};
    my @fields = map { ref ? @$_ : $_ } grep { defined } $object->{key} // $object->{id} // $self->{manifest}{id};
    $self->{key} = defined $given ? [ ref $given ? @$given : $given ] : [ map { $self->column_of($_) } @fields ];
    return $self;
}

# The column of a field, which a table option may name.
sub column_of {
    my ($self, $field) = @_;
    $field =~ s/\{(\w+)\}/$self->{described}{options}{$1} \/\/ "{$1}"/ge;
    my $said = $self->{object}{columns}{$field} // $self->{manifest}{columns}{$field};
    return ref $said && $said->{column} ? $said->{column} : lc $field;
}

# An operation with what the defaults and the manifest's operation of its name say.
sub _whole {
    my ($self, $name, $said) = @_;
    my $shared = $self->{manifest}{operations}{$name};
    return { %{ $self->{manifest}{defaults} // {} }, %{ ref $shared eq 'HASH' ? $shared : {} }, %$said };
}

# The column of the destination's own id.
sub id { my ($self) = @_; my $field = $self->{object}{id} // $self->{manifest}{id}; return defined $field ? $self->column_of($field) : undef }

# The columns that name a row.
sub key { return @{ $_[0]{key} } }

# Whether the destination itself gives the key, or some column of it, so that no row can be made with one.
sub key_is_given { my ($self) = @_; return scalar grep { !$self->{described}{columns}{$_} } $self->key }

sub operation { my ($self, $name) = @_; return ($self->{operations}{$name} // [])->[0] }

# Every request that its operations make: ({ name => OPERATION, pattern => of "METHOD path" }, ...).
sub all_requests {
    my ($self) = @_;
    my @requests;
    for my $name (sort keys %{ $self->{operations} }) {
        for my $operation (@{ $self->{operations}{$name} }) {
            my $job   = $operation->{job} // {};
            my @steps = grep { ref && $_->{request} } $operation, @$job{qw(open add upload close poll)}, @{ $job->{results} // [] };
            push @requests, map { { name => $name, pattern => $self->pattern_of($_) } } @steps;
        }
    }
    return @requests;
}

# The other look-ups, by fields that the rows have or by the id: ({ by => [FIELD...], said => ... }, ...).
sub other_lookups {
    my ($self) = @_;
    my %written = map { $_ => 1 } $self->columns;
    my $by_key  = $self->lookup_by_key // 0;
    my @others;
    for my $lookup (grep { $_ != $by_key } @{ $self->{operations}{lookup} // [] }) {
        my $by = $lookup->{by} // 'any';
        my @fields = ref $by ? (map { $self->column_of($_) } @$by) : $by eq 'id' ? $self->id : ();
        push @others, { by => \@fields, said => $lookup } if @fields && (!ref $by || @fields == grep { $written{$_} } @fields);
    }
    return @others;
}

sub has { return defined $_[0]->operation($_[1]) }

sub makes_rows { return $_[0]->has('create') || $_[0]->has('upsert') }

# How many rows there are to read: those that INSERT made, the bad ones among them, or of an object that is only read those that
# the stand-in begins with.
sub rows_there { my ($self) = @_; return $self->makes_rows ? 1000 : $self->{described}{seeded} // 0 }

# Whether all of an operation goes in jobs, which statements do not wait for.
sub only_by_job { my ($self, $name) = @_; my $of = $self->operation($name); return $of && $of->{job} && !$of->{request} }

# What INSERT means.
sub insert {
    my ($self) = @_;
    my $said = $self->{described}{options}{insert_as} // $self->{object}{insert};
    return $said if $said;
    return $self->has('upsert') && $self->key && !$self->key_is_given ? 'upsert' : 'create';
}

sub upserts_by_lookup { my ($self) = @_; return $self->insert eq 'upsert' && ($self->operation('upsert')->{by} // '') eq 'lookup' }

# The operation by which a row that is new is made.
sub maker { my ($self) = @_; return $self->operation($self->upserts_by_lookup ? 'create' : $self->insert) }

# Whether a row may be made once more where nobody knows whether it was.
sub makes_once_more {
    my ($self) = @_;
    my $maker = $self->maker;
    return 1 if $maker->{idempotency_key};
    return $maker->{idempotent} if defined $maker->{idempotent};
    return $self->insert eq 'upsert' && !$self->upserts_by_lookup;
}

# The look-up that takes the key.
sub lookup_by_key {
    my ($self) = @_;
    my $key = join ',', $self->key;
    my $is_id = $key eq ($self->id // '');
    for my $lookup (@{ $self->{operations}{lookup} // [] }) {
        my $by = $lookup->{by} // 'any';
        my $fits = ref $by ? join(',', map { $self->column_of($_) } @$by) eq $key : $by eq 'any' || $by eq ($is_id ? 'id' : 'key');
        return $lookup if $fits;
    }
    return;
}

# Rows that a request of an operation takes.
sub rows_of {
    my ($self, $operation) = @_;
    my $rows = $operation->{rows} // 1;
    my $all  = encode_json([ $operation->{body}, $operation->{query}, $operation->{request} ]);
    return $rows if $all =~ /"\$rows"|"\$map"|"arrays"|\{keys\}/;
    return 1;
}

# The requests that a batch takes: where it is refused as a whole, its halves are made until the bad rows stand alone.
sub _halved {
    my ($first, $count, $bad) = @_;
    return 1 if $count == 1 || !grep { $bad->($_) } $first .. $first + $count - 1;
    my $half = int($count / 2);
    return 1 + _halved($first, $half, $bad) + _halved($first + $half, $count - $half, $bad);
}

sub _requests_for {
    my ($self, $operation, $first, $count, $bad) = @_;
    my $rows = $self->rows_of($operation);
    my $one_by_one = encode_json([ $operation->{outcome} // 'status' ]) =~ /"(?:each|map)"/;
    my $as_a_whole = ($self->{described}{refuses} // ($one_by_one ? 'rows' : 'batch')) eq 'batch';
    return ceil($count / $rows) if !$as_a_whole;
    my ($requests, $end) = (0, $first + $count);
    for (my $at = $first; $at < $end; $at += $rows) {
        $requests += _halved($at, $at + $rows < $end ? $rows : $end - $at, $bad);
    }
    return $requests;
}

# The least requests that an INSERT of rows takes that are new.
sub requests_to_insert {
    my ($self, $first, $count) = @_;
    return $self->{described}{requests}{insert} if defined $self->{described}{requests}{insert} && $count == 1000;
    my $bad = sub { $self->is_bad($_[0]) };
    my $found = $self->upserts_by_lookup ? ceil($count / $self->rows_of($self->lookup_by_key)) : 0;
    return $found + $self->_requests_for($self->maker, $first, $count, $bad);
}

# The same of rows that are queued, which may leave in jobs: each is asked for once, if the stand-in has it done by then.
sub requests_to_queue {
    my ($self, $first, $count) = @_;
    my $job = $self->maker->{job};
    my $from = $self->{described}{options}{bulk_from} // ($job // {})->{from} // 1;
    return $self->requests_to_insert($first, $count) if !$job || $self->maker->{request} && $count < $from;
    return $self->{described}{requests}{queued} if defined $self->{described}{requests}{queued};
    my $rows  = $job->{rows} // 10_000;
    my $jobs  = ceil($count / $rows);
    my $steps = sum0(map { $job->{$_} ? 1 : 0 } qw(open upload close poll)) + @{ $job->{results} // [] };
    my $added = $job->{add} ? ceil(($count < $rows ? $count : $rows) / $job->{add}{rows}) : 0;
    return $jobs * ($steps + $added);
}

# The least requests that an UPDATE or DELETE by the key takes.
sub requests_to_change {
    my ($self, $name, $count) = @_;
    return $self->{described}{requests}{$name} if defined $self->{described}{requests}{$name};
    my $operation = $self->operation($name);
    my $by        = $operation->{by} // 'any';
    my $is_id     = join(',', $self->key) eq ($self->id // '');
    my $looks_up  = ($by eq 'id' && !$is_id) || ($by eq 'key' && $is_id);
    my $lookups   = $looks_up ? ceil($count / $self->rows_of($self->lookup_by_key)) : 0;
    return $lookups + ceil($count / $self->rows_of($operation));
}

sub requests_to_find {
    my ($self, $count) = @_;
    return $self->{described}{requests}{select} // ceil($count / $self->rows_of($self->lookup_by_key));
}

# The pages of a list: where nothing else tells that it ends, the last one is empty.
sub requests_to_list {
    my ($self, $count) = @_;
    return $self->{described}{requests}{list} if defined $self->{described}{requests}{list};
    my $next  = $self->operation('list')->{next} or return 1;
    my $pages = ceil($count / ($self->{described}{page} // 1)) || 1;
    my $page  = $next->{offset} // $next->{page};
    my $told  = $next->{more_when} || ref $page && ($page->{total} || $page->{pages}) || $next->{cursor} || $next->{url} || $next->{link};
    return $told ? $pages : $pages + 1;
}

# A pattern of "METHOD path" for the requests of an operation, or of a step of a job.
sub pattern_of {
    my ($self, $operation) = @_;
    my $request = $operation->{request};
    my $object  = $self->{name};
    $request =~ s/\{object\}/$object/g;
    my @parts = map { quotemeta } split /\{[^{}]+\}/, $request, -1;
    return '^' . join('[^/?]*', @parts) . '([?]|$)';
}

# ---- SQL ------------------------------------------------------------------------------------------------------------------

sub is_bad { my ($self, $n) = @_; return $self->{described}{bad} && $n % 100 == 50 }

sub columns { return sort keys %{ $_[0]{described}{columns} } }

# Columns with their values as SQL, the bad ones among them as they are bad.
sub _values {
    my ($self) = @_;
    my $bad = $self->{described}{bad} // {};
    return map {
        my $value = $self->{described}{columns}{$_};
        defined $bad->{$_} ? "CASE WHEN n % 100 = 50 THEN $bad->{$_} ELSE $value END AS \"$_\"" : "$value AS \"$_\""
    } $self->columns;
}

# SELECT of the rows with the numbers from..to.
sub rows {
    my ($self, $from, $to, @more) = @_;
    return 'SELECT ' . join(', ', @more, $self->_values) . " FROM generate_series($from, $to) AS n";
}

sub insert_statement {
    my ($self, $from, $to) = @_;
    return "INSERT INTO $self->{table} (" . join(', ', map { qq("$_") } $self->columns) . ') ' . $self->rows($from, $to);
}

sub changes { my ($self) = @_; my $change = $self->{described}{change}; return join ', ', map { qq("$_" = $change->{$_}) } sort keys %{ $change // {} } }

# SELECT of what a query finds that should find the rows from..to: how many there are, and how many of them are not as they should be.
sub comparison {
    my ($self, $condition, $from, $to) = @_;
    my %unread = map { $_ => 1 } @{ $self->{described}{unread} // [] };
    my $read   = join ', ', map { qq("$_") } grep { !$unread{$_} } $self->columns;
    return "WITH found AS MATERIALIZED (SELECT $read FROM $self->{table} $condition), wanted AS (" . $self->rows($from, $to) . ')
        SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM (SELECT * FROM found EXCEPT ALL SELECT ' . "$read FROM wanted) AS other)";
}

# What a column is at the destination: where it stands, and its value as SQL; nothing if it is not compared.
sub stored {
    my ($self, $column) = @_;
    my $stored = $self->{described}{stored} // {};
    my %is     = (at => "/$column", is => $self->{described}{columns}{$column});
    return \%is if !exists $stored->{$column};
    my $said = $stored->{$column};
    return defined $said ? { %is, ref $said ? %$said : (is => $said) } : undef;
}

sub stored_columns { my ($self) = @_; return grep { $self->stored($_) } $self->columns }

# SELECT of what is to be stored of the rows from..to, each a line of JSON: those for which a condition holds are changed, and
# those for which another does are not there.
sub stored_rows {
    my ($self, $from, $to, $changed, $gone) = @_;
    my $change  = { %{ $self->{described}{change} // {} }, %{ $self->{described}{changed} // {} } };
    my $literal = sub { "coalesce((jsonb_build_array($_[0])->0)::text, 'null')" };
    my @values  = map {
        my $is = $literal->($self->stored($_)->{is});
        $change->{$_} ? "CASE WHEN $changed THEN " . $literal->($change->{$_}) . " ELSE $is END" : $is
    } $self->stored_columns;
    my $good = $self->{described}{bad} ? 'n % 100 <> 50' : 'true';
    return "SELECT '[' || concat_ws(',', " . join(', ', @values) . ") || ']' FROM generate_series($from, $to) AS n WHERE $good AND NOT ($gone)";
}

1;
