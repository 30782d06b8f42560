# Rows that cannot be stored, rows whose outcome cannot be written down, and settings of a database under which nothing
# could be written. The worker outlives all of them, and a healthy destination beside them gets all its rows. A new case
# is one line.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use ScriptedServer;
use Test::More;

my $refusal = '{"message": "no"}';
my $server  = ScriptedServer->start(sub {
    my ($method, $path, $body, $set) = @_;
    return [ 200, 'application/json', '{}' ] if $path eq '/healthy' || !$set->{refuse};
    return [ 422, 'application/json', $set->{words} // $refusal ];
});
my $url  = $server->url;
my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'\nwal_level = logical");
$node->safe_psql('postgres', 'CREATE DATABASE latin1 TEMPLATE template0 ENCODING LATIN1 LOCALE "C"');
for my $database (qw(postgres latin1)) {
    $node->safe_psql($database, <<~SQL);
        CREATE EXTENSION IF NOT EXISTS reverse_etl;
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '2');
        CREATE FOREIGN TABLE healthy (n integer) SERVER inhouse OPTIONS (path '/healthy');
        CREATE FOREIGN TABLE documents (n integer, d json) SERVER inhouse OPTIONS (path '/documents');
        SQL
}
my $healthy = 0;
my %worker;
beside($_) for qw(postgres latin1);

# Values that json takes, and jsonb may not: [name, the value as SQL]. The destination refuses them.
my @values = (
    [ 'a lone surrogate',          q('{"a": "\ud83d"}') ],
    [ 'surrogates the wrong way',  q('{"a": "\ude00\ud83d"}') ],
    [ 'a number beyond numeric',   q('{"a": 1e1000000}') ],
    [ 'a nul',                     q('{"a": "x\u0000y"}') ],
    [ 'a nul in a name',           q('{"\u0000": 1}') ],
    [ 'a backslash and u0000',     q('{"a": "\\\\u0000"}') ],
    [ 'what goes without trouble', q('{"a": "fine"}') ],
);
$server->set(refuse => 1);
for my $place (0 .. $#values) {
    my ($name, $value) = @{ $values[$place] };
    $node->safe_psql('postgres', "INSERT INTO documents VALUES ($place, $value)");
    settled('postgres', 'documents', $name);
    my $kept = $node->safe_psql('postgres', <<~'SQL');
        SELECT reverse_etl_internal.json_text("row"), reason
          FROM reverse_etl.rejected_rows ORDER BY id DESC LIMIT 1
        SQL
    (my $wanted = $value) =~ s/^'|'$|\s//g;
    $kept =~ s/\s//g;
    like($kept, qr/^\{("n":$place,"d":\Q$wanted\E|"d":\Q$wanted\E,"n":$place)\}\|no$/, "$name: the row is kept as it was, with the reason");
}
my @before = $server->seen('/documents');
$server->set(refuse => 0);
is($node->safe_psql('postgres', q(SELECT reverse_etl.retry('documents'))), scalar @values, 'all can be tried again');
settled('postgres', 'documents', 'retry()');
my @again = $server->seen('/documents');
splice @again, 0, @before;
is(rows(@again), rows(@before), 'and go as they were');
is($node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.rejected_rows'), 0, 'none is kept any longer');

# A sync has them, too, in its plan and among the rows that it does not send.
$node->safe_psql('postgres', <<~SQL);
    CREATE TABLE papers (id integer PRIMARY KEY, d json);
    INSERT INTO papers VALUES @{[ join ', ', map { "($_, $values[$_][1])" } 0 .. $#values ]};
    CREATE FOREIGN TABLE files (id integer, d json, n integer CHECK (n > 0)) SERVER inhouse OPTIONS (path '/documents', key 'id');
    SELECT reverse_etl.create_sync('papers', 'SELECT id, d, -1 AS n FROM papers', 'files', key => '{id}');
    SQL
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.plan_sync('papers') WHERE key IS NOT NULL)), scalar @values,
    'they are planned');
my (undef, $left_behind) = outcome($node, q(CALL reverse_etl.run_sync('papers')));
like($left_behind, qr/leaves @{[ scalar @values ]} rows behind/, 'a run goes on that does not send them');
my $kept = $node->safe_psql('postgres', q(SELECT reverse_etl_internal.json_text("row") FROM reverse_etl.run_rows ORDER BY key -> 'id'));
for my $case (@values[ 0 .. 4 ]) {
    my $wanted = $case->[1] =~ s/^'|'$//gr;
    like($kept, qr/\Q$wanted\E/, "$case->[0]: it is kept by the run as it was");
}
$node->safe_psql('postgres', q(SELECT reverse_etl.drop_sync('papers')));

