# Every connector against its stand-in, by one table: what each object can do is done, and then the stand-in holds exactly
# what it should, after no more requests than the API's limits make necessary. How a destination is added is told in
# test/destinations/README.md. DESTINATION=intercom,pipedrive takes only those. Else this file takes every other one, and
# destinations_2.pl the rest.
# Once: what a connector sends does not depend on the version of Postgres.

use strict;
use warnings FATAL => 'all';

use DestinationObject;
use DestinationTruths;
use Destinations;
use DestinationsTable;
use JSON::PP qw(encode_json);
use List::Util qw(max);
use PsqlSession;
use ReverseETL qw(new_node wait_for_server wait_until);
use Test::More;
use Time::HiRes qw(sleep);

plan skip_all => 'Node is not installed' if system('node --version > /dev/null 2>&1') != 0;

my ($part)    = $0 =~ m{([^/]+)\.pl$};
my $half      = $part =~ /_2$/ ? 1 : 0;
my @names     = Destinations->names;
plan skip_all => 'destinations.pl takes those that DESTINATION names' if $half && $ENV{DESTINATION};
@names = @names[ grep { $_ % 2 == $half } 0 .. $#names ] if !$ENV{DESTINATION};
my $stand_ins = Destinations->start(@names);
my $node      = new_node('main', "shared_preload_libraries = 'reverse_etl'\nshared_buffers = 16MB\nrestart_after_crash = on");
my @steps     = qw(import insert list select update delete queued sync limited expired dropped crash);
my %done;      # NAME.OBJECT => { STEP => 'ok', or why it is not done }
my %lines;     # NAME => its lines of the table
my $truths    = DestinationTruths->new($stand_ins);
my $facts     = '';
my $session   = PsqlSession->new($node);

sub sql { return $session->ask(@_) }
sub url_in { my ($name, $text) = @_; return $text =~ s/\{url\}/$stand_ins->url($name)/gre }

# options(NAME, {...}): as SQL has them.
sub options {
    my ($name, $options) = @_;
    return join ', ', map { my $value = url_in($name, $options->{$_}); "$_ '" . $value =~ s/'/''/gr . q(') } sort keys %$options;
}

# ---- a destination -------------------------------------------------------------------------------------------------------

