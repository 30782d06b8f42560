# Rows of one statement wait many to a tuple. Nobody sees that: rows can be read, changed and deleted one by one, some of them
# leave before others, and what becomes of each is its own.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nwal_level = logical\nrestart_after_crash = on");
my $options = "OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '2')";
sub sql { return $node->safe_psql('postgres', @_) }
sql(<<~SQL);
    CREATE PUBLICATION everything FOR ALL TABLES;
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl $options;
    CREATE FOREIGN TABLE events (n integer, note text) SERVER inhouse OPTIONS (path '/http/events', batch_size '7');
    CREATE FOREIGN TABLE things (email text, n integer) SERVER inhouse OPTIONS (path '/http/things', key 'email');
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url', delivery 'queued');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE ROLE clerk;
    GRANT INSERT ON events TO clerk;
    SQL

sub waiting { return sql('SELECT count(*) FROM reverse_etl.outbox') }
sub tuples { return sql('SELECT count(*) FROM reverse_etl_internal.outbox') }
sub records { return $sandbox->get("/_sandbox/records/http/$_[0]") }
sub arrived { return join ' ', sort { $a <=> $b } map { $_->{n} } records('events')->@* }
# The worker has read the rows while they waited, before they were changed here.
sub go_on { sql(q(SELECT reverse_etl.resume_server('inhouse'))); return }
sub fresh { $sandbox->post('/_sandbox/reset?keep=settings'); return }
# Numbers of a pack that reaches over a row which is not in it: rows are read by their numbers, and one would be passed by.
my $interleaved = <<~'SQL';
    SELECT id, next FROM (SELECT id + CASE WHEN pack IS NULL THEN 0 ELSE get_byte(pack, 1 + get_byte(pack, 1)) END AS id,
                                 lead(id) OVER (PARTITION BY destination ORDER BY id) AS next FROM reverse_etl_internal.outbox) AS _
     WHERE id >= next
    SQL

# As they are stored
sql(q(SELECT reverse_etl.pause_server('inhouse')));
sql(q(INSERT INTO events SELECT i, CASE WHEN i = 500 THEN repeat('wide ', 8000) WHEN i % 3 = 0 THEN E'q"\\\\ü€😀\n' || i END FROM generate_series(1, 1000) AS i));
is(waiting(), 1000, 'every row is there');
cmp_ok(tuples(), '<', 50, 'in few tuples');
is(sql(q(SELECT count(*) FROM reverse_etl.outbox JOIN generate_series(1, 1000) AS i ON i = ("row" ->> 'n')::integer
          WHERE "row" ->> 'note' IS NOT DISTINCT FROM CASE WHEN i = 500 THEN repeat('wide ', 8000) WHEN i % 3 = 0 THEN E'q"\\\\ü€😀\n' || i END)),
    1000, 'with its values');
is(sql(q(SELECT bool_and(n > before) FROM (SELECT n, lag(n) OVER (ORDER BY id) AS before
            FROM (SELECT id, ("row" ->> 'n')::integer AS n FROM reverse_etl.outbox) AS _) AS _)), 't', 'numbered in order');
is(sql(q(SET ROLE clerk; INSERT INTO events SELECT 2000 + i FROM generate_series(1, 10) AS i; SELECT count(*), min("row" ->> 'n') FROM reverse_etl.outbox)),
    '10|2001', 'a role sees its own');
is(waiting(), 1010, 'and a superuser all');
is(sql(q(SELECT waiting FROM reverse_etl.destinations WHERE destination = 'events'::regclass)), 1010, 'they are counted');
is(sql(q(BEGIN; SAVEPOINT a; INSERT INTO events SELECT generate_series(1, 100); ROLLBACK TO a; COMMIT; SELECT count(*) FROM reverse_etl.outbox)), 1010,
    'what is rolled back is not there');

# By hand
is((outcome($node, q(DELETE FROM reverse_etl.outbox WHERE ("row" ->> 'n')::integer % 10 = 0)))[0], 'DELETE 101', 'some are deleted');
is((outcome($node, q(UPDATE reverse_etl.outbox SET attempts = 1, next_attempt_at = now() + interval '1 s' WHERE "row" ->> 'n' IN ('15', '16', '2005'))))[0],
    'UPDATE 3', 'some are changed');
is(sql(q(SELECT string_agg("row" ->> 'n', ' ' ORDER BY id) FROM reverse_etl.outbox WHERE attempts = 1)), '15 16 2005', 'and are what they were changed to');
is(waiting(), 909, 'the others are there');
is(sql($interleaved), '', 'no pack reaches over another row');
my @left = grep { $_ % 10 } 1 .. 1000, 2001 .. 2010;
fresh();
$sandbox->post('/_sandbox/faults', { latency_ms => 5 });
go_on();
wait_until(sub { waiting() == 0 });
is(arrived(), join(' ', @left), 'what was left leaves once, some before others of their pack');
is(tuples(), 0, 'nothing is left of the packs');
is(sql(q(SELECT sum(accepted) FROM reverse_etl.audit_log WHERE destination = 'events'::regclass)), 909, 'counts add up');
is(sql(q(SELECT rows_waiting, bytes_waiting FROM reverse_etl.stat_destinations WHERE destination = 'events'::regclass)), '0|0', 'and nothing is said to wait');

