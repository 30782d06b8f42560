package Destinations;

# The stand-ins of test/destinations, in one process, and what a test wants of them:
#
#   my @names = Destinations->names;                       # those that DESTINATION names, or all
#   my $stand_ins = Destinations->start(@names);           # ends with the test
#   $stand_ins->description('intercom');                   # what is in its NAME.json
#   $stand_ins->url('intercom');
#   $stand_ins->post('intercom', 'faults', {...});         # see kit/server.mjs
#   $stand_ins->test('kit/');                              # what is tested there
#   $stand_ins->run('prove.mjs', ...);                     # a program beside the stand-ins: what it says, as JSON

use strict;
use warnings FATAL => 'all';

use Encode qw(decode_utf8);
use File::Temp;
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use Test::More ();
use Time::HiRes qw(sleep);

my $source  = "$ENV{TESTS}/destinations";
my $fetched = "$ENV{TESTS}/../build/destinations";

# What a destination is described by: a stand-in and a description beside it, both of its name.
sub names {
    my @there  = sort map { m{([^/]+)\.mjs$} && -e "$source/$1.json" ? $1 : () } glob "$source/*.mjs";
    my @wanted = split /[, ]+/, $ENV{DESTINATION} // '';
    for my $name (@wanted) {
        Test::More::BAIL_OUT("test/destinations has no stand-in $name") if !grep { $_ eq $name } @there;
    }
    return @wanted ? @wanted : @there;
}

# Why the vendors' clients and the strict checker are not there, or nothing.
sub missing {
    return if -e "$fetched/installed";
    return text_of("$fetched.missing") =~ s/\s+$//r || 'scripts/fetch_clients was not called';
}

# Where the vendors' published files are.
sub published { return $ENV{API_SPECS} // "$ENV{TESTS}/../../shared/api-specs" }

# The value of a JSON text that is characters, as all texts here are; decode_json takes bytes.
sub from_json { return JSON::PP->new->allow_nonref->decode($_[0]) }

sub text_of {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/;
    return <$file> // '';
}

sub start {
    my ($class, @names) = @_;
    my $work = File::Temp->newdir;
    system('cp', '-R', "$source/.", "$work") == 0 or die "cannot copy $source";
    symlink "$fetched/node_modules", "$work/node_modules" if !missing();
    system('cp', published() . '/tools/checker.mjs', "$work") if -e published() . '/tools/checker.mjs';
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', \*STDERR;
        exec 'node', "$work/serve.mjs", "$work/urls", @names or die "cannot run node: $!";
    }
    my $self = bless { pid => $pid, owner => $$, work => $work, http => HTTP::Tiny->new(timeout => 60) }, $class;
    for (1 .. 600) {
        last if -s "$work/urls";
        sleep 0.05;
    }
    $self->{urls} = decode_json(text_of("$work/urls") || Test::More::BAIL_OUT('the stand-ins did not start'));
    return $self;
}

sub url { return $_[0]{urls}{ $_[1] } }

sub description { return decode_json(text_of("$source/$_[1].json")) }

# get(NAME, CALL), post(NAME, CALL, VALUE): of the control side. The answer, as it is.
sub get {
    my ($self, $name, $call) = @_;
    return $self->_content($self->{http}->get($self->url($name) . "/_control/$call"));
}

sub post {
    my ($self, $name, $call, $value) = @_;
    return $self->_content($self->{http}->post($self->url($name) . "/_control/$call", { content => encode_json($value // {}) }));
}

sub _content {
    my ($self, $response) = @_;
    Test::More::BAIL_OUT("a stand-in answered $response->{status}: $response->{content}") if !$response->{success};
    return decode_utf8($response->{content});
}

# ["POST /contacts 200", ...]: the requests since the last reset.
sub requests { my ($self, $name) = @_; return @{ from_json($self->get($name, 'counts'))->{requests} } }

# What is wrong with the stand-in itself, or nothing.
sub broken { my ($self, $name) = @_; return from_json($self->get($name, 'counts'))->{broken} }

# How many requests met a fault.
sub met { my ($self, $name) = @_; return from_json($self->get($name, 'counts'))->{met} }

sub run {
    my ($self, $program, @arguments) = @_;
    open my $output, '-|', 'node', "$self->{work}/$program", @arguments or die "cannot run node: $!";
    local $/;
    my $said = <$output>;
    close $output;
    return $said ? decode_json($said) : undef;
}

# test(FOLDER): the exit status of the tests in it, in Node; what they say is in the log.
sub test {
    my ($self, $folder) = @_;
    local $ENV{API_SPECS} = published();
    open my $output, '-|', 'node', '--test', "$self->{work}/$folder" or die "cannot run node: $!";
    my @said = <$output>;
    close $output;
    Test::More::diag(@said) if $?;
    return $?;
}

# keep(FILE, TEXT): a file beside the stand-ins. Returns its path.
sub keep {
    my ($self, $name, $text) = @_;
    my $path = "$self->{work}/$name";
    open my $file, '>', $path or die "cannot write $path: $!";
    print {$file} $text;
    close $file or die "cannot write $path: $!";
    return $path;
}

sub DESTROY {
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    kill TERM => $self->{pid};
    local $?;
    waitpid $self->{pid}, 0;
    return;
}

1;
