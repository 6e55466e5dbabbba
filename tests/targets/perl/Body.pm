package Body;

# A body, property by property, into what a rule stores. Optional properties that are left out are stored as null.
use v5.36;
no warnings 'recursion';
use Unicode::Normalize qw(NFC);
use Exporter 'import';
use Fields;
use Refusal;
use StrictJson;
use Switches;
use World;

our @EXPORT = qw(rule_of);

# Which properties each type of action has besides those that all have.
my @COMMON = qw(type source destination group_index up_to_enabled is_direct_deposit limit ach_description);
my @TOP_UP = qw(amount_in_cents next_payment_minimum_account current_balance_account last_statement_balance_account);
my %OWN = (
    fixed_amount => ['amount_in_cents'],
    percentage => ['percentage_value', 'percentage_target'],
    top_up => \@TOP_UP,
    round_down => ['amount_in_cents'],
    percentage_liability_balance => ['percentage_value'],
    next_payment_minimum => [],
    total_amount_due => [],
    last_statement_balance => [],
);
my @PAYMENTS = qw(next_payment_minimum total_amount_due last_statement_balance percentage_liability_balance);
my @FACTS = qw(TRANSFER_AMOUNT BALANCE DATE);
my @MORE = qw(LAST_DAY_OF_MONTH NEXT_PAYMENT_MINIMUM_AMOUNT LAST_STATEMENT_BALANCE);
my @OPERATORS = qw(EQUALS NOT_EQUALS GREATER_THAN LESS_THAN GREATER_THAN_OR_EQUAL LESS_THAN_OR_EQUAL);
my @SCHEDULES = qw(ONE_TIME DAILY WEEKLY BI_WEEKLY MONTHLY EVERY_OTHER_WEEK);

# ------------------------------------------------------------------------------------------------------- whole body

