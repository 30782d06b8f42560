package ScriptedServer;

# A destination whose answers a test writes itself, byte for byte if it likes. It takes one request a connection.
#
#   my $server = ScriptedServer->start(sub {
#       my ($method, $path, $body, $set) = @_;      # $set: what set() said last, by name
#       return [ 422, 'application/json', '{"error": "no"}' ];  # status, content type, body
#       return "HTTP/1.1 200 OK\r\n...";            # or the bytes; after them the connection is closed
#       return undef;                               # or none
#   });
#   $server->url;
#   $server->set(name => 'value');
#   $server->seen('/path');                         # the bodies that came to it

use strict;
use warnings FATAL => 'all';

use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use Test::More ();

sub start {
    my ($class, $answer) = @_;
    my $socket = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1') or die "cannot listen: $!";
    my $self = bless { port => $socket->sockport, owner => $$, http => HTTP::Tiny->new(timeout => 60) }, $class;
    $self->{pid} = fork // die "cannot fork: $!";
    if (!$self->{pid}) {
        local $SIG{PIPE} = 'IGNORE';
        _serve($socket, $answer);
    }
    return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}" }

sub set {
    my ($self, %values) = @_;
    my $response = $self->{http}->post($self->url . '/_set', { content => encode_json(\%values) });
    Test::More::BAIL_OUT("the scripted server answered $response->{status}") if !$response->{success};
    return;
}

sub seen {
    my ($self, $path) = @_;
    my $response = $self->{http}->get($self->url . "/_seen$path");
    Test::More::BAIL_OUT("the scripted server answered $response->{status}") if !$response->{success};
    return @{ decode_json($response->{content}) };
}

sub _serve {
    my ($socket, $answer) = @_;
    my (%seen, %set);
    while (1) {
        my $client = $socket->accept or next;
        my ($method, $path, $body) = _read($client) or next;
        my $answered;
        if ($path eq '/_set') {
            %set = (%set, %{ decode_json($body) });
            $answered = [ 200, 'application/json', '{}' ];
        } elsif ($path =~ m{^/_seen(.*)$}) {
            $answered = [ 200, 'application/json', encode_json($seen{$1} // []) ];
        } else {
            push @{ $seen{$path} }, $body;
            $answered = $answer->($method, $path, $body, \%set);
        }
        if (ref $answered) {
            my ($status, $type, $content) = @$answered;
            $answered = "HTTP/1.1 $status Scripted\r\nContent-Type: $type\r\nContent-Length: " . length($content) .
                "\r\nConnection: close\r\n\r\n$content";
        }
        print {$client} $answered if defined $answered;
        close $client;
    }
}

sub _read {
    my ($client) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($client, $head, 65536, length $head) or return;
    }
    my ($lines, $body) = split /\r\n\r\n/, $head, 2;
    my ($length) = $lines =~ /^content-length: *(\d+)/mi;
    while (length $body < ($length // 0)) {
        sysread($client, $body, 65536, length $body) or return;
    }
    my ($method, $path) = $lines =~ /^(\S+) (\S+)/;
    return ($method, $path, $body);
}

sub DESTROY {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    local $?;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
