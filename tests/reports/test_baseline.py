from __future__ import annotations

import json
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Answer
from rules_harness.harness.journal import EpisodeRecord, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Finding, ReadingOutcome, finding_id
from rules_harness.reports import markdown, plain, summary, terminal
from rules_harness.reports.baseline import Baseline, Entry, accept, gated, load, render
from tests.reports.factories import (
    answer,
    contract,
    episode,
    finding,
    footer,
    header,
    outcome,
    refusal,
    report_of,
    update,
    written,
)
from tests.reports.recorded import run_command

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENTRY = {
    "id": f'"{finding_id("auth.missing", "none", "answered 200")}"',
    "requirement": '"auth.missing"',
    "place": '"none"',
    "kind": '"answered 200"',
    "reason": '"the gateway is replaced in July"',
    "owner": '"payments"',
    "expires": "2026-07-31",
}


def written_entry(folder: Path, *, without: str = "", **changes: str) -> Path:
    values = {**ENTRY, **changes}
    lines = [f"{name} = {value}" for name, value in values.items() if name != without]
    path = folder / "baseline.toml"
    path.write_text("\n".join(["[[accepted]]", *lines, ""]), encoding="utf-8")
    return path


def entry_for(one: Finding, expires: date = date(2026, 7, 31)) -> Entry:
    [made] = accept([one], (), reason="known", owner="payments", expires=expires)
    return made


REFUSED = refusal(401, "unauthorized")
AGAIN = answer(401, {"error": {"code": "unauthorized", "message": "No."}}, request_id="req_2")
MISSING = finding("auth.missing", "auth/missing", [0], place="none", kind="answered 200")
ELSEWHERE = finding("auth.missing", "auth/missing", [1], place="bearer", kind="answered 200")
OTHERWISE = finding("auth.missing", "auth/missing", [2], place="none", kind="answered 500")


def test_an_entry_accepts_one_finding_and_nothing_broader(tmp_path: Path) -> None:
    baseline = load(written_entry(tmp_path), NOW)
    assert baseline.accepted == {MISSING.id: "the gateway is replaced in July"}
    assert not {ELSEWHERE.id, OTHERWISE.id} & baseline.accepted.keys()
    assert baseline.problems(outcome([MISSING])) == ()


@pytest.mark.parametrize(
    ("now", "expired"),
    [
        (datetime(2026, 7, 31, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 8, 1, tzinfo=UTC), True),
    ],
)
def test_an_entry_ends_with_its_last_day(tmp_path: Path, now: datetime, expired: bool) -> None:
    baseline = load(written_entry(tmp_path), now)
    assert (MISSING.id not in baseline.accepted) == expired
    assert [entry.requirement for entry in baseline.expired] == ["auth.missing"] * expired


def test_expired_and_stale_entries_fail_the_gate_by_name() -> None:
    old, known = entry_for(ELSEWHERE, date(2026, 1, 1)), entry_for(MISSING)
    conforming = outcome()
    assert gated(conforming, Baseline((), NOW.date())) is conforming
    baseline = Baseline((old, known), NOW.date())
    failed = gated(conforming, baseline)
    assert (failed.exit_code, failed.conclusion) == (1, "violates")
    assert failed.reason == "2 entries of the baseline no longer hold"
    listed = report_of([header(), footer()], failed, baseline=baseline).baseline
    assert listed is not None
    assert [problem.split(" (")[0] for problem in listed.problems] == [
        f"baseline entry {old.id}",
        f"baseline entry {known.id}",
    ]
    assert "auth.missing at bearer: answered 200; owner payments) expired on 2026-01-01" in listed.problems[0]
    assert "auth.missing at none: answered 200; owner payments) is stale" in listed.problems[1]