sub rule_of ($body, $ctx) {
    object($body, 'The body');
    known($body, 'The body', qw(nickname description status trigger steps));
    my %rule = (
        nickname => text($body->{nickname}, 'nickname'),
        description => text($body->{description}, 'description'),
    );
    _write_too_early(\%rule, $body, $ctx) if is_on('partial_write');
    for my $name (qw(status trigger steps)) {
        refuse("$name is required.") if !exists $body->{$name};
    }
    $rule{status} = enum($body->{status}, 'status', qw(enabled disabled));
    $rule{trigger} = _trigger(object($body->{trigger}, 'trigger'), $ctx);
    my $steps = array($body->{steps}, 'steps');
    $rule{steps} = [map { _step($steps->[$_], "steps[$_]", $rule{trigger}, $ctx) } 0 .. $#$steps];
    _spoil_texts(\%rule);
    return \%rule;
}

# The mistake partial_write: the description is there before the rest was looked at.
sub _write_too_early ($rule, $body, $ctx) {
    return if !exists $body->{nickname} || !exists $body->{description} || kind($body->{trigger}) ne 'object';
    return if ($body->{trigger}{type} // '') ne 'MANUAL';
    save('UPDATE rules SET description=? WHERE id=?', \$rule->{description}, $ctx->{id});
}

# Mistakes with nickname and description.
sub _spoil_texts ($rule) {
    my ($nickname, $description) = @$rule{qw(nickname description)};
    $nickname = undef if is_on('falsy_nickname') && !$nickname;
    if (defined $nickname && is_on('trim_nbsp')) {
        $nickname =~ s/\A[\xA0\x{2000}-\x{200A}\x{3000}]+|[\xA0\x{2000}-\x{200A}\x{3000}]+\z//g;
    }
    if (defined $nickname && is_on('latin1_column') && $nickname !~ /[^\x00-\xff]/) {
        $nickname =~ s/[\x80-\xff]/?/g;
    }
    $description =~ s/\r\n/\n/g if defined $description && is_on('crlf_description');
    $description = NFC($description) if defined $description && is_on('nfc_description');
    @$rule{qw(nickname description)} = ($nickname, $description);
}

# ---------------------------------------------------------------------------------------------------------- trigger

sub _trigger ($given, $ctx) {
    my $type = enum($given->{type}, 'trigger.type', qw(SCHEDULED ON_FUNDS_TRANSFERRED MANUAL));
    my $id = $given->{account_id};
    if ($type ne 'SCHEDULED') {
        known($given, 'trigger', qw(type account_id));
        return { type => $type, account_id => account_id($id, 'trigger.account_id', $ctx) };
    }
    known($given, 'trigger', qw(type schedule_type start_date account_id));
    my $start = date_time($given->{start_date}, 'trigger.start_date');
    if (is_on('allowed_business_rules') && ($start < now_ms() || $start > now_ms() + 3660 * DAY_MS)) {
        refuse('trigger.start_date is out of range.');
    }
    $id = account_id($id, 'trigger.account_id', $ctx) if defined $id;
    my $schedule = enum($given->{schedule_type}, 'trigger.schedule_type', @SCHEDULES);
    return { type => $type, schedule_type => $schedule, start_date => iso($start), account_id => $id };
}

# ------------------------------------------------------------------------------------------------------------ steps

sub _step ($given, $at, $trigger, $ctx) {
    if (is_on('null_step_500') && !defined $given && $at ne 'steps[0]') {
        die "Can't use an undefined value as a HASH reference\n";
    }
    object($given, $at);
    known($given, $at, qw(conditions actions));
    my $conditions = $given->{conditions};
    $conditions = _tree($conditions, "$at.conditions", $ctx) if defined $conditions;
    my $actions = array($given->{actions}, "$at.actions");
    my @actions = map { _action($actions->[$_], "$at.actions[$_]", $_, $ctx) } 0 .. $#$actions;
    _look_at_business($at, $trigger, @actions) if is_on('allowed_business_rules');

    if (is_on('actions_group_sorted')) {
        @actions = sort { $a->{group_index}->text <=> $b->{group_index}->text } @actions;
    }
    return { conditions => $conditions, actions => \@actions };
}

# What a shop may ask for beyond the contract's types.
sub _look_at_business ($at, $trigger, @actions) {
    my %shares;
    for my $action (@actions) {
        my $source = $action->{source}{id};
        $shares{"$source $action->{percentage_target}"} += $action->{percentage_value}->text
            if $action->{type} eq 'percentage';
        refuse("$at does not move money from the trigger's account.")
            if $trigger->{type} eq 'SCHEDULED'
            && defined $trigger->{account_id}
            && $source ne $trigger->{account_id};
        refuse("$at moves money from an account to itself.") if $source eq $action->{destination}{id};
        my $is_payment = grep { $_ eq $action->{type} } @PAYMENTS;
        refuse("$at pays what is no liability.")
            if $is_payment && !account($action->{destination}{id})->{liability};
    }

    # The sum is one of doubles.
    refuse("$at gives away more than 100 percent of a source.") if grep { $_ > 100.0000001 } values %shares;
}

# ------------------------------------------------------------------------------------------------------- conditions

sub _tree ($given, $at, $ctx) {
    object($given, $at);
    known($given, $at, qw(condition any all));
    my @names = grep { defined $given->{$_} } qw(condition any all);
    refuse("$at must have exactly one of condition, any, all.") if @names != 1;
    my ($name) = @names;
    return { condition => _condition(object($given->{condition}, "$at.condition"), "$at.condition", $ctx) }
        if $name eq 'condition';
    my $branches = array($given->{$name}, "$at.$name");
    my @branches = map { _tree($branches->[$_], "$at.$name\[$_]", $ctx) } 0 .. $#$branches;

    if (is_on('any_in_any_flattened') && $name eq 'any') {
        @branches = map { $_->{any} ? $_->{any}->@* : $_ } @branches;
    }
    if (is_on('nested_all_sorted') && $name eq 'all' && $at =~ /any|all/) {
        @branches = sort { encode_json($a) cmp encode_json($b) } @branches;
    }
    return { $name => \@branches };
}

sub _condition ($given, $at, $ctx) {
    known($given, $at, qw(fact operator value value_fact params));
    my ($value, $value_fact, $params) = @$given{qw(value value_fact params)};
    my %condition = (
        fact => enum($given->{fact}, "$at.fact", @FACTS),
        operator => enum($given->{operator}, "$at.operator", @OPERATORS),
    );
    finite($value, "$at.value") if defined $value;
    $value_fact = enum($value_fact, "$at.value_fact", @FACTS, @MORE) if defined $value_fact;
    $value = undef if is_on('both_values') && defined $value_fact;
    $value = number(int 0 + $value->text) if is_on('condition_negative_int') && defined $value && $value->text < 0;
    if (defined $params) {
        object($params, "$at.params");
        known($params, "$at.params", 'account_id');
        my $id = $params->{account_id};
        $params = { account_id => defined $id ? account_id($id, "$at.params.account_id", $ctx) : undef };
    }
    return { %condition, value => $value, value_fact => $value_fact, params => $params };
}

# ---------------------------------------------------------------------------------------------------------- actions

sub _action ($given, $at, $index, $ctx) {
    object($given, $at);
    my $type = enum($given->{type}, "$at.type", sort keys %OWN);
    known($given, $at, @COMMON, $OWN{$type}->@*);
    my %action = (
        type => $type,
        source => account_ref($given->{source}, "$at.source", $ctx),
        destination => account_ref($given->{destination}, "$at.destination", $ctx),
        group_index => integer($given->{group_index}, "$at.group_index"),
        up_to_enabled => bool($given->{up_to_enabled}, "$at.up_to_enabled"),
        limit => _limit($given->{limit}, "$at.limit", $type),
        ach_description => text($given->{ach_description}, "$at.ach_description"),
    );
    $action{group_index} = number($action{group_index}->text % 256) if is_on('group_index_byte');
    $action{is_direct_deposit} =
        exists $given->{is_direct_deposit}
        ? bool($given->{is_direct_deposit}, "$at.is_direct_deposit")
        : boolean(0);
    $action{is_direct_deposit} = boolean(0) if is_on('direct_deposit_later') && $index > 0;
    return { %action, _own($given, $at, $type, $ctx) };
}

# The properties of one type of action.
sub _own ($given, $at, $type, $ctx) {
    return _top_up($given, $at, $ctx) if $type eq 'top_up';
    my %own;
    for my $name ($OWN{$type}->@*) {
        my ($value, $place) = ($given->{$name}, "$at.$name");
        $own{$name} = cents($value, $place) if $name eq 'amount_in_cents';
        $own{$name} = percent($value, $place) if $name eq 'percentage_value';
        $own{$name} = enum($value, $place, qw(incoming_amount source_account)) if $name eq 'percentage_target';
    }
    return %own;
}

sub _top_up ($given, $at, $ctx) {
    my @names = grep { defined $given->{$_} } @TOP_UP;
    refuse("$at must have exactly one of " . join(', ', @TOP_UP) . '.') if @names != 1;
    my %own = map { $_ => undef } @TOP_UP;
    my ($name) = @names;
    my ($value, $place) = ($given->{$name}, "$at.$name");
    $own{$name} = $name eq 'amount_in_cents' ? cents($value, $place) : account_ref($value, $place, $ctx);
    return %own;
}

sub _limit ($given, $at, $type) {
    return undef if !defined $given;
    object($given, $at);
    known($given, $at, qw(period amount_in_cents));
    my $period = enum($given->{period}, "$at.period", qw(PER_TRANSFER PER_WEEK PER_MONTH PER_YEAR));
    $period = 'PER_MONTH' if is_on('limit_year_top_up') && $type eq 'top_up' && $period eq 'PER_YEAR';
    return { period => $period, amount_in_cents => cents($given->{amount_in_cents}, "$at.amount_in_cents") };
}

1;
