"""Performs a history on a bench: symbolic steps become requests to one rule, with keys and bodies of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rules_harness.harness.intent import Access, GroupBodies, Window
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.details import Authorization
from rules_harness.harness.scenarios.key_steps import MARGIN_SECONDS, REPLAY, REUSE
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.scenarios.planner import Planned
from rules_harness.harness.scenarios.unmet import NotEnabled, Unmet
from rules_harness.harness.scenarios.validation import plan_mutation
from rules_harness.harness.target.hooks import HookFailed
from rules_harness.strategies.histories import (
    Broken,
    Clock,
    Enable,
    History,
    Read,
    Replay,
    Reuse,
    Step,
    Stranger,
    Together,
    Update,
)
from rules_harness.strategies.keys import UNKNOWN
from rules_harness.strategies.mutations import Mutation


class Materials(msgspec.Struct, frozen=True):
    """What the numbers in a history stand for: bodies that this target accepts, and ways to break one."""

    bodies: tuple[dict[str, Any], ...] = ()
    broken: tuple[Mutation, ...] = ()


class _Use(msgspec.Struct):
    """One key: where in the episode it was first used, and when by the target's clock."""

    position: int
    at: float
    is_spent: bool = False
    """Its window has passed and it was used again: whose it is now is an open question."""


def perform(bench: Bench, history: History, materials: Materials) -> None:
    """Send a history and, last, read what it left; what the target cannot do ends it early."""
    performance = _Performance(bench, materials)
    bench.begin()
    try:
        for index, step in enumerate(history):
            performance.take(index, step)
    except (Unmet, HookFailed):
        if not bench.exchanges:
            raise
    performance.read()
    performance.leave_disabled()


