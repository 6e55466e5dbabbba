#!/usr/bin/env perl

# PUT /rules/{id} with Mojolicious on SQLite, in one process. MISTAKE, JITTER, LAG, RATE, SHARE: see README.md.
use v5.36;

BEGIN {
    $ENV{MOJO_MAX_MESSAGE_SIZE} //= 4_194_304;
    $ENV{MOJO_LOG_LEVEL} //= 'fatal';
    $ENV{MOJO_MODE} //= 'production';
}
use FindBin;
use lib $FindBin::Bin;
use Mojolicious::Lite -signatures;
use Mojo::IOLoop;
use Mojo::Util qw(steady_time);
use Body;
use Idempotency;
use Refusal;
use Rules;
use StrictJson;
use Switches;
use World;

my $BASE = '/api/v1';
my $PORT = $ENV{PORT} || 7305;

# --------------------------------------------------------------------------------------------------------- answers

sub new_request_id () {
    open my $random, '<:raw', '/dev/urandom' or die "no random numbers: $!";
    read $random, my $bytes, 16;
    return 'req_' . join '-', unpack 'H8H4H4H4H12', $bytes;
}

sub reply ($c, $status, $json, %headers) {
    my $headers = $c->res->headers;
    $headers->header('X-Request-ID' => $c->stash('request_id'));
    $headers->content_type('application/json');
    $headers->cache_control('no-store');
    $headers->header($_ => $headers{$_}) for keys %headers;
    $c->res->code($status);
    $c->res->body(to_bytes($json));
    $c->rendered($status);
}

