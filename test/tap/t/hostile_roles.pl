# A role with a schema of its own and USAGE on a server tries to become more than that: everywhere its code can run, it
# tries what would be left behind in the process, for whoever acts next. A new place or a new try is one line.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "log_statement = none\nmax_worker_processes = 16");

# What it tries, wherever its code runs. Each is on its own: an error of one is no obstacle for the next.
my @tries = (
    q(ALTER ROLE eve SUPERUSER),
    q(SET ROLE postgres), q(SET ROLE NONE), q(RESET ROLE), q(SELECT set_config('role', 'postgres', false)),
    q(SET SESSION AUTHORIZATION postgres), q(SET SESSION AUTHORIZATION DEFAULT), q(RESET SESSION AUTHORIZATION),
    q(SELECT set_config('session_authorization', 'postgres', false)),
    q(SET row_security = off), q(SELECT set_config('row_security', 'off', false)),
    q(SELECT set_config('standard_conforming_strings', 'off', false)), q(SELECT set_config('DateStyle', 'German', false)),
    q(SELECT set_config('IntervalStyle', 'iso_8601', false)), q(SELECT set_config('TimeZone', 'Asia/Tokyo', false)),
    q(SELECT set_config('client_encoding', 'LATIN1', false)), q(SELECT set_config('bytea_output', 'escape', false)),
    q(SELECT set_config('quote_all_identifiers', 'on', false)), q(SELECT set_config('transform_null_equals', 'on', false)),
    q(SELECT set_config('statement_timeout', '1', false)), q(SELECT set_config('lock_timeout', '1', false)),
    q(SELECT set_config('default_transaction_read_only', 'on', false)),
    q(SELECT set_config('default_transaction_isolation', 'serializable', false)),
    q(SELECT set_config('application_name', 'eve', false)), q(SELECT set_config('work_mem', '64', false)),
    q(SELECT set_config('plan_cache_mode', 'force_generic_plan', false)), q(SELECT set_config('eve.mark', 'was here', false)),
    q(SELECT set_config('reverse_etl.progress', 'on', false)), q(SELECT set_config('session_replication_role', 'replica', false)),
    q(SELECT set_config('check_function_bodies', 'off', false)), q(SELECT set_config('default_tablespace', 'eve', false)),
    q(SELECT set_config('local_preload_libraries', 'eve', false)), q(SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY),
    q(SET LOCAL search_path = eve, pg_catalog), q(RESET ALL), q(DISCARD ALL), q(DISCARD TEMP), q(DISCARD PLANS),
    q(PREPARE mine AS SELECT eve.own()), q(DEALLOCATE ALL), q(LISTEN mine), q(UNLISTEN *),
    q(DECLARE mine CURSOR WITH HOLD FOR SELECT eve.own()), q(DECLARE mine_too CURSOR FOR SELECT eve.own()), q(CLOSE ALL),
    q(CREATE TEMP TABLE pg_class (oid oid)), q(CREATE TEMP VIEW pg_roles AS SELECT eve.own()),
    q(CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT eve.own(); SELECT pg_catalog.now()'),
    q(CREATE DOMAIN pg_temp.oid AS pg_catalog.oid CHECK (eve.own() IS NULL)), q(CREATE TYPE pg_temp.text AS ENUM ('a')),
    q(CREATE OPERATOR pg_temp.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = eve."=")),
    q(INSERT INTO eve.deferred VALUES (1)), q(SET CONSTRAINTS ALL DEFERRED), q(LOAD 'eve'), q(COMMIT), q(ROLLBACK),
    q(COPY eve.deferred TO PROGRAM 'cat'), q(ALTER SYSTEM SET work_mem = 64), q(SECURITY LABEL ON ROLE eve IS 'x'),
    q(CREATE EVENT TRIGGER eve ON ddl_command_end EXECUTE FUNCTION eve.on_event()),
    q(ALTER FUNCTION reverse_etl_internal.begin_run(integer, name, integer) OWNER TO eve),
    q(ALTER TABLE reverse_etl.runs OWNER TO eve), q(GRANT postgres TO eve), q(GRANT zoe TO eve),
    q(SELECT set_config('search_path', 'eve, pg_catalog', false)), q(SET search_path = eve, pg_catalog),
);

