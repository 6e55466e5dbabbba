"""What every answer looks like: envelopes, codes, content type, nothing that leaks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from rules_harness.harness.exchange import Answer, Episode, Exchange, TransportFault
from rules_harness.harness.judging.checks.common import (
    EDGE_STATUSES,
    described,
    executed,
    is_edge,
    is_refused_body,
    kept_or,
    kind_of_answer,
    kind_of_error,
    leads_elsewhere,
    run_by,
    short,
    updates,
    where,
)
from rules_harness.harness.judging.checks.strictness import strict_problem
from rules_harness.harness.judging.outcome import Judgement, Kept, Violation
from rules_harness.harness.judging.states import sent_body
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.shapes import shapes_of

DOCUMENTED = frozenset({200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 417, 422, 429, 431})
CODED = {401: "unauthorized", 403: "forbidden", 404: "not_found"}


def success(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """A success is a JSON object with `request_id` (non-empty string) and `data` (object), and no `error`."""
    names = contract.names
    for position, exchange, answer in episode.answered:
        if not answer.is_success or exchange.intent.operation not in ("update", "read"):
            continue
        content = answer.json()
        problem = None
        if content is None and answer.is_too_deep:
            continue
        if not isinstance(content, dict):
            problem = "no JSON object"
        elif names.request_id is not None and not _text(content.get(names.request_id)):
            problem = f"no {names.request_id}"
        elif not isinstance(content.get(names.data), dict):
            problem = f"no {names.data} object"
        elif content.get(names.error) is not None:
            problem = f"{names.error} in a success"
        if problem is None:
            yield Kept("envelope.success")
        else:
            yield Violation(
                "envelope.success",
                exchange.intent.operation,
                problem,
                f"an object with {' and '.join(filter(None, (names.request_id, names.data)))}, without {names.error}",
                described(contract, answer),
                (position,),
            )


def rule_schema(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """After a valid body, the `data` of a success satisfies the schema of a rule, server-made fields included; further
    fields are allowed."""
    validator = _rule_validator(contract)
    for position, exchange, answer in executed(episode):
        data = answer.part(contract.names.data)
        if exchange.intent.body != "valid" or not data:
            continue
        problem = next(iter(validator.iter_errors(data)), None)
        if problem is None:
            yield Kept("envelope.rule-schema")
            continue
        place = _place(problem.instance_path)
        yield Violation(
            "envelope.rule-schema",
            place,
            "not as the schema says",
            f"data that satisfies the schema of {contract.noun.with_article}",
            f"{place}: {short(problem.message, 200)}",
            (position,),
        )


def success_status(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """An accepted update answers 200."""
    for position, exchange, answer in updates(episode):
        if answer.is_success and exchange.intent.existence == "own":
            yield kept_or(
                answer.status == 200,
                "envelope.success-status",
                position,
                exchange,
                place=kind_of_answer(exchange, answer),
                kind=f"answered {answer.status}",
                expected="200",
                actual=described(contract, answer),
            )


def error(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Every 401, 403, 404 and refusal of a body (malformed JSON included) is a JSON object with `error.code` and
    `error.message`, both non-empty strings, and no `data`."""
    names = contract.names
    for position, exchange, answer in episode.answered:
        if not _is_error_of_ours(contract, exchange, answer):
            continue
        content = answer.json()
        part = answer.first_part(names.error) if names.lists_errors else answer.part(names.error)
        problem = None
        if not isinstance(content, dict) or not part:
            problem = f"no {names.error} object"
        elif not _text(part.get(names.code)):
            problem = f"no {names.error}.{names.code}"
        elif not _text(part.get(names.message)):
            problem = f"no {names.error}.{names.message}"
        elif content.get(names.data) is not None:
            problem = f"{names.data} in an error"
        if problem is None:
            yield Kept("envelope.error")
        else:
            yield Violation(
                "envelope.error",
                kind_of_error(exchange, answer),
                problem,
                f"an object with {names.error}.{names.code} and {names.error}.{names.message}, without {names.data}",
                described(contract, answer),
                (position,),
            )