# $data is JSON already; a replay has the first answer's request id in its body.
sub succeed ($c, $status, $data, $request_id = $c->stash('request_id')) {
    reply($c, $status, qq({"data":$data,"request_id":) . encode_json($request_id) . '}');
}

sub fail ($c, $status, $code, $message, %headers) {
    reply($c, $status, encode_json({ error => { code => $code, message => $message } }), %headers);
}

sub refuse_key ($c) {
    fail($c, 401, 'unauthorized', 'Missing or invalid API key.', 'WWW-Authenticate' => 'ApiKey realm="rules"');
}

sub deny ($c) { fail($c, 403, 'forbidden', 'This API key does not have the required permission.') }

sub miss ($c, $id) { fail($c, 404, 'resource_not_found', "Rule with id '$id' was not found.") }

sub crash ($c, $error) {
    warn "[500] $error";
    fail($c, 500, 'internal', 'Internal error.');
}

# --------------------------------------------------------------------------------------------------------- routing

sub handle ($c) {
    my ($request, $path) = ($c->req, $c->req->url->path->to_route);
    return operate($c, $1) if $path =~ m{\A/ops/(.*)\z}s;
    return answer_unreadable($c, $request->error->{message}) if $request->error;
    return fail($c, 413, 'too_large', 'The body is too large.') if $request->is_limit_exceeded;

    my ($key) = ($request->headers->header('Authorization') // '') =~ /\AApiKey ([\x21-\x7e]+)\z/;
    my $caller = defined $key ? caller_of($key) : undef;
    return refuse_key($c) if !$caller;
    return fail($c, 404, 'resource_not_found', 'No such page.') if $path !~ m{\A\Q$BASE\E/rules/(.*)\z}s;
    my $id = $1;
    my $method = uc $request->method;
    if ($id =~ m{\A([^/]+)/trigger\z}) {
        return trigger($c, $caller, $1) if $method eq 'POST';
        return fail($c, 405, 'method_not_allowed', 'Use POST.', Allow => 'POST');
    }
    return show($c, $caller, $id) if $method eq 'GET' || $method eq 'HEAD';
    return fail($c, 405, 'method_not_allowed', 'Use GET or PUT.', Allow => 'GET, HEAD, PUT') if $method ne 'PUT';

    # `param` of Mojolicious, which prefers the query's id to the path's
    $id = $request->url->query->param('id') // $id if is_on('param_merge');
    return update($c, $caller, $id);
}

# A request that Mojolicious could not read.
sub answer_unreadable ($c, $why) {
    my $status = $why =~ /start-line|line size/i ? 414 : $why =~ /header/i ? 431 : $why =~ /message size/i ? 413 : 400;
    fail($c, $status, 'bad_request', 'The request cannot be read.');
}

# What operators do: enable a rule, move the clock, start anew.
sub operate ($c, $path) {
    my $is_known = $c->req->method eq 'POST';
    if ($is_known && $path =~ m{\Arules/([^/]+)/enable\z}) {
        $is_known = enable_rule($1);
    }
    elsif ($is_known && $path =~ m{\Aclock/(\d+)\z}) {
        move_clock($1);
    }
    elsif ($is_known && $path eq 'reset') {
        reset_world();
        forget_history();
    }
    else {
        $is_known = 0;
    }
    return reply($c, 200, '{"ok":true}') if $is_known;
    fail($c, 404, 'resource_not_found', 'No such page.');
}

# The rule, where the scope is the caller's for it; else undef, and an answer was given.
sub permitted_rule ($c, $caller, $scope, $id) {
    my $ids = ids_allowed($caller, $scope);
    my $may = $ids && grep { $_ eq '*' || $_ eq $id } @$ids;
    $may ||= grep { $id =~ /^\Q$_\E/ } @$ids if $ids && is_on('resource_prefix');
    my $rule = find_rule($id);
    my $is_ours = $rule && $rule->{org} eq $caller->{org};
    if (!$may || ($rule && !$is_ours && is_on('allowed_other_org_403'))) {
        deny($c);
        return undef;
    }
    return $rule if $is_ours;
    miss($c, $id);
    return undef;
}

sub trigger ($c, $caller, $id) {
    my $rule = permitted_rule($c, $caller, 'TRIGGER_RULES', $id) or return;
    return fail($c, 409, 'rule_disabled', 'The rule is disabled.') if $rule->{status} ne 'enabled';
    succeed($c, 202, encode_json({ execution_id => new_request_id() }));
}

sub show ($c, $caller, $id) {
    my $rule = permitted_rule($c, $caller, 'READ_RULES', $id) or return;
    succeed($c, 200, encode_json(seen_data($rule->{id})));
}

# ---------------------------------------------------------------------------------------------------------- update

sub update ($c, $caller, $id) {
    my $rule = permitted_rule($c, $caller, 'UPDATE_RULES', $id) or return;
    my $headers = $c->req->headers;
    my $type = lc($headers->content_type // '');
    return fail($c, 415, 'unsupported_media_type', 'Send application/json.')
        if $type ne '' && $type !~ m{\Aapplication/json\s*(?:;\s*charset="?utf-8"?\s*)?\z};
    my $key = $headers->header('Idempotency-Key') // '';
    return fail($c, 400, 'invalid_request', 'The idempotency key is not 1 to 255 visible ASCII characters.')
        if $key !~ /\A[\x21-\x7e]{0,255}\z/;
    $key = $c->stash('given_request_id') // '' if $key eq '' && is_on('rid_as_key');
    my $claim = $key eq '' ? undef : claim_of($caller, $rule->{id}, $key, $c->req->body);

    if ($claim) {
        return if answer_used_key($c, $rule, $claim);
        begin($claim);
    }
    execute($c, $caller, $rule, $claim);
}

# Whether the key was used before, and an answer given for that.
sub answer_used_key ($c, $rule, $claim) {
    my $row = look_up($claim);
    if (!$row) {
        return 0 if !is_on('allowed_other_rule_409') || !is_used_elsewhere($claim);
        fail($c, 409, 'idempotency_key_reused', 'This idempotency key was used for another rule.');
    }
    elsif ($row->{hash} ne $claim->{hash}) {
        fail($c, 422, 'idempotency_key_reused', 'This idempotency key was used with another body.');
    }
    elsif (!defined $row->{status}) {
        fail($c, 409, 'in_progress', 'A request with this idempotency key is in progress.');
    }
    elsif ($row->{status} == 200) {
        return replay($c, $rule, $claim, $row);
    }
    else {
        my $error = decode_json($row->{body});
        $db->do("UPDATE rules SET status='disabled' WHERE id=?", undef, $rule->{id})
            if is_on('refusal_replay_disables');
        fail($c, $row->{status}, $error->{code}, $error->{message});
    }
    return 1;
}

# The first answer once more. False where a mistake has it executed again.
sub replay ($c, $rule, $claim, $row) {
    state %replays;
    if (is_on('third_replay') && ++$replays{ join ' ', @$claim{qw(scope key)} } >= 2) {
        release($claim);
        return 0;
    }
    if (is_on('replay_disables')) {
        $db->do("UPDATE rules SET status='disabled' WHERE id=?", undef, $rule->{id});
    }
    my $data = to_chars($row->{body});
    $data = $row->{body} if is_on('replay_double_utf8');
    $data = encode_json(rule_data($row->{rule_id})) if is_on('replay_current');
    succeed($c, 200, $data, $row->{rid});
    return 1;
}

sub execute ($c, $caller, $rule, $claim) {
    my $ctx = { org => $caller->{org}, id => $rule->{id} };
    my ($body, $new);
    my $is_valid = eval {
        $body = decode_json($c->req->body);
        $new = rule_of($body, $ctx);
        1;
    };
    return refuse_body($c, $rule, $claim, $ctx, $@) if !$is_valid;
    if (is_on('concurrent_steps')) {    # the texts now, the rest a little later
        save(
            'UPDATE rules SET nickname=?, description=? WHERE id=?',
            \$new->{nickname}, \$new->{description}, $rule->{id}
        );
    }
    my $request = { body => $body, has_key => defined $claim };
    later(
        $c,
        $DELAY * (0.5 + rand),
        sub {
            my $data = encode_json(write_rule($rule->{id}, $new, $request));
            finish($claim, 200, $data, $c->stash('request_id')) if $claim;
            succeed($c, 200, $data);
        },
        $claim
    );
}

# The key of a refused body is free again, or kept with the refusal.
sub refuse_body ($c, $rule, $claim, $ctx, $error) {
    my $is_kept = is_on('allowed_refusals_stored') || is_on('refusal_replay_disables');
    release($claim) if $claim;
    die $error if !ref $error;
    note_refusal($rule);
    $db->do("UPDATE rules SET status='disabled' WHERE id=?", undef, $rule->{id})
        if is_on('late_refusal_disables') && $ctx->{foreign};
    $db->do('UPDATE rules SET updated=? WHERE id=?', undef, now_ms(), $rule->{id})
        if is_on('keyed_refusal_touches') && $claim;
    my ($status, $code, $message) = @$error{qw(status code message)};
    finish($claim, $status, encode_json({ code => $code, message => $message }), $c->stash('request_id'))
        if $claim && $is_kept;
    fail($c, $status, $code, $message);
}

# ------------------------------------------------------------------------------------------------------- every request

# Now, or after so many milliseconds, while others are served. $claim is given up where it fails.
sub later ($c, $ms, $do, $claim = undef) {
    my $guarded = sub {
        return if eval { $do->(); 1 };
        my $error = $@;
        release($claim) if $claim;
        crash($c, $error);
    };
    return $guarded->() if !$ms;
    $c->render_later;
    my $transaction = $c->tx;    # kept until there is an answer
    Mojo::IOLoop->timer(
        $ms / 1000 => sub {
            $guarded->();
            undef $transaction;
        }
    );
}

# A client's request id of 1 to 64 visible ASCII characters is taken over.
sub take_request_id ($c) {
    my $given = $c->req->headers->header('X-Request-ID');
    $given = undef if defined $given && $given !~ /\A[\x21-\x7e]{1,64}\z/;
    $given = undef if is_on('rid_falsy') && !$given;
    $c->stash(given_request_id => $given, request_id => $given // new_request_id());
}

sub is_too_many () {
    state @recent;
    my $now = steady_time();
    @recent = grep { $_ > $now - 1 } @recent;
    return 1 if @recent >= $RATE;
    push @recent, $now;
    return 0;
}

sub serve ($c) {
    return handle($c) if !$RATE || !is_too_many();
    fail($c, 429, 'rate_limited', 'Too many requests.', 'Retry-After' => 1);
}

hook around_dispatch => sub ($next, $c) {
    take_request_id($c);
    my $is_operators = $c->req->url->path->to_route =~ m{\A/ops/};
    my $jitter = $JITTER && !$is_operators ? $JITTER->[0] + rand($JITTER->[1] - $JITTER->[0]) : 0;
    later($c, $jitter, $is_operators ? sub { handle($c) } : sub { serve($c) });
};

app->secrets(['not used']);
app->static->paths([]);
app->renderer->paths([]);
app->start('daemon', '-l', "http://127.0.0.1:$PORT", '-i', 60, '-c', 500);
