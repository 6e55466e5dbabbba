"""The checks on trial: every fault must be killed by its own requirement, and nothing that is allowed may be flagged.

Each worker process keeps one embedded target and switches its faults and variants between runs.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from rules_harness.harness.exchange import Episode
from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Journal
from rules_harness.harness.judging.outcome import Outcome
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.reference.variants import VARIANTS
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Progress, Settings, Silent
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import load

COMBINATIONS = 30
DUE = 25
"""How many variants of a combination are some that have not had their turn."""
NOW = datetime.now(UTC)
"""One instant for all runs of a process, so that what is made from it is made once."""
TrialKind = Literal["clean", "fault", "variant", "combination"]


class Trial(msgspec.Struct, frozen=True):
    """One run against the embedded target with something switched on."""

    kind: TrialKind
    name: str
    seed: int
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    expects: str = ""
    """The requirement that must not hold."""
    tolerates: tuple[str, ...] = ()
    """Further requirements that may not hold."""
    requests: int | None = None
    """How many a short run may send."""
    ends_when_killed: bool = False
    """Nothing more is sent once the fault is killed, so what else it would break later is not seen."""


class SentCase(msgspec.Struct):
    """What was sent for one case."""

    requests: int = 0
    requirements: set[str] = msgspec.field(default_factory=set)
    """Those that it puts to the test."""


class TrialResult(msgspec.Struct, frozen=True):
    """What a trial showed; ``problem`` is ``None`` where it went as it must."""

    trial: Trial
    flagged: tuple[str, ...]
    problem: str | None
    shown_in: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({})
    """For a fault, the scenarios in which its requirement did not hold, as their cases are listed, each with the sets
    of cases that it takes to show it."""
    sent: Mapping[str, Mapping[str, SentCase]] = MappingProxyType({})
    """What was sent for each case of each scenario; for the scenario itself under an empty name."""


def trials(
    seeds: Sequence[int], *, combinations: int = COMBINATIONS, each_variant: bool = True, requests: int | None = None
) -> Iterator[Trial]:
    """Every trial: the clean target, each variant and combinations of them under the whole gate, each fault alone.

    Without ``each_variant`` the combinations alone stand for the variants.  With ``requests`` all are short runs, of
    everything that is judged.
    """
    for trial in _whole_trials(seeds, combinations, each_variant=each_variant):
        yield trial if requests is None else msgspec.structs.replace(trial, select=(), requests=requests)


def until_killed(trial: Trial) -> Trial:
    """The trial, ended as soon as it has what it is for."""
    return msgspec.structs.replace(trial, ends_when_killed=trial.kind == "fault")


def _whole_trials(seeds: Sequence[int], combinations: int, *, each_variant: bool) -> Iterator[Trial]:
    for seed in seeds:
        yield Trial("clean", "clean", seed)
        for variant in VARIANTS if each_variant else ():
            yield Trial("variant", variant.id, seed, variants=(variant.id,))
        for number, chosen in enumerate(_combinations(seed, combinations), start=1):
            yield Trial("combination", f"combination {number}", seed, variants=chosen)
        for fault in FAULTS:
            yield Trial(
                "fault",
                fault.id,
                seed,
                faults=(fault.id,),
                select=(fault.requirement,),
                expects=fault.requirement,
                tolerates=fault.also,
            )


def _combinations(seed: int, count: int) -> Iterator[tuple[str, ...]]:
    """Random sets of variants, at most one of each group, since two of a group exclude each other; in as few of them as
    that takes each variant has its turn."""
    chance = random.Random(f"combinations/{seed}")
    due = chance.sample(VARIANTS, k=len(VARIANTS))
    for _ in range(count):
        chosen: dict[str, str] = {}
        drawn = chance.sample(VARIANTS, k=chance.randint(2, len(VARIANTS) // 2))
        for variant in (*due[:DUE], *drawn):
            chosen.setdefault(variant.group or variant.id, variant.id)
        due = [variant for variant in due if variant.id not in chosen.values()]
        yield tuple(sorted(chosen.values()))


def run_trials(chosen: Sequence[Trial], *, workers: int) -> Iterator[TrialResult]:
    """Run trials, several at a time; results come in the order of the trials."""
    with ProcessPoolExecutor(workers, initializer=_start) as pool:
        yield from pool.map(_run, chosen)


_SERVER: list[ReferenceServer] = []


def _start() -> None:
    """Give this worker process a target of its own, which ends with it."""
    server = ReferenceServer()
    server.__enter__()
    _SERVER.append(server)


def _run(trial: Trial) -> TrialResult:
    server = _SERVER[0]
    server.configure(faults=trial.faults, variants=trial.variants)
    counted = _Counted()
    with tempfile.TemporaryDirectory(prefix="rules-harness-") as folder:
        gate = _gate(server, trial, Path(folder), counted)
        gate.run()
        outcome = gate.conclude(())
    flagged = tuple(
        sorted(name for name, judged in outcome.requirements.items() if judged.verdict in ("failed", "warned", "error"))
    )
    shown_in: dict[str, set[tuple[str, ...]]] = {}
    for episode, cases in gate.record.tally.violated_in.get(trial.expects, {}).items():
        shown_in.setdefault(counted.listed_as.get(episode, episode), set()).update(cases)
    listed = {name: tuple(sorted(cases)) for name, cases in sorted(shown_in.items())}
    return TrialResult(trial, flagged, _problem(trial, outcome, flagged), listed, counted.sent)


class _Counted(Silent):
    """Counts what each scenario sends for each of its cases."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, SentCase]] = {}
        self.listed_as: dict[str, str] = {}
        """What the cases of a scenario are listed as, by its id."""

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        self.listed_as[scenario.id] = scenario.listed_as
        sent = self.sent.setdefault(scenario.listed_as, {})
        whole = SentCase(requirements=set(scenario.requirements))
        for exchange in episode.exchanges:
            case = exchange.intent.case
            of_case = sent.setdefault(case, SentCase()) if case else whole
            of_case.requests += 1
            of_case.requirements |= {exchange.intent.requirement} - {""}
        whole.requests = max(whole.requests, scenario.alone_takes)
        # Scenarios that share a list take the same beside its cases, but for the first.
        if whole.requests > sent.get("", SentCase()).requests:
            sent[""] = whole


