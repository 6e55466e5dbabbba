<?php
// PUT /rules/{id} on PHP's built-in server and SQLite.
// MISTAKE=name (one thing wrong), JITTER=50-300 (ms), LAG=seconds, RATE=requests/s, SHARE=1; PORT is serve.php's.
declare(strict_types=1);
require __DIR__ . '/world.php';
require __DIR__ . '/rules.php';

set_error_handler(function (int $no, string $what, string $file, int $line): bool {
    if (mistake('warning-printed') && $no === E_WARNING) {
        ob_start();
        echo "\nWarning: $what in $file on line $line\n";                            // display_errors=1
        return true;
    }
    throw new ErrorException($what, 0, $no, $file, $line);
});

function reply(int $status, mixed $body, array $headers = []): never
{
    if (preg_match('/^(\d+)-(\d+)$/', (string) getenv('JITTER'), $m)) {
        usleep(random_int((int) $m[1], max((int) $m[1], (int) $m[2])) * 1000);
    }
    $body = is_string($body) ? $body : json_encode($body, JSON_THROW_ON_ERROR);
    http_response_code($status);
    header('Content-Type: application/json');
    foreach ($headers as $name => $value) {
        header("$name: $value");
    }
    echo $body;
    exit;
}

/** What is good enough for json_encode: octets of a path need not be UTF-8. */
function printable(string $s): string { return preg_match('//u', $s) ? $s : rawurlencode($s); }

function not_found(string $id): Problem { return new Problem(404, 'resource_not_found', "Rule with id '" . printable($id) . "' was not found."); }

function authenticate(array $headers): array
{
    if (preg_match('/^ApiKey +(\S+)$/iD', $headers['authorization'] ?? '', $m) && ($c = credential($m[1])) && !$c['revoked']) {
        return $c;
    }
    throw new Problem(401, 'unauthorized', 'Missing or invalid API key.', ['WWW-Authenticate' => 'ApiKey']);
}

/** The row of a rule, for a caller who holds the scope for it. */
function authorized(PDO $db, array $c, string $scope, string $id): array
{
    $forbidden = new Problem(403, 'forbidden', 'This API key does not have the required permission.');
    $resources = $c['scopes'][$scope] ?? null;
    if ($resources === null && mistake('trigger-may-write')) {                       // "whoever may run a rule may change it"
        $resources = $c['scopes']['TRIGGER_RULES'] ?? null;
    }
    if ($resources === null) {
        throw $forbidden;
    }
    $row = query($db, 'SELECT * FROM rules WHERE org = ? AND id ' . (mistake('id-like') ? 'LIKE' : '=') . ' ? ORDER BY id', [$c['org'], $id])->fetch();
    if (!$row) {
        throw not_found($id);
    }
    return array_intersect(['*', $row['id']], $resources) ? $row : throw $forbidden;
}

function get_rule(PDO $db, array $c, string $id): never
{
    $data = show(authorized($db, $c, 'READ_RULES', $id));
    if ($lag = (float) getenv('LAG')) {
        $past = query($db, 'SELECT data FROM versions WHERE id = ? ORDER BY at <= ? DESC, CASE WHEN at <= ? THEN -rowid ELSE rowid END LIMIT 1', [$id, microtime(true) - $lag, microtime(true) - $lag])->fetchColumn();
        $data = json_decode($past);
    }
    reply(200, ['request_id' => REQUEST_ID, 'data' => $data]);
}

function trigger_rule(PDO $db, array $c, string $id): never
{
    if (authorized($db, $c, 'TRIGGER_RULES', $id)['status'] !== 'enabled') {
        throw new Problem(409, 'rule_disabled', 'The rule is disabled.');
    }
    reply(202, ['request_id' => REQUEST_ID, 'data' => ['execution_id' => 'exe_' . bin2hex(random_bytes(8))]]);
}

function idempotency_key(array $headers): ?string
{
    $key = $headers['idempotency-key'] ?? null;
    if (mistake('empty-key')) {
        return empty($key) ? null : $key;                                            // "0" is empty
    }
    if ($key !== null && !preg_match('/^[\x20-\x7e]{1,255}$/D', $key)) {
        throw new Problem(400, 'invalid_idempotency_key', 'Idempotency-Key must be 1 to 255 ASCII characters.');
    }
    return $key;
}

