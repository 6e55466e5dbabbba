"""Comparisons of made-up runs: how they are told, what the contract's own changes are, and what bad input does."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import html5lib
import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from rules_harness.harness.exchange import Exchange
from rules_harness.harness.journal import SCHEMA_VERSION, EpisodeRecord, Record
from rules_harness.openapi.contract import load
from rules_harness.reports.regression import data, html, markdown, terminal
from rules_harness.reports.regression.fields import folded, places
from rules_harness.reports.regression.model import Comparison
from rules_harness.reports.regression.tables import tables
from tests.reports.factories import (
    HOSTILE,
    answer,
    episode,
    footer,
    header,
    read,
    refusal,
    rule,
    success,
    update,
    written,
)
from tests.reports.recorded import compared, run_command

CONTRACT = load()


def journal(folder: Path, *exchanges: Exchange, **changes: Any) -> Path:
    """A run of one episode, of exchanges with a missing key if not told otherwise."""
    documents = {"contract_document": dict(CONTRACT.document)}
    records: list[Record] = [header(**{**documents, **changes}), EpisodeRecord(episode("auth/missing", *exchanges))]
    return written(folder, [*records, footer()])


def unauthenticated(outcome: Any, **intent: Any) -> Exchange:
    details = {"caller": "none", "access": "unauthenticated", "label": "no header", "requirement": "auth.missing"}
    return update(outcome, authorization=None, **{**details, **intent})


def refused(code: str = "unauthorized", **more: Any) -> Any:
    return answer(401, {"error": {"code": code, "message": "No.", **more}})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return journal(tmp_path / "base", unauthenticated(refused()))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Everything that a target can write into a comparison, hostile."""
    leaking = answer(200, {"request_id": "r", "data": {HOSTILE: 1}, HOSTILE: {"a": 1}})
    return journal(
        tmp_path / "hostile",
        unauthenticated(leaking),
        unauthenticated(refused(HOSTILE), label=HOSTILE),
        unauthenticated(refused(HOSTILE[:70], **{HOSTILE: [1]}), label="code"),
        target=HOSTILE,
    )


def every_format(comparison: Comparison) -> dict[str, str]:
    file = io.StringIO()
    terminal.show(comparison, Console(file=file, width=120))
    texts = {"terminal": file.getvalue()}
    return texts | {form.__name__.rpartition(".")[2]: form.render(comparison) for form in (data, html, markdown)}


def test_status_and_error_code_count_even_where_both_are_allowed(base: Path, tmp_path: Path) -> None:
    other_code = journal(tmp_path / "code", unauthenticated(refused("unauthenticated")))
    other_status = journal(tmp_path / "status", unauthenticated(refusal(403, "unauthorized")))
    [change] = compared(base, other_code).answers
    assert (change.before, change.after) == (("401 unauthorized",), ("401 unauthenticated",))
    [change] = compared(base, other_status).answers
    assert (change.before, change.after, change.kinds) == (("401 unauthorized",), ("403 unauthorized",), ("no header",))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_answer_that_passes_is_no_change(base: Path, tmp_path: Path, status: int) -> None:
    head = journal(tmp_path / "head", unauthenticated(refused()), unauthenticated(answer(status, "busy")))
    assert compared(base, head).answers == ()


def test_requests_that_were_released_together_are_left_out(tmp_path: Path) -> None:
    one = journal(tmp_path / "one", update(success(rule()), group=1))
    other = journal(tmp_path / "other", update(refusal(409, "conflict"), group=1))
    assert compared(one, other).answers == ()


def test_fields_are_those_that_the_server_put_there(tmp_path: Path) -> None:
    body = {**CONTRACT.example_body(), "status": "disabled"}
    plain = journal(tmp_path / "plain", update(success(rule()), body))
    extended = journal(tmp_path / "extended", update(success(rule(version=3, links=[{"rel": "self"}])), body))
    sent = journal(tmp_path / "sent", update(success(rule(note="mine")), {**body, "note": "mine"}))
    assert [(one.place, one.change) for one in compared(plain, extended).fields] == [
        ("/data/links", "appeared"),
        ("/data/version", "appeared"),
    ]
    assert [(one.place, one.change) for one in compared(extended, plain).fields] == [
        ("/data/links", "vanished"),
        ("/data/version", "vanished"),
    ]
    assert compared(plain, sent).fields == ()


@pytest.mark.parametrize(
    ("factor", "drift"),
    [(3, "slower"), (1.3, "slower"), (0.4, "faster"), (1, "no clear change"), (1.02, "no clear change")],
)
def test_latency_is_measured_and_never_counts(tmp_path: Path, factor: float, drift: str) -> None:
    took = [0.010 + (n * 37 % 41) / 20_000 for n in range(200)]
    base = journal(tmp_path / "base", *(unauthenticated(refused(), took=seconds) for seconds in took))
    head = journal(tmp_path / "head", *(unauthenticated(refused(), took=factor * seconds) for seconds in took))
    comparison = compared(base, head)
    [told] = comparison.latency
    assert told.drift == drift
    assert told.ratio == pytest.approx(factor)
    assert told.low < factor < told.high
    assert told.high / told.low < 1.2
    assert (comparison.changes, comparison.worse) == (0, ())