class _Performance:
    def __init__(self, bench: Bench, materials: Materials) -> None:
        self._bench = bench
        self._materials = materials
        self._mark = f"{bench.random.randrange(36**6):06x}"
        self._uses: dict[int, _Use] = {}
        self._clock = 0.0
        self._asked = ""
        self._enabled_since = -1
        """The position from which on the operator has enabled the rule."""
        self._takes: Mapping[type, Callable[[int, Any], None]] = {
            Update: self._update,
            Broken: self._broken,
            Replay: self._replay,
            Reuse: self._reuse,
            Stranger: self._stranger,
            Enable: self._enable,
            Clock: self._move_clock,
            Together: self._together,
        }

    def take(self, index: int, step: Step) -> None:
        """Do one step; ``index`` is what later steps know it by."""
        if isinstance(step, Read):
            self.read()
        else:
            self._takes[type(step)](index, step)

    def read(self) -> None:
        """Read the rule, in the name of what was done last."""
        label = f"after: {self._bench.exchanges[-1].intent.label}" if self._bench.exchanges and self._asked else ""
        self._bench.read(requirement=self._asked, label=label)

    def leave_disabled(self) -> None:
        """Off loopback nothing is left enabled."""
        bench = self._bench
        if not bench.shared.guard.is_open and bench.rule in bench.shared.guard.enabled:
            bench.update(
                {**bench.inert(), bench.names.marker: own("Disabled again")}, purpose="contain", label="disabled again"
            )
            bench.read()

    def _body(self, number: int, *, enabled: bool = False) -> dict[str, Any]:
        """One of the history's bodies; off loopback the inert one, under a name of its own."""
        bench, names = self._bench, self._bench.names
        known = self._materials.bodies
        usable = bench.shared.guard.is_open and known
        body = dict(known[number % len(known)] if usable else bench.inert())
        body[names.marker] = own(f"Fuzz {self._mark} {number}")
        body[names.status] = names.enabled if enabled else names.disabled
        return body

    def _update(self, index: int, step: Update) -> None:
        bench = self._bench
        key = bench.new_key() if step.keyed else None
        if step.enabled:
            bench.shared.guard.enabled.add(bench.rule)
        self._asked = "idempotency.any-key" if step.keyed else "idempotency.without-key"
        bench.update(
            self._body(step.body, enabled=step.enabled),
            key=key,
            acceptance="open",
            requirement=self._asked,
            label="first use of a key" if step.keyed else "without a key",
        )
        self._note_key(index, key)

    def _broken(self, index: int, step: Broken) -> None:
        bench = self._bench
        if not self._materials.broken:
            return
        mutation = self._materials.broken[step.wrong % len(self._materials.broken)]
        key = bench.new_key() if step.keyed else None
        bench.send(*plan_mutation(bench, mutation, key=key))
        self._asked = ""
        self._note_key(index, key)

    def _note_key(self, index: int, key: str | None) -> None:
        if key is not None:
            self._uses[index] = _Use(len(self._bench.exchanges) - 1, self._clock)

    def _replay(self, index: int, step: Replay) -> None:
        bench, use = self._bench, self._use(step.of)
        if use is None:
            return
        original = bench.exchanges[use.position]
        window = self._window(use)
        self._asked, label = self._asks(use, window)
        request, intent = bench.plan_update(
            original.request.body.content if original.request.body else None,
            caller=original.intent.caller,
            key=original.intent.key,
            repeats=use.position,
            purpose="replay",
            body=original.intent.body,
            acceptance="open",
            requirement=self._asked,
            label=label,
            window=window,
        )
        bench.send(request, intent)
        if self._asked == "status.replay-keeps":
            self.read()

    def _asks(self, use: _Use, window: Window) -> tuple[str, str]:
        """What a replay puts to the test, and what it is called."""
        original = self._bench.exchanges[use.position]
        if original.intent.body not in ("valid", "open"):
            return "", "replay of a refused body"
        if window:
            return "idempotency.window", "after the window" if window == "beyond" else "replay within the window"
        succeeded = original.answer is not None and original.answer.is_success
        if self._enabled_since > use.position and succeeded:
            return "status.replay-keeps", "replayed after it was enabled again"
        later = self._bench.exchanges[use.position + 1 :]
        if any(other.intent.operation == "update" and other.intent.repeats is None for other in later):
            return REPLAY, "replay after another update"
        return REPLAY, "replay"

    def _reuse(self, index: int, step: Reuse) -> None:
        bench, use = self._bench, self._use(step.of)
        if use is None:
            return
        original = bench.exchanges[use.position]
        body = self._body(step.body)
        if original.request.body is not None and msgspec.json.encode(body) == original.request.body.content:
            body = self._body(step.body + 1)
        if original.answer is not None and original.answer.is_refusal:
            self._after_refusal(use, body)
            return
        window = self._window(use)
        self._asked = "idempotency.window" if window == "beyond" else REUSE
        bench.update(
            body,
            key=original.intent.key,
            repeats=use.position,
            acceptance="open",
            requirement=self._asked,
            label="another body after the window" if window == "beyond" else "same key, other body",
            window=window,
        )

    def _after_refusal(self, use: _Use, body: dict[str, Any]) -> None:
        """A key that a refused request carried, with a right body."""
        bench = self._bench
        self._asked = "idempotency.not-poisoned"
        sent = bench.update(
            body,
            key=bench.exchanges[use.position].intent.key,
            acceptance="open",
            requirement=self._asked,
            label="after a refused body, same key",
        )
        if sent.answer is not None and sent.answer.is_success:
            use.position, use.at = len(bench.exchanges) - 1, self._clock
        else:
            use.is_spent = True

    def _stranger(self, index: int, step: Stranger) -> None:
        bench = self._bench
        callers = strangers(bench)
        caller, access, authorization, requirement = callers[step.caller % len(callers)]
        use = self._use(step.of) if step.of is not None else None
        if use is None:
            self._asked = ""
            bench.update(
                self._body(step.body),
                caller=caller,
                access=access,
                authorization=authorization,
                acceptance="open",
                requirement=requirement,
                label=f"{caller} on {bench.contract.noun.with_article}",
            )
            return
        original = bench.exchanges[use.position]
        self._asked = "idempotency.auth-first"
        request, intent = bench.plan_update(
            original.request.body.content if original.request.body else None,
            caller=caller,
            access=access,
            authorization=authorization,
            key=original.intent.key,
            repeats=use.position,
            purpose="replay",
            body=original.intent.body,
            acceptance="open",
            requirement=self._asked,
            label=f"replay by {caller}",
        )
        bench.send(request, intent)

    def _enable(self, index: int, step: Enable) -> None:
        if not self._bench.enable():
            raise NotEnabled(self._bench.contract)
        self._enabled_since = len(self._bench.exchanges)

    def _move_clock(self, index: int, step: Clock) -> None:
        seconds = self._bench.names.key_window_seconds
        by = {"a-while": seconds // 4, "inside": seconds - MARGIN_SECONDS, "outside": seconds + MARGIN_SECONDS}
        self._bench.shared.hooks.advance_clock(by[step.by])
        self._clock += by[step.by]

    def _together(self, index: int, step: Together) -> None:
        bench = self._bench
        width = bench.width(len(step.bodies))
        if width < 2:
            return
        bench.read()
        bodies: GroupBodies = "equal" if len(set(step.bodies[:width])) == 1 else "distinct"
        one_key = bench.new_key() if step.keys == "one" else None
        planned: list[Planned] = []
        for number in step.bodies[:width]:
            planned.append(
                bench.plan_update(
                    self._body(number),
                    key=bench.new_key() if step.keys == "own" else one_key,
                    acceptance="open",
                    requirement="idempotency.concurrent" if one_key else "concurrency.whole",
                    label=f"simultaneous, one key, {bodies} bodies"
                    if one_key
                    else f"simultaneous, one {bench.contract.noun}",
                    group_bodies=bodies if one_key else "",
                )
            )
        room = 0 if one_key else max(0, bench.width(width + step.reads) - width)
        planned += [bench.plan_read(purpose="probe", label="read in between") for _ in range(min(step.reads, room))]
        bench.send_all(planned, together=True)
        self._asked = ""

    def _use(self, index: int | None) -> _Use | None:
        """The key of an earlier step, where it can still be said whose it is."""
        use = self._uses.get(-1 if index is None else index)
        return None if use is None or use.is_spent else use

    def _window(self, use: _Use) -> Window:
        """Whether a key's window has passed; after that it is not used again."""
        passed = self._clock - use.at
        if not passed:
            return ""
        if passed < self._bench.names.key_window_seconds:
            return "within"
        use.is_spent = True
        return "beyond"


def strangers(bench: Bench) -> Sequence[tuple[str, Access, Authorization, str]]:
    """Whoever may not update the bench's rule: name, access, what stands for a key of their own, requirement."""
    rows: tuple[tuple[str, Access, str], ...] = (
        ("revoked", "unauthenticated", "auth.unknown-key"),
        ("read_only", "no-permission", "authz.scope"),
        ("unrelated", "no-permission", "authz.scope"),
        ("trigger_only", "no-permission", "authz.scope"),
        ("limited", "outside-resources", "authz.resource"),
        ("other_org", "other-organization", "authz.organization"),
    )
    credentials = bench.shared.profile.credentials
    return (
        ("none", "unauthenticated", "", "auth.missing"),
        ("unknown", "unauthenticated", bench.key_of(UNKNOWN), "auth.unknown-key"),
        *((name, access, None, requirement) for name, access, requirement in rows if name in credentials),
    )
