package Idempotency;

# Used keys, for 24 hours: one row for each scope (a credential), rule and key, without a status while it is executed.
# A $claim names such a row: `scope`, `rule`, `key`, and `hash`, that of the body.
use v5.36;
use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use StrictJson;
use Switches;
use World;

our @EXPORT = qw(claim_of look_up is_used_elsewhere begin finish release);

my $ROW = 'scope=? AND rule_id=? AND ikey=?';
my $TTL = is_on('key_hour') ? 3_600_000 : DAY_MS;

sub claim_of ($caller, $rule_id, $key, $bytes) {
    $key = $key =~ s/[^A-Za-z0-9]//gr if is_on('key_punctuation');
    return {
        scope => is_on('allowed_key_per_organization') ? "o:$caller->{org}" : "k:$caller->{hash}",
        rule => is_on('key_rule_replay') ? 'all' : $rule_id,
        key => $key,
        hash => _hash($bytes),
    };
}

# Bodies are compared byte by byte, or as JSON values where they are any.
sub _hash ($bytes) {
    my $text = is_on('allowed_json_identity') ? eval { to_bytes(canonical(decode_json($bytes))) } : undef;
    return sha256_hex($text // $bytes);
}

sub _names ($claim) { return @$claim{qw(scope rule key)} }

# What the key was used for before, if it was.
sub look_up ($claim) {
    my $row = $db->selectrow_hashref("SELECT * FROM idem WHERE $ROW", undef, _names($claim)) or return undef;
    return $row if $row->{at} > now_ms() - $TTL;
    release($claim);
    return undef;
}

sub is_used_elsewhere ($claim) {
    my $sql = 'SELECT 1 FROM idem WHERE scope=? AND ikey=? AND rule_id<>? AND at>?';
    return $db->selectrow_array($sql, undef, @$claim{qw(scope key rule)}, now_ms() - DAY_MS);
}

sub begin ($claim) {
    save(
        'INSERT OR REPLACE INTO idem(scope,rule_id,ikey,hash,at) VALUES(?,?,?,?,?)',
        _names($claim), $claim->{hash}, [now_ms()]
    );
}

# Keep the answer: what was done (its JSON) with 200, or a refusal.
sub finish ($claim, $status, $json, $request_id) {
    save(
        'INSERT OR REPLACE INTO idem VALUES(?,?,?,?,?,?,?,?)',
        _names($claim), $claim->{hash}, [$status], \$json, $request_id, [now_ms()]
    );
}

sub release ($claim) { $db->do("DELETE FROM idem WHERE $ROW", undef, _names($claim)) }

1;
