"""Rules in custody: read before anything is written, and put back first and last.

Every rule that a run may write is read, its configuration is on the disk before the first write, and that first write
puts the same configuration back; a rule that refuses its own configuration is not used, nor one that holds what a
record cannot say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from rules_harness.harness.exchange import Answer, Exchange, TransportFault
from rules_harness.harness.journal import FoundRule, Note
from rules_harness.harness.judging.checks.common import described
from rules_harness.harness.judging.states import state_shown
from rules_harness.harness.scenarios.bench import Bench
from rules_harness.harness.session.endings import stopped
from rules_harness.harness.session.exactness import cannot_be_kept
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.accounts import accounts_in as accounts_named
from rules_harness.strategies.bodies import is_suitable
from rules_harness.strategies.world import Account

MISSING = frozenset({404, 405, 501})


class Survey(msgspec.Struct, frozen=True):
    """What the first look at a target showed."""

    found: tuple[FoundRule, ...]
    reasons: dict[str, str]
    """Why a rule of the profile cannot be used."""
    readable: bool
    stop: Note | None = None
    """Why nothing can be judged, if so."""


def look(bench: Bench, profile: Profile) -> dict[str, Exchange]:
    """Read every rule of the profile. Raises what the client raises."""
    return {rule: bench.send(*bench.plan_read(rule, existence=bench.existence(rule))) for rule in profile.rules.all}


def survey(bench: Bench, profile: Profile, reads: Mapping[str, Exchange], *, is_known: bool) -> Survey:
    """What the first reads show, and an update of a rule that does not exist; nothing that exists is written.

    Where the endpoint ``is_known`` to be there, only a read of a rule can show that it is there no more. Raises what
    the client raises.
    """
    unknown = bench.unknown_id()
    probe = bench.update(bench.inert(), rule=unknown, existence="unknown", requirement="not-found.unknown-id")
    stop = _nothing_to_judge(bench.contract, [*reads.values(), probe], may_be_missing=bool(reads) or not is_known)
    rules, reasons = [], {}
    for rule, exchange in reads.items():
        state = state_shown(bench.contract, exchange)
        if state is None:
            reasons[rule] = "reading it " + told(bench.contract, exchange)
        else:
            enabled = state.get(bench.names.status) != bench.names.disabled
            cleaner, answer = bench.shared.client.cleaner, exchange.answer
            recorded = cleaner.recorded_value(dict(state))
            found = FoundRule(rule=rule, credential=bench.owner(rule), state=recorded, enabled=enabled)
            assert answer is not None  # it showed the state
            reason = cannot_be_kept(answer, bench.names.data, found, cleaner)
            if reason is not None:
                reasons[rule] = reason
            rules.append(found)
    readable = bool(rules) or not reads
    statuses = {exchange.answer.status if exchange.answer else 0 for exchange in reads.values()}
    if stop is None and reads and not rules:
        stop = _no_rule_readable(bench.contract, reads, statuses, profile)
    return Survey(tuple(rules), reasons, readable, stop)


def told(contract: Contract, exchange: Exchange) -> str:
    """What came of a request, in words."""
    if isinstance(exchange.outcome, TransportFault):
        return f"failed: {exchange.outcome.detail}"
    return f"was answered {described(contract, exchange.outcome)}"


def with_known_accounts(contract: Contract, profile: Profile, states: Mapping[str, Mapping[str, Any]]) -> Profile:
    """The profile with the accounts that its rules name, by the states of rules as read.

    It keeps its own list; without one, those of our rules are taken, where money can move between them.  What the
    other organization owns is theirs alone: an account that is listed as ours, or that a rule of ours names, is ours.
    """
    ours = [dict(state) for rule, state in states.items() if rule != profile.rules.other_org]
    theirs = [dict(state) for rule, state in states.items() if rule == profile.rules.other_org]
    named = msgspec.structs.replace(profile, accounts=profile.accounts or _accounts_in(contract, *ours))
    is_usable = is_suitable(contract, named.world(datetime.now(UTC)))
    own = {account.id for account in named.accounts}
    own |= {account.id for state in ours for account in accounts_named(contract, state)}
    return msgspec.structs.replace(
        profile,
        accounts=named.accounts if is_usable else (),
        other_org_accounts=tuple(
            account
            for account in profile.other_org_accounts or _accounts_in(contract, *theirs)
            if account.id not in own
        ),
    )


def states_in(contract: Contract, reads: Mapping[str, Exchange]) -> dict[str, Mapping[str, Any]]:
    """The states that successful reads of rules show, by rule."""
    return {rule: state for rule, exchange in reads.items() if (state := state_shown(contract, exchange)) is not None}


def accounts_in(contract: Contract, rules: Iterable[FoundRule]) -> tuple[Account, ...]:
    """The accounts that rules name."""
    return _accounts_in(contract, *(rule.state for rule in rules))


def _accounts_in(contract: Contract, *states: Mapping[str, Any]) -> tuple[Account, ...]:
    accounts: dict[str, Account] = {}
    for state in states:
        for named in accounts_named(contract, dict(state)):
            if isinstance(named.id, str) and isinstance(named.type, str):
                accounts.setdefault(named.id, Account(id=named.id, type=named.type))
    return tuple(accounts.values())


def _nothing_to_judge(contract: Contract, exchanges: list[Exchange], *, may_be_missing: bool) -> Note | None:
    """Why the first answers, taken together, show that there is nothing to judge."""
    answers = [exchange.answer for exchange in exchanges if exchange.answer is not None]
    if not answers:
        fault = exchanges[0].outcome
        detail = fault.detail if isinstance(fault, TransportFault) else ""
        if isinstance(fault, TransportFault) and fault.kind == "proxy":
            return stopped(f"the target was not asked: {detail}; is the proxy up, and target.proxy right?")
        return stopped(f"the target did not answer: {detail}; is it up, and target.base_url right?")
    statuses = {answer.status for answer in answers}
    if statuses == {401}:
        return stopped(
            "credentials: every request was answered 401; are the keys in the environment those of this target?"
        )
    if may_be_missing and is_endpoint_missing(contract, answers):
        return stopped(
            "endpoint not there: every request was answered "
            + " or ".join(str(status) for status in sorted(statuses))
            + " without the error envelope. The update is planned for a future release: this target may not have it "
            "yet, or target.base_url lacks a part of the path"
        )
    if any(answer.status >= 500 for answer in answers):
        return None
    if not any(isinstance(answer.json(), dict) for answer in answers):
        kind = (answers[0].header("content-type") or "no content type").split(";")[0]
        return stopped(f"what answers at target.base_url is not a JSON API: {answers[0].status} with {kind}")
    return None


def _no_rule_readable(
    contract: Contract, reads: Mapping[str, Exchange], statuses: set[int], profile: Profile
) -> Note | None:
    """The endpoint answers, and not one rule of the profile can be read."""
    rules = ", ".join(reads)
    enveloped = all(e.answer is not None and is_enveloped(contract, e.answer) for e in reads.values())
    if statuses == {404} and enveloped and not profile.permissions.no_restore:
        return stopped(
            f"the {contract.noun.plural} of the profile do not exist on the target ({rules}): every one was "
            "answered 404 in the error "
            f"envelope; `rules-harness doctor --target FILE` tells which {contract.noun.plural} and credentials fit"
        )
    if statuses == {401}:
        return stopped(
            f"credentials: reading the {contract.noun.plural} was answered 401; is credentials.full the right key?"
        )
    return None


def endpoint_missing(contract: Contract, exchanges: list[Exchange]) -> Note | None:
    """The note that ends a run in which the update itself is not there, although reads are."""
    answers = [exchange.answer for exchange in exchanges]
    if answers and all(
        answer is not None
        and answer.status in MISSING
        and not (answer.status == 404 and is_enveloped(contract, answer))
        for answer in answers
    ):
        return stopped(
            "endpoint not there: reads are answered and every update is not. The update is planned for a future "
            "release: this target may not have it yet"
        )
    return None


def is_endpoint_missing(contract: Contract, answers: Collection[Answer]) -> bool:
    """Whether all answers are those of a server that knows no such path."""
    return all(answer.status in MISSING for answer in answers) and not any(
        is_enveloped(contract, answer) for answer in answers
    )


def is_enveloped(contract: Contract, answer: Answer) -> bool:
    """Whether an answer has the error envelope, as far as its code."""
    return isinstance(answer.first_part(contract.names.error).get(contract.names.code), str)
