# Queued rows that are named by their key at a destination that wants its own id: the worker looks the id up.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\nlog_statement = none");

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}', max_attempts '2');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (id text OPTIONS (field 'hs_object_id'), email text, firstname text)
        SERVER hubspot OPTIONS (object 'contacts', delivery 'queued');
    CREATE TABLE customers (id integer PRIMARY KEY, email text, first_name text);
    SELECT reverse_etl.stream_table('customers', 'contacts', 'SELECT email, first_name AS firstname FROM changed');
    INSERT INTO customers SELECT i, 'c' || i || '\@example.com', 'n' || i FROM generate_series(1, 250) AS i;
    SQL
settled();
is(contacts(), 250, 'rows that are inserted arrive');

# Deletes
forget_requests();
$node->safe_psql('postgres', 'DELETE FROM customers WHERE id > 10');
settled();
is(contacts(), 10, 'rows that are deleted go');
is_deeply([ requests() ], [ ('archive') x 3, ('read') x 3 ], 'ids are looked up in batches, and rows deleted in batches');

$node->safe_psql('postgres', <<~'SQL');
    INSERT INTO customers VALUES (1001, 'brief@example.com', 'Brief');
    DELETE FROM customers WHERE id = 1001;
    SQL
settled();
is(contacts('brief@example.com'), 0, 'a row that is inserted and deleted in two transactions');
$node->safe_psql('postgres', <<~'SQL');
    BEGIN;
    INSERT INTO customers VALUES (1002, 'briefer@example.com', 'Briefer');
    DELETE FROM customers WHERE id = 1002;
    COMMIT;
    SQL
settled();
is(contacts('briefer@example.com'), 0, 'or in one');
$node->safe_psql('postgres', <<~'SQL');
    BEGIN;
    DELETE FROM customers WHERE id = 1;
    INSERT INTO customers VALUES (1, 'c1@example.com', 'back');
    COMMIT;
    SQL
settled();
is(contacts('c1@example.com'), 1, 'one that is deleted and comes back is there');
$node->safe_psql('postgres', q(UPDATE customers SET email = 'new2@example.com' WHERE id = 2));
settled();
is(contacts('c2@example.com') . contacts('new2@example.com'), '01', 'a row whose key changes leaves the old one');
$node->safe_psql('postgres', q(UPDATE customers SET email = 'NEW3@Example.com' WHERE id = 3));
settled();
$node->safe_psql('postgres', q(DELETE FROM customers WHERE id = 3));
settled();
is(contacts('new3@example.com'), 0, 'the destination may write a key in lower case');
is(rejected(), '', 'no row was rejected');

# Without a stream, where rows are queued for sure
$node->safe_psql('postgres', q(DELETE FROM contacts WHERE email IN ('c4@example.com', 'nobody@example.com')));
forget_requests();
settled();
is(contacts('c4@example.com'), 0, 'DELETE by key');
is(rejected(), '', 'a key that the destination does not know is no fault');
$node->safe_psql('postgres', q(SELECT reverse_etl.pause_server('hubspot')));
forget_requests();
my ($tag) = outcome($node, q(DELETE FROM contacts WHERE email = 'c5@example.com';));
is($tag, 'DELETE 1', 'such a row is counted as queued');
is_deeply([ requests() ], [], 'the statement itself asks the destination nothing');
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot')));
settled();
is(contacts('c5@example.com'), 0, 'it is looked up once it may leave');

# An UPDATE by key, where each look-up is a request of its own
$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER salesforce FOREIGN DATA WRAPPER reverse_etl
        OPTIONS (connector 'salesforce', instance 'acme', base_url '${\$sandbox->url}');
    CREATE USER MAPPING FOR CURRENT_USER SERVER salesforce OPTIONS (access_token 'token-1');
    CREATE FOREIGN TABLE people (id text OPTIONS (field 'Id'), number text OPTIONS (field 'Number__c'),
            name text OPTIONS (field 'LastName'))
        SERVER salesforce OPTIONS (object 'Contact', key 'Number__c', delivery 'queued');
    INSERT INTO people (number, name) SELECT i, 'n' FROM generate_series(1, 5) AS i;
    SQL
settled();
forget_requests();
$node->safe_psql('postgres', q(UPDATE people SET name = 'new' WHERE number IN ('1', '2', '3', 'none')));
settled();
my $people = $sandbox->get('/_sandbox/records/salesforce/Contact');
is(join(',', sort map { "$_->{Number__c}=$_->{LastName}" } @$people), '1=new,2=new,3=new,4=n,5=n', 'UPDATE by key');
is(scalar(grep { m{/composite/} } requests()), 1, 'what several look-ups find is updated together');

# Faults
fault({ path => '/batch/read', p_500 => 1 });
$node->safe_psql('postgres', 'DELETE FROM customers WHERE id = 6');
wait_until(sub { state() eq 'failing' });
is(contacts('c6@example.com'), 1, 'a look-up that fails leaves the row waiting');
fault({});
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot')));
settled();
is(contacts('c6@example.com'), 0, 'until it succeeds');

$node->safe_psql('postgres', q(ALTER USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (SET access_token 'wrong')));
$node->safe_psql('postgres', 'DELETE FROM customers WHERE id = 7');
wait_until(sub { state() eq 'paused' });
is(contacts('c7@example.com'), 1, 'refused credentials pause the destination');
$node->safe_psql('postgres', q(ALTER USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (SET access_token 'pat-2')));
settled();
is(contacts('c7@example.com'), 0, 'and new ones wake it');

fault({ path => '/batch/archive', p_500 => 1 });
$node->safe_psql('postgres', 'DELETE FROM customers WHERE id = 8');
wait_until(sub { state() eq 'failing' });
fault({});
$node->safe_psql('postgres', q(SELECT reverse_etl.resume_server('hubspot')));
settled();
is(contacts('c8@example.com'), 0, 'a delete that fails behind its look-up goes again, both of it');
is(rejected(), '', 'no row was rejected');

done_testing();

# Waits until everything that was queued has an outcome.
sub settled {
    wait_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox') eq '0' });
    return;
}

# How many contacts the destination has, or whether it has this one.
sub contacts {
    my ($email) = @_;
    my $records = $sandbox->get('/_sandbox/records/hubspot/contacts');
    return scalar grep { !defined $email || $_->{properties}{email} eq $email } @$records;
}

# The batch operations that were asked for since forget_requests(), sorted.
sub requests {
    my $requests = $sandbox->get('/_sandbox/requests?last=1000');
    return sort map { $_->{path} =~ m{/batch/(\w+)} ? $1 : $_->{path} } @$requests;
}

sub forget_requests {
    $sandbox->post('/_sandbox/reset?keep=data,faults');
    return;
}

sub fault {
    my ($rule) = @_;
    $sandbox->post('/_sandbox/faults', $rule);
    return;
}

sub state {
    return $node->safe_psql('postgres', 'SELECT DISTINCT state FROM reverse_etl.destination_states');
}

sub rejected {
    return $node->safe_psql('postgres', 'SELECT reason FROM reverse_etl.rejected_rows');
}
