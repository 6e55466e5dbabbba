"""`rules-harness fuzz`: the campaign."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from rules_harness.harness.campaign.corpus import Corpus, open_corpus
from rules_harness.harness.campaign.crew import Crew, Processes
from rules_harness.harness.campaign.earlier import Earlier
from rules_harness.harness.campaign.messages import CorpusEntry
from rules_harness.harness.campaign.run import Campaign
from rules_harness.harness.campaign.settings import CampaignSettings, Watcher
from rules_harness.harness.cli.ending import leave
from rules_harness.harness.cli.leaving import leave_findings
from rules_harness.harness.cli.options import (
    OutputPath,
    chosen,
    contract_option,
    report_names,
    selection,
    selection_options,
    target_options,
)
from rules_harness.harness.cli.output import Output
from rules_harness.harness.cli.trusting import recorded_target, trust_option
from rules_harness.harness.cli.watching import watched
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import Count, EpisodeRecord, Footer, Header, Journal, stream
from rules_harness.harness.session.folder import make_room
from rules_harness.harness.session.opening import Chosen, Opened, check_production, opened
from rules_harness.harness.session.recorded import EMBEDDED, OWN_CONTRACT, header_of, needed_keys, unrestored
from rules_harness.harness.session.reporting import ALWAYS
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.target.cleaning import named_in
from rules_harness.openapi.contract import Contract, load
from rules_harness.reports.baseline import Baseline
from rules_harness.reports.baseline import load as load_baseline
from rules_harness.reports.formats import FORMATS

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhd]?)+", re.IGNORECASE)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.IGNORECASE)
MOST_WORKERS: Final = 256


class FuzzOptions(msgspec.Struct, frozen=True):
    """The command line; see the help text of each option."""

    chosen: Chosen
    select: tuple[str, ...]
    contract: Contract | None
    time: float
    requests: int | None
    workers: int | None
    seed: int
    out: Path | None
    reports: tuple[str, ...]
    baseline: Path | None
    earlier: Path | None
    capture: str
    corpus: str | None
    cluster: str | None
    serve: int | None
    quiet: bool

    @property
    def folder(self) -> Path:
        """Where everything goes: a campaign that is continued stays where it is."""
        if self.earlier is not None:
            return self.earlier if self.earlier.is_dir() else self.earlier.parent
        return self.out or Path("out")


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    text = value.strip()
    if not _DURATION.fullmatch(text):
        raise click.BadParameter(f"{value!r} is not a duration such as 90s, 10m or 1h30m.", ctx, parameter)
    seconds = sum(float(number) * _UNITS[unit.lower() or "s"] for number, unit in _PART.findall(text))
    if seconds <= 0:
        raise click.BadParameter("a campaign without time can find nothing; give some, such as 10m.", ctx, parameter)
    return seconds


def _workers(ctx: click.Context, parameter: click.Parameter, value: str) -> int | None:
    """How many; ``None`` for auto."""
    if value == "auto":
        return None
    if not value.isdigit() or not 1 <= int(value) <= MOST_WORKERS:
        raise click.BadParameter(f"{value!r} is neither auto nor a number from 1 to {MOST_WORKERS}.", ctx, parameter)
    return int(value)


@click.command(short_help="Look for what nobody asked: random requests and histories.")
@target_options
@contract_option
@selection_options
@click.option("--time", default="10m", show_default=True, callback=_seconds, metavar="T", help="How long to search.")
@click.option("--requests", type=click.IntRange(min=1), metavar="N", help="How many requests to search with, at most.")
@click.option(
    "--workers",
    default="1",
    show_default=True,
    callback=_workers,
    metavar="N|auto",
    help="Processes that send, each with the profile's in_flight; one for each writable rule at most, auto: and core.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Decides what is drawn.")
@click.option("--out", type=OutputPath(), metavar="DIR", help="Where everything goes; by default the folder out.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    callback=report_names,
    metavar="NAME,…",
    help=f"Further reports: {', '.join(name for name in FORMATS if name not in ALWAYS)}.",
)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Findings that are accepted.")
@click.option(
    "--continue",
    "earlier",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with a campaign that ended or was cut off, by default with the profile that it was given.",
)
@trust_option
@click.option(
    "--capture",
    type=click.Choice(("samples", "all")),
    default="samples",
    show_default=True,
    help="What passed is counted and some of it kept, or all of it is kept.",
)
@click.option("--corpus", metavar="DIR|redis://…", help="What is tried first, and kept; by default DIR/corpus.")
@click.option("--cluster", metavar="tcp://…", help="The scheduler of a Dask cluster that has the workers.")
@click.option(
    "--serve",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Show the campaign on a page of this machine, http://127.0.0.1:PORT/, while it goes on; 0 takes a free one.",
)
@click.option(
    "--quiet", is_flag=True, help="No progress, no tables: what is broken, the verdict, and the files written."
)
@click.pass_obj
def command(output: Output, /, **given: Any) -> int:
    """Look for what nobody asked: random requests and histories, judged like those of `check`.

    Without --target and --base-url the embedded target is started. Rules are read first and put back last; a finding is
    made as small as it gets and left as a folder with a shell script and a test.
    """
    contract, is_own, earlier = given["contract"] or load(), given.pop("is_own"), given["earlier"]
    if earlier is not None and given["out"] is not None:
        raise UsageError("--continue goes on in the folder of the RUN; give either it or --out")
    target = chosen(given)
    if earlier is not None and target == Chosen():
        target = recorded_target(output, earlier, is_own=is_own)
    options = FuzzOptions(chosen=target, select=selection(given, contract), **given)
    with opened(options.chosen, contract) as here:
        check_production(here.profile, contract)
        baseline = None if options.baseline is None else load_baseline(options.baseline, datetime.now(UTC))
        if options.earlier is None:
            make_room(options.folder)
        return _Fuzzing(options, contract, here, output).run(baseline)


class _Fuzzing:
    """One invocation."""

    def __init__(self, options: FuzzOptions, contract: Contract, target: Opened, output: Output) -> None:
        self._options = options
        self._contract = contract
        self._target = target
        self._output = output
        self._now = datetime.now(UTC).replace(microsecond=0)

    def run(self, baseline: Baseline | None) -> int:
        options, folder = self._options, self._options.folder
        earlier = None if options.earlier is None else self._earlier(options.earlier)
        corpus = open_corpus(
            options.corpus or str(folder / "corpus"),
            self._contract,
            self._target.profile.world(self._now),
            folder / "corpus",
        )
        settings = self._settings(corpus.load())
        crew = self._crew()
        clean = self._output.guard(self._target.keyring).clean_text
        journal = Journal(folder, clean=clean, append=earlier is not None)
        with watched(self._output, quiet=options.quiet) as bar, self._served(bar, journal.path) as watcher:
            campaign = Campaign(
                self._contract,
                self._target,
                journal,
                settings,
                watcher,
                crew,
                keep=corpus.save,
                earlier=earlier,
                accepted=None if baseline is None else baseline.accepted,
            )
            with interruptible(campaign):
                outcome = campaign.run()
        self._tell_of(corpus)
        return leave(
            campaign,
            outcome,
            self._output,
            reports=options.reports,
            baseline=baseline,
            quiet=options.quiet,
            further=partial(leave_findings, folder),
        )

    @contextmanager
    def _served(self, watcher: Watcher, path: Path) -> Iterator[Watcher]:
        """What watches the campaign: with --serve a page beside the terminal."""
        if self._options.serve is None:
            yield watcher
            return
        from rules_harness.harness.cli.live import served  # noqa: PLC0415 - for those who look on alone

        with served(self._options.serve, watcher, path, self._contract) as (live, address):
            self._output.say(f"The campaign is shown at {address}")
            yield live

    def _settings(self, entries: tuple[CorpusEntry, ...]) -> CampaignSettings:
        options = self._options
        return CampaignSettings(
            seconds=options.time,
            requests=options.requests,
            seed=options.seed,
            now=self._now,
            select=options.select,
            capture_all=options.capture == "all",
            entries=entries,
            options=options.chosen.recorded
            | {EMBEDDED: self._target.embedded, OWN_CONTRACT: options.contract is not None},
        )

    def _tell_of(self, corpus: Corpus) -> None:
        if corpus.problem:
            self._output.say(corpus.problem)

    def _crew(self) -> Callable[[], Crew]:
        workers, rules = self._options.workers, max(1, len(self._target.profile.rules.writable))
        if workers is None:
            workers = min(os.cpu_count() or 1, rules)
        elif workers > rules:
            self._output.say(
                f"--workers {workers}: each has {self._contract.noun.with_article} of its own, and the profile "
                f"lists {rules} to write"
            )
        if self._options.cluster is not None:
            from rules_harness.harness.campaign.cluster import joined  # noqa: PLC0415 - an extra

            return joined(self._options.cluster, self._contract, self._target.profile, self._options.workers)
        count = min(workers, rules)
        return lambda: Processes(self._contract, self._target.keyring, count)

    def _earlier(self, run: Path) -> Earlier:
        """What a RUN left; raises `UsageError` where it is not a campaign, or one against something else."""
        header = header_of(run)
        here = self._target.profile.target.base_url
        if header.kind != "campaign":
            raise UsageError(f"{run} is not a campaign but a {header.kind}; only a campaign can be continued")
        if header.contract_sha256 != self._contract.sha256:
            raise UsageError(f"{run} was recorded with another contract than today's; start a new campaign")
        if header.base_url != here and not (header.options.get(EMBEDDED) and self._target.embedded):
            raise UsageError(f"{run} was against {header.base_url}, and this is {here}; name the target of the RUN")
        self._check_own(run, header)
        counts, episodes, seconds = [], [], 0.0
        for record in stream(run):
            match record:
                case Count():
                    counts.append(record)
                case EpisodeRecord(episode=episode):
                    episodes.append(episode)
                    seconds = max(seconds, max((exchange.ended for exchange in episode.exchanges), default=0.0))
                case Footer():
                    seconds = record.seconds
                case _:
                    pass
        return Earlier(tuple(counts), tuple(episodes), unrestored(run), seconds)

    def _check_own(self, run: Path, header: Header) -> None:
        """Raise `UsageError` where going on would do what only the journal asks for, and not the profile."""
        left, profile = unrestored(run), self._target.profile
        others = sorted({original.rule for original in left} - set(profile.rules.all))
        if others:
            raise UsageError(f"{run} left {', '.join(others)} changed, which the profile does not list; add it there")
        lacking = sorted(needed_keys(left) - set(profile.credentials))
        held = sorted(named_in([original.state for original in left]))
        if lacking or held:
            raise UsageError(
                f"{run} left {self._contract.noun.plural} changed that take the keys of "
                f"{', '.join({*lacking, *held})}: "
                f"`rules-harness restore {run} --target FILE` first"
            )
        hooks = msgspec.json.decode(msgspec.json.encode(profile.hooks))
        if header.profile.get("hooks") != hooks and not self._target.embedded:
            raise UsageError(f"{run} was recorded with other hooks than the profile has; start a new campaign")
