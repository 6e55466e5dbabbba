"""What makes the command line fit: selections, plain output, closed streams, the next command to type."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from unittest import mock

import pytest

from rules_harness.harness.cli import main
from rules_harness.harness.cli.progress import TimeLeft
from rules_harness.harness.journal import Header, stream
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load
from tests.cli import servers
from tests.cli.conftest import Shell
from tests.wire.servers import Server

PROGRAM = (sys.executable, "-m", "rules_harness")


def header(out: str = "out") -> Header:
    first = next(stream(Path(out)))
    assert isinstance(first, Header)
    return first


def test_families_and_commas_are_selected_and_exclusions_taken_out(shell: Shell, whole_profile: Path) -> None:
    chosen = ("--select", "request-id,auth.missing", "--exclude", "request-id.unique,request-id.hostile")
    assert shell("check", "--target", whole_profile, *chosen).code == 0
    judged = set(shell.summary()["requirements"])
    family = {id for id in load().requirements if id.startswith("request-id.")}
    assert judged == {"auth.missing"} | family - {"request-id.unique", "request-id.hostile"}
    assert shell("judge", "out", "--out", "again").code == 0
    assert set(shell.summary("again")["requirements"]) == judged


def test_a_run_ends_at_so_many_findings(shell: Shell, reference: ReferenceServer, whole_profile: Path) -> None:
    reference.configure(faults=["request-id.on-success-only"])
    assert shell("check", "--target", whole_profile, "--select", "request-id", "--max-failures", "1").code == 1
    short = shell.summary()
    assert any("--max-failures 1 is reached" in sentence for sentence in short["missing"])


@pytest.mark.slow
def test_what_a_baseline_accepts_is_no_failure_that_ends_a_run(
    shell: Shell, reference: ReferenceServer, whole_profile: Path
) -> None:
    reference.configure(faults=["request-id.on-success-only"])
    chosen = ("check", "--target", whole_profile, "--select", "request-id")
    assert shell(*chosen).code == 1
    accepted = ("--reason", "known", "--owner", "somebody", "--expires", "2999-01-01", "--out", "baseline.toml")
    assert shell("baseline", "accept", "out", *accepted).code == 0
    ended = shell(*chosen, "--baseline", "baseline.toml", "--max-failures", "1", "--out", "again")
    assert (ended.code, shell.summary("again")["missing"]) == (0, [])


def test_quiet_says_the_verdict_and_what_was_written(shell: Shell, whole_profile: Path) -> None:
    ended = shell("check", "--target", whole_profile, "--select", "auth.missing", "--quiet")
    rules, verdict, files = ended.out.splitlines()
    assert rules.startswith("Enabled before the run, disabled now; a human re-enables: rule_")
    assert verdict.startswith("Conforms to the contract: embedded (1 passed")
    assert files == "wrote out/junit.xml, out/summary.json"
    assert ended.err == ""


def test_quiet_names_what_does_not_hold(shell: Shell, reference: ReferenceServer, whole_profile: Path) -> None:
    reference.configure(faults=["auth.missing-403", "request-id.on-success-only"])
    only = ("--select", "auth.missing", "--select", "request-id.on-errors")
    lines = shell("check", "--target", whole_profile, *only, "--quiet").out.splitlines()
    assert any(line.startswith("failed: request-id.on-errors, auth.missing") for line in lines)


@pytest.mark.slow
def test_every_command_can_be_quiet(shell: Shell, whole_profile: Path) -> None:
    for out in ("one", "two"):
        shell("check", "--target", whole_profile, "--select", "auth.missing", "--quiet", "--out", out)
    said = {
        ("doctor", "--target", whole_profile): [
            "A run would judge 83 of 83 requirements.",
            "Next: rules-harness ",
        ],
        ("judge", "one"): ["Conforms to the contract: embedded (1 passed"],
        ("report", "one", "--format", "html,markdown"): ["wrote one/report.html, one/report.md"],
        ("diff", "one", "two"): ["No difference"],
        ("trend", "one", "two"): ["embedded: 83 requirements over 2 runs: 0 do not hold, 0 come and go"],
        ("selftest", "--only", "auth.missing-403"): ["1 of 1 trials went as they must"],
        ("runs", "prune", ".", "--dry-run"): [".: 0 runs removed, 0 packed"],
    }
    for command, beginnings in said.items():
        lines = shell(*command, "--quiet").out.splitlines()
        assert [line.startswith(begins) for line, begins in zip(lines, beginnings, strict=True)] == [True] * len(
            beginnings
        ), lines
    assert all("--quiet" in shell(*group, "--help").out for group in (("baseline", "accept"), ("window", "plant")))


def test_without_colour_there_is_no_escape_sequence(
    shell: Shell, whole_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("check", "--target", whole_profile, "--select", "auth.missing")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" in shell(*command).out
    plain = shell(*command, "--no-color")
    monkeypatch.setenv("NO_COLOR", "1")
    for ended in (plain, shell(*command)):
        assert (ended.code, "\x1b" in ended.out + ended.err) == (0, False)


def test_a_closed_stdout_ends_nothing(whole_profile: Path, environment: dict[str, str]) -> None:
    command = f"{' '.join(PROGRAM)} list readings >&-"
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_profile_there_are_options_for_the_usual(shell: Shell) -> None:
    with Server(servers.UNAUTHORIZED) as server:
        options = ("--base-url", server.url, "--key-env", "TEST_KEY", "--rule", "rule_a")
        shell("check", *options, "--header", "X-Team: payments", "--rate", "50", "--timeout", "1.5")
        assert all(b"payments" in request.head for request in server.received)
        assert server.received
    limits = header().profile["limits"]
    assert (limits["requests_per_second"], limits["timeout_seconds"]) == (50, 1.5)


def test_doctor_ends_with_the_next_command(shell: Shell, whole_profile: Path) -> None:
    told = shell("doctor", "--target", whole_profile).out.splitlines()
    assert told[-1] == f"Next: rules-harness check --target {whole_profile}"
    with Server(servers.UNAUTHORIZED) as server:
        path = shell.profile(server.url)
        assert shell("doctor", "--target", path).out.splitlines()[-1] == f"Next: rules-harness doctor --target {path}"


def test_serve_writes_the_profile(shell: Shell, environment: dict[str, str]) -> None:
    path = shell.folder / "embedded.toml"
    command = [*PROGRAM, "serve", "--port", "0", "--profile", str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        last = next(line for line in server.stdout if line.startswith("# The profile is in"))
        server.terminate()
    assert last == f"# The profile is in {path}; run: rules-harness check --target {path}\n"
    assert tomllib.loads(path.read_text(encoding="utf-8"))["target"]["base_url"].startswith("http://127.0.0.1:")


def test_shells_complete_commands(environment: dict[str, str]) -> None:
    asked = {"_RULES_HARNESS_COMPLETE": "bash_complete", "COMP_WORDS": "rules-harness bas", "COMP_CWORD": "1"}
    done = subprocess.run([*PROGRAM], env={**environment, **asked}, capture_output=True, text=True, check=False)
    assert "baseline" in done.stdout


def test_entries_of_a_baseline_are_renewed_and_pruned(
    shell: Shell, reference: ReferenceServer, whole_profile: Path
) -> None:
    reference.configure(faults=["request-id.on-success-only"])
    select = ("--select", "request-id.on-errors")
    assert shell("check", "--target", whole_profile, *select).code == 1
    id = shell.summary()["findings"][0]["id"]
    accept = ("--reason", "known", "--owner", "me", "--expires", "2098-01-01", "--out", "baseline.toml")
    assert shell("baseline", "accept", "out", "--finding", id[:8], *accept).code == 0
    entries = tomllib.loads(Path("baseline.toml").read_text(encoding="utf-8"))["accepted"]
    assert [entry["id"] for entry in entries] == [id]
    assert (
        "accepted until 2099-12-31"
        in shell("baseline", "update", "out", "baseline.toml", "--expires", "2099-12-31").out
    )
    assert "2099-12-31" in Path("baseline.toml").read_text(encoding="utf-8")
    assert shell("baseline", "prune", "baseline.toml", "--run", "out").out == ""
    reference.configure()
    assert shell("check", "--target", whole_profile, *select).code == 0
    assert f"removed: {id}" in shell("baseline", "prune", "baseline.toml", "--run", "out").out
    assert "[[accepted]]" not in Path("baseline.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("left", "told"), [(None, ""), (0.0, "about 1 s left"), (0.4, "about 1 s left"), (75, "about 1 min 15 s left")]
)
def test_a_run_is_never_said_to_be_done_before_it_is(left: float | None, told: str) -> None:
    task = mock.Mock(time_remaining=left, finished=False)
    assert TimeLeft().render(task).plain == told
    assert TimeLeft().render(mock.Mock(time_remaining=0.0, finished=True)).plain == "ending"


def test_a_run_leaves_nothing_of_an_earlier_one(shell: Shell, reference: ReferenceServer, whole_profile: Path) -> None:
    reference.configure(faults=["auth.missing-403"])
    arguments = ("check", "--target", whole_profile, "--select", "auth.missing", "--quiet", "--report")
    assert shell(*arguments, "html,sarif").code == 1
    assert list((shell.folder / "out/findings").iterdir())
    (shell.folder / "out/notes.txt").write_text("mine", encoding="utf-8")
    reference.configure()
    assert shell(*arguments, "html").code == 0
    left = {path.name for path in (shell.folder / "out").iterdir()}
    assert left == {"journal.jsonl", "junit.xml", "summary.json", "report.html", "notes.txt"}


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As a container has one whose number no table lists."""
    monkeypatch.setattr(Path, "home", mock.Mock(side_effect=RuntimeError("Could not determine home directory.")))
    with pytest.raises(SystemExit) as ended:
        main(["list", "readings"])
    assert ended.value.code == 0
    assert "reading.key-reuse" in capsys.readouterr().out