# Where its code runs: what eve makes, and what the superuser then does. A sync is run, by the superuser, by eve, and by
# the process of the background worker, and everything else that there is for syncs is done to it.
my @places = (
    # name, the query of a sync, the columns of its destination
    [ 'model'            => q(SELECT email, eve.attempt() AS name FROM eve.src) ],
    [ 'immutable'        => q(SELECT email, eve.attempt_at_once() AS name FROM eve.src) ],
    [ 'view'             => q(SELECT * FROM eve.view) ],
    [ 'row_security'     => q(SELECT * FROM eve.guarded) ],
    [ 'operator'         => q(SELECT email, name FROM eve.src WHERE email OPERATOR(eve.~~~) 'x') ],
    [ 'ordinary_names'   => q(SELECT email, lower(name) AS name FROM eve.src WHERE name = 'n') ],
    [ 'lateral'          => q(SELECT email, n AS name FROM eve.src, LATERAL eve.attempts() AS n) ],
    [ 'aggregate'        => q(SELECT email, eve.all_of(name) AS name FROM eve.src GROUP BY email) ],
    [ 'cast'             => q(SELECT email, (name::eve.mood)::text AS name FROM eve.src) ],
    [ 'assignment'       => q(SELECT email, name FROM eve.src), 'email text, name eve.mood' ],
    [ 'domain'           => q(SELECT email, name::eve.checked AS name FROM eve.src) ],
    [ 'domain_there'     => q(SELECT email, name FROM eve.src), 'email text, name eve.checked' ],
    [ 'domain_in_key'    => q(SELECT email::eve.checked AS email, name FROM eve.src) ],
    [ 'check'            => q(SELECT email, name FROM eve.src), 'email text, name text CHECK (eve.attempt() IS NOT NULL)' ],
    [ 'immutable_check'  => q(SELECT email, name FROM eve.src), 'email text, name text CHECK (eve.attempt_at_once() IS NOT NULL)' ],
    [ 'fails'            => q(SELECT email, eve.attempt() || 1 / (SELECT 0) AS name FROM eve.src) ],
);

# The same for tables that alerts go to, and what makes its code run there. The runs of these syncs fail.
my @alerts = (
    [ 'trigger'      => q(CREATE TABLE eve.%1$s (text text); CREATE TRIGGER t BEFORE INSERT ON eve.%1$s FOR EACH ROW EXECUTE FUNCTION eve.on_row()) ],
    [ 'after'        => q(CREATE TABLE eve.%1$s (text text); CREATE TRIGGER t AFTER INSERT ON eve.%1$s EXECUTE FUNCTION eve.on_row()) ],
    [ 'default'      => q(CREATE TABLE eve.%1$s (text text, x text DEFAULT eve.attempt())) ],
    [ 'table_check'  => q(CREATE TABLE eve.%1$s (text text CHECK (eve.attempt() IS NOT NULL))) ],
    [ 'table_domain' => q(CREATE TABLE eve.%1$s (text eve.checked)) ],
    [ 'generated'    => q(CREATE TABLE eve.%1$s (text text, x text GENERATED ALWAYS AS (eve.attempt_at_once()) STORED)) ],
    [ 'index'        => q(CREATE TABLE eve.%1$s (text text); CREATE INDEX ON eve.%1$s (eve.attempt_at_once(text))) ],
    [ 'predicate'    => q(CREATE TABLE eve.%1$s (text text); CREATE INDEX ON eve.%1$s (text) WHERE eve.attempt_at_once(text) IS NOT NULL) ],
    [ 'policy'       => q(CREATE TABLE eve.%1$s (text text); ALTER TABLE eve.%1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                          CREATE POLICY p ON eve.%1$s WITH CHECK (eve.attempt() IS NOT NULL)) ],
    [ 'rule'         => q(CREATE TABLE eve.%1$s (text text); CREATE RULE r AS ON INSERT TO eve.%1$s DO ALSO SELECT eve.attempt()) ],
    [ 'instead'      => q(CREATE VIEW eve.%1$s AS SELECT ''::text AS text;
                          CREATE TRIGGER t INSTEAD OF INSERT ON eve.%1$s FOR EACH ROW EXECUTE FUNCTION eve.on_row()) ],
    [ 'deferred_one' => q(CREATE TABLE eve.%1$s (text text); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON eve.%1$s
                          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION eve.on_row()), 'refused' ],
);