def test_totals_tell_what_a_baseline_accepts_and_until_when() -> None:
    accepted = msgspec.structs.replace(MISSING, accepted=True)
    baseline = Baseline((entry_for(MISSING),), NOW.date())
    report = report_of([header(), footer()], outcome([accepted]), baseline=baseline)
    told = f"{len(contract().requirements)} passed, 1 finding accepted by the baseline until 2026-07-31"
    assert plain.counts(report) == told
    assert told in terminal.verdict(report).plain
    assert "1 finding accepted by the baseline until 2026\\-07\\-31" in markdown.render(report)
    assert json.loads(summary.render(report))["baseline"] == {"accepted": 1, "until": "2026-07-31", "problems": []}


def test_what_was_not_put_to_the_test_is_not_stale() -> None:
    baseline = Baseline((entry_for(MISSING),), NOW.date())
    assert baseline.stale(outcome()) != ()
    assert baseline.stale(outcome(verdicts={"auth.missing": ("skipped", "no key")})) == ()
    unselected = outcome()
    del unselected.requirements["auth.missing"]
    assert baseline.stale(unselected) == ()
    assert baseline.problems(outcome(), sampled=True) == ()


def test_an_entry_about_a_reading_is_stale_only_where_it_was_asked() -> None:
    one = finding("validation.status", "", [], place="reading.validation-status", kind="mixed")
    baseline = Baseline((entry_for(one),), NOW.date())

    def asked(answered: str | None) -> dict[str, ReadingOutcome]:
        return {one.place: ReadingOutcome(one.place, answered, 1, True)}

    assert baseline.stale(outcome(readings=asked("400"))) != ()
    assert baseline.stale(outcome(readings=asked(None))) == ()


