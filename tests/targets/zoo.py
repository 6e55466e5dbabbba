"""`make zoo`: the harness against conforming servers that nobody here wrote, and against their mistakes.

Results are kept in ``.zoo/results.json``, docs/zoo.md is made of them; a later call goes on where an earlier stopped.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from rules_harness.openapi.contract import load
from tests.targets.document import render
from tests.targets.results import CLEAN, NOT_STARTED, Key, Kind, Result, Results
from tests.targets.running import revision, run
from tests.targets.serving import another_writer, serving
from tests.targets.stacks import ROOT, STACKS, WORK, Missing, Mistake, NotStarted, Stack

DOCUMENT = ROOT / "docs/zoo.md"
RESULTS = WORK / "results.json"
PARTS = ("clean", "habits", "allowed", "mistakes")
PLENTY = 100_000
"""Requests; so that time ends a campaign, and not the number in the profile."""


class Condition(msgspec.Struct, frozen=True):
    """What is set on a server for some runs."""

    name: str
    environment: dict[str, str] = {}
    limits: dict[str, float] = {}
    is_minimal: bool = False
    has_writer: bool = False


HABITS = (
    Condition("jitter", {"JITTER": "50-300"}),
    Condition("lag", {"LAG": "0.3"}, {"settle_seconds": 0.5}),
    Condition("rate", {"RATE": "60"}),
    Condition("writer", has_writer=True),
    Condition("minimal", is_minimal=True),
    Condition("share", {"SHARE": "1"}),
)


class Options(msgspec.Struct, frozen=True):
    """What of the zoo is run, and for how long."""

    parts: tuple[str, ...] = PARTS
    seeds: int = 3
    seconds: int = 30
    is_quick: bool = False
    """Mistakes are first looked for where their README says, and habits have no campaigns."""
    fuzzes_misses: bool = True


class Zoo:
    """Runs what has no result yet."""

    def __init__(self, results: Results, options: Options, say: Callable[[str], None]) -> None:
        self._results = results
        self._options = options
        self._say = say

    def visit(self, stack: Stack) -> None:
        """All runs of one stack. Raises `Missing`."""
        stack.install()
        parts = self._options.parts
        if "clean" in parts:
            self._conforming(stack, Condition(CLEAN), self._options.seeds)
        seeds = 0 if self._options.is_quick else self._options.seeds
        for condition in self._kept(parts, stack):
            self._conforming(stack, condition, seeds)
        if "mistakes" in parts:
            for mistake in stack.mistakes:
                self._mistaken(stack, mistake)

    def _kept(self, parts: Sequence[str], stack: Stack) -> Iterator[Condition]:
        """Conditions under which the server conforms."""
        if "habits" in parts:
            yield from (habit for habit in HABITS if habit.name not in stack.without)
        if "allowed" in parts:
            yield from (Condition(f"allowed {row.name}", _switch(row.name)) for row in stack.allowed)

    def _conforming(self, stack: Stack, condition: Condition, seeds: int) -> None:
        self._once(stack, condition, "gate", 1)
        for seed in range(1, seeds + 1):
            self._once(stack, condition, "campaign", seed)

    def _mistaken(self, stack: Stack, mistake: Mistake) -> None:
        """Looked for until it is found."""
        condition = Condition(f"mistake {mistake.name}", _switch(mistake.name))
        # Whatever is sent bears on the envelope: asking for that is asking for everything.
        named = [name for name in mistake.breaks if name in load().requirements and not name.startswith("envelope.")]
        if self._options.is_quick and named:
            first = self._once(stack, condition, "gate", 1, named)
            if self._results.beyond_clean(first):
                return
        result = self._once(stack, condition, "gate", 1)
        for seed in range(1, self._options.seeds + 1):
            if self._results.beyond_clean(result) or not self._options.fuzzes_misses:
                return
            result = self._once(stack, condition, "campaign", seed)

    def _once(
        self,
        stack: Stack,
        condition: Condition,
        kind: Kind,
        seed: int,
        select: Sequence[str] = (),
    ) -> Result:
        key = Key(stack.name, condition.name, kind, seed)
        earlier = self._results.get(key)
        if earlier is not None and earlier.is_judged and (select or not earlier.is_partial):
            return earlier
        folder = WORK / "runs" / stack.name / re.sub(r"\W", "_", condition.name) / f"{kind}-{seed}"
        try:
            result = self._run(stack, condition, key, folder, select)
        except NotStarted as error:
            result = Result(key, None, NOT_STARTED, str(error), 0, 0.0, revision())
        self._results.add(result)
        self._tell(result)
        if self._is_as_expected(result):
            shutil.rmtree(folder)
        return result

    def _run(self, stack: Stack, condition: Condition, key: Key, folder: Path, select: Sequence[str]) -> Result:
        """Raises `NotStarted`."""
        with ExitStack() as opened:
            server = opened.enter_context(serving(stack, condition.environment, minimal=condition.is_minimal))
            if not condition.is_minimal:
                server.limit(max_requests=PLENTY, **condition.limits)
            if condition.has_writer:
                opened.enter_context(another_writer(server))
            result = run(server, key, folder, search_seconds=self._options.seconds, select=select)
            (folder / "server.log").write_text(server.log(), encoding="utf-8")
        return result

    def _is_as_expected(self, result: Result) -> bool:
        if result.key.condition.startswith("mistake "):
            return bool(self._results.beyond_clean(result))
        return result.exit_code == 0 and not result.findings

    def _tell(self, result: Result) -> None:
        key = result.key
        findings = self._results.beyond_clean(result) if key.condition.startswith("mistake ") else result.findings
        names = ", ".join(dict.fromkeys(f"{each.requirement} ({each.verdict})" for each in findings))
        self._say(
            f"{key.stack:8} {key.condition:36} {key.kind} {key.seed}: {result.exit_code} {result.outcome}, "
            f"{result.requests} requests, {result.seconds:.0f} s{': ' + names if names else ''}"
            f"{'; ' + result.reason if result.reason else ''}"
        )


def _switch(name: str) -> dict[str, str]:
    """The variable that makes a server behave so; a name with ``=`` is one of its own."""
    variable, is_one, value = name.partition("=")
    return {variable: value} if is_one else {"MISTAKE": name}


def _chosen(_context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    known = PARTS if option.name == "only" else tuple(stack.name for stack in STACKS)
    names = tuple(value.split(",")) if value else known
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}")
    return names


@click.command()
@click.option("--stacks", callback=_chosen, metavar="NAME,…", help="Only these stacks.")
@click.option("--only", callback=_chosen, metavar="PART,…", help=f"Only these parts: {', '.join(PARTS)}.")
@click.option("--seeds", type=click.IntRange(min=0), default=3, show_default=True, help="Campaigns of each kind.")
@click.option("--seconds", type=click.IntRange(min=1), default=30, show_default=True, help="How long a campaign is.")
@click.option(
    "--quick", is_flag=True, help="Mistakes are looked for where their README says first; habits by the gate."
)
@click.option("--fuzz-misses/--no-fuzz-misses", default=True, help="Campaigns for mistakes that the gate misses.")
@click.option("--again", is_flag=True, help="Forget what these parts of these stacks came to before.")
@click.option("--install", is_flag=True, help="Install what the stacks need, and do no more.")
@click.option("--document", is_flag=True, help="Write docs/zoo.md from the results that there are, and do no more.")
def main(
    *,
    stacks: tuple[str, ...],
    only: tuple[str, ...],
    seeds: int,
    seconds: int,
    quick: bool,
    fuzz_misses: bool,
    again: bool,
    install: bool,
    document: bool,
) -> None:
    """Run the harness against the zoo, and write docs/zoo.md."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: servers are ended
    results, missing = Results(RESULTS), dict[str, str]()
    if again:
        results.forget(stacks, only)
    zoo = Zoo(results, Options(only, seeds, seconds, quick, fuzz_misses), click.echo)
    try:
        for stack in STACKS:
            if stack.name not in stacks or document:
                continue
            try:
                stack.install() if install else zoo.visit(stack)
            except Missing as error:
                missing[stack.name] = str(error)
                click.echo(f"{stack.name}: {error}", err=True)
    finally:
        if not install:
            DOCUMENT.write_text(render(results), encoding="utf-8")
    if missing:
        raise SystemExit(f"not run: {', '.join(missing)}")


if __name__ == "__main__":
    main()
