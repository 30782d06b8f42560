# Whatever happens between and during runs, a sync ends where its mode says: random edits of the model between random
# runs, with keys that change their spelling, under rejected rows, rows that always break the server, 429s, bursts of 502
# and broken connections, with rows that others delete at the destination, streams beside the runs, cancelled runs,
# changed queries, runs that follow others, a worker, a server and sessions that are killed, and sessions that send the rows
# of a run and are told not to, once or twice, end, find their destination paused, or others' rows queued for it. In the end
# each destination is compared with its model, and the counts of every run add up: the CHECKs of reverse_etl.runs are never
# broken. Rows leave straight from most runs, a few at a time, so that something happens between them.
#
#   SYNC_PROPERTY_SEED=7 SYNC_PROPERTY_STEPS=500 test/tap/run 15 test/tap/t/sync_property.pl
#
# ./run test --long does that with a hundred seeds, or as many as PROPERTY_SEEDS says: nearly twenty thousand runs.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use JSON::PP qw(decode_json);
use PostgreSQL::Test::Utils qw(slurp_file);
use ReverseETL;
use SyncRows;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed  = $ENV{SYNC_PROPERTY_SEED}  // int(rand(1_000_000));
my $steps = $ENV{SYNC_PROPERTY_STEPS} // 60;
note("SYNC_PROPERTY_SEED=$seed SYNC_PROPERTY_STEPS=$steps");
srand($seed);

# What each sync is made of. Codes of contacts begin with the sync's name. What is created at HubSpot is created once,
# since e-mails are unique there; elsewhere an idempotency key sees to that. Keys have spellings: e-mails of contacts,
# whose case does not count, and numbers that are sent as texts, where each spelling names a row of its own. Rows of a
# sync that breaks hold, now and then, what the server answers with 500 each time.
my %syncs = (
    upsert  => { at => 'hubspot', mode => 'upsert', breaks => 1 },
    beside  => { at => 'hubspot', mode => 'upsert', stream_table => 1 },
    full    => { at => 'hubspot', mode => 'full' },
    archive => { at => 'hubspot', mode => 'mirror', on_missing => 'archive', stream_sync => 1 },
    guarded => { at => 'hubspot', mode => 'mirror', on_missing => 'delete', max_removed => '25%' },
    clear   => { at => 'hubspot', mode => 'mirror', on_missing => 'clear', run_after => 'archive' },
    spelled => { at => 'hubspot', mode => 'mirror', on_missing => 'delete', key => 'email', spelt => 1, stream_sync => 1 },
    numbers => { at => 'hubspot', mode => 'mirror', on_missing => 'delete', object => 'companies', type => 'numeric', spelt => 1 },
    update  => { at => 'hubspot', mode => 'update' },
    insert  => { at => 'hubspot', mode => 'insert' },
    latest  => { at => 'hubspot', mode => 'upsert', cursor => 1 },
    append  => { at => 'http',    mode => 'append' },
    events  => { at => 'http',    mode => 'append', cursor => 1 },
    removed => { at => 'http',    mode => 'mirror', on_missing => 'delete', key => 'email', breaks => 1, stream_sync => 1 },
    patched => { at => 'http',    mode => 'mirror', on_missing => 'delete', key => 'email' }, # POST, then PATCH
);
my @names = sort keys %syncs;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', <<~CONF);
    shared_preload_libraries = 'reverse_etl'
    restart_after_crash = on
    log_min_messages = notice
    reverse_etl.inject_burst_rows = @{[ pick(2, 5, 12) ]}
    CONF
sub sql { return $node->safe_psql('postgres', @_) }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none', outbox_max_attempts '2', max_attempts '4',
                 max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'http', base_url '$url', outbox_max_attempts '2', max_attempts '4', max_in_flight '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse;
    SQL
