# Bodies of every format, read by parsers that nobody here wrote (servers/bodies.mjs): what arrives is what the rows hold,
# whatever they hold, at once and from the outbox.
# Once: no version of Postgres does this in another way.

use strict;
use warnings FATAL => 'all';
use utf8;

use Encode;
use JSON::PP;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use RealServers;
use ReverseETL;
use Test::More;

my $missing = RealServers->missing;
plan skip_all => $missing if $missing;

my $servers = RealServers->start('bodies');
my $url     = $servers->url('bodies');
my $node    = new_node('main');
sub sql { return $node->safe_psql('postgres', @_) }

# Values that would be syntax somewhere
my @names = (
    'Ada', '', ' blanks ', '"quoted", with a comma', "two\nlines\r\nand more", 'a=b&c[d]=e+f%20g', '{"a": [1]}',
    '--reverse-etl', "tab\there;|^", '#N/A?', "\x{1F600} Zo\x{eb}", '<b>&amp;', '{row.name}{{', '$columns', "back\\slash",
);
my $object = sub {
    my ($operation) = @_;
    return { key => 'id', columns => { id => 'text', name => 'text', n => 'bigint', tags => 'text[]', more => 'jsonb' },
        operations => { create => { rows => 100, %$operation } } };
};
my %formats = (
    json      => { body => { items => { '$rows' => { '$columns' => 'all' } } } },
    gzip      => { compress => 'gzip', body => { items => { '$rows' => { '$columns' => 'all' } } } },
    values    => { body => { names => { '$columns' => { as => 'names' } }, data => { '$rows' => { '$columns' => { as => 'values' } } } } },
    arrays    => { body => { data => { '$columns' => { as => 'arrays' } } } },
    pairs     => { body => { '$rows' => { pairs => { '$columns' => { as => { k => '{column.field}', v => '{column.value}' } } } } } },
    map       => { body => { '$map' => { name => '{key}', row => { '$columns' => 'all' } } } },
    texts     => { body => { '$rows' => { '$json' => { '$columns' => 'all' } } } },
    base64    => { body => { '$rows' => { data => { '$base64' => { '$json' => { '$columns' => 'all' } } } } } },
    ndjson    => { format => 'ndjson', body => { '$rows' => { '$columns' => 'all' } } },
    lines     => { format => 'ndjson', compress => 'gzip', body => { '$rows' => { '$lines' => [ { index => '{row.id}' }, { '$columns' => 'all' } ] } } },
    csv       => { format => 'csv', body => { '$rows' => { '$columns' => 'all' } } },
    form      => { format => { kind => 'form', arrays => 'indexed' }, body => { '$columns' => 'all', a => { b => '{row.name}' } } },
    file      => { format => 'multipart', body => { kind => 'csv', of => { '$file' => { name => 'x.csv', format => 'csv', rows => { '$columns' => 'all' } } } } },
    parts     => { format => 'multipart', body => { who => '{row.name}', all => { '$json' => { '$columns' => 'all' } } } },
);
my $manifest = encode_json({
    manifest => 1, name => 'bodies', title => 'Bodies', base_url => $url, auth => { kind => 'none' }, reason => '/message',
    objects  => { map { $_ => { %{ $object->({ request => "POST /$_", %{ $formats{$_} } }) } } } keys %formats },
});
sql("SELECT reverse_etl.create_connector('bodies', \$manifest\$$manifest\$manifest\$)");
sql("CREATE SERVER bodies FOREIGN DATA WRAPPER reverse_etl OPTIONS (connector 'bodies'); CREATE USER MAPPING FOR PUBLIC SERVER bodies");
sql('IMPORT FOREIGN SCHEMA bodies FROM SERVER bodies INTO public');

my @rows = map { { id => "id $_", name => $names[$_], n => $_,
        tags => [ $names[$_], "t$_" ], more => { x => $names[$_], list => [ 1, { deep => $names[$_] } ] } } } 0 .. $#names;
