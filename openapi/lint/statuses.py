"""Statuses: each with what it carries, a refusal among them, and none that only the prose names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.openapi.lint.subject import Subject, documented

SCHEMA: Final = LintRule("status-schema", "warning", "Each status says what its answer looks like.")
REFUSAL: Final = LintRule("status-refusal", "question", "There is a status for a body that is refused.")
PROSE: Final = LintRule("status-prose", "warning", "What the prose says is answered is among the answers.")

_WITHOUT_BODY: Final = ("204", "205", "304", "1", "3")
_REFUSALS: Final = ("400", "422", "4XX", "default")
_NAMED: Final = re.compile(
    r"\b(?:returns?|responds? with|answers?(?: with)?|status(?: code)?|HTTP)(?: an?)? ([1-5]\d\d)\b", re.IGNORECASE
)


def without_schema(subject: Subject) -> Iterator[Notice]:
    """Each answer with a body, as far as anybody can tell, and no schema."""
    for status, answer in subject.responses().items():
        if status.startswith(_WITHOUT_BODY) or subject.operation.method == "head":
            continue
        media = list(subject.media(answer))
        if not media:
            yield Notice(SCHEMA, answer.place, f"the {status} has no content; 204 is the status of an answer without")
        for part in media:
            if not isinstance(part.node.get("schema"), dict | bool):
                yield Notice(SCHEMA, part.place, f"the {status} has no schema")


def without_refusal(subject: Subject) -> Iterator[Notice]:
    """An operation that takes a body and says nowhere what answers one that it does not take."""
    answers = subject.responses()
    if not subject.under(subject.part, "requestBody").node:
        return
    if not any(status in answers and documented(answers[status]) for status in _REFUSALS):
        inferred = [status for status in _REFUSALS if status in answers]
        known = f"; {', '.join(inferred)} is inferred" if inferred else ""
        yield Notice(REFUSAL, subject.part.place, f"no status is documented for a body that is refused{known}")


def in_prose_alone(subject: Subject) -> Iterator[Notice]:
    """Each status that a sentence says is answered, and that the operation does not list."""
    listed = set(subject.responses())
    for part, sentence in subject.prose():
        for status in _NAMED.findall(sentence):
            if not {status, f"{status[0]}XX", "default"} & listed:
                yield Notice(PROSE, part.place, f"{status} is in the prose, and not among the answers: {sentence!r}")
