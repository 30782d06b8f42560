# Once: what is read does not depend on the version of Postgres.
# Files of a lake as foreign tables: files that DuckDB and gzip have written, in a folder of the server and in an S3 server
# that others have written. What is read is compared with what Postgres itself reads of the same files by COPY.

use strict;
use warnings FATAL => 'all';

use Lake;
use ReverseETL;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => Lake->missing if defined Lake->missing;

my $lake    = Lake->start;
my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
my ($url, $folder) = ($lake->url, $lake->folder);
chmod 0755, $folder, "$folder/..";

sub as_marketing { my ($sql, %more) = @_; return $node->safe_psql('postgres', "SET ROLE marketing; $sql", %more) }
sub fault { my ($output, $said) = outcome($node, "SET ROLE marketing;\n$_[0]"); return $said }

$node->safe_psql('postgres', <<~SQL);
    CREATE ROLE marketing; GRANT CREATE ON DATABASE postgres TO marketing;
    CREATE SERVER s3 FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 's3', base_url '$url/lake', region 'us-east-1');
    CREATE SERVER folder FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'folder', folder '$folder');
    CREATE USER MAPPING FOR marketing SERVER s3 OPTIONS (access_key_id 'S3RVER', secret_access_key 'S3RVER');
    CREATE USER MAPPING FOR marketing SERVER folder;
    GRANT USAGE ON FOREIGN SERVER s3, folder TO marketing;
    CREATE TABLE people (id bigint, name text, price numeric, active boolean, day date, seen timestamp);
    COPY people FROM '$folder/people.csv' (FORMAT csv, HEADER);
    GRANT SELECT ON people TO marketing;
    SQL

my $digest = "count(*), md5(string_agg(t::text, ',' ORDER BY id))";
my $same   = 'SELECT id, name, trim_scale(price) AS price, active, day, seen FROM'; # DuckDB writes 2.5 in JSON and 2.50 in CSV
my $people = $node->safe_psql('postgres', "SELECT $digest FROM ($same people) AS t");
my $columns = sub {
    as_marketing("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$_[0]'::regclass AND attnum > 0");
};

for my $server (qw(folder s3)) {
    subtest $server => sub {
        as_marketing("CREATE SCHEMA of_$server");
        test_formats($server);
        test_names($server);
        test_wrong($server);
        is(as_marketing("SELECT count(*), sum(id) FROM of_$server.many"), '1203|723003', 'files of several pages of a list, small ones side by side')
            if as_marketing("SELECT reverse_etl.import_files('$server', 'of_$server.many', 'many/*.csv')") eq '';
    };
}
test_memory();
test_s3();
test_folder();
test_sync();

# The same rows in each way to write them, with the types that are found.
sub test_formats {
    my ($server) = @_;
    my %more = (tsv => '', 'csv.gz' => '', csv => '', ndjson => ', extra jsonb', 'ndjson.gz' => ', extra jsonb');
    for my $format (sort keys %more) {
        my $table = "of_$server." . $format =~ tr/./_/r;
        as_marketing("SELECT reverse_etl.import_files('$server', '$table', 'people.$format')");
        is($columns->($table), "id bigint, name text, price numeric, active boolean, day date, seen timestamp without time zone$more{$format}", "$format: the columns are found");
        is(as_marketing("SELECT $digest FROM ($same $table) AS t"), $people, 'and the rows are those that COPY reads');
    }
    is(as_marketing("SELECT extra->'tags', extra->'deep'->>'er' FROM of_$server.ndjson WHERE id = 7"), '[7, 8]|  blanks ', 'JSON within JSON');
    as_marketing("CREATE FOREIGN TABLE of_$server.deep (id bigint, er text OPTIONS (field '/extra/deep/er'), second int OPTIONS (field '/extra/tags/1'), nothing text) SERVER $server OPTIONS (files 'people.ndjson')");
    is(as_marketing("SELECT count(er), sum(second), count(nothing) FROM of_$server.deep"), '9000|50005000|0', 'by pointers into it');
    as_marketing("CREATE FOREIGN TABLE of_$server.bare (id bigint, name text, price numeric, active boolean, day date, seen timestamp) SERVER $server OPTIONS (files 'bare.csv', delimiter ';', header 'false', null_text '\\N')");
    is(as_marketing("SELECT $digest FROM ($same of_$server.bare) AS t"), $people, 'CSV of other signs without names');
    is(as_marketing("SELECT count(*), sum(n) FROM (SELECT price AS n FROM of_$server.bare LIMIT 10) AS t"), '10|56.25', 'LIMIT');
    as_marketing("CREATE FOREIGN TABLE of_$server.joined (id bigint, name text) SERVER $server OPTIONS (files 'gzip/joined.csv.gz')");
    is(as_marketing("SELECT string_agg(id || name, ' ') FROM of_$server.joined"), '1first 2second', 'two files of gzip in one');
    as_marketing("CREATE FOREIGN TABLE of_$server.odd (id bigint) SERVER $server OPTIONS (files 'odd names & signs/*.csv')");
    is(as_marketing("SELECT id FROM of_$server.odd"), 7, 'a name of signs that have a meaning elsewhere');
    is(as_marketing("SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(*) FROM generate_series(1, 3) AS n LEFT JOIN of_$server.joined AS f ON f.id = n"), 3, 'a scan that begins anew');
    like(fault("INSERT INTO of_$server.joined VALUES (1, 'x');"), qr/is read from files, and cannot be written/, 'they are read only');
    return;
}