for my $name (@names) {
    my $sync = $syncs{$name};
    $sync->{name} = $name;
    $sync->{key}    //= 'code';
    $sync->{type}   //= 'text';
    $sync->{object} //= 'contacts';
    my $once    = q(idempotency_key 'Idempotency-Key');
    my $options = $sync->{at} eq 'hubspot' ? "SERVER hubspot OPTIONS (object '$sync->{object}', key '$sync->{key}', null_as 'clear', batch_size '3')"
        : $sync->{mode} eq 'append' ? "SERVER inhouse OPTIONS (path '/http/$name', $once, batch_size '3')"
        : $name eq 'patched' ? "SERVER inhouse OPTIONS (path '/http/$name', key 'email', insert_as 'create', $once, batch_size '3')"
        : "SERVER inhouse OPTIONS (path '/http/$name', key 'email', insert_as 'upsert', batch_size '3')";
    # By http a row is known by its e-mail, unless it goes by another name.
    my $field = $sync->{at} eq 'http' && $sync->{mode} eq 'append' ? q(OPTIONS (field 'mail')) : '';
    my %arguments = map { $_ => $sync->{$_} } grep { defined $sync->{$_} } qw(mode on_missing run_after);
    $arguments{max_removed} = $sync->{max_removed} // '100%';
    @arguments{qw(change_detection cursor_column)} = qw(cursor seq) if $sync->{cursor};
    my $arguments = join ', ', map { "$_ => '$arguments{$_}'" } sort keys %arguments;
    sql(<<~SQL);
        CREATE TABLE model_$name (id integer PRIMARY KEY, code $sync->{type}, email text, name text, seq bigserial);
        CREATE FOREIGN TABLE to_$name (code $sync->{type}, email text $field, name text CHECK (name <> 'forbidden')) $options;
        SELECT reverse_etl.create_sync('$name', '@{[ query($sync, 0) ]}', 'to_$name', '{$sync->{key}}', $arguments);
        SQL
    sql("SELECT reverse_etl.stream_table('model_$name', 'to_$name', 'SELECT code, email, name FROM changed')") if $sync->{stream_table};
    $sync->{rows} = {};
    $sync->{edition} = 0;
}

# Updates need rows that are there: those of odd numbers.
sql(q(INSERT INTO to_update SELECT 'update-' || n, 'update-' || n || '@x', 'before' FROM generate_series(1, 60, 2) AS n));

my (%first, %done);

# ---- The model, here and in the database ----------------------------------------------------------------------------

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
            $row->{name} = fresh_value('poison') if $sync->{breaks} && rand() < 0.1 && !grep { ($_->{name} // '') =~ /poison/ } values %{ $sync->{rows} };
            $sync->{is_broken} = 1 if $row->{name} =~ /poison/;
            respell($sync, $row);
            $code .= write_row($sync, $row);
            next;
        }
        $row = {%$row};
        my $what = pick(qw(value value value null delete delete key duplicate null_key check email mend mend respell respell));
        $what = 'value' if $what =~ /delete|key|duplicate/ && $sync->{cursor};
        # A stream of a table takes a row of the destination along with one of two rows that have its key.
        $what = 'value' if $what =~ /^(key|duplicate)/ && $sync->{stream_table};
        if ($what eq 'delete') {
            delete $sync->{rows}{$id};
            $code .= "DELETE FROM model_$sync->{name} WHERE id = $id;\n";
            next;
        }
        $row->{name} = any_value($sync) if $what eq 'value';
        $row->{name} = undef             if $what eq 'null';
        $row->{name} = 'forbidden'       if $what eq 'check';
        $row->{email} = 'no address' . $id if $what eq 'email';
        $row->{$key} = undef if $what eq 'null_key';
        @$row{qw(code email)} = @{ $sync->{rows}{ pick(@ids) } }{qw(code email)} if $what eq 'duplicate';
        if ($what eq 'key') {
            my $other = 100 + int rand 30;
            @$row{qw(code email)} = (code_of($sync, $other), "$sync->{name}-$other\@x");
        }
        respell($sync, $row) if $what =~ /key|duplicate|respell/;
        $row = fresh_row($sync, $id) if $what eq 'mend';
        $code .= write_row($sync, $row);
    }
    return $code;
}

