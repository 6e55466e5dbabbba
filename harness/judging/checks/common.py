"""What the checks of all families share: walking an episode, telling answers apart, wording what was seen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.intent import Intent
from rules_harness.harness.judging.equality import Difference, differences_of_rules, same_instant
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.harness.judging.states import state_shown
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.idempotency_keys import form_of

CheckFunction = Callable[[Episode, Contract], Iterator[Judgement]]

EDGE_STATUSES = frozenset({413, 414, 417, 431})
"""What a proxy or an HTTP server answers by itself; not held to the envelope or the request id."""
BODY_DEFECTS = frozenset({"broken", "syntax", "encoding", "media-type", "size", "foreign-account"})


class Check(msgspec.Struct, frozen=True):
    """A generator that judges an episode, and the requirements and readings that it speaks about."""

    about: tuple[str, ...]
    judge: CheckFunction


class Span(msgspec.Struct, frozen=True):
    """A rule between two moments at which its state is known, and what was sent to it in between."""

    rule: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    between: tuple[int, ...]
    read_at: int
    known_at: int
    """Where the state before was read; -1 where it was known from the first."""


def updates(episode: Episode) -> Iterator[tuple[int, Exchange, Answer]]:
    """Every answered update that is judged: not what only puts back or contains."""
    for position, exchange, answer in episode.answered:
        if exchange.intent.operation == "update":
            yield position, exchange, answer


def executed(episode: Episode) -> Iterator[tuple[int, Exchange, Answer]]:
    """Every rightful, successful update that was sent for the first time, so that its answer shows its own body.

    One with a key so short that an earlier run may have used it is none: the answer may be that run's.
    """
    for position, exchange, answer in updates(episode):
        intent = exchange.intent
        if may_be_of_another_run(intent):
            continue
        is_rightful = intent.access in ("allowed", "open") and intent.existence in ("own", "foreign")
        if answer.is_success and is_rightful and intent.repeats is None and intent.group is None:
            yield position, exchange, answer


def may_be_of_another_run(intent: Intent) -> bool:
    """Whether the key of a request is so short that the answer may be one that another run was given."""
    return intent.key is not None and form_of(intent.key) == "short"


def leads_elsewhere(contract: Contract, exchange: Exchange, answer: Answer) -> bool:
    """Whether the path is another spelling of its rule's, and the answer may say that it leads nowhere or elsewhere."""
    is_other = exchange.request.target != contract.update.path_for(exchange.intent.rule)
    return is_other and (answer.is_refusal or 300 <= answer.status < 400)


def is_gone(contract: Contract, exchange: Exchange) -> bool:
    """Whether a rightful read of a rule of one's own, at its path, says that there is none."""
    intent, answer = exchange.intent, exchange.answer
    is_own = (intent.operation, intent.access, intent.existence) == ("read", "allowed", "own")
    is_none = answer is not None and answer.status in (404, 410)
    return is_own and is_none and exchange.request.target == contract.update.path_for(intent.rule)


def is_edge(contract: Contract, exchange: Exchange, answer: Answer) -> bool:
    """Whether this may be the own answer of the HTTP server, a proxy or the framework, to what it cannot parse or does
    not know."""
    intent = exchange.intent
    if answer.status in EDGE_STATUSES or answer.status in (501, 502, 504, 505):
        return True
    if intent.operation == "other" or intent.existence == "odd" or (exchange.request.raw and answer.status == 400):
        return True
    return answer.status != 401 and leads_elsewhere(contract, exchange, answer)


def is_disguised(contract: Contract, answer: Answer) -> bool:
    """Whether a success says in its body that it is an error."""
    content = answer.object()
    names = contract.names
    return answer.is_success and content.get(names.error) is not None and content.get(names.data) is None


def is_refused_body(intent: Intent, answer: Answer) -> bool:
    """Whether an answer is the refusal of a body, and of nothing else: not that of a key that was used before."""
    is_rightful_update = intent.operation == "update" and intent.access == "allowed" and intent.existence == "own"
    return is_rightful_update and answer.is_refusal and intent.body != "valid" and intent.repeats is None


def state_of(contract: Contract, exchange: Exchange) -> Mapping[str, Any] | None:
    """The state of a rule that a successful read shows; none for a read that was released together with writes."""
    return state_shown(contract, exchange) if exchange.intent.group is None else None


def spans(episode: Episode, contract: Contract) -> Iterator[Span]:
    """The stretches of an episode between two known states of a rule."""
    known: dict[str, Mapping[str, Any]] = dict(episode.facts.before)
    since: dict[str, list[int]] = {}
    read_at: dict[str, int] = {}
    for position, exchange in enumerate(episode.exchanges):
        rule = exchange.intent.rule
        if exchange.intent.operation != "read":
            since.setdefault(rule, []).append(position)
            continue
        state = state_of(contract, exchange)
        if state is None:
            continue
        if rule in known:
            yield Span(rule, known[rule], state, tuple(since.get(rule, ())), position, read_at.get(rule, -1))
        known[rule], read_at[rule] = state, position
        since[rule] = []