# What stands in the names of files.
sub test_names {
    my ($server) = @_;
    as_marketing("SELECT reverse_etl.import_files('$server', 'of_$server.by_day', 'by_day/day={day}/*.csv')");
    is($columns->("of_$server.by_day"), 'id bigint, name text, price numeric, active boolean, seen timestamp without time zone, day date', 'a value of the name is a column');
    is(as_marketing("SELECT $digest FROM ($same of_$server.by_day) AS t"), $people, 'of each row');
    $lake->requests;
    is(as_marketing("SELECT count(*), min(day), max(day) FROM of_$server.by_day WHERE day > '2026-11-02' AND day <> '2026-11-04' AND id > 100"), '3960|2026-11-03|2026-11-05', 'WHERE on it');
    my @requests = $lake->requests;
    if ($server eq 's3') {
        is(scalar(grep { /delimiter/ } @requests), 1, 'lists the folders');
        is(scalar(grep { /list-type=2/ && !/delimiter/ } @requests), 2, 'and goes only into those that may have such rows') or diag join "\n", @requests;
        is(scalar(grep { /day%3D2026-11-0[124]/ } @requests), 0, 'no other file is read');
    }
    my $plan = as_marketing("EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM of_$server.by_day WHERE day > '2026-11-02' AND id > 100");
    like($plan, qr{Connector: $server\n +Files: by_day/day=\{day\}/\*\.csv\n +Files Filter: \(day > '2026-11-02'::date\)}, 'EXPLAIN says so');
    is(scalar($lake->requests), 0, 'and asks nothing');
    is(as_marketing("PREPARE p(date) AS SELECT count(*) FROM of_$server.by_day WHERE day = \$1; SET plan_cache_mode = force_generic_plan; EXECUTE p('2026-11-03'); EXECUTE p(NULL)"), "2000\n0", 'also by a parameter');
    is(as_marketing("SELECT count(*) FROM of_$server.by_day WHERE day = (SELECT max(day) FROM people)"), 2000, 'and by what a query gives');

    as_marketing("CREATE FOREIGN TABLE of_$server.by_part (id bigint, name text, half integer, part text) SERVER $server OPTIONS (files 'by_part/half={half}/part={part}/*.csv')");
    is(as_marketing("SELECT string_agg(format('%s %s %s', half, coalesce(part, 'NULL'), n), ', ' ORDER BY half, part NULLS FIRST) FROM (SELECT half, part, count(*) AS n FROM of_$server.by_part GROUP BY 1, 2) AS t"),
        '0 NULL 2500, 0 x=y% 2500, 1 a/b c 2500, 1 plain 2500', 'values as Hive writes them, NULL too');
    is(as_marketing("SELECT count(*) FROM of_$server.by_part WHERE part IS NULL"), 2500, 'NULL in WHERE');
    is(as_marketing("SELECT count(*) FROM of_$server.by_part WHERE half = 1 AND part = 'a/b c' AND id % 4 = 1"), 2500, 'two of them');
    as_marketing("CREATE FOREIGN TABLE of_$server.all_csv (id bigint, file text) SERVER $server OPTIONS (files 'by_*/**/{file}.csv')");
    is(as_marketing("SELECT count(*), count(DISTINCT file) > 0 FROM of_$server.all_csv"), '20000|t', 'folders below folders');
    as_marketing("CREATE FOREIGN TABLE of_$server.wrong_type (id bigint, day integer) SERVER $server OPTIONS (files 'by_day/day={day}/*.csv')");
    like(fault("SELECT * FROM of_$server.wrong_type WHERE day = 1;"), qr/"2026-11-01", which stands in the name of a file of "of_$server.wrong_type", is no value of column "day"/, 'a value that is none');
    as_marketing("CREATE FOREIGN TABLE of_$server.none (id bigint) SERVER $server OPTIONS (files 'nowhere/*.csv')");
    is(as_marketing("SELECT count(*) FROM of_$server.none"), 0, 'no files are no rows');
    like(fault("SELECT reverse_etl.import_files('$server', 'x', 'nowhere/*.csv');"), qr{server "$server" has no files "nowhere/\*\.csv"}, 'and no columns');
    like(fault("SELECT reverse_etl.import_files('$server', 'x', '$_');"), qr/invalid value for option "files"/, "no pattern: $_") for '/etc/passwd', 'a/../b', '{a}{b}', 'a/**/b/**/c', '{a}/{a}', 'x/';
    return;
}

