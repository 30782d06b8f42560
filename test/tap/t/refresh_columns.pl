# reverse_etl.refresh_columns, attacked: by who may not, by what hangs on the table, by what an account calls its fields, and by
# an account that does not answer.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';
use utf8;

use Encode qw(decode_utf8);
use JSON::PP;
use ReverseETL;
use ScriptedServer;
use Test::More;

my $server = ScriptedServer->start(sub {
    my ($method, $target, $body, $set) = @_;
    return [ 201, 'application/json', '{}' ] if $method eq 'POST';
    return [ $set->{status} // 200, 'application/json', $set->{fields} // '{"fields": []}' ];
});
my $node = new_node('main', "shared_preload_libraries = 'reverse_etl'");
$ENV{PGCLIENTENCODING} = 'UTF8';
sub sql { return decode_utf8($node->safe_psql('postgres', @_)) }
sub said { return decode_utf8((outcome($node, @_))[1]) }
sub fields { return $server->set(fields => JSON::PP->new->ascii->encode({ fields => [ @_ ] })) }
sub columns { my ($table) = @_; return sql("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped") }
my $refresh = q(SELECT string_agg("column", ' ') FROM reverse_etl.refresh_columns);

my $url = $server->url;
sql(<<~SQL);
    SELECT reverse_etl.create_connector('force', \$\${
        "manifest": 1, "name": "force", "title": "Force", "base_url": "$url", "auth": {"kind": "none"},
        "columns": {"Id": {"type": "text", "write": false}},
        "discover": { "fields": {"request": "GET /fields/{object}", "records": "/fields", "field": "/name", "description": "/label",
            "type": {"at": "/type", "types": {"double": "numeric"}}, "required": {"/required": true},
            "choices": {"at": "/choices", "closed_when": {"/closed": true}}}},
        "operations": {"create": {"request": "POST /rows/{object}", "body": {"\$columns": "all"}}},
        "objects": {"*": {"pattern": "[A-Za-z0-9_]+"}}}\$\$);
    CREATE SERVER force FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'force', max_attempts '2');
    CREATE USER MAPPING FOR PUBLIC SERVER force;
    CREATE FOREIGN TABLE account (id text OPTIONS (field 'Id')) SERVER force OPTIONS (object 'Account');
    CREATE ROLE stranger;
    CREATE ROLE writer;
    GRANT ALL ON account TO writer;
    GRANT USAGE ON FOREIGN SERVER force TO writer;
    SQL

# Who may
fields({ name => 'Color' });
like(said("SET ROLE $_; $refresh('account')"), qr/ERROR:  42501: must be owner of foreign table account/, "$_ may not") for qw(stranger writer);
is(columns('account'), 'id', 'and nothing is added');
is($server->seen('/fields/Account'), 0, 'nor asked for');

# What hangs on the table
sql('CREATE VIEW seen AS SELECT * FROM account; CREATE TABLE holds (one account); CREATE FUNCTION takes(account) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$');
is(sql("$refresh('account')"), 'color', 'a view over the table is in nobody\'s way');
is(columns('seen'), 'id', 'and stays as it was');
fields({ name => 'Color' }, { name => 'Size' });
like(said("SELECT * FROM account, reverse_etl.refresh_columns('account')"), qr/ERROR:  (55006|0A000)/, 'a statement that reads the table cannot change it');
is(columns('account'), 'id color', 'and does not');
sql('CREATE TABLE whole (id text) PARTITION BY LIST (id); CREATE FOREIGN TABLE part PARTITION OF whole FOR VALUES IN (\'a\') SERVER force OPTIONS (object \'Account\')');
like(said("$refresh('part')"), qr/ERROR:  42809: cannot add column to a partition/, 'a partition has the columns of its table');
is(said("BEGIN; $refresh('account'); ROLLBACK;"), '', 'it is done within a transaction');
is(columns('account'), 'id color', 'and undone with it');

# A field that has another type now, or is gone
fields({ name => 'Color', type => 'double', required => JSON::PP::true, closed => JSON::PP::true, choices => [ 'red' ] }, { name => 'Size', type => 'double' });
is(sql("$refresh('account')"), 'size', 'what is there is not added again');
is(sql(q(SELECT atttypid::regtype || ' ' || attnotnull FROM pg_attribute WHERE attrelid = 'account'::regclass AND attname = 'color')), 'text false', 'and stays as it is');
fields({ name => 'Size', type => 'string' });
is(sql("$refresh('account')"), '', 'nothing is added for what has changed');
is(columns('account'), 'id color size', 'and nothing dropped that is gone');

