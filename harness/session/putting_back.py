"""Rules are put back as they were found, disabled; one that is enabled where it must not be is contained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.journal import FoundRule, Restored
from rules_harness.harness.judging.checks.common import changed_fields
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.scenarios.own_texts import own
from rules_harness.harness.session.custody import told
from rules_harness.harness.session.endings import Contained
from rules_harness.harness.target.safety import cleared, configuration
from rules_harness.strategies.places import Pointer

LOOKS: Final = 4
"""How often a rule is read until it is as it was found; reads may lag."""
_BETWEEN_SECONDS: Final = 0.3


class PutBack(msgspec.Struct, frozen=True):
    """What came of writing a rule's own configuration."""

    problem: str | None
    """Why it could not be put back, or not all of it."""
    state: dict[str, Any] | None = None
    """The rule as it was read afterwards."""
    remark: str = ""
    """What was cleared of the rule beyond the contract, and what became of that."""


def put_back(bench: Bench, original: FoundRule, *, status: str | None = None) -> PutBack:
    """Write the configuration that a rule had, and read it.

    The rule ends disabled, unless ``status`` says what the body shall say.  Where an update clears fields that the
    contract does not know, they are put back too.  What went empty of a rule that was enabled, and is not taken from a
    body, is the target's to fill in: when a rule runs next, say.
    """
    state = bench.shared.client.cleaner.recalled_value(original.state)
    problem = _write(bench, original, state, status=status)
    if problem is not None:
        return PutBack(problem)
    after = bench.read(original.rule, existence=bench.existence(original.rule))
    lost = () if after is None else tuple(cleared(bench.contract, state, after))
    if not lost:
        return PutBack(None, after)
    names = ", ".join("/".join(map(str, pointer)) for pointer in lost)
    problem = _write(bench, original, state, status=status, beyond=lost)
    after = bench.read(original.rule, existence=bench.existence(original.rule))
    if problem is None and after is not None and not tuple(cleared(bench.contract, state, after)):
        return PutBack(None, after, f"put back with what an update clears beyond the contract: {names}")
    if original.enabled and after is not None:
        return PutBack(None, after, f"empty since it is disabled, and not taken from a body: {names}")
    why = "they are not taken" if problem is None else f"with them it {problem}"
    return PutBack(f"cleared {names}, which the contract does not know, and THAT IS LOST: {why}", after)


def _write(
    bench: Bench,
    original: FoundRule,
    state: Mapping[str, Any],
    *,
    status: str | None,
    beyond: tuple[Pointer, ...] = (),
) -> str | None:
    """Send a configuration, the second time without what a server adds; returns why none was taken, or ``None``."""
    exchange: Exchange | None = None
    for bare in (False, True):
        body = configuration(bench.contract, state, bare=bare, beyond=beyond)
        if status is not None:
            body[bench.names.status] = status
        exchange = bench.update(
            body,
            rule=original.rule,
            caller=original.credential,
            existence=bench.existence(original.rule),
            purpose="restore",
            acceptance="open",
            label="its own configuration, put back",
        )
        if exchange.answer is not None and exchange.answer.is_success:
            return None
        if exchange.answer is None or exchange.answer.status not in (400, 422):
            break
    return told(bench.contract, exchange) if exchange is not None else "nothing was sent"


def restore_all(make_bench: Callable[[str], Bench], rules: Mapping[str, FoundRule]) -> Iterator[tuple[Restored, Bench]]:
    """Put every rule back as it was found, disabled; one bench for each, so that one failure stops no other."""
    for rule, original in rules.items():
        bench = make_bench(rule)
        try:
            problem = _put_back_disabled(bench, original)
        except Exception as error:  # noqa: BLE001 - whatever hinders one rule, the others are still put back
            problem = f"{type(error).__name__}: {error}"
        yield Restored(rule=rule, problem=problem), bench


def _put_back_disabled(bench: Bench, original: FoundRule) -> str | None:
    """Put a rule back and see that it is disabled; one that was disabled never ends enabled with what it can do."""
    if not original.enabled and _is_enabled(bench, bench.read(original.rule, existence=bench.existence(original.rule))):
        problem = contain(bench, original.rule).problem
        if problem is not None:
            return (
                f"STILL ENABLED, with a harmless configuration in place of its own ({problem}): disable it by hand now"
            )
    done = put_back(bench, original)
    state = done.state
    if done.problem is not None and bench.readable:
        state = bench.read(original.rule, existence=bench.existence(original.rule))
    if original.enabled or not _is_enabled(bench, state):
        return done.problem or _disturbed(bench, original, state)
    problem = contain(bench, original.rule).problem
    left = "it is disabled" if problem is None else f"STILL ENABLED ({problem}): disable it by hand now"
    return f"its own configuration left it enabled, so it holds a harmless one; {left}"


def _disturbed(bench: Bench, original: FoundRule, state: Mapping[str, Any] | None) -> str | None:
    """Why a rule that was put back does not read as it was found, if it does not."""
    contract = bench.contract
    if not bench.readable:
        return None
    before = {**bench.shared.client.cleaner.recalled_value(original.state), contract.names.status: None}
    places: set[str] = set()
    for look in range(LOOKS):
        if look:
            bench.sleep(_BETWEEN_SECONDS)
            state = bench.read(original.rule, existence=bench.existence(original.rule))
        if state is None:
            continue
        changed = changed_fields(contract, before, {**state, contract.names.status: None})
        if not changed:
            return None
        places = {difference.place for difference in changed}
    if state is None:
        return "it was written back, and cannot be read since: nobody knows how it stands"
    where = ", ".join(sorted(places))
    return f"it was written back, and reads otherwise ({where}): another run uses it, or it stores something else"


def _is_enabled(bench: Bench, state: Mapping[str, Any] | None) -> bool:
    return state is not None and state.get(bench.names.status) == bench.names.enabled


def contain(bench: Bench, rule: str) -> Contained:
    """Send a disabled, inert body to a rule that is enabled where it must not be.

    It is not a body that the rule may hold already: a target may do nothing where nothing changes.
    """
    exchange = bench.update(
        {**bench.harmless(rule), bench.names.marker: own(f"Disabled {bench.random.randrange(10**6):06d}")},
        rule=rule,
        caller=bench.owner(rule),
        existence=bench.existence(rule),
        purpose="contain",
        acceptance="open",
        label="contained",
    )
    if exchange.answer is None or not exchange.answer.is_success:
        return Contained(rule, told(bench.contract, exchange))
    state = bench.read(rule, existence=bench.existence(rule)) if bench.readable else None
    if state is not None and state.get(bench.names.status) == bench.names.enabled:
        return Contained(rule, "a disabled body leaves it enabled")
    return Contained(rule, None)
