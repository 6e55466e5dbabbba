"""Shows a campaign while it goes on: a table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.live import Live
from rich.table import Table
from rich.text import Text

from rules_harness.harness.campaign.settings import State
from rules_harness.harness.cli.output import Output
from rules_harness.reports.text import duration, line

_SECONDS_BETWEEN_LINES: Final = 5.0


class QuietWatch:
    """Shows nothing but what must not be missed."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def state(self, state: State) -> None:
        """Where the campaign stands."""

    def note(self, text: str) -> None:
        self._output.say(line(text, 1000))


class WatchLines(QuietWatch):
    """A line every few seconds, for logs."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._said = time.monotonic()

    def state(self, state: State) -> None:
        now = time.monotonic()
        if now - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now
            self._output.say("; ".join(f"{name} {value}" for name, value in _rows(state)))


class WatchBoard(QuietWatch):
    """A live table on a terminal."""

    def __init__(self, output: Output, live: Live) -> None:
        super().__init__(output)
        self._live = live

    def state(self, state: State) -> None:
        table = Table.grid(padding=(0, 2))
        for name, value in _rows(state):
            table.add_row(Text(name, style="dim"), Text(self._output.clean(value)))
        self._live.update(table)

    def note(self, text: str) -> None:
        self._live.console.print(Text(self._output.clean(line(text, 1000))), soft_wrap=True)


@contextmanager
def watched(output: Output, *, quiet: bool) -> Iterator[QuietWatch]:
    """What shows the campaign inside the `with` block."""
    console = output.console(remarks=True)
    if quiet:
        yield QuietWatch(output)
    elif not console.is_terminal:
        yield WatchLines(output)
    else:
        with Live(console=console, transient=True, refresh_per_second=4) as live:
            yield WatchBoard(output, live)


def _rows(state: State) -> Iterator[tuple[str, str]]:
    left = f"{duration(state.seconds_left)} or {state.requests_left:,} requests left"
    yield state.doing, f"{duration(max(state.elapsed, 0.1))}, {left}"
    latency = ""
    if state.latency is not None:
        median, slow = (1000 * seconds for seconds in state.latency)
        latency = f", latency {median:.0f} ms, 95 % within {slow:.0f} ms"
    yield "requests", f"{state.requests:,}, {state.rate:,.0f} per second{latency}"
    covered = (f"{name} {reached:,} of {total:,}" for name, (reached, total) in state.coverage.items())
    yield "coverage", ", ".join(covered)
    findings = ", ".join(f"{family} {count}" for family, count in sorted(state.findings.items()))
    yield "findings", findings or "none"
