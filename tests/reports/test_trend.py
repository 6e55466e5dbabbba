from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import html5lib
import pytest
from rich.console import Console

from rules_harness.harness.intent import IntentFields
from rules_harness.harness.journal import EpisodeRecord
from rules_harness.harness.judging.outcome import Verdict
from rules_harness.openapi.contract import load
from rules_harness.reports.trend import html, terminal
from rules_harness.reports.trend.model import JudgedRun, Row, trend_of, trends_of
from tests.reports.factories import HOSTILE, answer, episode, footer, header, outcome, refusal, update, written
from tests.reports.recorded import run_command

ID = "auth.missing"


def run(number: int, verdict: Verdict | None, name: str = "run") -> JudgedRun:
    """A run in which everything passed but one requirement; `None`: it was not selected."""
    found = outcome(verdicts={ID: (verdict, "reason")} if verdict else None)
    if verdict is None:
        del found.requirements[ID]
    return JudgedRun(f"{name} {number}", header(started_at=f"2026-01-{number:02d}T00:00:00+00:00"), found, load())


def row(*verdicts: Verdict | None) -> Row:
    trend = trend_of(run(number, verdict) for number, verdict in enumerate(verdicts, 1))
    return next(row for row in trend.rows if row.id == ID)


@pytest.mark.parametrize(
    ("verdicts", "first_seen", "fixed_in", "flakiness"),
    [
        (("passed", "passed"), None, None, None),
        (("failed",), 1, None, None),
        (("passed", "failed", "failed"), 2, None, None),
        (("passed", "failed", "passed"), 2, 3, None),
        (("warned", "passed"), 1, 2, None),
        (("failed", "passed", "failed"), 1, None, 1.0),
        (("failed", "passed", "failed", "passed", "passed"), 1, 4, 0.75),
        (("failed", None, "failed", "passed"), 1, 4, None),
        (("failed", "skipped"), 1, None, None),
        (("failed", "skipped", "passed"), 1, 3, None),
        ((None, "inconclusive", "error"), None, None, None),
    ],
)
def test_first_seen_fixed_and_flaky(
    verdicts: Sequence[Verdict | None], first_seen: int | None, fixed_in: int | None, flakiness: float | None
) -> None:
    found = row(*verdicts)
    assert (found.first_seen, found.fixed_in, found.flakiness) == (first_seen, fixed_in, flakiness)
    assert found.verdicts == tuple(verdict or "" for verdict in verdicts)


def test_runs_are_told_in_the_order_in_which_they_were_started() -> None:
    trend = trend_of([run(3, "failed"), run(1, "passed"), run(2, "failed")])
    assert [(column.number, column.name) for column in trend.columns] == [(1, "run 1"), (2, "run 2"), (3, "run 3")]
    assert [row.id for row in trend.failing] == [ID]
    assert trend.flaky == ()


def test_the_grid_on_a_terminal() -> None:
    file = io.StringIO()
    verdicts: tuple[Verdict, ...] = ("passed", "failed", "passed", "failed")
    terminal.show(trend_of(run(n, v) for n, v in enumerate(verdicts, 1)), Console(file=file, width=140))
    [line] = [line for line in file.getvalue().splitlines() if line.startswith(ID)]
    assert line.split() == [ID, "must", "✓", "✕", "✓", "✕", "2", "100%"]


def test_of_many_runs_the_last_ones_fit() -> None:
    file = io.StringIO()
    terminal.show(trend_of(run(n, "passed") for n in range(1, 32)), Console(file=file, width=100))
    assert f"{len(load().requirements)} requirements held whenever judged" in file.getvalue()
    assert all(len(line) <= 100 for line in file.getvalue().splitlines())


def test_what_fails_is_first_then_what_comes_and_goes_and_what_held_is_folded() -> None:
    ids = ["auth.missing", "status.stored", "update.replaces"]
    verdicts = [("passed", "failed", "passed"), ("failed", "passed", "passed"), ("passed", "passed", "failed")]
    sequences: list[tuple[Verdict, ...]] = [*verdicts, ("failed", "passed", "failed")]  # type: ignore[list-item]  # a table of literals
    ids.append("http.headers")
    runs = []
    for number in range(3):
        found = outcome(verdicts={id: (held[number], "") for id, held in zip(ids, sequences, strict=True)})
        runs.append(JudgedRun(f"run {number}", header(started_at=f"2026-01-0{number + 1}"), found, load()))
    trend = trend_of(runs)
    assert [row.id for row in trend.telling] == ["http.headers", "update.replaces", "auth.missing", "status.stored"]
    assert len(trend.quiet) == len(trend.rows) - 4
    page = html5lib.parse(html.render(trend), namespaceHTMLElements=False)
    folded = [row.get("data-verdict") for details in page.iter("details") for row in details.iter("tr")]
    assert {verdict for verdict in folded if verdict} == {"passed"}
    labels = [text.text for text in page.iter("{http://www.w3.org/2000/svg}text")]
    labels += [text.text for text in page.iter("text")]
    assert labels == ["requirements", str(len(trend.rows)), "0", "1", "2", "3", "run"]


def test_runs_of_different_targets_are_kept_apart() -> None:
    other = JudgedRun("other", header(target="production", started_at="2026-01-02"), outcome(), load())
    trends = trends_of([run(3, "failed"), other, run(1, "passed")])
    assert [(trend.target, len(trend.columns)) for trend in trends] == [("staging", 2), ("production", 1)]
    assert "These runs have 2 targets" in html.render(*trends)
    assert "have 2 targets" not in html.render(trends[0])


def test_the_picture_says_what_the_table_says() -> None:
    text = html.render(trend_of([run(1, "passed", HOSTILE), run(2, "failed"), run(3, None)]))
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    pictures = {found.get("aria-label"): found for found in page.iter("{http://www.w3.org/2000/svg}svg")}
    pictures |= {found.get("aria-label"): found for found in page.iter("svg")}
    shown = pictures["run 1: passed, run 2: failed"]
    assert [child.get("class") for child in shown] == ["v-passed", "v-failed"]
    assert "\u202e" not in text
    assert len(page.findall(".//script")) == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for number, got in enumerate([refusal(401, "unauthorized"), answer(200, {"request_id": "r", "data": {}})], 1):
        details: IntentFields = {"caller": "none", "access": "unauthenticated", "label": "none", "requirement": ID}
        sent = EpisodeRecord(episode("auth/missing", update(got, authorization=None, **details)))
        started = header(started_at=f"2026-01-0{number}T00:00:00+00:00")
        paths.append(written(tmp_path / str(number), [started, sent, footer()]))
    code, out, _ = run_command(capsys, "trend", paths[1], paths[0])
    assert code == 0
    [line] = [line for line in out.splitlines() if line.startswith(ID)]
    assert line.split() == [ID, "must", "✓", "✕", "2"]
    page = tmp_path / "trend.html"
    assert run_command(capsys, "trend", *paths, "--format", "html", "--out", page)[0] == 0
    assert ID in page.read_text(encoding="utf-8")
    assert run_command(capsys, "trend")[0] == 2
