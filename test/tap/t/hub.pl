# The recipe of docs/hub.md: a Postgres with the extension reads another one that has none. The page's own SQL runs, with the other's address
# in place of the one that it names; what was granted there is all that can be sent.

use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use ReverseETL;
use Test::More;

my $sandbox   = start_sandbox();
my $url       = $sandbox->url;
my $warehouse = PostgreSQL::Test::Cluster->new('warehouse');
$warehouse->init(extra => [ '--locale=C', '--encoding=UTF8', '--auth-host=scram-sha-256' ]);
# Roles of the hub that are no superusers need a password, and passwords a connection that asks for them.
$warehouse->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
$warehouse->start;
my $hub = new_node('hub', "shared_preload_libraries = 'reverse_etl'");
$hub->safe_psql('postgres', 'CREATE DATABASE hub');

$warehouse->safe_psql('postgres', <<~SQL);
    CREATE SCHEMA crm;
    CREATE TABLE crm.customers (email text, name text, country text);
    INSERT INTO crm.customers SELECT 'c' || i || '\@example.com', 'Name ' || i, CASE WHEN i % 2 = 0 THEN 'DE' ELSE 'FR' END FROM generate_series(1, 1000) AS i;
    CREATE TABLE crm.salaries AS SELECT email, 1 AS salary FROM crm.customers;
    SQL

# Where the page's statements go: each block says it in its first line.
my @blocks = do {
    open my $page, '<:encoding(UTF-8)', dirname(__FILE__) . '/../../../docs/hub.md' or die $!;
    local $/;
    <$page> =~ /^```sql[^\n]*\n(.*?)^```$/gms;
};
my ($address, $port) = ('127.0.0.1', $warehouse->port);
for my $block (@blocks) {
    my ($where, $as) = $block =~ /^-- At the (warehouse|hub)(?:, as (\w+))?$/m or BAIL_OUT("it is not said where this runs:\n$block");
    $block =~ s/host '[^']*', port '5432', dbname 'shop', sslmode 'verify-full', sslrootcert '[^']*'/host '$address', port '$port', dbname 'postgres'/;
    $block =~ s/\(connector 'hubspot'\)/(connector 'hubspot', base_url '$url', rate_limit 'none')/;
    $block = "SET ROLE $as;\n$block" if defined $as;
    my ($node, $database) = $where eq 'hub' ? ($hub, 'hub') : ($warehouse, 'postgres');
    my ($status, undef, $said) = $node->psql($database, $block);
    is($status, 0, "what the page runs at the $where" . (defined $as ? " as $as" : '')) or diag $said;
}

sub contacts { return scalar $sandbox->get('/_sandbox/records/hubspot/contacts')->@* }
sub at_hub { my ($sql) = @_; my ($status, $output, $said) = $hub->psql('hub', "SET ROLE marketing;\n$sql"); return $status == 0 ? $output : $said }

is(contacts(), 501, 'the rows of the warehouse are at the destination: those of one country, and the best of the other');
is(at_hub(q(SELECT accepted FROM reverse_etl.runs)), 500, 'and the sync has its run');
like(at_hub('EXPLAIN (VERBOSE, COSTS false) SELECT email FROM warehouse.customers WHERE country = \'DE\''),
    qr/Remote SQL: SELECT email FROM crm.customers WHERE \(\(country = 'DE'/, 'conditions run at the warehouse');
like(at_hub('SELECT count(*) FROM warehouse.salaries'), qr/permission denied for table salaries/, 'what was not granted there is not read here');

# Nothing differs, then one row does.
at_hub(q(CALL reverse_etl.run_sync('customers')));
$warehouse->safe_psql('postgres', q(UPDATE crm.customers SET name = 'Else' WHERE email = 'c2@example.com'; DELETE FROM crm.customers WHERE email = 'c4@example.com'));
at_hub(q(CALL reverse_etl.run_sync('customers')));
is(at_hub('SELECT added, changed, removed FROM reverse_etl.runs ORDER BY id DESC LIMIT 1'), '0|1|1', 'the next run finds what changed at the warehouse');
is(contacts(), 500, 'and removes what is gone');

$warehouse->safe_psql('postgres', 'REVOKE SELECT ON crm.customers FROM marketing_hub');
like(at_hub(q(CALL reverse_etl.run_sync('customers'))), qr/permission denied for table customers/, 'what is revoked there ends here');
is(contacts(), 500, 'and nothing is removed for it');

done_testing();
