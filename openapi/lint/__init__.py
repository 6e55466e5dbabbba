"""What a document leaves open, promises in prose alone, or contradicts: to be settled before anybody is held to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rules_harness.openapi.lint import examples, prose, questions, statuses
from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.openapi.lint.subject import Subject, subjects
from rules_harness.openapi.modern import modern

__all__ = ["RULES", "LintRule", "Notice", "lint"]

_TABLE: Final[tuple[tuple[LintRule, Callable[[Subject], Iterable[Notice]]], ...]] = (
    (examples.SCHEMA, examples.against_schemas),
    (examples.STATUS, examples.of_another_status),
    (examples.PROSE, examples.against_prose),
    (statuses.SCHEMA, statuses.without_schema),
    (statuses.REFUSAL, statuses.without_refusal),
    (statuses.PROSE, statuses.in_prose_alone),
    (prose.FIELD, prose.promised_fields),
    (prose.HEADER, prose.promised_headers),
    (prose.BOUND, prose.bounds),
    (prose.VALUES, prose.values),
    (prose.DATES, prose.dates),
    (questions.SCOPE, questions.which_scope),
    (questions.WINDOW, questions.how_long),
    (questions.REUSE, questions.key_reused),
)
RULES: Final = tuple(rule for rule, _ in _TABLE)


def lint(document: dict[str, Any], operation: str | None = None) -> list[Notice]:
    """What is to be said of the operation with this operationId, or of all of them, by place in the document.

    Each place is spoken of once for a rule, however many operations share it; the document is not to be used further.
    Raises `ContractError` where there is no such operation, or the document cannot be followed.
    """
    chosen = subjects(modern(document), operation)
    return list(dict.fromkeys(notice for subject in chosen for notice in _of(subject)))


def _of(subject: Subject) -> Iterator[Notice]:
    for _, look in _TABLE:
        yield from look(subject)
