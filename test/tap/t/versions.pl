# A library and objects of the extension that are not of one version: columns that are not known do no harm, and where the
# versions differ everybody stops and says so.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
sub sql { return $node->safe_psql('postgres', @_) }
sub said { my ($sql) = @_; $node->psql('postgres', $sql, on_error_stop => 0, stderr => \my $said); return $said }
sub workers { return sql(q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) }

sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE TABLE customers AS SELECT 'c' || n || '\@example.com' AS email, 'Name' AS name FROM generate_series(1, 5) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, name AS firstname FROM customers', 'contacts', '{email}', 'mirror', max_removed => 'none');
    CALL reverse_etl.run_sync('customers');
    BEGIN; INSERT INTO contacts VALUES ('first\@example.com'); COMMIT;
    CALL reverse_etl.wait('contacts', '30s');
    SQL

# ---- Columns of a later version, in every table that there is -------------------------------------------------------

my @tables = split /\n/, sql(q(SELECT oid::regclass FROM pg_class WHERE relnamespace = ANY ('{reverse_etl,reverse_etl_internal}'::regnamespace[])
    AND relkind = 'r' AND relname !~ '^outbox_[0-9]' ORDER BY 1));
sql(join '', map { "ALTER TABLE $_ ADD COLUMN later_number bigint, ADD COLUMN later_text text;\n" } @tables);
cmp_ok(scalar @tables, '>=', 10, 'every table gets columns that the library does not know');

is(said(q(INSERT INTO contacts VALUES ('now@example.com'))), '', 'rows leave at once');
sql(q(BEGIN; INSERT INTO contacts VALUES ('later@example.com'), ('bad'); COMMIT; CALL reverse_etl.wait('contacts', '30s')));
is(sql(q(SELECT "row" ->> 'email' FROM reverse_etl.rejected_rows)), 'bad', 'queued rows leave or are rejected');
sql(q(DELETE FROM customers WHERE email LIKE 'c1%'; UPDATE customers SET name = 'New' WHERE email LIKE 'c2%'; CALL reverse_etl.run_sync('customers')));
is(sql('SELECT status, changed, removed, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), 'completed|1|1|2', 'a sync runs');
sql(q(SELECT reverse_etl.confirm_identity()));
is(sql(q(SELECT count(*), max(later_text) FROM reverse_etl.identity)), '1|', 'the identity is confirmed beside a column that it does not know');
sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
wait_until(sub { workers() == 1 });
sql(q(BEGIN; INSERT INTO contacts VALUES ('again@example.com'); COMMIT; CALL reverse_etl.wait('contacts', '30s')));
is(sql(q(SELECT count(*) FROM contacts WHERE email IN ('now@example.com', 'later@example.com', 'again@example.com'))), 3, 'all of it arrived');

# ---- Another version ------------------------------------------------------------------------------------------------

my $other = qr/extension reverse_etl and its library are not of one version\nDETAIL:  The extension in this database is of version 9\.9, the library of version [0-9.]+\.\nHINT:  .*ALTER EXTENSION reverse_etl UPDATE/;
my ($known) = sql(q(SELECT extversion FROM pg_extension WHERE extname = 'reverse_etl'));
sql(q(BEGIN; INSERT INTO contacts VALUES ('waits@example.com'); UPDATE pg_extension SET extversion = '9.9' WHERE extname = 'reverse_etl'; COMMIT));
for my $statement (q(INSERT INTO contacts VALUES ('x@example.com')), q(SELECT * FROM contacts), q(CALL reverse_etl.run_sync('customers')),
    q(SELECT * FROM reverse_etl.plan_sync('customers')), q(BEGIN; DELETE FROM contacts WHERE email = 'x'; COMMIT)) {
    like(said($statement), $other, "\"$statement\" says that the versions differ");
}
sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker'));
wait_until(sub { slurp_file($node->logfile) =~ /LOG:  extension reverse_etl and its library are not of one version/ && workers() == 0 });
my $told = () = slurp_file($node->logfile) =~ /LOG:  extension reverse_etl and its library are not of one version/g;
sleep 3;
is(workers(), 0, 'the worker ends');
is(scalar(() = slurp_file($node->logfile) =~ /LOG:  extension reverse_etl and its library are not of one version/g), $told, 'and is not started again and again');

sql("UPDATE pg_extension SET extversion = '$known' WHERE extname = 'reverse_etl'");
sql(q(BEGIN; INSERT INTO contacts VALUES ('after@example.com'); COMMIT; CALL reverse_etl.wait('contacts', '30s')));
is(sql(q(SELECT count(*) FROM contacts WHERE email IN ('waits@example.com', 'after@example.com'))), 2, 'once they agree, what waited leaves');

done_testing();