# What is wrong is told with the file and the line.
sub test_wrong {
    my ($server) = @_;
    my $at = $server eq 's3' ? "$url/lake" : $folder;
    my %fault = (
        'wrong/cells.csv'     => 'line 3: it has 3 cells, and the first line has 2',
        'wrong/quote.csv'     => 'line 2: a quote does not end',
        'wrong/latin.csv'     => 'line 2: it is not UTF-8',
        'wrong/broken.ndjson' => 'line 2: it is not JSON',
        'wrong/array.ndjson'  => 'line 1: it is no JSON object',
        'wrong/long.csv'      => 'line 2: it is longer than 2 MB',
        'gzip/cut.csv.gz'     => 'what is compressed by gzip is cut short',
        'gzip/broken.csv.gz'  => 'what is compressed by gzip is broken',
    );
    my $n = 0;
    for my $file (sort keys %fault) {
        $n++;
        as_marketing("CREATE FOREIGN TABLE of_$server.wrong$n (id bigint, name text) SERVER $server OPTIONS (files '$file')");
        like(fault("SELECT count(name) FROM of_$server.wrong$n;"), qr/ERROR: .*could not read "of_$server.wrong$n": \Q$at\/$file\E, .*\Q$fault{$file}\E/, $fault{$file});
    }
    as_marketing("CREATE FOREIGN TABLE of_$server.number (id bigint, name text) SERVER $server OPTIONS (files 'wrong/number.csv')");
    like(fault("SELECT * FROM of_$server.number;"), qr/could not read column "id" of "of_$server.number".*CONTEXT: +\Q$at\E\/wrong\/number\.csv, line 4/s, 'a value that the type does not take');
    is(as_marketing("SELECT count(name) FROM of_$server.number"), 2, 'and is not asked for');
    as_marketing("CREATE FOREIGN TABLE of_$server.column (id bigint, nam text) SERVER $server OPTIONS (files 'wrong/number.csv')");
    like(fault("SELECT nam FROM of_$server.column;"), qr/line 1: no column is called "nam"/, 'a column that is not there');
    as_marketing("CREATE FOREIGN TABLE of_$server.unknown (id bigint) SERVER $server OPTIONS (files 'wrong/*')");
    as_marketing("CREATE FOREIGN TABLE of_$server.unsaid (id bigint) SERVER $server OPTIONS (files 'wrong/quote.csv', format 'ndjson')");
    like(fault("SELECT * FROM of_$server.unsaid;"), qr/line 1: it is not JSON/, 'the format is what the option says');
    return;
}

