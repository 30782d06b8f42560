# Whatever a session, a role or a database has set: rows are delivered, guards hold, and statements mean the same.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_worker_processes = 16");
sub sql { my ($sql, @arguments) = @_; return $node->safe_psql('postgres', $sql, @arguments) }
sub delivered { my ($email) = @_; return grep { $_->{properties}{email} eq $email } @{ $sandbox->get('/_sandbox/records/hubspot/contacts') } }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}', rate_limit 'none');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE SCHEMA hubspot;
    CREATE FOREIGN TABLE hubspot.contacts (email text, firstname text, lastname date) SERVER hubspot;
    CREATE ROLE hostile SUPERUSER LOGIN;
    SQL

# Every function that is written in SQL says what its body depends on.
is(sql(<<~'SQL'), '', 'every function pins the settings that change what its body means');
    SELECT p.oid::regprocedure, wanted
      FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang,
           unnest('{"search_path=pg_catalog, pg_temp", standard_conforming_strings=on, backslash_quote=safe_encoding,
                    transform_null_equals=off, array_nulls=on, quote_all_identifiers=off, DateStyle=iso,
                    IntervalStyle=postgres}'::text[]) AS wanted
     WHERE p.pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND l.lanname IN ('sql', 'plpgsql')
       AND wanted <> ALL (COALESCE(p.proconfig, '{}'))
     ORDER BY 1, 2
    SQL

# What is set together, and what a session needs to be able to write at all.
my @hostile = (
    [ 'strings' => "standard_conforming_strings = off; backslash_quote = on; escape_string_warning = off" ],
    [ 'names'   => "search_path = ''; quote_all_identifiers = on" ],
    [ 'texts'   => "DateStyle = 'SQL, DMY'; IntervalStyle = sql_standard; bytea_output = escape; TimeZone = 'Pacific/Chatham'; extra_float_digits = -15; xmlbinary = hex; xmloption = document" ],
    [ 'meaning' => "transform_null_equals = on; array_nulls = off; row_security = off; check_function_bodies = off" ],
    [ 'locales' => "lc_messages = 'C'; lc_monetary = 'C'; lc_numeric = 'C'; lc_time = 'C'; client_encoding = LATIN1" ],
    [ 'triggers' => "session_replication_role = replica" ],
    [ 'read only' => "default_transaction_read_only = on", "default_transaction_read_only = off" ],
    [ 'isolation' => "default_transaction_isolation = serializable; default_transaction_deferrable = on" ],
    [ 'timeouts' => "statement_timeout = '1ms'; lock_timeout = '1ms'; idle_in_transaction_session_timeout = '1ms'",
        "statement_timeout = 0; lock_timeout = 0; idle_in_transaction_session_timeout = 0" ],
    [ 'plans' => "enable_seqscan = off; enable_hashjoin = off; enable_mergejoin = off; enable_sort = off; enable_hashagg = off; work_mem = '64kB'; jit = on; jit_above_cost = 0; force_parallel_mode = off" ],
    [ 'places' => "default_tablespace = 'pg_default'; temp_tablespaces = ''; default_table_access_method = 'heap'; synchronous_commit = off" ],
);
# The name of it has changed in 16.
$_->[1] =~ s/force_parallel_mode/debug_parallel_query/ for $node->pg_version >= 16 ? @hostile : ();

sub settings { my ($list) = @_; return split /; /, $list }
sub set { my ($list) = @_; return join '', map { "SET $_;\n" } settings($list) }

# before(CONDITION): whether it held within twenty seconds.
sub before {
    my ($condition) = @_;
    for (1 .. 200) {
        return 1 if $condition->();
        sleep 0.1;
    }
    return 0;
}

# from_start(LIST): the environment of a session that begins with these settings. A SET would be too late: what was set
# for the database holds for it, too, and one millisecond can be too short for it.
sub from_start { my ($list) = @_; return join ' ', map { /^(\S+) = '?(.*?)'?$/; "-c $1=$2" } settings($list) }

