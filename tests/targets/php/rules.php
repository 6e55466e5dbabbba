<?php
// What a body may be. It is decoded to objects, checked in place and stored as it came: unknown properties inside trigger and steps stay.
declare(strict_types=1);

final class Problem extends Exception
{
    public function __construct(public readonly int $status, public readonly string $error, string $message, public readonly array $headers = [])
    {
        parent::__construct($message);
    }
}

const CENTS_MAX = 2 ** 53 - 1;
const FACTS = ['TRANSFER_AMOUNT', 'BALANCE', 'DATE'];
const VALUE_FACTS = [...FACTS, 'LAST_DAY_OF_MONTH', 'NEXT_PAYMENT_MINIMUM_AMOUNT', 'LAST_STATEMENT_BALANCE'];
const OPERATORS = ['EQUALS', 'NOT_EQUALS', 'GREATER_THAN', 'LESS_THAN', 'GREATER_THAN_OR_EQUAL', 'LESS_THAN_OR_EQUAL'];
const ACTIONS = ['fixed_amount', 'percentage', 'top_up', 'round_down', 'next_payment_minimum', 'total_amount_due', 'last_statement_balance', 'percentage_liability_balance'];
const PAYMENTS = ['next_payment_minimum', 'total_amount_due', 'last_statement_balance', 'percentage_liability_balance'];
const REFS = ['next_payment_minimum_account', 'current_balance_account', 'last_statement_balance_account'];

function decode(string $raw): stdClass
{
    $depth = mistake('depth-2048') ? 2048 : 100;
    try {
        $body = json_decode($raw, false, $depth, JSON_THROW_ON_ERROR | (mistake('invalid-utf8-substitute') ? JSON_INVALID_UTF8_SUBSTITUTE : 0));
    } catch (JsonException $e) {
        throw new Problem(400, 'invalid_json', 'The body is not valid JSON: ' . $e->getMessage() . '.');
    }
    $bare = preg_replace('/"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"/s', '""', $raw);   // no strings
    preg_match_all('/-?\d[\d.e+-]*+/i', (string) $bare, $numbers);
    foreach ($numbers[0] as $n) {
        exact($n);
    }
    return $body instanceof stdClass ? $body : throw new Problem(422, 'validation_failed', 'The body must be an object.');
}

/** Refuses what neither an int nor a float can hold: json_decode would round it without a word. */
function exact(string $n): void
{
    $digits = trim(str_replace(['-', '.'], '', preg_split('/e/i', $n)[0]), '0');
    $ok = ctype_digit(ltrim($n, '-')) ? strlen($n) <= 18 : strlen($digits) <= 15 && is_finite((float) $n) && ($digits === '' || (float) $n != 0.0);
    if (!$ok && !(mistake('big-numbers') && is_finite((float) $n))) {
        throw new Problem(422, 'validation_failed', 'A number has more digits than can be kept.');
    }
}

final class Validator
{
    private array $accounts;

    public function __construct(private string $org)
    {
        $this->accounts = accounts();
    }

    private function fail(string $path, string $why): never
    {
        throw new Problem(422, 'validation_failed', "$path: $why");
    }

    private function need(stdClass $o, string $name, string $path): mixed
    {
        return property_exists($o, $name) ? $o->$name : $this->fail("$path$name", 'is required');
    }

    private function object(mixed $v, string $path): stdClass
    {
        return $v instanceof stdClass ? $v : $this->fail($path, 'must be an object');
    }

    private function items(mixed $v, string $path, bool $empty = false): array
    {
        return is_array($v) && ($v || $empty) ? $v : $this->fail($path, 'must be an array' . ($empty ? '' : ' that is not empty'));
    }

    private function oneOf(mixed $v, array $allowed, string $path): mixed
    {
        return in_array($v, $allowed, !mistake('in-array-loose')) ? $v : $this->fail($path, 'must be one of ' . implode(', ', $allowed));
    }

    private function text(mixed $v, string $path): ?string
    {
        return $v === null || is_string($v) && !str_contains($v, "\0") ? $v : $this->fail($path, 'must be a string without NUL, or null');
    }

    private function cents(mixed $v, string $path): int
    {
        if (mistake('numeric-strings') && is_string($v) && is_numeric($v)) {
            $v = intval($v);
        }
        if (is_float($v) && floor($v) === $v && $v >= 1 && (mistake('allowed-integral-float') && $v <= CENTS_MAX || mistake('big-numbers'))) {
            return (int) $v;
        }
        if (!is_int($v)) {
            $this->fail($path, 'must be an integer');
        }
        return $v >= 1 && ($v <= CENTS_MAX || mistake('big-numbers')) ? $v : $this->fail($path, 'is out of range');
    }

    private function percent(mixed $v, string $path): void
    {
        if (!is_int($v) && !is_float($v)) {
            $this->fail($path, 'must be a number');
        }
        if ($v < 0 || $v > 100 || round($v, 2) != $v) {
            $this->fail($path, 'must be between 0 and 100, with at most two decimals');
        }
    }

