# Whatever happens between and during runs, a sync ends where its mode says: random edits of the model between random
# runs, under rejected rows, 429s and broken connections, with cancelled runs, changed queries, and a worker and a server
# that are killed. In the end each destination is compared with its model, and the counts of every run add up: the CHECKs
# of reverse_etl.runs are never broken.
#
#   SYNC_PROPERTY_SEED=7 SYNC_PROPERTY_STEPS=500 test/tap/run 15 test/tap/t/sync_property.pl
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use JSON::PP qw(decode_json);
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed  = $ENV{SYNC_PROPERTY_SEED}  // int(rand(1_000_000));
my $steps = $ENV{SYNC_PROPERTY_STEPS} // 120;
note("SYNC_PROPERTY_SEED=$seed SYNC_PROPERTY_STEPS=$steps");
srand($seed);

# What each sync is made of. Codes begin with the sync's name: all of HubSpot's are contacts. What is created at HubSpot
# is created once, since e-mails are unique there; elsewhere an idempotency key sees to that.
my %syncs = (
    upsert  => { at => 'hubspot', mode => 'upsert' },
    full    => { at => 'hubspot', mode => 'full' },
    archive => { at => 'hubspot', mode => 'mirror', removals => 'archive' },
    guarded => { at => 'hubspot', mode => 'mirror', removals => 'delete', max_removed => '25%' },
    clear   => { at => 'hubspot', mode => 'mirror', removals => 'clear' },
    update  => { at => 'hubspot', mode => 'update' },
    insert  => { at => 'hubspot', mode => 'insert' },
    latest  => { at => 'hubspot', mode => 'upsert', cursor => 1 },
    append  => { at => 'http',    mode => 'append' },
    events  => { at => 'http',    mode => 'append', cursor => 1 },
    removed => { at => 'http',    mode => 'mirror', removals => 'delete' },
);
my @names = sort keys %syncs;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', <<~'CONF');
    shared_preload_libraries = 'reverse_etl'
    restart_after_crash = on
    log_min_messages = notice
    CONF
sub sql { return $node->safe_psql('postgres', @_) }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', outbox_max_attempts '3', max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse;
    SQL
for my $name (@names) {
    my $sync = $syncs{$name};
    $sync->{name} = $name;
    my $options = $sync->{at} eq 'hubspot' ? q(SERVER hubspot OPTIONS (object 'contacts', key 'code', batch_size '3'))
        : $sync->{mode} eq 'append' ? "SERVER inhouse OPTIONS (path '/http/$name', idempotency_key 'Idempotency-Key', batch_size '3')"
        : "SERVER inhouse OPTIONS (path '/http/$name', key 'email', insert_as 'upsert', batch_size '3')";
    # By http a row is known by its e-mail, unless it goes by another name.
    my $field = $sync->{at} eq 'http' && $sync->{mode} eq 'append' ? q(OPTIONS (field 'mail')) : '';
    $sync->{key} = $name eq 'removed' ? 'email' : 'code';
    my %arguments = map { $_ => $sync->{$_} } grep { defined $sync->{$_} } qw(mode removals);
    $arguments{max_removed} = $sync->{max_removed} // '100%';
    @arguments{qw(detect cursor_column)} = qw(cursor seq) if $sync->{cursor};
    my $arguments = join ', ', map { "$_ => '$arguments{$_}'" } sort keys %arguments;
    sql(<<~SQL);
        CREATE TABLE model_$name (id integer PRIMARY KEY, code text, email text, name text, seq bigserial);
        CREATE FOREIGN TABLE to_$name (code text, email text $field, name text CHECK (name <> 'forbidden')) $options;
        SELECT reverse_etl.create_sync('$name', '@{[ query($sync, 0) ]}', 'to_$name', '{$sync->{key}}', $arguments);
        SQL
    $sync->{rows} = {};
    $sync->{edition} = 0;
}

# The query of a sync, in one of two editions.
sub query {
    my ($sync, $edition) = @_;
    my $sent = $edition ? q(name || ''~'') : 'name';
    return "SELECT code, email, $sent AS name" . ($sync->{cursor} ? ', seq' : '') . " FROM model_$sync->{name}";
}

# Updates need rows that are there: those of odd numbers.
sql(q(INSERT INTO to_update SELECT 'update-' || n, 'update-' || n || '@x', 'before' FROM generate_series(1, 60, 2) AS n));

# ---- The model, here and in the database ----------------------------------------------------------------------------