# core(LABEL, OPTIONS, PREFIX, PSQL_ARGUMENT...): what the tests of deliveries and syncs come down to.
my $round = 0;
sub core {
    my ($label, $options, $prefix, @arguments) = @_;
    my $n = ++$round;
    my $run = sub {
        my ($sql) = @_;
        local $ENV{PGOPTIONS} = $options;
        $node->psql('postgres', $prefix . $sql, on_error_stop => 0, stdout => \my $out, stderr => \my $said, extra_params => [@arguments]);
        return "$out\n$said";
    };
    my $last = sub {
        my ($columns) = @_;
        return control("SELECT $columns FROM reverse_etl.runs WHERE sync = 's$n' ORDER BY id DESC LIMIT 1");
    };
    unlike($run->("INSERT INTO hubspot.contacts VALUES ('now$n\@x.com', 'x', '2026-02-01')"), qr/ERROR/, "$label: rows leave at once");
    my ($now) = delivered("now$n\@x.com");
    is($now->{properties}{lastname}, '2026-02-01', 'as they are');
    $run->("BEGIN; INSERT INTO hubspot.contacts (email) VALUES ('later$n\@x.com'), ('bad $n'); COMMIT");
    ok(before(sub { delivered("later$n\@x.com") }), 'queued rows leave');
    ok(before(sub { control("SELECT count(*) FROM reverse_etl.rejected_rows WHERE \"row\" ->> 'email' = 'bad $n'") == 1 }), 'and are rejected');
    my $made = $run->(<<~SQL);
        CREATE TABLE public.c$n (email text PRIMARY KEY, n text);
        INSERT INTO public.c$n SELECT 's$n-' || g || '\@x.com', 'x' FROM generate_series(1, 5) AS g;
        SELECT reverse_etl.create_sync('s$n', 'SELECT email, n AS firstname FROM public.c$n', 'hubspot.contacts', '{email}',
                                       mode => 'mirror', max_removed => 'none', min_rows => '4');
        CALL reverse_etl.run_sync('s$n');
        SQL
    is($last->('status, added, accepted'), 'completed|5|5', 'a sync runs') or diag $made;
    my $held = $run->("DELETE FROM public.c$n WHERE email ~ '[12]\@';\nCALL reverse_etl.run_sync('s$n');");
    is($last->('status, removed'), 'held|2', 'its guard holds') or diag $held;
    $run->("SELECT reverse_etl.release_run(id) FROM reverse_etl.runs WHERE sync = 's$n' AND status = 'held'");
    ok(before(sub { $last->('status, removed, accepted') eq 'completed|2|2' }), 'and is released');
    ok(!delivered("s$n-1\@x.com"), 'so that the rows are gone');
    $run->("SELECT reverse_etl.drop_sync('s$n')");
    is(control("SELECT count(*) FROM pg_class WHERE relname ~ '^sync_[0-9]+_state\$' AND relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[])"), 0,
        'it goes with its tables') or diag $run->("SELECT reverse_etl.drop_sync('s$n')");
    return;
}
# As somebody whom nothing was set for but by the database.
sub control {
    my ($sql) = @_;
    local $ENV{PGOPTIONS} = from_start('default_transaction_read_only = off; statement_timeout = 0; lock_timeout = 0; idle_in_transaction_session_timeout = 0; row_security = on');
    return sql($sql);
}
sub restart_worker {
    control(q(SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type LIKE 'reverse_etl%'));
    return;
}

core('nothing set', '', '');
for my $case (@hostile) {
    my ($label, $list, $session) = @$case;
    control("ALTER DATABASE postgres SET $_") for settings($list);
    restart_worker();
    core("$label, by the database", from_start($session // ''), '');
    control("ALTER DATABASE postgres RESET $_") for map { /^(\S+)/ } settings($list);
}
restart_worker();
my $all = join '; ', map { $_->[1] } grep { !$_->[2] && $_->[0] ne 'triggers' } @hostile;
core('all of them, by the session', '', set($all));
control("ALTER ROLE hostile SET $_") for settings($all);
core('all of them, by the role', '', '', '-U', 'hostile');

# What CREATE EXTENSION makes under such settings is the same, too.
$node->safe_psql('postgres', 'CREATE DATABASE hostile');
my $definitions = <<~'SQL';
    SELECT md5(string_agg(definition, E'\n' ORDER BY definition)) FROM (
        SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE connamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND contype <> 'n'
        UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[])
        UNION ALL SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[]) AND relkind = 'v') AS _;
    SQL
$node->safe_psql('hostile', set($all) . 'CREATE EXTENSION reverse_etl');
is($node->safe_psql('hostile', $definitions), sql($definitions), 'CREATE EXTENSION makes the same under all of them');

unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/background worker "reverse_etl[^"]*" .*exited with exit code [^01]|terminated by signal 11/, 'nothing crashed');
done_testing();
