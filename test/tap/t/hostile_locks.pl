# A role holds locks on what is its own, in a transaction that does not end: others' rows leave all the same, and others
# alter and drop what is theirs.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "log_statement = none\nmax_worker_processes = 16");
my $url     = $sandbox->url;

# What she holds in a transaction that does not end, and others may not wait for.
my @holds = (
    [ 'a run that she cancels'  => q(SELECT reverse_etl.cancel_run(max(id)) FROM reverse_etl.runs WHERE sync = 'shared') ],
    [ 'a sync that she changes' => q(SELECT reverse_etl.alter_sync('shared', max_attempts => 7)) ],
    [ 'rows of a sync'          => q(SELECT reverse_etl.resync('shared')) ],
    [ 'all her destinations'    => q(DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE pg_catalog.format('ALTER FOREIGN TABLE eve.many_%s RENAME name TO other', i::text); END LOOP; END $$)],
    [ 'all that she may read'   => q(LOCK TABLE reverse_etl.runs, reverse_etl.outbox, reverse_etl.pauses, reverse_etl.audit_log IN ACCESS SHARE MODE) ],
);

$node->safe_psql('postgres', <<~SQL);
    CREATE ROLE eve LOGIN; CREATE SCHEMA eve AUTHORIZATION eve; CREATE ROLE zoe;
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url');
    CREATE USER MAPPING FOR PUBLIC SERVER inhouse;
    GRANT USAGE ON FOREIGN SERVER inhouse TO eve, zoe;
    SQL
said_by_eve(q(CREATE TABLE eve.src AS SELECT 'a@b.example' AS email, ''::text AS name));

# Others' rows leave, however long she holds what is hers.
$node->safe_psql('postgres', <<~'SQL');
    CREATE SCHEMA shared; GRANT USAGE ON SCHEMA shared TO eve, zoe;
    CREATE FOREIGN TABLE shared.d (email text, name text) SERVER inhouse OPTIONS (path '/http/shared', key 'email', insert_as 'upsert');
    GRANT SELECT, INSERT, UPDATE, DELETE ON shared.d TO eve, zoe;
    SQL
said_by_eve(<<~'SQL');
    SELECT FROM reverse_etl.create_sync('shared', 'SELECT email, name FROM eve.src', 'shared.d', '{email}', search_path => 'pg_catalog');
    DO $$ BEGIN FOR i IN 1..40 LOOP
        EXECUTE format('CREATE FOREIGN TABLE eve.many_%s (name text) SERVER inhouse OPTIONS (path ''/http/many'')', i);
    END LOOP; END $$
    SQL
for my $hold (@holds) {
    my ($name, $sql) = @$hold;
    $node->safe_psql('postgres', q(SELECT reverse_etl.pause_server('inhouse')));
    said_by_eve(q(UPDATE eve.src SET name = pg_catalog.gen_random_uuid(); CALL reverse_etl.run_sync('shared', wait => false)));
    said_by_eve(q(DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE pg_catalog.format('INSERT INTO eve.many_%s VALUES (''x'')', i::text); END LOOP; END $$));
    open my $session, '|-', 'psql', '-XAtqo', '/dev/null', '-U', 'eve', '-d', $node->connstr('postgres') or die "cannot run psql: $!";
    $session->autoflush;
    print $session "BEGIN; $sql;\n";
    wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE usename = 'eve' AND state = 'idle in transaction')) });
    $node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('inhouse')));
    my (undef, $said) = outcome($node, <<~'SQL');
        SET ROLE zoe;
        BEGIN; INSERT INTO shared.d VALUES ('z@b.example', 'z'); COMMIT;
        CALL reverse_etl.wait('shared.d', '5 s');
        SQL
    unlike($said, qr/ERROR/, "$name: others' rows leave meanwhile") or diag($said);
    close $session;
    wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') == 0 });
    like($node->safe_psql('postgres', q(SELECT status FROM reverse_etl.runs WHERE sync = 'shared' ORDER BY id DESC LIMIT 1)), qr/completed|cancelled/,
        "$name: and hers has its end");
}

# Rows of hers that a destination rejected are hers when she may not use it any more; the destination is not.
$node->safe_psql('postgres', <<~'SQL');
    CREATE FOREIGN TABLE shared.e (email text, name text) SERVER inhouse OPTIONS (path '/http/shared', key 'email', insert_as 'upsert');
    GRANT INSERT ON shared.e TO eve;
    SQL
outcome($node, q(SET ROLE eve; INSERT INTO shared.e VALUES ('bad', 'x'), ('bad2', 'y')));
$node->safe_psql('postgres', 'REVOKE ALL ON shared.e FROM eve; REVOKE ALL ON SCHEMA shared FROM eve');
is($node->safe_psql('postgres', q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'shared.e'::regclass)), 2,
    'she has rejected rows');
open my $session, '|-', 'psql', '-XAtqo', '/dev/null', '-U', 'eve', '-d', $node->connstr('postgres') or die "cannot run psql: $!";
$session->autoflush;
print $session qq(BEGIN; SELECT reverse_etl.discard(\$\$"row" ->> 'name' = 'x'\$\$);\n);
wait_until(sub { $node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE usename = 'eve' AND state = 'idle in transaction')) });
for my $sql ('ALTER FOREIGN TABLE shared.e RENAME name TO other', 'DROP FOREIGN TABLE shared.e') {
    is((outcome($node, "SET lock_timeout = '5s'; $sql"))[1], '', "while she is about to discard one: $sql");
}
print $session "ROLLBACK;\n";
close $session;
my $of_dropped = q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination IS NOT NULL);
is($node->safe_psql('postgres', $of_dropped), 1, 'what she held points to what was dropped');
$node->safe_psql('postgres', 'SELECT reverse_etl_internal.forget_dropped_destinations()');
is($node->safe_psql('postgres', $of_dropped), 0, 'until the worker looks for what was dropped');

done_testing();

sub said_by_eve {
    my ($sql) = @_;
    return $node->safe_psql('postgres', $sql, extra_params => ['--username=eve']);
}
