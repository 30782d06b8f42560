# Rows that leave while their statement makes the next ones: where it fails, stalls or is cancelled, what is on record is
# what the destination has. Creates are never there twice, and none is where a statement fails in its first burst.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';

use JSON::PP ();
use ReverseETL;
use Test::More;

my $sandbox = start_sandbox();
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
my $url     = $sandbox->url;

$node->safe_psql('postgres', <<~SQL);
    CREATE SERVER endpoint FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'http', base_url '$url/http');
    CREATE USER MAPPING FOR PUBLIC SERVER endpoint;
    CREATE FOREIGN TABLE events (n integer) SERVER endpoint OPTIONS (path '/events', insert_as 'create');
    CREATE FUNCTION slow_at(n integer, place integer, seconds double precision) RETURNS integer LANGUAGE plpgsql AS \$\$
    BEGIN
        IF n = place THEN
            PERFORM pg_sleep(seconds);
        END IF;
        RETURN n;
    END \$\$;
    SQL

sub sent { return scalar $sandbox->get('/_sandbox/records/http/events')->@* }

sub on_record {
    return $node->safe_psql('postgres', 'SELECT outcome, accepted FROM reverse_etl.audit_log ORDER BY id DESC LIMIT 1');
}

# What is said of a push of 20,000 numbers i.
sub push_rows {
    my ($latency, $row, $setting) = @_;
    $sandbox->post('/_sandbox/reset');
    $sandbox->post('/_sandbox/faults', { latency_ms => $latency });
    my (undef, $said) = outcome($node, ($setting // '') . " INSERT INTO events SELECT $row FROM generate_series(1, 20000) AS i;");
    my @all = map { $_->{n} } $sandbox->get('/_sandbox/records/http/events')->@*;
    my %once = map { $_ => 1 } @all;
    is(scalar keys %once, scalar @all, "$row: nothing is there twice");
    return $said;
}

like(push_rows(0, '1 / (i - 5000) * 0 + i'), qr/division by zero/, 'the statement fails in its first burst');
is(sent(), 0, 'and has sent nothing');

for my $latency (0, 100) {
    like(push_rows($latency, '1 / (i - 15000) * 0 + i'), qr/division by zero/, "it fails later, at a latency of $latency ms");
    cmp_ok(sent(), '>=', 12800, 'what was sent before is there');
    wait_until(sub { on_record() =~ /^failed/ });
    is(on_record(), 'failed|' . sent(), 'and all that is there is on record');
}

push_rows(0, 'slow_at(i, 15000, 2)');
is(sent(), 20000, 'a statement that stalls while rows are under way sends them all');
wait_until(sub { on_record() =~ /^completed/ });
is(on_record(), 'completed|20000', 'which is on record');

like(push_rows(100, 'slow_at(i, 15000, 30)', q(SET statement_timeout = '2s';)), qr/canceling statement/, 'a statement is cancelled while it stalls');
wait_until(sub { on_record() =~ /^cancelled/ });
is(on_record(), 'cancelled|' . sent(), 'and all that is there is on record');

done_testing();
