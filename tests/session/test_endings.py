"""Each way in which a run may end, for each command that has the frame: one exit code, one reason, reports,
and rules that are put back."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
from junitparser import JUnitXml

from rules_harness.harness.errors import INTERRUPTED, NOT_JUDGED, VIOLATED
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Journal, read
from rules_harness.harness.judging import tally
from rules_harness.harness.judging.checks import CHECKS, Check
from rules_harness.harness.judging.outcome import Judgement, Kept
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.session.endings import Contained
from rules_harness.harness.target.hooks import HookFailed, Hooks
from rules_harness.harness.target.safety import SafetyError
from rules_harness.harness.wire.attempts import Attempts, ReadyRequest
from rules_harness.harness.wire.client import BudgetSpent, TargetDown
from rules_harness.openapi.contract import Contract
from tests.cli.conftest import Ended, Shell

AT_REQUEST = {"check": 40, "fuzz": 24, "window": 18}
"""When it happens: rules are in custody by then, and scenarios under way, where the command sends so many."""
SELECTED = "auth.missing"
ENABLING = "status.stored"


Prepare = Callable[[pytest.MonkeyPatch, int], None]
"""Has something happen at about the so-manieth request."""


class Expected(msgspec.Struct, frozen=True):
    """What a run ends with: its exit code, and a part of the reason."""

    code: int
    reason: str


def at_request(monkeypatch: pytest.MonkeyPatch, number: int, happen: Callable[[], None]) -> None:
    """Have something happen when a process is about to send its so-manieth request, and at each one after it."""
    counting, admit = itertools.count(1), Attempts._admit

    def counted(self: Attempts, count: int, ready: ReadyRequest) -> None:
        if not ready.restoring and next(counting) >= number:
            happen()
        admit(self, count, ready)

    monkeypatch.setattr(Attempts, "_admit", counted)


def raising(reason: BaseException) -> Prepare:
    def happen() -> None:
        raise reason

    return lambda monkeypatch, position: at_request(monkeypatch, position, happen)


def signalled(number: int) -> Prepare:
    """The signal once, to the process that directs the run."""
    director = os.getpid()

    def prepare(monkeypatch: pytest.MonkeyPatch, position: int) -> None:
        sent: list[int] = []

        def happen() -> None:
            if not sent:
                sent.append(number)
                os.kill(director, number)

        at_request(monkeypatch, position, happen)

    return prepare


def full_disk(monkeypatch: pytest.MonkeyPatch, position: int) -> None:
    counting, write = itertools.count(1), Journal.write

    def written(self: Journal, record: Any, *, sync: bool = False) -> None:
        if next(counting) > position // 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, record, sync=sync)

    monkeypatch.setattr(Journal, "write", written)


def broken_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(episode: Episode, contract: Contract) -> Iterator[Judgement]:
        yield Kept(SELECTED) if episode.exchanges else Kept(ENABLING)
        raise LookupError("no such thing")

    monkeypatch.setattr(tally, "CHECKS", (Check((SELECTED,), judge), *CHECKS))


def failing_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    def enable(self: Hooks, rule_id: str) -> None:
        raise HookFailed("enable_rule", "answered 500")

    monkeypatch.setattr(Hooks, "enable_rule", enable)


ENDINGS: dict[str, tuple[Prepare, Expected]] = {
    "SIGINT": (signalled(signal.SIGINT), Expected(INTERRUPTED, "interrupted")),
    "SIGTERM": (signalled(signal.SIGTERM), Expected(INTERRUPTED, "interrupted")),
    "SIGHUP": (signalled(signal.SIGHUP), Expected(INTERRUPTED, "interrupted")),
    "SIGQUIT": (signalled(signal.SIGQUIT), Expected(INTERRUPTED, "interrupted")),
    "budget": (raising(BudgetSpent("limits.max_requests = 9 is used up")), Expected(NOT_JUDGED, "is spent")),
    "target down": (
        raising(TargetDown("connection", "no answer")),
        Expected(NOT_JUDGED, "the target is down"),
    ),
    "contained": (raising(Contained("rule_a", None)), Expected(VIOLATED, "rule_a was enabled where it must not be")),
    "safety": (raising(SafetyError("not inert")), Expected(NOT_JUDGED, "refused by the safety rules: not inert")),
    "full disk": (full_disk, Expected(NOT_JUDGED, "No space left on device")),
    "defect": (raising(LookupError("no such thing")), Expected(NOT_JUDGED, "internal error (LookupError")),
}


@pytest.fixture
def rules(reference: ReferenceServer) -> Callable[[], dict[str, Any]]:
    """The configurations of the rules that the embedded target has, as they stand."""

    def look() -> dict[str, Any]:
        with urlopen(f"{reference.control_url}/state") as response:
            found = json.loads(response.read())["rules"]
        return {id: {name: rule[name] for name in ("nickname", "trigger", "steps")} for id, rule in found.items()}

    return look


def check(shell: Shell, profile: Path) -> Ended:
    return shell("check", "--target", profile, "--select", SELECTED, "--select", ENABLING)


def fuzz(shell: Shell, profile: Path) -> Ended:
    return shell("fuzz", "--target", profile, "--time", "60s", "--requests", "2000")


def plant(shell: Shell, profile: Path) -> Ended:
    return shell("window", "plant", "--target", profile, "--out", "out")


RUNS = {"check": check, "fuzz": fuzz, "window": plant}


@pytest.mark.slow
@pytest.mark.parametrize("command", RUNS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_ending(
    ending: str,
    command: str,
    shell: Shell,
    whole_profile: Path,
    rules: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare, expected = ENDINGS[ending]
    before = rules()
    prepare(monkeypatch, 10 if ending == "budget" else AT_REQUEST[command])
    ended = RUNS[command](shell, whole_profile)
    assert ended.code == expected.code, ended.out + ended.err
    summary = shell.summary()
    assert (summary["exit_code"], expected.reason in summary["reason"]) == (expected.code, True), summary["reason"]
    assert JUnitXml.fromfile(str(shell.folder / "out" / "junit.xml"))
    assert rules() == before
    run = read(shell.folder / "out")
    if ending != "full disk":
        assert run.footer is not None
        assert {rule.rule for rule in run.restored} == {rule.rule for rule in run.rules}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_check_that_breaks_is_an_error_of_its_requirement_alone(
    command: str, shell: Shell, whole_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_check(monkeypatch)
    ended = RUNS[command](shell, whole_profile)
    assert ended.code == NOT_JUDGED, ended.out + ended.err
    verdicts = shell.summary()["requirements"]
    assert verdicts[SELECTED]["verdict"] == "error"
    assert verdicts[SELECTED]["reason"] == "the check broke: LookupError: no such thing"
    assert verdicts[ENABLING]["verdict"] == "passed"
    assert [id for id, entry in verdicts.items() if entry["verdict"] in ("failed", "error")] == [SELECTED]
    assert read(shell.folder / "out").is_whole


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_a_hook_that_fails_is_the_reason_of_what_needs_it(
    command: str, shell: Shell, whole_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_hook(monkeypatch)
    ended = RUNS[command](shell, whole_profile)
    assert ended.code == 0, ended.out + ended.err
    assert "hook enable_rule: answered 500" in {skipped.reason for skipped in read(shell.folder / "out").skipped}


@pytest.fixture
def finding(shell: Shell, whole_profile: Path, reference: ReferenceServer) -> str:
    """The id of a finding in the folder ``out`` that takes an enabled rule."""
    reference.configure(faults=["status.kept-with-key"])
    assert shell("check", "--target", whole_profile, "--select", "status.enabled-becomes-disabled").code == 1
    found: str = shell.summary()["findings"][0]["id"]
    return found


REPLAYED = {
    **ENDINGS,
    "safety": (raising(SafetyError("not inert")), Expected(NOT_JUDGED, "prepared as it was: not inert")),
    "hook": (lambda monkeypatch, _: failing_hook(monkeypatch), Expected(NOT_JUDGED, "could not tell")),
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", REPLAYED)
def test_ending_of_a_replay(
    ending: str,
    shell: Shell,
    whole_profile: Path,
    finding: str,
    rules: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare, expected = REPLAYED[ending]
    before = rules()
    prepare(monkeypatch, 10)
    ended = shell("replay", "out", finding, "--target", whole_profile)
    assert ended.code == expected.code, ended.out + ended.err
    folder = f"out/replays/{finding}"
    assert expected.reason in ended.err + shell.summary(folder)["reason"]
    assert JUnitXml.fromfile(str(shell.folder / folder / "junit.xml"))
    assert rules() == before


@pytest.mark.slow
@pytest.mark.parametrize("ending", [name for name in ENDINGS if name not in ("budget", "target down", "safety")])
def test_ending_of_a_restoration(
    ending: str,
    shell: Shell,
    whole_profile: Path,
    rules: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever happens, each rule is put back or named: putting back is all that a restoration does."""
    before = rules()
    with monkeypatch.context() as cut:
        full_disk(cut, 75)
        cut.setattr("rules_harness.harness.session.keeping.Keeping.give_back", lambda self: None)
        assert check(shell, whole_profile).code == NOT_JUDGED
    assert rules() != before
    prepare, expected = ENDINGS[ending]
    with monkeypatch.context() as happening:
        if ending.startswith("SIG"):
            _signal_while_restoring(happening, getattr(signal, ending))
        else:
            prepare(happening, 0)
        ended = shell("restore", "out", "--target", whole_profile)
    assert ended.code == (expected.code if ending.startswith("SIG") or ending == "full disk" else 0), ended.err
    assert rules() == before


def _signal_while_restoring(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    admit, sent = Attempts._admit, [False]

    def admitted(self: Attempts, count: int, ready: ReadyRequest) -> None:
        if not sent[0]:
            sent[0] = True
            os.kill(os.getpid(), number)
        admit(self, count, ready)

    monkeypatch.setattr(Attempts, "_admit", admitted)
