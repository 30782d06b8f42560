# The notes of what is under way take the room of the largest burst, however many rows a run sends and though nobody
# vacuums.
#
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nautovacuum = off\nsynchronous_commit = off\n");
sub sql { return $node->safe_psql('postgres', @_) }

my $rows = 300_000;
sql(<<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url', rate_limit 'none');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text, firstname text) SERVER hubspot;
    CREATE TABLE customers AS SELECT 'customer' || n || '\@example.com' AS email, 'v0' AS firstname FROM generate_series(1, $rows) AS n;
    SELECT reverse_etl.create_sync('customers', 'SELECT email, firstname FROM customers', 'contacts', '{email}', 'mirror',
        max_removed => 'none');
    CALL reverse_etl.run_sync('customers');
    SQL
is(sql('SELECT status, accepted, writing_ms IS NOT NULL FROM reverse_etl.runs'), "completed|$rows|t", "$rows rows have left straight from a run");

# A key of this length takes 48 bytes, and a burst has 10,000 rows: 130 parts.
my $bytes = sql(q(SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid IN ('reverse_etl_internal.straight_runs'::regclass,
    'reverse_etl_internal.straight_notes'::regclass)));
cmp_ok($bytes, '<', 2_500_000, 'and their notes take no more than a burst does');
note("$bytes bytes");
is(sql('SELECT count(*) FROM reverse_etl_internal.straight_notes'), 0, 'none of them is left');

# A key that is as long as one may be, and longer than a part.
sql(<<~SQL);
    CREATE FOREIGN TABLE people (email text, firstname text) SERVER hubspot OPTIONS (object 'contacts', batch_size '10');
    CREATE TABLE longs AS SELECT repeat('x', 20000) || n || '\@example.com' AS email, 'v0' AS firstname FROM generate_series(1, 50) AS n;
    SELECT reverse_etl.create_sync('longs', 'SELECT email, firstname FROM longs', 'people', '{email}', 'mirror', max_removed => 'none');
    CALL reverse_etl.run_sync('longs');
    SQL
is(sql('SELECT status, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), 'completed|50', 'keys may be longer than a part of them');

done_testing();