# What no row is: [name, operations, keys, rows, the error]
my @texts = (
    [ 'no JSON',          q({create}), q({NULL}),  q({nonsense}),    qr/invalid input syntax for type json/ ],
    [ 'nothing',          q({create}), q({NULL}),  q({""}),          qr/no JSON object/ ],
    [ 'NULL',             q({create}), q({NULL}),  q({NULL}),        qr/no JSON object/ ],
    [ 'a number',         q({create}), q({NULL}),  q({1}),           qr/no JSON object/ ],
    [ 'an array',         q({create}), q({NULL}),  q({"[{}]"}),      qr/no JSON object/ ],
    [ 'a cut object',     q({create}), q({NULL}),  q({"{\\"n\\":1"}), qr/invalid input syntax for type json/ ],
    [ 'two objects',      q({create}), q({NULL}),  q({"{} {}"}),     qr/invalid input syntax for type json/ ],
    [ 'a key of text',    q({update}), q({hello}), q({"{}"}),        qr/invalid input syntax for type json/ ],
    [ 'no operation',     q({steal}),  q({NULL}),  q({"{}"}),        qr/there is no operation/ ],
    [ 'NULL for it',      q({NULL}),   q({NULL}),  q({"{}"}),        qr/there is no operation/ ],
    [ 'arrays that part', q({create}), q({NULL}),  q({"{}","{}"}),   qr/must be of one length/ ],
);
$node->safe_psql('postgres', 'CREATE ROLE clerk; GRANT INSERT (n) ON documents TO clerk');
for my $case (@texts) {
    my ($name, $operations, $keys, $rows, $error) = @$case;
    my (undef, $said) = outcome($node, "SELECT reverse_etl_internal.requeue('clerk'::regrole, 'documents', '$operations', '$keys', '$rows')");
    like($said, $error, "requeue() takes no row that is $name");
}

# Words of a destination: [name, database, its answer, the reason as it is kept]
my @words = (
    [ 'a nul',               'postgres', q({"message": "x\u0000y"}), qr/^x\\u0000y$/ ],
    [ 'a lone surrogate',    'postgres', q({"message": "x\ud83dy"}), qr/./ ],
    [ 'an emoji',            'postgres', q({"message": "\ud83d\ude00"}), qr/^\x{F0}\x{9F}\x{98}\x{80}$/ ],
    [ 'an emoji in Latin 1', 'latin1',   q({"message": "no \ud83d\ude00"}), qr/^no / ],
    [ 'a nul in Latin 1',    'latin1',   q({"message": "x\u0000y"}), qr/^x\\u0000y$/ ],
    [ 'not UTF-8',           'postgres', qq({"message": "\xff\xfe"}), qr/./ ],
    [ 'nothing',             'postgres', q({"message": ""}), qr/^\{"message": ""\}$/ ],
);
$server->set(refuse => 1);
for my $case (@words) {
    my ($name, $database, $words, $reason) = @$case;
    $server->set(words => $words);
    $node->safe_psql($database, q(INSERT INTO documents VALUES (1, '{}')));
    settled($database, 'documents', "$name in the destination's words");
    like($node->safe_psql($database, 'SELECT reason FROM reverse_etl.rejected_rows ORDER BY id DESC LIMIT 1'),
        $reason, "$name: the reason is kept as far as it can be");
}

# What is no destination: [name, the table]
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE plain (n integer);
    CREATE FOREIGN DATA WRAPPER other;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER other;
    CREATE FOREIGN TABLE foreign_to_us (n integer) SERVER elsewhere;
    SQL
for my $case ([ 'a table', 'plain' ], [ 'a temporary table', 'pg_temp.brief' ], [ 'a foreign table of others', 'foreign_to_us' ]) {
    my ($name, $table) = @$case;
    my (undef, $said) = outcome($node,
        "CREATE TEMPORARY TABLE brief (n integer);\nSELECT reverse_etl_internal.requeue(current_user::regrole, '$table', '{create}', '{NULL}', '{\"{}\"}')");
    like($said, qr/is not a destination/, "requeue() queues nothing for $name");
}

# The bounds of the outbox hold for what comes again, too.
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE documents OPTIONS (ADD outbox_max_rows '2')));
my $two = q(SELECT reverse_etl_internal.requeue(current_user::regrole, 'documents', '{create,create,create}', '{NULL,NULL,NULL}', '{"{}","{}","{}"}'));
like((outcome($node, $two))[1], qr/53400: the outbox of "public.documents" is full/, 'requeue() fills no outbox');
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE documents OPTIONS (DROP outbox_max_rows)));