/** The stored request of this key, if it is to be answered from there. */
function stored(PDO $db, array $c, string $id, string $key): ?array
{
    $rows = match (true) {
        mistake('replay-first') => query($db, 'SELECT * FROM idempotency WHERE rule = ? AND key = ?', [$id, $key]),
        mistake('loose-key') => query($db, 'SELECT * FROM idempotency WHERE credential = ? AND rule = ?', [$c['id'], $id]),
        default => query($db, 'SELECT * FROM idempotency WHERE credential = ? AND rule = ? AND key = ?', [$c['id'], $id, $key]),
    };
    $now = now($db);
    foreach ($rows->fetchAll() as $row) {
        if ($row['key'] != $key) {                                                   // never, but for loose-key: "1e1" == "10"
            continue;
        }
        $fresh = match (true) {
            mistake('calendar-day') => date('Y-m-d', (int) $row['at']) === date('Y-m-d', (int) $now),
            mistake('allowed-window-24h') => $now - $row['at'] < 86400,
            default => $now - $row['at'] < 7 * 86400,
        };
        if ($fresh) {
            return $row;
        }
    }
    return null;
}

function replay(PDO $db, array $stored, string $raw): never
{
    rollback($db);
    if ($stored['answer'] === null) {
        throw new Problem(409, 'idempotency_key_in_use', 'A request with this Idempotency-Key is in progress.');
    }
    if (mistake('allowed-reuse-422') && $stored['body'] !== sha1($raw)) {
        throw new Problem(422, 'idempotency_key_reused', 'This Idempotency-Key was used with another body.');
    }
    reply(200, $stored['answer']);
}

function put_rule(PDO $db, array $c, string $id, array $headers): never
{
    $raw = (string) file_get_contents('php://input', false, null, 0, 2_000_001);
    if (mistake('key-race') && ($key = idempotency_key($headers)) !== null) {        // looked up before the transaction
        $hit = stored($db, $c, $id, $key);
        usleep(20_000);
    }
    if (mistake('replay-first') && isset($headers['idempotency-key']) && ($hit = stored($db, $c, $id, $headers['idempotency-key']))) {
        replay($db, $hit, $raw);
    }
    $db->exec('BEGIN IMMEDIATE');
    $old = authorized($db, $c, 'UPDATE_RULES', $id);
    $id = $old['id'];
    $key = idempotency_key($headers);
    if ($key !== null) {
        if ($hit = mistake('key-race') ? $hit : stored($db, $c, $id, $key)) {
            replay($db, $hit, $raw);
        }
        if (mistake('stuck-403')) {                                                  // claimed for good before the body is looked at
            query($db, 'REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, NULL)', [$c['id'], $id, $key, now($db), sha1($raw)]);
            $db->exec('COMMIT');
            $db->exec('BEGIN IMMEDIATE');
        }
    }
    $type = $headers['content-type'] ?? 'application/json';
    if (!preg_match('~^application/json *(; *charset="?utf-8"?)? *$~iD', $type)) {
        throw new Problem(415, 'unsupported_media_type', 'The body must be application/json.');
    }
    if (strlen($raw) > 2_000_000) {
        throw new Problem(413, 'body_too_large', 'The body is too large.');
    }
    try {
        $body = decode($raw);
        $new = (new Validator($c['org']))->body($body);
    } catch (Problem $p) {
        if (mistake('stuck-403') && $key !== null && $p->status !== 403) {
            query($db, 'DELETE FROM idempotency WHERE credential = ? AND rule = ? AND key = ?', [$c['id'], $id, $key]);
            $db->exec('COMMIT');
        }
        throw $p;
    }
    $answer = json_encode(['request_id' => REQUEST_ID, 'data' => update($db, $old, $new, $body, $key)], JSON_THROW_ON_ERROR);
    if ($key !== null) {
        query($db, 'REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?)', [$c['id'], $id, $key, now($db), sha1($raw), $answer]);
    }
    $db->exec('COMMIT');
    reply(200, $answer);
}

function update(PDO $db, array $old, array $new, stdClass $body, ?string $key): array
{
    $status = 'disabled';
    if (mistake('array-merge')) {
        $new = array_merge($old, array_intersect_key($new, (array) $body));          // what was left out keeps its old value
    }
    if (mistake('replace-recursive')) {
        $new['steps'] = array_replace_recursive(json_decode($old['steps'], true), json_decode(json_encode($new['steps']), true));
    }
    if (mistake('status-if-changed') && $new['status'] === $old['status']) {         // "nothing to change"
        $status = $old['status'];
    }
    $row = ['id' => $old['id'], 'nickname' => $new['nickname'], 'description' => $new['description'], 'status' => $status,
        'trigger' => json_encode($new['trigger'], JSON_THROW_ON_ERROR), 'steps' => json_encode($new['steps'], JSON_THROW_ON_ERROR),
        'updated_at' => date(mistake('allowed-utc') ? 'Y-m-d\TH:i:s\Z' : DATE_ATOM, (int) now($db) + (mistake('allowed-utc') ? -(int) date('Z') : 0))];
    $set = function (string ...$columns) use ($db, $row): void {
        $sql = implode(', ', array_map(fn ($x) => "\"$x\" = ?", $columns));
        query($db, "UPDATE rules SET $sql WHERE id = ?", [...array_map(fn ($x) => $row[$x], $columns), $row['id']]);
    };
    if (mistake('two-updates') && $key === null) {                                   // each for itself
        $set('nickname', 'description', 'status');
        $db->exec('COMMIT');
        usleep(4000);
        $db->exec('BEGIN IMMEDIATE');
        $set('trigger', 'steps', 'updated_at');
    } elseif (mistake('status-not-with-key') && $key !== null) {                     // the other branch forgets it
        $set('nickname', 'description', 'trigger', 'steps', 'updated_at');
    } else {
        $set('nickname', 'description', 'status', 'trigger', 'steps', 'updated_at');
    }
    $data = show($row + $old);
    if (mistake('numeric-check')) {
        $data = (array) json_decode(json_encode($data, JSON_NUMERIC_CHECK));
    }
    remember($db, $row + $old);
    return $data;
}