sub check_destination {
    my ($name) = @_;
    my $described = $stand_ins->description($name);
    my $manifest  = Destinations::from_json(sql("SELECT reverse_etl.show_manifest('$name')"));
    my $server    = { connector => $name, base_url => $stand_ins->url($name), rate_limit => 'none', max_attempts => 3, outbox_max_attempts => 3, %{ $described->{server} // {} } };
    my $schema    = $manifest->{schema} // $name;
    sql("CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (" . options($name, $server) . ");
         CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (" . options($name, $described->{credentials}) . ");
         CREATE SCHEMA $name;
         IMPORT FOREIGN SCHEMA $schema FROM SERVER $name INTO $name;");
    my $first = 1;
    my @objects;
    for my $object (sort keys %{ $described->{objects} }) {
        my $of = $described->{objects}{$object};
        my $table = "$name." . ($of->{table} // lc $object);
        sql("CREATE FOREIGN TABLE $table () SERVER $name OPTIONS (object '$object')") if $of->{adds} && sql("SELECT to_regclass('$table') IS NULL") eq 't';
        sql(qq(ALTER FOREIGN TABLE $table ADD COLUMN "$_" $of->{adds}{$_})) for sort keys %{ $of->{adds} // {} };
        my $checked = DestinationObject->new(manifest => $manifest, described => $of, name => $object, table => $table);
        $checked->{destination} = $name;
        $checked->{renews}      = renews($manifest, $described->{credentials});
        $checked->{is_first}    = $first;
        $first = 0 if $checked->makes_rows && !$checked->only_by_job($checked->insert);
        push @objects, $checked;
    }
    $truths->prove($name, $described, @objects) or return;
    is(sql("SELECT identity IS NOT NULL OR @{[ref $manifest->{check} && $manifest->{check}{identity} ? 'false' : 'true']} FROM reverse_etl.check_server('$name')"), 't', 'the server is checked')
        if $manifest->{check};
    $session->stop; # with it goes the token that it took for itself, when there was no table yet; from here on all share one
    for my $object (@objects) {
        subtest $object->{name} => sub { check_object($object) };
    }
    $truths->judge($name, $described, @objects);
    $stand_ins->post($name, 'forget');
    $lines{$name} = [ DestinationsTable::lines_of($manifest, $truths, @objects) ];
    $facts .= $truths->facts($manifest, @objects);
    my @left_out = grep { $_ ne '*' && !$described->{objects}{$_} } sort keys %{ $manifest->{objects} };
    is("@left_out", '', 'every object is checked');
    return;
}

# Whether the kind of auth that these credentials are for gets a new token where one has expired.
sub renews {
    my ($manifest, $credentials) = @_;
    my %there = (%{ $credentials // {} }, base_url => 1, map { $_ => 1 } keys %{ $manifest->{options} // {} });
    for my $auth (ref $manifest->{auth} eq 'ARRAY' ? @{ $manifest->{auth} } : $manifest->{auth}) {
        next if grep { !$there{$_} } encode_json($auth) =~ /\{(\w+)\}/g;
        return $auth->{kind} =~ /^(?:oauth2|login)$/;
    }
    return;
}

# ---- an object -----------------------------------------------------------------------------------------------------------

my %check = (
    import => \&check_import, insert => \&check_insert, list => \&check_list, select => \&check_select, update => \&check_update,
    delete => \&check_delete, queued => \&check_queued, sync => \&check_sync, limited => \&check_limited,
    expired => \&check_expired, dropped => \&check_dropped, crash => \&check_crash,
);

sub check_object {
    my ($object) = @_;
    my $done = $done{"$object->{destination}.$object->{name}"} = {};
    my $options = { %{ $object->{described}{options} // {} } };
    $options->{key} = $object->{described}{key} if $object->{described}{key} && !ref $object->{described}{key};
    sql("ALTER FOREIGN TABLE $object->{table} OPTIONS (" . join(', ', map { "ADD $_" } split /, (?=\w+ ')/, options($object->{destination}, $options)) . ')') if %$options;
    for my $step (@steps) {
        return fail('the stand-in is wrong: ' . $stand_ins->broken($object->{destination})) if $stand_ins->broken($object->{destination});
        my $why = $object->{described}{skip}{$step} // needless($object, $step);
        if ($why) {
            $done->{$step} = $why;
            next;
        }
        $done->{$step} = subtest($step => sub { eval { $check{$step}->($object); 1 } or fail("it ends: $@") }) ? 'ok' : 'FAILED';
    }
    return;
}

# Why a step is not for an object, or nothing.
sub needless {
    my ($object, $step) = @_;
    return 'the API has none' if $step =~ /^(?:list|update|delete)$/ && !$object->has($step);
    return 'nothing to change is described' if $step eq 'update' && !$object->changes;
    return 'the API has none' if $step eq 'select' && !$object->lookup_by_key;
    return 'nothing is described that is there' if $step =~ /^(?:list|select)$/ && !$object->rows_there;
    return 'the API makes no rows' if $step =~ /^(?:insert|queued|sync|limited|expired|dropped|crash)$/ && !$object->makes_rows;
    return 'jobs leave queued' if $step =~ /^(?:insert|limited|expired|dropped|crash)$/ && $object->only_by_job($object->insert);
    return 'once a destination' if $step =~ /^(?:limited|expired|crash)$/ && !$object->{is_first};
    return;
}

# reset(OBJECT): nothing is there, and nothing is remembered. With 'data' the records stay.
sub reset_to {
    my ($object, $keep) = @_;
    $stand_ins->post($object->{destination}, 'reset' . ($keep ? "?keep=$keep" : ''));
    sql('SELECT reverse_etl.discard($$true$$)');
    return;
}

sub label { my ($object, $of) = @_; $stand_ins->post($object->{destination}, "label?of=$object->{name}.$of"); return }

# The requests since the last reset, without those for tokens.
sub requests { my ($object) = @_; return scalar $stand_ins->requests($object->{destination}) }

sub holds {
    my ($object, $from, $to, $changed, $gone, $what) = @_;
    my @pointers = map { $object->stored($_)->{at} } $object->stored_columns;
    my $store    = $object->{described}{store} // $object->{name};
    my @found    = sort split /\n/, $stand_ins->post($object->{destination}, "values/$store", \@pointers);
    my @wanted   = sort split /\n/, sql($object->stored_rows($from, $to, $changed // 'false', $gone // 'false'));
    is(scalar @found, scalar @wanted, "$what: so many rows are there");
    my @differ = grep { ($found[$_] // '') ne ($wanted[$_] // '') } 0 .. max(0, min_of($#found, $#wanted));
    is(@differ ? $found[ $differ[0] ] : '', @differ ? $wanted[ $differ[0] ] : '', "$what: each is as it should be");
    return;
}

sub min_of { my ($one, $other) = @_; return $one < $other ? $one : $other }

# The rows that were rejected since the last call, and how many for the reason that is right.
sub rejected {
    my ($object, $pattern) = @_;
    my $quoted = ($pattern // '') =~ s/'/''/gr;
    my $of = "destination = '$object->{table}'::regclass";
    my $found = sql("SELECT count(*), count(*) FILTER (WHERE reason ~ '$quoted'), min(reason) FILTER (WHERE reason !~ '$quoted') FROM reverse_etl.rejected_rows WHERE $of");
    sql("SELECT reverse_etl.discard(\$condition\$$of\$condition\$)");
    return $found;
}

sub bad_among { my ($object, $from, $to) = @_; return scalar grep { $object->is_bad($_) } $from .. $to }

# The rows whose numbers are given, as WHERE names them: a condition for all of them, or one for each where the key has several columns.
sub conditions {
    my ($object, @numbers) = @_;
    my @key = $object->key;
    my %literals = $object->key_is_given ? given_keys($object) : written_keys($object, @numbers);
    my @literals = grep { defined } map { $literals{$_} } @numbers;
    return "$key[0] IN (" . join(', ', map { $_->[0] } @literals) . ')' if @key == 1;
    return map { my $one = $_; join ' AND ', map { "$key[$_] = $one->[$_]" } 0 .. $#key } @literals;
}

sub written_keys {
    my ($object, @numbers) = @_;
    my @values = map { "quote_literal(($object->{described}{columns}{$_})::text)" } $object->key;
    return map { my ($n, @key) = split /\t/; ($n => \@key) }
        split /\n/, sql('SELECT ' . join(q( || E'\t' || ), 'n', @values) . ' FROM unnest(ARRAY[' . join(',', @numbers) . ']) AS n');
}

# Keys that the destination gave, all columns of them or some, of the rows as they are there.
sub given_keys {
    my ($object) = @_;
    my $known = $object->{described}{known_by} // BAIL_OUT("$object->{table}: known_by has to say by which column rows are told apart");
    my @pointers = map { $_->{at} } $object->stored($known), map { { at => $object->{described}{at}{$_} // "/$_" } } $object->key;
    my %found = map { my ($is, @key) = @{ Destinations::from_json($_) }; (encode_json([$is]) => [ map { q(') . s/'/''/gr . q(') } @key ]) }
        split /\n/, $stand_ins->post($object->{destination}, 'values/' . ($object->{described}{store} // $object->{name}), \@pointers);
    return map { my ($n, $is) = split /\t/, $_, 2; ($n => $found{ encode_json(Destinations::from_json($is)) }) }
        split /\n/, sql(q{SELECT n || E'\t' || jsonb_build_array(} . $object->stored($known)->{is} . ') FROM generate_series(1, 100) AS n');
}

# run(STATEMENT...): the sum of what their tags count.
sub run {
    my (@statements) = @_;
    my $count = 0;
    for my $statement (@statements) {
        my ($tag, $said) = $session->outcome($statement);
        diag($said) if $tag !~ /^[A-Z]+(?: 0)? \d+$/;
        $count += $tag =~ /(\d+)$/ ? $1 : 0;
    }
    return $count;
}

# The least requests of statements that change rows, each those of one condition: of one for all, or one for each row.
sub requests_of_all {
    my ($object, $operation, $rows, @conditions) = @_;
    return @conditions == 1 ? $object->requests_to_change($operation, $rows) : @conditions * $object->requests_to_change($operation, 1);
}

sub queue {
    my ($object, @statements) = @_;
    sql(join ";\n", 'BEGIN', @statements, 'COMMIT', "CALL reverse_etl.wait('$object->{table}', '60 s')");
    return;
}

# ---- the steps -----------------------------------------------------------------------------------------------------------

sub check_import {
    my ($object) = @_;
    my %there = map { $_ => 1 } split /\n/, sql("SELECT attname FROM pg_attribute WHERE attrelid = '$object->{table}'::regclass AND attnum > 0");
    is(join(' ', grep { !$there{$_} } $object->columns), '', 'every column is there');
    return;
}

sub check_insert {
    my ($object) = @_;
    reset_to($object);
    label($object, $object->insert);
    my $bad = bad_among($object, 1, 1000);
    my ($tag, $said) = $session->outcome($object->insert_statement(1, 1000));
    is($tag, 'INSERT 0 ' . (1000 - $bad), 'the tag counts what was accepted') or diag($said);
    is(rejected($object, $object->{described}{reason}), "$bad|$bad|", 'the others are rejected, each for its reason');
    is(requests($object), $object->requests_to_insert(1, 1000), 'no more requests than necessary');
    holds($object, 1, 1000, undef, undef, 'after INSERT');
    return;
}

sub check_list {
    my ($object) = @_;
    my $there = $object->rows_there;
    my $count = $there - bad_among($object, 1, $there);
    reset_to($object, 'data');
    label($object, 'list');
    is(sql($object->comparison('', 1, $there)), "$count|0", 'all rows are read, as they were written');
    is(requests($object), $object->requests_to_list($count), 'no more pages than necessary');
    return;
}

sub check_select {
    my ($object) = @_;
    reset_to($object, 'data');
    label($object, 'lookup');
    my @where = conditions($object, 1 .. 4, $object->key_is_given ? () : 1001);
    my $found = 0;
    for my $at (0 .. $#where) {
        my @rows = @where == 1 ? (1, 4) : ($at + 1, $at + 1);
        my ($count, $others) = split /\|/, sql($object->comparison("WHERE $where[$at]", @rows));
        $found += $count;
        is($others, 0, 'they are as they were written');
    }
    is($found, 4, 'the rows are found that are there');
    my $least = @where == 1 ? $object->requests_to_find($object->key_is_given ? 4 : 5) : @where * $object->requests_to_find(1);
    is(requests($object), $least, 'no more requests than necessary');
    for my $lookup ($object->other_lookups) {
        my @by     = @{ $lookup->{by} };
        my $fields = join ' AND ', map { "$_ = " . sql("SELECT quote_literal($_) FROM $object->{table} WHERE $where[0] ORDER BY 1 LIMIT 1") } @by;
        reset_to($object, 'data');
        label($object, 'lookup');
        is(sql("SELECT count(*) FROM $object->{table} WHERE $fields"), 1, "a row is found by @by");
        is(requests($object), 1, 'by one request');
    }
    return;
}

sub check_update {
    my ($object) = @_;
    my @where = conditions($object, 1 .. 20);
    reset_to($object, 'data');
    label($object, 'update');
    is(run(map { "UPDATE $object->{table} SET " . $object->changes . " WHERE $_" } @where), 20, 'the tag counts what was changed');
    is(requests($object), requests_of_all($object, 'update', 20, @where), 'no more requests than necessary');
    holds($object, 1, 1000, 'n <= 20', undef, 'after UPDATE');
    return;
}

sub check_delete {
    my ($object) = @_;
    my @where = conditions($object, 11 .. 20);
    my @gone  = map { "DELETE FROM $object->{table} WHERE $_" } @where;
    reset_to($object, 'data');
    label($object, 'delete');
    is(run(@gone), 10, 'the tag counts what was deleted');
    is(requests($object), requests_of_all($object, 'delete', 10, @where), 'no more requests than necessary');
    my $changed = $object->has('update') && $object->changes ? 'n <= 20' : 'false';
    holds($object, 1, 1000, $changed, 'n BETWEEN 11 AND 20', 'after DELETE');
    my $once_more = $object->{described}{deleted_twice} // 0;
    is(run(@gone), $once_more, 'what is gone is not deleted again');
    is(rejected($object), '0|0|', 'and nothing is rejected');
    return;
}

sub check_queued {
    my ($object) = @_;
    reset_to($object);
    label($object, $object->insert);
    my $bad = bad_among($object, 1, 1000);
    queue($object, $object->insert_statement(1, 1000));
    is(rejected($object, $object->{described}{reason}), "$bad|$bad|", 'bad rows are rejected');
    is(requests($object), $object->requests_to_queue(1, 1000), 'no more requests than necessary');
    holds($object, 1, 1000, undef, undef, 'after a queued INSERT');
    my $updates = $object->has('update') && $object->changes;
    my ($update, $delete) = ("UPDATE $object->{table} SET " . $object->changes, "DELETE FROM $object->{table}");
    queue($object, map { "$update WHERE $_" } conditions($object, 1 .. 20)) if $updates;
    queue($object, map { "$delete WHERE $_" } conditions($object, 11 .. 20)) if $object->has('delete');
    is(rejected($object), '0|0|', 'nothing else is rejected');
    holds($object, 1, 1000, $updates ? 'n <= 20' : 'false', $object->has('delete') ? 'n BETWEEN 11 AND 20' : 'false', 'after a queued UPDATE and DELETE');
    return;
}

# A sync by the mode that the object allows: a mirror, an upsert, or what is only ever appended.
sub check_sync {
    my ($object) = @_;
    reset_to($object);
    label($object, 'sync');
    my $name    = "$object->{destination}_$object->{name}";
    my $keyed   = $object->key && !$object->key_is_given;
    my $changes = $keyed && ($object->has('upsert') || $object->has('update')) && $object->changes;
    my $mode    = $keyed && $object->has('delete') && ($changes || $object->has('upsert')) ? 'mirror' : $changes ? 'upsert' : 'append';
    my @key     = $mode eq 'append' ? 'n' : $object->key;
    my $query   = 'SELECT ' . join(', ', ($mode eq 'append' ? 'n' : ()), map { qq("$_") } $object->columns) . " FROM \"model_$name\"";
    sql("CREATE TABLE \"model_$name\" AS " . $object->rows(4031, 4050, 'n') . ";
         SELECT reverse_etl.create_sync('$name', \$query\$$query\$query\$, '$object->{table}', '{" . join(',', @key) . "}', mode => '$mode', max_removed => 'none')");
    my $bad = bad_among($object, 4031, 4050);
    is(run_of($name), "20|0|0|@{[20 - $bad]}|$bad", "the first run ($mode)");
    sql("UPDATE \"model_$name\" SET " . $object->changes . ' WHERE n IN (4031, 4032)') if $changes;
    sql("DELETE FROM \"model_$name\" WHERE n = 4033") if $mode eq 'mirror';
    my ($changed, $removed) = ($changes ? 2 : 0, $mode eq 'mirror' ? 1 : 0);
    is(run_of($name), join('|', $bad, $changed, $removed, $changed + $removed, $bad), 'a run after two edits and a removal');
    holds($object, 4031, 4050, $changes ? 'n < 4033' : 'false', $removed ? 'n = 4033' : 'false', 'after both');
    rejected($object);
    return;
}

sub run_of {
    my ($name) = @_;
    sql("CALL reverse_etl.run_sync('$name')");
    return sql("SELECT added, changed, removed, accepted, rejected FROM reverse_etl.runs WHERE sync = '$name' ORDER BY id DESC LIMIT 1");
}

sub check_limited {
    my ($object) = @_;
    reset_to($object);
    $stand_ins->post($object->{destination}, 'faults', { kind => 'limited' });
    is(run($object->insert_statement(3001, 3003)), 3, 'rows that came too early come again');
    is(requests($object), $object->requests_to_insert(3001, 3) + 1, 'once');
    holds($object, 3001, 3003, undef, undef, 'after 429');
    return;
}

sub check_expired {
    my ($object) = @_;
    reset_to($object);
    if ($object->{renews}) {
        run($object->insert_statement(3001, 3001));
        $stand_ins->post($object->{destination}, 'expire');
        is(run($object->insert_statement(3002, 3003)), 2, 'a token that has expired is renewed');
        queue($object, $object->insert_statement(3004, 3004)); # the worker has to give up the one that it holds, too
        holds($object, 3001, 3004, undef, undef, 'after that');
        return;
    }
    $stand_ins->post($object->{destination}, 'faults', { kind => 'refused' });
    my (undef, $said) = $session->outcome($object->insert_statement(3001, 3001));
    like($said, qr/ERROR:  28000/, 'credentials that are refused end the statement');
    is(requests($object), 1, 'they are not tried again');
    is(run($object->insert_statement(3001, 3001)), 1, 'with others it goes on');
    holds($object, 3001, 3001, undef, undef, 'after that');
    return;
}

# One row, which is made before the answer is lost: it is in doubt where it must not be made once more.
sub check_in_doubt {
    my ($object, $accepted) = @_;
    my $again = $object->makes_once_more;
    is($accepted, $again ? 1 : 0, 'the row is accepted only where it may be made once more') if defined $accepted;
    is(rejected($object, '^outcome unknown'), $again ? '0|0|' : '1|1|', 'else nobody knows');
    holds($object, 3001, 3001, undef, undef, 'after that');
    return if !$object->upserts_by_lookup;
    is(run($object->insert_statement(3001, 3001)), 1, 'it is found when it is sent again');
    holds($object, 3001, 3001, undef, undef, 'then, too');
    return;
}

sub check_dropped {
    my ($object) = @_;
    reset_to($object);
    $stand_ins->post($object->{destination}, 'faults', { kind => 'drop', request => $object->pattern_of($object->maker) });
    my ($tag) = $session->outcome($object->insert_statement(3001, 3001));
    is($stand_ins->met($object->{destination}), 1, 'the answer was lost');
    check_in_doubt($object, $tag =~ /^INSERT 0 (\d)$/);
    return;
}

# The worker dies between a request and its answer.
sub check_crash {
    my ($object) = @_;
    reset_to($object);
    $stand_ins->post($object->{destination}, 'faults', { kind => 'hang', request => $object->pattern_of($object->maker) });
    sql('BEGIN; ' . $object->insert_statement(3001, 3001) . '; COMMIT');
    wait_until(sub { $stand_ins->met($object->{destination}) });
    kill KILL => sql('SELECT pid FROM reverse_etl.worker_status');
    $session->stop;
    sleep 0.1;
    wait_for_server($node);
    sql("CALL reverse_etl.wait('$object->{table}', '60 s')");
    check_in_doubt($object);
    return;
}

# ---- all of them ---------------------------------------------------------------------------------------------------------

is($stand_ins->test('kit/'), 0, 'the kit refuses what is wrong');
for my $name (@names) {
    subtest $name => sub { check_destination($name) };
}

note(join "\n", 'what was checked:', map {
    my $of = $done{$_};
    ("$_: " . join(' ', grep { $of->{$_} eq 'ok' } grep { $of->{$_} } @steps), map { "    not $_: $of->{$_}" } grep { $of->{$_} && $of->{$_} ne 'ok' } @steps)
} sort keys %done);

note(DestinationsTable::text(%lines));
for my $kept ([ 'truth.jsonl', $facts ], [ 'table', join '', map { "$_\n" } map { @{ $lines{$_} } } sort keys %lines ]) {
    open my $file, '>:encoding(UTF-8)', "$ENV{TESTLOGDIR}/$part.$kept->[0]" or die "cannot keep what was found out: $!";
    print {$file} $kept->[1];
    close $file or die "cannot keep what was found out: $!";
}

done_testing();
