"""What the prose promises and the schemas do not say, so that no machine can hold anybody to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.openapi.lint.subject import Piece, Subject

FIELD: Final = LintRule("prose-field", "warning", "A field that the prose says answers carry is in each of them.")
HEADER: Final = LintRule("prose-header", "warning", "A header that the prose says answers carry is declared for each.")
BOUND: Final = LintRule("prose-bound", "warning", "A bound that the prose gives is one of the schema.")
VALUES: Final = LintRule("prose-values", "warning", "Values that the prose lists are those of the schema.")
DATES: Final = LintRule("prose-date", "warning", "What the prose says is a date has the format of one.")

_ANSWERS: Final = re.compile(r"\b(?:response|answer|echo|returned)", re.IGNORECASE)
_FIELD: Final = re.compile(r"`([\w-]+)`(?: body)?(?: response)? (?:field|property|attribute)")
_HEADER: Final = re.compile(r"`([\w-]+)`(?: response)? header")
_BOUND: Final = re.compile(
    r"\b(?:at most|up to|no more than|maximum(?: length)?(?: of)?|max\.?|not exceed(?:ing)?) (\d[\d,_]*)\b",
    re.IGNORECASE,
)
_ONE_OF: Final = re.compile(r"\b(?:one of|either|can be|must be)\b((?:[\s,:]|\bor\b|`[^`]+`)+)", re.IGNORECASE)
_DATE: Final = re.compile(r"\b(?:ISO[ -]?8601|RFC[ -]?3339|timestamp in UTC)\b", re.IGNORECASE)
Has = Callable[[Subject, Piece, str], bool]
_LIMITS: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "pattern", "const", "enum")


def promised_fields(subject: Subject) -> Iterator[Notice]:
    """Each field that a sentence says is in the answers, and that some of them have in no schema."""
    yield from _promised(subject, FIELD, _FIELD, _has_field)


def promised_headers(subject: Subject) -> Iterator[Notice]:
    """Each header that a sentence says is on the answers, and that some of them do not declare."""
    yield from _promised(subject, HEADER, _HEADER, _has_header)


def _promised(subject: Subject, rule: LintRule, pattern: re.Pattern[str], has: Has) -> Iterator[Notice]:
    place = subject.part.place + "/responses"
    for _, sentence in subject.prose():
        for name in pattern.findall(sentence) if _ANSWERS.search(sentence) else ():
            lacking = [status for status, answer in subject.responses().items() if not has(subject, answer, name)]
            if lacking:
                yield Notice(rule, place, f"{name!r} is promised for answers, and {', '.join(lacking)} lack it")


def _has_field(subject: Subject, answer: Piece, name: str) -> bool:
    schemas = [subject.under(media, "schema") for media in subject.media(answer)]
    return not any(schema.node for schema in schemas) or any(name in subject.fields(schema) for schema in schemas)


def _has_header(subject: Subject, answer: Piece, name: str) -> bool:
    headers = answer.node.get("headers")
    return isinstance(headers, dict) and name.lower() in map(str.lower, headers)


def bounds(subject: Subject) -> Iterator[Notice]:
    """Each number that a field's description gives as its most, where the schema gives none."""
    for field in _described(subject):
        for number in _BOUND.findall(field.text()):
            if not any(limit in field.node for limit in _LIMITS):
                yield Notice(BOUND, field.place, f"the prose says at most {number}, and the schema has no bound")


def values(subject: Subject) -> Iterator[Notice]:
    """Each value that a field's description lists, where the schema lists none or others."""
    for field in _described(subject):
        for listed in _ONE_OF.findall(field.text()):
            named = re.findall(r"`([^`]+)`", listed)
            known = {str(value) for value in field.node.get("enum", ())} | {str(field.node.get("const"))}
            lacking = [value for value in named if value.strip("\"'") not in known]
            if len(named) > 1 and lacking:
                yield Notice(VALUES, field.place, f"the prose lists {', '.join(lacking)}, and the schema does not")


def dates(subject: Subject) -> Iterator[Notice]:
    """Each text that is described as a date and may be anything."""
    for field in _described(subject):
        kinds = field.node.get("type")
        is_text = kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
        if is_text and _DATE.search(field.text()) and not {"format", "pattern", "enum"} & set(field.node):
            yield Notice(DATES, field.place, "the prose says that it is a date, and the schema takes any text")


def _described(subject: Subject) -> Iterator[Piece]:
    """The schemas of all fields of request and answers, and of the parameters with what is said of these."""
    for media in subject.bodies():
        for _, field in subject.all_fields(subject.under(media, "schema")):
            yield field
    for parameter in subject.parameters():
        schema = subject.under(parameter, "schema")
        yield Piece(schema.place, {**schema.node, "description": parameter.text() + "\n" + schema.text()})
