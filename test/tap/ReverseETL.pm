package ReverseETL;

# What the TAP tests share: a cluster that has the extension, and the sandbox.
#
#   use ReverseETL;
#   my $sandbox = start_sandbox();                  # stops by itself when the test ends
#   my $node = new_node('main', 'shared_buffers = 1MB');
#   $node->safe_psql('postgres', "CREATE SERVER ... OPTIONS (base_url '" . $sandbox->url . "')");
#   $sandbox->post('/_sandbox/reset');
#   is($sandbox->get('/_sandbox/stats')->{rows}, 0);

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use File::Temp;
use PostgreSQL::Test::Cluster;
use Test::More ();
use Time::HiRes qw(sleep);

our @EXPORT = qw(new_node outcome start_sandbox wait_for_server wait_until);

# new_node(NAME, CONFIGURATION): a running cluster whose database postgres has the extension.
sub new_node {
    my ($name, $configuration) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name // 'main');
    $node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
    $node->append_conf('postgresql.conf', $configuration // '');
    $node->start;
    $node->safe_psql('postgres', 'CREATE EXTENSION reverse_etl');
    return $node;
}

# outcome(NODE, SQL, PSQL_ARGUMENT...): the last command tag (or line of a result), and what was said in any case,
# with SQLSTATEs. It does not stop at errors.
sub outcome {
    my ($node, $sql, @arguments) = @_;
    my ($output, $said) = ('', '');
    $node->psql('postgres', "\\set VERBOSITY verbose\n\\set QUIET off\n$sql",
        on_error_stop => 0, stdout => \$output, stderr => \$said, extra_params => \@arguments);
    return ((split /\n/, $output)[-1] // '', $said);
}

sub start_sandbox {
    return ReverseETL::Sandbox->start;
}

# wait_for_server(NODE): until it accepts connections again. A psql that is refused ends before it reads what it is given, and
# whoever gives it dies of the broken pipe.
sub wait_for_server {
    my ($node) = @_;
    wait_until(sub { eval { $node->safe_psql('postgres', 'SELECT true') } });
    return;
}

# wait_until(CONDITION): thirty seconds at most.
sub wait_until {
    my ($condition) = @_;
    for (1 .. 600) {
        return if $condition->();
        sleep 0.05;
    }
    Test::More::BAIL_OUT('waited for 30 seconds');
}

package ReverseETL::Sandbox;

use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use Test::More ();
use Time::HiRes qw(sleep);

sub start {
    my ($class) = @_;
    my $folder    = File::Temp->newdir;
    my $port_file = "$folder/port";
    my $pid       = fork // die "cannot fork: $!";
    if (!$pid) {
        open STDOUT, '>&', \*STDERR;
        exec $ENV{SANDBOX}, '--port-file', $port_file or die "cannot run $ENV{SANDBOX}: $!";
    }
    my $self = bless { pid => $pid, owner => $$, http => HTTP::Tiny->new(timeout => 60) }, $class;
    for (1 .. 200) {
        last if -s $port_file;
        sleep 0.05;
    }
    open my $file, '<', $port_file or die "the sandbox did not start";
    chomp($self->{port} = <$file>);
    return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}" }

# at(URL): a sandbox that someone else runs.
sub at {
    my ($class, $url) = @_;
    my ($port) = $url =~ /:(\d+)$/;
    return bless { port => $port, http => HTTP::Tiny->new(timeout => 60) }, $class;
}

# get(PATH), post(PATH, VALUE): a call's answer, decoded.
sub get {
    my ($self, $path) = @_;
    return $self->_answer($self->{http}->get($self->url . $path));
}

sub post {
    my ($self, $path, $value) = @_;
    my $options = { headers => { 'content-type' => 'application/json' }, content => encode_json($value // {}) };
    return $self->_answer($self->{http}->post($self->url . $path, $options));
}

sub _answer {
    my ($self, $response) = @_;
    Test::More::BAIL_OUT("the sandbox answered $response->{status}: $response->{content}") if !$response->{success};
    return length $response->{content} ? decode_json($response->{content}) : undef;
}

sub stop {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    kill TERM => $self->{pid};
    local $?;
    waitpid $self->{pid}, 0;
    $self->{pid} = undef;
    return;
}

sub DESTROY { $_[0]->stop; return }

1;