# And what is neither a run nor an alert: what eve makes, and what a superuser does that has her code run.
my @others = (
    [ 'mapping' => q(CREATE TABLE eve.streamed (email varchar, name varchar);
                     SELECT reverse_etl.stream_table('eve.streamed', 'eve.plain', 'SELECT email, eve.attempt() AS name FROM changed')),
      q(INSERT INTO eve.streamed VALUES ('a@b.example', 'n')) ],
    [ 'immutable mapping' => q(CREATE TABLE eve.streamed2 (email varchar, name varchar);
                     SELECT reverse_etl.stream_table('eve.streamed2', 'eve.plain', 'SELECT email, eve.attempt_at_once() AS name FROM changed')),
      q(INSERT INTO eve.streamed2 VALUES ('a@b.example', 'n')) ],
    [ 'updates and deletes' => '', q(UPDATE eve.streamed SET email = 'b@b.example'; DELETE FROM eve.streamed) ],
    [ 'keys of stream_sync' => q(CREATE TABLE eve.fed (email varchar);
                     SELECT reverse_etl.stream_sync('plain', 'eve.fed', 'SELECT eve.attempt()::text AS email FROM changed')),
      q(INSERT INTO eve.fed VALUES ('a@b.example')) ],
    [ 'COPY of the source' => '', q(COPY eve.streamed FROM PROGRAM 'printf "c@b.example\tn\n"') ],
    [ 'checks of streams and syncs' => '', q(ALTER TABLE eve.src ALTER COLUMN name TYPE varchar(99); ALTER TABLE eve.streamed2 ALTER COLUMN name TYPE varchar(99)), 'may not run' ],
    [ 'options' => '', q(ALTER FOREIGN TABLE eve.d_immutable_check OPTIONS (ADD batch_rows '5')), 'may not run' ],
    [ 'functions dropped' => q(CREATE FUNCTION eve.unused() RETURNS text LANGUAGE sql AS 'SELECT 1'), q(DROP FUNCTION eve.unused()), 'may not run' ],
    [ 'a source dropped' => '', q(BEGIN; DROP TABLE eve.src CASCADE; ROLLBACK), 'may not run' ],
    [ 'all that is owned' => '', q(BEGIN; DROP OWNED BY eve CASCADE; ROLLBACK), 'may not run' ],
);

# Types of her own as keys, with casts that Postgres' functions find by the type alone.
my @keys = (
    [ 'enum'      => q(k eve.k), q('a') ],
    [ 'array'     => q(k eve.k[]), q('{a}') ],
    [ 'composite' => q(k eve.pair), q(ROW('a', 'b')) ],
);

# What she may not do, and is told so.
my @refused = (
    q(SELECT reverse_etl_internal.execute_as(10, 'ALTER ROLE eve SUPERUSER')), q(SELECT reverse_etl_internal.drop_sync_as(10, 'zoes')),
    q(SELECT reverse_etl_internal.wake_worker()), q(SELECT reverse_etl_internal.make_sync_tables(1)),
    q(CREATE FUNCTION eve.mine_as() RETURNS void LANGUAGE c AS '$libdir/reverse_etl', 'reverse_etl_hand_on'),
    (map { "CREATE FOREIGN TABLE eve.away (email text) SERVER inhouse OPTIONS ($_); INSERT INTO eve.away VALUES ('x'); DROP FOREIGN TABLE eve.away" }
        q(path '@evil.example/x'), q(path ':80@evil.example/'), q(path 'http://evil.example/'), q(path 'file:///etc/passwd'),
        qq(path '/x\nHost: evil.example'), q(path '/a', base_url 'http://evil.example'), q(path '/a', connector 'hubspot'),
        q(path '/a', ca_file '/etc/passwd'), q(path '/a', token 'x')),
    q(CREATE SERVER evil FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url 'file:///etc')),
    q(ALTER SERVER inhouse OPTIONS (SET base_url 'http://evil.example')), q(DROP USER MAPPING FOR PUBLIC SERVER inhouse),
    q(CREATE USER MAPPING FOR zoe SERVER inhouse), q(CREATE USER MAPPING FOR eve SERVER inhouse OPTIONS (base_url 'http://evil.example')),
    (map { "SELECT reverse_etl.$_" } q(pause_server('inhouse')), q(resume_server('inhouse')), q(pause('zoe.d')), q(drop_sync('zoes')),
        q(alter_sync('zoes', query => 'SELECT 1')), q(stream_table('zoe.src', 'eve.plain')), q(stream_sync('plain', 'zoe.src', '')),
        q(retry('zoe.d')), q(mend(0, '{}')), q(cancel_run(ZOES)), q(release_run(ZOES)), q(unstream_table('zoes')), q(stat_reset()),
        q(confirm_identity()), q(create_connector('evil', '{}')),
        q(create_sync('evil', 'SELECT * FROM zoe.src', 'eve.plain', '{email}')),
        q(create_sync('evil', 'SELECT email, name FROM eve.src', 'zoe.d', '{email}')),
        q(create_sync('evil', 'SELECT email, name FROM eve.src', 'eve.plain', '{email}', alert_to => 'zoe.d'))),
    (map { ("BEGIN; LOCK TABLE $_ IN ROW SHARE MODE", "CREATE TABLE eve.holds (r $_)",
            "CREATE FUNCTION eve.holds($_) RETURNS integer LANGUAGE sql AS 'SELECT 1'", "SELECT * FROM $_ FOR KEY SHARE") }
        map({ "reverse_etl.$_" } qw(runs streams outbox pauses)), 'reverse_etl_internal.sync_definitions'),
    q(CREATE TABLE reverse_etl_internal.mine ()), q(CREATE TABLE reverse_etl.mine ()),
    q(CREATE TABLE eve.child () INHERITS (reverse_etl_internal.outbox)), q(CREATE TABLE eve.fk (id bigint REFERENCES reverse_etl.runs)),
    q(CREATE TRIGGER t AFTER INSERT ON reverse_etl.runs EXECUTE FUNCTION suppress_redundant_updates_trigger()),
    q(SELECT * FROM reverse_etl_internal.outbox_requests), q(SELECT * FROM reverse_etl_internal.outbox_jobs),
    q(SELECT nextval('reverse_etl_internal.outbox_id_seq')),
    q(ALTER EVENT TRIGGER reverse_etl_guard_drop DISABLE), q(ALTER EXTENSION reverse_etl DROP TABLE reverse_etl.runs), q(DROP EXTENSION reverse_etl),
);

