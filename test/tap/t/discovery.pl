# What an account has becomes columns and tables, whatever the encoding of the database, and never twice where two ask at once.

use strict;
use warnings FATAL => 'all';

use JSON::PP qw(decode_json encode_json);
use ReverseETL;
use ScriptedServer;
use Test::More;
use Time::HiRes qw(time);

# As Salesforce tells of its objects: a list of all, and the fields of one. It takes any row.
my ($objects, $fields) = ($ENV{OBJECTS} // 12, $ENV{FIELDS} // 500); # what plain SQL takes for a thousand is minutes
my %large = (fields => [ map { { name => "Field_${_}__c", label => "Field $_", type => $_ % 3 ? 'string' : 'double', createable => JSON::PP::true,
                                 updateable => JSON::PP::true, nillable => JSON::PP::true } } 1 .. $fields ]);
my $large = encode_json(\%large);
my $wide  = encode_json({ fields => [ map { { name => "Field_$_", createable => JSON::PP::true, updateable => JSON::PP::true } } 1 .. 2000 ] });
my $all = encode_json({ sobjects => [ map { { name => "Object_${_}__c", queryable => JSON::PP::true } } 1 .. $objects ] });
my $server = ScriptedServer->start(sub {
    my ($method, $target, $body, $set) = @_;
    return [ 201, 'application/json', '{}' ] if $method eq 'POST';
    return [ 200, 'application/json', $all ] if $target eq '/sobjects';
    return [ 404, 'application/json', '[{"message": "no such object"}]' ] if $target !~ m{^/sobjects/(\w+)/describe$};
    return undef if $1 eq 'Silent';
    return [ 200, 'application/json', $wide ] if $1 eq 'Object_1__c' && $set->{wide};
    return [ 200, 'application/json', $set->{account} ] if $1 eq 'Account';
    return [ 200, 'application/json', $large ];
});
my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'\nmax_locks_per_transaction = 4096\nfsync = off");
$ENV{PGCLIENTENCODING} = 'UTF8';
my $database = 'postgres';
sub sql { my ($sql) = @_; return $node->safe_psql($database, $sql) }

my $make = <<~SQL;
    CREATE EXTENSION IF NOT EXISTS reverse_etl;
    SELECT reverse_etl.create_connector('force', \$\${
        "manifest": 1, "name": "force", "title": "Force", "base_url": "${\$server->url}", "auth": {"kind": "none"}, "schema": "sobjects",
        "id": "Id", "columns": {"Id": {"type": "text", "write": false}},
        "discover": {
            "objects": {"request": "GET /sobjects", "records": "/sobjects", "object": "/name", "only_when": {"/queryable": true}},
            "fields": {"request": "GET /sobjects/{object}/describe", "records": "/fields", "field": "/name", "description": "/label",
                "type": {"at": "/type", "types": {"double": "numeric"}}, "write": {"create": {"/createable": true}, "update": {"/updateable": true}}}},
        "operations": {"create": {"request": "POST /sobjects/{object}", "body": {"\$columns": "all"}}},
        "objects": {"*": {"pattern": "[A-Za-z0-9_]+"}}}\$\$);
    CREATE SERVER force FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'force');
    SQL
sql($make);

# One of a thousand asks for one; all of them take seconds.
sql('CREATE SCHEMA one; IMPORT FOREIGN SCHEMA sobjects LIMIT TO (object_7__c) FROM SERVER force INTO one');
is(scalar(map { $server->seen("/sobjects/Object_${_}__c/describe") } 1 .. 20), 1, 'LIMIT TO asks for the fields of no other object');
is(sql(q(SELECT count(*) FROM pg_attribute WHERE attrelid = 'one.object_7__c'::regclass AND attnum > 0)), $fields + 1, 'it has all of its columns');
my $begin = time;
sql('CREATE SCHEMA all_of_them; IMPORT FOREIGN SCHEMA sobjects FROM SERVER force INTO all_of_them');
my $took = time - $begin;
diag(sprintf '%d objects of %d fields were imported in %.1f s', $objects, $fields, $took);
is(sql(q(SELECT count(*) FROM pg_class WHERE relnamespace = 'all_of_them'::regnamespace AND relkind = 'f')), $objects, 'all objects are tables');
is(sql("SELECT count(*) FROM pg_description WHERE objoid = 'all_of_them.object_${objects}__c'::regclass"), $fields, 'and their columns have comments');