my $given = JSON::PP->new->ascii->encode(\@rows);
sub insert {
    my ($table) = @_;
    my ($tag, $said) = outcome($node, "INSERT INTO $table (id, name, n, tags, more) SELECT id, name, n, "
            . "ARRAY(SELECT jsonb_array_elements_text(tags)), more "
            . "FROM jsonb_to_recordset(\$given\$$given\$given\$) AS r(id text, name text, n bigint, tags jsonb, more jsonb)");
    is("$tag $said", 'INSERT 0 ' . @rows . ' ', "$table: all rows are taken");
    return;
}
# One request a row comes in any order.
sub came {
    my $number = sub { my ($value) = @_; ref $value eq 'HASH' && ($value->{id} // $value->{all} // '') =~ /id (\d+)/ ? $1 : 0 };
    return [ sort { $number->($a->{value}) <=> $number->($b->{value}) } @{ $servers->ask('GET', "$url/read") } ];
}

# How each format says a row, back as the row itself.
my $text_of = sub { my ($value) = @_; return ref $value ? $value : decode_json($value) };
my $whole   = sub { return [ map { row_of($_) } @{ $_[0] } ] };
sub row_of {
    my ($row) = @_;
    return { %$row, n => "$row->{n}", map { $_ => $text_of->($row->{$_}) } qw(tags more) };
}
sub utf8_json { return decode_json(Encode::encode('UTF-8', $_[0])) }
my @expected = map { { %$_, n => "$_->{n}" } } @rows;
my %rows_in = (
    json   => sub { $whole->($_[0][0]{value}{items}) },
    gzip   => sub { $whole->($_[0][0]{value}{items}) },
    values => sub {
        my $value = $_[0][0]{value};
        return $whole->([ map { my $row = $_; +{ map { $value->{names}[$_] => $row->[$_] } 0 .. $#$row } } @{ $value->{data} } ]);
    },
    arrays => sub {
        my $data = $_[0][0]{value}{data};
        return $whole->([ map { my $i = $_; +{ map { $_ => $data->{$_}[$i] } keys %$data } } 0 .. $#rows ]);
    },
    pairs  => sub { $whole->([ map { +{ map { $_->{k} => $_->{v} } @{ $_->{pairs} } } } @{ $_[0][0]{value} } ]) },
    map    => sub { my $of = $_[0][0]{value}; $whole->([ map { $of->{ $_->{id} } } @rows ]) },
    texts  => sub { $whole->([ map { utf8_json($_) } @{ $_[0][0]{value} } ]) },
    base64 => sub { $whole->([ map { decode_json(MIME::Base64::decode_base64($_->{data})) } @{ $_[0][0]{value} } ]) },
    ndjson => sub { $whole->($_[0][0]{value}) },
    lines  => sub {
        my $lines = $_[0][0]{value};
        is(join('|', map { $lines->[ 2 * $_ ]{index} } 0 .. $#rows), join('|', map { $_->{id} } @rows), 'lines: each has its own before it');
        return $whole->([ map { $lines->[ 2 * $_ + 1 ] } 0 .. $#rows ]);
    },
    csv  => sub { [ map { cells_of($_) } @{ $_[0][0]{value} } ] },
    file => sub {
        is("$_[0][0]{value}{kind} $_[0][0]{value}{of}{filename}", 'csv x.csv', 'file: the parts beside it');
        return [ map { cells_of($_) } @{ $_[0][0]{value}{of}{value} } ];
    },
    form  => sub {
        return [ map { my $value = { %{ $_->{value} } }; is((delete $value->{a})->{b}, $value->{name}, 'form: a member within');
            $value->{more}{list}[0] += 0; $value } @{ $_[0] } ];
    },
    parts => sub { [ map { my $row = utf8_json($_->{value}{all}); is($_->{value}{who}, $row->{name}, 'parts: a text'); row_of($row) } @{ $_[0] } ] },
);
sub cells_of { my ($row) = @_; return { %$row, map { $_ => utf8_json($row->{$_}) } qw(tags more) } }

for my $table (sort keys %formats) {
    insert($table);
    is_deeply($rows_in{$table}->(came()), \@expected, "$table: what is read is what the rows hold");
}
is(sql('SELECT count(*) FROM reverse_etl.rejected_rows'), 0, 'nothing was refused');

# The same from the outbox

sql("ALTER FOREIGN TABLE $_ OPTIONS (ADD delivery 'queued')") for sort keys %formats;
for my $table (sort keys %formats) {
    insert($table);
    sql("CALL reverse_etl.wait('$table')");
    is_deeply($rows_in{$table}->(came()), \@expected, "$table: the same from the outbox");
}
is(sql('SELECT count(*) FROM reverse_etl.rejected_rows'), 0, 'and nothing was refused');

done_testing();