/** Control hooks, for whoever tests: a human enables, the clock moves, the world begins again. */
function ops(PDO $db, string $path): never
{
    if (preg_match('~^/ops/rules/([^/]+)/enable$~', $path, $m) && ($row = query($db, 'SELECT * FROM rules WHERE id = ?', [$m[1]])->fetch())) {
        query($db, "UPDATE rules SET status = 'enabled' WHERE id = ?", [$m[1]]);
        remember($db, ['status' => 'enabled'] + $row);
    } elseif ($path === '/ops/clock') {
        query($db, 'UPDATE clock SET ahead = ahead + ?', [(float) (json_decode((string) file_get_contents('php://input'))->advance_seconds ?? 0)]);
    } elseif ($path === '/ops/reset') {
        db_reset($db);
    } else {
        throw not_found($path);
    }
    reply(200, ['ok' => true]);
}

function limit_rate(PDO $db): void
{
    if (!$rate = (int) getenv('RATE')) {
        return;
    }
    $db->exec('BEGIN IMMEDIATE');
    query($db, 'DELETE FROM hits WHERE at <= ?', [microtime(true) - 1]);
    $full = query($db, 'SELECT COUNT(*) FROM hits')->fetchColumn() >= $rate;
    $full || query($db, 'INSERT INTO hits VALUES (?)', [microtime(true)]);
    $db->exec('COMMIT');
    if ($full) {
        throw new Problem(429, 'rate_limited', 'Too many requests.', ['Retry-After' => '1']);
    }
}

function dispatch(PDO $db, array $headers, bool $oddId): never
{
    $path = rawurldecode(explode('?', $_SERVER['REQUEST_URI'], 2)[0]);
    $method = $_SERVER['REQUEST_METHOD'];
    if (str_starts_with($path, '/ops/') && in_array($_SERVER['REMOTE_ADDR'], ['127.0.0.1', '::1'], true) && $method === 'POST') {
        ops($db, $path);
    }
    limit_rate($db);
    if (!preg_match('~^/api/v1/rules/([^/]+)(/trigger)?$~D', $path, $m)) {
        throw not_found($path);
    }
    $routes = isset($m[2]) ? ['POST' => trigger_rule(...)] : ['GET' => get_rule(...), 'HEAD' => get_rule(...), 'PUT' => put_rule(...)];
    if (!isset($routes[$method])) {
        throw new Problem(405, 'method_not_allowed', 'Only ' . implode(', ', array_keys($routes)) . ' are supported here.', ['Allow' => implode(', ', array_keys($routes))]);
    }
    $c = authenticate($headers);
    if ($oddId) {
        throw new Problem(400, 'invalid_request_id', 'X-Request-ID must be 1 to 128 visible ASCII characters.');
    }
    $routes[$method]($db, $c, $m[1], $headers);
}

$headers = array_change_key_case(getallheaders());
$given = $headers['x-request-id'] ?? null;
$oddId = $given !== null && !preg_match('/^[!-~]{1,128}$/D', $given);
define('REQUEST_ID', $given === null || $oddId ? 'req_' . bin2hex(random_bytes(12)) : $given);
header('X-Request-ID: ' . REQUEST_ID);
$db = db();
try {
    dispatch($db, $headers, $oddId);
} catch (Problem $p) {
    rollback($db);
    reply($p->status, ['error' => ['code' => $p->error, 'message' => $p->getMessage()], 'request_id' => REQUEST_ID], $p->headers);
} catch (Throwable $e) {
    error_log((string) $e);
    reply(500, ['error' => ['code' => 'internal_error', 'message' => 'Internal error.'], 'request_id' => REQUEST_ID]);
}
