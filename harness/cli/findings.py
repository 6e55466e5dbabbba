"""Findings by what is typed of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from rules_harness.harness.errors import UsageError

_SHOWN = 20


class Identified(Protocol):
    """A finding, or what a baseline says of one."""

    @property
    def id(self) -> str: ...

    @property
    def requirement(self) -> str: ...


Named = TypeVar("Named", bound=Identified)


def named(findings: Sequence[Named], text: str, *, where: str = "the run") -> Named:
    """The finding whose id is this or begins so; raises `UsageError` where there is none, or several begin so."""
    matching = [finding for finding in findings if finding.id.startswith(text)] if text else []
    if len(matching) != 1:
        listed = [f"{finding.id} ({finding.requirement})" for finding in matching or findings]
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        problem = "several findings begin so" if matching else f"{where} has no such finding"
        raise UsageError(f"{text}: {problem}; there are: {', '.join(listed[:_SHOWN]) or 'none'}{more}")
    return matching[0]
