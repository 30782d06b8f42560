package Lake;

# Files as others write them, in a folder and in an S3 server that others have written: test/lake/serve.mjs, which
# scripts/fetch_sources lake has fetched what it needs for.
#
#   Lake->missing                          # why there are none, or nothing
#   my $lake = Lake->start;
#   $lake->folder;                         # where the files are
#   $lake->url;                            # of the server; the bucket is "lake"
#   $lake->requests;                       # that it was sent since it was asked last
#   $lake->faults({ match => 'list-type', status => 503, times => 2 });
#   $lake->put(Key => 'people.csv', Body => "id\n1\n");

use strict;
use warnings FATAL => 'all';

use File::Temp;
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use Test::More ();
use Time::HiRes qw(sleep);

my $fetched = "$ENV{TESTS}/../build/lake";

sub missing {
    if (open my $file, '<', "$fetched.missing") {
        chomp(my $why = <$file>);
        return $why;
    }
    return -e "$fetched/installed" ? undef : 'scripts/fetch_sources lake was not called';
}

sub start {
    my ($class) = @_;
    my $self = bless { owner => $$, work => File::Temp->newdir, http => HTTP::Tiny->new(timeout => 60) }, $class;
    my $pid = fork // die "cannot fork: $!";
    if (!$pid) {
        chdir $fetched or die "cannot go to $fetched: $!";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{work}/log";
        open STDERR, '>&', \*STDOUT;
        exec 'node', '--openssl-legacy-provider', 'serve.mjs', "$self->{work}", "$self->{work}/report" or die "cannot run node: $!";
    }
    $self->{pid} = $pid;
    for (1 .. 6000) {
        last if -e "$self->{work}/report" || waitpid($pid, 1) == $pid;
        sleep 0.05;
    }
    open my $file, '<', "$self->{work}/report" or Test::More::BAIL_OUT("the files are not there, see $self->{work}/log");
    $self->{report} = decode_json(do { local $/; <$file> });
    return $self;
}

sub url      { return $_[0]{report}{url} }
sub folder   { return "$_[0]{work}/files" }
sub requests { return @{ $_[0]->_control('requests', {}) } }

sub faults {
    my ($self, @faults) = @_;
    $self->_control('faults', \@faults);
    return;
}

sub put {
    my ($self, %object) = @_;
    $self->_control('put', \%object);
    return;
}

sub _control {
    my ($self, $what, $value) = @_;
    my $response = $self->{http}->post("$self->{report}{url}/_control/$what", { content => encode_json($value) });
    Test::More::BAIL_OUT("the server of files answered $response->{status} $response->{content}") if !$response->{success};
    return decode_json($response->{content});
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