def error_code(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """401 carries `unauthorized`, 403 `forbidden`, 404 `resource_not_found`."""
    names = contract.names
    for position, exchange, answer in episode.answered:
        if answer.status not in CODED or not _is_error_of_ours(contract, exchange, answer):
            continue
        code = answer.first_part(names.error).get(names.code)
        if not _text(code):
            continue
        expected = getattr(names, CODED[answer.status])
        yield (
            Kept("envelope.error-code")
            if code == expected
            else Violation(
                "envelope.error-code",
                kind_of_error(exchange, answer),
                f"{short(code, 60)} for {answer.status}",
                f"{answer.status} with code {expected}",
                described(contract, answer),
                (position,),
            )
        )


def not_found_names_id(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """The 404 for a rule names in its message the id that was asked for."""
    names = contract.names
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if answer.status != 404 or intent.existence != "unknown" or intent.access != "allowed" or not intent.rule:
            continue
        message = answer.first_part(names.error).get(names.message)
        if isinstance(message, str):
            yield kept_or(
                intent.rule in message,
                "envelope.not-found-names-id",
                position,
                exchange,
                place=kind_of_answer(exchange, answer),
                kind="id not in the message",
                expected=f"a message that names {intent.rule}",
                actual=short(message),
            )


def content_type(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Every JSON answer is sent as `application/json`."""
    for position, exchange, answer in episode.answered:
        if not isinstance(answer.json(), dict):
            continue
        if is_edge(contract, exchange, answer):
            continue
        media_type = (answer.header("content-type") or "").split(";")[0].strip().lower()
        if media_type == "application/json":
            yield Kept("envelope.content-type")
        else:
            yield Violation(
                "envelope.content-type",
                kind_of_answer(exchange, answer),
                f"sent as {media_type or 'nothing'}",
                "Content-Type: application/json",
                f"{answer.status} with Content-Type {short(answer.header('content-type'))}",
                (position,),
            )


def no_server_error(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No input leads to a 5xx."""
    for position, exchange in enumerate(episode.exchanges):
        outcome = exchange.outcome
        if isinstance(outcome, TransportFault):
            continue
        # There need not be a companion to read with, and then a proxy may say so.
        is_unsupported = _is_odd(exchange) or exchange.intent.operation == "read"
        by_an_edge = (outcome.status in (501, 505) and is_unsupported) or (
            outcome.status == 503 and outcome.header("retry-after") is not None
        )
        if outcome.status < 500 or by_an_edge:
            yield Kept("envelope.no-server-error")
            continue
        # What carries nothing to look into leaves no field out either.
        body = sent_body(exchange)
        yield Violation(
            "envelope.no-server-error",
            where(exchange),
            f"answered {outcome.status}",
            "an answer below 500",
            described(contract, outcome),
            (position,),
            features=tuple(sorted(shapes_of(contract, body))) if body else (),
        )


def well_formed(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Answers are valid UTF-8 JSON: no duplicate names, no NaN, not cut off."""
    for position, exchange, answer in episode.answered:
        media_type = (answer.header("content-type") or "").split(";")[0].strip().lower()
        if media_type != "application/json" or answer.status in EDGE_STATUSES:
            continue
        problem = strict_problem(answer.body.content)
        if problem is None:
            yield Kept("envelope.well-formed")
        else:
            yield Violation(
                "envelope.well-formed",
                kind_of_answer(exchange, answer),
                problem[0],
                "valid UTF-8 JSON (RFC 8259)",
                problem[1],
                (position,),
            )


def documented_status(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """No status outside 200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 417, 422, 429, 431, the edges' own, and 3xx
    to odd ids."""
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if answer.status >= 500 or intent.operation in ("trigger", "other"):
            continue
        if intent.requirement == "http.headers" and answer.is_refusal:
            continue
        is_odd = intent.existence == "odd" or leads_elsewhere(contract, exchange, answer)
        allowed = answer.status in DOCUMENTED or (is_odd and answer.status < 400)
        yield kept_or(
            allowed,
            "envelope.documented-status",
            position,
            exchange,
            place=kind_of_answer(exchange, answer),
            kind=f"answered {answer.status}",
            expected="one of " + ", ".join(str(status) for status in sorted(DOCUMENTED)),
            actual=described(contract, answer),
        )


def code_stable(episode: Episode, contract: Contract) -> Iterator[Judgement]:
    """Within a run, one kind of fault is always answered with one status and one error code."""
    names = contract.names
    seen: dict[Any, tuple[int, int, Any]] = {}
    for position, exchange, answer in episode.answered:
        intent = exchange.intent
        if not answer.is_refusal or intent.key is not None:
            continue
        code = answer.first_part(names.error).get(names.code)
        oddity = (intent.label, intent.place, intent.violation, intent.open_feature)
        # What else is in a body may be at fault too: only the same body has the same fault for certain.
        kind = (intent.operation, intent.caller, intent.rule, *oddity, exchange.request.body)
        if kind not in seen:
            seen[kind] = (position, answer.status, code)
            continue
        first, status, first_code = seen[kind]
        if (status, first_code) == (answer.status, code):
            yield Kept("envelope.code-stable")
        else:
            yield Violation(
                "envelope.code-stable",
                where(exchange),
                "answered in two ways",
                f"{status} {short(first_code)} again",
                described(contract, answer),
                (first, position),
            )


def _is_error_of_ours(contract: Contract, exchange: Exchange, answer: Answer) -> bool:
    """Whether the application, not an edge, refused; only then is it held to the envelope."""
    intent = exchange.intent
    if is_edge(contract, exchange, answer) or intent.operation not in ("update", "read"):
        return False
    return answer.status in CODED or is_refused_body(intent, answer)


def _is_odd(exchange: Exchange) -> bool:
    """Odd methods and malformed HTTP, which a server may refuse with 501 or 505 without looking further."""
    return exchange.request.raw or exchange.intent.operation == "other"


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _place(path: list[str | int]) -> str:
    return "/" + "/".join("*" if isinstance(part, int) else part for part in path)


@lru_cache(maxsize=4)
def _rule_validator(contract: Contract) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(contract.standalone(contract.rule_schema), validate_formats=True)


CHECKS = run_by(
    ("envelope.success", success),
    ("envelope.rule-schema", rule_schema),
    ("envelope.success-status", success_status),
    ("envelope.error", error),
    ("envelope.error-code", error_code),
    ("envelope.not-found-names-id", not_found_names_id),
    ("envelope.content-type", content_type),
    ("envelope.no-server-error", no_server_error),
    ("envelope.well-formed", well_formed),
    ("envelope.documented-status", documented_status),
    ("envelope.code-stable", code_stable),
)
