"""Accepted findings: a TOML file of defects that are known, with a reason, an owner and a day on which that ends.

An entry accepts one finding, by requirement, place and kind, and nothing broader.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from rules_harness.harness import toml
from rules_harness.harness.errors import VIOLATED, UsageError
from rules_harness.harness.judging.outcome import Finding, Outcome, finding_id
from rules_harness.openapi.bounds import Unbounded
from rules_harness.reports.text import counted

_TABLE: Final = "accepted"
_TEXTS: Final = ("id", "requirement", "place", "kind", "reason", "owner")
_MAY_BE_EMPTY: Final = ("place", "kind")
_JUDGED: Final = ("passed", "failed", "warned")
_HEAD: Final = """\
# Findings that are known and accepted. Each entry holds for this requirement, place and kind alone, until the end of
# the day `expires` (UTC); an entry that has expired, or whose finding is gone, fails the gate until it is removed.
"""


class Entry(msgspec.Struct, frozen=True):
    """One accepted finding."""

    id: str
    requirement: str
    place: str
    kind: str
    reason: str
    owner: str
    expires: date

    @property
    def name(self) -> str:
        """The entry as a message names it."""
        where = f" at {self.place}" if self.place else ""
        return f"{self.id} ({self.requirement}{where}: {self.kind}; owner {self.owner})"


class Baseline(msgspec.Struct, frozen=True):
    """The entries of a file, as they stand on a day."""

    entries: tuple[Entry, ...]
    today: date

    @property
    def accepted(self) -> Mapping[str, str]:
        """The reasons of the entries in force, by finding id."""
        return {entry.id: entry.reason for entry in self.entries if entry.expires >= self.today}

    @property
    def expired(self) -> tuple[Entry, ...]:
        """The entries whose day has passed."""
        return tuple(entry for entry in self.entries if entry.expires < self.today)

    def stale(self, outcome: Outcome) -> tuple[Entry, ...]:
        """The entries in force whose finding is gone, although the run put their requirement to the test."""
        finding_ids = {finding.id for finding in outcome.findings}
        judged = {id for id, requirement in outcome.requirements.items() if requirement.verdict in _JUDGED}
        unasked = {id for id, reading in outcome.readings.items() if reading.answer is None}
        return tuple(
            entry
            for entry in self.entries
            if entry.expires >= self.today
            and entry.requirement in judged
            and entry.place not in unasked
            and entry.id not in finding_ids
        )

    def ends(self, outcome: Outcome) -> tuple[date, ...]:
        """The days on which the acceptance of findings of a run ends, the earliest first."""
        finding_ids = {finding.id for finding in outcome.findings}
        return tuple(
            sorted(entry.expires for entry in self.entries if entry.id in finding_ids and entry.id in self.accepted)
        )

    def problems(self, outcome: Outcome, *, sampled: bool = False) -> tuple[str, ...]:
        """What the baseline itself fails a run with, in sentences.

        A run that only ``sampled`` what there is to send, as a campaign does, says of no finding that it is gone.
        """
        expired = [f"baseline entry {entry.name} expired on {entry.expires}" for entry in self.expired]
        stale = () if sampled else self.stale(outcome)
        return (*expired, *(f"baseline entry {entry.name} is stale: its finding is gone, remove it" for entry in stale))


def gated(outcome: Outcome, baseline: Baseline, *, sampled: bool = False) -> Outcome:
    """The outcome of a run that was judged with `Baseline.accepted`: expired and stale entries fail its gate too."""
    problems = baseline.problems(outcome, sampled=sampled)
    if not problems or outcome.exit_code not in (0, VIOLATED):
        return outcome
    reasons = [outcome.reason] if outcome.exit_code == VIOLATED and outcome.reason else []
    reason = "; ".join([*reasons, f"{counted(len(problems), 'entry', 'entries')} of the baseline no longer hold"])
    return msgspec.structs.replace(outcome, conclusion="violates", exit_code=VIOLATED, reason=reason)


def load(path: Path, now: datetime) -> Baseline:
    """The baseline in a file, as it stands at a time (aware).

    Raises `UsageError`, with file, entry, key and remedy, where the file cannot be read or an entry is not whole.
    """
    try:
        document = toml.load(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; name a baseline file that is there") from error
    except Unbounded as error:
        raise UsageError(f"{path} {error}; make it anew with `baseline accept`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}; correct it, or make it anew with `baseline accept`") from error
    return Baseline(tuple(_entries(path, document)), now.astimezone(UTC).date())


def _entries(path: Path, document: Mapping[str, Any]) -> Iterable[Entry]:
    _check_names(str(path), document, (_TABLE,))
    tables = document.get(_TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: {_TABLE} is not a list of tables; write each entry under [[{_TABLE}]]")
    known: set[str] = set()
    for number, table in enumerate(tables, 1):
        entry = _entry(f"{path}, entry {number}", table)
        if entry.id in known:
            raise UsageError(f"{path}, entry {number}: {entry.id} stands there a second time; keep one of the two")
        known.add(entry.id)
        yield entry


def _entry(where: str, table: Mapping[str, Any]) -> Entry:
    _check_names(where, table, (*_TEXTS, "expires"))
    texts = {name: _text(where, table, name) for name in _TEXTS}
    expires = table.get("expires")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise UsageError(f"{where}: expires is not a day; write a date without quotes, such as expires = 2027-01-31")
    if texts["id"] != finding_id(texts["requirement"], texts["place"], texts["kind"]):
        raise UsageError(
            f"{where}: id {texts['id']} is not that of this requirement, place and kind; an entry is not edited but "
            "made anew: rules-harness baseline accept RUN --finding ID"
        )
    return Entry(**texts, expires=expires)


def _text(where: str, table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str):
        problem = "is missing" if value is None else "is not text"
        raise UsageError(f'{where}: {name} {problem}; write {name} = "…"')
    if not value.strip() and name not in _MAY_BE_EMPTY:
        raise UsageError(f"{where}: {name} is empty; say it in words")
    return value


def _check_names(where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in table:
        if name not in known:
            raise UsageError(f"{where}: {name} is not a key of a baseline; there are {', '.join(known)}")


def accept(
    findings: Iterable[Finding], entries: Iterable[Entry], *, reason: str, owner: str, expires: date
) -> tuple[Entry, ...]:
    """Entries with these findings accepted, anew where they already were."""
    accepted = {entry.id: entry for entry in entries}
    for finding in findings:
        accepted[finding.id] = Entry(
            finding.id, finding.requirement, finding.place, finding.kind, reason, owner, expires
        )
    return tuple(accepted.values())


def render(entries: Iterable[Entry]) -> str:
    """The file; `load` reads the same entries back. Raises `UsageError` for text that TOML cannot hold."""
    return "\n".join([_HEAD, *map(_rendered, entries)])


def _rendered(entry: Entry) -> str:
    lines = [f"{name} = {_quoted(getattr(entry, name))}" for name in _TEXTS]
    return "\n".join([f"[[{_TABLE}]]", *lines, f"expires = {entry.expires.isoformat()}", ""])


def _quoted(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String"): what cannot stand in one is escaped."""
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise UsageError(f"{text!r} holds half a character, which TOML cannot; this finding cannot be accepted")
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08X}"
