"""What a report says, before any format: frozen values, made once by `reports.collect` and rendered by every format.

Every text that came from a target or a profile is safe to show here (`reports.text`); only `Shown.exchange` holds what
really went over the wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from rules_harness.harness.exchange import Exchange, Request
from rules_harness.harness.journal import Footer, Header, Record
from rules_harness.harness.judging.outcome import UNJUDGED, Finding, Outcome, Verdict
from rules_harness.openapi.contract import Contract
from rules_harness.reports.references import Part
from rules_harness.reports.text import Excerpt, counted

VERDICTS: tuple[Verdict, ...] = ("failed", "warned", "error", "inconclusive", "skipped", "passed")
"""In the order in which a reader wants to know of them."""


class TargetView(msgspec.Struct, frozen=True):
    """The API under test, as somebody who repeats a request must know it.

    ``environment`` gives, by credential, the environment variable that holds its key; ``enable_hook`` is the hook that
    enables a rule, a request or a program, where the profile has one; ``profile`` is the file that the run was given.
    """

    name: str
    base_url: str
    environment: Mapping[str, str]
    headers: tuple[tuple[str, Part], ...] = ()
    enable_hook: Mapping[str, Any] | None = None
    profile: str = ""


class RequirementRow(msgspec.Struct, frozen=True):
    """One requirement with its verdict and what it rests on."""

    id: str
    family: str
    level: str
    sentence: str
    basis_kind: str
    basis: str
    note: str | None
    verdict: Verdict
    exercised: int
    findings: int
    reason: str | None
    seconds: float = 0.0
    """How long the requests took that were sent to judge it; of those sent for several, its share."""


class Family(msgspec.Struct, frozen=True):
    """The requirements of one family, in the contract's order."""

    name: str
    rows: tuple[RequirementRow, ...]

    def count(self, verdict: str) -> int:
        """How many requirements of the family have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)


class ReadingRow(msgspec.Struct, frozen=True):
    """One open question with the answer that the target gives to it."""

    id: str
    question: str
    tokens: tuple[str, ...]
    answer: str | None
    observations: int
    accepted: bool
    by_kind: tuple[tuple[str, tuple[str, ...]], ...]
    requirement: str


class Shown(msgspec.Struct, frozen=True):
    """An exchange of an episode that shows a finding.

    ``position`` is its place in the episode, ``is_proof`` says that the finding points at it.  ``exchange`` is whole
    unless a body is long: that of the answer is then left out, that of the request stands in ``packed`` (gzip) or,
    with ``too_long``, can only be sent again from the journal.
    """

    position: int
    exchange: Exchange
    is_proof: bool
    packed: bytes | None
    too_long: bool
    request_body: Excerpt | None
    answer_body: Excerpt | None


class Step(msgspec.Struct, frozen=True):
    """One step to see a finding again.

    Either requests, by their positions in the episode (several go out together); or a request that makes a rule what it
    was before; or a rule that its owner enables.
    """

    positions: tuple[int, ...] = ()
    given: Request | None = None
    enable: str = ""


class DifferenceLine(msgspec.Struct, frozen=True):
    """A line of a difference: ``same``, ``gone``, ``new``, or ``gap`` for equal lines that are left out."""

    kind: str
    text: str


class SideBySide(msgspec.Struct, frozen=True):
    """Two JSON values side by side: what they are, and the lines that tell them apart."""

    left: str
    right: str
    lines: tuple[DifferenceLine, ...]


class FindingView(msgspec.Struct, frozen=True):
    """One finding with everything a person needs to believe it and to repeat it."""

    finding: Finding
    requirement: RequirementRow
    place: str
    kind: str
    expected: str
    actual: str
    episode: tuple[Shown, ...]
    steps: tuple[Step, ...]
    difference: SideBySide | None

    @property
    def id(self) -> str:
        """The stable id of the finding."""
        return self.finding.id

    @property
    def stability(self) -> str:
        """Whether it showed each time it was sent again; empty where that was not tried."""
        match = re.fullmatch(r"(\d+) of (\d+)", self.finding.stability)
        if match is None:
            return self.finding.stability
        if match[1] == "0":
            return f"flaky: {self.finding.stability} when sent alone; it may take simultaneous requests"
        return f"{'stable' if match[1] == match[2] else 'flaky'}: {self.finding.stability}"

    @property
    def proof(self) -> tuple[Shown, ...]:
        """The exchanges that show it."""
        return tuple(shown for shown in self.episode if shown.is_proof)

    @property
    def needed(self) -> tuple[Shown, ...]:
        """The exchanges that must be sent to see it."""
        return tuple(self.episode[position] for step in self.steps for position in step.positions)


class FindingGroup(msgspec.Struct, frozen=True):
    """The findings of one level against one requirement: often one defect, seen in several places.

    ``also`` are those against other requirements that such a defect is seen as besides.
    """

    requirement: RequirementRow
    level: str
    accepted: bool
    views: tuple[FindingView, ...]
    also: tuple[FindingGroup, ...] = ()

    @property
    def all_views(self) -> tuple[FindingView, ...]:
        """Its findings, then the folded ones."""
        return (*self.views, *(view for group in self.also for view in group.views))


class Cell(msgspec.Struct, frozen=True):
    """What was answered in one cell of a table: statuses with their counts, and the findings seen there."""

    statuses: tuple[tuple[str, int], ...] = ()
    findings: tuple[str, ...] = ()


class GridRow(msgspec.Struct, frozen=True):
    """One caller, or several that were answered alike: then ``callers`` lists them."""

    name: str
    callers: tuple[str, ...]
    cells: tuple[Cell, ...]


class Grid(msgspec.Struct, frozen=True):
    """Who asked (rows) for what (columns), and which statuses came back."""

    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]


class Mark(msgspec.Struct, frozen=True):
    """The answers to one kind of mutation at one place; ``odd`` where they are not the run's usual refusal."""

    kind: str
    cell: Cell
    odd: bool


