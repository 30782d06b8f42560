# A row leaves only when it can no longer be rolled back: whatever runs the statement, and whatever else it does. Each way
# is tried in a session that has the library, and as the first thing that a session does.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "wal_level = logical\nmax_wal_senders = 5\nwal_retrieve_retry_interval = 100ms");
my $waiting = sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') };
my $arrived = sub {
    wait_until(sub { $waiting->() == 0 });
    return $node->safe_psql('postgres', q(SELECT string_agg(id, ' ' ORDER BY id) FROM sent));
};

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER api FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '${\$sandbox->url}/http');
    CREATE USER MAPPING FOR PUBLIC SERVER api;
    CREATE FOREIGN TABLE sent (id text) SERVER api OPTIONS (path '/sent', key 'id');
    CREATE FUNCTION send() RETURNS integer LANGUAGE plpgsql AS
        \$\$ BEGIN INSERT INTO public.sent VALUES ('function'); RETURN 1; END \$\$;
    CREATE FUNCTION send_by_cursor() RETURNS integer LANGUAGE plpgsql AS \$\$
        DECLARE
            r record;
        BEGIN
            FOR r IN WITH s AS (INSERT INTO sent VALUES ('cursor') RETURNING id) SELECT * FROM s LOOP
                NULL;
            END LOOP;
            RETURN 1;
        END \$\$;
    CREATE FUNCTION folded() RETURNS integer IMMUTABLE LANGUAGE plpgsql AS \$\$ BEGIN RETURN send(); END \$\$;

    CREATE FUNCTION to_sent() RETURNS trigger LANGUAGE plpgsql AS
        \$\$ BEGIN INSERT INTO public.sent VALUES (NEW.id); RETURN NULL; END \$\$;
    CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE 'refused at the end'; END \$\$;
    CREATE TABLE watched (id text);
    CREATE TRIGGER a AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION to_sent();
    CREATE TRIGGER z AFTER INSERT ON watched FOR EACH STATEMENT EXECUTE FUNCTION late();
    CREATE TABLE at_commit (id text);
    CREATE CONSTRAINT TRIGGER a AFTER INSERT ON at_commit DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION to_sent();
    CREATE CONSTRAINT TRIGGER z AFTER INSERT ON at_commit DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION late();
    CREATE MATERIALIZED VIEW seen AS SELECT send() / 0 AS n WITH NO DATA;

    -- A second row with u = 1 fails at COMMIT.
    CREATE TABLE local (id text, u int UNIQUE DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO local VALUES ('0', 1);
    CREATE TABLE ruled (id text);
    CREATE RULE r AS ON INSERT TO ruled DO INSTEAD
        (INSERT INTO local VALUES (NEW.id, 1); INSERT INTO sent VALUES (NEW.id));
    CREATE VIEW recorded AS SELECT id FROM sent;
    CREATE RULE r AS ON INSERT TO recorded DO INSTEAD
        (INSERT INTO sent VALUES (NEW.id); INSERT INTO local VALUES (NEW.id, 1));
    CREATE TABLE parts (id text, u int) PARTITION BY LIST (u);
    CREATE FOREIGN TABLE parts_sent PARTITION OF parts FOR VALUES IN (2) SERVER api OPTIONS (path '/sent', key 'id');
    ALTER TABLE parts ATTACH PARTITION local FOR VALUES IN (1);
    SQL

my %rolled_back = (
    'a trigger of a COPY'                 => "COPY watched FROM stdin;\nx\n\\.\n",
    'EXPLAIN ANALYZE of a trigger'        => q(EXPLAIN ANALYZE INSERT INTO watched VALUES ('x');),
    'EXPLAIN ANALYZE of a function'       => 'EXPLAIN ANALYZE SELECT send() / 0;',
    'a trigger'                           => q(INSERT INTO watched VALUES ('x');),
    'a trigger at COMMIT'                 => q(INSERT INTO at_commit VALUES ('x');),
    'SET CONSTRAINTS'                     => q(BEGIN; INSERT INTO at_commit VALUES ('x'); SET CONSTRAINTS ALL IMMEDIATE; COMMIT;),
    'a rule'                              => q(INSERT INTO ruled VALUES ('x');),
    'EXPLAIN ANALYZE of a rule'           => q(EXPLAIN ANALYZE INSERT INTO recorded VALUES ('x');),
    'a rule of a view'                    => q(INSERT INTO recorded VALUES ('x');),
    'WITH before'                         => q(WITH i AS (INSERT INTO local VALUES ('x', 1) RETURNING id) INSERT INTO sent SELECT id FROM i;),
    'WITH after'                          => q(WITH i AS (INSERT INTO sent VALUES ('x') RETURNING id) INSERT INTO local SELECT id, 1 FROM i;),
    'EXECUTE of a WITH'                   => q(PREPARE p AS WITH i AS (INSERT INTO local VALUES ('x', 1) RETURNING id) INSERT INTO sent SELECT id FROM i; EXECUTE p;),
    'partitions'                          => q(INSERT INTO parts VALUES ('x', 2), ('y', 1);),
    'COPY to partitions'                  => "COPY parts FROM stdin;\nx\t2\ny\t1\n\\.\n",
    'a function in an argument'           => 'PREPARE p AS SELECT 1 / ($1 - 1); EXECUTE p(send());',
    'a cursor in an argument'             => 'PREPARE p AS SELECT 1 / ($1 - 1); EXECUTE p(send_by_cursor());',
    'a function'                          => 'SELECT send() / 0;',
    'a function in FROM'                  => 'SELECT 1 / (n - 1) FROM send() AS n;',
    'a function that is planned'          => 'SELECT folded() / 0;',
    'a cursor in a function'              => 'SELECT send_by_cursor() / 0;',
    'a cursor that outlives'              => 'DECLARE c CURSOR WITH HOLD FOR SELECT send() / 0;',
    'a DO block'                          => q(DO $$ BEGIN INSERT INTO sent VALUES ('x'); PERFORM 1 / 0; END $$;),
    'CREATE TABLE AS'                     => 'CREATE TABLE t AS SELECT send() / 0;',
    'a materialized view'                 => 'REFRESH MATERIALIZED VIEW seen;',
    'COPY of a query'                     => 'COPY (SELECT send() / 0) TO stdout;',
);
for my $how (sort keys %rolled_back) {
    for my $load ('', 'SELECT FROM reverse_etl.options; ') {
        my (undef, $said) = outcome($node, $load . $rolled_back{$how});
        like($said, qr/NOTICE: .* are queued.*ERROR: /s,
            $how . ($load ? '' : ', as the first statement') . ': queued and rolled back');
    }
}
is($arrived->(), '', 'nothing arrived');

# The same, where nothing fails
$node->safe_psql('postgres', <<~SQL);
    DROP TRIGGER z ON watched;
    DROP TRIGGER z ON at_commit;
    ALTER TABLE parts DETACH PARTITION local;
    UPDATE local SET u = 2;
    CREATE TABLE parts_local PARTITION OF parts FOR VALUES IN (1);
    CREATE PROCEDURE send_in_two() LANGUAGE plpgsql AS \$\$
        BEGIN INSERT INTO sent VALUES ('call1'); COMMIT; INSERT INTO sent VALUES ('call2'); END \$\$;
    SQL
outcome($node, $_) for (
    "COPY watched FROM stdin;\ncopied\n\\.\n",
    q(EXPLAIN ANALYZE INSERT INTO watched VALUES ('explained');),
    q(EXPLAIN ANALYZE INSERT INTO sent VALUES ('analyzed');),
    q(INSERT INTO at_commit VALUES ('commit');),
    q(WITH i AS (INSERT INTO local VALUES ('with', 3) RETURNING id) INSERT INTO sent SELECT id FROM i;),
    q(INSERT INTO parts VALUES ('part', 2), ('other', 1);),
    'CALL send_in_two();',
);
is($arrived->(), 'analyzed call1 call2 commit copied explained part with', 'what commits leaves');

# What stands alone leaves at once, however the client asks for it.
my $at_once = sub {
    my ($statement, $tag) = @_;
    my ($output, $said) = outcome($node, $statement);
    is($output, $tag, "the tag: $statement" =~ s/\n.*//sr);
    unlike($said, qr/queued/, 'at once');
};
$at_once->(q(INSERT INTO sent VALUES ('alone');), 'INSERT 0 1');
$at_once->(q(PREPARE p AS INSERT INTO sent VALUES ($1); EXECUTE p('executed');), 'INSERT 0 1');
$at_once->(q(WITH s AS (INSERT INTO sent VALUES ('both') RETURNING id) INSERT INTO sent SELECT id || '2' FROM s;), 'INSERT 0 1');
$at_once->("SELECT FROM reverse_etl.options; COPY sent FROM stdin;\nloaded\n\\.\n", 'COPY 1');
$at_once->("COPY sent FROM stdin;\nloading\n\\.\n", 'COPY 1');
$at_once->(q(UPDATE sent SET id = 'updated' WHERE id = 'alone';), 'UPDATE 1');

# Pipelines: the first statement commits by itself, the others are one transaction with what follows.
my $pipeline = sub {
    my $script = $node->basedir . '/pipeline';
    unlink $script;
    append_to_file($script, join "\n", '\startpipeline', @_, '\endpipeline', '');
    my ($stdout, $stderr);
    IPC::Run::run [ 'pgbench', '-n', '-t', '1', '-M', 'extended', '-f', $script, $node->connstr('postgres') ], '>', \$stdout, '2>', \$stderr;
    return $stderr;
};
$node->safe_psql('postgres', 'CREATE TABLE l (id int PRIMARY KEY); INSERT INTO l VALUES (1); DELETE FROM sent');
my $said = $pipeline->(q(INSERT INTO sent VALUES ('first');), q(INSERT INTO l VALUES (1);));
unlike($said, qr/queued/, 'the first of a pipeline leaves at once');
like($said, qr/duplicate key/, 'and does not wait for the others');
$said = $pipeline->(q(INSERT INTO l VALUES (2);), q(INSERT INTO sent VALUES ('second');), q(INSERT INTO l VALUES (1);));
like($said, qr/queued.*duplicate key/s, 'the second is queued, and rolled back');
$said = $pipeline->('SELECT 1;', q(INSERT INTO sent VALUES ('third');), 'SELECT 1;');
like($said, qr/queued/, 'also if nothing was written before');
is($arrived->(), 'first third', 'what arrived');
is($node->safe_psql('postgres', 'SELECT count(*) FROM l'), 1, 'the pipelines were rolled back');
$node->safe_psql('postgres', q(ALTER SERVER api OPTIONS (ADD delivery 'immediate')));
like($pipeline->('SELECT 1;', q(INSERT INTO sent VALUES ('forced');)), qr/cannot deliver to "public.sent" immediately/,
    'immediate: refused in a pipeline, as in a block');

# An UPDATE that moves rows into a partition that it also updates
for my $delivery ('immediate', 'queued') {
    $node->safe_psql('postgres', <<~SQL);
        ALTER SERVER api OPTIONS (SET delivery '$delivery');
        TRUNCATE parts_local;
        INSERT INTO parts_local VALUES ('l1', 1), ('l2', 1);
        SQL
    my (undef, $moved) = outcome($node, q(UPDATE parts SET u = 2 WHERE id IN ('l1', 'l2', 'part');));
    like($moved, qr/ERROR:  0A000: cannot move rows into destination "parts_sent", which the statement updates too/,
        "$delivery: rows are not moved into a destination that is updated");
    my (undef, $alone) = outcome($node, q(UPDATE parts SET u = 2 WHERE u = 1 AND id = 'l1';));
    unlike($alone, qr/ERROR/, 'they are if it is not');
}
$node->safe_psql('postgres', q(ALTER SERVER api OPTIONS (DROP delivery)));
is($arrived->(), 'first l1 l1 third', 'and arrive');

# A worker that applies what another server replicates: what it cannot apply, it tries again and again.
$node->safe_psql('postgres', 'CREATE DATABASE publisher');
$node->safe_psql('publisher', q(CREATE TABLE r (id text); CREATE TABLE once (id int); CREATE PUBLICATION p FOR ALL TABLES;
    SELECT pg_create_logical_replication_slot('s', 'pgoutput')));
$node->safe_psql('postgres', <<~SQL);
    CREATE TABLE r (id text);
    CREATE TABLE once (id int PRIMARY KEY);
    INSERT INTO once VALUES (1);
    CREATE TRIGGER a AFTER INSERT ON r FOR EACH ROW EXECUTE FUNCTION to_sent();
    ALTER TABLE r ENABLE ALWAYS TRIGGER a;
    CREATE SUBSCRIPTION s CONNECTION 'host=${\$node->host} port=${\$node->port} dbname=publisher' PUBLICATION p
        WITH (create_slot = false, slot_name = 's', copy_data = false);
    SQL
$node->safe_psql('publisher', q(BEGIN; INSERT INTO r VALUES ('replicated'); INSERT INTO once VALUES (1); COMMIT));
wait_until(sub { ($node->safe_psql('postgres', 'SELECT apply_error_count FROM pg_stat_subscription_stats') // 0) >= 2 });
is($arrived->(), 'first l1 l1 third', 'a subscriber that cannot apply sends nothing');
$node->safe_psql('postgres', 'DELETE FROM once');
wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM once') == 1 });
is($arrived->(), 'first l1 l1 replicated third', 'and sends once what it has applied');
$node->safe_psql('postgres', 'DROP SUBSCRIPTION s');

done_testing();
