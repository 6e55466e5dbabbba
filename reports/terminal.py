"""A run on a terminal: verdicts by family, readings, findings with their commands, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rules_harness.reports import again, curl, plain
from rules_harness.reports.model import Family, FindingGroup, FindingView, RunReport
from rules_harness.reports.text import counted, duration

_STYLES: Final = {
    "failed": "bold red",
    "error": "bold red",
    "warned": "yellow",
    "inconclusive": "blue",
    "skipped": "dim",
    "passed": "green",
}
_CONCLUSIONS: Final = {
    "conforms": "bold green",
    "violates": "bold red",
    "inconclusive": "bold yellow",
    "error": "bold red",
}
_OTHERS_SHOWN: Final = 5
_COMMANDS_SHOWN: Final = 3
_REASONS_SHOWN: Final = 8
_SCENARIOS_SHOWN: Final = 3
_WIDTH_LIMIT: Final = 160


def show(report: RunReport, console: Console) -> None:
    """Print the run, at most 160 columns wide.

    Every text of the report is taken as it is, never as markup; commands are not wrapped, so that they can be copied.
    """
    width = min(console.width, _WIDTH_LIMIT)
    for part in _parts(report):
        if isinstance(part, _Command):
            console.print(Text(part.text), soft_wrap=True)
        else:
            console.print(part, width=width)


class _Command(msgspec.Struct, frozen=True):
    """Something to copy."""

    text: str


def brief(report: RunReport) -> Iterator[Text]:
    """The run in a few lines, the verdict last."""
    yield from _skipped(report)
    yield from _left(report)
    yield from _broken(report)
    yield verdict(report)


def verdict(report: RunReport) -> Text:
    """The last line: what the run concludes."""
    text = Text()
    text.append(report.headline, style=_CONCLUSIONS[report.outcome.conclusion])
    text.append(f": {report.target.name}")
    if report.outcome.reason:
        text.append(f", {report.outcome.reason}")
    text.append(
        f" ({plain.counts(report)}; {counted(report.requests, 'request')} in {duration(report.seconds)})", style="dim"
    )
    return text


def _left(report: RunReport) -> Iterator[Text]:
    """What somebody must see to about the rules that a run wrote to."""
    enabled = [row.rule for row in report.rules if row.was_enabled and row.restored]
    if enabled:
        yield Text(f"Enabled before the run, disabled now; a human re-enables: {', '.join(enabled)}", style="yellow")
    for row in report.rules:
        if row.problem is not None:
            yield Text(f"Not put back: {row.rule}: {row.problem}", style="bold red")


def _broken(report: RunReport) -> Iterator[Text]:
    """Which requirements failed, warned or could not be judged for an error, a line for each verdict."""
    for verdict in ("failed", "error", "warned"):
        names = [row.id for row in report.requirements if row.verdict == verdict]
        if names:
            yield Text(f"{verdict}: {', '.join(names)}", style=_STYLES[verdict])


def _skipped(report: RunReport) -> Iterator[Text]:
    """What was not sent at all, a line for each reason."""
    for row in report.skipped[:_REASONS_SHOWN]:
        more = f" and {len(row.scenarios) - _SCENARIOS_SHOWN:,} more" if len(row.scenarios) > _SCENARIOS_SHOWN else ""
        yield Text(f"Skipped: {', '.join(row.scenarios[:_SCENARIOS_SHOWN])}{more}: {row.reason}", style="dim")
    if len(report.skipped) > _REASONS_SHOWN:
        left_out = counted(len(report.skipped) - _REASONS_SHOWN, "more reason")
        yield Text(f"Skipped for {left_out}, in summary.json", style="dim")


def _parts(report: RunReport) -> Iterator[RenderableType | _Command]:
    yield _requirements(report)
    asked = [row for row in report.readings if row.answer is not None]
    if asked:
        yield _readings(report)
    yield from _coverage(report)
    for group in report.groups:
        yield from _group(group, report)
    yield Text("")
    for problem in report.baseline.problems if report.baseline else ():
        yield Text(f"Baseline: {problem}", style="yellow")
    for sentence in report.missing:
        yield Text(f"Incomplete: {sentence}", style="yellow")
    yield from _skipped(report)
    yield from _left(report)
    yield verdict(report)


def _requirements(report: RunReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("requirement", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("exercised", justify="right")
    table.add_column("findings", justify="right")
    table.add_column("reason", overflow="fold", ratio=1)
    for family in report.families:
        _add_family(table, family)
    return table


def _add_family(table: Table, family: Family) -> None:
    for row in family.rows:
        table.add_row(
            Text(row.id),
            Text(row.verdict, style=_STYLES[row.verdict]),
            Text(f"{row.exercised:,}", style="dim"),
            Text(f"{row.findings:,}" if row.findings else "", style=_STYLES[row.verdict]),
            Text(row.reason or "", style="dim"),
        )
    table.add_section()


def _readings(report: RunReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("reading", no_wrap=True)
    table.add_column("answer", overflow="fold", ratio=1)
    table.add_column("seen", justify="right")
    for row in report.readings:
        if row.answer is None:
            continue
        answer = Text(row.answer, style="" if row.accepted else "yellow")
        if kinds := plain.by_answer(row):
            answer.append(f" ({kinds})", style="dim")
        if not row.accepted:
            answer.append(" not accepted", style="yellow")
        table.add_row(Text(row.id), answer, Text(f"{row.observations:,}", style="dim"))
    return table


def _coverage(report: RunReport) -> Iterator[RenderableType | _Command]:
    if report.coverage:
        counts = ", ".join(f"{count.name} {count.reached:,} of {count.total:,}" for count in report.coverage)
        yield Text(f"Coverage: {counts}\n")


def _group(group: FindingGroup, report: RunReport) -> Iterator[RenderableType | _Command]:
    row = group.requirement
    style = "dim" if group.accepted else "bold red" if group.level == "must" else "yellow"
    head = Text(row.id, style=style)
    head.append(f"  {group.level}, {counted(len(group.views), 'finding')}", style="dim")
    if group.accepted:
        head.append(", accepted by the baseline", style="dim")
    yield Text("")
    yield head
    yield _inside(row.sentence)
    yield _inside(plain.basis(row), "dim")
    for number, view in enumerate(group.views[: plain.FULL]):
        yield from _finding(view, style, report, with_curl=number == 0)
    others = group.views[plain.FULL :]
    for view in others[:_OTHERS_SHOWN]:
        yield _inside(f"also at {view.place}: {view.actual}", "dim")
    if len(others) > _OTHERS_SHOWN:
        yield _inside(f"… and at {counted(len(others) - _OTHERS_SHOWN, 'more place')}, in the reports", "dim")
    for cascade in group.also:
        ids = ", ".join(view.id for view in cascade.views[: plain.FULL])
        more = ", …" if len(cascade.views) > plain.FULL else ""
        yield _inside(
            f"also seen as {cascade.requirement.id}: {counted(len(cascade.views), 'finding')} ({ids}{more})", "dim"
        )


def _finding(
    view: FindingView, style: str, report: RunReport, *, with_curl: bool
) -> Iterator[RenderableType | _Command]:
    count = view.finding.count
    remarks = [f"finding {view.id}", view.stability, f"{count:,} times" if count > 1 else ""]
    yield _inside(", ".join(remark for remark in remarks if remark), "dim")
    if view.place:
        yield _inside(f"place     {view.place}")
    yield _inside(f"expected  {view.expected}", "green")
    yield _inside(f"actual    {view.actual}", style)
    if replay := again.replay(view, report):
        yield _Command(replay)
    commands = curl.lines(view, report) if with_curl else []
    if len(commands) > _COMMANDS_SHOWN:
        left_out = counted(len(commands) - _COMMANDS_SHOWN, "command")
        yield _inside(f"({left_out} before these: see the reports)", "dim")
    yield from map(_Command, commands[-_COMMANDS_SHOWN:])


def _inside(text: str, style: str = "") -> Padding:
    return Padding(Text(text, style=style, overflow="fold"), (0, 0, 0, 3))
