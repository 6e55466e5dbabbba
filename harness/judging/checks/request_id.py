"""The request identifier: echoed where the client sent one, made where it did not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules_harness.harness.exchange import Answer, Episode, Exchange
from rules_harness.harness.intent import RequestIdKind
from rules_harness.harness.judging.checks.common import (
    described,
    is_edge,
    is_refused_body,
    kept_or,
    kind_of_answer,
    may_be_of_another_run,
    run_by,
    short,
)
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.openapi.contract import Contract

Row = tuple[int, Exchange, Answer]
SIMILAR = 8
"""Characters that two identifiers must share before one counts as made from the other."""


def echo_header(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A client's X-Request-ID of up to 64 visible ASCII characters comes back, unchanged, in the answer's X-Request-ID;
    a second X-Request-ID header with another value breaks it."""
    for row in _rows(episode, contract, "plain"):
        if row[2].is_success:
            yield _header_echoes("request-id.echo-header", row, contract)


def echo_body(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A client's X-Request-ID of up to 64 visible ASCII characters comes back in `request_id` of a success too."""
    name = contract.names.request_id
    if name is None:
        return
    for position, exchange, answer in _rows(episode, contract, "plain"):
        if not answer.is_success or not answer.part(contract.names.data):
            continue
        sent, got = exchange.request.header(contract.names.request_id_header), answer.object().get(name)
        yield kept_or(
            sent == got,
            "request-id.echo-body",
            position,
            exchange,
            place=kind_of_answer(exchange, answer),
            kind="not echoed" if got is None else "another id",
            expected=f"{name} {short(sent)}",
            actual=short(got),
        )


def on_errors(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The X-Request-ID header is on 401, 403, 404 and validation refusals too, and echoes."""
    for row in _rows(episode, contract, "plain"):
        if _is_judged_error(row):
            yield _header_echoes("request-id.on-errors", row, contract)
    for position, exchange, answer in _rows(episode, contract, "none"):
        if _is_judged_error((position, exchange, answer)):
            yield kept_or(
                bool(answer.header(contract.names.request_id_header)),
                "request-id.on-errors",
                position,
                exchange,
                place=kind_of_answer(exchange, answer),
                kind=f"no header on {answer.status}",
                expected=f"{contract.names.request_id_header} on every answer",
                actual=f"{answer.status} without it",
            )


def generated(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Without a client's X-Request-ID, the server makes one: non-empty, the same in header and body."""
    for position, exchange, answer in _rows(episode, contract, "none"):
        content = answer.object()
        if not answer.is_success or not answer.part(contract.names.data):
            continue
        name, header = contract.names.request_id, answer.header(contract.names.request_id_header)
        body = header if name is None else content.get(name)
        problem = None
        if not header:
            problem = "no id in the header"
        elif not body:
            problem = "no id in the body"
        elif header != body:
            problem = "header and body differ"
        yield kept_or(
            problem is None,
            "request-id.generated",
            position,
            exchange,
            place=kind_of_answer(exchange, answer),
            kind=problem or "",
            expected="one generated id in header and body",
            actual=f"header {short(header)}, body {short(body)}",
        )


def unique(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Generated request ids differ from answer to answer."""
    seen: dict[str, int] = {}
    for position, exchange, answer in _rows(episode, contract, "none"):
        made = answer.header(contract.names.request_id_header) or answer.object().get(contract.names.request_id or "")
        if not isinstance(made, str) or not made:
            continue
        if made in seen:
            yield Violation(
                "request-id.unique",
                exchange.intent.operation,
                "the same id again",
                "an id that no other answer carries",
                f"{short(made)} on two answers",
                (seen[made], position),
            )
        elif seen:
            yield Kept("request-id.unique")
        seen.setdefault(made, position)


def hostile(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Longer, odd, repeated or non-ASCII ids are echoed exactly, replaced by a generated one, or refused with a 4xx;
    never altered, never a 5xx (white space at the ends is no part of the value, RFC 9110 5.5)."""
    header = contract.names.request_id_header
    for position, exchange, answer in _rows(episode, contract, "hostile"):
        sent = [value.strip(" \t") for name, value in exchange.request.headers if name.lower() == header.lower()]
        whole = {*sent, ",".join(sent), ", ".join(sent)}
        got = (answer.header(header) or "").strip(" \t")
        altered = bool(got) and got not in whole and any(_made_from(got, value) for value in sent)
        yield kept_or(
            answer.status < 500 and (answer.is_refusal or not altered),
            "request-id.hostile",
            position,
            exchange,
            kind="altered" if altered else f"answered {answer.status}",
            expected="the id exactly, a generated one, or a 4xx",
            actual=f"{answer.status} with {short(got)}" if altered else described(contract, answer),
        )


def _rows(episode: Episode, contract: Contract, kind: RequestIdKind) -> Iterator[Row]:
    """Answers that the family judges: neither replays, also of what another run sent, nor an edge's own."""
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if intent.request_id_kind != kind or intent.group is not None:
            continue
        if intent.repeats is not None or exchange.may_replay_itself:
            continue
        is_ours = not is_edge(contract, exchange, answer) and not may_be_of_another_run(intent)
        if intent.operation in ("update", "read") and is_ours:
            yield position, exchange, answer


def _header_echoes(requirement: str, row: Row, contract: Contract) -> Judgement:
    position, exchange, answer = row
    name = contract.names.request_id_header
    sent, got = exchange.request.header(name), answer.header_values(name)
    problem = "not echoed" if not got else "another id"
    if not answer.is_success:
        problem += f" on {answer.status}"
    return kept_or(
        set(got) == {sent},
        requirement,
        position,
        exchange,
        place=kind_of_answer(exchange, answer),
        kind=problem,
        expected=f"{name}: {short(sent)}",
        actual=f"{answer.status} with {short(list(got))}",
    )


def _is_judged_error(row: Row) -> bool:
    _, exchange, answer = row
    return answer.status in (401, 403, 404) or is_refused_body(exchange.intent, answer)


def _made_from(got: str, sent: str) -> bool:
    """Whether an id looks like the client's, altered, and not like one the server made."""
    left, right = (re.sub(r"[^a-z0-9]", "", value.lower()) for value in (got, sent))
    return min(len(left), len(right)) >= SIMILAR and (left in right or right in left)


CHECKS = run_by(
    ("request-id.echo-header", echo_header),
    ("request-id.echo-body", echo_body),
    ("request-id.generated", generated),
    ("request-id.unique", unique),
    ("request-id.on-errors", on_errors),
    ("request-id.hostile", hostile),
)
