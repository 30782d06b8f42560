# The other half of the warehouses, beside the first: see sources.pl.

use strict;
use warnings FATAL => 'all';

use ReverseETL ();    # which wants to be there before the program begins

do "$ENV{TESTS}/tap/t/sources.pl" or die $@ || $!;
