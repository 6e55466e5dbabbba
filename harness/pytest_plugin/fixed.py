"""For the tests that a run leaves behind: a finding is sent again, and the checks say whether it is gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.errors import CONFORMS, INTERRUPTED, HarnessError
from rules_harness.harness.journal import Journal
from rules_harness.harness.pytest_plugin.judging import RulesTarget, described
from rules_harness.harness.replaying import Replaying
from rules_harness.harness.session.folder import REPLAYS
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.recorded import keep_unrestored
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.session.signals import interruptible
from rules_harness.harness.smaller.again import places
from rules_harness.harness.smaller.evidence import read
from rules_harness.harness.target.cleaning import Cleaner


class AssertFixed:
    """Sends the finding in a file again, with new keys and the same preparations, and judges what comes of it.

    The rules that it takes are recorded first and put back last.
    """

    def __init__(
        self, target: RulesTarget, folder: Path, turn: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """Journals go below ``folder``; within a ``turn`` nobody else sends."""
        self._target = target
        self._folder = folder
        self._turn = turn

    def __call__(self, path: Path) -> None:
        """Fail the test while the finding is there, and where nothing could be judged."""
        __tracebackhide__ = True
        try:
            problem = self._problem(path)
        except HarnessError as reason:
            problem = f"could not be judged: {reason}"
        if problem:
            pytest.fail(problem, pytrace=False)

    def _problem(self, path: Path) -> str:
        evidence = read(path)
        finding, target = evidence.finding, self._target
        folder = self._folder / REPLAYS / finding.id
        with self._turn():
            keep_unrestored(folder)
            rules = places(evidence, target.profile.rules, target.contract.noun)
            journal = Journal(folder, clean=Cleaner(target.keyring).clean_text)
            settings = Settings(now=datetime.now(UTC).replace(microsecond=0))
            opened = Opened(target.profile, target.keyring, embedded=False, path=target.path)
            replay = Replaying(target.contract, opened, journal, settings, Silent(), evidence=evidence, rules=rules)
            with interruptible(replay):
                outcome = replay.run()
        if outcome.exit_code == INTERRUPTED:
            raise KeyboardInterrupt
        left = [f"{rule} was not put back: {why}" for rule, why in replay.keeping.given_back.items() if why]
        if outcome.exit_code == CONFORMS and not left:
            return ""
        again = replay.again.violation
        if again is not None:
            finding = msgspec.structs.replace(finding, expected=again.expected, actual=again.actual)
        description = described(target.contract, finding) if again is not None else finding.requirement
        return "\n".join([description, outcome.reason or replay.again.reason, *left, f"journal:   {folder}"])