# A million rows, in memory that does not grow with them; and all is left alone at once when the statement is cancelled.
sub test_memory {
    for my $server (qw(folder s3)) {
        as_marketing("CREATE FOREIGN TABLE of_$server.large$_->[0] (id bigint, email text, digest text) SERVER $server OPTIONS (files 'large.csv$_->[1]')") for [ '', '' ], [ '_gz', '.gz' ];
        for my $table (qw(large large_gz)) {
            my $memory = q(SELECT pg_backend_pid() AS pid \gset
                \setenv PID :pid
                \! grep VmHWM /proc/$PID/status | tr -dc 0-9; echo);
            my ($before, $rows, $after) = split /\n/, as_marketing("SELECT count(*) FROM of_$server.joined \\g /dev/null\n$memory\nSELECT count(*), sum(id), count(*) FILTER (WHERE digest = md5(id::text)) FROM of_$server.$table;\n$memory");
            is($rows, '1000000|499999500000|1000000', "$server: $table is read");
            cmp_ok($after - $before, '<', 64 * 1024, 'in 64 MB') or diag "from $before to $after kB";
        }
        for my $way ("SET statement_timeout = '300ms'") {
            my $begin = time;
            like(fault("$way; SELECT count(digest) FROM of_$server.large AS a, generate_series(1, 100) AS n;"), qr/canceling statement due to statement timeout/, 'it can be cancelled');
            cmp_ok(time - $begin, '<', 5, 'at once');
        }
    }
    return;
}

# What is particular to requests.
sub test_s3 {
    $lake->requests;
    is(as_marketing('SELECT count(*) FROM of_s3.large'), 1000000, 'a large object');
    my @parts = sort { $a <=> $b } map { /bytes=(\d+)-/ ? $1 : () } $lake->requests;
    is_deeply(\@parts, [ map { $_ * (2 << 20) } 0 .. $#parts ], 'is read in parts of 2 MB');
    cmp_ok(scalar @parts, '>', 20, 'of which it has many');
    as_marketing('SELECT * FROM of_s3.large LIMIT 1');
    cmp_ok(scalar($lake->requests), '<', 6, 'LIMIT reads the first ones');

    $lake->faults({ match => 'bytes=2097152-', status => 503, times => 2 }, { match => 'list-type', status => 500, times => 1 });
    is(as_marketing('SELECT count(*) FROM of_s3.large_gz'), 1000000, 'what fails is asked for again');
    $lake->put(Key => 'changing.csv', Body => "id\n" . join('', map { "$_\n" } 1 .. 1500000));
    as_marketing("CREATE FOREIGN TABLE of_s3.changing (id bigint) SERVER s3 OPTIONS (files 'changing.csv')");
    $lake->faults({ match => 'changing.csv bytes=8388608-', put => { Key => 'changing.csv', Body => "id\n" . join('', map { "$_\n" } 2 .. 1500001) }, times => 1 });
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/changing\.csv: the file was changed while it was read/, 'an object that changes meanwhile');
    $lake->faults({ match => 'changing.csv bytes=2097152-', status => 412, times => 1 });
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/changing\.csv: .*the object was changed after it had been listed/, 'which the server may say as well');
    $lake->faults({ match => 'changing.csv bytes=', status => 404, body => '<Error><Code>NoSuchKey</Code></Error>', times => 1 });
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/changing\.csv: .*404/, 'or goes');
    $lake->faults({ match => 'list-type', status => 200, body => '<html>Welcome</html>', times => 1 }, { match => 'bytes=', status => 200, body => 'x', times => 1 });
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/changing\.csv\*: the answer is no list of files/, 'a page of somebody else is not a list without files');
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/changing\.csv: the answer is the whole file|bytes .*were asked for/, 'an answer that is no part');
    $lake->faults({ match => 'list-type', status => 200, body => '<a><b></a>', times => 1 });
    like(fault('SELECT sum(id) FROM of_s3.changing;'), qr/the answer is no list of files: the answer is no XML/, 'a list that is none');
    $lake->faults({ match => 'bytes=', delay => 60000, times => 9 });
    my $begin = time;
    like(fault("SET statement_timeout = '500ms'; SELECT sum(id) FROM of_s3.changing;"), qr/statement timeout/, 'an answer that does not come');
    cmp_ok(time - $begin, '<', 5, 'is not waited for');
    $lake->faults();
    $node->safe_psql('postgres', "CREATE ROLE other; CREATE USER MAPPING FOR other SERVER s3 OPTIONS (access_key_id 'S3RVER', secret_access_key 'wrong'); GRANT USAGE ON SCHEMA of_s3 TO other; GRANT SELECT ON ALL TABLES IN SCHEMA of_s3 TO other");
    my (undef, $said) = outcome($node, "SET ROLE other;\nSELECT * FROM of_s3.joined;");
    like($said, qr/could not read "of_s3.joined": .*SignatureDoesNotMatch|signature/, 'what the server says of a wrong key');
    return;
}

