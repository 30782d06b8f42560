package RealServers;

# Servers of others, which scripts/fetch_servers has fetched, each on a free port of the loopback interface:
#
#   my $servers = RealServers->start;               # or nothing: RealServers->missing says why
#   RealServers->start('accounts');                # of all of them only these
#   $servers->url('etcd');                          # etcd, json_server, alertmanager, oauth, accounts, couch
#   $servers->url('members');                       # nginx before json-server
#   $servers->url('alerts');                        # nginx before Alertmanager, which asks for a token of the OAuth server
#   $servers->kill('etcd');                         # as by a fault, and
#   $servers->run('etcd');                          # there it is again, with what it had kept
#   RealServers->manifest('etcd');                  # how we speak with it
#   $servers->ask('POST', $url, $body);             # by a client that is not ours: the answer, decoded
#
# Those that are there end with the test.

use strict;
use warnings FATAL => 'all';

use File::Temp;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use Test::More ();
use Time::HiRes qw(sleep);

my $root    = "$ENV{TESTS}/..";
my $fetched = "$root/build/servers";
my $nginx   = $ENV{NGINX} // '';

sub missing {
    if (open my $file, '<', "$fetched.missing") {
        chomp(my $why = <$file>);
        return $why;
    }
    return -e "$fetched/node/installed" && -x $nginx ? undef : 'scripts/fetch_servers was not called';
}

sub manifest { return _text_of("$ENV{TESTS}/tap/servers/$_[1].json") }

sub start {
    my ($class, @names) = @_;
    my $self = bless { owner => $$, work => File::Temp->newdir, http => HTTP::Tiny->new(timeout => 10) }, $class;
    my @places  = qw(etcd etcd_peer json_server alertmanager oauth accounts bodies bulk couch members alerts);
    my @sockets = map { IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "cannot listen: $!" } @places;
    @{ $self->{port} }{@places} = map { $_->sockport } @sockets;
    close $_ for @sockets;
    $self->_write_files;
    $self->run($_) for @names ? @names : qw(etcd json_server alertmanager oauth nginx);
    return $self;
}

sub url { my ($self, $place) = @_; return "http://127.0.0.1:$self->{port}{$place}" }

sub _write_files {
    my ($self) = @_;
    my $work = $self->{work};
    my $write = sub {
        my ($name, $text) = @_;
        open my $file, '>', "$work/$name" or die "cannot write $name: $!";
        print {$file} $text;
        close $file or die "cannot write $name: $!";
        return;
    };
    $write->('members.json', '{"members": []}');
    $write->('alertmanager.yml', "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n");
    my $configuration = _text_of("$ENV{TESTS}/tap/servers/nginx.conf.in");
    $configuration =~ s/\@(\w+)\@/$1 eq 'work' ? $work : $self->{port}{$1}/ge;
    $write->('nginx.conf', $configuration);
    return;
}

# How a server is begun, in the folder of its files, and where it listens then.
sub _command {
    my ($self, $name) = @_;
    my ($work, $port) = @$self{qw(work port)};
    my $debian = "$fetched/usr/bin";
    return ($work, $port->{etcd}, "$debian/etcd", '--data-dir', "$work/etcd", '--listen-client-urls', $self->url('etcd'),
        '--advertise-client-urls', $self->url('etcd'), '--listen-peer-urls', $self->url('etcd_peer'), '--log-level', 'fatal',
        '--max-request-bytes', 100_000) if $name eq 'etcd';
    return ("$fetched/node", $port->{json_server}, 'node', 'members.mjs', $port->{json_server}, "$work/members.json")
        if $name eq 'json_server';
    return ("$fetched/usr/share/prometheus/alertmanager", $port->{alertmanager}, "$debian/prometheus-alertmanager",
        "--config.file=$work/alertmanager.yml", "--storage.path=$work/alertmanager", '--cluster.listen-address=',
        "--web.listen-address=127.0.0.1:$port->{alertmanager}", '--log.level=error') if $name eq 'alertmanager';
    return ("$fetched/node", $port->{$name}, 'node', "$name.mjs", $port->{$name}) if $name =~ /^(?:oauth|accounts|bodies|bulk|couch)$/;
    return ($work, $port->{members}, $nginx, '-e', 'stderr', '-c', "$work/nginx.conf");
}

# run(NAME): returns when it listens.
sub run {
    my ($self, $name) = @_;
    my ($folder, $port, @command) = $self->_command($name);
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) {
        chdir $folder or die "cannot go to $folder: $!";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{work}/$name.log";
        open STDERR, '>&', \*STDOUT;
        delete $ENV{NGINX}; # which nginx takes for sockets that it inherits
        exec @command or die "cannot run $command[0]: $!";
    }
    $self->{pid}{$name} = $pid;
    for (1 .. 400) {
        return if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        sleep 0.05;
    }
    Test::More::BAIL_OUT("$name does not start: " . $self->log_of($name));
}

sub kill {
    my ($self, $name) = @_;
    my $pid = delete $self->{pid}{$name};
    CORE::kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub log_of { return _text_of("$_[0]{work}/$_[1].log") }

sub _text_of {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/;
    return <$file> // '';
}

sub ask {
    my ($self, $method, $url, $value) = @_;
    my $options = $value ? { headers => { 'content-type' => 'application/json' }, content => encode_json($value) } : {};
    my $response = $self->{http}->request($method, $url, $options);
    Test::More::BAIL_OUT("$method $url: $response->{status} $response->{content}") if !$response->{success};
    return $response->{content} =~ /^\s*[\[{]/ ? decode_json($response->{content}) : undef;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    my @pids = values %{ $self->{pid} };
    CORE::kill TERM => @pids if @pids;
    waitpid $_, 0 for @pids;
    return;
}

1;
