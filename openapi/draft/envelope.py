"""What answers are wrapped in: where a success has the resource, and where an error says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rules_harness.openapi.draft.proposal import Proposal, first, role
from rules_harness.openapi.draft.request import place_of_field
from rules_harness.openapi.lint.subject import Piece, Subject

_CODE: Final = ("code", "errorcode", "type", "errortype", "error")
_MESSAGE: Final = ("message", "detail", "description", "title", "errordescription", "errormessage")
_REQUEST_ID: Final = ("requestid", "traceid", "correlationid", "transactionid")
_CODES: Final = {"unauthorized": "401", "forbidden": "403", "not-found": "404"}


def envelope(subject: Subject) -> Iterator[Proposal]:
    """The parts of a success, then those of an error."""
    answer = success_of(subject)
    if answer is not None:
        fields = subject.fields(answer)
        wrapper = wrapped_in(subject, answer)
        if wrapper is not None:
            reason = "of the answer's parts it has most of what the request's body has"
            yield role(place_of_field(subject, answer, wrapper), "data", reason)
        identifier = first(fields, *_REQUEST_ID)
        if identifier is not None:
            yield role(place_of_field(subject, answer, identifier), "request-id", f"it is called {identifier}")
    yield from _error(subject)


def success_of(subject: Subject) -> Piece | None:
    """The schema of what answers an update that was accepted."""
    answers = (answer for status, answer in sorted(subject.responses().items()) if status.startswith("2"))
    schemas = (subject.under(media, "schema") for answer in answers for media in subject.media(answer))
    return next((schema for schema in schemas if schema.node), None)


def body_of(subject: Subject) -> Piece | None:
    """The schema of the request's body."""
    media = subject.media(subject.under(subject.part, "requestBody"))
    return next((schema for part in media if (schema := subject.under(part, "schema")).node), None)


def wrapped_in(subject: Subject, answer: Piece) -> str | None:
    """The field of an answer that holds the resource; ``None`` where the answer is the resource itself."""
    body = body_of(subject)
    sent = set(subject.fields(body)) if body is not None else set()
    fields = subject.fields(answer)
    shared = {name: len(sent & set(subject.fields(field))) for name, field in fields.items()}
    best = max(shared, key=lambda name: shared[name], default=None)
    return best if best is not None and shared[best] > len(sent & set(fields)) else None


def _error(subject: Subject) -> Iterator[Proposal]:
    for status, answer in sorted(subject.responses().items()):
        for media in subject.media(answer) if status[:1] == "4" else ():
            schema = subject.under(media, "schema")
            for name, field in subject.fields(schema).items():
                inner = subject.under(field, "items") if "items" in field.node else field
                code = first(subject.fields(inner), *_CODE)
                if code is None:
                    continue
                message = first((field for field in subject.fields(inner) if field != code), *_MESSAGE)
                yield role(place_of_field(subject, schema, name), "error", f"the {status} says in it what is wrong")
                codes = {kind: _shown(subject, number, code) for kind, number in _CODES.items()}
                reason = f"it is called {code}; the values are those of the examples where there are any"
                yield role(place_of_field(subject, inner, code), "code", reason, **{"x-codes": codes})
                if message is not None:
                    yield role(place_of_field(subject, inner, message), "message", f"it is called {message}")
                return


def _shown(subject: Subject, status: str, name: str) -> str:
    """What an example of this status has under a name, wherever it stands in it."""
    answer = subject.responses().get(status)
    for media in subject.media(answer) if answer is not None else ():
        for _, example in subject.examples(media):
            example_value = next(_under(example, name), None)
            if isinstance(example_value, str):
                return example_value
    return {"401": "unauthorized", "403": "forbidden", "404": "not_found"}[status]


def _under(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if name in value:
            yield value[name]
        for inner in value.values():
            yield from _under(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _under(inner, name)
