package SourceHouses;

# What differs between the warehouses that t/sources.pl and others read, each of which has a stand-in in test/sources:
#
#   SourceHouses::server($sources, 'trino', 'marketing')     # the SQL that makes a server of it, for a role
#
#   options      of the server
#   mapping      options of the user mapping, made of the stand-in's credentials (a sub that is given one's name)
#   identity     what check_server tells, where it tells any
#   schema       that IMPORT FOREIGN SCHEMA names; its table customers is "table" there
#   quote        a sub: a name as it is quoted there
#   parameter    a pattern: what stands for a parameter
#   exact        of a column as it is quoted: what tells its texts apart, where the source can
#   pages        how requests for pages begin
#   untold       columns of customers whose values it cannot tell apart
#   tagged       a pattern of what its statements are said to be for, with the run's number as %d
#   endless      its API has no timeout: only who has sent a statement ends it
#   differs      columns of customers that are not what they are elsewhere
#   after        statements after the import, where values need another type
#   values       of the first customers, where they are not what they are elsewhere: those of the columns, and of hard ones
#   requests     made before the one at which a token ends, where that is not the third
#   renews       whether another token can be had then
#   blind        its API has no id of ours: a submission whose answer is lost is made twice
#   otherwise    an option of the server with which it is read, too
#   last         the last day that it has
#   totals       the query of a table
#   url          the option that says where it is, where that is not base_url
#   judge        the published file of requests, and what it lacks

use strict;
use warnings FATAL => 'all';

my $plain   = sub { return "\"$_[0]\"" };
my $tick    = sub { return "`$_[0]`" };
my $totals  = 'SELECT country, count(*) AS people, max(born) AS last FROM customers GROUP BY country -- all';
my $keys    = "access_key_id 'AKIDEXAMPLE', secret_access_key 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'";

