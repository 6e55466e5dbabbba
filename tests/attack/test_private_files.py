"""What a run leaves is its owner's alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules_harness.harness.files import open_private
from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import check, command


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Every path that somebody else could look into."""
    paths = [folder, *folder.rglob("*")]
    found = {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {path: oct(mode) for path, mode in found.items() if mode & 0o077}


@pytest.mark.slow
@pytest.mark.usefixtures("usual_umask")
def test_every_file_of_a_run_is_private(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    with ReferenceServer(faults=["request-id.not-on-401"]) as server:
        profile.write_text(server.profile_toml, encoding="utf-8")
        out = tmp_path / "new" / "out"
        select = ("--select", "request-id.*", "--report", "html,har,sarif")
        assert check(profile, *select, environ=server.environment, out=out).code == 1
        arguments = (
            "fuzz",
            "--target",
            profile,
            "--out",
            out / "fuzz",
            "--time",
            "20s",
            "--requests",
            "60",
            "--corpus",
            out / "corpus",
        )
        command(*arguments, environ=server.environment, folder=out / "fuzz")
    command("baseline", "accept", out, "--out", out / "baseline.toml", "--reason", "known", environ={}, folder=out)
    command("diff", out, out, "--format", "markdown", "--out", out / "diff.md", environ={}, folder=out)
    assert {"journal.jsonl", "summary.json", "fuzz", "corpus", "diff.md"} <= {path.name for path in out.iterdir()}
    assert modes(tmp_path / "new") == {}


@pytest.mark.usefixtures("usual_umask")
def test_a_file_that_was_there_becomes_private_and_a_device_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with open_private(path) as file:
        file.write(b"new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    before = Path(os.devnull).stat().st_mode
    open_private(Path(os.devnull)).close()
    assert Path(os.devnull).stat().st_mode == before
