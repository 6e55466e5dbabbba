"""From a journal, its outcome and the contract to the values of a report, in one pass and little memory."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from rules_harness.harness.exchange import Answer, Episode, Exchange, Payload, Request
from rules_harness.harness.journal import (
    PROFILE,
    Count,
    EpisodeRecord,
    Footer,
    FoundRule,
    Header,
    Note,
    Record,
    Restored,
    Skipped,
)
from rules_harness.harness.judging.decisive import Basis, basis_of
from rules_harness.harness.judging.judge import LIMITED
from rules_harness.harness.judging.outcome import Finding, Outcome, RequirementOutcome
from rules_harness.harness.target.profile import MAX_AMOUNT
from rules_harness.openapi.contract import Contract
from rules_harness.reports import difference, references, repetition
from rules_harness.reports.baseline import Baseline
from rules_harness.reports.cascades import grouped
from rules_harness.reports.model import (
    BaselineView,
    CoverageRow,
    FindingView,
    RequirementRow,
    RuleRow,
    RunReport,
    Shown,
    SkippedRow,
    TargetView,
)
from rules_harness.reports.references import assembled, part_of
from rules_harness.reports.rows import TEXT_LIMIT, families, reading_rows, requirement_row, requirement_rows
from rules_harness.reports.tallies import GridTally, HeatTally, LatencyTally, status_of
from rules_harness.reports.text import Excerpt, counted, excerpt, line

COPY_LIMIT: Final = 64 * 1024
"""Bodies of more bytes, compressed, are not kept for copying: such a request is sent again from the journal."""
PACK_LIMIT: Final = 16 * 1024
"""Bodies of more bytes are copied in compressed form."""
_CALLER_FAMILIES: Final = ("auth.", "authz.")
_EXCERPT_LIMIT: Final = 4000


def collect(
    records: Callable[[], Iterable[Record | None]],
    outcome: Outcome,
    contract: Contract,
    *,
    run: str = "RUN",
    baseline: Baseline | None = None,
) -> RunReport:
    """The values that every format needs.

    ``records`` yields the records of a journal, header first, as `harness.journal.stream` does; it is called again by
    formats that hold every exchange.  ``run`` names the RUN in commands.  Raises whatever ``records`` raises.
    """
    gathered = _Gathered(outcome.findings, contract)
    for record in records():
        gathered.add(record)
    header = gathered.header
    rows = {
        row.id: msgspec.structs.replace(row, seconds=round(gathered.seconds[row.id], 3))
        for row in requirement_rows(contract, outcome)
    }
    footer = gathered.footer
    return RunReport(
        run=run,
        header=_safe(header),
        footer=footer,
        outcome=outcome,
        contract=contract,
        target=_target(header),
        missing=tuple(_missing(gathered, outcome, contract)),
        requests=footer.requests if footer else gathered.exchanges,
        seconds=footer.seconds if footer else gathered.last_ended,
        episodes=gathered.episodes,
        statuses=tuple(sorted(gathered.statuses.items())),
        families=families(rows.values()),
        readings=tuple(reading_rows(contract, outcome)),
        groups=grouped(_findings(gathered, contract, outcome, rows)),
        grid=gathered.grid.result(contract.noun),
        heat_map=gathered.heat.result(),
        latency=gathered.latency.result(),
        coverage=tuple(_coverage(footer.coverage if footer else {})),
        rules=tuple(gathered.rules.values()),
        skipped=tuple(SkippedRow(reason, tuple(scenarios)) for reason, scenarios in gathered.skipped.items()),
        notes=tuple(_notes(gathered)),
        records=records,
        baseline=None if baseline is None else _baseline(baseline, outcome, is_sampled=header.kind != "gate"),
    )


def _baseline(baseline: Baseline, outcome: Outcome, *, is_sampled: bool) -> BaselineView:
    ends = baseline.ends(outcome)
    until = f"{ends[0]}" + (" or later" if len(set(ends)) > 1 else "") if ends else ""
    return BaselineView(len(ends), until, tuple(map(line, baseline.problems(outcome, sampled=is_sampled))))


def _safe(header: Header) -> Header:
    """The header with its texts safe to show; what it says of the contract and the profile is left as it is."""
    names = ("tool_version", "kind", "target", "base_url", "contract_version", "contract_sha256", "now", "started_at")
    values: dict[str, Any] = {name: line(getattr(header, name)) for name in names}
    return msgspec.structs.replace(header, **values, select=tuple(map(line, header.select)))


class _Gathered:
    """What one pass over the records keeps."""

    header: Header

    def __init__(self, findings: Sequence[Finding], contract: Contract) -> None:
        self.contract = contract
        self.wanted: dict[str, list[Finding]] = {}
        for finding in findings:
            self.wanted.setdefault(finding.episode, []).append(finding)
        self.about_callers = {finding.id for finding in findings if finding.requirement.startswith(_CALLER_FAMILIES)}
        self.kept: dict[str, tuple[Episode, tuple[Shown, ...]]] = {}
        self.bases: dict[str, Basis] = {}
        """What each finding rests on, by its id."""
        self.footer: Footer | None = None
        self.rules: dict[str, RuleRow] = {}
        self.skipped: dict[str, list[str]] = {}
        """By reason, the scenarios that were not run."""
        self.notes: list[str] = []
        self.limits: list[str] = []
        self.torn = self.episodes = self.exchanges = self.counted = 0
        self.last_ended = 0.0
        self.statuses: Counter[str] = Counter()
        self.grid = GridTally()
        self.heat = HeatTally()
        self.latency = LatencyTally()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """By requirement."""

    def add(self, record: Record | None) -> None:
        match record:
            case EpisodeRecord(episode=episode):
                self._add_episode(episode)
            case Header():
                self.header = record
            case Footer():
                self.footer = record
            case FoundRule(rule=rule, enabled=enabled):
                self.rules[rule] = RuleRow(line(rule), enabled, None, None)
            case Restored(rule=rule, problem=problem):
                self._add_restored(rule, problem)
            case Skipped(scenario=scenario, reason=reason):
                self.skipped.setdefault(line(reason, TEXT_LIMIT), []).append(line(scenario))
            case Note():
                self._add_note(record)
            case Count(kept=kept):
                self.counted += sum(kept.values())
            case None:
                self.torn += 1

    def _add_restored(self, rule: str, problem: str | None) -> None:
        known = self.rules.get(rule, RuleRow(line(rule), False, None, None))
        reason = None if problem is None else line(problem, TEXT_LIMIT)
        self.rules[rule] = msgspec.structs.replace(known, restored=problem is None, problem=reason)

    def _add_note(self, note: Note) -> None:
        text = line(note.text, TEXT_LIMIT)
        self.notes.append(text)
        if note.kind == LIMITED:
            self.limits.append(text)

    def _add_episode(self, episode: Episode) -> None:
        findings = self.wanted.get(episode.id, ())
        self.episodes += 1
        self.notes += [f"{line(episode.id)}: {line(note, TEXT_LIMIT)}" for note in episode.notes]
        for position, exchange in enumerate(episode.exchanges):
            shown_by = [finding.id for finding in findings if position in finding.shown_by]
            status = status_of(exchange)
            self.exchanges += 1
            self.statuses[status] += 1
            self.last_ended = max(self.last_ended, exchange.ended)
            self.grid.add(exchange, status, [id for id in shown_by if id in self.about_callers])
            self.heat.add(exchange, status, shown_by)
            self.latency.add(exchange)
        took = sum(exchange.ended - exchange.started for exchange in episode.exchanges)
        for requirement in episode.about:
            self.seconds[requirement] += took / len(episode.about)
        if findings and episode.id not in self.kept:
            bare = msgspec.structs.replace(episode, exchanges=())
            self.kept[episode.id] = (bare, tuple(_shown(i, e) for i, e in enumerate(episode.exchanges)))
            self.bases |= {finding.id: basis_of(finding, episode, self.contract) for finding in findings}


def _shown(position: int, exchange: Exchange) -> Shown:
    request, outcome = exchange.request, exchange.outcome
    request_body, answer_body = _excerpt(references.shown(request).body), None
    packed = None
    too_long = False
    if request.body is not None and request_body is not None and request_body.size > PACK_LIMIT:
        packed = gzip.compress(request.body.content, mtime=0)
        too_long = len(packed) > COPY_LIMIT or not _is_literal(request)
        packed = None if too_long else packed
        request = msgspec.structs.replace(request, body=None)
    if isinstance(outcome, Answer):
        answer_body = _excerpt(outcome.body)
        if len(outcome.body.content) > COPY_LIMIT:
            outcome = msgspec.structs.replace(outcome, body=Payload(text=""))
    kept = msgspec.structs.replace(exchange, request=request, outcome=outcome)
    return Shown(position, kept, False, packed, too_long, request_body, answer_body)


def _is_literal(request: Request) -> bool:
    """Whether its body is recorded as it was sent."""
    body = request.body
    return body is None or body.text is None or assembled(request).body == (body.text,)


def _excerpt(payload: Payload | None) -> Excerpt | None:
    return None if payload is None else excerpt(payload, _EXCERPT_LIMIT)


def _target(header: Header) -> TargetView:
    profile = header.profile
    credentials = _mapping(profile.get("credentials"))
    hook = _mapping(_mapping(profile.get("hooks")).get("enable_rule"))
    headers = _mapping(profile.get("target")).get("headers") or ()
    return TargetView(
        name=line(header.target),
        base_url=header.base_url.rstrip("/"),
        environment={name: str(_mapping(entry).get("key_env", "")) for name, entry in credentials.items()},
        headers=tuple((str(name), part_of(value)) for name, value in headers),
        profile=line(str(header.options.get(PROFILE, ""))),
        enable_hook=hook or None,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _findings(
    gathered: _Gathered, contract: Contract, outcome: Outcome, rows: Mapping[str, RequirementRow]
) -> tuple[FindingView, ...]:
    """In the contract's order."""
    order = {id: position for position, id in enumerate(rows)}

    def rank(finding: Finding) -> int:
        return order.get(finding.requirement, len(order))

    return tuple(_finding(gathered, contract, finding, rows) for finding in sorted(outcome.findings, key=rank))