our %houses = (
    snowflake => {
        options   => q(account 'myorg-acc', warehouse 'SYNC_WH', role 'REVERSE_ETL', database 'ANALYTICS'),
        renews    => 1,
        mapping   => sub { "username 'sync', private_key '" . $_[0]->('private_key') =~ s/\n/\\n/gr . "'" },
        identity  => 'XY12345.REVERSE_ETL',
        schema    => '"PUBLIC"',
        table     => '"ANALYTICS"."PUBLIC"."CUSTOMERS"',
        quote     => sub { '"' . uc($_[0]) . '"' },
        parameter => qr/\?/,
        exact     => "COLLATE(%s, '')",
        pages     => 'GET /api/v2/statements/',
        tagged    => 'reverse_etl sync all_snowflake run %d',
        totals    => 'SELECT COUNTRY, count(*) AS PEOPLE, max(BORN) AS LAST FROM CUSTOMERS GROUP BY COUNTRY -- all',
        # The page docs.snowflake.com/en/developer-guide/sql-api/submitting-requests has it, the file does not.
        judge => ['snowflake_sql.json', 'query retry is not defined'],
    },
    bigquery => {
        options   => q(project 'acme-1', dataset 'crm'),
        mapping   => sub { "access_token '" . $_[0]->('access_token') . "'" },
        schema    => 'crm',
        table     => '`acme-1`.`crm`.`customers`',
        quote     => $tick,
        parameter => qr/\?/,
        exact     => "COLLATE(%s, '')",
        pages     => 'GET /bigquery/v2/projects/acme-1/queries/',
        tagged    => 'reverse_etl_sync_all_bigquery_run_%d',
        differs   => { seats => 'bigint' },
        totals    => $totals =~ s/FROM customers/FROM crm.customers/r,
        judge     => ['google_bigquery.json', ''],
    },
    clickhouse => {
        options   => q(database 'crm'),
        url       => 'endpoint',
        mapping   => sub { "username 'sync', password 'secret'" },
        identity  => '***',
        schema    => 'crm',
        table     => '`crm`.`customers`',
        quote     => $tick,
        parameter => qr/\{p\d+:\w+\}/,
        exact     => "concat(%s, '')",
        tagged    => 'reverse_etl sync all_clickhouse run %d',
        differs   => { wakes => 'text', seen => 'timestamp with time zone', photo => 'text' },
        requests  => 0,
        after     => 'ALTER FOREIGN TABLE %s ALTER COLUMN photo TYPE bytea',
        values    => [
            q(O'Neil|-1|-9007199254740993|-0.000000001|NaN||1900-01-01|00:00:00|1900-01-01 01:00:00+01|1970-01-01 00:59:58.75+01|\\x|{"a": [1, null, "x"]}),
            q(-123456789012345678901234567890|😀 "quoted" \\ back|99999999999999999999999999999.999999999|Infinity|2299-12-31|23:59:59.999999|2299-12-31 23:59:59.999999+00|2026-03-29 01:30:00.123456|\\x00ff|),
        ],
        last   => '2299-12-31',
        totals => $totals,
    },
    trino => {
        options   => q(catalog 'hive', schema 'crm'),
        url       => 'endpoint',
        mapping   => sub { "username 'sync', password 'secret'" },
        schema    => 'crm',
        table     => '"hive"."crm"."customers"',
        quote     => $plain,
        parameter => qr/CAST\(\? AS BIGINT\)|\?/,
        exact     => 'CAST(%s AS VARCHAR)',
        pages     => 'GET /v1/statement/',
        tagged    => 'reverse_etl sync all_trino run %d',
        totals    => $totals,
    },
    databricks => {
        options   => q(workspace 'dbc-a1b2.cloud.databricks.com', warehouse_id 'abcdef0123456789', catalog 'sales', schema 'crm'),
        mapping   => sub { "client_id 'sync', client_secret 'secret'" },
        renews    => 1,
        requests  => 3,
        otherwise => q(disposition 'INLINE'),
        blind     => 1,
        differs   => { wakes => 'text' },
        identity  => 'robot@acme.example',
        schema    => 'crm',
        table     => '`sales`.`crm`.`customers`',
        quote     => $tick,
        parameter => qr/:p\d+/,
        exact     => 'CAST(%s AS STRING) COLLATE UTF8_BINARY',
        pages     => 'GET /api/2.0/sql/statements/',
        endless   => 1,
        tagged    => 'reverse_etl sync all_databricks run %d',
        totals    => $totals,
    },
    athena => {
        options   => q(region 'eu-central-1', database 'crm', output_location 's3://acme-results/reverse_etl/'),
        mapping   => sub { $keys },
        identity  => 'primary',
        schema    => 'crm',
        table     => '"AwsDataCatalog"."crm"."customers"',
        quote     => $plain,
        parameter => qr/CAST\(\? AS BIGINT\)|\?/,
        exact     => 'CAST(%s AS VARCHAR)',
        totals    => $totals,
    },
    redshift => {
        options   => q(region 'eu-central-1', database 'dev', workgroup 'analytics', schema 'crm'),
        mapping   => sub { $keys },
        schema    => 'crm',
        table     => '"dev"."crm"."customers"',
        tagged    => 'reverse_etl sync all_redshift run %d',
        untold    => ['score'],
        quote     => $plain,
        parameter => qr/CAST\(:p\d+ AS BIGINT\)|:p\d+/,
        totals    => $totals,
        judge     => ['schemas/aws_redshift-data.schema.json', ''],
    },
);

my @columns = (id => 'numeric', email => 'text', first_name => 'text', country => 'text', seats => 'integer', visits => 'bigint', price => 'numeric', score => 'double precision', active => 'boolean',
    born => 'date', wakes => 'time without time zone', seen => 'timestamp without time zone', created => 'timestamp with time zone', photo => 'bytea', extra => 'jsonb');

# The statements that make a server of it with more options, and what the role signs in with.
sub server {
    my ($sources, $name, $role, $more) = @_;
    my $house   = $houses{$name};
    my $address = ($house->{url} // 'base_url') . " '" . $sources->url($name) . "'";
    my $mapping = mapping($sources, $name);
    return "CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$name', $address, $house->{options}" . ($more ? ", $more" : '') . ");
        CREATE USER MAPPING FOR $role SERVER $name OPTIONS ($mapping);";
}

# The options of a user mapping.
sub mapping { my ($sources, $name) = @_; return $houses{$name}{mapping}->(sub { $sources->credential($name, $_[0]) }) }

# The columns that an import makes, each with its type.
sub columns {
    my ($house) = @_;
    return join ', ', map { "$columns[$_] " . ($house->{differs}{ $columns[$_] } // $columns[ $_ + 1 ]) } grep { $_ % 2 == 0 } 0 .. $#columns;
}

sub values_of {
    my ($house, $number) = @_;
    return ($house->{values} // [
        q(O'Neil|-1|-9007199254740993|-0.000000001|NaN||0001-01-01|00:00:00|0001-01-01 00:00:00|1970-01-01 00:59:58.75+01|\\x|{"a": [1, null, "x"]}),
        q(-123456789012345678901234567890|😀 "quoted" \\ back|99999999999999999999999999999.999999999|Infinity|9999-12-31|23:59:59.999999|9999-12-31 23:59:59.999999|2026-03-29 01:30:00.123456|\\x00ff|),
    ])->[$number];
}

1;
