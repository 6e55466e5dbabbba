<?php
// The world behind the endpoint: credentials, accounts, first rules; and the database, which every request opens anew.
declare(strict_types=1);
date_default_timezone_set('America/New_York');

const SCOPES = ['LIST_ACCOUNTS', 'READ_ACCOUNTS', 'LIST_RULES', 'READ_RULES', 'TRIGGER_RULES', 'READ_RULE_EXECUTIONS', 'READ_TRANSFERS', 'MANUAL_TRANSFER', 'READ_CARDS'];

function mistake(string $name): bool { return getenv('MISTAKE') === $name; }

/** @return array{id: string, org: string, revoked: bool, scopes: array<string, list<string>>}|null */
function credential(string $key): ?array
{
    $all = array_fill_keys(['UPDATE_RULES', ...SCOPES], ['*']);
    $limited = ['UPDATE_RULES' => ['rule_lim-05'], 'READ_RULES' => ['rule_lim-05']];
    $roles = ['FULL' => $all, 'LIMITED' => $limited, 'READ_ONLY' => ['READ_RULES' => ['*']], 'UNRELATED' => ['READ_CARDS' => ['*']],
        'TRIGGER_ONLY' => ['TRIGGER_RULES' => ['*']], 'OTHER_ORG' => $all, 'REVOKED' => $all];
    foreach (SCOPES as $s) {
        $roles["SCOPE_$s"] = [$s => ['*']];
    }
    foreach ($roles as $role => $scopes) {
        $known = getenv("PHP_KEY_$role");
        if ($known !== false && $known !== '' && hash_equals($known, $key)) {
            return ['id' => $role, 'org' => $role === 'OTHER_ORG' ? 'org_2' : 'org_1', 'revoked' => $role === 'REVOKED', 'scopes' => $scopes];
        }
    }
    return null;
}

/** id => [type, liability, organizations] */
function accounts(): array
{
    $one = ['org_1'];
    $both = getenv('SHARE') ? ['org_1', 'org_2'] : $one;
    return [
        'acc_1001' => ['income_source', false, $both], 'acc_1002' => ['income_source', false, $one],
        'acc_2001' => ['pod', false, $both], 'acc_2002' => ['pod', false, $one],
        'acc_3001' => ['external_account', false, $one], 'acc_4001' => ['external_account', true, $one], 'acc_4002' => ['external_account', true, $one],
        'acc_9001' => ['income_source', false, ['org_2']], 'acc_9002' => ['pod', false, ['org_2']],
    ];
}

function db(): PDO
{
    $db = new PDO('sqlite:' . getenv('RULES_DB'), null, null, [PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC, PDO::ATTR_TIMEOUT => 20]);
    $db->exec('PRAGMA synchronous = OFF');
    return $db;
}

function query(PDO $db, string $sql, array $params = []): PDOStatement
{
    $q = $db->prepare($sql);
    $q->execute($params);
    return $q;
}

/** Ends the transaction, if there is one. (inTransaction() does not know of BEGIN IMMEDIATE.) */
function rollback(PDO $db): void
{
    try {
        $db->exec('ROLLBACK');
    } catch (PDOException) {
    }
}

function db_reset(PDO $db): void
{
    $db->exec('PRAGMA journal_mode = WAL');
    $db->exec('BEGIN IMMEDIATE');
    foreach (['rules', 'idempotency', 'clock', 'versions', 'hits'] as $t) {
        $db->exec("DROP TABLE IF EXISTS $t");
    }
    $db->exec('CREATE TABLE rules (id TEXT PRIMARY KEY, org TEXT, nickname TEXT, description TEXT, status TEXT, "trigger" TEXT, steps TEXT, created_at TEXT, updated_at TEXT)');
    $db->exec('CREATE TABLE idempotency (credential TEXT, rule TEXT, key TEXT, at REAL, body TEXT, answer TEXT, PRIMARY KEY (credential, rule, key))');
    $db->exec('CREATE TABLE clock (ahead REAL)');
    $db->exec('INSERT INTO clock VALUES (0)');
    $db->exec('CREATE TABLE versions (id TEXT, at REAL, data TEXT)');
    $db->exec('CREATE TABLE hits (at REAL)');
    $other = getenv('SHARE') ? ['acc_1001', 'acc_2001'] : ['acc_9001', 'acc_9002'];
    foreach ([['rule_4711', 'org_1', 'acc_1001', 'acc_2001'], ['rule_4712', 'org_1', 'acc_1002', 'acc_2002'], ['rule_81e3', 'org_1', 'acc_1001', 'acc_2002'],
        ['rule_lim-05', 'org_1', 'acc_1001', 'acc_2001'], ['rule_zz90', 'org_2', ...$other]] as [$id, $org, $from, $to]) {
        $trigger = ['type' => 'SCHEDULED', 'schedule_type' => 'MONTHLY', 'start_date' => gmdate('Y-m-d\T09:00:00\Z', time() + 90 * 86400), 'account_id' => $from];
        $action = ['type' => 'fixed_amount', 'amount_in_cents' => 2500, 'source' => ['id' => $from, 'type' => 'income_source'],
            'destination' => ['id' => $to, 'type' => 'pod'], 'group_index' => 0, 'up_to_enabled' => true];
        $then = date(DATE_ATOM, time() - 30 * 86400);
        query($db, 'INSERT INTO rules VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)', [$id, $org, "Rule $id", 'disabled', json_encode($trigger),
            json_encode([['conditions' => null, 'actions' => [$action]]]), $then, $then]);
    }
    $db->exec('COMMIT');
    foreach (query($db, 'SELECT * FROM rules')->fetchAll() as $row) {
        remember($db, $row);
    }
}

/** The time in seconds, moved by /ops/clock. */
function now(PDO $db): float { return microtime(true) + (float) query($db, 'SELECT ahead FROM clock')->fetchColumn(); }

/** A row as the API shows it. */
function show(array $row): array
{
    $assoc = mistake('assoc');                        // with true, {} comes back as []
    return ['id' => $row['id'], 'nickname' => $row['nickname'], 'description' => $row['description'], 'status' => $row['status'],
        'trigger' => json_decode($row['trigger'], $assoc), 'steps' => json_decode($row['steps'], $assoc), 'created_at' => $row['created_at'], 'updated_at' => $row['updated_at']];
}

/** For LAG: what a replica will show later. */
function remember(PDO $db, array $row): void
{
    if (getenv('LAG')) {
        query($db, 'INSERT INTO versions VALUES (?, ?, ?)', [$row['id'], microtime(true), json_encode(show($row))]);
    }
}
