package World;

# Whose server this is: its database, credentials, accounts, first rules and clock.
use v5.36;
use utf8;
use DBI;
use Digest::SHA qw(sha256_hex);
use POSIX qw(floor strftime);
use Time::HiRes ();
use Exporter 'import';
use StrictJson;
use Switches;

our @EXPORT = qw($db now_ms iso move_clock reset_world caller_of ids_allowed account is_ours save DAY_MS);

use constant DAY_MS => 86_400_000;

# -------------------------------------------------------------------------------------------------------- database

# In memory: it goes with the process. Texts are blobs of UTF-8, so that SQLite does not end them at a NUL.
our $db = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', { RaiseError => 1, PrintError => 0, AutoCommit => 1 });

my @SCHEMA = (
    'CREATE TABLE rules(id TEXT PRIMARY KEY, org TEXT NOT NULL, nickname BLOB, description BLOB, status TEXT NOT NULL,
        trigger BLOB NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL)',
    'CREATE TABLE steps(rule_id TEXT NOT NULL, idx INTEGER NOT NULL, conditions BLOB, actions BLOB,
        PRIMARY KEY(rule_id, idx))',
    'CREATE TABLE idem(scope TEXT NOT NULL, rule_id TEXT NOT NULL, ikey TEXT NOT NULL, hash TEXT NOT NULL,
        status INTEGER, body BLOB, rid TEXT, at INTEGER NOT NULL, PRIMARY KEY(scope, rule_id, ikey))',
    'CREATE TABLE keys(hash TEXT PRIMARY KEY, org TEXT NOT NULL, permissions TEXT NOT NULL, revoked INTEGER NOT NULL)',
    'CREATE TABLE accounts(id TEXT PRIMARY KEY, org TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,
        liability INTEGER NOT NULL, shared INTEGER NOT NULL)',
);
$db->do($_) for @SCHEMA;

# Run a statement whose values are blobs (a reference to characters, or to undef), integers (+[n]) or text.
sub save ($sql, @values) {
    my $statement = $db->prepare_cached($sql);
    for my $i (0 .. $#values) {
        my $value = $values[$i];
        if (ref $value eq 'SCALAR') {
            $statement->bind_param($i + 1, defined $$value ? to_bytes($$value) : undef, DBI::SQL_BLOB());
        }
        elsif (ref $value eq 'ARRAY') {
            $statement->bind_param($i + 1, $value->[0], DBI::SQL_INTEGER());
        }
        else {
            $statement->bind_param($i + 1, $value, DBI::SQL_VARCHAR());
        }
    }
    return $statement->execute;
}

# ----------------------------------------------------------------------------------------------------------- clock

my $offset = 0;

sub move_clock ($seconds) { $offset += $seconds }

sub now_ms () { return floor((Time::HiRes::time() + $offset) * 1000) }

sub iso ($ms) {
    my $seconds = floor($ms / 1000);
    return strftime('%Y-%m-%dT%H:%M:%S', gmtime $seconds) . sprintf('.%03dZ', $ms - $seconds * 1000);
}

# ----------------------------------------------------------------------------------------------------- credentials

my @SCOPES = qw(LIST_ACCOUNTS READ_ACCOUNTS LIST_RULES READ_RULES TRIGGER_RULES READ_RULE_EXECUTIONS READ_TRANSFERS
    MANUAL_TRANSFER READ_CARDS);
my %EVERYTHING = map { $_ => '*' } 'UPDATE_RULES', @SCOPES;