# Too large: [name, how]
for my $case (
    [ 'INSERT',  q(INSERT INTO documents VALUES (1, to_json(repeat('x', 70 << 20)))) ],
    [ 'a text of 256 MB', q(INSERT INTO documents VALUES (1, to_json(repeat('x', 256 << 20)))) ],
    [ 'requeue', q(SELECT reverse_etl_internal.requeue(current_user::regrole, 'documents', '{create}', '{NULL}', ARRAY[json_build_object('d', repeat('x', 70 << 20))::text])) ],
) {
    my ($name, $statement) = @$case;
    my (undef, $said) = outcome($node, $statement);
    like($said, qr/54000: .*a row of \d+ bytes cannot be queued\nDETAIL:  A queued row has at most .*\nHINT: /, "$name: a row beyond 64 MB is refused");
}
$node->safe_psql('postgres', q(INSERT INTO documents SELECT n, to_json(repeat('x', 20 << 20)) FROM generate_series(1, 4) AS n));
$server->set(refuse => 0);
settled('postgres', 'documents', 'rows of 20 MB');

# What keeps outcomes from being written: [name, what is done, what undoes it, what becomes of the row]
$node->safe_psql('postgres', <<~'SQL');
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
    CREATE FUNCTION fail_and_pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE lock_not_available; END $$;
    SQL
my @obstacles = (
    [ 'all tables are published', q(CREATE PUBLICATION everything FOR ALL TABLES), q(DROP PUBLICATION everything), 'gone' ],
    [ 'audit_log refuses',        trigger('reverse_etl.audit_log', 'UPDATE', 'fail'), untrigger('reverse_etl.audit_log'), 'set aside' ],
    [ 'audit_log refuses for now', trigger('reverse_etl.audit_log', 'UPDATE', 'fail_and_pass'), untrigger('reverse_etl.audit_log'), 'held' ],
);
for my $refuse (0, 1) {
    for my $case (@obstacles) {
        my ($name, $do, $undo, $fate) = @$case;
        $name .= $refuse ? ', a row is refused' : ', a row is taken';
        $server->set(refuse => $refuse, words => $refusal);
        $node->safe_psql('postgres', 'TRUNCATE reverse_etl.rejected_rows');
        $node->safe_psql('postgres', $do);
        $node->safe_psql('postgres', q(INSERT INTO documents VALUES (1, '{}')));
        if ($fate eq 'held') {
            wait_until(sub { state_of('documents') =~ /^paused\|outcomes of its rows cannot be written down: / });
            pass("$name: the destination is held, and says why");
            is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.outbox WHERE destination = 'documents'::regclass)),
                1, "$name: the row is kept");
            beside('postgres');
            $node->safe_psql('postgres', $undo);
            $node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.documents')));
        }
        settled('postgres', 'documents', $name);
        $node->safe_psql('postgres', $undo) if $fate ne 'held';
        is($node->safe_psql('postgres', q(SELECT string_agg(left(reason, 29), ',') FROM reverse_etl.rejected_rows WHERE destination = 'public.documents'::regclass)),
            $refuse ? 'no' : $fate eq 'set aside' ? 'the destination took the row,' : '', "$name: what became of it is told");
        wait_until(sub { state_of('documents') eq '' });
    }
}
$server->set(refuse => 0);

# Others hold a table while rows are queued: the worker goes on, and everything is delivered when they are gone
for my $table (map({ "reverse_etl.$_" } qw(pauses destination_states rejected_rows audit_log outbox identity)), 'reverse_etl_internal.outbox_requests') {
    my $holder = $node->background_psql('postgres');
    $holder->query_safe("BEGIN; LOCK TABLE $table");
    # A destination that is known is served all the same, where the table is not what it needs.
    if ($table =~ /pauses|destination_states/) { beside('postgres') }
    else { sleep 1 }
    $holder->query_safe('COMMIT');
    $holder->quit;
    $node->safe_psql('postgres', q(INSERT INTO documents VALUES (1, '{}')));
    settled('postgres', 'documents', "LOCK TABLE $table");
}

# A sync whose tables or runs were changed by hand: [name, what was done]
my @edits = (
    [ 'its attempts are the greatest number', q(UPDATE reverse_etl_internal.sync_2_rows SET "#attempts" = 2147483647) ],
    [ 'its run is held, though it delivers',  q(UPDATE reverse_etl.runs SET status = 'held' WHERE status = 'delivering') ],
    [ 'its run is gone',                      q(DELETE FROM reverse_etl.runs WHERE status = 'delivering') ],
    [ 'a column of its state is gone',        q(ALTER TABLE reverse_etl_internal.sync_2_state DROP COLUMN "#hash") ],
    [ 'its table of rows is gone',            q(DROP TABLE reverse_etl_internal.sync_2_rows) ],
);
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE people (email text PRIMARY KEY, n integer);
    CREATE FOREIGN TABLE contacts (email text, n integer) SERVER inhouse OPTIONS (path '/documents', key 'email');
    SELECT reverse_etl.create_sync('people', 'SELECT email, n FROM people', 'contacts', key => '{email}');
    SQL
