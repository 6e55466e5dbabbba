package Refusal;

# What the API answers instead of a result; it is thrown.
use v5.36;
use Exporter 'import';

our @EXPORT = qw(refuse);

sub refuse ($message, $status = 400) {
    my $code = $status == 404 ? 'resource_not_found' : 'invalid_request';
    die bless { status => $status, code => $code, message => $message }, 'Refusal';
}

1;