# What an account may call its fields, whatever the session's settings
my $long = 'n' x 62;
my @hostile = (
    'x"; DROP TABLE holds; --', "x'); DROP TABLE holds; --", 'COLOR', 'color_2', 'back\\slash', "tab\there", '%s%n', '$$x$$', ' ', 'tableoid',
    "${long}é", "${long}éa", "${long}xa", "${long}xb", '........pg.dropped.2........', 'select', '😀',
);
my @texts = ("it's", "two\nlines", 'back\\slash', "\\'); DROP TABLE holds; --", '"', '$$', '%s', 'é');
fields(map { { name => $_, label => "$_ '; DROP TABLE holds; --\n\\", choices => [ @texts, $_ ], closed => $_ =~ /^[xc]/i ? JSON::PP::true : JSON::PP::false } } @hostile);
sql('CREATE SCHEMA evil; CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
     CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never); CREATE DOMAIN evil.text AS int;
     ALTER FOREIGN TABLE account DROP COLUMN color');
for my $settings ('', 'SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on; SET search_path = evil, public, pg_catalog;') {
    my $table = $settings ? 'strange' : 'account';
    sql('CREATE FOREIGN TABLE strange (id text OPTIONS (field \'Id\')) SERVER force OPTIONS (object \'Account\')') if $settings;
    is(said("$settings SELECT count(*) FROM reverse_etl.refresh_columns('public.$table')"), '', "names are names: $settings");
    my $found = sql(qq(SELECT json_agg(coalesce((SELECT option_value FROM pg_options_to_table(attfdwoptions) WHERE option_name = 'field'), attname) ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'size')));
    is_deeply(JSON::PP->new->decode($found), \@hostile, 'each stands for its field');
    is(sql("SELECT count(DISTINCT attname) FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum > 0 AND octet_length(attname) <= 63 AND attname = lower(attname)"),
        @hostile + ($settings ? 1 : 3), 'under a name of its own');
    is(sql("SELECT count(*) FROM pg_constraint WHERE conrelid = '$table'::regclass AND position('evil' IN pg_get_constraintdef(oid)) = 0"), 4, 'choices are checked with the operators of Postgres');
    like(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '$table'::regclass ORDER BY oid LIMIT 1"), qr/'it''s'::text, 'two\nlines'::text, 'back\\slash'::text, '\\''\); DROP TABLE holds; --'::text/,
        'as they are');
    like(sql("SELECT col_description('$table'::regclass, attnum) FROM pg_attribute WHERE attrelid = '$table'::regclass AND attname = 'select'"), qr/^select '; DROP TABLE holds; --/, 'and so are comments');
}
is(sql('SELECT count(*) FROM holds'), 0, 'nothing was dropped');
sql(q(INSERT INTO strange ("x""; drop table holds; --", "select") VALUES ('a', 'b')));
is_deeply(JSON::PP->new->utf8->decode(($server->seen('/rows/Account'))[-1]), { 'x"; DROP TABLE holds; --' => 'a', select => 'b' }, 'rows have the names of the fields');

# More than a table has room for, where columns that were dropped keep their places
fields(map { { name => "field_$_" } } 1 .. 2000);
sql('CREATE FOREIGN TABLE wide (id text OPTIONS (field \'Id\')) SERVER force OPTIONS (object \'Wide\')');
my $too_many = qr/WARNING:  01000: (\d+) fields? of "public.wide" ha(?:s|ve) no column, since a table has 1600 at most\nDETAIL:  The first is "(\w+)".*\nHINT:  Create a foreign table with the columns that you need/;
like(my $warned = said("SELECT count(*) FROM reverse_etl.refresh_columns('wide')"), $too_many, 'a table that is full is said to be');
is(join(' ', $warned =~ $too_many), '401 field_1600', 'and what it lacks');
sql('ALTER FOREIGN TABLE wide ' . join ', ', map { "DROP COLUMN field_$_" } 1 .. 10);
$warned = said("SELECT count(*) FROM reverse_etl.refresh_columns('wide')");
is(join(' ', $warned =~ $too_many), '411 field_1', 'columns that were dropped leave no room');
sql('CREATE FOREIGN TABLE narrow (last text OPTIONS (field \'field_2000\')) SERVER force OPTIONS (object \'Wide\')');
sql(q(INSERT INTO narrow VALUES ('x')));
is(($server->seen('/rows/Wide'))[-1], '{"field_2000":"x"}', 'a table with the columns that one needs is the way out');

# An account that is down, refuses, or says something else
my $before = columns('strange');
for my $answer ([ 503, '{}' ], [ 404, '{}' ], [ 401, '{}' ], [ 200, '<html>' ], [ 200, '{"fields": [' ]) {
    $server->set(status => $answer->[0], fields => $answer->[1]);
    like(said("$refresh('strange')"), qr/^psql:\S+ ERROR:  /, "$answer->[0] $answer->[1] is an error");
}
sql(q(ALTER SERVER force OPTIONS (ADD base_url 'http://127.0.0.1:1')));
like(said("$refresh('strange')"), qr/ERROR:  HV00N: .*127.0.0.1/, 'and so is a server that is not there');
is(columns('strange'), $before, 'none of them changes the table');

$node->stop;
done_testing();
