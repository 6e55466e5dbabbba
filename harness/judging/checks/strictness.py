"""JSON as RFC 8259 has it, judged strictly."""

from __future__ import annotations

import json
from typing import Any

from rules_harness.harness.judging.checks.common import short


def strict_problem(content: bytes) -> tuple[str, str] | None:
    """What keeps a content from being valid JSON: its kind, and where; ``None`` where nothing does."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        return "invalid UTF-8", str(problem)
    try:
        json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=str)
    except _DuplicateName as problem:
        return "duplicate name", f"the name {short(str(problem))} stands twice in one object"
    except _Constant as problem:
        return "not a JSON number", str(problem)
    except RecursionError:
        return None
    except ValueError as problem:
        return "invalid JSON", f"{problem}; it begins {short(text, 80)}"
    return None


class _DuplicateName(Exception):
    pass


class _Constant(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateName(next(name for name in names if names.count(name) > 1))
    return result


def _constant(name: str) -> None:
    raise _Constant(f"{name} is not a JSON number (RFC 8259, section 6)")
