"""What a client has to know and no document that says it: to be settled with its maintainers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.openapi.lint.subject import Piece, Subject

SCOPE: Final = LintRule(
    "question-scope", "question", "Where keys have scopes, it is said which one an operation takes."
)
WINDOW: Final = LintRule("question-window", "question", "It is said for how long an idempotency key keeps its answer.")
REUSE: Final = LintRule("question-key-reuse", "question", "It is said what answers a key that comes with another body.")

KEY_NAME: Final = re.compile(r"idempoten", re.IGNORECASE)
"""What the name of a header that carries an idempotency key has in it."""
DURATION: Final = re.compile(r"\b(\d+|an?|one)[ -](second|minute|hour|day|week)s?\b", re.IGNORECASE)
_OTHER_BODY: Final = re.compile(
    r"\b(?:different|another|other|same|changed|mismatch\w*) (?:\w+ )?(?:bod(?:y|ies)|payload|parameter|content)"
    r"|\b(?:409|422)\b|\bconflict",
    re.IGNORECASE,
)


def which_scope(subject: Subject) -> Iterator[Notice]:
    """An operation under a scheme that lists scopes, of which neither its security nor its prose names one."""
    security = subject.operation.node.get("security", subject.document.get("security"))
    prose = " ".join(sentence for _, sentence in subject.prose())
    for entry in security if isinstance(security, list) else ():
        for name, taken in entry.items() if isinstance(entry, dict) else ():
            components = subject.under(Piece("", subject.document), "components")
            scheme = subject.under(subject.under(components, "securitySchemes"), name)
            scopes = _scopes(scheme)
            if scopes and not taken and not any(scope in prose for scope in scopes):
                text = f"keys have {len(scopes)} scopes, and nothing says which of them this operation takes"
                yield Notice(SCOPE, subject.part.place, text)


def _scopes(scheme: Piece) -> list[str]:
    listed = scheme.node.get("x-scopes")
    if isinstance(listed, list):
        return [str(entry.get("scope")) if isinstance(entry, dict) else str(entry) for entry in listed]
    flows = scheme.node.get("flows")
    return [scope for flow in flows.values() for scope in flow.get("scopes", {})] if isinstance(flows, dict) else []


def how_long(subject: Subject) -> Iterator[Notice]:
    """A key of which neither the prose nor an extension says how long it holds."""
    for key in _keys(subject):
        if "x-window-seconds" not in key.node and not DURATION.search(_said(subject, key)):
            yield Notice(WINDOW, key.place, "nothing says for how long a key keeps its answer")


def key_reused(subject: Subject) -> Iterator[Notice]:
    """A key of which nothing says what it does with another body."""
    for key in _keys(subject):
        if not _OTHER_BODY.search(_said(subject, key)):
            yield Notice(REUSE, key.place, "nothing says what answers a key that comes again with another body")


def _keys(subject: Subject) -> Iterator[Piece]:
    for parameter in subject.parameters():
        if parameter.node.get("in") == "header" and KEY_NAME.search(str(parameter.node.get("name"))):
            yield parameter


def _said(subject: Subject, key: Piece) -> str:
    return f"{key.text()} {subject.part.text()}"