# Every row as it should be.
sub mend {
    my ($sync) = @_;
    my %count;
    $count{ key_of($sync, $_) // '' }++ for values %{ $sync->{rows} };
    my $code = '';
    for my $row (sort { $a->{id} <=> $b->{id} } values %{ $sync->{rows} }) {
        my ($number) = ($row->{code} // '') =~ /(\d+)(?:\.0*)?$/;
        my $good = is_good($sync, $row) && $count{ key_of($sync, $row) } == 1 && ($number == $row->{id} || $number >= 100);
        $code .= write_row($sync, fresh_row($sync, $row->{id})) if !$good || $sync->{mode} eq 'update';
    }
    sql($code) if $code;
    return;
}

# What the destination has: by key, the values; more than one record of a key is an error of its own.
sub destination_of {
    my ($sync) = @_;
    my (%found, @twice);
    for my $record (records_of($sync)) {
        my $key = key_of($sync, $record);
        push @twice, $key if exists $found{$key};
        $found{$key} = values_of($record);
    }
    is("@twice", '', "$sync->{name}: no record is there twice") if @twice;
    return \%found;
}

# Those of the sync, or of its neighbours.
sub records_of {
    my ($sync, $neighbours) = @_;
    my $path    = $sync->{at} eq 'hubspot' ? "hubspot/$sync->{object}" : "http/$sync->{name}";
    my $records = $sandbox->get("/_sandbox/records/$path");
    my $prefix  = $sync->{object} eq 'contacts' ? "$sync->{name}-" : '';
    return grep { ($_->{code} // '') =~ ($neighbours ? qr/^\Q$sync->{name}\E:/ : qr/^\Q$prefix\E/) }
        map { $_->{properties} ? { id => $_->{id}, %{ $_->{properties} } } : $_ } @$records;
}

# Somebody else deletes a row at the destination.
sub delete_behind {
    my ($sync) = @_;
    my @records = sort { $a->{code} cmp $b->{code} } records_of($sync) or return;
    my $record  = pick(@records);
    my $key     = key_of($sync, $record);
    my $place   = $sync->{at} eq 'hubspot' ? "/crm/v3/objects/$sync->{object}/$record->{id}" : "/http/$sync->{name}/$record->{email}";
    # The faults are for everybody.
    for (1 .. 30) {
        $sandbox->{http}->request('DELETE', "$url$place", { headers => { authorization => 'Bearer pat-1' } });
        last if !exists destination_of($sync)->{$key};
    }
    $sync->{lost}{$key} = 1;
    delete $first{ $sync->{name} }{$key};
    $done{'deleted behind'}++;
    return;
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

# A session that waits for a run, and sends its rows where they may leave from there, until something happens.
sub run_until {
    my ($what, $name, $moment) = @_;
    open my $session, '-|', 'bash', '-c', 'exec psql -X -d "$0" -c "$1" 2>&1',
        $node->connstr('postgres') . ' application_name=waiter', "CALL reverse_etl.run_sync('$name')" or die;
    sleep $moment;
    if ($what eq 'pause') {
        sql("SELECT reverse_etl.pause('to_$name')");
        sleep 0.2 + $moment;
        sql("SELECT reverse_etl.resume('to_$name')");
        $what = 'cancel';
    }
    send_neighbour($name) if rand() < 0.3;
    if ($what eq 'kill') {
        my $pid = sql(q(SELECT pid FROM pg_stat_activity WHERE application_name = 'waiter'));
        my $said = -s $node->logfile;
        # It may still take connections before it finds one of its processes killed.
        if ($pid && kill KILL => $pid) {
            wait_until(sub { slurp_file($node->logfile, $said) =~ /ready to accept connections/ });
            wait_for_server($node);
        }
        $what = 'cancel';
    }
    for (1 .. pick(1, 1, 2)) {
        sql("SELECT pg_${what}_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'");
    }
    { local $/; my $said = <$session>; }
    close $session;
    return;
}

sub release_statement {
    my ($name) = @_;
    return <<~SQL;
        SELECT reverse_etl.release_run(id) FROM reverse_etl.runs WHERE sync = '$name' AND status = 'held' AND released_by IS NULL;
        SQL
}

sub random_faults {
    # What breaks the server does so always; a proxy has lost its server, before or after that took the rows.
    my @rules = { body => 'poison', p_500 => 1 };
    push @rules, { path => pick('/crm/', '/http/'), times => pick(1, 2, 3, 8), p_html => 1, html_status => 502,
        html_after_apply => pick(JSON::PP::true, JSON::PP::false) } if rand() < 0.3;
    push @rules, { path => '/crm/', latency_ms => pick(0, 10, 40), p_429 => pick(0, 0, 0.1), p_503 => pick(0, 0.05),
        p_reset => pick(0, 0.05, 0.1), reset_after_apply => pick(JSON::PP::true, JSON::PP::false), interval_ms => 20,
        p_truncate => pick(0, 0.05) };
    push @rules, { path => '/http/', latency_ms => pick(0, 10, 40), p_429 => pick(0, 0.1), p_reset => pick(0, 0.05, 0.1), retry_after => 0 };
    $_->{seed} = 1 + int rand 1000 for @rules;
    $sandbox->post('/_sandbox/faults', \@rules);
    return;
}

# Once created, a row does not change.
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

# Whether a row broke its server is told by others that did not: so somebody sends some.
my %neighbours;
sub send_neighbour {
    my ($name) = @_;
    return if $syncs{$name}{type} ne 'text';
    my $number = ++$neighbours{$name};
    sql("BEGIN; INSERT INTO to_$name (code, email, name) VALUES ('$name:$number', '$name:$number\@x', 'n'); COMMIT");
    return;
}
sub send_neighbours {
    for my $destination (split /\n/, sql('SELECT DISTINCT destination FROM reverse_etl.outbox')) {
        my ($name) = $destination =~ /to_(\w+)/;
        send_neighbour($name) if $syncs{$name}{is_broken};
    }
    return;
}

sub wait_for {
    my ($what, $is_there) = @_;
    my ($end, $next) = (time + 90, time + 0.5);
    until ($is_there->()) {
        if (time > $end) {
            diag(sql('SELECT * FROM reverse_etl.runs ORDER BY id DESC LIMIT 20'));
            diag(sql('SELECT * FROM reverse_etl.destination_states'));
            diag(sql('SELECT * FROM reverse_etl.outbox'));
            BAIL_OUT("$what; SYNC_PROPERTY_SEED=$seed");
        }
        if (time > $next) {
            send_neighbours();
            $next = time + 0.5;
        }
        sleep 0.02;
    }
    return;
}

sub wait_for_runs {
    my ($name) = @_;
    return wait_for('a run does not end', sub { !under_way($name) });
}

sub wait_for_rows {
    return wait_for('rows wait', sub { !sql('SELECT count(*) FROM reverse_etl.outbox') });
}

random_faults();
my $began = time;
for my $step (1 .. $steps) {
    my $name = $names[ $step % @names ];
    my $sync = $syncs{$name};
    random_faults() if rand() < 0.2;
    delete_behind($sync) if $sync->{mode} ne 'append' && !$sync->{cursor} && rand() < 0.1;
    my $script = '';
    if ($sync->{stream_sync} && rand() < 0.3) {
        $sync->{is_streamed} = !$sync->{is_streamed};
        $script .= 'SELECT reverse_etl.' . ($sync->{is_streamed} ? '' : 'un') . "stream_sync('$name', 'model_$name');\n";
    }
    $done{streamed}++ if $sync->{is_streamed} || $sync->{stream_table};
    $script .= "BEGIN;\n" . edit($sync) . "COMMIT;\n";
    if (rand() < 0.15 && !$sync->{cursor} && !$sync->{stream_table}) {
        $sync->{edition} = 1 - $sync->{edition};
        $script .= "SELECT reverse_etl.alter_sync('$name', query => '@{[ query($sync, $sync->{edition}) ]}');\n";
        $done{alter}++;
    }
    my $how = pick(qw(wait wait wait leave leave cancel worker server interrupt interrupt terminate terminate pause kill));
    $how = 'leave' if $how =~ /server|kill/ && ($done{$how} // 0) >= $steps / 30;
    $script .= "SELECT reverse_etl.release_rows('$name');\n" if rand() < 0.1;
    # With a row that breaks the server nobody waits by himself: send_neighbours().
    $how = 'leave' if $how eq 'wait' && $sync->{is_broken} && rand() < 0.8;
    my $waits = $how eq 'wait' && !$sync->{is_broken};
    my $is_apart = $how =~ /interrupt|terminate|pause|kill/;
    $script .= run_statement($name, $waits ? 'true' : 'false') if !$is_apart;
    # While a run delivers, the model changes.
    $script .= "BEGIN;\n" . edit($sync) . "COMMIT;\n" if !$waits && rand() < 0.3;
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
    run_until($how eq 'interrupt' ? 'cancel' : $how, $name, pick(0.05, 0.1, rand 0.5)) if $is_apart;
    if ($how eq 'wait') {
        wait_for_runs($name);
    } elsif ($how eq 'worker') {
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

$sandbox->post('/_sandbox/faults', { body => 'poison', p_500 => 1 });
sql("SELECT reverse_etl.resume_server('$_')") for qw(hubspot inhouse);
wait_for_runs();
wait_for_rows();

# Also for runs that follow others.
sub wait_for_all {
    wait_until(sub { !sql('SELECT count(*) FROM reverse_etl_internal.sync_definitions WHERE requested_at IS NOT NULL') && !under_way() });
    return wait_for_rows();
}

sub run_all {
    my ($what) = @_;
    for my $name (@names) {
        wait_for_all();
        my $before = $sandbox->get('/_sandbox/stats')->{rows};
        my $sent_beside = $neighbours{$name} // 0;
        sql("SELECT reverse_etl.release_rows('$name');\n" . run_statement($name, $syncs{$name}{is_broken} ? 'false' : 'true')
            . release_statement($name));
        wait_until(sub { sql("SELECT requested_at IS NULL FROM reverse_etl_internal.sync_definitions WHERE name = '$name'") eq 't' });
        wait_for_runs($name);
        my ($status, $accepted, $removed) = split /\|/,
            sql("SELECT status, accepted, removed FROM reverse_etl.runs WHERE sync = '$name' ORDER BY id DESC LIMIT 1");
        is($status, 'completed', "$name: the $what run is completed");
        is($sandbox->get('/_sandbox/stats')->{rows} - $before, $accepted, "$name: the destination took what was accepted")
            if !$removed && $sent_beside == ($neighbours{$name} // 0) && !grep { ($_->{run_after} // '') eq $name } values %syncs;
    }
    return;
}

# With bad rows still in the models: the good ones are there. What others deleted nobody knows before all is sent again;
# a row that is to be changed and is not there is created by the run after.
for my $sync (grep { $_->{lost} && $_->{mode} =~ /upsert|mirror/ } @syncs{@names}) {
    sql("SELECT reverse_etl.resync('$sync->{name}')");
    next if $sync->{name} ne 'patched';
    sql(run_statement('patched', 'true'));
    my %absent = map { $_ => 1 } split /\n/, sql(q(SELECT key ->> 'email' FROM reverse_etl.run_rows
        WHERE outcome = 'absent' AND run_id = (SELECT max(id) FROM reverse_etl.runs WHERE sync = 'patched')));
    my $there = destination_of($sync);
    is(join(' ', grep { exists $there->{$_} } sort keys %absent), '', 'patched: what is called absent is not there');
}
run_all('quiet');
look_at_creations();
for my $name (grep { $syncs{$_}{mode} =~ /upsert|mirror|full/ } @names) {
    my $sync = $syncs{$name};
    my ($model, $there) = (model_of($sync), destination_of($sync));
    my %count;
    $count{ key_of($sync, $_) // '' }++ for values %{ $sync->{rows} };
    my @missing = grep { ($there->{$_} // '') ne $model->{$_} }
        map { key_of($sync, $_) } grep { is_good($sync, $_) && $count{ key_of($sync, $_) } == 1 } values %{ $sync->{rows} };
    is("@missing", '', "$name: every good row is there as it is");
}

# Every row mended; updates learn of some rows only by that, and a patch of some that they are not there.
mend($syncs{$_}) for @names;
run_all('mended');
sql(run_statement('patched', 'true'));
mend($syncs{update});
sql(run_statement('update', 'true'));
look_at_creations();
for my $name (@names) {
    my $sync = $syncs{$name};
    my ($model, $there) = (model_of($sync), destination_of($sync));
    my $mode = $sync->{mode};
    if ($mode eq 'update') {
        my @odd  = grep { /-(\d+)$/ && $1 % 2 && $1 < 100 && !$sync->{lost}{$_} } keys %$model;
        is_deeply({ map { $_ => $there->{$_} } @odd }, { map { $_ => $model->{$_} } @odd }, "$name: rows that were there are as in the model");
        is(scalar(keys %$there), 30 - keys %{ $sync->{lost} // {} }, "$name: and no other came");
        next;
    }
    if ($mode =~ /insert|append/) {
        # A create of unknown outcome is not made again before somebody says so.
        my %in_doubt = map { $_ => 1 } split ' ', sql(sql(qq(SELECT format('SELECT string_agg(%I::text, '' '')
            FROM reverse_etl_internal.sync_%s_rows WHERE "#change" = ''?''', key[1], id) FROM reverse_etl_internal.sync_definitions WHERE name = '$name')));
        is(join(' ', grep { !exists $there->{$_} && !$in_doubt{$_} && !$sync->{lost}{$_} } sort keys %$model), '',
            "$name: every row is there, as it came first, or in doubt");
        next;
    }
    is_deeply({ map { $_ => $there->{$_} } keys %$model }, $model, "$name: every row is there as it is");
    my @gone = grep { !exists $model->{$_} } sort keys %$there;
    if ($sync->{on_missing} // '' eq 'clear') {
        is(join(' ', grep { $there->{$_} !~ /\|\|$/ } @gone), '', "$name: those that are gone are cleared") if $sync->{on_missing} eq 'clear';
    }
    is("@gone", '', "$name: and no others") if ($sync->{on_missing} // '') =~ /delete|archive/;
}

for my $name (sort keys %neighbours) {
    is(scalar(records_of($syncs{$name}, 'neighbours')), $neighbours{$name}, "$name: what stood beside a row that breaks the server is there");
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
my $straight = sql('SELECT count(*) FROM reverse_etl.runs WHERE writing_ms IS NOT NULL');
note("$straight runs whose rows left straight");
cmp_ok($straight, '>', $steps / 8, 'rows have left straight from many runs') if $steps >= 60;
note(sprintf 'all in %.1f s; SYNC_PROPERTY_SEED=%d', time - $began, $seed);

done_testing();
