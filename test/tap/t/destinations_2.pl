# The other half of the destinations, beside the first: see destinations.pl.
# Once: as there.

use strict;
use warnings FATAL => 'all';

use ReverseETL ();    # which wants to be there before the program begins

do "$ENV{TESTS}/tap/t/destinations.pl" or die $@ || $!;