def _finding(
    gathered: _Gathered, contract: Contract, finding: Finding, rows: Mapping[str, RequirementRow]
) -> FindingView:
    episode, exchanges = gathered.kept.get(finding.episode, (None, ()))
    before = episode.facts.before if episode else {}
    views = tuple(
        msgspec.structs.replace(exchange, is_proof=exchange.position in finding.shown_by) for exchange in exchanges
    )
    proof = [exchange for exchange in views if exchange.is_proof]
    basis = gathered.bases.get(finding.id)
    unjudged = RequirementOutcome(finding.requirement, finding.level, "failed", finding.count, 1)
    return FindingView(
        finding=finding,
        requirement=rows.get(finding.requirement) or requirement_row(contract, unjudged),
        place=line(finding.place),
        kind=line(finding.kind),
        expected=line(finding.expected, TEXT_LIMIT),
        actual=line(finding.actual, TEXT_LIMIT),
        episode=views,
        steps=() if basis is None else tuple(repetition.steps(contract, basis, views, before)),
        difference=difference.of_proof(contract, proof, before),
    )


def _untried_amounts(header: Header, outcome: Outcome) -> Iterator[str]:
    """That amounts are stored as they are sent has been seen of those only that the profile allows."""
    exact = outcome.requirements.get("update.amounts-exact")
    largest = header.profile.get("limits", {}).get("max_amount_in_cents", MAX_AMOUNT)
    if exact is not None and exact.verdict == "passed" and largest < MAX_AMOUNT:
        yield f"Amounts above {largest:,} cents were not sent, as limits.max_amount_in_cents has it."