# Only the hash of a key is kept. Permissions: "SCOPE=*;SCOPE=id,id".
sub _add_key ($name, $org, $permissions, $is_revoked = 0) {
    my $key = $ENV{"PL_KEY_$name"} // die "PL_KEY_$name is not set: see keys.sh\n";
    my $text = join ';', map {"$_=$permissions->{$_}"} sort keys %$permissions;
    $db->do('INSERT INTO keys VALUES(?,?,?,?)', undef, sha256_hex($key), $org, $text, $is_revoked);
}
_add_key('FULL', 'org_alder', \%EVERYTHING);
_add_key('LIMITED', 'org_alder', { UPDATE_RULES => 'rule_alder_1', READ_RULES => 'rule_alder_1' });
_add_key('READ_ONLY', 'org_alder', { READ_RULES => '*' });
_add_key('UNRELATED', 'org_alder', { LIST_ACCOUNTS => '*' });
_add_key('TRIGGER_ONLY', 'org_alder', { TRIGGER_RULES => '*' });
_add_key('OTHER_ORG', 'org_birch', \%EVERYTHING);
_add_key('REVOKED', 'org_alder', \%EVERYTHING, 1);
_add_key("SCOPE_$_", 'org_alder', { $_ => '*' }) for @SCOPES;

sub caller_of ($key) {
    my $sql = 'SELECT * FROM keys WHERE hash=? AND revoked=0';
    return $db->selectrow_hashref($sql, undef, sha256_hex(to_bytes($key)));
}

# The ids that the scope is for, `*` for all; undef where the caller does not have it.
sub ids_allowed ($caller, $scope) {
    for (split /;/, $caller->{permissions}) {
        my ($name, $ids) = split /=/, $_, 2;
        return [split /,/, $ids] if $name eq $scope;
    }
    return undef;
}

# -------------------------------------------------------------------------------------------------------- accounts

my @ACCOUNTS = (
    ['acc_ald_inc', 'org_alder', 'income_source', 'Salary', 0, $SHARE],
    ['acc_ald_inc2', 'org_alder', 'income_source', 'Side work', 0, 0],
    ['acc_ald_pod1', 'org_alder', 'pod', 'Savings', 0, $SHARE],
    ['acc_ald_pod2', 'org_alder', 'pod', 'Häuschen', 0, 0],
    ['acc_ald_ext', 'org_alder', 'external_account', 'Old bank', 0, 0],
    ['acc_ald_card', 'org_alder', 'external_account', 'Visa', 1, 0],
    ['acc_bir_inc', 'org_birch', 'income_source', 'Wages', 0, 0],
    ['acc_bir_pod', 'org_birch', 'pod', 'Jar', 0, 0],
);
$db->do('INSERT INTO accounts VALUES(?,?,?,?,?,?)', undef, map { to_bytes($_) } @$_) for @ACCOUNTS;

sub account ($id) { return $db->selectrow_hashref('SELECT * FROM accounts WHERE id=?', undef, to_bytes($id)) }

sub is_ours ($account, $org) { return $account->{org} eq $org || $account->{shared} }

# ----------------------------------------------------------------------------------------------------- first rules

my %FIRST = (
    org_alder => [qw(rule_alder_1 rule_alder_2 rule_alder_3 rule_alder_10)],
    org_birch => [qw(rule_birch_1)],
);

sub _add_rule ($id, $org) {
    my ($from, $to) = $org eq 'org_alder' ? qw(acc_ald_inc acc_ald_pod1) : qw(acc_bir_inc acc_bir_pod);
    my $created = now_ms() - 30 * DAY_MS;
    my $trigger = {
        type => 'SCHEDULED',
        schedule_type => 'MONTHLY',
        start_date => iso($created + 90 * DAY_MS),
        account_id => $from,
    };
    my $action = {
        type => 'fixed_amount',
        amount_in_cents => number(5000),
        source => { id => $from, type => 'income_source' },
        destination => { id => $to, type => 'pod' },
        group_index => number(0),
        up_to_enabled => boolean(0),
        is_direct_deposit => boolean(0),
    };
    save(
        'INSERT INTO rules VALUES(?,?,?,?,?,?,?,?)', $id, $org, \'Seed', \undef, 'disabled',
        \encode_json($trigger), [$created], [$created]
    );
    save('INSERT INTO steps VALUES(?,?,?,?)', $id, [0], \undef, \encode_json([$action]));
}

# As at the start: rules, used keys, clock.
sub reset_world () {
    $offset = 0;
    $db->do("DELETE FROM $_") for qw(rules steps idem);
    for my $org (sort keys %FIRST) {
        _add_rule($_, $org) for $FIRST{$org}->@*;
    }
}
reset_world();

1;