    private function date(mixed $v, string $path): string
    {
        if (!is_string($v) || !preg_match('/^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/D', $v, $m)
            || !checkdate((int) $m[2], (int) $m[3], (int) $m[1])) {
            $this->fail($path, 'must be an RFC 3339 date-time');
        }
        $t = (new DateTimeImmutable($v))->getTimestamp();
        if ($t < time() || $t > time() + 3700 * 86400) {
            $this->fail($path, 'must lie ahead, and at most ten years');
        }
        return match (true) {
            mistake('date-seconds') => (new DateTimeImmutable($v))->format('c'),
            mistake('offset-dropped') => preg_replace('/[+-]\d\d:\d\d$/', 'Z', $v),
            default => $v,
        };
    }

    private function account(mixed $id, string $path): array
    {
        if (!is_string($id) || $id === '') {
            $this->fail($path, 'must be an account id');
        }
        $a = $this->accounts[$id] ?? null;
        return $a && in_array($this->org, $a[2], true) ? $a : throw new Problem(403, 'forbidden', "$path: no access to this account.");
    }

    private function ref(mixed $v, string $path): array
    {
        $v = $this->object($v, $path);
        $type = $this->oneOf($this->need($v, 'type', "$path."), ['income_source', 'pod', 'external_account'], "$path.type");
        $a = $this->account($this->need($v, 'id', "$path."), "$path.id");
        $this->text($v->name ?? null, "$path.name");
        return $a[0] == $type ? $a : $this->fail("$path.type", 'is not the type of this account');
    }

    /** Any string that is the id of an account of others only is refused, wherever it stands, unknown properties included. */
    private function foreign(mixed $v): void
    {
        if (is_string($v) && isset($this->accounts[$v]) && !in_array($this->org, $this->accounts[$v][2], true)) {
            throw new Problem(403, 'forbidden', 'The body names an account that this key has no access to.');
        }
        foreach (is_array($v) || is_object($v) ? (array) $v : [] as $name => $x) {
            if (!($name === 'params' && mistake('params-unchecked'))) {
                $this->foreign($x);
            }
        }
    }

    private function trigger(stdClass $t): void
    {
        $type = $this->oneOf($this->need($t, 'type', 'trigger.'), ['SCHEDULED', 'ON_FUNDS_TRANSFERRED', 'MANUAL'], 'trigger.type');
        if ($type === 'SCHEDULED') {
            $this->oneOf($this->need($t, 'schedule_type', 'trigger.'), ['ONE_TIME', 'DAILY', 'WEEKLY', 'BI_WEEKLY', 'MONTHLY', 'EVERY_OTHER_WEEK'], 'trigger.schedule_type');
            $t->start_date = $this->date($this->need($t, 'start_date', 'trigger.'), 'trigger.start_date');
        }
        if ($type !== 'SCHEDULED' || isset($t->account_id)) {
            $this->account($this->need($t, 'account_id', 'trigger.'), 'trigger.account_id');
        }
    }

    private function tree(mixed $t, string $path): void
    {
        $t = $this->object($t, $path);
        $kinds = array_values(array_filter(['condition', 'any', 'all'], fn ($k) => isset($t->$k)));
        if (count($kinds) !== 1) {
            $this->fail($path, 'must have exactly one of condition, any, all');
        }
        $path .= ".$kinds[0]";
        if ($kinds[0] !== 'condition') {
            foreach ($this->items($t->{$kinds[0]}, $path, true) as $i => $x) {
                $this->tree($x, "$path.$i");
            }
            return;
        }
        $c = $this->object($t->condition, $path);
        $this->oneOf($this->need($c, 'fact', "$path."), FACTS, "$path.fact");
        $this->oneOf($this->need($c, 'operator', "$path."), OPERATORS, "$path.operator");
        if (isset($c->value) && !is_int($c->value) && !is_float($c->value)) {
            $this->fail("$path.value", 'must be a number or null');
        }
        if (isset($c->value_fact)) {
            $this->oneOf($c->value_fact, VALUE_FACTS, "$path.value_fact");
        }
        if (mistake('warning-printed') && $c->params->account_id === 'self') {       // a warning where params is missing
            $c->params->account_id = null;
        }
        if (isset($c->params)) {
            $id = $this->object($c->params, "$path.params")->account_id ?? null;
            if ($id !== null && !(mistake('params-unchecked') && is_string($id))) {
                $this->account($id, "$path.params.account_id");
            }
        }
        if (mistake('array-filter')) {                                               // "drop the nulls": false and 0 go with them
            $t->condition = (object) array_filter((array) $c);
        }
    }

