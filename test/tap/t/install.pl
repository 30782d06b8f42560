# The extension installs, and leaves nothing behind when dropped.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main');

is($node->safe_psql('postgres', q(SELECT extversion FROM pg_extension WHERE extname = 'reverse_etl')),
    '0.1.0', 'the extension is there');

is_deeply($sandbox->get('/_sandbox/objects'), {}, 'a fresh sandbox holds nothing');
$sandbox->post('/_sandbox/reset');

$node->safe_psql('postgres', 'DROP EXTENSION reverse_etl');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_namespace WHERE nspname ~ 'reverse_etl')),
    '0', 'dropped, it leaves no schema');

$node->stop;
done_testing();
