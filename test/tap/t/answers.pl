# Whatever a destination says, to the worker as to a statement, in a database of UTF-8 as of LATIN1: every row gets its
# outcome, the words can be stored, nobody reads a credential in them, and only who may use a destination reads them at all.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Utils;
use ReverseETL;
use Test::More;
use Time::HiRes qw(sleep);

my $secret  = 'pat-s3cr3t/"token"';
my $sandbox = start_sandbox();
my $url     = $sandbox->url;
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");

# Each: what it is, the answer, and what its reason is like. {authorization} is what the request's header said.
my @refusals = (
    [ 'a NUL', { answer => '{"error":"a\u0000b"}' }, qr/^a\\u0000b$/ ],
    [ 'half a surrogate pair', { answer => '{"error":"half \ud83d"}' }, qr/^half / ],
    [ 'an emoji', { answer => "{\"error\":\"no \\ud83d\\ude00\"}" }, qr/^no / ],
    [ 'bytes that are no text', { answer => "bad \x{1}\x{7f}" }, qr/^bad \\u0001\\u007f$/ ],
    [ 'other members', { answer => '{"errors":[{"why":"too long"}]}' }, qr/too long/ ],
    [ 'a web page', { answer => '<html><script>x</script><b>No</b> entry</html>', answer_type => 'text/html' }, qr/^No entry$/ ],
    [ 'a long text', { answer => 'x' x 100_000, answer_type => 'text/plain' }, qr/^x{500}$/ ],
    [ 'an echo', { answer => '{"error":"you sent {authorization}"}' }, qr/^\{"error":"you sent .*\*\*\*|^you sent .*\*\*\*/ ],
    [ 'an echo as text', { answer => 'GET / {authorization} HTTP/1.1', answer_type => 'text/plain' }, qr/^GET \/ .*\*\*\* HTTP/ ],
    [ 'an echo with percents', { answer => 'token=pat-s3cr3t%2F%22token%22&x', answer_type => 'text/plain' }, qr/^token=\*\*\*&x$/ ],
    [ 'an echo in base64', { answer => 'sent cGF0LXMzY3IzdC8idG9rZW4i', answer_type => 'text/plain' }, qr/^sent \*\*\*/ ],
);

for my $encoding ('UTF8', 'LATIN1') {
    my $database = lc "in_$encoding";
    $node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' TEMPLATE template0 LOCALE 'C'");
    my $sql = sub { $node->safe_psql($database, $_[0]) };
    $sql->(<<~SQL);
        CREATE EXTENSION reverse_etl;
        CREATE SERVER inhouse FOREIGN DATA WRAPPER reverse_etl
            OPTIONS (connector 'http', base_url '$url', delivery 'queued', max_attempts '1');
        CREATE USER MAPPING FOR PUBLIC SERVER inhouse OPTIONS (token '$secret');
        CREATE FOREIGN TABLE events (n integer) SERVER inhouse OPTIONS (path '/http/events', batch_size '1');
        SQL
    my $number = 0;
    for my $case (@refusals) {
        my ($name, $answer, $reason) = @$case;
        $sandbox->post('/_sandbox/faults', { answer_status => 422, %$answer });
        $sql->('INSERT INTO events VALUES (' . ++$number . ')');
        wait_until(sub { $sql->('SELECT count(*) FROM reverse_etl.rejected_rows') eq $number });
        like($sql->('SELECT reason FROM reverse_etl.rejected_rows ORDER BY id DESC LIMIT 1'), $reason, "$encoding: $name");
    }
    is($sql->('SELECT count(*) FROM reverse_etl.outbox'), 0, "$encoding: no row waits");

    # What concerns all rows is a state of the destination.
    $sandbox->post('/_sandbox/faults', { answer_status => 401, answer => "\x{1} \\ud83d {authorization}" });
    $sql->('INSERT INTO events VALUES (0)');
    wait_until(sub { $sql->("SELECT count(*) FROM reverse_etl.destination_states WHERE state = 'paused'") eq 1 });
    like($sql->('SELECT reason FROM reverse_etl.destination_states'), qr/\\u0001 \S+ .*\*\*\*.*401/, "$encoding: 401 pauses it");
    $sandbox->post('/_sandbox/faults', {});
    $sql->("SELECT reverse_etl.resume_server('inhouse')");
    wait_until(sub { $sql->('SELECT count(*) FROM reverse_etl.outbox') eq 0 });
    pass("$encoding: and it goes on");
}

# A statement's own error, and what the audit log keeps of it
$sandbox->post('/_sandbox/faults', { answer_status => 401, answer => 'no {authorization}', answer_type => 'text/plain' });
$node->safe_psql('in_utf8', q(CREATE FOREIGN TABLE direct (n integer) SERVER inhouse OPTIONS (path '/http/direct', delivery 'immediate')));
my (undef, undef, $said) = $node->psql('in_utf8', 'INSERT INTO direct VALUES (1)');
like($said, qr/ERROR:.*no \*\*\*/, 'the error of a statement has stars');
like($node->safe_psql('in_utf8', q(SELECT error FROM reverse_etl.audit_log WHERE destination = 'public.direct'::regclass)),
    qr/no \*\*\*/, 'and so has the audit log');

# Who may use a destination sees what is wrong with it, and nobody else.
$sandbox->post('/_sandbox/faults', { answer_status => 401, answer => 'no' });
$node->safe_psql('in_utf8', <<~'SQL');
    CREATE ROLE stranger;
    CREATE ROLE sender;
    CREATE ROLE watcher IN ROLE pg_monitor;
    CREATE ROLE keeper;
    GRANT INSERT (n) ON events TO sender;
    ALTER SERVER inhouse OWNER TO keeper;
    INSERT INTO events VALUES (0);
    SQL
wait_until(sub { $node->safe_psql('in_utf8', 'SELECT count(*) FROM reverse_etl.destination_states') eq 1 });
for my $case ([ stranger => 0 ], [ sender => 1 ], [ watcher => 1 ], [ keeper => 1 ]) {
    my ($role, $seen) = @$case;
    is($node->safe_psql('in_utf8', "SET ROLE $role; SELECT count(*) FROM reverse_etl.destination_states"),
        $seen, "a $role sees $seen states");
}

unlike(slurp_file($node->logfile) =~ s/.*(?:STATEMENT|CREATE USER MAPPING).*//gr, qr/s3cr3t/, 'the log holds no secret');

done_testing();
