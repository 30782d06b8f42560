# The worker is connected to its database, and gets out of the way of those who need the database for themselves.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'\ndynamic_shared_memory_type = mmap");
$node->safe_psql('postgres', 'CREATE DATABASE crm');
$node->safe_psql('crm', <<~SQL);
    CREATE EXTENSION reverse_etl;
    CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url', delivery 'queued');
    CREATE FOREIGN TABLE events (n integer) SERVER inhouse OPTIONS (path '/http/events');
    SQL
my $sent = 0;
delivers('crm');

$node->safe_psql('postgres', 'ALTER DATABASE crm RENAME TO sales');
delivers('sales');
mkdir $node->basedir . '/space' or die;
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '@{[ $node->basedir ]}/space'");
$node->safe_psql('postgres', 'ALTER DATABASE sales SET TABLESPACE space');
delivers('sales');
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE sales');
delivers('sales');
$node->safe_psql('postgres', 'ALTER DATABASE sales CONNECTION LIMIT 50');
delivers('sales');

# Where it fails, the worker comes back.
my $guest = $node->background_psql('sales');
my (undef, $said) = outcome($node, 'DROP DATABASE sales');
like($said, qr/ERROR:  55006: database "sales" is being accessed by other users/, 'other sessions are in the way as ever');
$guest->quit;
delivers('sales');
$node->safe_psql('postgres', 'CREATE ROLE guest LOGIN');
my $before = worker('sales');
(undef, $said) = outcome($node, 'DROP DATABASE sales', '--username', 'guest');
like($said, qr/ERROR:  42501: must be owner of database sales/, 'who must not drop it');
is(worker('sales'), $before, 'does not stop the worker');

$node->safe_psql('postgres', 'DROP DATABASE sales');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_database WHERE datname = 'sales')), 0, 'the database is gone');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker')) <= 1, 1,
    'and its worker');

# What a session had left for the worker of a database that is dropped
sub segments { return scalar(() = glob $node->data_dir . '/pg_dynshmem/*') }
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', <<~SQL);
    CREATE EXTENSION reverse_etl;
    CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'hubspot', base_url '$url');
    CREATE USER MAPPING FOR CURRENT_USER SERVER hubspot OPTIONS (access_token 'pat-1');
    CREATE FOREIGN TABLE contacts (email text) SERVER hubspot;
    INSERT INTO contacts VALUES ('a\@example.com');
    SQL
my $segments = segments();
my $locker   = $node->background_psql('shop');
$locker->query_safe('BEGIN; LOCK TABLE reverse_etl.rejected_rows');
my $push = $node->background_psql('shop', on_error_stop => 0);
$push->query_until(qr/started/, "\\echo started\nINSERT INTO contacts VALUES ('bad');\n");
wait_until(sub { segments() > $segments });
$node->safe_psql('postgres', 'DROP DATABASE shop WITH (FORCE)');
is(segments(), $segments, 'goes with the database');
eval { $_->quit } for $locker, $push;

# delivers(DATABASE): a row that is queued in it arrives, by itself.
sub delivers {
    my ($database) = @_;
    $sent++;
    wait_until(sub { worker($database) }) if $sent > 1;
    $node->safe_psql($database, "INSERT INTO events VALUES ($sent)");
    wait_until(sub { $sandbox->get('/_sandbox/count/http/events')->{count} == $sent });
    pass("database $database delivers");
    return;
}

sub worker {
    my ($database) = @_;
    return $node->safe_psql('postgres',
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'reverse_etl worker' AND datname = '$database'");
}

done_testing();