my $revision = 0;
sub pick { return $_[ int rand @_ ] }
sub fresh_row {
    my ($sync, $id) = @_;
    my $code = "$sync->{name}-$id";
    return { id => $id, code => $code, email => "$code\@x", name => 'v' . ++$revision };
}

sub literal { return defined $_[0] ? "'$_[0]'" : 'NULL' }

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

sub edit {
    my ($sync) = @_;
    my $key    = $sync->{key};
    my $code   = '';
    for (1 .. 1 + int rand 12) {
        my @ids = sort { $a <=> $b } keys %{ $sync->{rows} };
        my $id  = $sync->{name} eq 'events' ? 1 + @ids : 1 + int rand 60;
        my $row = $sync->{rows}{$id};
        if (!$row) {
            $row = fresh_row($sync, $id);
            $row->{name} = 'forbidden' if rand() < 0.1;
            $code .= write_row($sync, $row);
            next;
        }
        $row = {%$row};
        my $what = pick(qw(value value value null delete delete key duplicate null_key check email mend mend));
        $what = 'value' if $what =~ /delete|key|duplicate/ && $sync->{cursor};
        if ($what eq 'delete') {
            delete $sync->{rows}{$id};
            $code .= "DELETE FROM model_$sync->{name} WHERE id = $id;\n";
            next;
        }
        $row->{name} = 'v' . ++$revision if $what eq 'value';
        $row->{name} = undef             if $what eq 'null';
        $row->{name} = 'forbidden'       if $what eq 'check';
        $row->{email} = 'no address' . $id if $what eq 'email';
        $row->{$key} = undef if $what eq 'null_key';
        @$row{qw(code email)} = @{ $sync->{rows}{ pick(@ids) } }{qw(code email)} if $what eq 'duplicate';
        if ($what eq 'key') {
            my $other = "$sync->{name}-" . (100 + int rand 30);
            @$row{qw(code email)} = ($other, "$other\@x");
        }
        $row = fresh_row($sync, $id) if $what eq 'mend';
        $code .= write_row($sync, $row);
    }
    return $code;
}

