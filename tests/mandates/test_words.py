"""Whoever describes another API reads of its own resource, and of nothing that rules have: in everything that is
printed and written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.gate.runs import command
from tests.mandates.server import FAULTS, KEYS, profile_of, serving
from tests.mandates.test_mandates import CONTRACT, DOCUMENT, OVERLAY

pytestmark = pytest.mark.slow

OF_RULES: Final = re.compile(
    r"\b(?:rules?|nickname|steps|trigger(?:s|ed|able|ing)?)\b|(?-i:\bSequence\b)", re.IGNORECASE
)
OF_MANDATES: Final = re.compile(r"\bmandates?\b")
NAMES: Final = re.compile(
    # ids of requirements, readings and scenarios, which are the same for every API
    r"\b(?:envelope|idempotency|update|status|reading|concurrency|authz|request-id)[./][a-z0-9~-]+"
    r"|\b(?:unknown-rule|one-rule|rule-of-others|same-rule|per-rule(?:-same-body)?)\b"
    # the product (which a table may break), its options, its environment, the profile's tables and hooks
    r"|\brules[-_]\s*h\s*a\s*r\s*n\s*e\s*s\s*s\b|~rule[-a-z]*…|--rules-[a-z]+|\brules[.](?:writable|limited|other_org)\b|\[rules\]|\{rule_id\}"
)
FORMATS: Final = "html,junit,sarif,markdown,github,ndjson,har,ctrf,badge,summary"
WRITTEN: Final = ("clean", "faulty", "campaign", "reports", "others")
JSON: Final = (".json", ".sarif", ".har", ".ndjson")


def texts_of(value: Any) -> Iterator[str]:
    """The texts of a JSON value, without the names of its fields: those are the format's."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix not in JSON:
        return text
    values = map(json.loads, text.splitlines()) if path.suffix == ".ndjson" else [json.loads(text)]
    return "\n".join(inner for value in values for inner in texts_of(value))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What each command printed, and what the files that it wrote hold, by the name of the command or the file."""
    here = tmp_path_factory.mktemp("mandates")
    printed: dict[str, str] = {}

    def run(name: str, *arguments: str | Path) -> None:
        ended = command(*arguments, environ=KEYS, folder=here / "out")
        assert ended.code in (0, 1), ended.out + ended.err
        printed[name] = ended.out + ended.err

    profile = here / "mandates.toml"
    target = ("--target", profile, *CONTRACT)
    with serving() as url:
        profile.write_text(profile_of(url), encoding="utf-8")
        run("doctor", "doctor", *target)
        run("check --dry-run", "check", "--dry-run", *target, "--select", "auth,authz,status,idempotency")
        run("check", "check", *target, "--out", here / "clean", "--select", "auth,authz,status,not-found")
    with serving(*FAULTS) as url:
        profile.write_text(profile_of(url), encoding="utf-8")
        run("check of faults", "check", *target, "--out", here / "faulty", "--requests", "400")
        run("fuzz", "fuzz", *target, "--out", here / "campaign", "--requests", "200", "--time", "20s")
    with serving("error-flat") as url:
        profile.write_text(profile_of(url), encoding="utf-8")
        finding = json.loads((here / "faulty" / "summary.json").read_text(encoding="utf-8"))["findings"][0]["id"]
        run("replay", "replay", here / "faulty", finding, *target)
    others = here / "others"
    others.mkdir()
    clean, faulty = here / "clean", here / "faulty"
    run("report", "report", faulty, "--format", FORMATS, "--out", here / "reports")
    for way in ("terminal", "markdown", "html", "json"):
        run(f"diff as {way}", "diff", clean, faulty, "--format", way, "--out", others / f"diff.{way}")
    for way in ("terminal", "html"):
        run(f"trend as {way}", "trend", clean, faulty, "--format", way, "--out", others / f"trend.{way}")
    for id in ("update.identity", "concurrency.whole"):
        run(f"explain {id}", "explain", id, *CONTRACT)
        run(f"explain {id} of a run", "explain", faulty, id)
    run("explain a reading", "explain", "reading.key-on-other-rule", *CONTRACT)
    run("init", "init", others / "profile.toml", *CONTRACT)
    run("draft", "draft", DOCUMENT, "--operation", "changeMandate", "--out", others / "drafted.yaml")
    for way in ("terminal", "sarif", "github"):
        run(f"lint as {way}", "lint", DOCUMENT, "--overlay", OVERLAY, "--format", way, "--out", others / f"lint.{way}")
    written = [path for folder in WRITTEN for path in sorted((here / folder).rglob("*")) if path.is_file()]
    return printed | {str(path.relative_to(here)): read(path) for path in written if "journal" not in path.name}


def test_nothing_speaks_of_rules(said: Mapping[str, str]) -> None:
    ours = {name: NAMES.sub("", text.replace("\\", "")) for name, text in said.items()}  # Markdown escapes
    spoken = {
        name: [text[max(0, match.start() - 60) : match.end() + 60] for match in matches][:3]
        for name, text in ours.items()
        if (matches := list(OF_RULES.finditer(text)))
    }
    assert not spoken


@pytest.mark.parametrize("name", ["doctor", "check --dry-run", "reports/report.html", "reports/report.md"])
def test_the_resource_has_its_own_word(name: str, said: Mapping[str, str]) -> None:
    assert OF_MANDATES.search(said[name])
