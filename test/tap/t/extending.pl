# Once: it is the functions that take turns, the same on every version of Postgres.
#
# Whoever extends a connector while another session drops or replaces it: one of them gives way, and nobody stands on nothing.

use strict;
use warnings FATAL => 'all';

use ReverseETL;
use Test::More;

my $node = new_node();

sub manifest {
    my ($name, $more) = @_;
    return qq({"manifest": 1, "name": "$name", $more});
}
my $whole = '"title": "T", "base_url": "https://a.example", "auth": {"kind": "none"}, "objects": {"o": {"columns": {"x": "text", "y": "text"}}}';

# make(NAME, MORE): the statement that makes it.
sub make {
    my ($name, $more) = @_;
    return "SELECT reverse_etl.create_connector('$name', '" . manifest($name, $more) . "');";
}
my $extend  = make('upper', '"extends": "base", "objects": {"o": {"columns": {"y": null}}}');
my $drop    = q(SELECT reverse_etl.drop_connector('base'););
my $replace = make('base', '"title": "T", "base_url": "https://a.example", "auth": {"kind": "none"}, "objects": {"o": {}}');
my $wait    = q(SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'reverse_etl_internal.custom_connectors'::regclass);

sub start_anew {
    $node->safe_psql('postgres', 'DELETE FROM reverse_etl_internal.custom_connectors; ' . make('base', $whole));
}

# While one session is in the middle of the first statement's transaction, another begins the second.
for my $case ([ 'dropping', $drop, qr/because others extend it/ ], [ 'replacing', $replace, qr/would be wrong/ ]) {
    my ($what, $statement, $error) = @$case;
    start_anew();
    my $first = $node->background_psql('postgres');
    $first->query_safe("BEGIN; $extend");
    my $second = $node->background_psql('postgres', on_error_stop => 0);
    $second->query_until(qr/started/, "\\echo started\n$statement\n");
    ok($node->poll_query_until('postgres', $wait), "$what a connector waits for who extends it");
    $first->query_safe('COMMIT');
    $second->query('SELECT 1');
    like($second->{stderr}, $error, 'and is refused then');
    $first->quit;
    $second->quit;

    # Who does not see what others did meanwhile fails.
    start_anew();
    my $old = $node->background_psql('postgres', on_error_stop => 0);
    $old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM reverse_etl_internal.custom_connectors');
    $node->safe_psql('postgres', $extend);
    $old->query($statement);
    like($old->{stderr}, qr/could not serialize access/, "$what it in a transaction that began before fails");
    $old->query('ROLLBACK');
    $old->quit;
}

start_anew();
my $first = $node->background_psql('postgres');
$first->query_safe("BEGIN; $drop");
my $second = $node->background_psql('postgres', on_error_stop => 0);
$second->query_until(qr/started/, "\\echo started\n$extend\n");
ok($node->poll_query_until('postgres', $wait), 'extending a connector waits for who drops it');
$first->query_safe('COMMIT');
$second->query('SELECT 1');
like($second->{stderr}, qr/connector "base", which does not exist/, 'and is refused then');
$first->quit;
$second->quit;
is($node->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.connectors WHERE NOT built_in'), '0', 'nobody stands on nothing');

done_testing();