def test_few_answers_say_nothing_of_latency(base: Path) -> None:
    assert compared(base, base).latency == ()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("updated_at", "updated_at"),
        ("line_2", "line_2"),
        ("rule_01HXYZ1234ABCD", "rule_#"),
        ("5f0c2a1e-8d5b-4c8e-9a51-0d9f6f1f2b11", "#"),
        ("1767225600", "#"),
        ("deadbeef", "deadbeef"),
        ("0a1b2c3d4e5f", "#"),
        ("E400", "E400"),
    ],
)
def test_what_looks_made_is_folded(name: str, shown: str) -> None:
    assert folded(name) == shown


def test_places_of_a_value() -> None:
    assert places({"a": [{"b": 1}, {"c": []}], "d": None}) == {"/a", "/a/*", "/a/*/b", "/a/*/c", "/d"}
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert len(places(deep)) < 100


def changed_document(tmp_path: Path) -> dict[str, Any]:
    """The contract with a requirement more, one less, another level, another reading and other places."""
    document: dict[str, Any] = json.loads(json.dumps(copy.deepcopy(CONTRACT.document)))
    requirements = document["x-requirements"]
    gone = next(one for one in requirements if one["id"] == "http.headers")
    requirements.remove(gone)
    requirements.append({**gone, "id": "http.more"})
    next(one for one in requirements if one["id"] == "auth.challenge")["level"] = "must"
    next(one for one in document["x-readings"] if one["id"] == "reading.key-reuse")["accepted"] = ["original"]
    schemas = document["components"]["schemas"]
    schemas["Rule"]["properties"]["version"] = {"type": "integer"}
    del schemas["TransferLimit"]["properties"]["period"]
    schemas["TransferLimit"]["required"].remove("period")
    schemas["ManualTrigger"]["properties"]["account_id"] = {"type": ["string", "null"]}
    return document


