"""What a comparison of two runs says, before any format: frozen values, made once and rendered by every format.

Every text that came from a target or a profile is safe to show here (`reports.text`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from rules_harness.harness.judging.outcome import Finding
from rules_harness.openapi.words import Noun

Answers = Literal["successes", "errors"]
Change = Literal["appeared", "vanished"]
Drift = Literal["slower", "faster", "no clear change"]


class RunView(msgspec.Struct, frozen=True):
    """One of the two runs, as a reader tells it from the other."""

    name: str
    target: str
    base_url: str
    kind: str
    started_at: str
    seed: int
    tool_version: str
    contract_version: str
    noun: Noun
    """What people call that which is updated."""
    conclusion: str
    failed: int
    warned: int
    judged: int
    """How many requirements have a verdict on the target."""


class FindingChange(msgspec.Struct, frozen=True):
    """A finding of one of the runs, or of both.

    ``raised`` says that it was a *should* in BASE and is a *must* in HEAD; ``note`` is what a reader must know besides.
    """

    finding: Finding
    sentence: str
    raised: bool = False
    note: str = ""
    again: str = ""
    """What was expected and what came, and the commands that send it again."""


class RequirementChange(msgspec.Struct, frozen=True):
    """A requirement that only one of the runs judged, with the verdict of each."""

    id: str
    level: str
    sentence: str
    before: str
    after: str
    reason: str


class ReadingChange(msgspec.Struct, frozen=True):
    """An open question that the target answers differently now.

    ``kinds`` are the sorts of input for which it does, where the question is asked of several.  ``refused`` says that
    the new answer is not accepted, and the old one was.
    """

    id: str
    question: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    kinds: tuple[str, ...]
    refused: bool = False


class AnswerChange(msgspec.Struct, frozen=True):
    """Kinds of input that are answered with another status or error code now, and in the same way."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    operation: str
    caller: str
    existence: str
    body: str
    kinds: tuple[str, ...]


class FieldChange(msgspec.Struct, frozen=True):
    """A field that appeared in answers, or vanished from them; ``place`` has ``*`` for the members of an array."""

    operation: str
    answers: Answers
    place: str
    change: Change
    kinds: int
    """For how many kinds of input."""


class LatencyDrift(msgspec.Struct, frozen=True):
    """How long answers of one sort took, in seconds: medians, and their ratio (HEAD to BASE) with its 95 % interval."""

    operation: str
    answers: Answers
    count_before: int
    count_after: int
    before: float
    after: float
    ratio: float
    low: float
    high: float
    drift: Drift


class ContractChange(msgspec.Struct, frozen=True):
    """What the contract itself says differently in HEAD."""

    what: Literal["requirement", "reading", "place"]
    id: str
    change: Literal["added", "removed", "changed"]
    detail: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """Everything that is different between two runs, and what of it is worse."""

    base: RunView
    head: RunView
    remarks: tuple[str, ...]
    """What makes the comparison less than complete, in sentences."""
    worse: tuple[str, ...]
    """What got worse, in sentences; empty where nothing did."""
    new: tuple[FindingChange, ...]
    fixed: tuple[FindingChange, ...]
    still_failing: tuple[FindingChange, ...]
    not_seen_again: tuple[FindingChange, ...]
    """Findings of BASE whose requirement, or whose kind of input, HEAD did not put to the test."""
    no_longer_exercised: tuple[RequirementChange, ...]
    newly_judged: tuple[RequirementChange, ...]
    readings: tuple[ReadingChange, ...]
    answers: tuple[AnswerChange, ...]
    fields: tuple[FieldChange, ...]
    latency: tuple[LatencyDrift, ...]
    contract: tuple[ContractChange, ...]

    @property
    def changes(self) -> int:
        """How many entries tell the two runs apart; findings that still fail do not, and latency is only measured."""
        return sum(
            len(entries)
            for entries in (
                self.new,
                self.fixed,
                self.not_seen_again,
                self.no_longer_exercised,
                self.newly_judged,
                self.readings,
                self.answers,
                self.fields,
                self.contract,
            )
        )

    @property
    def headline(self) -> str:
        """The comparison in a few words."""
        if self.worse:
            return "HEAD is worse than BASE"
        return "Nothing got worse" if self.changes else "No difference"
