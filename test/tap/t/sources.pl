# Tables and queries of warehouses, read by SQL that runs there: against stand-ins that run what they are sent. sources_2.pl takes some of
# them, beside this; SOURCES='trino athena' takes only those.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use SourceHouses;
use Sources;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => Sources->missing if defined Sources->missing;

my %houses = %SourceHouses::houses;
my $half    = $0 =~ /_2\.pl$/;
plan skip_all => 'sources.pl takes those that SOURCES names' if $half && $ENV{SOURCES};
my @names   = $ENV{SOURCES} ? split / /, $ENV{SOURCES} : $half ? qw(databricks athena redshift) : qw(snowflake bigquery clickhouse trino);
my $sources = Sources->start(@names);
my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");

sub as_marketing { my ($sql, %more) = @_; return $node->safe_psql('postgres', "SET ROLE marketing; $sql", %more) }
sub fault { my ($output, $said) = outcome($node, "SET ROLE marketing;\n$_[0]"); return $said }
sub statements { return $sources->state($_[0])->{statements} }

$node->safe_psql('postgres', 'CREATE ROLE marketing; GRANT CREATE ON DATABASE postgres TO marketing');
$node->safe_psql('postgres', "CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '" . $sandbox->url . "', rate_limit 'none');
    CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-1'); GRANT USAGE ON FOREIGN SERVER hubspot TO marketing");
as_marketing('CREATE SCHEMA crm; IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO crm');
for my $name (@names) {
    my $house   = $houses{$name};
    my $address = ($house->{url} // 'base_url') . " '" . $sources->url($name) . "'";
    my $mapping = $house->{mapping}->(sub { $sources->credential($name, $_[0]) });
    $node->safe_psql('postgres', <<~SQL);
        CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$name', $address, $house->{options});
        CREATE USER MAPPING FOR marketing SERVER $name OPTIONS ($mapping);
        GRANT USAGE ON FOREIGN SERVER $name TO marketing;
        SQL
    as_marketing("CREATE SCHEMA of_$name");
    subtest $name => sub { test_source($name) };
}

sub test_source {
    my ($name)    = @_;
    my $house     = $houses{$name};
    my $customers = "of_$name.customers";

    # A server is checked, and its tables are found.
    is(as_marketing("SELECT identity FROM reverse_etl.check_server('$name')"), $house->{identity} // '', 'check_server signs in');
    as_marketing("IMPORT FOREIGN SCHEMA $house->{schema} LIMIT TO (customers) FROM SERVER $name INTO of_$name");
    is(as_marketing(<<~SQL), SourceHouses::columns($house), 'an imported table has the types of the catalog');
        SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = '$customers'::regclass AND attnum > 0
        SQL
    as_marketing(sprintf $house->{after}, $customers) if $house->{after};
    like(fault("IMPORT FOREIGN SCHEMA nobody FROM SERVER $name INTO of_$name;"), qr/has no tables in schema "nobody"|nobody/, 'a schema that is not there');

    # Rows, page by page.
    $sources->reset($name);
    is(as_marketing("SELECT count(*), sum(visits), count(email), count(*) FILTER (WHERE email = '') FROM $customers"), '2500|' . (2497 * 2498 / 2 * 1e9 - 9007199254740993) . '|2499|1',
        'all rows are read') or diag join "\n", @{ statements($name) };
    is($sources->state($name)->{submitted}, 1, 'by one statement');
    is(as_marketing("SET TimeZone = 'Europe/Berlin'; SELECT first_name, seats, visits, price, score, active, born, wakes, seen, created, photo, extra FROM $customers WHERE email = ''"),
        SourceHouses::values_of($house, 0), 'values of each type');
    is(as_marketing("SELECT id, first_name, price, score, born, wakes, seen, created AT TIME ZONE 'UTC', photo, extra FROM $customers WHERE email LIKE 'zo%'"),
        SourceHouses::values_of($house, 1), 'and those that are hard');

    # What runs there, and what stays here.
    $sources->reset($name);
    my ($q, $p) = @{$house}{qw(quote parameter)};
    my $plan = as_marketing("EXPLAIN (VERBOSE, COSTS OFF) SELECT first_name FROM $customers WHERE country = 'DE' AND visits > 5 AND lower(email) <> 'x' AND active AND born IS NOT NULL");
    like($plan, qr/Source SQL: SELECT \Q@{[ join ', ', map { $q->($_) } qw(email first_name country) ]}\E FROM \Q$house->{table}\E WHERE /, 'EXPLAIN shows the SQL');
    like($plan, qr/\Q${\$q->('country')} = \E$p/, 'with a condition on a text');
    like($plan, qr/(?=.*\Q${\$q->('active')} = TRUE\E).*\Q${\$q->('visits')} > \E$p/, 'and those that are exact');
    like($plan, qr/Source Parameters: .*\bDE'? (?:TEXT|STRING|String|varchar)/, 'and the parameters');
    like($plan, qr/Filter: (?!.*(visits|active|born)).*lower\(customers.email\)/, 'and what stays here');
    is(scalar @{ $sources->state($name)->{requests} }, 0, 'and sends nothing');
    as_marketing("SELECT * FROM $customers WHERE visits = NULL; SELECT * FROM $customers WHERE visits = ANY('{}'::bigint[])");
    is($sources->state($name)->{submitted}, 0, 'what no row can be sends nothing');

    # The same rows as here.
    as_marketing("CREATE TABLE of_$name.copy AS SELECT * FROM $customers");
    my @conditions = ("country = 'DE'", "country IN ('DE', 'US')", 'country IS NULL', "first_name = 'O''Neil'", "first_name = '😀 \"quoted\" \\ back'", "email = ''", 'visits < 0', 'visits <> 1000000000', 'seats >= 99', 'seats = ANY (ARRAY[1, 2, NULL])',
        'active', 'NOT active', 'active IS NULL', "born <= '2020-01-05'", "born = 'infinity'", "born < 'infinity' AND seats = 1", "seen >= '2026-01-01 00:30:00' AND seen < '2026-01-01 00:40:00'", "created = '2026-01-01 01:00:05+01'", "created <> '-infinity'",
        'price = 0.125', 'price < -0.0000000001', "price = 'NaN'", 'id = -123456789012345678901234567890', 'id > 2490', 'id = 2490.5', 'score > 600', "score = 'NaN'", 'visits = 5000000000 OR seats = 7', "photo = 'p7'", "extra->>'n' = '7'");
    for my $n (1 .. 30) {
        my @parts = map { my $one = $conditions[ int rand @conditions ]; int rand 4 ? "($one)" : "NOT ($one)" } 1 .. 1 + int rand 3;
        push @conditions, join ' AND ', @parts;
    }
    my $digest = sub { join(' UNION ALL ', map { "SELECT $_, count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $_[0] AS t WHERE $conditions[$_]" } 0 .. $#conditions) . ' ORDER BY 1' };
    my @here  = split /\n/, as_marketing('SET extra_float_digits = 1; ' . $digest->("of_$name.copy"));
    my @there = split /\n/, as_marketing('SET extra_float_digits = 1; ' . $digest->($customers));
    is($there[$_], $here[$_], "as evaluated here: $conditions[$_]") for grep { $there[$_] ne $here[$_] } 0 .. $#here;
    is(scalar @there, scalar @here, @here . ' conditions give the rows that they give here');

    # LIMIT.
    $sources->reset($name);
    is(as_marketing("SELECT count(*) FROM (SELECT * FROM $customers WHERE visits > 0 LIMIT 7 OFFSET 3) AS t"), 7, 'LIMIT');
    like(statements($name)->[-1], qr/ LIMIT 10(?:' USING '0')?\z/, 'goes along');
    as_marketing("SELECT * FROM $customers WHERE country = 'DE' LIMIT 7; SELECT * FROM $customers ORDER BY visits LIMIT 7; SELECT DISTINCT country FROM $customers LIMIT 1");
    unlike($_, qr/LIMIT/, 'and not where rows are still chosen here') for @{ statements($name) }[ 1 .. 3 ];

    # A scan that begins anew.
    $sources->reset($name);
    is(as_marketing("SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*) FROM generate_series(1, 5) AS n LEFT JOIN $customers AS c ON c.seats = n"), 125, 'a scan that begins anew');
    is($sources->state($name)->{submitted}, 1, 'reads what was kept');
    my $from_file = "SET work_mem = '64kB'; SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*) FROM generate_series(1, 3) AS n LEFT JOIN $customers AS c ON c.seats = n AND c.first_name <> n::text;";
    is(as_marketing($from_file), 75, 'also from a file');
    is(fault($from_file), '', 'which is gone afterwards');
    $sources->reset($name);
    is(as_marketing("SELECT string_agg((SELECT count(*) FROM $customers WHERE seats = n)::text, ',') FROM generate_series(1, 3) AS n"), '25,25,25', 'with other parameters');
    is($sources->state($name)->{submitted}, 3, 'it asks again');

    # Queries.
    as_marketing("SELECT reverse_etl.import_query('$name', 'of_$name.totals', \$\$$house->{totals};\$\$)");
    is(as_marketing("SELECT country, people, last FROM of_$name.totals WHERE people > 10 ORDER BY 1 LIMIT 1"), 'DE|833|' . ($house->{last} // '9999-12-31'), 'a query is a table');
    like(statements($name)->[-1], qr/ WHERE \Q${\$q->('people')} > \E$p(?:' USING '10')?\z/, 'whose conditions go along');
    like(fault("SELECT reverse_etl.import_query('$name', 'x', 'SELECT 1; DELETE FROM t');"), qr/must be one statement/, 'it is one statement');
    like(fault("INSERT INTO of_$name.totals VALUES ('x');"), qr/is a query, and cannot be written|no operation "create"/, 'and only read');

    test_faults($name, $customers);
    test_sync($name, $customers);
    judge($name);
    return;
}

# A model in the warehouse: the run reads it with the rights of whom the sync belongs to.
sub test_sync {
    my ($name, $customers) = @_;
    $sandbox->post('/_sandbox/reset');
    $sources->reset($name);
    as_marketing("SELECT reverse_etl.create_sync('of_$name', 'SELECT email, first_name AS firstname FROM $customers WHERE seats = 7', 'crm.contacts', '{email}', mode => 'mirror')");
    my $last = "SELECT status, queried, added, unchanged, accepted FROM reverse_etl.runs WHERE sync = 'of_$name' ORDER BY id DESC LIMIT 1";
    $node->safe_psql('postgres', "SET ROLE marketing; CALL reverse_etl.run_sync('of_$name')");
    is(as_marketing($last), 'completed|25|25|0|25', 'a sync sends what its model in the warehouse has');
    $node->safe_psql('postgres', "SET ROLE marketing; CALL reverse_etl.run_sync('of_$name')");
    is(as_marketing($last), 'completed|25|0|25|0', 'and the next time nothing');
    is(as_marketing("SELECT count(*) FROM crm.contacts WHERE firstname LIKE 'Name %7'"), 25, 'so the destination has it');
    is($sources->state($name)->{running}, 0, 'no statement is left');
    return;
}

# What was sent and accepted, by the vendor's published file, where that and the strict checker are there.
sub judge {
    my ($name)   = @_;
    my ($file, $outdated) = @{ $houses{$name}{judge} // return };
    my $root     = "$ENV{TESTS}/..";
    my $specs    = $ENV{API_SPECS} // "$root/../shared/api-specs";
    my $checker  = "$root/build/contract/checker.mjs";
    my $requests = "$ENV{TESTDATADIR}/$name.requests.jsonl";
    return note "$name: no published file, or no checker" if !-e $checker || !-e "$specs/$file";
    $sources->save($name, $requests);
    my @findings = split /\n/, `node $root/test/sources/judge.mjs $checker $specs/$file $requests 2>&1`;
    like(pop @findings, qr/^[1-9]\d* judged$/, 'requests are judged by what the vendor has published');
    is(join("\n", @findings), $outdated, 'and nothing is wrong with them');
    return;
}

sub test_faults {
    my ($name, $customers) = @_;
    as_marketing("CREATE FOREIGN TABLE of_$name.wrong (x text) SERVER $name OPTIONS (query 'SELECT nothing FROM nowhere')");
    my $said = fault("SELECT * FROM of_$name.wrong;");
    like($said, qr/ERROR: .*could not read "of_$name.wrong": .*nowhere.*\nDETAIL: +Statement \S+\.\n.*CONTEXT: +source SQL: SELECT/s, 'what fails there is told with its statement');
    is(as_marketing("SELECT state FROM reverse_etl.source_queries WHERE source_table = 'of_$name.wrong'::regclass"), 'failed', 'and on record');

    # Sent once in effect.
    for my $fault ({ match => 'POST', status => 503, times => 2 }, { match => 'POST', drop => 1, after => 1, times => 1 }, { match => 'GET', status => 503, times => 2 }, { match => 'GET', drop => 1, after => 1, times => 1 },
        { match => 'POST', status => 503, skip => 2, times => 2 })
    {
        $sources->reset($name);
        $sources->faults($name, $fault);
        is(as_marketing("SELECT count(*) FROM $customers"), 2500, 'all rows in spite of a fault');
        my $is_lost = $fault->{match} eq 'POST' && $fault->{drop} && $houses{$name}{blind};
        is($sources->state($name)->{submitted}, $is_lost ? 2 : 1, 'by one statement');
    }

    # Credentials that end in the middle: others are fetched, where they can be, and else the statement is named.
    $sources->reset($name);
    $sources->faults($name, { match => '', status => 401, skip => $houses{$name}{requests} // 2, times => 1 });
    if ($houses{$name}{renews}) { is(as_marketing("SELECT count(*) FROM $customers"), 2500, 'all rows by another token') }
    else { like(fault("SELECT count(*) FROM $customers;"), qr/ERROR: .*could not read "$customers": .*\nDETAIL: +Statement \S+/s, 'what was refused is told with its statement') }
    wait_until(sub { $sources->state($name)->{running} == 0 });
    is($sources->state($name)->{submitted}, $houses{$name}{renews} || !exists $houses{$name}{requests} ? 1 : 0, 'by one statement');

    # Cancelled there.
    $sources->reset($name);
    $sources->set($name, delay => 60_000);
    my $begin = time;
    like(fault("SET statement_timeout = '1s'; SELECT * FROM $customers;"), qr/statement timeout/, 'a timeout');
    cmp_ok(time - $begin, '<', 4, 'ends at once');
    wait_until(sub { $sources->state($name)->{running} == 0 });
    is($sources->state($name)->{cancelled}, 1, 'and there as well');
    is(as_marketing("SELECT DISTINCT state FROM reverse_etl.source_queries WHERE source_table = '$customers'::regclass AND state NOT IN ('done', 'failed')"), 'cancelled', 'which is on record');

    # A statement that takes longer than it may is ended there, or from here where the source does not.
    as_marketing("ALTER FOREIGN TABLE $customers OPTIONS (ADD statement_timeout '1s')");
    like(fault("SELECT count(*) FROM $customers;"), qr/ERROR: .*could not read "$customers": .*\nDETAIL: +Statement \S+/s, 'a statement that takes too long');
    wait_until(sub { $sources->state($name)->{running} == 0 });
    is($sources->state($name)->{submitted}, 2, 'is not sent again');
    as_marketing("ALTER FOREIGN TABLE $customers OPTIONS (DROP statement_timeout)");
    my $cancelled = $sources->state($name)->{cancelled};

    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query('SET ROLE marketing');
    $session->query_until(qr/begun/, "\\echo begun\nSELECT * FROM $customers;\n");
    wait_until(sub { $sources->state($name)->{running} == 1 });
    is(as_marketing("SELECT count(*) FROM reverse_etl.source_queries WHERE state = 'running' AND statement_id IS NOT NULL") >= 0, 1, 'it is seen while it runs');
    $begin = time;
    $node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM reverse_etl.source_queries WHERE state = 'running'");
    wait_until(sub { $sources->state($name)->{running} == 0 });
    cmp_ok(time - $begin, '<', 3, 'a cancel ends it');
    is($sources->state($name)->{cancelled}, $cancelled + 1, 'there, too');
    $session->quit;
    $sources->set($name, delay => 0);
    is(as_marketing("SELECT count(*) FROM $customers"), 2500, 'and afterwards all is well');
    if (my $options = $houses{$name}{otherwise}) {
        $node->safe_psql('postgres', "ALTER SERVER $name OPTIONS (ADD $options)");
        is(as_marketing("SELECT count(*), sum(visits), count(email) FROM $customers WHERE seats > 50"), '1223|1556878000000000|1223', "also with $options");
    }

    is($node->safe_psql('postgres', "CREATE ROLE stranger; SET ROLE stranger; SELECT count(*) FROM reverse_etl.source_queries"), 0, 'others do not see it') if $name eq 'snowflake';
    is(as_marketing("SELECT destination, method FROM reverse_etl.preview('SELECT * FROM $customers')"), "$customers|POST", 'preview shows what would be sent');
    return;
}

done_testing();