def _gate(server: ReferenceServer, trial: Trial, folder: Path, progress: Progress) -> Gate:
    contract = load()
    path = folder / "profile.toml"
    path.write_text(server.profile_toml, encoding="utf-8")
    profile, keyring = load_profile(path, contract=contract, environ=dict(server.environment))
    # Only what is selected counts as a failure, and a fault's trial selects the requirement that it breaks.
    failures = 1 if trial.ends_when_killed else None
    settings = Settings(
        seed=trial.seed,
        now=NOW,
        select=trial.select,
        requests=trial.requests,
        max_failures=failures,
        fail_on="should",
    )
    return Gate(contract, Opened(profile, keyring, embedded=True), Journal(folder), settings, progress)


def _problem(trial: Trial, outcome: Outcome, flagged: tuple[str, ...]) -> str | None:
    if trial.kind == "fault":
        if trial.expects not in flagged:
            verdict = outcome.requirements[trial.expects].verdict
            return f"not killed: {trial.expects} is {verdict}"
        # A short run judges everything, and what else a fault breaks is not listed.
        stray = sorted(set(flagged) - {trial.expects, *trial.tolerates}) if trial.select else []
        return f"also flagged: {', '.join(stray)}" if stray else None
    warned = {name for variant in VARIANTS if variant.id in trial.variants for name in variant.warns}
    wrong = [name for name in flagged if name not in warned or outcome.requirements[name].verdict != "warned"]
    if wrong:
        return "flagged: " + "; ".join(f"{name} ({outcome.requirements[name].reason})" for name in wrong)
    unjudged = [name for name, judged in outcome.requirements.items() if judged.verdict == "inconclusive"]
    if trial.kind == "clean" and unjudged:
        return f"not judged: {', '.join(unjudged)}"
    return None


def matrix(results: Sequence[TrialResult]) -> dict[str, Any]:
    """The results as JSON values: what each trial expected, and what was flagged."""
    return {
        "schema_version": 1,
        "passed": sum(result.problem is None for result in results),
        "failed": sum(result.problem is not None for result in results),
        "trials": [
            {
                "kind": result.trial.kind,
                "name": result.trial.name,
                "seed": result.trial.seed,
                "expects": result.trial.expects or None,
                "variants": result.trial.variants,
                "flagged": result.flagged,
                "problem": result.problem,
                "shown_in": result.shown_in,
                "sent": {
                    name: {case: (of.requests, sorted(of.requirements)) for case, of in cases.items()}
                    for name, cases in (result.sent if result.trial.kind == "clean" else {}).items()
                },
            }
            for result in results
        ],
    }
