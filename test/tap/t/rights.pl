# What a role that is not a superuser may do, with whose credentials, and what it sees of others: as with any table.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', 'log_statement = none');
# The cluster's first role has the name of the user who runs the tests.
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

$node->safe_psql('postgres', <<~SQL);
    CREATE ROLE marketing LOGIN;
    CREATE ROLE sales LOGIN;
    CREATE ROLE dba LOGIN;
    CREATE ROLE guest LOGIN;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR marketing SERVER hubspot OPTIONS (access_token 'pat-marketing');
    CREATE USER MAPPING FOR sales SERVER hubspot OPTIONS (access_token 'pat-sales');
    CREATE SCHEMA hubspot;
    IMPORT FOREIGN SCHEMA crm LIMIT TO (contacts) FROM SERVER hubspot INTO hubspot;
    GRANT USAGE ON SCHEMA hubspot TO marketing, guest;
    GRANT INSERT (email, firstname) ON hubspot.contacts TO marketing, guest;
    GRANT SELECT (email, firstname) ON hubspot.contacts TO marketing;
    GRANT USAGE ON FOREIGN DATA WRAPPER reverse_etl TO dba;
    GRANT CREATE ON SCHEMA public TO marketing;
    SQL

my $insert = q(INSERT INTO hubspot.contacts (email, firstname) VALUES ('ada@example.com', 'Ada'));

# Grants
is(as(marketing => $insert), 'INSERT 0 1 ', 'USAGE and INSERT on columns are enough to deliver');
denied(marketing => q(INSERT INTO hubspot.contacts (email, phone) VALUES ('ada@example.com', '1')), 'another column');
denied(marketing => q(DELETE FROM hubspot.contacts WHERE email = 'ada@example.com'), 'another command');
denied(sales     => $insert, 'without USAGE on the schema');
like(as(guest => $insert), qr/ERROR:  HV00J: user mapping not found for user "guest", server "hubspot"/,
    'nor without credentials');
is(sender(), 'pat-marketing', 'nothing of that was sent');

# Rejected rows
is(as(marketing => q(INSERT INTO hubspot.contacts (email) VALUES ('no address'))) =~ s/ .*//sr, 'INSERT',
    'a row is rejected');
my $rejected = 'SELECT count(*) FROM reverse_etl.rejected_rows';
is(shown(marketing => $rejected), 1, 'who sent it sees it');
is(shown(sales     => $rejected), 0, 'another role does not');
is(shown($superuser => $rejected), 1, 'a superuser does');
is(shown(sales => q(SELECT reverse_etl.discard('true'))), 0, 'another role cannot discard it');
denied(marketing => 'DELETE FROM reverse_etl.rejected_rows', 'deleting rejected rows by hand');
denied(marketing => q(UPDATE reverse_etl.rejected_rows SET reason = ''), 'changing rejected rows');
denied(marketing => q(INSERT INTO reverse_etl.rejected_rows DEFAULT VALUES), 'writing rejected rows');
is(shown(marketing => q(SELECT reverse_etl.discard($$destination = 'hubspot.contacts'$$))), 1, 'who sent it discards it');

# What only a DBA does
denied(marketing => q(SELECT reverse_etl.create_connector('acme', '{}')), 'create_connector');
denied(marketing => q(SELECT reverse_etl.drop_connector('acme')),         'drop_connector');
denied(marketing => q(INSERT INTO reverse_etl.custom_connectors VALUES ('acme', '{}')), 'writing connectors');
denied(marketing => q(CREATE SERVER mine FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot')),
    'CREATE SERVER');
is(as(dba => q(CREATE SERVER mine FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot'))),
    'CREATE SERVER ', 'USAGE on the wrapper lets a role create servers');
like(as(dba => q(ALTER SERVER mine OPTIONS (ADD ca_file '/etc/passwd'))),
    qr/ERROR:  42501: permission denied to set option "ca_file"/, 'but not name files of the server');

# Credentials
is(shown(sales => 'SELECT umoptions IS NULL FROM pg_user_mappings WHERE usename = $$marketing$$'), 't',
    "others' credentials are hidden");
is(shown(sales => 'SELECT umoptions FROM pg_user_mappings WHERE usename = $$sales$$'), '',
    'own ones too, without USAGE on the server');
denied(sales => 'SELECT * FROM pg_user_mapping', 'the catalog itself');
for my $place ('SERVER hubspot', 'FOREIGN TABLE hubspot.contacts') {
    my $refused = as($superuser => "ALTER $place OPTIONS (ADD access_token 'pat-misplaced')");
    like($refused, qr/ERROR:  HV00D: invalid option "access_token"\nDETAIL:  It is an option of a user mapping\./,
        "a token on a $place is refused, with where it belongs");
    unlike($refused, qr/misplaced/, 'and not repeated');
}
my $mistyped = "ALTER USER MAPPING FOR sales SERVER hubspot OPTIONS (ADD acces_token 'pat-mistyped')";
unlike(as($superuser => $mistyped), qr/pat-mistyped/, 'nor is a mistyped one');

# The rights of a view's and a function's owner
as(marketing => <<~'SQL');
    CREATE VIEW people AS SELECT email, firstname FROM hubspot.contacts;
    CREATE VIEW own_people WITH (security_invoker) AS SELECT email, firstname FROM hubspot.contacts;
    CREATE FUNCTION add_person(email text) RETURNS void LANGUAGE sql SECURITY DEFINER
        AS 'INSERT INTO hubspot.contacts (email) VALUES (add_person.email)';
    GRANT SELECT, INSERT ON people, own_people TO sales;
    SQL
for my $statement (
    q(INSERT INTO people VALUES ('a@example.com')),
    q(SELECT * FROM people WHERE email = 'a@example.com'),
    q(SELECT add_person('b@example.com')),
) {
    $sandbox->post('/_sandbox/reset', {});
    unlike(as(sales => $statement), qr/ERROR/, $statement);
    wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') == 0 });
    is(sender(), 'pat-marketing', 'goes with the credentials of the owner');
}
denied(sales => q(INSERT INTO own_people VALUES ('a@example.com')), "a view with the invoker's rights");
$node->safe_psql('postgres',
    'GRANT USAGE ON SCHEMA hubspot TO sales; GRANT INSERT, SELECT ON hubspot.contacts TO sales');
is(as(sales => q(INSERT INTO own_people VALUES ('a@example.com'))), 'INSERT 0 1 ', 'until the invoker has them');
is(sender(), 'pat-sales', "and then with the invoker's credentials");

# Postgres logs statements that fail, so whoever writes a token there himself finds it again.
unlike(slurp_file($node->logfile), qr/pat-(marketing|sales)/, 'the log holds no token');

done_testing();

sub as {
    my ($role, $statement) = @_;
    return join ' ', outcome($node, $statement, '--username', $role);
}

sub shown {
    my ($role, $query) = @_;
    return $node->safe_psql('postgres', $query, extra_params => [ '--username', $role ]);
}

sub denied {
    my ($role, $statement, $name) = @_;
    like(as($role, $statement), qr/ERROR:  42501: permission denied for /, "$role is denied: $name");
}

# The token of the last request.
sub sender {
    return $sandbox->get('/_sandbox/requests?last=1')->[0]{headers}{authorization} =~ s/Bearer //r;
}
