package Fields;

# The single values of a body: each function gets one and where it stands, and returns what is stored, or refuses.
# $ctx is the request: `org`, the caller's; `id`, the rule's; `foreign` is set once an account was refused.
use v5.36;
use Math::BigFloat;
use Time::Local qw(timegm_modern);
use Exporter 'import';
use Refusal;
use StrictJson;
use Switches;
use World;

our @EXPORT = qw(object array known text enum bool finite integer cents percent date_time account_id account_ref);

# --------------------------------------------------------------------------------------------------------- generic

sub object ($value, $at) {
    refuse("$at must be an object.") if kind($value) ne 'object';
    return $value;
}

sub array ($value, $at) {
    refuse("$at must be an array.") if kind($value) ne 'array';
    return $value;
}

# Unknown properties are left behind.
sub known ($value, $at, @names) {
    return if !is_on('allowed_unknown_refused');
    my %is_known = map { $_ => 1 } @names;
    refuse("$at has an unknown property.") if grep { !$is_known{$_} } keys %$value;
}

sub text ($value, $at) {
    return undef if !defined $value;
    refuse("$at must be a string or null.") if kind($value) ne 'string';
    return $value;
}

sub enum ($value, $at, @names) {
    refuse("$at must be a string.") if kind($value) ne 'string';
    my ($name) = grep { $_ eq $value } @names;
    if (is_on('enum_dollar') && $at =~ /schedule_type/) {
        my $names = join '|', @names;
        $name = $value if $value =~ /^(?:$names)$/;    # `$` also matches before a line break at the end
    }
    if (is_on('enum_case') && $at =~ /limit/) {
        ($name) = grep { lc $_ eq lc $value } @names;
    }
    refuse("$at is not one of " . join(', ', @names) . '.') if !defined $name;
    return $name;
}

sub bool ($value, $at) {
    refuse("$at must be a boolean.") if kind($value) ne 'boolean';
    return $value;
}

# --------------------------------------------------------------------------------------------------------- numbers

# A number that a double can be near to.
sub finite ($value, $at) {
    refuse("$at must be a number.") if kind($value) ne 'number';
    my $text = $value->text;
    refuse("$at is out of range.") if length $text > 400;
    refuse("$at is out of range.") if $text =~ /[eE][+-]?0*(\d+)\z/ && length $1 > 3;
    my $near = 0 + $text;
    refuse("$at is out of range.") if $near != $near || abs $near > 1e300;
    return $near;
}

# 1.0 and 1e2 are integers, too.
sub integer ($value, $at) {
    finite($value, $at);
    my $text = $value->text;
    if ($text !~ /\A-?\d+\z/) {
        return number(int 0 + $text) if is_on('fraction_second_action') && $at =~ /actions\[[1-9]/;
        my $exact = Math::BigFloat->new($text);
        refuse("$at must be an integer.") if !$exact->is_int;
        $text = $exact->bstr;
    }
    $text = '0' if $text eq '-0';
    refuse("$at must not be negative.") if $text =~ /\A-/;
    refuse("$at is too large.") if length $text > 16 || $text > 9007199254740991;
    return number($text);
}

sub cents ($value, $at) {
    my $amount = integer($value, $at);
    if (is_on('cents_32_second_step') && $at =~ /steps\[[1-9]/ && $amount->text >= 2**31) {
        return number(unpack 'l', pack 'l', $amount->text);
    }
    return $amount;
}

# Stored as it was written.
sub percent ($value, $at) {
    my $near = finite($value, $at);
    refuse("$at must be within 0 and 100.") if $near < 0 || $near > 100;
    my $text = $value->text;
    $text = $1 if is_on('exponent_percent') && $text =~ /\A(.*)e/i;
    return number($near == 0 ? '0' : $text);
}

# ----------------------------------------------------------------------------------------------------------- dates

my @DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
my $RFC_3339 = qr{
    \A (?<year>\d{4}) - (?<month>\d\d) - (?<day>\d\d) [Tt] (?<hour>\d\d) : (?<minute>\d\d) : (?<second>\d\d)
    (?: \. (?<fraction>\d+) )? (?: [Zz] | (?<sign>[+-]) (?<hours>\d\d) : (?<minutes>\d\d) ) \z
}xa;

# Milliseconds since 1970; more digits of a fraction are dropped.
sub date_time ($value, $at) {
    refuse("$at must be a string.") if kind($value) ne 'string';
    refuse("$at is not an RFC 3339 date-time.") if $value !~ $RFC_3339;
    my %is = %+;
    my ($year, $month, $day) = @is{qw(year month day)};
    refuse("$at is no date.") if $month < 1 || $month > 12 || $day < 1 || $year < 1970;
    my $is_leap = $year % 4 == 0 && ($year % 100 || $year % 400 == 0);
    refuse("$at is no date.") if $day > $DAYS[$month - 1] + ($month == 2 && $is_leap ? 1 : 0);
    refuse("$at is no time.") if $is{hour} > 23 || $is{minute} > 59 || $is{second} > 59;
    refuse("$at is no time.") if ($is{hours} // 0) > 23 || ($is{minutes} // 0) > 59;
    my $seconds = timegm_modern(@is{qw(second minute hour)}, $day, $month - 1, $year);
    $seconds -= _offset(\%is) if $is{sign};
    $seconds += 86_400 if is_on('leap_day') && $month == 2 && $day == 29;
    refuse("$at is out of range.") if $seconds > 253_402_214_400;
    my $fraction = $is{fraction} // '';
    return $seconds * 1000 + substr($fraction, 0, 3) if $fraction ne '' && is_on('short_fraction');
    return $seconds * 1000 + substr("${fraction}000", 0, 3);
}

# Seconds east of Greenwich.
sub _offset ($is) {
    my $sign = $is->{sign} eq '-' ? -1 : 1;
    return $sign * $is->{hours} * 3600 - $is->{minutes} * 60 if is_on('negative_half_hour');
    return $sign * ($is->{hours} * 60 + $is->{minutes}) * 60;
}

# -------------------------------------------------------------------------------------------------------- accounts

sub account_id ($id, $at, $ctx) {
    refuse("$at must be a string.") if kind($id) ne 'string';
    my $account = account($id);
    return $id if $account && is_ours($account, $ctx->{org});
    if ($account) {
        return $id if is_on('foreign_in_top_up') && $at =~ /current_balance_account/;
        return $id if is_on('foreign_second_step') && $at =~ /steps\[[1-9].*destination/;
    }
    $ctx->{foreign} = 1;
    refuse("The account of $at was not found.", 404);
}

sub account_ref ($value, $at, $ctx) {
    object($value, $at);
    known($value, $at, qw(id type name));
    my $type = enum($value->{type}, "$at.type", qw(income_source pod external_account));
    my $name = text($value->{name}, "$at.name");
    my %ref = (id => account_id($value->{id}, "$at.id", $ctx), type => $type);
    my $account = account($ref{id});
    refuse("$at.type does not fit the account.") if is_on('allowed_business_rules') && $account->{type} ne $type;
    $name = to_chars($account->{name}) if is_on('allowed_names_resolved');
    $ref{name} = $name if defined $name || exists $value->{name};
    return \%ref;
}

1;
