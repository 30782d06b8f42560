package PsqlSession;

# One psql that stays, for tests that run many statements: starting one takes longer than most statements.
#
#   my $session = PsqlSession->new($node);
#   my $text = $session->ask('SELECT 1; SELECT 2');    # what the queries give, or it dies of the error
#   my ($tag, $said) = $session->outcome('INSERT ...');  # the last command tag, and what was said in any case, with SQLSTATEs
#
# After the server has crashed, the next run connects anew.

use strict;
use warnings FATAL => 'all';

use File::Temp;
use IPC::Open2;

sub new {
    my ($class, $node) = @_;
    return bless { node => $node, owner => $$, said => File::Temp->new }, $class;
}

sub _start {
    my ($self) = @_;
    my $said = $self->{said}->filename;
    my $node = $self->{node};
    local %ENV = ($node->_get_env, PGCLIENTENCODING => 'UTF8');
    $self->{pid} = open2(my $from, my $to, "exec psql -XAt -v ON_ERROR_STOP=0 -v VERBOSITY=verbose -d postgres 2>>$said");
    binmode $_, ':encoding(UTF-8)' for $from, $to;
    @$self{qw(from to)} = ($from, $to);
    return;
}

sub ask {
    my ($self, $statements) = @_;
    my ($lines, $said) = $self->_run('on', $statements);
    return $lines if $said !~ /^(?:ERROR|FATAL|PANIC):/m && $self->{pid};
    $self->_run('on', 'ROLLBACK') if $self->{pid};
    die "$said while running $statements";
}

sub outcome {
    my ($self, $statements) = @_;
    my ($lines, $said) = $self->_run('off', $statements);
    return ((split /\n/, $lines)[-1] // '', $said);
}

# What was printed, and what was said. Without its mark the connection is gone, or psql is.
sub _run {
    my ($self, $quiet, $statements) = @_;
    $self->_start if !$self->{pid};
    truncate $self->{said}, 0;
    my $mark = 'done ' . ++$self->{runs};
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{to} } "\\set QUIET $quiet\n$statements;\n\\echo $mark\n";
    $self->{to}->flush;
    my (@lines, $ended);
    while (defined(my $line = readline $self->{from})) {
        chomp $line;
        last if $ended = $line eq $mark;
        push @lines, $line;
    }
    $self->stop if !$ended;
    open my $file, '<:encoding(UTF-8)', $self->{said}->filename or die "cannot read what psql said: $!";
    local $/;
    return (join("\n", @lines), <$file> // '');
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    close $self->{to};
    local $?;
    waitpid $pid, 0;
    return;
}

sub DESTROY { my ($self) = @_; $self->stop if $self->{owner} == $$; return }

1;
