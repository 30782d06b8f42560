# A copy of the database, however it was made, does not talk to the world until a superuser says so. A standby that is
# promoted is no copy, unless a setting says that it is.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;

my $insert  = q(INSERT INTO contacts (email) VALUES ('ada@example.com'));
my $look_up = q(SELECT email FROM contacts WHERE email = 'ada@example.com');
my $confirm = 'SELECT reverse_etl.confirm_identity()';
my $copy    = qr/destinations are paused because database "\w+" looks like a copy/;
my $preload = "shared_preload_libraries = 'reverse_etl'";

my $sandbox = start_sandbox();
my $node    = new_node('main', "$preload\nwal_level = replica\nmax_wal_senders = 5");
my $folder  = $node->basedir;
set_up($node, 'postgres');
$node->safe_psql('postgres', 'CREATE ROLE marketing LOGIN; CREATE ROLE auditor LOGIN IN ROLE pg_read_all_settings');
$node->safe_psql('postgres', 'GRANT INSERT ON contacts TO marketing');

# The original
is(said($node, $insert), '', 'a new database delivers');
is($node->safe_psql('postgres', 'SELECT data_directory, host, database FROM reverse_etl.identity'),
    join('|', $node->data_dir, `hostname` =~ s/\n//r, database_oid($node)), 'its identity is kept');
is(as(marketing => 'SELECT count(*) FROM reverse_etl.identity'), 0, 'not for everyone to see');
is(as(auditor => 'SELECT count(*) FROM reverse_etl.identity'), 1, 'but for those who see where the data directory is');
$node->restart;
is(said($node, $insert), '', 'a restart changes nothing');

# A copy of the data directory beside it
$node->stop;
$node->backup_fs_cold('cold');
$node->start;
my $cold = start_copy('cold');
$sandbox->post('/_sandbox/reset');
my $said = said($cold, $insert);
my $elsewhere = sprintf 'data directory "%s" (was "%s")', $cold->data_dir, $node->data_dir;
like($said, qr/^psql:<stdin>:\d+: ERROR:  55000: $copy$/m, 'a copy of the data directory does not deliver');
like($said, qr/^DETAIL:  What differs from the identity that was confirmed: \Q$elsewhere\E, file global\/pg_control created .* \(was .*\)\.$/m,
    'it says what differs');
like($said, qr/^HINT:  If it is to talk to its destinations, a superuser runs "\Q$confirm\E" in it\.$/m, 'and how to go on');
$said = said($cold, $insert, '--username', 'marketing');
like($said, qr/^DETAIL:  What differs from the identity that was confirmed: data directory, file global\/pg_control\.$/m,
    'those who may not see where the data directory is are not told');
unlike($said, qr/\Q$folder/, 'in no way');
like(said($cold, $look_up), qr/ERROR:  55000: $copy/, 'nor does it ask for rows');
is(said($cold, "EXPLAIN $insert"), '', 'EXPLAIN is no delivery');
unlike(said($cold, "BEGIN;\n$insert;\nCOMMIT"), qr/ERROR/, 'a row that is queued');
is($cold->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.outbox'), 1, 'waits');
is($sandbox->get('/_sandbox/stats')->{requests}, 0, 'no request was made');
wait_until(sub { slurp_file($cold->logfile) =~ /WARNING:  $copy/ });
is(said($node, $insert), '', 'the original goes on');

# Confirming
like(said($cold, $confirm, '--username', 'marketing'), qr/ERROR:  42501: permission denied for function/,
    'only a superuser confirms');
$cold->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION reverse_etl.confirm_identity() TO marketing');
like(said($cold, $confirm, '--username', 'marketing'),
    qr/ERROR:  42501: permission denied to confirm the identity of the database/, 'whatever is granted');
like(said($cold, "BEGIN READ ONLY;\n$confirm"), qr/ERROR:  25006: cannot execute reverse_etl\.confirm_identity\(\)/,
    'not in a read-only transaction');
said($cold, "BEGIN;\n$confirm;\nROLLBACK");
like(said($cold, $insert), qr/$copy/, 'a confirmation that is rolled back is none');
my $refused_then_not = said($cold, "$insert;\n\\! psql -X -q -d postgres -c '$confirm'\n$insert;");
like($refused_then_not, qr/NOTICE:  database "postgres" may talk to its destinations\nDETAIL:  What differs .*: \Q$elsewhere\E/,
    'a superuser confirms, and is told what');
is(() = $refused_then_not =~ /ERROR/g, 1, 'a session that was refused delivers at once');
is(said($cold, $insert), '', 'so do all others');
is($cold->safe_psql('postgres', 'SELECT count(*), min(confirmed_by) = current_user FROM reverse_etl.identity'), '1|t',
    'one identity is left');
like(said($cold, $confirm), qr/DETAIL:  It was so before\./, 'twice does no harm');
$cold->restart;
is(said($cold, $insert), '', 'it lasts');
is(() = slurp_file($cold->logfile) =~ /WARNING:  $copy/g, 1, 'the log held one warning in all that time');

# The host, and the place
$cold->append_conf('postgresql.conf', "reverse_etl.host = 'db-7'");
$cold->reload;
wait_until(sub { $cold->safe_psql('postgres', 'SHOW reverse_etl.host') eq 'db-7' });
like(said($cold, $insert), qr/DETAIL:  What differs .*: host "db-7" \(was "[^"]+"\)\.$/m, 'another host is a copy');
said($cold, $confirm);
is(said($cold, $insert), '', 'until it is confirmed');
$cold->stop;
my $data = $cold->data_dir;
rename $data, "$data.moved" or die;
symlink "$data.moved", $data or die;
$cold->start;
like(said($cold, $insert), qr/DETAIL:  What differs .*: data directory "\Q$data\E\.moved" \(was "\Q$data\E"\)\.$/m,
    'another place is a copy, and a move within a file system changes nothing else');
$cold->stop;
unlink $data or die;
rename "$data.moved", $data or die;
$cold->start;
is(said($cold, $insert), '', 'moved back, it is the original');
$cold->stop;
system_or_bail('cp', '-a', $data, "$data.restored");
system_or_bail('rm', '-rf', $data);
rename "$data.restored", $data or die;
$cold->start;
like(said($cold, $insert), qr/DETAIL:  What differs [^:]*: file global\/pg_control created \S+ \S+ \(was .*\)\.$/m,
    'a backup that was restored to the same place is a copy');
$cold->stop;

# A base backup, and one that is recovered
$node->backup('hot');
like(said(start_copy('hot'), $insert), qr/ERROR:  55000: $copy/, 'a base backup is a copy');
my $recovered = new_copy('recovered', 'hot');
$recovered->append_conf('postgresql.conf', "restore_command = 'false'");
$recovered->set_recovery_mode;
$recovered->start;
wait_until(sub { $recovered->safe_psql('postgres', 'SELECT pg_is_in_recovery()') eq 'f' });
like(said($recovered, $insert), qr/ERROR:  55000: $copy/, 'so is one that was recovered from an archive');
$recovered->stop;

# Standbys
my $standby = start_standby('standby', '');
is(said($standby, $look_up), '', 'a standby reads');
like(said($standby, $insert), qr/ERROR:  25006: cannot execute INSERT in a read-only transaction/, 'and does not write');
is($standby->safe_psql('postgres', 'SELECT data_directory FROM reverse_etl.identity'), $node->data_dir,
    'it has the identity of its primary');
$standby->promote;
is(said($standby, $insert), '', 'promoted, it delivers');
$standby->poll_query_until('postgres', 'SELECT data_directory = $$' . $standby->data_dir . '$$ FROM reverse_etl.identity')
    or die;
is($standby->safe_psql('postgres', 'SELECT count(*) FROM reverse_etl.identity'), 1, 'and has an identity of its own');
like(slurp_file($standby->logfile), qr/LOG:  destinations go on, since database "postgres" was a standby and has been promoted/,
    'the log says so');
unlike(slurp_file($standby->logfile), qr/$copy/, 'and nothing of a copy');
$standby->restart;
is(said($standby, $insert), '', 'after a restart too');
$standby->stop;

my $pausing = start_standby('pausing', 'reverse_etl.pause_on_promotion = on');
is(said($pausing, $look_up), '', 'with pause_on_promotion a standby reads');
$pausing->promote;
like(said($pausing, $insert), qr/ERROR:  55000: $copy/, 'and is a copy when it is promoted');
said($pausing, $confirm);
is(said($pausing, $insert), '', 'until it is confirmed');
$pausing->stop;

my $not_preloaded = start_standby('not_preloaded', "shared_preload_libraries = ''");
is(said($not_preloaded, $look_up), '', 'a standby reads where the library is not preloaded');
$not_preloaded->promote;
like(said($not_preloaded, $insert), qr/ERROR:  55000: $copy/, 'promoted, it is not known to have been a standby');
$not_preloaded->stop;

# Dumps
my $other = new_node('other');
for my $target ([ $node, 'the same' ], [ $other, 'another' ]) {
    my ($cluster, $which) = @$target;
    for my $kind ([ [], 'a dump', qr/What differs .*: .*database \d+ \(was \d+\)/ ],
        [ ['--schema-only'], 'a dump without data', qr/Its identity was never confirmed, as after a dump was restored\./ ])
    {
        my ($options, $name, $detail) = @$kind;
        $node->command_ok([ 'pg_dump', '--no-privileges', '-f', "$folder/dump.sql", @$options, 'postgres' ], $name);
        $cluster->safe_psql('postgres', 'CREATE DATABASE restored');
        $cluster->command_ok(
            [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/dump.sql", 'restored' ],
            "restores into $which cluster");
        $said = said_in($cluster, 'restored', $insert);
        like($said, qr/ERROR:  55000: $copy\nDETAIL:  $detail/, 'and is a copy');
        said_in($cluster, 'restored', $confirm);
        is(said_in($cluster, 'restored', $insert), '', 'until it is confirmed');
        drop($cluster, 'restored');
    }
}

# A database that is there already
$other->safe_psql('postgres', 'CREATE DATABASE source');
$other->safe_psql('source', 'CREATE EXTENSION reverse_etl');
set_up($other, 'source');
is(said_in($other, 'source', $insert), '', 'another database of another cluster delivers');
$other->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE source');
like(said_in($other, 'copied', $insert), qr/$copy\nDETAIL:  What differs .*: database \d+ \(was \d+\)\.$/m,
    'a database made from it is a copy');
$node->command_ok([ 'pg_dump', '-a', '-t', 'reverse_etl.identity', '-f', "$folder/data.sql", 'postgres' ],
    'a dump of the data');
$other->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/data.sql", 'source' ],
    'restores beside an identity that is there');
like(said_in($other, 'source', $insert), qr/ERROR:  55000: $copy\nDETAIL:  What differs .*: system identifier/,
    'and makes a copy of the database');
said_in($other, 'source', $confirm);
is(said_in($other, 'source', $insert), '', 'until it is confirmed');

is(said($node, $insert), '', 'all that time the original delivers');

done_testing();

# Destinations, as the original has them.
sub set_up {
    my ($cluster, $database) = @_;
    $cluster->safe_psql($database, <<~SQL);
        CREATE SERVER hubspot FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'hubspot', base_url '${\$sandbox->url}', rate_limit 'none');
        CREATE USER MAPPING FOR PUBLIC SERVER hubspot OPTIONS (access_token 'pat-1');
        CREATE FOREIGN TABLE contacts (id text OPTIONS (field 'hs_object_id'), email text, firstname text) SERVER hubspot;
        SQL
    return;
}

sub new_copy {
    my ($name, $backup, %options) = @_;
    my $cluster = PostgreSQL::Test::Cluster->new($name);
    $cluster->init_from_backup($node, $backup, %options);
    return $cluster;
}

sub start_copy {
    my ($backup) = @_;
    my $cluster = new_copy($backup, $backup);
    $cluster->start;
    return $cluster;
}

sub start_standby {
    my ($name, $configuration) = @_;
    my $cluster = new_copy($name, 'hot', has_streaming => 1);
    $cluster->append_conf('postgresql.conf', $configuration);
    $cluster->start;
    $node->wait_for_catchup($cluster);
    return $cluster;
}

# What is said beside the result.
sub said {
    my ($cluster, $sql, @arguments) = @_;
    my (undef, $said) = outcome($cluster, $sql, @arguments);
    return $said;
}

sub said_in {
    my ($cluster, $database, $sql) = @_;
    return said($cluster, $sql, '--dbname', $database);
}

sub as {
    my ($role, $query) = @_;
    return $node->safe_psql('postgres', $query, extra_params => [ '--username', $role ]);
}

sub database_oid {
    my ($cluster) = @_;
    return $cluster->safe_psql('postgres', 'SELECT oid FROM pg_database WHERE datname = current_database()');
}

sub drop {
    my ($cluster, $database) = @_;
    $cluster->safe_psql('postgres', "DROP DATABASE $database WITH (FORCE)");
    return;
}
