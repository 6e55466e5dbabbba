"""What is to be said of a document, for people, for code scanning (SARIF 2.1.0) and for GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from rules_harness.openapi.lint.notice import LintRule, Notice
from rules_harness.reports.github import command
from rules_harness.reports.sarif import SCHEMA
from rules_harness.reports.text import counted

_SARIF_LEVELS: Final = {"error": "error", "warning": "warning", "question": "note"}
_GITHUB_LEVELS: Final = {"error": "error", "warning": "warning", "question": "notice"}


class Linted(msgspec.Struct, frozen=True):
    """A document, and what is to be said of it."""

    file: str
    version: str
    """Of this tool."""
    rules: Sequence[LintRule]
    notices: Sequence[Notice]
    lines: Mapping[str, int]
    """By place of a notice, from 1."""


def text(linted: Linted) -> str:
    """A line for each notice, and one that counts them."""
    told = [
        f"{linted.file}:{linted.lines[notice.place]}: {notice.rule.gravity}: {notice.text} [{notice.rule.id}]\n"
        for notice in linted.notices
    ]
    kinds = [notice.rule.gravity for notice in linted.notices]
    counts = [counted(kinds.count(kind), kind) for kind in _SARIF_LEVELS if kind in kinds]
    return "".join(told) + (", ".join(counts) or "nothing to say") + "\n"


def sarif(linted: Linted) -> str:
    """A SARIF document."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.sentence},
            "defaultConfiguration": {"level": _SARIF_LEVELS[rule.gravity]},
        }
        for rule in linted.rules
    ]
    run = {
        "tool": {"driver": {"name": "rules-harness lint", "version": linted.version, "rules": rules}},
        "results": [_result(notice, linted) for notice in linted.notices],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(notice: Notice, linted: Linted) -> dict[str, Any]:
    region = {"startLine": linted.lines[notice.place]}
    return {
        "ruleId": notice.rule.id,
        "ruleIndex": [rule.id for rule in linted.rules].index(notice.rule.id),
        "level": _SARIF_LEVELS[notice.rule.gravity],
        "message": {"text": notice.text},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": linted.file}, "region": region},
                "logicalLocations": [{"fullyQualifiedName": notice.place or "/", "kind": "member"}],
            }
        ],
    }


def github(linted: Linted) -> str:
    """A workflow command for each notice, which GitHub shows beside the line."""
    return "".join(
        command(
            _GITHUB_LEVELS[notice.rule.gravity],
            notice.rule.id,
            notice.text,
            file=linted.file,
            line=linted.lines[notice.place],
        )
        for notice in linted.notices
    )


FORMS: Final[Mapping[str, Callable[[Linted], str]]] = {"terminal": text, "sarif": sarif, "github": github}


def failing(notices: Iterable[Notice], lowest: str) -> bool:
    """Whether any notice is as grave as ``lowest``, or graver."""
    grave = list(_SARIF_LEVELS)
    return any(grave.index(notice.rule.gravity) <= grave.index(lowest) for notice in notices)
