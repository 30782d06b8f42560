# Jobs as a vendor's own client makes them: the manifest of docs/language/jobs.md against a stand-in that jsforce has proven
# (servers/bulk.mjs), which reads what is uploaded with csv-parse and zlib.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';
use utf8;

use Encode;
use JSON::PP;
use List::Util qw(sum);
use PostgreSQL::Test::Utils;
use RealServers;
use ReverseETL;
use Test::More;

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $servers = RealServers->start('bulk');
my $url     = $servers->url('bulk');
my $node    = new_node('main', "shared_preload_libraries = 'reverse_etl'");
sub sql { return $node->safe_psql('postgres', @_) }
sub set { return $servers->ask('POST', "$url/_set", {@_}) }
sub state { return $servers->ask('GET', "$url/_state") }

my ($documented) = slurp_file("$ENV{TESTS}/../docs/language/jobs.md") =~ /```json\n(.*?)```/s;
my $operation = decode_json($documented)->{upsert};
$operation->{job}{poll}{every} = { seconds => 1 };
sub table {
    my ($name, $more) = @_;
    my %upload = ($operation->{job}{upload}->%*, %$more);
    my %upsert = (job => { $operation->{job}->%*, upload => \%upload });
    my $manifest = JSON::PP->new->canonical->encode({
        manifest => 1, name => $name, title => 'Bulk API 2.0', base_url => $url, reason => '/0/message',
        options => { api_version => { on => 'server', default => 'v59.0', description => 'version of the API' } },
        credentials => { token => { description => 'token' } }, auth => { kind => 'bearer', token => '{token}' },
        objects => { Contact => { key => 'Ref__c', operations => { upsert => \%upsert },
            columns => { map { $_ => 'text' } qw(Ref__c LastName FirstName Email) } } },
    });
    sql("SELECT reverse_etl.create_connector('$name', \$manifest\$$manifest\$manifest\$)");
    sql("CREATE SERVER $name FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector '$name')");
    sql("CREATE USER MAPPING FOR PUBLIC SERVER $name OPTIONS (token 'token-test')");
    sql(qq(CREATE FOREIGN TABLE $name ("Ref__c" text, "LastName" text, "FirstName" text, "Email" text) SERVER $name OPTIONS (object 'Contact')));
    return;
}
sub settled { wait_until(sub { sql('SELECT count(*) FROM reverse_etl.outbox') eq '0' }); return 1 }

# Values that would be syntax of a line
my @names = ('Ada', ' blanks ', '"quoted", with a comma', "two\nlines\r\nand more", 'a;b|c^d', "tab\there", '#N/A?', "\x{1F600} Zo\x{eb}",
    '=1+1', '""', "back\\slash", ',', "\n", '{job.id}');
my %expected;
for my $table ([ plain => {}, 'identity' ], [ gzip => { compress => 'gzip' }, 'gzip' ]) {
    my ($name, $more, $encoding) = @$table;
    table($name, $more);
    set(page => 3, later => [ "$name 5", "$name 6" ]);
    my $values = join ', ', map { sprintf q(('%s %d', '%s', NULL, 'x')), $name, $_, $names[$_] =~ s/'/''/gr } 0 .. $#names;
    sql(encode_utf8(qq(INSERT INTO $name VALUES $values, ('$name nobody', NULL, 'f', NULL))));
    ok(settled(), "$name: all rows have an outcome");
    my ($uploads, $records) = @{ state() }{qw(uploads records)};
    is_deeply([ grep { $_->{encoding} ne $encoding || $_->{type} !~ /^text\/csv(?:;|$)/ } @$uploads ], [], "$name: uploads are what they should be");
    is(sum(map { scalar $_->{rows}->@* } @$uploads), @names + 1 + 2, "$name: what was not processed comes once more");
    is(scalar($uploads->[0]{rows}->@*), @names + 1, "$name: another reads as many lines");
    my %found = map { $_ => $records->{Contact}{$_}{LastName} } grep { /^$name / } keys $records->{Contact}->%*;
    is_deeply(\%found, { map { ("$name $_" => $names[$_]) } 0 .. $#names }, "$name: and in them what the rows hold");
    is(sql(qq(SELECT key ->> 'Ref__c', reason FROM reverse_etl.rejected_rows WHERE destination = '$name'::regclass)),
        "$name nobody|REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --", "$name: what was refused has the vendor's words");
    set(page => 1000, later => []);
    $servers->kill('bulk');
    $servers->run('bulk');
}

# A job that fails has no files
set(fails => 'InvalidBatch : out of order');
sql(q(INSERT INTO plain VALUES ('whole', 'n', NULL, NULL)));
ok(settled(), 'a job that fails as a whole');
is(sql(q(SELECT reason FROM reverse_etl.rejected_rows WHERE key ->> 'Ref__c' = 'whole')), 'the job failed: InvalidBatch : out of order',
    'rejects its rows with its words');
done_testing();
