"""Documents by somebody else that are too deep, too large or without end: a clear error, at once, and no memory."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.campaign.corpus import open_corpus
from rules_harness.harness.campaign.messages import CorpusEntry
from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import SCHEMA_VERSION, Header, Journal, Note, read
from rules_harness.harness.target.profile import Profile, Target
from rules_harness.openapi.contract import load
from rules_harness.strategies.world import Account, World
from tests.gate.runs import Ended, command

DEEP = 100_000
SECONDS = 30
MEBIBYTES = 100
BOMB = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30))])
TOML = {
    "lists": "a = " + "[" * DEEP + "]" * DEEP,
    "lists, not quite as deep": "a = " + "[" * 200 + "]" * 200,
    "tables": "a = " + "{a = " * DEEP + "1" + "}" * DEEP,
    "a key": ".".join("a" * DEEP) + " = 1",
    "a quoted key": ".".join(['"a b"'] * DEEP) + " = 1",
    "a table's name": "[" + " . ".join("a" * DEEP) + "]",
    "an integer": "a = " + "9" * 100_000,
    "too large": "# " + "x" * 2_000_000,
}
YAML = {
    "lists": "a: " + "[" * DEEP + "]" * DEEP,
    "lists, not quite as deep": "a: " + "[" * 200 + "]" * 200,
    "lists that do not end": "[" * DEEP,
    "mappings": "{a: " * DEEP + "1" + "}" * DEEP,
    "JSON": '{"a":' * DEEP + "1" + "}" * DEEP,
    "a list on one line": "- " * DEEP + "1",
    "a mapping over lines": "".join(" " * level + "a:\n" for level in range(1000)),
    "aliases of aliases": BOMB,
    "an alias of itself": "a: &a [*a]",
    "an alias deep down": "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]),
    "many values": "a: [" + "1, " * 500_000 + "1]",
    "too large": "a: " + "x" * 9_000_000,
}


def _most_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture
def bounded() -> Callable[..., Ended]:
    load()

    def run(*arguments: str | Path) -> Ended:
        began, before = time.monotonic(), _most_memory()
        ended = command(*arguments, environ={}, folder=Path())
        assert time.monotonic() - began < SECONDS
        assert _most_memory() - before < MEBIBYTES
        assert ended.code == 2, ended.err
        assert "Traceback" not in ended.err
        return ended

    return run


@pytest.mark.slow
@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_a_profile_and_a_baseline(tmp_path: Path, bounded: Callable[..., Ended], text: str) -> None:
    path = tmp_path / "theirs.toml"
    path.write_text(text, encoding="utf-8")
    for arguments in (("check", "--target", path), ("check", "--quiet", "--baseline", path)):
        assert "theirs.toml" in bounded(*arguments, "--out", tmp_path / "out").err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_a_contract(tmp_path: Path, bounded: Callable[..., Ended], text: str) -> None:
    path = tmp_path / "theirs.yaml"
    path.write_text(text, encoding="utf-8")
    assert "theirs.yaml" in bounded("list", "requirements", "--contract", path).err


@pytest.mark.parametrize("depth", [200, 900, DEEP])
def test_the_first_line_of_a_journal(tmp_path: Path, bounded: Callable[..., Ended], depth: int) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"record":"header","profile":{"a":' + "[" * depth + "]" * depth + "}}\n", encoding="utf-8")
    for arguments in (
        ("judge", path),
        ("report", path, "--format", "html"),
        ("restore", path),
        ("replay", path, "abc"),
        ("diff", path, path),
    ):
        assert "journal.jsonl" in bounded(*arguments).err


HEADER = msgspec.json.encode(Header(SCHEMA_VERSION, "", "gate", "", "", "", "", {}, {}, 1, "", "")) + b"\n"
BOMBS = {
    "one line": "b'a' * 2**30",
    "a line after others": f"{HEADER!r} * 10 + b'a' * 2**28",
    "many lines": f"{HEADER!r} + (b'{{' + b' ' * 200 + b'}}\\n') * 2**22",
}


@pytest.fixture(scope="module", params=BOMBS)
def bomb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    code = "import sys, zstandard; sys.stdout.buffer.write(zstandard.compress(eval(sys.argv[1])))"
    # In a process of its own, since the memory of this one is measured.
    packed = subprocess.run([sys.executable, "-c", code, BOMBS[request.param]], capture_output=True, check=True).stdout
    path = tmp_path_factory.mktemp("bomb") / "journal.jsonl.zst"
    path.write_bytes(packed)
    return path


@pytest.mark.slow
def test_a_packed_journal_that_unpacks_to_too_much(bomb: Path, bounded: Callable[..., Ended]) -> None:
    for arguments in (("judge", bomb), ("report", bomb.parent, "--format", "html")):
        assert re.search("a line of more than 32 MiB|unpacks to 200 times", bounded(*arguments).err)
    with pytest.raises(UsageError, match="unpacks to 200 times"):
        Journal(bomb.parent, append=True)
    assert [path.name for path in bomb.parent.iterdir()] == [bomb.name]


def test_a_line_of_a_journal_that_is_too_long(tmp_path: Path, bounded: Callable[..., Ended]) -> None:
    path = tmp_path / "journal.jsonl"
    for before in (b"", HEADER):
        with path.open("wb") as file:
            file.write(before + b"{")
            file.truncate(2**30)
        assert "a line of more than 32 MiB" in bounded("judge", path).err


def test_further_lines_of_a_journal_that_are_too_deep_are_left_out(tmp_path: Path) -> None:
    deep = b'{"record":"note","kind":"a","text":"b","data":{"a":' + b"[" * DEEP + b"]" * DEEP + b"}}\n"
    path = tmp_path / "journal.jsonl"
    path.write_bytes(HEADER + deep + b'{"record":"no')
    journal = Journal(tmp_path, append=True)
    journal.write(Note("seen", "after a torn line"))
    journal.write(Note("seen", "after a whole one"))
    journal.close()
    run = read(path)
    assert run.torn_lines == 2
    assert [note.text for note in run.notes] == ["after a torn line", "after a whole one"]


def test_entries_of_a_corpus_that_are_too_deep_are_left_out(tmp_path: Path) -> None:
    contract = load()
    world = World(
        accounts=(Account("acc_1", "pod"),), foreign_accounts=(), now=datetime.now(UTC), max_amount_in_cents=1
    )
    corpus = open_corpus(str(tmp_path), contract, world, tmp_path)
    good = CorpusEntry(mutation="a mutation")
    corpus.save([good])
    (kept,) = (
        path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == msgspec.json.encode(good)
    )
    for depth in (200, 900, DEEP):
        (kept.parent / f"{depth}").write_bytes(b'{"body":{"a":' + b"[" * depth + b"]" * depth + b"}}")
    assert corpus.load() == (good,)


def test_a_contract_takes_no_production_host_off_the_list(tmp_path: Path) -> None:
    packaged = load()
    (host,) = packaged.names.production_hosts
    path = tmp_path / "theirs.yaml"
    document = {**packaged.document, "x-production-hosts": ["api.theirs.test"]}
    path.write_bytes(msgspec.json.encode(document))
    theirs = load(path)
    for name in (host, host.upper(), f"{host}.", "api.theirs.test"):
        assert Profile(Target("t", f"https://{name}/api/v1"), {}).is_production(theirs)
    assert not Profile(Target("t", "https://api.ours.test/api/v1"), {}).is_production(theirs)
