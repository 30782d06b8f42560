package Sources;

# Stand-ins of warehouses, from test/sources, each on a free port of the loopback interface. They run the SQL that they are
# sent on DuckDB, which scripts/fetch_sources has fetched with the vendors' clients.
#
#   Sources->missing                      # why there are none, or nothing
#   my $sources = Sources->start('snowflake', 'bigquery');
#   $sources->url('snowflake');
#   $sources->credential('snowflake', 'private_key');
#   $sources->set('snowflake', delay => 2000);          # test/sources/server.mjs says what there is
#   $sources->faults('snowflake', { match => 'GET /api', status => 503, times => 2 });
#   $sources->run('snowflake', 'UPDATE ...');            # on the engine itself, in its own words
#   my $state = $sources->state('snowflake');           # {submitted, running, cancelled, requests, statements}
#   $sources->save('snowflake', $file);                 # all that it has accepted, for test/sources/judge.mjs
#   $sources->reset('snowflake');

use strict;
use warnings FATAL => 'all';

use File::Temp;
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use Test::More ();
use Time::HiRes qw(sleep);

my $fetched = "$ENV{TESTS}/../build/sources";

sub missing {
    if (open my $file, '<', "$fetched.missing") {
        chomp(my $why = <$file>);
        return $why;
    }
    return -e "$fetched/installed" ? undef : 'scripts/fetch_sources was not called';
}

sub start {
    my ($class, @names) = @_;
    my $self = bless { owner => $$, work => File::Temp->newdir, http => HTTP::Tiny->new(timeout => 60) }, $class;
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) {
        chdir $fetched or die "cannot go to $fetched: $!";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{work}/log";
        open STDERR, '>&', \*STDOUT;
        exec 'node', 'serve.mjs', "$self->{work}/urls", @names or die "cannot run node: $!";
    }
    $self->{pid} = $pid;
    for (1 .. 2400) {
        last if -e "$self->{work}/urls";
        sleep 0.05;
    }
    Test::More::BAIL_OUT('the stand-ins do not start: ' . _text_of("$self->{work}/log")) if !-e "$self->{work}/urls";
    $self->{sources} = decode_json(_text_of("$self->{work}/urls"));
    return $self;
}

sub url        { return $_[0]{sources}{ $_[1] }{url} }
sub credential { return $_[0]{sources}{ $_[1] }{credentials}{ $_[2] } }

sub set    { my ($self, $name, %values) = @_; $self->_control($name, 'set', \%values); return }
sub faults { my ($self, $name, @faults) = @_; $self->_control($name, 'faults', \@faults); return }
sub run    { my ($self, $name, $sql) = @_; $self->_control($name, 'run', { sql => $sql }); return }
sub reset  { my ($self, $name) = @_; $self->_control($name, 'reset', {}); return }
sub save   { my ($self, $name, $file) = @_; $self->_control($name, 'save', { file => $file }); return }
sub state  { my ($self, $name) = @_; return $self->_control($name, 'state', {}) }

sub _control {
    my ($self, $name, $what, $value) = @_;
    my $response = $self->{http}->post($self->url($name) . "/_control/$what", { content => encode_json($value) });
    Test::More::BAIL_OUT("$name answered $response->{status} $response->{content}") if !$response->{success};
    return decode_json($response->{content});
}

sub _text_of {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/;
    return <$file> // '';
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
