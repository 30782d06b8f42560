package DestinationTruths;

# Which of the truths each operation of a connector has passed, beside what its stand-in says:
#
#   client    the vendor's own client has asked the stand-in for all that the operation asks for, and was answered
#   file      the vendor's published file takes every request that the connector has sent, and refuses one that is bad

use strict;
use warnings FATAL => 'all';

use Destinations;
use JSON::PP qw(encode_json);
use Test::More ();

my @operations = qw(create upsert update delete lookup list);

sub new { my ($class, $stand_ins) = @_; return bless { stand_ins => $stand_ins, passed => {} }, $class }

# prove(NAME, DESCRIPTION, OBJECT...): whether the client takes the stand-in for its vendor. What it does not take proves nothing of us.
sub prove {
    my ($self, $name, $described, @objects) = @_;
    my $stand_ins = $self->{stand_ins};
    return 1 if !$described->{client};
    if (Destinations->missing) {
        Test::More::note('nobody proved the stand-in: ' . Destinations->missing);
        return 1;
    }
    my $said = $stand_ins->run('prove.mjs', $name, $stand_ins->url($name), encode_json($described->{credentials}), $described->{client});
    Test::More::is($said->{error}, undef, "$described->{client} takes the stand-in for its vendor") or return;
    my @asked = map { s/ 2\d\d$//r } grep { / 2\d\d$/ } $stand_ins->requests($name);
    for my $object (@objects) {
        my %unasked;
        for my $request ($object->all_requests) {
            $unasked{ $request->{name} } += !grep { $_ =~ $request->{pattern} } @asked;
        }
        $self->{passed}{"$name.$object->{name}.$_"}{client} = $said->{client} for grep { !$unasked{$_} } keys %unasked;
    }
    $stand_ins->post($name, 'reset');
    $stand_ins->post($name, 'forget');
    return 1;
}

# judge(NAME, DESCRIPTION, OBJECT...): the requests of all steps, by what the vendor has published.
sub judge {
    my ($self, $name, $described, @objects) = @_;
    my $stand_ins = $self->{stand_ins};
    my $file = Destinations->published . '/' . ($described->{published} // "$name.json");
    return if !-e $file || Destinations->missing;
    my $recorded = $stand_ins->keep("$name.jsonl", '');
    my @requests = map { my $object = $_; map { { object => $object->{name}, operation => $_->{name}, pattern => $_->{pattern} } } $object->all_requests } @objects;
    $stand_ins->post($name, "save?file=$recorded");
    my ($source, $judged) = @{ $stand_ins->run('judge.mjs', $file, $recorded, encode_json(\@requests)) }{qw(source operations)};
    for my $operation (sort keys %$judged) {
        my $of       = $judged->{$operation};
        my $outdated = $described->{outdated}{$operation}{findings} // [];
        my @findings = grep { my $finding = $_; !grep { index($finding, $_) >= 0 } @$outdated } @{ $of->{findings} };
        Test::More::is("@findings", '', "$operation: the vendor's file takes all of $of->{judged} requests");
        # A file that is cut may have the path and not the method: it can judge nothing then, as `outdated` says.
        Test::More::ok($of->{sees} || grep({ /not defined on/ } @$outdated), "$operation: it refuses one that is bad");
        $self->{passed}{"$name.$operation"}{file} = $source if !@findings && $of->{sees};
    }
    return;
}

# of(OBJECT, OPERATION): { client => its name and version, file => where it comes from }, those that it has passed. An upsert by
# a look-up has passed what all three of its requests have.
sub of {
    my ($self, $object, $operation) = @_;
    my $passed = sub { $self->{passed}{"$object->{destination}.$object->{name}.$_[0]"} // {} };
    return $passed->($operation) if $operation ne 'upsert' || !$object->upserts_by_lookup;
    return { map { my $by = $_; (grep { !$passed->($_)->{$by} } qw(create update lookup)) ? () : ($by => $passed->('create')->{$by}) } qw(client file) };
}

# facts(MANIFEST, OBJECT...): all that was found out, a line of JSON each. What was discovered is known by the manifest as *.
sub facts {
    my ($self, $manifest, @objects) = @_;
    my $json = JSON::PP->new->canonical;
    my @facts;
    for my $object (@objects) {
        my $name = $manifest->{objects}{ $object->{name} } ? $object->{name} : '*';
        for my $operation (grep { $object->has($_) } @operations) {
            my $passed = $self->of($object, $operation);
            push @facts, map { { connector => $object->{destination}, object => $name, operation => $operation, by => $_, what => $passed->{$_} } } sort keys %$passed;
        }
    }
    return join '', map { $json->encode($_) . "\n" } @facts;
}

1;