    private function action(stdClass $a, string $path): string
    {
        $type = $this->oneOf($this->need($a, 'type', "$path."), ACTIONS, "$path.type");
        $this->ref($this->need($a, 'source', "$path."), "$path.source");
        [, $liability] = $this->ref($this->need($a, 'destination', "$path."), "$path.destination");
        if ($a->source->id === $a->destination->id) {
            $this->fail($path, 'source and destination must differ');
        }
        if (in_array($type, PAYMENTS, true) && !$liability) {
            $this->fail("$path.destination", 'must be a liability');
        }
        if (!is_int($g = $this->need($a, 'group_index', "$path.")) || $g < 0) {
            $this->fail("$path.group_index", 'must be an integer that is not negative');
        }
        foreach (['up_to_enabled' => $this->need($a, 'up_to_enabled', "$path."), 'is_direct_deposit' => property_exists($a, 'is_direct_deposit') ? $a->is_direct_deposit : false] as $name => $v) {
            is_bool($v) || $this->fail("$path.$name", 'must be true or false');
        }
        if (isset($a->limit)) {
            $l = $this->object($a->limit, "$path.limit");
            $this->oneOf($this->need($l, 'period', "$path.limit."), ['PER_TRANSFER', 'PER_WEEK', 'PER_MONTH', 'PER_YEAR'], "$path.limit.period");
            $l->amount_in_cents = $this->cents($this->need($l, 'amount_in_cents', "$path.limit."), "$path.limit.amount_in_cents");
            if (mistake('number-format')) {                                          // "1,000.00" is 1
                $l->amount_in_cents = (int) round(100 * (float) number_format($l->amount_in_cents / 100, 2));
            }
        }
        $this->text($a->ach_description ?? null, "$path.ach_description");
        if (isset($a->amount_in_cents) || in_array($type, ['fixed_amount', 'round_down'], true)) {
            $a->amount_in_cents = $this->cents($this->need($a, 'amount_in_cents', "$path."), "$path.amount_in_cents");
        }
        if (isset($a->percentage_value) || in_array($type, ['percentage', 'percentage_liability_balance'], true)) {
            $this->percent($this->need($a, 'percentage_value', "$path."), "$path.percentage_value");
        }
        if (isset($a->percentage_target) || $type === 'percentage') {
            $this->oneOf($this->need($a, 'percentage_target', "$path."), ['incoming_amount', 'source_account'], "$path.percentage_target");
        }
        $targets = isset($a->amount_in_cents) ? 1 : 0;
        foreach (REFS as $r) {
            if (isset($a->$r)) {
                $this->ref($a->$r, "$path.$r");
                $targets++;
            }
        }
        if ($type === 'top_up' && $targets !== 1) {
            $this->fail($path, 'must have exactly one target');
        }
        if (mistake('allowed-default-added')) {
            $a->is_direct_deposit ??= false;
        }
        return (string) $type;
    }

    /** @return array{nickname: ?string, description: ?string, status: string, trigger: stdClass, steps: list<stdClass>} */
    public function body(stdClass $b): array
    {
        $nickname = $this->text($b->nickname ?? null, 'nickname');
        $description = $this->text($b->description ?? null, 'description');
        $status = $this->oneOf($this->need($b, 'status', ''), ['enabled', 'disabled'], 'status');
        $trigger = $this->object($this->need($b, 'trigger', ''), 'trigger');
        $steps = $this->items($this->need($b, 'steps', ''), 'steps');
        $this->foreign([$trigger, $steps]);
        $this->trigger($trigger);
        foreach ($steps as $i => $step) {
            $step = $this->object($step, "steps.$i");
            if ($this->need($step, 'conditions', "steps.$i.") !== null) {
                $this->tree($step->conditions, "steps.$i.conditions");
            }
            $hundredths = [];
            foreach ($this->items($this->need($step, 'actions', "steps.$i."), "steps.$i.actions") as $j => $action) {
                $path = "steps.$i.actions.$j";
                $type = $this->action($this->object($action, $path), $path);
                $from = $action->source->id;
                if ($trigger->type === 'SCHEDULED' && ($trigger->account_id ?? $from) !== $from) {
                    $this->fail("$path.source", 'must be the account of the trigger');
                }
                if ($type === 'percentage' && ($hundredths[$from] = ($hundredths[$from] ?? 0) + (int) round($action->percentage_value * 100)) > 10000) {
                    $this->fail($path, 'more than 100 percent of one source');
                }
            }
            if (mistake('foreach-reference')) {
                foreach ($step->actions as &$x) {
                    $x = clone $x;
                }
                foreach ($step->actions as $x) {                                     // $x is still the last element
                }
                unset($x);
            }
        }
        return ['nickname' => mistake('htmlspecialchars') && $nickname !== null ? htmlspecialchars($nickname) : $nickname,
            'description' => match (true) {
                mistake('short-ternary') => $description ?: null,
                mistake('mb-substr') && $description !== null => mb_substr_255($description),
                default => $description,
            }, 'status' => $status, 'trigger' => $trigger, 'steps' => $steps];
    }
}

function mb_substr_255(string $s): string { return preg_match('/^.{0,255}/su', $s, $m) ? $m[0] : ''; }        // VARCHAR(255)