for my $place (0 .. $#edits) {
    my ($name, $edit) = @{ $edits[$place] };
    $server->set(refuse => $place % 2);
    $node->safe_psql('postgres', "SELECT reverse_etl.pause('public.contacts'); INSERT INTO people VALUES ('p$place\@example.com', 1);");
    my (undef, $said) = outcome($node, q(CALL reverse_etl.run_sync('people', wait => false)));
    $node->safe_psql('postgres', $edit);
    $node->safe_psql('postgres', q(SELECT reverse_etl.resume('public.contacts')));
    settled('postgres', 'contacts', "a sync: $name");
}
$server->set(refuse => 0);

# What a database may be set to
$node->safe_psql('postgres', <<~'SQL');
    CREATE ROLE nobody;
    ALTER DATABASE postgres SET default_transaction_read_only = on;
    ALTER DATABASE postgres SET default_transaction_isolation = 'serializable';
    ALTER DATABASE postgres SET default_transaction_deferrable = on;
    ALTER DATABASE postgres SET role = 'nobody';
    ALTER DATABASE postgres SET statement_timeout = 1;
    ALTER DATABASE postgres SET lock_timeout = 1;
    ALTER DATABASE postgres SET idle_in_transaction_session_timeout = 1;
    ALTER DATABASE postgres SET idle_session_timeout = 1;
    ALTER DATABASE postgres SET row_security = off;
    ALTER DATABASE postgres SET session_replication_role = replica;
    ALTER DATABASE postgres SET search_path = nowhere;
    ALTER DATABASE postgres SET DateStyle = 'German';
    ALTER DATABASE postgres SET IntervalStyle = 'iso_8601';
    ALTER DATABASE postgres SET standard_conforming_strings = off;
    ALTER DATABASE postgres SET backslash_quote = on;
    ALTER DATABASE postgres SET transform_null_equals = on;
    ALTER DATABASE postgres SET array_nulls = off;
    ALTER DATABASE postgres SET bytea_output = 'escape';
    ALTER DATABASE postgres SET extra_float_digits = -15;
    ALTER DATABASE postgres SET exit_on_error = on;
    SQL
$node->restart;
{
    local $ENV{PGOPTIONS} = '-c default_transaction_read_only=off -c role=none -c statement_timeout=0 -c lock_timeout=0 '
        . '-c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0 -c search_path=public -c row_security=on '
        . '-c default_transaction_isolation=read\\ committed -c session_replication_role=origin';
    %worker = ();
    beside('postgres');
    $node->safe_psql('postgres', q(INSERT INTO documents VALUES (1, '{}')));
    settled('postgres', 'documents', 'settings of the database');
}

sub trigger {
    my ($table, $event, $function) = @_;
    return "CREATE TRIGGER obstacle BEFORE $event ON $table FOR EACH ROW EXECUTE FUNCTION $function()";
}

sub untrigger { return "DROP TRIGGER obstacle ON $_[0]" }

sub state_of {
    my ($destination) = @_;
    return $node->safe_psql('postgres',
        "SELECT state, reason FROM reverse_etl.destination_states WHERE destination = '$destination'::regclass");
}

# The rows of requests, as they were written, but for those that jsonb takes.
sub rows { return join "\n", grep { !/fine|\\\\u0000/ } map { split /\n/, s/^\[|\]$|\s//gr =~ s/\},\{/}\n{/gr } @_ }

# settled(DATABASE, DESTINATION, NAME): no row of it waits any more, and the worker is the one that it was.
sub settled {
    my ($database, $destination, $name) = @_;
    wait_until(sub {
        $node->safe_psql($database, "SELECT count(*) FROM reverse_etl.outbox WHERE destination = '$destination'::regclass") == 0;
    });
    beside($database);
    is(worker($database), $worker{$database}, "$name: the worker goes on");
    return;
}

# A row for the healthy destination arrives.
sub beside {
    my ($database) = @_;
    $healthy++;
    $node->safe_psql($database, "INSERT INTO healthy VALUES ($healthy)");
    wait_until(sub { $server->seen('/healthy') == $healthy });
    $worker{$database} //= worker($database);
    return;
}

sub worker {
    my ($database) = @_;
    return $node->safe_psql('postgres',
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker' AND datname = '$database'");
}

done_testing();
