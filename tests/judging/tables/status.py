"""An update disables: "the update will set it to disabled and require a human to review and re-enable it"."""

from __future__ import annotations

from functools import partial

from tests.judging.episodes import answered, body, get, lost, ok, put, refused, rule, trigger
from tests.judging.rows import HOLDS, Broken, Says, Table, row

ENABLED, DISABLED = rule(status="enabled"), rule()
says_enabled, says_disabled = body(status="enabled"), body()
replay = partial(put, key="k", repeats=0, requirement="status.replay-keeps")
trigger_other = partial(trigger, requirement="http.methods")

TABLE: Table = {
    "status.enabled-becomes-disabled": (
        row("an enabled rule is disabled", put(ok(DISABLED)), HOLDS, before=ENABLED),
        row(
            "an enabled rule is disabled, whatever the body says",
            put(ok(DISABLED), says_enabled),
            HOLDS,
            before=ENABLED,
        ),
        row(
            "an enabled rule stays enabled",
            put(ok(ENABLED)),
            Broken('answers "enabled"', "/status", shown_by=(0,)),
            before=ENABLED,
        ),
        row(
            "an enabled rule stays enabled, as the body says",
            put(ok(ENABLED), says_enabled),
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row(
            "an enabled rule stays enabled with a key",
            put(ok(ENABLED), key="k"),
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row(
            "an enabled rule stays enabled, and a read shows it",
            [put(ok(ENABLED)), get(ENABLED)],
            Broken('answers "enabled"', "/status", shown_by=(0,)),
            before=ENABLED,
        ),
        row("an enabled rule is paused", put(ok(rule(status="paused"))), Broken('answers "paused"'), before=ENABLED),
        row("the answer has no status", put(ok(rule(status=...))), Broken("answers null"), before=ENABLED),
        row(
            "a read found the rule enabled",
            [get(ENABLED), put(ok(ENABLED))],
            Broken('answers "enabled"'),
            before=DISABLED,
        ),
        row("the first of two updates disabled it", [put(ok(DISABLED)), put(ok(ENABLED))], HOLDS, before=ENABLED),
        row(
            "a refused update leaves it enabled for the next",
            [put(refused()), put(ok(ENABLED))],
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row("the answer holds no data, which is judged elsewhere", put(ok(data=...)), before=ENABLED),
        row("the rule was disabled", put(ok(ENABLED)), before=DISABLED),
        row("nobody knows how the rule was", put(ok(ENABLED))),
        row("the answer is a replay", put(ok(ENABLED), repeats=0), before=ENABLED),
        row(
            "whoever may not was let in, which is judged elsewhere",
            put(ok(ENABLED), access="no-permission"),
            before=ENABLED,
        ),
        row("it is another organization's rule", put(ok(ENABLED), whose="foreign"), before=ENABLED),
        row("the update was one of several at once", put(ok(ENABLED), group=1), before=ENABLED),
        row("several at once may have disabled it", [put(ok(ENABLED), group=1), put(ok(ENABLED))], before=DISABLED),
        row(
            "another method may have enabled it", [put(ok(ENABLED), method="PATCH"), put(ok(ENABLED))], before=DISABLED
        ),
        row(
            "a trigger leaves it as it was",
            [trigger_other(ok()), put(ok(ENABLED))],
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row(
            "a replay does not disable it",
            [put(ok(DISABLED), key="k", repeats=0), put(ok(ENABLED))],
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row("the update was refused", put(refused()), before=ENABLED),
        row("the update was lost", put(lost()), before=ENABLED),
        row("a lost update may have disabled it", [put(lost()), put(ok(ENABLED), says_enabled)], before=ENABLED),
        row("an update that failed may have disabled it", [put(answered(500, {})), put(ok(ENABLED))], before=ENABLED),
    ),
    "status.stored": (
        row("the stored status is disabled", [put(ok(DISABLED)), get(DISABLED)], HOLDS, before=ENABLED),
        row(
            "the answer just says so",
            [put(ok(DISABLED)), get(ENABLED)],
            Broken('stored as "enabled"', "/status", by_states=True, shown_by=(0, 1)),
            before=ENABLED,
        ),
        row("the answer says nothing, and the store does", [put(ok(data=...)), get(DISABLED)], HOLDS, before=ENABLED),
        row(
            "the stored rule has no status",
            [put(ok(DISABLED)), get(rule(status=...))],
            Broken("stored as null", by_states=True),
            before=ENABLED,
        ),
        row("only the first read tells", [put(ok(DISABLED)), get(DISABLED), get(ENABLED)], HOLDS, before=ENABLED),
        row("another update was sent before the read", [put(ok()), put(ok()), get(ENABLED)], before=ENABLED),
        row("the rule was disabled", [put(ok(DISABLED)), get(ENABLED)], before=DISABLED),
        row("the update was refused", [put(refused()), get(ENABLED)], before=ENABLED),
        row("the answer is a replay", [put(ok(), repeats=0), get(ENABLED)], before=ENABLED),
        row("it was not read", [put(ok(DISABLED))], before=ENABLED),
        row("another rule was read", [put(ok()), get(rule("rule_b", status="enabled"), rule="rule_b")], before=ENABLED),
    ),
    "status.stays-disabled": (
        row("a disabled rule stays disabled", put(ok(DISABLED)), HOLDS, before=DISABLED),
        row(
            "a disabled rule stays disabled in store", [put(ok(DISABLED)), get(DISABLED)], HOLDS, HOLDS, before=DISABLED
        ),
        row(
            "a disabled rule is answered as enabled",
            put(ok(ENABLED)),
            Broken('answers "enabled"', "/status"),
            before=DISABLED,
        ),
        row(
            "a disabled rule is stored as enabled",
            [put(ok(DISABLED)), get(ENABLED)],
            HOLDS,
            Broken('stored as "enabled"', "/status", by_states=True),
            before=DISABLED,
        ),
        row(
            "the second update enables what the first disabled",
            [put(ok(DISABLED)), put(ok(ENABLED))],
            Broken('answers "enabled"'),
            before=ENABLED,
        ),
        row("the body says enabled", put(ok(ENABLED), says_enabled), before=DISABLED),
        row("a lost update may have been executed", [put(lost(), says_enabled), put(ok(ENABLED))], before=DISABLED),
        row("the rule was enabled", put(ok(ENABLED)), before=ENABLED),
        row("the answer is a replay", put(ok(ENABLED), repeats=0), before=DISABLED),
        row("the update was refused", [put(refused()), get(ENABLED)], before=DISABLED),
        row("whoever may not was let in", put(ok(ENABLED), access="unauthenticated"), before=DISABLED),
    ),
    "status.no-enable-by-body": (
        row(
            "a disabled rule stays disabled, as the read says",
            [put(ok(DISABLED), says_enabled), get(DISABLED)],
            HOLDS,
            before=DISABLED,
        ),
        row(
            "a disabled rule stays disabled, as the answer says",
            put(ok(DISABLED), says_enabled),
            HOLDS,
            before=DISABLED,
        ),
        row(
            "a disabled rule becomes enabled, which the reading tells",
            [put(ok(ENABLED), says_enabled), get(ENABLED)],
            before=DISABLED,
        ),
        row("the body says disabled", put(ok(DISABLED), says_disabled), before=DISABLED),
        row("the rule was enabled", put(ok(DISABLED), says_enabled), before=ENABLED),
        row("the update was refused", put(refused(), says_enabled), before=DISABLED),
        row("the answer is a replay", put(ok(DISABLED), says_enabled, repeats=0), before=DISABLED),
    ),
    "reading.enable-by-body": (
        row(
            "the rule stays disabled",
            [put(ok(DISABLED), says_enabled), get(DISABLED)],
            Says("stays-disabled"),
            before=DISABLED,
        ),
        row(
            "the rule becomes enabled",
            [put(ok(ENABLED), says_enabled), get(ENABLED)],
            Says("becomes-enabled"),
            before=DISABLED,
        ),
        row(
            "the read tells, not the answer",
            [put(ok(DISABLED), says_enabled), get(ENABLED)],
            Says("becomes-enabled"),
            before=DISABLED,
        ),
        row("there is no read", put(ok(ENABLED), says_enabled), Says("becomes-enabled"), before=DISABLED),
        row(
            "another update was sent before the read",
            [put(ok(), says_enabled), put(ok()), get(DISABLED)],
            before=DISABLED,
        ),
        row("the status is none of the two", put(ok(rule(status="paused")), says_enabled), before=DISABLED),
        row("the body says disabled", put(ok(DISABLED)), before=DISABLED),
        row("nobody knows how the rule was", put(ok(DISABLED), says_enabled)),
    ),
    "status.rejected-keeps": (
        row("a refused update leaves the rule enabled", [put(refused()), get(ENABLED)], HOLDS, before=ENABLED),
        row(
            "a refused update disables the rule",
            [put(refused()), get(DISABLED)],
            Broken('"disabled" after a refusal', "/status", by_states=True),
            before=ENABLED,
        ),
        row(
            "a 401 disables the rule",
            [put(refused(401), access="unauthenticated"), get(DISABLED)],
            Broken('"disabled" after a refusal', by_states=True),
            before=ENABLED,
        ),
        row(
            "a 429 disables the rule",
            [put(refused(429)), get(DISABLED)],
            Broken('"disabled" after a refusal', by_states=True),
            before=ENABLED,
        ),
        row("the rule was disabled", [put(refused()), get(DISABLED)], before=DISABLED),
        row("the update was accepted", [put(ok(DISABLED)), get(DISABLED)], before=ENABLED),
        row("the server failed", [put(answered(500, {})), get(DISABLED)], before=ENABLED),
        row("another update was accepted in between", [put(refused()), put(ok()), get(DISABLED)], before=ENABLED),
        row(
            "another update was lost in between, and may have been executed",
            [put(refused()), put(lost()), get(DISABLED)],
            before=ENABLED,
        ),
        row(
            "an update by several at once came in between",
            [put(refused()), put(ok(), group=1), get(DISABLED)],
            before=ENABLED,
        ),
        row("another method disables the rule", [put(refused(405), method="PATCH"), get(DISABLED)], before=ENABLED),
        row("it was not read", put(refused()), before=ENABLED),
    ),
    "status.replay-keeps": (
        row("a replay leaves the rule enabled", [put(ok(), key="k"), get(ENABLED), replay(ok()), get(ENABLED)], HOLDS),
        row("the first may not have arrived", [put(lost(), key="k"), get(ENABLED), replay(ok()), get(DISABLED)]),
        row("the first was refused", [put(refused(400), key="k"), get(ENABLED), replay(ok()), get(DISABLED)]),
        row(
            "a replay disables the rule",
            [put(ok(), key="k"), get(ENABLED), replay(ok()), get(DISABLED)],
            Broken('"enabled" becomes "disabled"', "/status", by_states=True),
        ),
        row(
            "a replay enables the rule",
            [put(ok(), key="k"), get(DISABLED), replay(ok()), get(ENABLED)],
            Broken('"disabled" becomes "enabled"', "/status", by_states=True),
        ),
        row(
            "the second replay disables the rule",
            [put(ok(), key="k"), get(ENABLED), replay(ok()), get(ENABLED), replay(ok()), get(DISABLED)],
            HOLDS,
            Broken('"enabled" becomes "disabled"', by_states=True),
        ),
        row(
            "another update came in between",
            [put(ok(), key="k"), get(ENABLED), replay(ok()), put(ok()), get(DISABLED)],
        ),
        row("nobody knows how the rule was", [replay(ok()), get(DISABLED)]),
        row("it was not read", [put(ok(), key="k"), get(ENABLED), replay(ok())]),
        row("it was no replay", [get(ENABLED), put(ok(), requirement="status.replay-keeps"), get(DISABLED)]),
        row("it is for another requirement", [get(ENABLED), put(ok(), repeats=0), get(DISABLED)]),
    ),
    "status.not-triggerable": (
        row("the rule cannot be triggered", trigger(refused(409)), HOLDS),
        row("the rule is triggered", trigger(ok(status=202)), Broken("answered 202", "trigger after an update")),
        row("the server fails, which is judged elsewhere", trigger(answered(500, {}))),
        row("nothing can be triggered there", trigger(refused(404))),
        row("nothing can be triggered in this way", trigger(refused(405))),
        row("the key is unknown", trigger(refused(401))),
        row("there is no time for it", trigger(refused(429))),
        row("nothing comes back", trigger(lost())),
        row("the trigger is for another requirement", trigger_other(ok())),
        row("the rule is updated", put(ok())),
    ),
}