def test_a_run_that_could_not_be_judged_stays_one() -> None:
    unjudged = outcome(conclusion="error")
    assert gated(unjudged, Baseline((entry_for(MISSING),), NOW.date())) is unjudged


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"without": "reason"}, 'entry 1: reason is missing; write reason = "…"'),
        ({"without": "expires"}, "entry 1: expires is not a day; write a date without quotes"),
        ({"owner": '"  "'}, "entry 1: owner is empty; say it in words"),
        ({"owner": "7"}, 'entry 1: owner is not text; write owner = "…"'),
        ({"expires": '"2026-07-31"'}, "entry 1: expires is not a day"),
        ({"expires": "2026-07-31T00:00:00Z"}, "entry 1: expires is not a day"),
        ({"place": '"*"'}, "is not that of this requirement, place and kind"),
        ({"glob": '"auth.*"'}, "entry 1: glob is not a key of a baseline; there are id, requirement"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    path = written_entry(tmp_path, **changes)
    with pytest.raises(UsageError) as refused:
        load(path, NOW)
    assert str(refused.value).startswith(str(path))
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[accepted]\n", "is not TOML"),
        ("accepted = 1\n", "accepted is not a list of tables"),
        ("[accepted]\nid = 1\n", "accepted is not a list of tables"),
        ("[[allowed]]\n", "allowed is not a key of a baseline"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "baseline.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        load(path, NOW)


def test_other_files_that_are_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "nowhere.toml", NOW)
    twice = tmp_path / "twice.toml"
    twice.write_text(2 * written_entry(tmp_path).read_text(encoding="utf-8"), encoding="utf-8")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not TOML"):
        load(binary, NOW)
    with pytest.raises(UsageError, match=r"entry 2: .* stands there a second time"):
        load(twice, NOW)


@given(
    text=st.lists(st.text(st.characters(codec="utf-8")), min_size=4, max_size=4),
    expires=st.dates(date(2020, 1, 1), date(2100, 1, 1)),
)
def test_what_is_written_is_read_back(text: list[str], expires: date) -> None:
    place, kind, reason, owner = text
    entry = Entry(finding_id("auth.missing", place, kind), "auth.missing", place, kind, reason, owner, expires)
    [table] = tomllib.loads(render([entry]))["accepted"]
    assert Entry(**table) == entry


def test_text_that_toml_cannot_hold_is_refused() -> None:
    one = finding("auth.missing", "auth/missing", [0], place="\ud800")
    with pytest.raises(UsageError, match="half a character"):
        render([entry_for(one)])


def recorded(folder: Path, *answers: Answer) -> Path:
    """A run that asked without a key, and was answered."""
    details: dict[str, Any] = {"access": "unauthenticated", "requirement": "auth.missing"}
    sent = [update(got, authorization=None, caller=f"none {n}", **details) for n, got in enumerate(answers)]
    return written(folder, [header(), EpisodeRecord(episode("auth/missing", *sent)), footer()])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with several findings that fail its gate."""
    return recorded(tmp_path / "run", REFUSED, answer(200, {"request_id": "req_2", "data": {}}, request_id="req_2"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A run without findings that fail its gate."""
    return recorded(tmp_path / "base", REFUSED, AGAIN)


def accepting(run: Path, out: Path, *more: str) -> tuple[str | Path, ...]:
    why = ("--reason", "known", "--owner", "payments", "--expires", "2100-01-31", "--out", out)
    return ("baseline", "accept", run, *why, *more)


def test_a_baseline_is_made_of_a_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "baseline.toml"
    code, told, said = run_command(capsys, *accepting(run, out))
    assert code == 0
    baseline = load(out, NOW)
    found = outcome_of(stream(run), contract(), accepted=baseline.accepted)
    failing = [one for one in found.findings if one.level == "must"]
    assert failing
    assert all(one.accepted and one.id in told for one in failing)
    assert f"wrote {out}" in said
    assert found.exit_code == 0


def test_named_findings_are_added_to_the_file(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "baseline.toml"
    first, second, *_ = [one.id for one in outcome_of(stream(run), contract()).findings]
    assert run_command(capsys, *accepting(run, out, "--finding", first))[0] == 0
    assert [entry.id for entry in load(out, NOW).entries] == [first]
    assert run_command(capsys, *accepting(run, out, "--finding", second, "--finding", first))[0] == 0
    assert [entry.id for entry in load(out, NOW).entries] == [first, second]


def test_entries_are_named_by_how_their_ids_begin(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "baseline.toml"
    run_command(capsys, *accepting(run, out))
    first, *others = [entry.id for entry in load(out, NOW).entries]
    later = ("baseline", "update", run, out, "--expires", "2200-01-31", "--finding")
    assert run_command(capsys, *later, first[:7])[0] == 0
    by_id = {entry.id: entry.expires.year for entry in load(out, NOW).entries}
    assert by_id == {first: 2200, **dict.fromkeys(others, 2100)}
    code, _, said = run_command(capsys, *later, "zzz")
    assert (code, f"zzz: {out} has no such finding; there are: {first} (" in said) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--finding", "abc"), "abc: the run has no such finding"),
        (("--expires", "2020-01-01"), "2020-01-01 has passed"),
        (("--expires", "soon"), "'soon' is not a day"),
        (("--owner", " "), "say it in words"),
    ],
)
def test_wrong_options(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    out = tmp_path / "baseline.toml"
    code, _, said = run_command(capsys, *accepting(run, out, *arguments))
    assert code == 2
    assert says in said
    assert not out.exists()


def test_a_run_that_holds_has_nothing_to_accept(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run_command(capsys, *accepting(base, tmp_path / "baseline.toml"))
    assert code == 2
    assert "no finding fails the gate" in said


def test_a_comparison_takes_a_baseline(
    run: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "baseline.toml"
    run_command(capsys, *accepting(run, out))
    assert run_command(capsys, "diff", base, run)[0] == 1
    code, told, _ = run_command(capsys, "diff", base, run, "--baseline", out)
    assert "newly fails" not in told
    assert code == 0
    code, told, _ = run_command(capsys, "diff", run, base, "--baseline", out)
    assert code == 1
    assert "is stale" in told