def test_the_contracts_own_changes(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = changed_document(tmp_path)
    changes = {"contract_document": document, "contract_sha256": "f" * 64, "contract_version": "2"}
    head = journal(tmp_path / "head", unauthenticated(refused()), **changes)
    code, out, _ = run_command(capsys, "diff", base, head, "--format", "json")
    told = {(one["what"], one["id"], one["change"]) for one in json.loads(out)["contract"]}
    assert code == 0
    assert told == {
        ("requirement", "http.headers", "removed"),
        ("requirement", "http.more", "added"),
        ("requirement", "auth.challenge", "changed"),
        ("reading", "reading.key-reuse", "changed"),
        ("place", "rule /version", "added"),
        *(("place", f"{of} /steps/*/actions/*:{kind}/limit/period", "removed") for of, kind in limits()),
        *(("place", f"{of} /trigger:MANUAL/account_id", "changed") for of in ("body", "rule")),
    }


def limits() -> Sequence[tuple[str, str]]:
    """Every kind of action of bodies and of rules: each has a limit."""
    actions = CONTRACT.document["components"]["schemas"]["Action"]["discriminator"]["mapping"]
    return [(of, kind) for of in ("body", "rule") for kind in actions]


def test_every_format_tells_the_same(base: Path, hostile: Path) -> None:
    comparison = compared(base, hostile)
    assert comparison.worse
    for name, text in every_format(comparison).items():
        assert "auth.missing" in text, name
        assert comparison.headline in text, name


def test_json_has_every_entry(base: Path, hostile: Path) -> None:
    comparison = compared(base, hostile)
    told = json.loads(data.render(comparison))
    assert told["schema_version"] == 1
    assert told["changes"] == comparison.changes > 0
    assert [one["finding"]["id"] for one in told["new"]] == [one.finding.id for one in comparison.new]
    assert told["worse"] == list(comparison.worse)


def test_hostile_content_stays_text(base: Path, hostile: Path) -> None:
    texts = every_format(compared(base, hostile))
    assert "\x1b" not in texts["terminal"]
    for text in texts.values():
        assert "\u202e" not in text
        assert "\x00" not in text
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(texts["html"])
    assert len(page.findall(".//script")) == 1
    assert not page.findall(".//*[@onclick]")
    tokens = MarkdownIt("commonmark").enable("table").parse(texts["markdown"])
    assert not [inner for token in tokens for inner in token.children or () if inner.type in ("link_open", "image")]
    assert not [token for token in tokens if token.type == "html_block" and "script" in token.content]


def test_colours_follow_better_and_worse(base: Path, tmp_path: Path) -> None:
    crashed = journal(tmp_path / "crashed", unauthenticated(answer(500, "oops")))
    otherwise = journal(tmp_path / "otherwise", unauthenticated(refusal(403, "unauthorized")))

    def forms(one: Path, other: Path) -> tuple[str, str]:
        (answers,) = [table for table in tables(compared(one, other)) if table.name == "answers"]
        return answers.rows[0][1].form, answers.rows[0][2].form

    assert forms(base, crashed) == ("good", "bad")
    assert forms(crashed, base) == ("bad", "good")
    assert forms(base, otherwise) == ("side", "side")


def test_what_is_new_comes_with_the_commands_that_show_it(base: Path, tmp_path: Path) -> None:
    comparison = compared(base, journal(tmp_path / "crashed", unauthenticated(answer(500, "oops"))))
    (new, *_) = [one for one in comparison.new if one.finding.requirement == "envelope.no-server-error"]
    told, replay, *rest = new.again.splitlines()
    assert told.startswith(f"# finding {new.finding.id}: expected ")
    assert replay.startswith("rules-harness replay ")
    assert any(line.startswith("curl -sS") for line in rest)
    page = html5lib.parse(html.render(comparison), namespaceHTMLElements=False)
    assert any(replay in (pre.text or "") for pre in page.iter("pre"))


def test_html_asks_nobody(base: Path, hostile: Path) -> None:
    page = html5lib.parse(html.render(compared(base, hostile)), namespaceHTMLElements=False)
    for element in page.iter():
        for name in ("src", "href", "action"):
            assert element.get(name, "#").startswith(("#", "data:")), element.tag


def test_many_entries_are_cut_but_counted(tmp_path: Path) -> None:
    kinds = [f"case {chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(600)]
    one = journal(tmp_path / "one", *(unauthenticated(refused(), label=kind) for kind in kinds))
    other = journal(tmp_path / "other", *(unauthenticated(refused("denied"), label=kind) for kind in kinds))
    comparison = compared(one, other)
    assert len(comparison.answers[0].kinds) == 600
    assert "Answered differently: 600" in markdown.render(comparison)
    assert "594 more" in markdown.render(comparison)


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json"])
def test_diff_writes_files_too(
    base: Path, hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    out = tmp_path / f"diff.{form}"
    code, printed, said = run_command(capsys, "diff", base.parent, hostile, "--format", form, "--out", out)
    assert (code, printed) == (1, "")
    assert str(out) in said
    assert "auth.missing" in out.read_text(encoding="utf-8")


def test_diff_ends_with_the_verdict(base: Path, hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(capsys, "diff", base, base)[0] == 0
    assert run_command(capsys, "diff", hostile, hostile)[0] == 0
    code, out, _ = run_command(capsys, "diff", base, hostile)
    assert code == 1
    assert "HEAD is worse than BASE" in out


def test_what_was_not_sent_again_is_not_fixed(tmp_path: Path) -> None:
    """Neither where the answer that showed it is none to compare, nor by a read, which is the same everywhere."""
    ours = partial(update, caller="full", access="allowed", existence="own")
    wrong = partial(ours, refusal(400, "invalid"), body="broken", requirement="validation.bounds")
    plain, failing = ours(success(rule())), ours(answer(504, {}), label="no room")
    altering, same = wrong(label="wrong amount"), wrong(label="another amount")
    for base_sent, head_sent in (
        ([plain, failing], [plain]),
        ([read(rule()), altering, read(rule(nickname="Another"))], [read(rule()), same, read(rule())]),
    ):
        base, head = (journal(tmp_path / name, *sent) for name, sent in (("b", base_sent), ("h", head_sent)))
        comparison = compared(base, head)
        assert {change.note for change in comparison.not_seen_again} == {"what shows it was not sent in HEAD"}
        assert not comparison.fixed
        assert {change.note for change in compared(head, base).new} == {"what shows it was not sent in BASE"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x00\x01", "is not a journal"),
        (b'{"record":"episode"}\n', "is not a journal"),
        (b'{"record":"header","schema_version":99}\n', "journal version 99"),
        (f'{{"record":"header","schema_version":{SCHEMA_VERSION}}}\n'.encode(), "damaged header"),
    ],
)
def test_what_is_no_journal_is_told_apart(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    for arguments in (("diff", base, bad), ("diff", bad, base), ("trend", base, bad)):
        code, out, said = run_command(capsys, *arguments)
        assert (code, out) == (2, "")
        assert says in said
    assert run_command(capsys, "diff", base, tmp_path / "nowhere")[0] == 2


def test_an_unreadable_contract_is_not_compared(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"contract_document": {"openapi": "3.1.0"}, "contract_sha256": "e" * 64}
    head = journal(tmp_path / "head", unauthenticated(refused()), **changes)
    code, out, _ = run_command(capsys, "diff", base, head, "--format", "json")
    told = json.loads(out)
    assert (code, told["contract"]) == (0, [])
    assert any("contracts are not compared" in remark for remark in told["remarks"])


def test_damaged_lines_are_counted(base: Path, tmp_path: Path) -> None:
    first, *lines = base.read_bytes().splitlines(keepends=True)
    (head := tmp_path / "head.jsonl").write_bytes(first + b'{"record":"episode","episode":{"id"\n' + b"".join(lines))
    assert any(remark.startswith("1 line of the journal of HEAD") for remark in compared(base, head).remarks)
