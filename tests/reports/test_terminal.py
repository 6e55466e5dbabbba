from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from rules_harness.harness.journal import Skipped
from rules_harness.harness.judging.outcome import ReadingOutcome, Verdict
from rules_harness.reports import html, markdown, terminal
from rules_harness.reports.model import RunReport
from tests.reports.factories import contract, footer, header, outcome, report_of
from tests.reports.samples import sample_report

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def shown(*, width: int = 100, terminal_like: bool = False, report: RunReport | None = None) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal_like, legacy_windows=False)
    terminal.show(sample_report() if report is None else report, console)
    return file.getvalue()


def test_every_requirement_has_its_verdict() -> None:
    rows = [line.split() for line in shown().splitlines()]
    assert ["auth.missing", "failed", "4", "1", "none:", "answered", "200"] in rows
    assert ["auth.malformed", "passed", "4"] in rows


def test_a_finding_is_told_with_sentence_expected_actual_and_command() -> None:
    text = shown()
    part = text[text.index("auth.missing  must, 1 finding") :]
    order = ["No Authorization header: 401.", "expected  401", 'actual    200, status "disabled"', "curl -sS"]
    places = [part.index(words) for words in order]
    assert places == sorted(places)


def test_the_last_line_is_the_verdict() -> None:
    number = len(contract().requirements)
    violated = f"Violates the contract: staging, 6 of {number} requirements do not hold"
    assert violated in " ".join(shown().split()[-40:])
    good = report_of([header(), footer()], outcome())
    assert shown(report=good).splitlines()[-1].startswith(f"Conforms to the contract: staging ({number} passed")


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ({"status.stored": ("skipped", "no hook")}, "Conforms in what could be judged; 1 must was not judged"),
        (
            {"status.stored": ("skipped", "no hook"), "auth.missing": ("inconclusive", "nothing was sent")},
            "Conforms in what could be judged; 2 musts were not judged",
        ),
        ({"http.methods": ("skipped", "no hook")}, "Conforms to the contract"),
    ],
)
def test_a_run_that_judged_a_part_says_so_first(verdicts: dict[str, tuple[Verdict, str]], headline: str) -> None:
    report = report_of([header(), footer()], outcome(verdicts=verdicts))
    assert shown(report=report, width=160).splitlines()[-1].startswith(f"{headline}: staging")
    assert f"<title>{headline}: " in html.render(report)
    assert markdown.render(report).startswith(f"# ✅ {markdown.escaped(headline)}: ")


def test_skipped_scenarios_are_told_by_their_reason() -> None:
    names = [f"status/enabled-{number}" for number in range(5)]
    records = [Skipped(name, ("status.stored",), "no hook enable_rule") for name in names]
    reasons = [Skipped(f"authz/{number}", ("authz.update",), f"no key {number}") for number in range(9)]
    lines = shown(report=report_of([header(), *records, *reasons, footer()], outcome())).splitlines()
    assert f"Skipped: {', '.join(names[:3])} and 2 more: no hook enable_rule" in lines
    assert "Skipped: authz/0: no key 0" in lines
    assert "Skipped for 2 more reasons, in summary.json" in lines


@pytest.mark.parametrize("width", [80, 120, 160, 240])
def test_lines_keep_to_the_width_but_commands_are_never_wrapped(width: int) -> None:
    lines = ANSI.sub("", shown(width=width)).splitlines()
    commands = [line for line in lines if line.startswith(("curl", "  -H", "  --data"))]
    assert any(len(line) > width for line in commands if "--data-raw" in line)
    assert all(len(line) <= min(width, 160) for line in lines if line not in commands)


def test_hostile_text_moves_no_cursor_and_is_no_markup() -> None:
    text = shown(terminal_like=True)
    assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\u202e]", text)
    assert "\x1b" not in ANSI.sub("", text)
    assert "␛[31m]]>" in ANSI.sub("", text)


def test_rules_that_were_enabled_or_not_put_back_are_named() -> None:
    text = " ".join(shown().split())
    assert "a human re-enables: rule_a" in text
    assert "Not put back: rule_b: 409 conflict" in text


def test_kinds_of_a_question_are_grouped_by_their_answer() -> None:
    kinds = {f"kind {number}": ("422",) for number in range(30)} | {"validation.syntax": ("400", "422"), "": ("400",)}
    asked = {"reading.validation-status": ReadingOutcome("reading.validation-status", "varies", 96, True, kinds)}
    report = report_of([header(), footer()], outcome(readings=asked))
    told = "varies (400, 422: validation.syntax; 400: any; 422: kind 0, kind 1, kind 2 and 27 more)"
    assert told in " ".join(shown(report=report, width=200).split())
    assert "kind 2 and 27 more | 96 |" in markdown.render(report)
