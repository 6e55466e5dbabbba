"""What the runs of the zoo came to, in one file that the next `make zoo` goes on from."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["gate", "campaign"]
CLEAN = "clean"
NO_REPORT, NOT_STARTED, TOO_LONG = "no report", "did not start", "took too long"
UNJUDGED = (NO_REPORT, NOT_STARTED, TOO_LONG)
"""Outcomes of runs that say nothing of a server."""


class Key(msgspec.Struct, frozen=True, order=True):
    """A run: a stack, what was set on it (``clean``, a habit, ``allowed NAME``, ``mistake NAME``), and what was run."""

    stack: str
    condition: str
    kind: Kind
    seed: int

    @property
    def part(self) -> str:
        """The part of the zoo that it belongs to."""
        if self.condition == CLEAN:
            return "clean"
        kind, _, name = self.condition.partition(" ")
        return {"allowed": "allowed", "mistake": "mistakes"}[kind] if name else "habits"


class Finding(msgspec.Struct, frozen=True):
    """A finding of the run; ``verdict`` is that of its requirement."""

    id: str
    requirement: str
    verdict: str
    place: str
    kind: str
    expected: str
    actual: str
    stability: str | None


class Result(msgspec.Struct, frozen=True):
    """How a run ended: its exit code (``None`` where it was stopped), its reason, what it found."""

    key: Key
    exit_code: int | None
    outcome: str
    reason: str | None
    requests: int
    seconds: float
    revision: str
    """The commit of the harness."""
    is_partial: bool = False
    """Whether only the requirements that a mistake names were asked for."""
    findings: tuple[Finding, ...] = ()
    inconclusive: tuple[str, ...] = ()

    @property
    def is_judged(self) -> bool:
        """Whether the harness came to an end of its own and left a report; else nothing is known."""
        return self.outcome not in UNJUDGED

    def requirements(self, verdict: str) -> tuple[str, ...]:
        """The requirements of its findings with this verdict, each one once."""
        return tuple(dict.fromkeys(each.requirement for each in self.findings if each.verdict == verdict))


class Results:
    """The results so far; each is written down at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        kept = msgspec.json.decode(path.read_bytes(), type=list[Result]) if path.exists() else []
        self._by_key = {result.key: result for result in kept}

    def get(self, key: Key) -> Result | None:
        return self._by_key.get(key)

    def forget(self, stacks: Container[str], parts: Container[str]) -> None:
        """Leave out the results of these parts of these stacks."""
        self._by_key = {
            key: result for key, result in self._by_key.items() if key.stack not in stacks or key.part not in parts
        }

    def add(self, result: Result) -> None:
        self._by_key[result.key] = result
        content = msgspec.json.format(msgspec.json.encode(sorted(self._by_key.values(), key=lambda each: each.key)))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(self._path)

    def campaigns(self, stack: str, condition: str) -> list[Result]:
        """Those of this condition, by seed."""
        return [
            result
            for key, result in sorted(self._by_key.items())
            if (key.stack, key.condition, key.kind) == (stack, condition, "campaign")
        ]

    def beyond_clean(self, result: Result) -> tuple[Finding, ...]:
        """The findings that the clean gate of the same stack does not have."""
        clean = self.get(Key(result.key.stack, CLEAN, "gate", 1))
        known = {finding.id for finding in clean.findings} if clean else set()
        return tuple(finding for finding in result.findings if finding.id not in known)
