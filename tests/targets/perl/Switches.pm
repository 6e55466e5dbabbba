package Switches;

# What the environment sets: one mistake or allowed habit (MISTAKE), and how the server behaves in time.
use v5.36;
use Exporter 'import';

our @EXPORT = qw(is_on $LAG $RATE $JITTER $SHARE $DELAY);

my $switch = $ENV{MISTAKE} // '';

sub is_on ($name) { return $switch eq $name }

# Seconds by which reads lag, requests a second, milliseconds before an answer, accounts of both organizations.
our $LAG = $ENV{LAG} || 0;
our $RATE = $ENV{RATE} || 0;
our $JITTER = ($ENV{JITTER} // '') =~ /\A(\d+)-(\d+)\z/a ? [$1, $2] : undef;
our $SHARE = ($ENV{SHARE} // '') eq '1' ? 1 : 0;

# Milliseconds, more or less, between the look at a body and its writing. One process serves all requests, so it takes
# this for two updates to overlap.
our $DELAY = is_on('concurrent_steps') ? 40 : is_on('allowed_delay') ? 25 : 0;

1;
