# Databases of other encodings than UTF-8: what is delivered is UTF-8 all the same, and neither a name, a value nor the
# words of a destination stop anything.

use strict;
use warnings FATAL => 'all';

use Encode qw(encode_utf8);
use IO::Socket::INET;
use ReverseETL;
use Test::More;

# All text here is UTF-8, as bytes.

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_worker_processes = 24");
$ENV{PGCLIENTENCODING} = 'UTF8';

# A destination that refuses every row, in words that have no form in most encodings.
my $words    = "nein 😀 ünmöglich 中";
my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die;
my $refuser  = fork // die;
if (!$refuser) {
    while (my $client = $listener->accept) {
        my ($length, $line) = (0, undef);
        while (defined($line = <$client>) && $line !~ /^\r?$/) { $length = $1 if $line =~ /^content-length: *(\d+)/i }
        read($client, my $body, $length);
        my $answer = qq({"error":"$words"});
        print {$client} "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            . length($answer) . "\r\n\r\n$answer";
        close $client;
    }
    exit 0;
}
END { local $?; kill TERM => $refuser if $refuser }
my $refuser_url = 'http://127.0.0.1:' . $listener->sockport;

my $database;
sub sql { return $node->safe_psql($database, @_) }
sub said {
    my ($sql) = @_;
    $node->psql($database, $sql, on_error_stop => 0, stderr => \my $said);
    return $said;
}
sub records { my ($object) = @_; return map { $_->{properties} } @{ $sandbox->get("/_sandbox/records/hubspot/$object") } }
sub delivered { return join ' ', sort map { encode_utf8($_->{firstname} // '') } records('contacts') }

# Encoding, and words that it has.
my @encodings = (
    [ 'LATIN1',    'süß',     'Müller' ],
    [ 'WIN1252',   'süß€',    'Œuvre' ],
    [ 'EUC_JP',    '日本',      '漢字' ],
    [ 'SQL_ASCII', 'süß€日本', "Mü😀" ],
    [ 'UTF8',      'süß€日本', "Mü😀" ],
);
for my $case (@encodings) {
    my ($encoding, $name, $value) = @$case;
    $database = lc "in_$encoding";
    note("--- $encoding");
    $node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
    $sandbox->post('/_sandbox/reset');
    sql(<<~SQL);
        CREATE EXTENSION reverse_etl;
        CREATE ROLE "role $encoding $name" SUPERUSER;
        CREATE SERVER "server $name" FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
        CREATE SERVER refuser FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$refuser_url');
        CREATE USER MAPPING FOR PUBLIC SERVER refuser;
        CREATE USER MAPPING FOR PUBLIC SERVER "server $name" OPTIONS (access_token 'pat-1');
        CREATE SCHEMA "schema $name";
        CREATE FOREIGN TABLE "schema $name"."table $name" (email text, "column $name" text OPTIONS (field 'firstname'), id text OPTIONS (field 'hs_object_id'))
            SERVER "server $name" OPTIONS (object 'contacts');
        CREATE FOREIGN TABLE refused ("number $name" text) SERVER refuser OPTIONS (path '/$encoding');
        CREATE TABLE "source $name" (email text PRIMARY KEY, "text $name" text);
        SET search_path = "schema $name", public;
        SQL
    my $table = qq("schema $name"."table $name");

    is(said(qq(INSERT INTO $table VALUES ('one\@example.com', '$value'))), '', "$encoding: rows leave at once");
    is(delivered(), $value, 'in UTF-8');
    is(sql(qq(SELECT "column $name" FROM $table WHERE email = 'one\@example.com')), $value, 'and are read');
    sql(qq(UPDATE $table SET "column $name" = '$value 2' WHERE email = 'one\@example.com'));
    is(delivered(), "$value 2", 'and changed');
    like(said(qq(INSERT INTO $table VALUES ('no $value', 'x'))),
        qr/destination "schema \Q$name\E.table \Q$name\E" rejected 1 of 1 rows/, 'what is rejected is told by name');
    is(sql(q(SELECT count(*) FROM reverse_etl.rejected_rows)), 1, 'and kept');
    like(said(qq(INSERT INTO $table ("column $name") SELECT 1 / 0)), qr/division by zero/, 'errors are told');

    sql(qq(BEGIN; INSERT INTO $table VALUES ('two\@example.com', 'queued $value'), ('no $name', 'x'); COMMIT));
    sql(qq(CALL reverse_etl.wait('$table', '30s')));
    is(delivered(), join(q( ), sort "$value 2", "queued $value"), 'queued rows leave, with a key');
    is(sql(qq(SELECT "row" ->> 'column $name', "row" ->> 'email' FROM reverse_etl.rejected_rows ORDER BY rejected_at DESC LIMIT 1)),
        "x|no $name", 'and are rejected');

    sql(qq(BEGIN; INSERT INTO refused VALUES ('$value'); COMMIT; CALL reverse_etl.wait('refused', '30s')));
    like(sql(q(SELECT reason FROM reverse_etl.rejected_rows WHERE destination = 'public.refused'::regclass)), qr/nein/,
        'words that the database cannot hold stop nothing');
    like(said(qq(INSERT INTO refused VALUES ('$value'))), qr/nein/, 'at once as well');
    is(sql(q(SELECT count(*) FROM reverse_etl.rejected_rows WHERE destination = 'public.refused'::regclass)), 2, 'and both are kept');

    sql(qq(INSERT INTO "source $name" VALUES ('s1\@example.com', 'sync $value'), ('s2\@example.com', 'other')));
    sql(<<~SQL);
        SELECT reverse_etl.create_sync('$name', 'SELECT email, "text $name" AS "column $name" FROM public."source $name"',
                                       '$table', '{email}', 'mirror', max_removed => 'none');
        SQL
    like(said(qq(CALL reverse_etl.run_sync('$name'))), qr/run 1 of sync "\Q$name\E": 2 added/, 'a sync runs');
    like(delivered(), qr/sync \Q$value\E/, 'and its rows arrive');
    sql(qq(UPDATE "source $name" SET "text $name" = 'changed $value' WHERE email LIKE 's1%'; DELETE FROM "source $name" WHERE email LIKE 's2%'));
    is(sql(qq(SELECT operation, key ->> 'email' FROM reverse_etl.plan_sync('$name') WHERE key IS NOT NULL ORDER BY 2)),
        "upsert|s1\@example.com\ndelete|s2\@example.com", 'its plan is told');
    sql(qq(CALL reverse_etl.run_sync('$name')));
    is(sql(q(SELECT status, changed, removed, accepted FROM reverse_etl.runs ORDER BY id DESC LIMIT 1)), 'completed|1|1|2',
        'what changed follows');
    like(delivered(), qr/changed \Q$value\E/, 'and arrives');
    sql(qq(INSERT INTO "source $name" VALUES ('no $name', 'x')));
    like(said(qq(CALL reverse_etl.run_sync('$name'))), qr/leaves 1 row behind/, 'what is rejected is left behind');
    like(said(qq(CALL reverse_etl.run_sync('no $name'))), qr/sync "no \Q$name\E" does not exist/, 'a wrong name is told');

    sql(<<~SQL);
        CREATE TABLE "stream $name" (email text PRIMARY KEY, "text $name" text);
        SELECT reverse_etl.stream_table('"stream $name"', '$table', 'SELECT email, "text $name" AS "column $name" FROM changed');
        INSERT INTO "stream $name" VALUES ('t\@example.com', 'stream $value');
        SQL
    sql(qq(CALL reverse_etl.wait('$table', '30s')));
    like(delivered(), qr/stream \Q$value\E/, 'a stream streams');
    like(said(qq(ALTER TABLE "stream $name" RENAME "text $name" TO t)), qr/text \Q$name\E/, 'what it needs is told by name');

    like(said(qq(INSERT INTO $table ("column $name") VALUES (repeat('x', 3) || chr(200)))), qr/^(?!.*terminated)/s, 'odd values')
        if $encoding ne 'SQL_ASCII';
    is(sql(q(SELECT string_agg(DISTINCT destination_name, ',') FROM reverse_etl.audit_log WHERE destination_name LIKE '"schema%')),
        qq("schema $name"."table $name"), 'the audit log has the names');
    is(sql(qq(SELECT server, state FROM reverse_etl.destinations WHERE server = 'server $name')), "server $name|active",
        'and so has the view of destinations');
}

# A database that takes any bytes may hold some that are no text at all.
$database = 'in_sql_ascii';
my $table = '"schema süß€日本"."table süß€日本"';
like(said(qq(INSERT INTO $table VALUES ('bytes\@example.com', E'\\xfc\\xff'))), qr/is not UTF-8/, 'bytes that are no text are rejected');
sql(qq(BEGIN; INSERT INTO $table VALUES ('b2\@example.com', E'\\xfc\\xff'), ('b3\@example.com', 'good'); COMMIT));
sql(qq(CALL reverse_etl.wait('$table', '30s')));
like(delivered(), qr/good/, 'and the others leave');

# What a destination answers may have no form in the database: the column is named, and the value, which may hold a
# secret, is not shown.
$database = 'in_latin1';
sql(<<~SQL);
    CREATE SERVER echo FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR PUBLIC SERVER echo OPTIONS (username 'reader', password 'pass-word');
    CREATE FOREIGN TABLE echoes (id text, words text) SERVER echo OPTIONS (path '/http/echoes', key 'id', records '');
    SQL
$sandbox->post('/_sandbox/faults', { times => 1, answer => '[{"id": "1", "words": "pass-word \ud83d\ude00"}]' });
like(my $unread = said('SELECT * FROM echoes'), qr/could not read column "words".*without equivalent in encoding LATIN1/s,
    'the column is named that cannot be read');
unlike($unread, qr/pass-word/, 'but not its value');

my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
unlike($log, qr/background worker "reverse_etl[^"]*" .*exited with exit code 1|terminated by signal/, 'no worker broke');

kill TERM => $refuser;
waitpid $refuser, 0;
done_testing();
