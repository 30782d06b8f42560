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
is(shown(marketing => q(SELECT reverse_etl.discard($$destination = 'hubspot.contacts'::regclass$$))), 1, 'who sent it discards it');

# What only a DBA does
denied(marketing => q(SELECT reverse_etl.create_connector('acme', '{}')), 'create_connector');
denied(marketing => q(SELECT reverse_etl.drop_connector('acme')),         'drop_connector');
denied(marketing => q(INSERT INTO reverse_etl_internal.custom_connectors VALUES ('acme', '{}')), 'writing connectors');
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

# A role is itself, whatever its name is.
as(marketing => q(INSERT INTO hubspot.contacts (email) VALUES ('no address')));
$node->safe_psql('postgres', 'ALTER ROLE marketing RENAME TO growth; CREATE ROLE marketing LOGIN');
for my $what ('rejected_rows', 'audit_log') {
    my $own = "SELECT count(*) > 0 FROM reverse_etl.$what";
    is(shown(growth => $own), 't', "$what: a role that was renamed still sees its rows");
    is(shown(marketing => $own), 'f', "$what: another of its old name does not");
}
is(shown(growth => q(SELECT rejected_by || ' ' || role_id FROM reverse_etl.rejected_rows)), 'marketing growth',
    'the name at the time stands beside the role');
$node->safe_psql('postgres', 'DROP ROLE marketing; ALTER ROLE growth RENAME TO marketing');
is(shown(marketing => q(SELECT reverse_etl.discard('true'))), 1, 'and they are its own to discard');

# Guards need no right of a stranger, and let pass what they cannot judge.
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE people_in (email text PRIMARY KEY, firstname text, note text);
    ALTER TABLE people_in OWNER TO marketing;
    CREATE FUNCTION helper(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    SELECT reverse_etl.create_sync('people', 'SELECT email, firstname FROM people_in', 'hubspot.contacts', '{email}'),
           reverse_etl.create_sync('fragile', 'SELECT email, helper(note) AS firstname FROM people_in', 'hubspot.contacts', '{email}');
    REVOKE USAGE ON SCHEMA reverse_etl, reverse_etl_internal FROM PUBLIC
    SQL
my $own = 'CREATE TABLE own (a integer, b integer); ALTER TABLE own RENAME b TO c; ALTER TABLE own DROP COLUMN c; DROP TABLE own';
unlike(as(marketing => $own), qr/ERROR|WARNING/, 'whoever may not use the schemas drops and alters what is theirs');
my $needed = 'ALTER TABLE people_in RENAME COLUMN firstname TO first_name';
like(as(marketing => $needed), qr/cannot alter .* because sync "fragile|people" needs it as it was/, 'but not what a sync needs');
$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA reverse_etl, reverse_etl_internal TO PUBLIC');

my $library = 'SET allow_system_table_mods = on; UPDATE pg_proc SET probin = %s WHERE probin LIKE $$%%reverse_etl%%$$';
$node->safe_psql('postgres', sprintf $library, '$$/nowhere/reverse_etl$$');
unlike(as(marketing => $own), qr/ERROR|WARNING/, 'without the library, what concerns no sync goes on');
my $passed = as(marketing => $needed);
like($passed, qr/WARNING:  01000: streams and syncs are not guarded: could not access file/, 'and of the rest a WARNING tells');
unlike($passed, qr/ERROR/, 'that it was let pass');
$node->safe_psql('postgres', sprintf $library, q('$libdir/reverse_etl'));
$node->safe_psql('postgres', 'ALTER TABLE people_in RENAME COLUMN first_name TO firstname');

like(as($superuser => 'DROP FUNCTION helper CASCADE'), qr/WARNING:  01000: sync "fragile" will fail from now on/, 'a sync is broken');
unlike(as(marketing => 'ALTER TABLE people_in RENAME COLUMN email TO address; ALTER TABLE people_in RENAME COLUMN address TO email'),
    qr/because sync "fragile"/, 'it does not block another command');
unlike(as($superuser => 'ALTER SCHEMA public RENAME TO former; ALTER SCHEMA former RENAME TO public'), qr/because sync "fragile"/,
    'nor that a schema is renamed');
as(marketing => 'CREATE SCHEMA mine');
$node->safe_psql('postgres', 'CREATE SCHEMA unconcerned; ALTER SCHEMA unconcerned RENAME TO another; DROP SCHEMA another');

# One sync that is broken keeps nobody else waiting.
$node->safe_psql('postgres', <<~'SQL');
    UPDATE reverse_etl_internal.sync_definitions SET schedule = 'bogus', key_types = '{0}' WHERE name = 'fragile';
    UPDATE reverse_etl_internal.sync_definitions SET requested_at = now();
    SELECT reverse_etl_internal.wake_worker()
    SQL
is($node->safe_psql('postgres', 'SELECT string_agg(name, $$ $$ ORDER BY name) FROM reverse_etl.syncs'), 'fragile people',
    'a schedule that is none hides no sync');
wait_until(sub { $node->safe_psql('postgres', q(SELECT count(DISTINCT sync) FROM reverse_etl.runs WHERE status IN ('completed', 'failed'))) == 2 });
is($node->safe_psql('postgres', 'SELECT string_agg(sync || $$ $$ || status, $$, $$ ORDER BY sync) FROM reverse_etl.runs'),
    'fragile failed, people completed', 'a sync that cannot begin has failed, and the next one runs');

# A run is cancelled in the process that began it, not in one that has its number now.
$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO reverse_etl.runs (sync_id, sync, status, requested_by, pid, process_started_at)
    SELECT id, name, 'reading', 'somebody', pg_backend_pid(), '2000-01-01' FROM reverse_etl_internal.sync_definitions WHERE name = 'people'
    SQL
my $cancel = q(SELECT reverse_etl.cancel_run(max(id)) FROM reverse_etl.runs WHERE status = 'reading');
unlike(as($superuser => $cancel), qr/WARNING|ERROR/, 'of a process that is gone nothing is cancelled');
like(as(sales => 'SELECT reverse_etl.cancel_run(1)'), qr/ERROR:  42704: run 1 does not exist/, "nor are others' runs");

# Whether the runner has found it by now or not.
$node->safe_psql('postgres', q(DELETE FROM reverse_etl.runs WHERE process_started_at = '2000-01-01'));

# History
like(as(sales => q(SELECT reverse_etl.discard_runs('people', now()))), qr/ERROR:  42704: sync "people" does not exist/,
    "others' history stays");
is(shown(sales => 'SELECT reverse_etl.discard_runs(NULL, now())'), 0, 'whatever is asked for');
my $ended = q(SELECT count(*) FROM reverse_etl.runs WHERE finished_at < now());
is($node->safe_psql('postgres', "SELECT reverse_etl.discard_runs(NULL, now()) = ($ended)"), 't', 'its owner throws it away');
denied(sales => 'DELETE FROM reverse_etl.runs', 'by hand');

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
