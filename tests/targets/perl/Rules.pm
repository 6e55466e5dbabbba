package Rules;

# Rules as they are stored, answered, and seen by readers that lag.
use v5.36;
use Time::HiRes ();
use Exporter 'import';
use StrictJson;
use Switches;
use World;

our @EXPORT = qw(find_rule rule_data seen_data write_rule enable_rule forget_history note_refusal);

# --------------------------------------------------------------------------------------------------------- reading

sub find_rule ($id) { return $db->selectrow_hashref('SELECT * FROM rules WHERE id=?', undef, to_bytes($id)) }

# What the API shows of a rule.
sub rule_data ($id) {
    my $rule = find_rule($id);
    my $rows = $db->selectall_arrayref('SELECT * FROM steps WHERE rule_id=? ORDER BY idx', { Slice => {} }, $id);
    if (is_on('lexical_step_order')) {
        $rows = [sort { $a->{idx} cmp $b->{idx} } @$rows];
    }
    my @steps = map { { conditions => _decoded($_->{conditions}), actions => _decoded($_->{actions}) } } @$rows;
    return {
        id => $id,
        nickname => _text($rule->{nickname}),
        description => _text($rule->{description}),
        status => $rule->{status},
        trigger => _decoded($rule->{trigger}),
        steps => \@steps,
        created_at => iso($rule->{created}),
        updated_at => iso($rule->{updated}),
    };
}

sub _text ($bytes) { return defined $bytes ? to_chars($bytes) : undef }
sub _decoded ($bytes) { return defined $bytes ? decode_json($bytes) : undef }

# With LAG, what rules were: by id, a list of [since when, data].
my %history;

sub forget_history (@ids) { delete @history{ @ids ? @ids : keys %history } }

# What a GET shows: with LAG, what was so then.
sub seen_data ($id) {
    my $past = $history{$id};
    return rule_data($id) if !$past;
    my $horizon = Time::HiRes::time() - $LAG;
    for my $version (reverse @$past) {
        return $version->[1] if $version->[0] <= $horizon;
    }
    return $past->[0][1];
}

sub _keep_for_readers ($id, $before) {
    return if !$LAG;
    push $history{$id}->@*, [0, $before] if !$history{$id};
    push $history{$id}->@*, [Time::HiRes::time(), rule_data($id)];
}

# --------------------------------------------------------------------------------------------------------- writing

# By an operator, and readable at once. False where there is no such rule.
sub enable_rule ($id) {
    forget_history($id);
    return $db->do("UPDATE rules SET status='enabled' WHERE id=?", undef, to_bytes($id)) > 0;
}

# Store what a body became; returns what the answer shows. $request: `has_key`, and `body` as it was sent.
sub write_rule ($id, $new, $request) {
    my $rule = find_rule($id);
    my $before = rule_data($id);
    _spoil_with_old($new, $before, $request->{body});
    my $now = now_ms();
    $now = $rule->{updated} + 1 if $now <= $rule->{updated};
    $db->begin_work;
    save(
        'UPDATE rules SET nickname=?, description=?, status=?, trigger=?, updated=? WHERE id=?',
        \$new->{nickname}, \$new->{description}, _status($rule, $new, $request),
        \encode_json($new->{trigger}), [$now], $id
    );
    _write_steps($id, $new->{steps});
    $db->commit;
    my $data = rule_data($id);
    _spoil_afterwards($rule, $new);
    _keep_for_readers($id, $before);
    return $data;
}

# A body enables no rule, and an update disables one.
my %was_refused;

sub note_refusal ($rule) { $was_refused{ $rule->{id} } = 1 if $rule->{status} eq 'enabled' }

sub _status ($rule, $new, $request) {
    if ($rule->{status} eq 'disabled') {
        return is_on('allowed_becomes_enabled') ? $new->{status} : 'disabled';
    }
    return $new->{status} if is_on('keyed_enabled') && $request->{has_key};
    return 'enabled' if is_on('refusal_then_update') && delete $was_refused{ $rule->{id} };
    return 'enabled' if is_on('manual_keeps_enabled') && $new->{trigger}{type} eq 'MANUAL';
    return 'disabled';
}

sub _write_steps ($id, $steps) {
    if (is_on('steps_left_over')) {    # the one after the last new one survives
        my $count = @$steps;
        $db->do('DELETE FROM steps WHERE rule_id=? AND idx<>?', undef, $id, $count + 1);
        $db->do('DELETE FROM steps WHERE rule_id=? AND idx<?', undef, $id, $count);
    }
    elsif (is_on('like_prefix')) {
        $db->do("DELETE FROM steps WHERE rule_id LIKE ? || '%'", undef, $id);
    }
    else {
        $db->do('DELETE FROM steps WHERE rule_id=?', undef, $id);
    }
    for my $index (0 .. $#$steps) {
        my $step = $steps->[$index];
        my $conditions = defined $step->{conditions} ? encode_json($step->{conditions}) : undef;
        save('INSERT INTO steps VALUES(?,?,?,?)', $id, [$index], \$conditions, \encode_json($step->{actions}));
    }
}

# -------------------------------------------------------------------------------------------------------- mistakes

# Mistakes in which something of the old rule stays.
sub _spoil_with_old ($new, $old, $body) {
    if (is_on('both_omitted') && !exists $body->{nickname} && !exists $body->{description}) {
        $new->{description} = $old->{description};
    }
    if (   is_on('trigger_account_merge')
        && $new->{trigger}{type} eq 'SCHEDULED'
        && $old->{trigger}{type} ne 'SCHEDULED')
    {
        $new->{trigger}{account_id} //= $old->{trigger}{account_id};
    }
    _inherit_limits($new->{steps}, $old->{steps}) if is_on('limit_inherited');
}

sub _inherit_limits ($new, $old) {
    for my $step (0 .. $#$new) {
        my $actions = $new->[$step]{actions};
        for my $index (0 .. $#$actions) {
            my ($after, $before) = ($actions->[$index], $old->[$step]{actions}[$index]);
            $after->{limit} //= $before->{limit} if $before && $before->{type} eq $after->{type};
        }
    }
}

# Mistakes that the answer does not show.
sub _spoil_afterwards ($rule, $new) {
    if (is_on('answer_says_disabled') && $rule->{status} eq 'enabled') {
        $db->do("UPDATE rules SET status='enabled' WHERE id=?", undef, $rule->{id});
    }
    if (is_on('get_drops_description') && ($new->{description} // '') =~ /\n/) {
        my ($first_line) = split /\n/, $new->{description};
        save('UPDATE rules SET description=? WHERE id=?', \$first_line, $rule->{id});
    }
}

1;
