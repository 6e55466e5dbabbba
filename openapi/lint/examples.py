"""Examples: against their schemas, against the status that they illustrate, against what the prose says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs

from rules_harness.openapi.document import standalone
from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.openapi.lint.subject import Piece, Subject

SCHEMA: Final = LintRule("example-schema", "error", "An example satisfies its schema.")
STATUS: Final = LintRule("example-status", "warning", "An error's example is one of its own status.")
PROSE: Final = LintRule("example-prose", "warning", "An example shows what the prose says.")

_OWN_STATUS: Final = (
    (re.compile(r"not.?found", re.IGNORECASE), {"404", "410"}),
    (re.compile(r"unauthori[sz]ed|unauthenticated|invalid.?token", re.IGNORECASE), {"401"}),
    (re.compile(r"forbidden|access.?denied|permission.?denied", re.IGNORECASE), {"403"}),
    (re.compile(r"too.?many.?requests|rate.?limit", re.IGNORECASE), {"429"}),
    (re.compile(r"internal.?(?:server.?)?error", re.IGNORECASE), {"500"}),
)
"""What a code says, and the statuses under which it says it."""
_CODE: Final = re.compile(r"[A-Za-z]+(?:[_.-][A-Za-z]+)*")
_BECOMES: Final = re.compile(
    r"\b(?:set(?:s|ting)?|reset(?:s)?|turn(?:s|ed)?|chang(?:e|es|ed)|mov(?:e|es|ed))\b[^.;]{0,40}? to [`'\"]?(\w+)"
    r"|\bbecomes [`'\"]?(\w+)",
    re.IGNORECASE,
)


def against_schemas(subject: Subject) -> Iterator[Notice]:
    """Each example that its schema does not allow, with the first reason."""
    for part in (*subject.parameters(), *subject.bodies()):
        schema = part.node.get("schema")
        if not isinstance(schema, dict):
            continue
        for place, value in subject.examples(part):
            try:
                judge = jsonschema_rs.Draft202012Validator(standalone(subject.document, schema), validate_formats=True)
                flaw = next(judge.iter_errors(value), None)
            except (ValueError, TypeError) as error:
                yield Notice(SCHEMA, part.place + "/schema", f"the schema cannot be used: {_line(str(error))}")
                break
            if flaw is not None:
                inner = "/".join(map(str, flaw.instance_path))
                yield Notice(SCHEMA, place, f"{inner or 'the example'}: {_line(flaw.message)}")


def of_another_status(subject: Subject) -> Iterator[Notice]:
    """Each code in an error's example that is the code of another status."""
    for status, answer in subject.responses().items():
        for media in subject.media(answer) if status[:1] in "45" else ():
            for place, value in subject.examples(media):
                for code in _codes(value):
                    wanted = next((fits for pattern, fits in _OWN_STATUS if pattern.fullmatch(_last(code))), None)
                    if wanted and status not in wanted:
                        codes = " or ".join(sorted(wanted))
                        yield Notice(
                            STATUS, place, f"the {status} is illustrated with {code!r}, which is said of a {codes}"
                        )


def against_prose(subject: Subject) -> Iterator[Notice]:
    """Each field of a success's example that has another value than the prose says that it is set to."""
    outcomes = {
        word for _, sentence in subject.prose() for match in _BECOMES.findall(sentence) for word in match if word
    }
    for status, answer in subject.responses().items():
        for media in subject.media(answer) if status[:1] == "2" else ():
            schema = subject.under(media, "schema")
            for place, example in subject.examples(media):
                for name, field, value in subject.valued(schema, example):
                    said = outcomes & set(_texts(field))
                    if said and isinstance(value, str) and value not in said:
                        states = " or ".join(sorted(said))
                        yield Notice(
                            PROSE, place, f"{name} is {value!r}, and the prose says that it is set to {states!r}"
                        )


def _texts(field: Piece) -> list[str]:
    values = field.node.get("enum")
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _codes(value: Any) -> Iterator[str]:
    """The texts of a value that look like codes."""
    if isinstance(value, str):
        if _CODE.fullmatch(value):
            yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _codes(inner)


def _last(code: str) -> str:
    """A code without what it is about: `resource_not_found` is `not_found`."""
    words = re.split(r"[_.-]", code)
    return "_".join(words[-2:]) if len(words) > 1 else code


def _line(text: str) -> str:
    return json.dumps(" ".join(text.split())[:300], ensure_ascii=False)[1:-1]