def _notes(gathered: _Gathered) -> Iterable[str]:
    yield from gathered.notes
    if gathered.counted:
        yield f"{counted(gathered.counted, 'judgement')} of what passed were counted without their exchanges."


def _missing(gathered: _Gathered, outcome: Outcome, contract: Contract) -> Iterable[str]:
    episodes = counted(gathered.episodes, "episode")
    if gathered.footer is None:
        yield f"The run was cut off: its journal has no end. This report rests on the {episodes} that were recorded."
    elif gathered.footer.interrupted:
        yield f"The run was interrupted. This report rests on the {episodes} that were recorded."
    yield from gathered.limits
    yield from _untried_amounts(gathered.header, outcome)
    if gathered.torn:
        yield f"{counted(gathered.torn, 'line')} of the journal could not be read and are left out."
    lost = [finding.id for finding in outcome.findings if finding.episode and finding.episode not in gathered.kept]
    if lost:
        yield f"The exchanges of {counted(len(lost), 'finding')} are not in the journal: {', '.join(lost[:5])}."
    if gathered.header.contract_sha256 != contract.sha256:
        yield (
            f"The run was recorded with another contract ({gathered.header.contract_sha256[:12]}) "
            f"than it is judged by here ({contract.sha256[:12]})."
        )
    for rule in gathered.rules.values():
        if rule.restored is None and gathered.footer is None:
            yield (
                f"{contract.noun.singular.capitalize()} {rule.rule} may not have been put back: `rules-harness "
                "restore RUN --target FILE` does it."
            )


def _coverage(recorded: Mapping[str, Any]) -> Iterable[CoverageRow]:
    for name, entry in recorded.items():
        counts = _mapping(entry)
        reached, total = counts.get("reached"), counts.get("of")
        if isinstance(reached, int) and isinstance(total, int):
            missing = tuple(line(str(name)) for name in counts.get("missing", ()))
            yield CoverageRow(line(name), reached, total, missing)
