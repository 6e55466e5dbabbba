"""Shows a run while it goes on: a bar with the remaining time on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from rules_harness.harness.cli.output import Output
from rules_harness.harness.exchange import Episode
from rules_harness.harness.scenarios.scenario import Scenario
from rules_harness.reports.text import duration, line

_SECONDS_BETWEEN_LINES: Final = 5.0


class QuietProgress:
    """Shows nothing but what must not be missed."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def planned(self, scenarios: int) -> None:
        """How many scenarios there will be."""

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        """One of them is done."""

    def doing(self, text: str) -> None:
        """What the run does now, beside its scenarios."""

    def note(self, text: str) -> None:
        self._output.say(line(text, 1000))


class ProgressLines(QuietProgress):
    """A line every few seconds, for logs."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._lock = threading.Lock()
        self._scenarios = self._done = self._requests = 0
        self._began = self._said = time.monotonic()

    def planned(self, scenarios: int) -> None:
        self._scenarios, self._done = scenarios, 0
        self._began = time.monotonic()
        self._output.say(f"{scenarios} scenarios to run")

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        with self._lock:
            self._done += 1
            self._requests += len(episode.exchanges)
            now = time.monotonic()
            if not self._scenarios or now - self._said < _SECONDS_BETWEEN_LINES:
                return
            self._said = now
            left = (now - self._began) / self._done * (self._scenarios - self._done)
            done = f"{self._done} of {self._scenarios} scenarios, {self._requests} requests"
            self._output.say(f"{done}, about {duration(max(left, 1))} left")

    def doing(self, text: str) -> None:
        self._output.say(text)


class ProgressBar(QuietProgress):
    """A live bar on a terminal."""

    def __init__(self, output: Output, progress: Progress) -> None:
        super().__init__(output)
        self._progress = progress
        self._lock = threading.Lock()
        self._requests = 0
        self._is_planned = False
        self._task = progress.add_task("looking at the target", total=None, requests=0)

    def planned(self, scenarios: int) -> None:
        self._is_planned = True
        self._progress.reset(self._task, total=scenarios)

    def finished(self, scenario: Scenario, episode: Episode) -> None:
        with self._lock:
            self._requests += len(episode.exchanges)
            description = scenario.family if self._is_planned else None
            self._progress.update(self._task, advance=1, description=description, requests=self._requests)

    def doing(self, text: str) -> None:
        self._progress.update(self._task, total=None, description=text)

    def note(self, text: str) -> None:
        cleaned = self._output.clean(line(text, 1000))
        self._progress.console.print(cleaned, markup=False, highlight=False, soft_wrap=True)


class TimeLeft(ProgressColumn):
    """The time that is left, once it can be told; a run is never said to be done before it is."""

    def render(self, task: Task) -> Text:
        left = task.time_remaining
        if left is None:
            return Text("")
        return Text("ending" if task.finished else f"about {duration(max(left, 1))} left", style="progress.remaining")


@contextmanager
def shown(output: Output, *, quiet: bool) -> Iterator[QuietProgress]:
    """What shows the progress of a run inside the `with` block."""
    console = output.console(remarks=True)
    if quiet:
        yield QuietProgress(output)
    elif not console.is_terminal:
        yield ProgressLines(output)
    else:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[requests]} requests"),
            TimeElapsedColumn(),
            TimeLeft(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield ProgressBar(output, progress)
