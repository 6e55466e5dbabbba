"""Rules are put back as they were found, disabled; one that is enabled where it must not be is contained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.journal import FoundRule, Restored
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.session.custody import told
from rules_harness.harness.session.endings import Contained
from rules_harness.harness.target.safety import configuration


def put_back(bench: Bench, found: FoundRule, *, status: str | None = None) -> str | None:
    """Write the configuration that a rule had; returns why that failed, or ``None``.

    The rule ends disabled, unless ``status`` says what the body shall say.
    """
    exchange: Exchange | None = None
    state = bench.shared.client.cleaner.recalled_value(found.state)
    for bare in (False, True):
        body = configuration(bench.contract, state, bare=bare)
        if status is not None:
            body[bench.names.status] = status
        exchange = bench.update(
            body,
            rule=found.rule,
            caller=found.credential,
            existence=bench.existence(found.rule),
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
    for rule, found in rules.items():
        bench = make_bench(rule)
        try:
            problem = _put_back_disabled(bench, found)
        except Exception as error:  # noqa: BLE001 - whatever hinders one rule, the others are still put back
            problem = f"{type(error).__name__}: {error}"
        yield Restored(rule=rule, problem=problem), bench


def _put_back_disabled(bench: Bench, found: FoundRule) -> str | None:
    """Put a rule back and see that it is disabled; one that was disabled never ends enabled with what it can do."""
    if not found.enabled and _is_enabled(bench, found.rule):
        problem = contain(bench, found.rule).problem
        if problem is not None:
            return (
                f"STILL ENABLED, with a harmless configuration in place of its own ({problem}): disable it by hand now"
            )
    problem = put_back(bench, found)
    if problem is not None or found.enabled or not _is_enabled(bench, found.rule):
        return problem
    problem = contain(bench, found.rule).problem
    left = "it is disabled" if problem is None else f"STILL ENABLED ({problem}): disable it by hand now"
    return f"its own configuration left it enabled, so it holds a harmless one; {left}"


def _is_enabled(bench: Bench, rule: str) -> bool:
    state = bench.read(rule, existence=bench.existence(rule))
    return state is not None and state.get(bench.names.status) == bench.names.enabled


def contain(bench: Bench, rule: str) -> Contained:
    """Send a disabled, inert body to a rule that is enabled where it must not be.

    It is no body that the rule may hold already: a target may do nothing where nothing changes.
    """
    exchange = bench.update(
        {**bench.inert(), bench.names.marker: f"Disabled {bench.random.randrange(10**6):06d}"},
        rule=rule,
        caller=bench.writer(rule),
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