# Settings that a role, or the owner of a database, may give to those who connect.
my @settings = (
    q(search_path = eve, pg_catalog), q(role = zoe), q(statement_timeout = 1), q(lock_timeout = 1), q(idle_in_transaction_session_timeout = 1),
    q(default_transaction_read_only = on), q(default_transaction_isolation = serializable), q(default_transaction_deferrable = on),
    q(standard_conforming_strings = off), q(backslash_quote = on), q(array_nulls = off), q(transform_null_equals = on), q(quote_all_identifiers = on), q(row_security = off),
    q(DateStyle = 'German'), q(IntervalStyle = 'iso_8601'), q(TimeZone = 'Asia/Tokyo'), q(bytea_output = 'escape'), q(xmloption = document),
    q(restrict_nonsystem_relation_kind = 'view, foreign-table'), q(check_function_bodies = off), q(work_mem = 64), q(enable_indexscan = off), q(enable_seqscan = off),
    q(default_tablespace = 'none'), q(client_encoding = 'LATIN1'), q(plan_cache_mode = force_generic_plan),
    q(force_parallel_mode = on), q(exit_on_error = on), q(max_parallel_workers_per_gather = 8), q(application_name = 'reverse_etl worker'),
);

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
$_ =~ s/\bpostgres\b/"$superuser"/ for grep { /ROLE|AUTHORIZATION|GRANT/ } @tries;
set_up();

# Whoever's session it is: she calls everything with the worst search_path there is.
my @syncs = map { $_->[0] } @places;
for my $place (@places) {
    my ($name, $query, $columns) = @$place;
    $columns //= 'email text, name text';
    is(said_by_eve(<<~SQL), '', "$name: a sync is made and used");
        CREATE FOREIGN TABLE eve.d_$name ($columns) SERVER inhouse OPTIONS (path '/http/$name', key 'email', insert_as 'upsert');
        SELECT FROM reverse_etl.create_sync('$name', \$\$$query\$\$, 'eve.d_$name', '{email}', search_path => 'eve, pg_catalog');
        SELECT FROM reverse_etl.plan_sync('$name', look_up => false);
        SELECT FROM reverse_etl.resync('$name', 'eve.attempt() IS NOT NULL');
        SELECT FROM reverse_etl.release_rows('$name', 'eve.attempt() IS NOT NULL');
        SELECT FROM reverse_etl.retry('eve.d_$name', 'eve.attempt() IS NOT NULL');
        SELECT FROM reverse_etl.syncs; SELECT FROM reverse_etl.destinations; SELECT FROM reverse_etl.run_progress
        SQL
}
nobody_was_caught('in her own session');

# A superuser does it to her syncs, and goes on in the same session.
for my $name (@syncs) {
    acts("$name, a run" => qq(CALL reverse_etl.run_sync('$name', wait => false)));
    acts("$name, a run in a transaction" => qq(BEGIN; CALL reverse_etl.run_sync('$name', wait => false); ROLLBACK));
    acts("$name, a plan" => qq(SELECT FROM reverse_etl.plan_sync('$name', look_up => false)));
    acts("$name, a resync" => qq(SELECT FROM reverse_etl.resync('$name')), 'may not run');
}

# The process that runs syncs nobody waits for: hers, and in the end that of another role.
runner_runs(@syncs, 'zoes');
nobody_was_caught('by the process that runs syncs');

for my $alert (@alerts) {
    my ($name, $table) = @$alert;
    said_by_eve(sprintf "$table;", "alert_$name");
    is(said_by_eve(<<~SQL), '', "$name: a table that alerts go to");
        SELECT FROM reverse_etl.create_sync('alert_$name', 'SELECT email, (1 / (SELECT 0))::text AS name FROM eve.src',
            'eve.plain', '{email}', search_path => 'eve, pg_catalog', alert_to => 'eve.alert_$name')
        SQL
}
runner_runs((map { "alert_$_->[0]" } @alerts), 'zoes');
wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.alerts WHERE push_to IS NOT NULL AND pushed_at IS NULL') == 0 });
for my $alert (grep { $_->[0] !~ /instead|deferred/ } @alerts) {
    is($node->safe_psql('postgres', "SELECT count(*) FROM eve.alert_$alert->[0]"), 1, "$alert->[0]: the alert is there");
}
nobody_was_caught('by the process that pushes alerts');