# What is put off while others leave, and leaves in its turn
$sandbox->post('/_sandbox/faults', {});
fresh();
sql(q(SELECT reverse_etl.pause_server('inhouse')));
sql(q(INSERT INTO events SELECT generate_series(1, 300)));
sql(q(UPDATE reverse_etl.outbox SET attempts = 1, next_attempt_at = now() + interval '4 s' WHERE "row" ->> 'n' = '150'));
go_on();
wait_until(sub { waiting() == 1 });
is(sql(q(SELECT "row" ->> 'n' FROM reverse_etl.outbox)), 150, 'the one that is not due is left');
wait_until(sub { waiting() == 0 });
is(arrived(), join(' ', 1 .. 300), 'until it is');

# What is refused among what is not
sql(q(INSERT INTO contacts SELECT CASE WHEN i % 50 = 0 THEN 'not an address ' || i ELSE 'c' || i || '@example.com' END, 'n' FROM generate_series(1, 500) AS i));
wait_until(sub { waiting() == 0 });
is(sql(q(SELECT string_agg(substr(key ->> 'email', 16), ' ' ORDER BY row_number) FROM reverse_etl.rejected_rows)), join(' ', map { 50 * $_ } 1 .. 10),
    'what is refused is rejected');
is(sql(q(SELECT accepted, rejected, outcome FROM reverse_etl.audit_log WHERE destination = 'contacts'::regclass)), '490|10|completed', 'the rest is not');

# A column that is renamed
fresh();
sql(q(SELECT reverse_etl.pause_server('inhouse')));
sql(q(INSERT INTO events SELECT i, 'note ' || i FROM generate_series(1, 300) AS i; INSERT INTO things SELECT 'a' || i, i FROM generate_series(1, 300) AS i));
sql(q(ALTER FOREIGN TABLE events RENAME COLUMN note TO remark; ALTER FOREIGN TABLE things RENAME COLUMN email TO address));
is(sql(q(SELECT count(*) FROM reverse_etl.outbox WHERE "row" ->> 'remark' = 'note ' || ("row" ->> 'n'))), 300, 'a renamed column takes packed rows along');
is(sql(q(SELECT count(*) FROM reverse_etl.outbox WHERE destination = 'things'::regclass AND "row" ->> 'address' LIKE 'a%' AND key ->> 'address' = "row" ->> 'address')),
    sql(q(SELECT count(*) FROM reverse_etl.outbox WHERE destination = 'things'::regclass AND key IS NOT NULL)), 'and their keys');
sql(q(DELETE FROM reverse_etl.outbox WHERE destination = 'things'::regclass; SELECT reverse_etl.resume_server('inhouse')));
wait_until(sub { waiting() == 0 });
is(scalar(grep { $_->{remark} eq "note $_->{n}" } records('events')->@*), 300, 'which leave under its new name');

# A worker that dies while packs are half gone, and a server
for my $how ('worker', 'server') {
    fresh();
    $sandbox->post('/_sandbox/faults', { latency_ms => 50 });
    sql(q(INSERT INTO contacts SELECT 'b' || i || '@example.com', 'n' FROM generate_series(1, 20000) AS i));
    wait_until(sub { my $left = waiting(); $left < 19000 && $left > 0 });
    if ($how eq 'worker') {
        kill 'KILL', sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
        wait_for_server($node);
    } else {
        $node->stop('immediate');
        $node->start;
    }
    $sandbox->post('/_sandbox/faults', {});
    wait_until(sub { waiting() == 0 });
    is(scalar($sandbox->get('/_sandbox/records/hubspot/contacts')->@*), 20000, "$how: every row has come");
    is(sql(q(SELECT accepted, outcome FROM reverse_etl.audit_log WHERE destination = 'contacts'::regclass ORDER BY id DESC LIMIT 1)), '20000|completed',
        "$how: counts add up");
}

# How many wait is known without shared memory as well
my $cold = new_node('cold', "max_worker_processes = 0\nautovacuum = off\nlog_min_messages = error");
$cold->safe_psql('postgres', <<~SQL);
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl $options;
    CREATE FOREIGN TABLE events (n integer) SERVER inhouse OPTIONS (path '/http/events', outbox_max_rows '100');
    INSERT INTO events SELECT generate_series(1, 60);
    SQL
like((outcome($cold, 'INSERT INTO events SELECT generate_series(1, 60)'))[1], qr/outbox of "public.events" is full.*60 rows wait/s, 'packed rows are counted');
is($cold->safe_psql('postgres', 'INSERT INTO events SELECT generate_series(1, 40); SELECT count(*) FROM reverse_etl.outbox'), 100, 'and there is room for others');

done_testing();
