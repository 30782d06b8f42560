# A sync that has the difference found where its model is: what is asked there and what comes of it, that it is what
# comparing here gives, whatever happens between the questions, and how little is moved.
#
#   DIFFERENCE_SEED=7 DIFFERENCE_STEPS=200 test/tap/run 15 test/tap/t/sources_difference.pl
#   DIFFERENCE_ONLY=bytes DIFFERENCE_ROWS=5000000 NODE_OPTIONS=--max-old-space-size=12000 test/tap/run 15 test/tap/t/sources_difference.pl

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use SourceHouses;
use Sources;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => Sources->missing if defined Sources->missing;

my $seed  = $ENV{DIFFERENCE_SEED}  // int rand 1_000_000;
my $steps = $ENV{DIFFERENCE_STEPS} // 24;
my $rows  = $ENV{DIFFERENCE_ROWS}  // 50_000;
note("DIFFERENCE_SEED=$seed DIFFERENCE_STEPS=$steps DIFFERENCE_ROWS=$rows");
srand $seed;

my %houses  = %SourceHouses::houses;
my @names   = $ENV{SOURCES} ? split / /, $ENV{SOURCES} : sort keys %houses;
my %deep    = map { $_ => 1 } qw(snowflake bigquery);    # are compared with what is found here, at length
my $sources = Sources->start(@names);
my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nrestart_after_crash = on\nreverse_etl.inject_burst_rows = 5");
my $url     = $sandbox->url;

