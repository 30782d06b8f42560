# A stand-in for an API of jobs, after Salesforce's Bulk API 2.0: a job is opened, its rows are uploaded to a presigned
# address, it is closed, and its files of results are read page by page, as CSV. It is strict: credentials go with every
# request but the upload, a job that is not open takes no rows, one that is not complete has no results.
package JobServer;

use strict;
use warnings FATAL => 'all';

use Encode qw(decode);
use IO::Socket::INET;
use JSON::PP;

my $json = JSON::PP->new->canonical->utf8;

# Runs it in a process of its own, which ends with this one.
sub start {
    my ($class) = @_;
    my $socket  = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64, ReuseAddr => 1) or die "no port: $!";
    my $self    = bless { port => $socket->sockport, pid => fork // die "no fork: $!" }, $class;
    return $self if $self->{pid};
    $SIG{TERM} = 'DEFAULT';
    serve($socket, $self->{port});
    exit 0;
}
sub url { return "http://127.0.0.1:$_[0]{port}" }

sub stop {
    my ($self) = @_;
    kill 'KILL', $self->{pid} if $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

sub ask {
    my ($self, $method, $path, $body) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) or die "no server: $!";
    $body = defined $body ? $json->encode($body) : '';
    print {$socket} "$method $path HTTP/1.1\r\nHost: test\r\nContent-Length: ${\length $body}\r\nConnection: close\r\n\r\n$body";
    local $/ = undef;
    my $answer = <$socket>;
    return $json->decode($answer =~ s/.*?\r\n\r\n//sr);
}

# `token`: who may ask; `suffix`: how ids of jobs end.
my %state = (jobs => {}, rows => {}, applied => {}, faults => [], complete => 1, page => 3, log => [], token => 't0ken', suffix => '');

sub serve {
    my ($socket, $port) = @_;
    my $parent = getppid;
    while (1) {
        my $ready = '';
        vec($ready, $socket->fileno, 1) = 1;
        if (!select $ready, undef, undef, 1) {
            return if getppid != $parent;
            next;
        }
        my $client = $socket->accept or next;
        my %request;
        my $line = <$client> // next;
        @request{qw(method target)} = $line =~ /^(\S+) (\S+)/;
        while (defined($line = <$client>) && $line =~ /^([^:]+):\s*(.*?)\r?\n/) { $request{ lc $1 } = $2 }
        read $client, $request{body}, $request{'content-length'} // 0;
        my ($status, $headers, $body) = answer(\%request, $port);
        $body = $json->encode($body) if ref $body;
        my $more = join '', map { "$_: $headers->{$_}\r\n" } sort keys %$headers;
        print {$client} "HTTP/1.1 $status X\r\nContent-Length: ${\length $body}\r\nConnection: close\r\n$more\r\n$body";
        close $client;
    }
    return;
}

sub csv { return join('', map { join(',', map { '"' . s/"/""/gr . '"' } @$_) . "\n" } @_) }

sub answer {
    my ($request, $port) = @_;
    my ($path, $query) = split /\?/, $request->{target}, 2;
    if ($path eq '/_state') { return 200, {}, \%state }
    if ($path eq '/_set') {
        my $set = $json->decode($request->{body});
        @state{ keys %$set } = values %$set;
        return 200, {}, {};
    }
    push $state{log}->@*, "$request->{method} " . $path =~ s{job\d+[^/]*}{JOB}r;
    if (my ($fault) = grep { $_->{count} > 0 && "$request->{method} $path" =~ /$_->{of}/ } $state{faults}->@*) {
        $fault->{count}--;
        return $fault->{status}, {}, { message => 'fault on demand' };
    }
    if ($path eq '/token') {
        return 401, {}, { error => 'invalid_client' } if $request->{body} !~ /client_secret=s3cr3t/;
        $state{token} = 'granted' . ++$state{grants};
        return 200, {}, { access_token => $state{token}, token_type => 'Bearer', expires_in => 3600 };
    }
    if ($path =~ m{^/upload/(job\d+)$}) {
        my $job = $state{jobs}{$1} or return 404, {}, { message => 'no such upload' };
        return 403, {}, { message => 'credentials do not belong here' } if defined $request->{authorization};
        return 403, {}, { message => 'wrong signature' } if ($query // '') ne 'X-Signature=s3cr3t';
        return 409, {}, { message => 'not open' } if $job->{state} ne 'Open' || $job->{rows};
        $job->{rows} = $json->decode($request->{body})->{rows};
        return 201, {}, '';
    }
    return 401, {}, { message => 'who are you?' } if ($request->{authorization} // '') ne "Bearer $state{token}";
    if ($path eq '/jobs' && $request->{method} eq 'POST') {
        my $wanted = $json->decode($request->{body});
        return 400, {}, { message => 'no such object' } if $wanted->{object} ne 'people';
        my $id = 'job' . (1 + keys $state{jobs}->%*);
        $state{jobs}{$id} = { id => $id . $state{suffix}, state => 'Open', polls => 0, operation => $wanted->{operation} };
        return 200, {}, { id => $state{jobs}{$id}{id}, contentUrl => "http://127.0.0.1:$port/upload/$id?X-Signature=s3cr3t" };
    }
    my ($id, $what) = $path =~ m{^/jobs/([^/]+)(?:/(\w+))?$} or return 404, {}, { message => 'nothing here' };
    $id = decode('UTF-8', $id =~ s/%([0-9A-F]{2})/chr hex $1/ger);
    my ($job) = grep { $_->{id} eq $id } values $state{jobs}->%* or return 404, {}, { message => 'no such job' };
    if ($request->{method} eq 'PATCH') {
        return 400, {}, { message => "the job is $job->{state}" } if $job->{state} ne 'Open' || !$job->{rows};
        $job->{state} = 'InProgress';
        return 200, {}, $job;
    }
    if (!$what) {
        complete($job) if $job->{state} eq 'InProgress' && $state{complete} && ++$job->{polls} >= $state{complete};
        return 200, {}, { map { $_ => $job->{$_} } qw(id state) };
    }
    return 400, {}, { message => "the job is $job->{state}" } if $job->{state} ne 'JobComplete';
    my @rows  = grep { $_->[0] eq $what } $job->{results}->@*;
    my ($at)  = ($query // '') =~ /locator=(\d+)/;
    $at //= 0;
    my $last = $at + $state{page} > $#rows + 1 ? $#rows : $at + $state{page} - 1;
    my $next = $last < $#rows ? $last + 1 : 'null';
    return 200, { 'Sforce-Locator' => $next, 'Content-Type' => 'text/csv' },
        csv([qw(sf__Id sf__Error id name)], map { [ @{$_}[ 1 .. 4 ] ] } @rows[ $at .. $last ]);
}

# A name says what becomes of its row: "bad" fails, "later" is not processed the first time.
sub complete {
    my ($job) = @_;
    $job->{state} = 'JobComplete';
    for my $row ($job->{rows}->@*) {
        my $name = $row->{name} // '';
        if ($name =~ /bad/) { push $job->{results}->@*, [ failed => '', "REQUIRED: \"name\", not bad\nat all", $row->{id}, $name ]; next }
        if ($name =~ /later/ && !$state{seen}{ $row->{id} }++) {
            push $job->{results}->@*, [ unprocessed => '', '', $row->{id}, $name ];
            next;
        }
        push $state{applied}{ $row->{id} }->@*, $job->{operation} eq 'delete' ? 'gone' : $name;
        $state{rows}{ $row->{id} } = $name;
        delete $state{rows}{ $row->{id} } if $job->{operation} eq 'delete';
        push $job->{results}->@*, [ successful => "sf$row->{id}", '', $row->{id}, $name ];
    }
    $job->{results} //= [];
    return;
}

1;