# What is particular to a folder of the server.
sub test_folder {
    like(fault("ALTER SERVER folder OPTIONS (SET folder '/etc');"), qr/must be owner|permission denied/, 'a server is its owner\'s');
    $node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN DATA WRAPPER reverse_etl TO marketing');
    like(fault("CREATE SERVER mine FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'folder', folder '/etc');"), qr/permission denied to set option "folder".*HINT: .*names a file of the server/s, 'only superusers name a folder');
    as_marketing("CREATE SERVER mine FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'folder'); CREATE FOREIGN TABLE of_folder.mine (id text) SERVER mine OPTIONS (files '*.csv')");
    like(fault('SELECT * FROM of_folder.mine;'), qr/the server needs the option "folder", an absolute path/, 'and without one nothing is read');
    system('ln', '-s', '/etc/passwd', "$folder/wrong/link.csv");
    system('ln', '-s', '/etc', "$folder/etc");
    system('mkfifo', "$folder/wrong/pipe.csv");
    as_marketing("CREATE FOREIGN TABLE of_folder.link (id text) SERVER folder OPTIONS (files 'wrong/{name}.csv', header 'false'); CREATE FOREIGN TABLE of_folder.etc (id text) SERVER folder OPTIONS (files 'etc/passwd', format 'csv', header 'false')");
    is(as_marketing("SELECT count(*) FROM of_folder.etc"), 0, 'no link is followed to a folder');
    as_marketing("CREATE FOREIGN TABLE of_folder.piped (id text) SERVER folder OPTIONS (files 'wrong/pi*.csv')");
    is(as_marketing("SELECT count(*) FROM of_folder.piped"), 0, 'and a pipe is no file');
    as_marketing("CREATE FOREIGN TABLE of_folder.linked (id text) SERVER folder OPTIONS (files 'wrong/li*.csv')");
    is(as_marketing("SELECT count(*) FROM of_folder.linked"), 0, 'nor is a link');
    return;
}

# Files are the model of a sync.
sub test_sync {
    $node->safe_psql('postgres', "CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '" . $sandbox->url . "', rate_limit 'none');
        CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-1'); GRANT USAGE ON FOREIGN SERVER hubspot TO marketing");
    as_marketing('CREATE SCHEMA crm; IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO crm');
    as_marketing("SELECT reverse_etl.create_sync('lake', 'SELECT ''p'' || id || ''\@example.com'' AS email, name AS firstname FROM of_s3.by_day WHERE day = ''2026-11-03'' AND id < 100', 'crm.contacts', '{email}', mode => 'mirror')");
    my $last = "SELECT status, queried, added, unchanged, accepted FROM reverse_etl.runs WHERE sync = 'lake' ORDER BY id DESC LIMIT 1";
    for my $expected ('completed|20|20|0|20', 'completed|20|0|20|0') {
        $node->safe_psql('postgres', "SET ROLE marketing; CALL reverse_etl.run_sync('lake')");
        is(as_marketing($last), $expected, 'a sync of files');
    }
    return;
}

done_testing();
