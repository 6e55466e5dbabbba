"""Adds up what was judged, episode by episode, so that a run of any length fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from rules_harness.harness.exchange import Episode, Exchange
from rules_harness.harness.intent import Level
from rules_harness.harness.journal import Count
from rules_harness.harness.judging.causes import Causes
from rules_harness.harness.judging.checks import CHECKS
from rules_harness.harness.judging.outcome import (
    Crash,
    Finding,
    Judgement,
    Kept,
    Seen,
    Stored,
    Violation,
    finding_id,
)
from rules_harness.harness.judging.suspects import SOMEBODY_ELSE, Observation, Suspect, sort_of, written_by_another
from rules_harness.harness.judging.unjudged import unanswered_in, unjudged
from rules_harness.openapi.contract import Contract, Requirement
from rules_harness.strategies.design import Combination, pairs_of


def judge_episode(episode: Episode, contract: Contract) -> list[Judgement]:
    """What every check says of one episode; one that breaks says so, and hinders no other."""
    judgements: list[Judgement] = []
    for check in CHECKS:
        try:
            judgements.extend(check.judge(episode, contract))
        except Exception as error:  # noqa: BLE001 - whatever breaks a check is its own problem alone
            judgements.append(Crash(check.about, f"the check broke: {type(error).__name__}: {error}"))
    return [judgement for judgement in judgements if _is_promised(judgement, contract)]


def _is_promised(judgement: Judgement, contract: Contract) -> bool:
    """Whether it speaks of what the contract promises, or leaves open; checks know all contracts."""
    match judgement:
        case Kept() | Violation():
            return judgement.requirement in contract.requirements
        case Seen():
            return judgement.reading in contract.readings
        case _:
            return True


class Tally:
    """Adds up judgements, one episode at a time, so that a journal of any length fits."""

    def __init__(self, contract: Contract):
        self.contract = contract
        self.exercised: Counter[str] = Counter()
        self.stored: set[str] = set()
        self.sent_shapes: set[str] = set()
        """Shapes of the bodies that were sent."""
        self.sent_labels: set[str] = set()
        """Names of what was odd in the requests that were sent."""
        self.met: set[Combination] = set()
        """Values of factors that answered requests met together."""
        self.met_by: dict[str, set[Combination]] = {}
        """The same by requirement, for those that an episode was to judge."""
        self.readings: dict[str, dict[str, Counter[str]]] = {}
        self.suspects: dict[str, Suspect] = {}
        self.violated_in: dict[str, dict[str, set[tuple[str, ...]]]] = {}
        """By requirement and episode, the cases that it takes to see a violation, whether it counts in the end or
        not."""
        self.unanswered: dict[str, str] = {}
        """Requirements of episodes in which nothing was answered, with what happened instead."""
        self.crashes: dict[str, str] = {}
        """Requirements and readings whose check broke, and how."""
        self.unjudged: dict[str, Counter[str]] = {}
        """By requirement, why episodes that were made to judge it did not, and how many."""
        self._counted: Counter[str] = Counter()
        """Violations that were counted without their episodes, by finding id."""
        self._disturbed: dict[str, str] = {}
        """Requirements that states spoke against which somebody else was seen to write, and who."""
        self._written_by_others: set[str] = set()
        """Rules that changed while nothing was sent to them."""
        self._awaiting: dict[str, list[Suspect]] = {}
        self._first_places: dict[str, str] = {}
        """By finding id, the place at which it was seen first."""

    def add(self, episode: Episode, judgements: Iterable[Judgement] | None = None) -> list[Judgement]:
        """Count an episode; returns what was judged of it."""
        judgements_made = judge_episode(episode, self.contract) if judgements is None else list(judgements)
        if episode.confirms:
            self._add_confirmation(episode, judgements_made)
            return judgements_made
        if episode.smallest:
            self._add_smallest(episode, judgements_made)
            return judgements_made
        # A campaign that went on after a kill may have used a name twice.
        self._awaiting.pop(episode.id, None)
        for judgement in judgements_made:
            self._count(judgement, episode)
        self._note_unanswered(unanswered_in(episode))
        for requirement, reason in unjudged(episode, judgements_made):
            self.unjudged.setdefault(requirement, Counter())[reason] += 1
        for exchange in episode.exchanges:
            self.sent_shapes.update(exchange.intent.shapes)
            self.sent_labels.add(exchange.intent.label)
            if exchange.answer is not None:
                self._note_pairs(exchange, episode.about)
        return judgements_made

    def _note_pairs(self, exchange: Exchange, about: Iterable[str]) -> None:
        pairs = set(pairs_of(exchange.intent.factors))
        if pairs:
            self.met |= pairs
            for requirement in {*about, exchange.intent.requirement} & self.contract.requirements.keys():
                self.met_by.setdefault(requirement, set()).update(pairs)

    def add_count(self, record: Count) -> None:
        """Count what a campaign judged without keeping the episodes."""
        self.exercised.update(record.kept)
        self.stored.update(record.places)
        for reading, token, kind, times in record.readings:
            self.readings.setdefault(reading, {}).setdefault(kind, Counter())[token] += times
        self._counted.update(record.shown)
        self.crashes = {**record.crashes, **self.crashes}
        self._note_unanswered(record.unanswered)

    def _note_unanswered(self, reasons: Mapping[str, str]) -> None:
        self.unanswered = {**reasons, **self.unanswered}

    def _count(self, judgement: Judgement, episode: Episode) -> None:
        match judgement:
            case Kept():
                self.exercised[judgement.requirement] += 1
            case Stored():
                self.stored.update(judgement.places)
            case Seen():
                reading = self.contract.readings[judgement.reading]
                if judgement.token not in reading.accepted:
                    self._note_cases(reading.requirement, judgement, episode)
                kinds = self.readings.setdefault(judgement.reading, {})
                kinds.setdefault(judgement.kind, Counter())[judgement.token] += 1
            case Violation():
                self._show(judgement, episode)
            case Crash():
                self._note_crash(judgement)

    def _note_crash(self, crash: Crash) -> None:
        for subject in crash.about:
            self.crashes.setdefault(subject, crash.problem)

    def _show(self, violation: Violation, episode: Episode) -> None:
        self.exercised[violation.requirement] += 1
        self._note_cases(violation.requirement, violation, episode)
        if violation.compares_states and episode.disturbed:
            self._disturbed[violation.requirement] = written_by_another(episode.disturbed)
            return
        suspect = self.suspects.setdefault(violation.finding_id, Suspect(violation, episode.id))
        suspect.rules.update(episode.exchanges[position].intent.rule for position in violation.shown_by)
        suspect.observations.setdefault(sort_of(violation), Observation(violation, episode.id)).count += 1
        if violation.compares_states:
            self._awaiting.setdefault(episode.id, []).append(suspect)

    def _note_cases(self, requirement: str, judgement: Violation | Seen, episode: Episode) -> None:
        cases = {episode.exchanges[position].intent.case for position in judgement.shown_by} - {""}
        self.violated_in.setdefault(requirement, {}).setdefault(episode.id, set()).add(tuple(sorted(cases)))

    def _add_confirmation(self, episode: Episode, judgements: list[Judgement]) -> None:
        """Violations that rest on comparing states count only if they show again when nobody else writes."""
        if episode.disturbed:
            self._written_by_others.add(episode.disturbed)
        again = {judgement.finding_id for judgement in judgements if isinstance(judgement, Violation)}
        for suspect in self._awaiting.get(episode.confirms, ()):
            if suspect.violation.finding_id in again and not episode.disturbed:
                suspect.is_confirmed = True
            else:
                suspect.doubt = (
                    written_by_another(episode.disturbed)
                    if episode.disturbed
                    else f"it did not show again when it was sent again: {SOMEBODY_ELSE}"
                )

    def _add_smallest(self, episode: Episode, judgements: list[Judgement]) -> None:
        """What shows a finding best takes the place of what showed it first."""
        suspect = self.suspects.get(episode.smallest)
        if suspect is None:
            return
        suspect.stability = episode.stability
        same = closest(suspect.violation, judgements)
        if same is not None:
            suspect.violation = msgspec.structs.replace(same, place=suspect.violation.place)
            suspect.episode = episode.id

    def findings(self) -> list[Finding]:
        """The violations that count, grouped by their cause, in the order in which they first showed."""
        groups: dict[str, list[tuple[Suspect, Observation]]] = {}
        causes = self._causes()
        for suspect in self.suspects.values():
            for observation in suspect.observations.values():
                violation = observation.violation
                if self._counts(suspect, violation) and not causes.is_unknown_kind(violation):
                    identity = finding_id(violation.requirement, causes.place_of(violation), violation.kind)
                    groups.setdefault(identity, []).append((suspect, observation))
        return [self._finding(identity, observed, causes) for identity, observed in groups.items()]

    def seen_first_as(self, finding: Finding) -> str:
        """The id under which a finding was seen first, which may be another one than that of its cause."""
        place = self._first_places.get(finding.id, finding.place)
        return finding_id(finding.requirement, place, finding.kind)

    def _causes(self) -> Causes:
        observations = (
            observation for suspect in self.suspects.values() for observation in suspect.observations.values()
        )
        return Causes(
            self.contract, ((observation.violation, observation.count) for observation in observations), self.stored
        )

    def _counts(self, suspect: Suspect, violation: Violation) -> bool:
        is_doubted = bool(suspect.why_inconclusive(violation, self._written_by_others))
        return not is_doubted and not self._is_explained(violation.explained_by)

    def _finding(self, identity: str, observed: list[tuple[Suspect, Observation]], causes: Causes) -> Finding:
        firm = (pair for pair in observed if self._level(pair[1].violation) == "must")
        suspect, observation = next(firm, observed[0])
        violation, episode = observation.violation, observation.episode
        level, place = self._level(violation), causes.place_of(violation)
        if suspect.stability:
            violation, episode = suspect.violation, suspect.episode
        self._first_places[identity] = suspect.violation.place
        # What was counted without its episode is of the first sort, as far as anybody can tell.
        firsts = {
            id(first): first
            for first, observation in observed
            if observation is next(iter(first.observations.values()))
        }
        return Finding(
            id=identity,
            requirement=violation.requirement,
            level=level,
            place=place,
            kind=violation.kind,
            expected=violation.expected,
            actual=violation.actual,
            episode=episode,
            shown_by=violation.shown_by,
            count=sum(observation.count for _, observation in observed) + sum(map(self._counted_of, firsts.values())),
            stability=suspect.stability,
        )

    def _counted_of(self, suspect: Suspect) -> int:
        return self._counted[suspect.violation.finding_id]

    def doubt_about(self, requirement: str) -> str:
        """Why a violation of a requirement was seen and does not count, if so."""
        reasons = (
            suspect.why_inconclusive(observation.violation, self._written_by_others)
            for suspect in self.suspects.values()
            if suspect.violation.requirement == requirement
            for observation in suspect.observations.values()
        )
        doubt = next(filter(None, reasons), "") or self._disturbed.get(requirement, "")
        return doubt or self._explanation(requirement)

    def _is_explained(self, causes: Iterable[str]) -> bool:
        """Whether the run has each of the findings that would be the cause."""
        return bool(causes) and self.suspects.keys() >= set(causes)

    def _explanation(self, requirement: str) -> str:
        """What explains the violations of a requirement, if anything does."""
        sorts = (
            sort
            for violated in self.suspects.values()
            if violated.violation.requirement == requirement
            for sort in violated.observations
        )
        causes = next((causes for _, causes, *_ in sorts if self._is_explained(causes)), ())
        requirements = sorted({self.suspects[cause].violation.requirement for cause in causes})
        return f"what it shows is a finding of {' and '.join(requirements)} already" if requirements else ""

    def _level(self, violation: Violation) -> Level:
        level = violation.level or _own_level(self.contract.requirements[violation.requirement])
        if level == "must" and violation.inferred_place and violation.place not in self.stored:
            return "should"
        return level


def closest(violation: Violation, judgements: Iterable[Judgement]) -> Violation | None:
    """The same violation among other judgements: of its requirement and kind, at its place if there is one."""
    alike = [
        candidate
        for candidate in judgements
        if isinstance(candidate, Violation)
        and (candidate.requirement, candidate.kind) == (violation.requirement, violation.kind)
    ]
    return next((candidate for candidate in alike if candidate.place == violation.place), alike[0] if alike else None)


def same_violation(violation: Violation, judgements: Iterable[Judgement]) -> Violation | None:
    """The `closest` one, unless it is at another place of the body."""
    same = closest(violation, judgements)
    is_place = violation.place.startswith("/") and same is not None and same.place.startswith("/")
    return None if same is None or (is_place and same.place != violation.place) else same


def _own_level(requirement: Requirement) -> Level:
    return "must" if requirement.level == "must" else "should"