sub sql { return $node->safe_psql('postgres', @_) }
sub fault { return (outcome($node, $_[0]))[1] }
sub statements { return @{ $sources->state($_[0])->{statements} } }
sub there { my ($name, $table) = @_; return $name eq 'snowflake' ? qq("ANALYTICS"."PUBLIC".") . uc($table) . '"' : qq(crm."$table") }
sub place { my ($name, $object) = @_; return "object '" . ($name eq 'snowflake' ? uc $object : $object) . "', schema_name '" . ($houses{$name}{schema} =~ s/"//gr) . "'" }
sub last_run { my ($sync) = @_; return sql("SELECT status, queried, added, changed, removed, unchanged, invalid FROM reverse_etl.runs WHERE sync = '$sync' ORDER BY id DESC LIMIT 1") }
sub run_sync { my ($sync) = @_; my ($code, $out, $error) = $node->psql('postgres', "CALL reverse_etl.run_sync('$sync')"); note($error) if $error =~ /ERROR/; return last_run($sync) }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    CREATE USER MAPPING FOR CURRENT_USER SERVER inhouse;
    SQL
for my $name (@names) {
    sql(SourceHouses::server($sources, $name, 'CURRENT_USER') . " CREATE SCHEMA of_$name; IMPORT FOREIGN SCHEMA $houses{$name}{schema} LIMIT TO (customers) FROM SERVER $name INTO of_$name");
}
my $only = $ENV{DIFFERENCE_ONLY} // '';
if ($only ne 'bytes') {
    for my $name (@names) {
        subtest "$name: what is asked"         => sub { test_questions($name) };
        subtest "$name: between the questions" => sub { test_edits($name) };
        subtest "$name: as comparing here"     => sub { test_property($name) } if $deep{$name};
    }
    if (grep { $_ eq 'snowflake' } @names) {
        subtest 'what cannot be found there' => \&test_obstacles;
        subtest 'sent again, planned, held'  => \&test_state;
    }
}
subtest 'what is moved' => \&test_bytes if grep { $_ eq 'snowflake' } @names;
done_testing();

# Which hash an expression of the dialect makes, and which we make of a key, is the same; each type counts.
sub test_questions {
    my ($name) = @_;
    my $house   = $houses{$name};
    my %untold  = map { $_ => 1 } @{ $house->{untold} // [] };
    my $columns = join ', ', grep { !$untold{$_} } qw(id email first_name country seats visits price score active born wakes seen created photo extra);
    sql(<<~SQL);
        CREATE FOREIGN TABLE of_$name.everything (id numeric, email text, first_name text, country text, seats bigint, visits bigint, price numeric, score double precision,
            active boolean, born date, wakes text, seen timestamp, created timestamptz, photo text, extra jsonb) SERVER inhouse OPTIONS (path '/http/all_$name', key 'visits', insert_as 'upsert');
        SELECT reverse_etl.create_sync('all_$name', 'SELECT $columns FROM of_$name.customers WHERE visits > 0', 'of_$name.everything', '{visits}', mode => 'mirror');
        SQL
    is(sql("SELECT change_detection FROM reverse_etl_internal.sync_definitions WHERE name = 'all_$name'"), 'source', 'a model that lies in one source is compared there');
    $sources->reset($name);
    is(run_sync("all_$name"), 'completed|2497|2497|0|0|0|0', 'at first all rows are read');
    is(scalar(statements($name)), 1, 'by one statement');
    my $run = sql("SELECT max(id) FROM reverse_etl.runs WHERE sync = 'all_$name'");
    is($sources->state($name)->{tags}[0], sprintf($house->{tagged}, $run), 'which tells the source whose it is') if $house->{tagged};
    $sources->reset($name);
    is(run_sync("all_$name"), 'completed|2497|0|0|0|2497|0', 'and then nothing is sent');
    my ($asked, @others) = statements($name);
    like($asked, qr/\A(?:EXECUTE IMMEDIATE ')?SELECT MOD\(.*\), COUNT\(\*\), sum\(.* GROUP BY MOD\(/si, 'sums are asked for');
    is(scalar @others, 0, 'and nothing else: keys have the same numbers here as there');
    for my $edit (['email', "'~1'"], ['first_name', "'~'"], ['country', 'NULL'], ['seats', '-5'], ['price', '0.000000001'], ['score', '0.1'], ['score', '0.10000000000000002'], ['active', 'NULL'], ['born', "DATE '1999-12-31'"],
        ['wakes', "TIME '00:00:00.000001'"], ['seen', "TIMESTAMP '2026-01-01 00:00:00.000001'"], ['created', "TIMESTAMPTZ '2026-01-01 00:00:00.000001+00'"], ['photo', "'\\x01'::BLOB"], ['extra', q('{"a": "~"}')]) {
        my ($column, $value) = @$edit;
        next if $untold{$column};
        $sources->run($name, "UPDATE @{[ there($name, 'customers') ]} SET $column = $value WHERE visits = 7000000000");
        $sources->reset($name);
        is(run_sync("all_$name"), 'completed|2497|0|1|0|2496|0', "a change of $column is found");
        is(scalar(statements($name)), 3, 'by three statements') if $column eq 'email';
    }
    my ($buckets, $keys, $found) = do { $sources->run($name, "UPDATE @{[ there($name, 'customers') ]} SET seats = 6 WHERE visits = 7000000000"); $sources->reset($name); run_sync("all_$name"); statements($name) };
    like($keys, qr/ AND MOD\(.+\) IN \(\d+\)(?:' USING '0')?\z/s, 'keys of one bucket');
    like($found, qr/ AND MOD\(.+\) IN \(\d+\)(?:' USING '0')?\z/s, 'and one row');
    $sources->run($name, "UPDATE @{[ there($name, 'customers') ]} SET first_name = 'Name 7', email = 'c7\@example.com', country = 'FR', seats = 7, score = 1.75 WHERE visits = 7000000000");

    # Conditions on texts are about their bytes, whatever the source's collation.
    sql("SELECT reverse_etl.create_sync('texts_$name', 'SELECT visits, first_name FROM of_$name.customers WHERE country = ''DE'' AND visits IN (3000000000, 6000000000) AND born > ''2020-01-01''', 'of_$name.everything', '{visits}')");
    $sources->reset($name);
    is(run_sync("texts_$name"), 'completed|2|2|0|0|0|0', 'a condition on a text');
    my $country = $house->{quote}->('country');
    my $exact   = defined $house->{exact} ? sprintf $house->{exact}, $country : undef;
    like((statements($name))[0], defined $exact ? qr/\Q@{[ $name eq 'trino' ? $exact =~ s{'}{''}gr : $exact ]}\E = / : qr/\Q$country\E = \S+ AND .*MD5.*\Q$country\E.* IN \(.*MD5/s, 'is evaluated there, byte by byte');
    is(run_sync("texts_$name"), 'completed|2|0|0|0|2|0', 'and again');
    sql("SELECT reverse_etl.drop_sync('texts_$name'), reverse_etl.drop_sync('all_$name')");
    return;
}

# Rows that change between the questions: what counts is the row that was fetched.
sub test_edits {
    my ($name) = @_;
    my $table = there($name, 'moving');
    $sources->run($name, "CREATE OR REPLACE TABLE $table AS SELECT 'k' || n || '\@x' AS email, 'Name ' || n AS first_name FROM range(1, 301) AS t(n)");
    my ($email, $first_name) = $name eq 'snowflake' ? qw(EMAIL FIRST_NAME) : qw(email first_name);
    $sources->run($name, "ALTER TABLE $table RENAME COLUMN email TO EMAIL; ALTER TABLE $table RENAME COLUMN first_name TO FIRST_NAME") if $name eq 'snowflake';
    sql(<<~SQL);
        CREATE FOREIGN TABLE of_$name.moving (email text OPTIONS (field '$email', source_type 'text'), first_name text OPTIONS (field '$first_name', source_type 'text')) SERVER $name OPTIONS (@{[ place($name, 'moving') ]});
        CREATE FOREIGN TABLE of_$name.moved (email text, name text) SERVER inhouse OPTIONS (path '/http/moved_$name', key 'email', insert_as 'upsert');
        SELECT reverse_etl.create_sync('moving_$name', 'SELECT email, first_name AS name FROM of_$name.moving', 'of_$name.moved', '{email}', mode => 'mirror', max_removed => 'none');
        SQL
    is(run_sync("moving_$name"), 'completed|300|300|0|0|0|0', 'all rows');
    my @before = ('', "UPDATE $table SET first_name = 'first' WHERE email = 'k1\@x'; DELETE FROM $table WHERE email = 'k2\@x'; INSERT INTO $table VALUES ('new\@x', 'first')");
    my $go = sub {
        my ($what, $expected, %edits) = @_;
        $sources->reset($name);
        $sources->run($name, $before[1]);
        $sources->set($name, edits => \%edits);
        is(run_sync("moving_$name"), $expected, $what);
        $sources->set($name, edits => {});
        $sources->run($name, "DELETE FROM $table WHERE first_name = 'twin'");
        run_sync("moving_$name");
        is(run_sync("moving_$name"), 'completed|' . sql("SELECT count(*) FROM of_$name.moving") . '|0|0|0|' . sql("SELECT count(*) FROM of_$name.moving") . '|0', 'and later nothing is left');
        is_deeply(records($name, "moved_$name"), { map { split /\|/ } split /\n/, sql("SELECT email, first_name FROM of_$name.moving") }, 'for the destination has the model');
        $sources->run($name, "DELETE FROM $table WHERE email IN ('new\@x', 'k1\@x', 'k2\@x'); INSERT INTO $table VALUES ('k1\@x', 'Name 1'), ('k2\@x', 'Name 2')");
        run_sync("moving_$name");
    };
    $go->('without edits', 'completed|301|1|1|1|298|0');
    $go->('a row that changes once more before it is fetched', 'completed|301|1|1|1|298|0', 3 => "UPDATE $table SET first_name = 'second' WHERE email = 'k1\@x'");
    $go->('one that is as it was when it is fetched', 'completed|301|1|0|1|299|0', 3 => "UPDATE $table SET first_name = 'Name 1' WHERE email = 'k1\@x'");
    $go->('one that is gone when it is fetched', 'completed|300|1|0|1|298|0', 3 => "DELETE FROM $table WHERE email = 'k1\@x'");
    $go->('one that is there twice when it is fetched', 'completed|302|1|0|1|298|2', 3 => "INSERT INTO $table VALUES ('k1\@x', 'twin')");
    $go->('rows that come back before their keys are read', 'completed|301|1|1|0|299|0', 2 => "INSERT INTO $table VALUES ('k2\@x', 'Name 2')");
    sql("SELECT reverse_etl.drop_sync('moving_$name')");
    return;
}

# What a destination by http has: name by e-mail.
sub records {
    my ($name, $path) = @_;
    return { map { $_->{email} => $_->{name} // '' } @{ $sandbox->get("/_sandbox/records/http/$path") } };
}

# The same edits, by a sync that finds the difference there and by one that compares here: random edits, with keys that
# are NULL, doubled and spelled in another way, between random runs, some of which are killed.
sub test_property {
    my ($name) = @_;
    my $table = there($name, 'random');
    my ($object, $email, $first_name) = $name eq 'snowflake' ? qw(RANDOM EMAIL NAME) : qw(random email name);
    $sources->run($name, "CREATE OR REPLACE TABLE $table (id INTEGER, $email VARCHAR, $first_name VARCHAR)");
    sql("CREATE FOREIGN TABLE of_$name.random (email text OPTIONS (field '$email', source_type 'text'), name text OPTIONS (field '$first_name', source_type 'text')) SERVER $name OPTIONS (object '$object')");
    my @syncs;
    for my $mode ('upsert', 'mirror', 'insert', 'update', 'full') {
        for my $how ('source', 'difference') {
            my $sync = "${name}_${mode}_$how";
            sql(<<~SQL);
                CREATE FOREIGN TABLE of_$name.$sync (email text, name text CONSTRAINT allowed CHECK (name <> 'forbidden')) SERVER inhouse OPTIONS (path '/http/$sync', key 'email', insert_as 'upsert', null_as 'clear', idempotency_key 'Idempotency-Key');
                SELECT reverse_etl.create_sync('$sync', 'SELECT email, name FROM of_$name.random', 'of_$name.$sync', '{email}', mode => '$mode', change_detection => '$how', max_removed => 'none', max_attempts => 3);
                SQL
            push @syncs, $sync;
        }
    }
    my $value = sub { my $n = int rand 5; return $n == 0 ? 'NULL' : $n == 1 ? "'forbidden'" : "'v" . int(rand 1000) . "'" };
    my $key   = sub { my $n = 1 + int rand 60; my $k = int rand 12; return $k == 0 ? 'NULL' : $k == 1 ? "'K$n\@x'" : $k == 2 ? "'k$n~\@x'" : "'k$n\@x'" };
    for my $step (1 .. $steps) {
        my $edits = '';
        for (1 .. 1 + int rand 10) {
            my ($what, $id) = (int rand 4, 1 + int rand 60);
            $edits .= $what == 0 ? "DELETE FROM $table WHERE id = $id;"
                : $what == 1 ? "INSERT INTO $table VALUES (" . (1 + int rand 60) . ", @{[ $key->() ]}, @{[ $value->() ]});"
                : $what == 2 ? "UPDATE $table SET $first_name = @{[ $value->() ]} WHERE id = $id;" : "UPDATE $table SET $email = @{[ $key->() ]} WHERE id = $id;";
        }
        $sources->run($name, $edits);
        # Some runs die, and the worker takes them up; what they see meanwhile changes.
        if ($step % 6 == 0) {
            $sources->reset($name);
            $sources->set($name, delay => 200, edits => { 2 => $edits });
            for my $sync (grep { /source/ } @syncs) {
                open my $session, '-|', 'bash', '-c', 'exec psql -X -d "$0" -c "$1" 2>&1', $node->connstr('postgres') . ' application_name=dying', "CALL reverse_etl.run_sync('$sync')" or die;
                sleep rand 0.8;
                $node->psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dying'");
                close $session;
            }
            $sources->set($name, delay => 0, edits => {});
        }
        # Runs of both find the same.
        wait_until(sub { sql("SELECT count(*) FROM reverse_etl.runs WHERE status IN ('reading', 'delivering', 'cancelling')") eq '0' });
        # Those that were killed have counted attempts that the others have not: all come to the last, and begin again.
        if ($step % 6 == 0) {
            run_sync($_) for (@syncs) x 3;
            sql("SELECT reverse_etl.release_rows('$_')") for @syncs;
        }
        for my $mode ('upsert', 'mirror', 'insert', 'update', 'full') {
            my @found = map { run_sync("${name}_${mode}_$_") } 'source', 'difference';
            is($found[0], $found[1], "$mode: a run finds the same (step $step)") if $step % 6;
            my @refused = map { sql("SELECT outcome, key, reason FROM reverse_etl.run_rows WHERE run_id = (SELECT max(id) FROM reverse_etl.runs WHERE sync = '${name}_${mode}_$_') ORDER BY 1, 2, 3") } 'source', 'difference';
            is($refused[0], $refused[1], "$mode: and refuses the same (step $step)") if $step % 6;
        }
    }
    for my $mode ('upsert', 'mirror', 'full') {
        is_deeply(map({ records($name, "${name}_${mode}_$_") } 'source', 'difference'), "$mode: both destinations have the same") if $mode ne 'upsert';
    }
    my %model = map { my ($k, $v) = split /\|/; ($k => $v // '') } split /\n/,
        sql("SELECT email, max(name) FROM of_$name.random WHERE email IS NOT NULL GROUP BY 1 HAVING count(*) = 1 AND max(name) IS DISTINCT FROM 'forbidden'");
    my $there = records($name, "${name}_mirror_source");
    is_deeply({ map { $_ => $there->{$_} } keys %model }, \%model, 'which is the model');
    is($sources->state($name)->{running}, 0, 'no statement is left');
    sql("SELECT reverse_etl.drop_sync('$_')") for @syncs;
    return;
}

sub test_obstacles {
    my $base  = "'of_snowflake.moved', '{email}'";
    my $local = 'CREATE TABLE local AS SELECT email, first_name AS name FROM of_snowflake.moving LIMIT 3;';
    sql($local);
    my %why = (
        'SELECT email, name FROM local' => 'The query does more than to read columns of one table of a source.',
        'SELECT email, upper(first_name) AS name FROM of_snowflake.moving' => 'Column "name" of the query is computed here.',
        "SELECT email, first_name AS name FROM of_snowflake.moving WHERE lower(email) = 'x'" => 'A condition of WHERE is evaluated here; EXPLAIN (VERBOSE) shows it as Filter.',
        'SELECT email, first_name AS name FROM of_snowflake.moving LIMIT 5' => undef,
        'SELECT DISTINCT email, first_name AS name FROM of_snowflake.moving' => 'The query does more than to read columns of one table of a source.',
        'SELECT m.email, l.name FROM of_snowflake.moving AS m JOIN local AS l USING (email)' => 'The query does more than to read columns of one table of a source.',
        "SELECT email, first_name AS name FROM of_snowflake.customers WHERE created > '2020-01-01'" => 'A condition on column "created" of type timestamptz is evaluated here once more: it may hold of more rows at the source.',
        "SELECT email, first_name AS name FROM of_snowflake.customers WHERE born < 'infinity'" => 'The source cannot be told a value of WHERE.',
        'SELECT email, name FROM of_snowflake.untyped' => 'Of what type column "email" of "of_snowflake.untyped" is at the source is not known: it has no option "source_type".',
    );
    sql("CREATE FOREIGN TABLE of_snowflake.untyped (email text OPTIONS (field 'EMAIL'), name text OPTIONS (field 'FIRST_NAME')) SERVER snowflake OPTIONS (object 'MOVING')");
    for my $query (sort keys %why) {
        my $quoted = $query =~ s/'/''/gr;
        my $said = fault("SELECT reverse_etl.create_sync('x', '$quoted', $base, change_detection => 'source');");
        my $why = $why{$query};
        like($said, qr/ERROR: +0A000: the difference cannot be found at the source of the query\nDETAIL: +@{[ defined $why ? quotemeta $why : '.*' ]}\nHINT: +Select columns of one table .*change_detection => 'difference'/, $query);
        sql("SELECT reverse_etl.create_sync('x', '$quoted', $base)");
        is(sql("SELECT change_detection FROM reverse_etl_internal.sync_definitions WHERE name = 'x'"), 'difference', 'and it is compared here, if nobody says how');
        sql("SELECT reverse_etl.drop_sync('x')");
    }
    sql("SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS name FROM of_snowflake.moving', $base)");
    like(fault("SELECT reverse_etl.alter_sync('x', query => 'SELECT email, upper(first_name) AS name FROM of_snowflake.moving');"), qr/cannot be found at the source/, 'a query that is altered so');
    like(fault("SELECT reverse_etl.stream_sync('x', 'local');"), qr/finds its changes at the source of its query, and no stream can feed it/, 'a stream');
    sql('ALTER FOREIGN TABLE of_snowflake.moving ALTER COLUMN first_name OPTIONS (DROP source_type)');
    like(fault("CALL reverse_etl.run_sync('x');"), qr/cannot be found at the source/, 'and a table that is altered so fails the run');
    sql('ALTER FOREIGN TABLE of_snowflake.moving ALTER COLUMN first_name OPTIONS (ADD source_type \'text\')');
    sql("SELECT reverse_etl.alter_sync('x', query => 'SELECT email, upper(first_name) AS name FROM of_snowflake.moving', change_detection => 'difference')");
    is(sql("SELECT change_detection FROM reverse_etl_internal.sync_definitions WHERE name = 'x'"), 'difference', 'but with a word');
    sql("SELECT reverse_etl.drop_sync('x')");

    # Whose rights.
    sql(<<~SQL);
        CREATE ROLE other; GRANT USAGE ON SCHEMA of_snowflake TO other; GRANT SELECT, INSERT, DELETE ON of_snowflake.moved TO other; GRANT SELECT (email) ON of_snowflake.moving TO other;
        CREATE USER MAPPING FOR other SERVER inhouse; CREATE USER MAPPING FOR other SERVER snowflake OPTIONS (@{[ SourceHouses::mapping($sources, 'snowflake') ]});
        SQL
    like(fault("SET ROLE other; SELECT reverse_etl.create_sync('x', 'SELECT email, first_name AS name FROM of_snowflake.moving', $base);"), qr/permission denied for foreign table moving/, 'a column that the owner may not read');
    return;
}

sub test_state {
    my $table = there('snowflake', 'moving');
    sql("SELECT reverse_etl.create_sync('again', 'SELECT email, first_name AS name FROM of_snowflake.moving', 'of_snowflake.moved', '{email}', mode => 'mirror')");
    is(run_sync('again'), 'completed|300|300|0|0|0|0', 'a sync');
    is(sql("SELECT reverse_etl.resync('again', 'email = ''k5\@x''')"), 1, 'a row is to be sent again');
    is(run_sync('again'), 'completed|300|0|1|0|299|0', 'and is');
    is(sql("SELECT operation, rows FROM reverse_etl.plan_sync('again', 0)"), 'unchanged|300', 'plan_sync');
    $sources->run('snowflake', "UPDATE $table SET FIRST_NAME = 'planned' WHERE EMAIL = 'k5\@x'");
    is(sql("SELECT operation, rows FROM reverse_etl.plan_sync('again', 0) ORDER BY 1"), "unchanged|299\nupsert|1", 'shows what would be done');
    $sources->run('snowflake', "DELETE FROM $table WHERE EMAIL < 'k2'");
    like(run_sync('again'), qr/^held\|300\|0\|1\|\d+\|/, 'a guard holds');
    sql("SELECT reverse_etl.drop_sync('again')");

    # What the destination has already is known by the hashes of the source.
    sql("CREATE FOREIGN TABLE of_snowflake.contacts (email text, firstname text) SERVER hubspot OPTIONS (object 'contacts')");
    my $create = q(SELECT reverse_etl.create_sync('adopting', 'SELECT email, first_name AS firstname FROM of_snowflake.moving', 'of_snowflake.contacts', '{email}', mode => 'mirror'));
    my $count  = sql('SELECT count(*) FROM of_snowflake.moving');
    $sources->run('snowflake', "UPDATE $table SET EMAIL = EMAIL || '.com'");
    sql($create);
    like(run_sync('adopting'), qr/^completed\|$count\|$count\|/, 'a sync');
    sql("SELECT reverse_etl.drop_sync('adopting')");
    $sources->run('snowflake', "UPDATE $table SET FIRST_NAME = 'since' WHERE EMAIL = 'k30\@x.com'");
    sql($create);
    is(sql("SELECT reverse_etl.adopt('adopting')"), $count, 'adopts what is there');
    is(run_sync('adopting'), "completed|$count|0|1|0|" . ($count - 1) . '|0', 'and only what differs is sent');
    sql("SELECT reverse_etl.drop_sync('adopting')");
    return;
}

# Bytes of answers, of a model of nine columns.
sub test_bytes {
    for my $name ('snowflake') {
        my $table = there($name, 'large');
        my @columns = ([id => 'bigint'], [email => 'text'], [name => 'text'], [country => 'text'], [seats => 'bigint'], [price => 'numeric'], [active => 'boolean'], [born => 'date'], [note => 'text']);
        $sources->run($name, "CREATE TABLE $table AS SELECT n::BIGINT AS ID, 'customer' || n || '\@example.com' AS EMAIL, 'Customer number ' || n AS NAME, ['DE', 'FR', 'US'][n % 3 + 1] AS COUNTRY, (n % 100)::BIGINT AS SEATS, (n / 8)::DECIMAL(18, 3) AS PRICE, n % 2 = 0 AS ACTIVE, DATE '2020-01-01' + (n % 1000)::INTEGER AS BORN, md5(n::VARCHAR) AS NOTE FROM range(1, $rows + 1) AS t(n)");
        sql("CREATE FOREIGN TABLE large (" . join(', ', map { "$_->[0] $_->[1] OPTIONS (field '@{[ uc $_->[0] ]}', source_type '$_->[1]')" } @columns) . ") SERVER $name OPTIONS (object 'LARGE')");
        sql("CREATE FOREIGN TABLE to_large (" . join(', ', map { "$_->[0] $_->[1]" } @columns) . ") SERVER inhouse OPTIONS (path '/http/large', key 'id', insert_as 'upsert')");
        sql("SELECT reverse_etl.create_sync('large', 'SELECT @{[ join ', ', map { $_->[0] } @columns ]} FROM large', 'to_large', '{id}', mode => 'mirror', backfill => false)");
        $sources->set($name, rows => 10_000);
        my $moved = sub {
            my $begin = time;
            my $before = sql('SELECT max(started_at) FROM reverse_etl.source_queries') || '-infinity';
            my $run = run_sync('large');
            my ($bytes, $statements) = split /\|/, sql("SELECT sum(bytes), count(*) FROM reverse_etl.source_queries WHERE started_at > '$before'");
            note(sprintf '%s: %d bytes of %d statements, %.1f s', $run, $bytes, $statements, time - $begin);
            return $bytes;
        };
        my $all = $moved->();
        is(last_run('large'), "completed|$rows|0|0|0|$rows|0", 'all rows are read once');
        my $nothing = $moved->();
        is(last_run('large'), "completed|$rows|0|0|0|$rows|0", 'nothing has changed');
        cmp_ok($nothing, '<=', $all / 100, sprintf 'and %.2f%% of the bytes are moved', 100 * $nothing / $all);
        my $changed = int($rows / 1000);
        $sources->run($name, "UPDATE $table SET NOTE = 'changed' WHERE ID % 1000 = 0");
        my $few = $moved->();
        is(last_run('large'), "completed|$rows|0|$changed|0|@{[ $rows - $changed ]}|0", 'a thousandth has changed');
        cmp_ok($few, '<=', $all / 10, sprintf 'and %.2f%% of the bytes are moved', 100 * $few / $all);
        sql("SELECT reverse_etl.drop_sync('large')");
    }
    return;
}