# The same in plain SQL. Postgres makes an ALTER of each column's options.
my $of_import = "pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 WHERE relnamespace = 'all_of_them'::regnamespace AND relkind = 'f'";
my $script = 'CREATE SCHEMA plain; ' . sql(<<~SQL);
    SELECT format('CREATE FOREIGN TABLE plain.%I (%s) SERVER force OPTIONS (object %L);', relname,
               string_agg(format('%I %s OPTIONS (field %L)', attname, atttypid::regtype, split_part(attfdwoptions[1], '=', 2)), ', ' ORDER BY attnum), relname)
      FROM $of_import GROUP BY relname
    SQL
$script .= sql("SELECT format('COMMENT ON COLUMN plain.%I.%I IS %L;', relname, attname, col_description(c.oid, attnum)) FROM $of_import AND attnum > 1");
$begin = time;
sql("BEGIN; $script COMMIT;");
my $plain = time - $begin;
diag(sprintf 'and by a script of their statements in %.1f s', $plain);
is(sql(q(SELECT count(*) FROM pg_description WHERE objoid::regclass::text LIKE 'plain.%')), $objects * $fields, 'a script of the same tables');
cmp_ok($took, '<', $plain, 'takes longer than the import');

# More fields than a table has columns
$server->set(wide => 1);
my $limited = 'IMPORT FOREIGN SCHEMA sobjects LIMIT TO (object_1__c) FROM SERVER force INTO wide;';
like((outcome($node, "CREATE SCHEMA wide; $limited"))[1], qr/^psql:\S+ WARNING:  01000: 401 fields of "Object_1__c" have no column, since a table has 1600 at most
DETAIL:  The first is "Field_1600".*
HINT:  Create a foreign table with the columns that you need: the option "field" of a column names its field, and the table's option "object" its object.\n/,
    'those that have no column are counted, and what can be done is said');
is(sql(q(SELECT count(*) FROM pg_attribute WHERE attrelid = 'wide.object_1__c'::regclass AND attnum > 0)), 1600, 'the others have one');
sql(q(INSERT INTO wide.object_1__c (field_1, field_1599) VALUES ('a', 'b')));
sql(q(CREATE FOREIGN TABLE wide.last (a text OPTIONS (field 'Field_2000')) SERVER force OPTIONS (object 'Object_1__c'); INSERT INTO wide.last VALUES ('c')));
is(join(' ', $server->seen('/sobjects/Object_1__c')), '{"Field_1":"a","Field_1599":"b"} {"Field_2000":"c"}', 'and are written, as are those that somebody gives a column');
$server->set(wide => 0);

# A cancel ends it, and nothing is made.
my (undef, $refused) = outcome($node, q(SET statement_timeout = '1s'; CREATE SCHEMA none; CREATE FOREIGN TABLE none.silent ("Id" text) SERVER force OPTIONS (object 'Silent');
    SELECT * FROM reverse_etl.refresh_columns('none.silent')));
like($refused, qr/statement timeout/, 'whoever waits for an account can be interrupted');

# Two that ask at once
$server->set(account => encode_json({ fields => [ map { { name => $_, createable => JSON::PP::true, updateable => JSON::PP::true } } qw(Name Color__c) ] }));
sql(q(CREATE FOREIGN TABLE account ("id" text OPTIONS (field 'Id')) SERVER force OPTIONS (object 'Account')));
my @asking = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 3;
$_->query_until(qr/begun/, "\\echo begun\nSELECT 'added ' || count(*) FROM reverse_etl.refresh_columns('account');\n") for @asking;
wait_until(sub { sql(q(SELECT count(*) FROM pg_attribute WHERE attrelid = 'account'::regclass AND attnum > 0)) == 3 });
$_->quit for @asking;
is(sql(q(SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'account'::regclass AND attnum > 0)), 'id name color__c',
    'each column is added once');

# A database whose encoding does not have all that names may hold
sql(q(CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0));
$database = 'latin';
sql($make);
$server->set(account => encode_json({ fields => [ { name => "Gr\x{f6}\x{df}e", label => "\x{20ac} und \x{e4}" }, { name => "\x{20ac}" }, { name => 'Plain' } ] }));
my ($code, $out, $err) = $node->psql('latin', 'IMPORT FOREIGN SCHEMA sobjects LIMIT TO (account) FROM SERVER force INTO public');
is($out . $err, '', 'an object that the account does not have is none');
sql(q(CREATE FOREIGN TABLE account ("Id" text) SERVER force OPTIONS (object 'Account')));
($code, $out, $err) = $node->psql('latin', q(SELECT "column" FROM reverse_etl.refresh_columns('account')));
is($out, "gr\xc3\xb6\xc3\x9fe\nplain", 'what the encoding has is a column') or diag $err;
like($err, qr/1 field of "public.account" has no column/, 'and what it lacks is counted');
is(sql(q(SELECT col_description('account'::regclass, 2))), "\\u20ac und \xc3\xa4", 'comments are escaped');

$node->stop;
done_testing();