def texts_in(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a state, however deep, with where it stands."""
    waiting = [("", value)]
    while waiting:
        at, current = waiting.pop()
        if isinstance(current, str):
            yield at, current
        elif isinstance(current, Mapping | list):
            members = current.items() if isinstance(current, Mapping) else enumerate(current)
            waiting += reversed([(f"{at}/{name}", inner) for name, inner in members])


def changed_fields(contract: Contract, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Where two states of one rule differ, apart from the time of the last update."""
    differences = list(differences_of_rules(contract, before, after))
    for name in (contract.names.id, contract.names.created_at):
        left, right = before.get(name), after.get(name)
        if left != right and not same_instant(left, right):
            differences.append(Difference(f"/{name}", "changed", left, right))
    return differences


def all_changes(contract: Contract, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Where two states of one rule differ, the time of the last update included."""
    name = contract.names.updated_at
    left, right = before.get(name), after.get(name)
    moved = [] if left == right or same_instant(left, right) else [Difference(f"/{name}", "changed", left, right)]
    return [*changed_fields(contract, before, after), *moved]


def unchanged(
    episode: Episode, contract: Contract, requirement: str, selects: Callable[[Exchange, Answer], bool]
) -> Iterator[Judgement]:
    """Judges that a rule stayed as it was over every stretch in which nothing but the selected requests was sent."""
    for span in spans(episode, contract):
        sent = [episode.exchanges[position] for position in span.between]
        if not sent or not all(isinstance(e.outcome, Answer) and selects(e, e.outcome) for e in sent):
            continue
        changed = all_changes(contract, span.before, span.after)
        places = sorted({exchange.intent.place or exchange.intent.label for exchange in sent})
        if not changed:
            yield Kept(requirement)
            continue
        yield Violation(
            requirement,
            place=places[0] if len(places) == 1 else "several requests",
            kind="changed",
            expected=f"the {contract.noun} as it was before",
            actual="; ".join(told(difference) for difference in changed[:3]),
            shown_by=(*span.between, span.read_at),
            compares_states=True,
        )


def told(difference: Difference) -> str:
    """A difference in words."""
    if difference.kind == "length":
        return f"{difference.place} has {difference.got} entries instead of {difference.sent}"
    if difference.kind == "order":
        return f"{difference.place} has its entries in another order"
    got, sent = short(difference.got), short(difference.sent)
    if _as_seen(got) == _as_seen(sent):
        got, sent = (text.encode("ascii", "backslashreplace").decode() for text in (got, sent))
    return f"{difference.place} is {got} instead of {sent}"


def _as_seen(text: str) -> str:
    """What a person sees of a text: one form of each letter, and nothing that takes no ink."""
    visible = (letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    return "".join("".join(visible).split())


def short(value: Any, limit: int = 120) -> str:
    """A JSON value as a person reads it, cut where it is long."""
    try:
        text = msgspec.json.encode(value).decode("utf-8")
    except RecursionError:
        text = "what is nested too deeply to be shown"
    except (UnicodeEncodeError, TypeError, OverflowError, msgspec.MsgspecError):
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def described(contract: Contract, answer: Answer) -> str:
    """An answer in words: its status, and the error's code and message or the state it shows."""
    names = contract.names
    if error := answer.first_part(names.error):
        return f"{answer.status} {short(error.get(names.code), 60)}: {short(error.get(names.message), 120)}"
    if data := answer.part(names.data):
        return f"{answer.status}, status {short(data.get(names.status), 40)}"
    return f"{answer.status} {short(answer.body.text if answer.body.text is not None else '(binary)', 120)}"


def where(exchange: Exchange) -> str:
    """The place of a violation that a whole request shows: what is odd in it, else the operation."""
    intent = exchange.intent
    return intent.place or intent.label or intent.operation


def kind_of_error(exchange: Exchange, answer: Answer) -> str:
    """Errors of one sort share one place, so that a broken envelope is told once and not per mutation."""
    intent = exchange.intent
    if intent.access in ("allowed", "open") and intent.body in BODY_DEFECTS:
        return f"{intent.body} body"
    return f"{answer.status} to {intent.operation}"


def kind_of_answer(exchange: Exchange, answer: Answer) -> str:
    """The sort of an answer: that of the error, or the operation that succeeded."""
    return exchange.intent.operation if answer.is_success else kind_of_error(exchange, answer)


def kept_or(
    condition: bool,
    requirement: str,
    position: int,
    exchange: Exchange,
    *,
    kind: str,
    expected: str,
    actual: str,
    place: str = "",
) -> Judgement:
    """`Kept` where the condition holds, else the violation that one exchange shows; see `where` for the place."""
    if condition:
        return Kept(requirement)
    return Violation(requirement, place or where(exchange), kind, expected, actual, (position,))


def run_by(*rows: tuple[str | tuple[str, ...], CheckFunction]) -> tuple[Check, ...]:
    """A family's table of checks: what each speaks about, and the generator.

    A check of one requirement begins with its sentence, one of a reading with its question.
    """
    return tuple(Check((about,) if isinstance(about, str) else about, function) for about, function in rows)
