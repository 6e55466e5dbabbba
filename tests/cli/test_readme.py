"""What the documentation says is tried: every command in it runs, every profile in it loads, its lists are complete."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rules_harness.harness.errors import CONFORMS, INTERRUPTED, NOT_JUDGED, USAGE, VIOLATED
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import load
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))))
CONTRACT = load()


def _blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _commands(document: str) -> list[str]:
    lines = [line for block in _blocks(document, "console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@contextmanager
def _served(shell: Shell, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`serve` in another terminal, its keys exported and its profile saved as the README says."""
    command = [sys.executable, "-m", "rules_harness", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        is_written = "--profile" in arguments
        while ("# The profile is in" if is_written else "[permissions]") not in printed:
            printed += (line := process.stdout.readline())
            assert line, printed
        for name, key in re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE):
            monkeypatch.setenv(name, key)
        if not is_written:
            (shell.folder / "embedded.toml").write_text(printed[printed.index("[target]") :], encoding="utf-8")
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_run(document: str, shell: Shell, reference: ReferenceServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as servers:
        for line in _commands(document):
            command, _, expected = line.partition("# exits with ")
            program, *arguments = shlex.split(command.replace("9101", str(_free_port())).replace("10m", "1s"))
            if program == "export":
                assert arguments[0].partition("=")[0] in os.environ
                continue
            assert program == "rules-harness", line
            if arguments[0] == "serve":
                servers.enter_context(_served(shell, arguments, monkeypatch))
                continue
            if arguments[0] == "check" and "--select" not in arguments:
                arguments += ["--select", "auth.missing"]  # the whole gate is run by other tests
            if arguments[0] == "lint":
                Path(arguments[1]).write_bytes((ROOT / "openapi/rules.yaml").read_bytes())
            ended = shell(*arguments)
            assert ended.code == int(expected or CONFORMS), f"{line}\n{ended.out}{ended.err}"
            if arguments[0] == "init":
                Path(arguments[1]).write_text(reference.profile_toml, encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_profiles_load(document: str, tmp_path: Path) -> None:
    for block in _blocks(document, "toml"):
        path = tmp_path / "profile.toml"
        path.write_text(block, encoding="utf-8")
        load_profile(path, contract=CONTRACT, environ={**os.environ, "RULES_KEY_FULL": "key-of-a-document"})


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target and not target.endswith(".png"):
            assert ((ROOT / document).parent / target).is_file(), target


@pytest.mark.slow
def test_the_documentation_is_built_as_a_site_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site/requirements/auth.missing/index.html").is_file()


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120


def test_exit_codes_are_told() -> None:
    rows = re.findall(r"^\| (\d+) \| ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert list(map(int, rows)) == [CONFORMS, VIOLATED, USAGE, NOT_JUDGED, INTERRUPTED]


def test_requirements_are_told() -> None:
    rows = [
        tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        for line in (ROOT / "docs/requirements.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \[?[a-z-]+\.", line)
    ]
    rows = [(re.sub(r"\[(.*)\]\(.*\)", r"\1", row[0]), *row[1:]) for row in rows]
    requirements = [
        (entry.id, entry.level, entry.sentence, entry.note or "") for entry in CONTRACT.requirements.values()
    ]
    readings = [
        (entry.id, entry.question, ", ".join(f"**{t}**" if t in entry.accepted else t for t in entry.tokens))
        for entry in CONTRACT.readings.values()
    ]
    assert rows == [*requirements, *readings]


def test_every_family_is_told() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    families = {requirement.family for requirement in CONTRACT.requirements.values()}
    assert {family for family in families if f"`{family}`" not in readme} == set()