# However long hers takes, others go on; and the process that runs it is connected as she is.
said_by_eve(<<~SQL);
    SELECT FROM reverse_etl.create_sync('sleeps', 'SELECT email, pg_sleep(600)::text AS name FROM eve.src', 'eve.plain', '{email}', search_path => 'pg_catalog')
    SQL
$node->safe_psql('postgres', q(UPDATE reverse_etl_internal.sync_definitions SET requested_at = now() WHERE name = 'sleeps'; SELECT reverse_etl_internal.wake_worker()));
wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.runs WHERE sync = 'sleeps' AND status = 'reading')) });
runner_runs('zoes');
my $hers = q(FROM pg_stat_activity WHERE backend_type = 'reverse_etl sync runner' AND wait_event = 'PgSleep');
is($node->safe_psql('postgres', "SELECT usename $hers"), 'eve', 'her process is connected as she is');
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $hers");
wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.runs WHERE sync = 'sleeps' AND status = 'cancelled')) });

for my $other (@others) {
    my ($name, $setup, $action, $may_not_run) = @$other;
    is(said_by_eve($setup), '', "$name: is made") if $setup;
    acts($name => $action, $may_not_run);
}

for my $key (@keys) {
    my ($name, $column, $value) = @$key;
    is(said_by_eve(<<~SQL), '', "$name: a key of a type of hers");
        CREATE TABLE eve.keys_$name ($column, name text); INSERT INTO eve.keys_$name VALUES ($value, 'n');
        CREATE FOREIGN TABLE eve.key_$name (k text, name text) SERVER inhouse OPTIONS (path '/nowhere', key 'k');
        SELECT FROM reverse_etl.create_sync('key_$name', 'SELECT k, name FROM eve.keys_$name', 'eve.key_$name', '{k}', mode => 'update');
        CALL reverse_etl.run_sync('key_$name', wait => false); UPDATE eve.keys_$name SET name = 'o';
        CALL reverse_etl.run_sync('key_$name')
        SQL
    is($node->safe_psql('postgres', "SELECT absent FROM reverse_etl.runs WHERE sync = 'key_$name' ORDER BY id DESC LIMIT 1"), 1,
        "$name: its destination does not have it");
    nobody_was_caught("$name: by the process that writes that down");
}

# Whatever way it may be found by.
like((outcome($node, q(SELECT reverse_etl_internal.execute_as('eve'::regrole, 'CREATE TABLE eve.made AS SELECT eve.own()'))))[1], qr/ERROR:  42501: function own is no superuser's/,
    'a statement of the machine runs no function of hers');

my $zoes_run = $node->safe_psql('postgres', q(SELECT max(id) FROM reverse_etl.runs WHERE sync = 'zoes'));
for my $sql (map { s/ZOES/$zoes_run/r } @refused) {
    like(said_by_eve($sql), qr/permission denied|must be (?:an? )?(?:owner|superuser)|invalid (?:option|value)|does not exist|do not fit connector/, "refused: $sql");
}

# Functions of hers that are asked before the conditions of a view or a policy would tell what is behind them.
said_by_eve(q(CREATE FUNCTION eve.look(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS 'BEGIN RAISE WARNING ''saw %'', $1; RETURN true; END'));
for my $relation (split /\n/, $node->safe_psql('postgres', q(SELECT oid::regclass FROM pg_class WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[])
        AND relkind IN ('r', 'v') AND has_table_privilege('eve', oid, 'SELECT')))) {
    my $saw = '';
    $node->psql('postgres', "SELECT count(*) FROM $relation AS r WHERE eve.look(r::text)", stderr => \$saw, extra_params => ['--username=eve']);
    unlike($saw, qr/zoe|z\@b/, "nothing of others is seen in $relation");
}

for my $of ('ROLE eve', 'DATABASE postgres') {
    $node->psql('template1', "ALTER $of SET $_") for @settings;
    # But for the sessions of the test.
    local $ENV{PGOPTIONS} = '-c role=none -c search_path=public -c statement_timeout=0 -c lock_timeout=0 -c client_encoding=UTF8 '
        . '-c default_transaction_read_only=off -c default_transaction_isolation=read\\ committed -c row_security=on';
    runner_runs('model', 'ordinary_names', 'zoes');
    $node->safe_psql('template1', "ALTER $of RESET ALL");
    nobody_was_caught("settings of $of");
}

unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/FATAL|PANIC|was caught/, 'no process had to end');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')), 1,
    'and the worker is there');

done_testing();

sub set_up {
    my $own = 'SELECT eve.own() IS NULL';
    my $url = $sandbox->url;
    $node->safe_psql('postgres', <<~SQL);
        CREATE ROLE eve LOGIN; CREATE SCHEMA eve AUTHORIZATION eve;
        CREATE ROLE zoe; CREATE SCHEMA zoe AUTHORIZATION zoe;
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
        CREATE USER MAPPING FOR PUBLIC SERVER inhouse;
        GRANT USAGE ON FOREIGN SERVER inhouse TO eve, zoe;
        CREATE SCHEMA watch;
        CREATE FUNCTION watch.state() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC
            SELECT name || ' = ' || setting FROM pg_settings WHERE name <> 'transaction_read_only'
            UNION ALL SELECT 'eve.mark = ' || current_setting('eve.mark', true) WHERE current_setting('eve.mark', true) <> ''
            UNION ALL SELECT 'user ' || current_user || ', ' || session_user
            UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
            UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE name <> ''
            UNION ALL SELECT 'listens to ' || c FROM pg_listening_channels() AS c
            UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
            UNION ALL SELECT 'temporary ' || proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema()
            UNION ALL SELECT 'temporary ' || typname FROM pg_type WHERE typnamespace = pg_my_temp_schema()
            UNION ALL SELECT 'temporary ' || oprname FROM pg_operator WHERE oprnamespace = pg_my_temp_schema();
        END;
        CREATE FUNCTION watch.changed(before text) RETURNS text LANGUAGE sql BEGIN ATOMIC
            SELECT COALESCE(string_agg(s, ', '), 'nothing') FROM (
                (SELECT * FROM watch.state() EXCEPT SELECT regexp_split_to_table(before, E'\\n'))
                UNION (SELECT regexp_split_to_table(before, E'\\n') EXCEPT SELECT * FROM watch.state())) AS _ (s);
        END;
        SQL
    is(said_by_eve(<<~SQL), '', 'eve prepares');
        CREATE SEQUENCE eve.ran; CREATE SEQUENCE eve.caught;
        GRANT USAGE ON SCHEMA eve TO PUBLIC; GRANT USAGE ON SEQUENCE eve.caught TO PUBLIC;
        -- What she is after: that others run this.
        CREATE FUNCTION eve.own() RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN
            IF current_user OPERATOR(pg_catalog.<>) 'eve' THEN
                PERFORM pg_catalog.nextval('eve.caught');
                RAISE LOG '% was caught', current_user;
                BEGIN ALTER ROLE eve SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END;
            END IF;
            RETURN NULL; END \$\$;
        -- It lies in wait under the names of Postgres' own functions, operators and types.
        CREATE FUNCTION eve.now() RETURNS timestamptz LANGUAGE sql AS '$own; SELECT pg_catalog.now()';
        CREATE FUNCTION eve.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS '$own; SELECT pg_catalog.clock_timestamp()';
        CREATE FUNCTION eve.format(text, text) RETURNS text LANGUAGE sql AS '$own; SELECT pg_catalog.format(\$1, \$2)';
        CREATE FUNCTION eve.quote_ident(name) RETURNS text LANGUAGE sql AS '$own; SELECT pg_catalog.quote_ident(\$1)';
        CREATE FUNCTION eve.quote_literal(text) RETURNS text LANGUAGE sql AS '$own; SELECT pg_catalog.quote_literal(\$1)';
        CREATE FUNCTION eve.to_jsonb(timestamptz) RETURNS jsonb LANGUAGE sql AS '$own; SELECT pg_catalog.to_jsonb(\$1)';
        CREATE FUNCTION eve.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS '$own';
        CREATE FUNCTION eve.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE sql AS '$own; SELECT pg_catalog.unnest(\$1)';
        CREATE FUNCTION eve.substr(name, integer) RETURNS text LANGUAGE sql AS '$own; SELECT pg_catalog.substr(\$1::text, \$2)';
        CREATE DOMAIN eve.oid AS pg_catalog.oid CHECK (eve.own() IS NULL);
        CREATE DOMAIN eve.regclass AS pg_catalog.regclass CHECK (eve.own() IS NULL);
        CREATE DOMAIN eve.text AS pg_catalog.text CHECK (eve.own() IS NULL);
        CREATE DOMAIN eve.jsonb AS pg_catalog.jsonb CHECK (eve.own() IS NULL);
        DO \$\$ DECLARE type text; operator text; BEGIN
            FOREACH type IN ARRAY '{text,name,oid,int4,int8,timestamptz,bool,jsonb}'::text[] LOOP
                FOREACH operator IN ARRAY '{=,<>,<=,>,-}'::text[] LOOP
                    CONTINUE WHEN operator OPERATOR(pg_catalog.=) '-' AND type OPERATOR(pg_catalog.!~) 'int|time';
                    EXECUTE format('CREATE FUNCTION eve.%I(l pg_catalog.%s, r pg_catalog.%2\$s) RETURNS %s LANGUAGE plpgsql AS
                        \$_\$ BEGIN PERFORM eve.own(); RETURN l OPERATOR(pg_catalog.%1\$s) r; END \$_\$', operator, type,
                        CASE WHEN operator OPERATOR(pg_catalog.<>) '-' THEN 'pg_catalog.bool' WHEN type OPERATOR(pg_catalog.=) 'timestamptz' THEN 'pg_catalog.interval' ELSE 'pg_catalog.' || type END);
                    EXECUTE format('CREATE OPERATOR eve.%s (LEFTARG = pg_catalog.%s, RIGHTARG = pg_catalog.%2\$s, FUNCTION = eve.%I)', operator, type, operator);
                END LOOP;
            END LOOP; END \$\$;

        CREATE TABLE eve.tries (id integer, sql pg_catalog.text);
        CREATE FUNCTION eve.attempt() RETURNS pg_catalog.text LANGUAGE plpgsql AS \$\$ DECLARE try pg_catalog.text; BEGIN
            PERFORM eve.own(), nextval('eve.ran');
            FOR try IN SELECT sql FROM eve.tries ORDER BY id LOOP
                BEGIN EXECUTE try; EXCEPTION WHEN OTHERS THEN NULL; END;
            END LOOP;
            RETURN 'x'; END \$\$;
        CREATE FUNCTION eve.attempt_at_once() RETURNS pg_catalog.text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt(); END';
        CREATE FUNCTION eve.attempt_at_once(pg_catalog.text) RETURNS pg_catalog.text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt(); END';
        CREATE FUNCTION eve.attempts() RETURNS SETOF pg_catalog.text LANGUAGE plpgsql AS 'BEGIN RETURN NEXT eve.attempt(); END';
        CREATE FUNCTION eve.attempt_step(pg_catalog.text, pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt(); END';
        CREATE AGGREGATE eve.all_of(pg_catalog.text) (SFUNC = eve.attempt_step, STYPE = pg_catalog.text);
        CREATE FUNCTION eve.lower(pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt(); END';
        CREATE FUNCTION eve.like_it(pg_catalog.text, pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt() IS NOT NULL; END';
        CREATE OPERATOR eve.~~~ (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = eve.like_it);
        CREATE FUNCTION eve.on_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM eve.attempt(); RETURN NEW; END';
        CREATE FUNCTION eve.on_event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM eve.own(); END';
        CREATE DOMAIN eve.checked AS pg_catalog.text CHECK (eve.attempt() IS NOT NULL);
        CREATE TYPE eve.mood AS ENUM ('n');
        CREATE FUNCTION eve.to_mood(pg_catalog.text) RETURNS eve.mood LANGUAGE plpgsql AS \$\$ BEGIN PERFORM eve.attempt(); RETURN 'n'::eve.mood; END \$\$;
        CREATE CAST (pg_catalog.text AS eve.mood) WITH FUNCTION eve.to_mood(pg_catalog.text) AS ASSIGNMENT;
        CREATE TABLE eve.src (email pg_catalog.text, name pg_catalog.text);
        INSERT INTO eve.src VALUES ('a\@b.example', 'n');
        CREATE VIEW eve.view AS SELECT email, eve.attempt() AS name FROM eve.src;
        CREATE TABLE eve.guarded AS SELECT * FROM eve.src;
        ALTER TABLE eve.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY p ON eve.guarded USING (eve.attempt() IS NOT NULL);
        CREATE TYPE eve.k AS ENUM ('a', 'b'); CREATE TYPE eve.pair AS (one eve.k, other eve.k);
        CREATE FUNCTION eve.as_json(eve.k) RETURNS json LANGUAGE plpgsql AS 'BEGIN PERFORM eve.attempt(); RETURN ''1''; END';
        CREATE FUNCTION eve.as_json(eve.pair) RETURNS json LANGUAGE plpgsql AS 'BEGIN PERFORM eve.attempt(); RETURN ''1''; END';
        CREATE FUNCTION eve.as_text(eve.k) RETURNS pg_catalog.text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN eve.attempt(); END';
        CREATE CAST (eve.k AS json) WITH FUNCTION eve.as_json(eve.k); CREATE CAST (eve.pair AS json) WITH FUNCTION eve.as_json(eve.pair);
        CREATE CAST (eve.k AS pg_catalog.text) WITH FUNCTION eve.as_text(eve.k) AS ASSIGNMENT;
        CREATE TABLE eve.deferred (n integer);
        CREATE FUNCTION eve.on_commit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM eve.own(); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON eve.deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION eve.on_commit();
        CREATE FOREIGN TABLE eve.plain (email pg_catalog.text, name pg_catalog.text) SERVER inhouse OPTIONS (path '/http/plain', key 'email', insert_as 'upsert');
        SELECT FROM reverse_etl.create_sync('plain', 'SELECT email, name FROM eve.src', 'eve.plain', '{email}', search_path => 'pg_catalog');
        SQL
    my $number = 0;
    $node->safe_psql('postgres', join ';', map { $number++; "INSERT INTO eve.tries VALUES ($number, \$try\$$_\$try\$)" } @tries);
    $node->safe_psql('postgres', <<~'SQL');
        SET ROLE zoe;
        CREATE TABLE zoe.src AS SELECT 'z@b.example' AS email, 'z' AS name;
        CREATE FOREIGN TABLE zoe.d (email text, name text) SERVER inhouse OPTIONS (path '/http/zoe', key 'email', insert_as 'upsert');
        SELECT reverse_etl.create_sync('zoes', 'SELECT email, lower(name) AS name FROM zoe.src WHERE email = lower(email)', 'zoe.d', '{email}');
        SQL
    return;
}

# What goes wrong in a session of hers, in which everything is found in her schema first.
sub said_by_eve {
    my ($sql) = @_;
    my $said = '';
    $node->psql('postgres', "SET search_path = eve, pg_catalog; SET client_min_messages = error; $sql",
        stderr => \$said, on_error_stop => 0, extra_params => [ '--username=eve' ]);
    # The model of one divides by zero.
    return join "\n", grep { /ERROR|FATAL|server closed/ && !/division by zero/ } split /\n/, $said;
}

# acts(NAME, SQL): a superuser does that, and goes on in the same session. Nothing is left of what her code has set.
sub acts {
    my ($name, $sql, $may_not_run) = @_;
    my ($found, $said);
    # A run that is asked for while another is under way comes after it.
    $node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM reverse_etl.run_progress');
    $node->psql('postgres', <<~SQL, stdout => \$found, stderr => \$said, on_error_stop => 0);
        SET client_min_messages = warning;
        LOAD 'reverse_etl';
        DO 'BEGIN END';
        CREATE TEMP TABLE kept (n integer);
        PREPARE kept AS SELECT 1;
        LISTEN kept;
        UPDATE eve.src SET email = gen_random_uuid(); -- something to send
        SELECT string_agg(s, E'\\n') AS before FROM watch.state() AS s \\gset
        SELECT last_value AS ran FROM eve.ran \\gset
        $sql;
        SELECT watch.changed(:'before');
        SELECT now() IS NOT NULL, format('%s', 'a'::text) IS NOT NULL, 'a'::text = 'b'::text, 1 = 1, 'pg_class'::regclass IS NOT NULL \\g /dev/null
        CALL reverse_etl.run_sync('zoes', wait => false);
        SELECT last_value OPERATOR(pg_catalog.>) :ran FROM eve.ran;
        SQL
    my ($ran) = reverse split /\n/, $found;
    my ($changed) = $found =~ /^(.*)\n[tf]$/m;
    is($changed, 'nothing', "$name: the session is as it was") or diag($said);
    is($ran, 't', "$name: her code did run") or diag($said) if !$may_not_run;
    nobody_was_caught("$name: and nobody");
    return;
}

# The background worker's process runs the syncs: the last one is another role's, and is delivered.
sub runner_runs {
    my @names = @_;
    my $names = join ', ', map { "'$_'" } @names;
    my $runs  = "SELECT count(DISTINCT sync) FROM reverse_etl.runs WHERE sync IN ($names) AND id > ";
    my $last  = $node->safe_psql('postgres', 'SELECT COALESCE(max(id), 0) FROM reverse_etl.runs');
    $node->safe_psql('postgres', <<~SQL);
        UPDATE zoe.src SET name = name || 'z';
        UPDATE reverse_etl_internal.sync_definitions SET requested_at = now() WHERE name IN ($names);
        SELECT reverse_etl_internal.wake_worker()
        SQL
    wait_until(sub { $node->safe_psql('postgres', "$runs $last AND status IN ('completed', 'failed', 'held')") == @names });
    is($node->safe_psql('postgres', "SELECT status, accepted FROM reverse_etl.runs WHERE sync = 'zoes' ORDER BY id DESC LIMIT 1"),
        'completed|1', 'the sync of another role goes on beside them');
    return;
}

sub nobody_was_caught {
    my ($name) = @_;
    is($node->safe_psql('postgres', q(SELECT is_called, (SELECT rolsuper FROM pg_roles WHERE rolname = 'eve') FROM eve.caught)),
        'f|f', "$name: nobody ran her code with their rights");
    return;
}