# Every row as it should be.
sub mend {
    my ($sync) = @_;
    my %count;
    $count{ $_->{ $sync->{key} } // '' }++ for values %{ $sync->{rows} };
    my $code = '';
    for my $row (sort { $a->{id} <=> $b->{id} } values %{ $sync->{rows} }) {
        my $good = is_good($sync, $row) && $count{ $row->{ $sync->{key} } } == 1
            && ($row->{code} eq "$sync->{name}-$row->{id}" || $row->{code} =~ /-1\d\d$/);
        $code .= write_row($sync, fresh_row($sync, $row->{id})) if !$good || $sync->{mode} eq 'update';
    }
    sql($code) if $code;
    return;
}

sub is_good {
    my ($sync, $row) = @_;
    return defined $row->{ $sync->{key} } && ($row->{name} // '') ne 'forbidden' && ($row->{email} // '') =~ /@/;
}

# What the query yields: by key, the values that are sent.
sub model_of {
    my ($sync) = @_;
    my %model;
    for my $row (values %{ $sync->{rows} }) {
        my $name = $row->{name};
        $name .= '~' if $sync->{edition} && defined $name;
        $model{ $row->{ $sync->{key} } } = join '|', $row->{code}, $row->{email} // '', $name // '' if defined $row->{ $sync->{key} };
    }
    return \%model;
}

# What the destination has: by key, the values; more than one record of a key is an error of its own.
sub destination_of {
    my ($sync) = @_;
    my $path = $sync->{at} eq 'hubspot' ? 'hubspot/contacts' : "http/$sync->{name}";
    my (%found, @twice);
    for my $record (@{ $sandbox->get("/_sandbox/records/$path") }) {
        $record = $record->{properties} // $record;
        next if ($record->{code} // '') !~ /^\Q$sync->{name}\E-/;
        my $key = $record->{ $sync->{key} };
        push @twice, $key if exists $found{$key};
        $found{$key} = join '|', $record->{code}, $record->{email} // $record->{mail} // '', $record->{name} // '';
    }
    is("@twice", '', "$sync->{name}: no record is there twice") if @twice;
    return \%found;
}

# ---- What happens ---------------------------------------------------------------------------------------------------

sub under_way {
    my ($name) = @_;
    return sql("SELECT count(*) FROM reverse_etl.runs WHERE status IN ('reading', 'delivering', 'cancelling')"
            . ($name ? " AND sync = '$name'" : ''));
}

sub worker { return sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) }

sub run_statement {
    my ($name, $wait) = @_;
    return "CALL reverse_etl.run_sync('$name', wait => $wait);\n";
}

sub release_statement {
    my ($name) = @_;
    return <<~SQL;
        SELECT reverse_etl.release_run(id) FROM reverse_etl.runs WHERE sync = '$name' AND status = 'held' AND released_by IS NULL;
        SQL
}

sub random_faults {
    my @rules;
    push @rules, { path => '/crm/', latency_ms => pick(0, 10, 40), p_429 => pick(0, 0, 0.1), p_503 => pick(0, 0.05),
        p_reset => pick(0, 0.05, 0.1), reset_after_apply => pick(JSON::PP::true, JSON::PP::false), interval_ms => 20,
        p_truncate => pick(0, 0.05) };
    push @rules, { path => '/http/', latency_ms => pick(0, 10, 40), p_429 => pick(0, 0.1), p_reset => pick(0, 0.05, 0.1), retry_after => 0 };
    $_->{seed} = 1 + int rand 1000 for @rules;
    $sandbox->post('/_sandbox/faults', \@rules);
    return;
}

# Once created, a row does not change.
my %first;
sub look_at_creations {
    for my $sync (grep { $_->{mode} =~ /insert|append/ } values %syncs) {
        my $there = destination_of($sync);
        for my $key (keys %$there) {
            $first{ $sync->{name} }{$key} //= $there->{$key};
            is($there->{$key}, $first{ $sync->{name} }{$key}, "$sync->{name}: $key stays as it was created")
                if $there->{$key} ne $first{ $sync->{name} }{$key};
        }
    }
    return;
}

sub wait_for_runs {
    my ($name) = @_;
    my $end = time + 60;
    while (under_way($name)) {
        if (time > $end) {
            diag(sql('SELECT * FROM reverse_etl.runs ORDER BY id DESC LIMIT 20'));
            diag(sql('SELECT * FROM reverse_etl.destination_states'));
            BAIL_OUT("a run does not end; SYNC_PROPERTY_SEED=$seed");
        }
        sleep 0.02;
    }
    return;
}

my %done;
my $began = time;
for my $step (1 .. $steps) {
    my $name = $names[ $step % @names ];
    my $sync = $syncs{$name};
    random_faults() if rand() < 0.2;
    my $script = "BEGIN;\n" . edit($sync) . "COMMIT;\n";
    if (rand() < 0.15 && !$sync->{cursor}) {
        $sync->{edition} = 1 - $sync->{edition};
        $script .= "SELECT reverse_etl.alter_sync('$name', query => '@{[ query($sync, $sync->{edition}) ]}');\n";
        $done{alter}++;
    }
    my $how = pick(qw(wait wait wait leave leave leave leave cancel cancel worker server));
    $how = 'leave' if $how eq 'server' && ($done{server} // 0) >= $steps / 20;
    $script .= "SELECT reverse_etl.release_rows('$name');\n" if rand() < 0.1;
    $script .= run_statement($name, $how eq 'wait' ? 'true' : 'false');
    my $moment = pick(0, 0, 0.02, rand 0.1);
    if ($how eq 'cancel') {
        $script .= <<~SQL;
            SELECT pg_sleep($moment);
            SELECT reverse_etl.cancel_run(id) FROM (SELECT id FROM reverse_etl.runs WHERE sync = '$name'
               AND status IN ('delivering', 'cancelling') FOR UPDATE) AS under_way;
            SQL
    }
    # Who released a run had a look at it.
    $script .= release_statement($name) if rand() < 0.5;
    sql($script);
    if ($how eq 'worker') {
        my $pid = worker();
        kill KILL => $pid if $pid;
        wait_until(sub { my $now = eval { worker() }; $now && $now ne $pid });
    } elsif ($how eq 'server') {
        sleep $moment;
        $node->stop('immediate');
        $node->start;
    }
    $done{$how}++;
    look_at_creations() if $step % 10 == 0;
}
note(sprintf '%d steps in %.1f s: %s', $steps, time - $began, join ', ', map { "$done{$_} $_" } sort keys %done);

# ---- Quiet ----------------------------------------------------------------------------------------------------------

$sandbox->post('/_sandbox/faults', {});
wait_for_runs();

sub run_all {
    my ($what) = @_;
    for my $name (@names) {
        my $before = $sandbox->get('/_sandbox/stats')->{rows};
        sql("SELECT reverse_etl.release_rows('$name');\n" . run_statement($name, 'true') . release_statement($name));
        wait_until(sub { sql("SELECT requested_at IS NULL FROM reverse_etl.sync_definitions WHERE name = '$name'") eq 't' });
        wait_for_runs($name);
        my ($status, $accepted, $removed) = split /\|/,
            sql("SELECT status, accepted, removed FROM reverse_etl.runs WHERE sync = '$name' ORDER BY id DESC LIMIT 1");
        is($status, 'completed', "$name: the $what run is completed");
        is($sandbox->get('/_sandbox/stats')->{rows} - $before, $accepted, "$name: the destination took what was accepted")
            if !$removed;
    }
    return;
}

# With bad rows still in the models: the good ones are there.
run_all('quiet');
look_at_creations();
for my $name (grep { $syncs{$_}{mode} =~ /upsert|mirror|full/ } @names) {
    my $sync = $syncs{$name};
    my ($model, $there) = (model_of($sync), destination_of($sync));
    my %count;
    $count{ $_->{ $sync->{key} } // '' }++ for values %{ $sync->{rows} };
    my @missing = grep { ($there->{$_} // '') ne $model->{$_} }
        map { $_->{ $sync->{key} } } grep { is_good($sync, $_) && $count{ $_->{ $sync->{key} } } == 1 } values %{ $sync->{rows} };
    is("@missing", '', "$name: every good row is there as it is");
}

# Every row mended; updates learn of some rows only by that.
mend($syncs{$_}) for @names;
run_all('mended');
mend($syncs{update});
sql(run_statement('update', 'true'));
look_at_creations();
for my $name (@names) {
    my $sync = $syncs{$name};
    my ($model, $there) = (model_of($sync), destination_of($sync));
    my $mode = $sync->{mode};
    if ($mode eq 'update') {
        my @odd  = grep { /-(\d+)$/ && $1 % 2 && $1 < 100 } keys %$model;
        is_deeply({ map { $_ => $there->{$_} } @odd }, { map { $_ => $model->{$_} } @odd }, "$name: rows that were there are as in the model");
        is(scalar(keys %$there), 30, "$name: and no other came");
        next;
    }
    if ($mode =~ /insert|append/) {
        # A create of unknown outcome is not made again before somebody says so.
        my %in_doubt = map { $_ => 1 } split ' ', sql(sql(qq(SELECT format('SELECT string_agg(%I::text, '' '')
            FROM reverse_etl.sync_%s_rows WHERE "#change" = ''?''', key[1], id) FROM reverse_etl.sync_definitions WHERE name = '$name')));
        is(join(' ', grep { !exists $there->{$_} && !$in_doubt{$_} } sort keys %$model), '',
            "$name: every row is there, as it came first, or in doubt");
        next;
    }
    is_deeply({ map { $_ => $there->{$_} } keys %$model }, $model, "$name: every row is there as it is");
    my @gone = grep { !exists $model->{$_} } sort keys %$there;
    if ($sync->{removals} // '' eq 'clear') {
        is(join(' ', grep { $there->{$_} !~ /\|\|$/ } @gone), '', "$name: those that are gone are cleared") if $sync->{removals} eq 'clear';
    }
    is("@gone", '', "$name: and no others") if ($sync->{removals} // '') =~ /delete|archive/;
}

# And then there is nothing to do.
for my $name (@names) {
    sql(run_statement($name, 'true'));
    next if $syncs{$name}{mode} eq 'full';
    my $last = sql("SELECT added + changed + removed + invalid FROM reverse_etl.runs WHERE sync = '$name' ORDER BY id DESC LIMIT 1");
    is($last, $syncs{$name}{mode} =~ /insert|update/ ? $last : 0, "$name: another run sends nothing");
}
is(sql('SELECT count(*) FROM reverse_etl.runs WHERE status IN (\'reading\', \'delivering\', \'cancelling\')'), 0, 'no run is under way');
is(sql('SELECT count(*) FROM reverse_etl.outbox'), 0, 'and no row waits');
is(sql(q(SELECT count(*) FROM reverse_etl.runs WHERE status IN ('completed', 'cancelled') AND waiting <> 0)), 0, 'no run has ended with rows that wait');
note(sql(q(SELECT string_agg(format('%s: %s runs, %s accepted, %s rejected, %s cancelled, %s invalid', sync, runs, accepted, rejected, cancelled, invalid), E'\n')
    FROM (SELECT sync, count(*) AS runs, sum(accepted) AS accepted, sum(rejected) AS rejected, sum(cancelled) AS cancelled, sum(invalid) AS invalid FROM reverse_etl.runs GROUP BY sync ORDER BY sync) AS _)));
note(sprintf 'all in %.1f s; SYNC_PROPERTY_SEED=%d', time - $began, $seed);

done_testing();