class HeatMap(msgspec.Struct, frozen=True):
    """Mutations by place (rows) and keyword (columns), and bodies that were broken as a whole, by what they are.

    ``usual`` is the status that most mutations were refused with; ``left_out`` counts cells that are not in ``rows``.
    """

    keywords: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Mark, ...], ...]], ...]
    usual: str
    marks: int
    odd: int
    left_out: int
    bodies: tuple[tuple[str, Cell], ...]


class Latency(msgspec.Struct, frozen=True):
    """How long answers took, in seconds; buckets are (from, to, answers), each 10^0.1 wide."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float
    buckets: tuple[tuple[float, float, int], ...]


class CoverageRow(msgspec.Struct, frozen=True):
    """How much of something that can be counted the run has reached."""

    name: str
    reached: int
    total: int
    missing: tuple[str, ...]


class RuleRow(msgspec.Struct, frozen=True):
    """A rule that the run wrote to; ``restored`` is ``None`` where the journal does not say."""

    rule: str
    was_enabled: bool
    restored: bool | None
    problem: str | None


class SkippedRow(msgspec.Struct, frozen=True):
    """Scenarios that one reason kept from being run. Of a campaign it is the first one that met it."""

    reason: str
    scenarios: tuple[str, ...]


class BaselineView(msgspec.Struct, frozen=True):
    """What a baseline did to a run: how many findings it accepts, until when, and which of its entries fail the run."""

    accepted: int
    until: str
    problems: tuple[str, ...]


class RunReport(msgspec.Struct, frozen=True):
    """Everything that a report can say about a run.

    ``run`` is the RUN as a command names it.  ``missing`` says, in sentences, what the journal lacks; ``records`` reads
    the journal again, for what is too much to keep.
    """

    run: str
    header: Header
    footer: Footer | None
    outcome: Outcome
    contract: Contract
    target: TargetView
    missing: tuple[str, ...]
    requests: int
    seconds: float
    episodes: int
    statuses: tuple[tuple[str, int], ...]
    families: tuple[Family, ...]
    readings: tuple[ReadingRow, ...]
    groups: tuple[FindingGroup, ...]
    grid: Grid
    heat_map: HeatMap
    latency: Latency | None
    coverage: tuple[CoverageRow, ...]
    rules: tuple[RuleRow, ...]
    skipped: tuple[SkippedRow, ...]
    notes: tuple[str, ...]
    records: Callable[[], Iterable[Record | None]]
    baseline: BaselineView | None = None

    def count(self, verdict: str) -> int:
        """How many requirements have this verdict."""
        return sum(family.count(verdict) for family in self.families)

    @property
    def requirements(self) -> tuple[RequirementRow, ...]:
        """All requirements, in the contract's order."""
        return tuple(row for family in self.families for row in family.rows)

    @property
    def findings(self) -> tuple[FindingView, ...]:
        """All findings, in the order of their groups."""
        return tuple(view for group in self.groups for view in group.all_views)

    @property
    def operation(self) -> str:
        """Method and path of what is under test."""
        return f"{self.contract.update.method} {self.contract.update.path}"

    @property
    def headline(self) -> str:
        """The verdict on the target, in a few words: of one that conforms, no more than was judged."""
        unjudged = sum(row.level == "must" and row.verdict in UNJUDGED for row in self.requirements)
        if self.outcome.conclusion == "conforms" and unjudged:
            were = "was" if unjudged == 1 else "were"
            return f"Conforms in what could be judged; {counted(unjudged, 'must')} {were} not judged"
        return HEADLINES[self.outcome.conclusion]


HEADLINES: Mapping[str, str] = {
    "conforms": "Conforms to the contract",
    "violates": "Violates the contract",
    "inconclusive": "Could not be judged",
    "error": "The run ended with an error",
}
