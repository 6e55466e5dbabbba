"""How a run ends: each reason becomes one note, and the note decides the outcome."""

from __future__ import annotations

import msgspec

from rules_harness.harness.errors import HarnessError, internal_error
from rules_harness.harness.journal import Note
from rules_harness.harness.judging.judge import CONTAINED, STOPPED
from rules_harness.harness.target.hooks import HookFailed
from rules_harness.harness.target.safety import SafetyError
from rules_harness.harness.wire.client import BudgetSpent, Stopped, TargetDown


class Contained(Exception):
    """A rule was found enabled where it must not be; it was disabled again, or ``problem`` says why not."""

    def __init__(self, rule: str, problem: str | None):
        self.rule = rule
        self.problem = problem
        super().__init__(
            f"{rule} was enabled where it must not be; "
            + (
                "it was disabled again"
                if problem is None
                else f"IT IS STILL ENABLED ({problem}): disable it by hand now"
            )
        )


class Unrecorded(HarnessError):
    """What happened cannot be written down any more, so that nothing further may happen."""


class Ending(msgspec.Struct, frozen=True):
    """Why a run ended before it was done.

    ``note`` is ``None`` where somebody interrupted it; ``is_defect`` says that the harness itself is at fault.
    """

    note: Note | None
    is_defect: bool = False

    @property
    def is_interruption(self) -> bool:
        """Whether it was ended from outside, by a signal."""
        return self.note is None


def ending_of(reason: BaseException) -> Ending:
    """What an exception that ends a run stands for."""
    match reason:
        case Stopped() | KeyboardInterrupt():
            return Ending(None)
        case BudgetSpent():
            return Ending(stopped(f"limits.max_requests is spent: {reason}", beats_findings=False))
        case TargetDown():
            state = "" if reason.reason == "deferred" else "the target is down: "
            return Ending(stopped(f"{state}{reason}", beats_findings=False))
        case Contained():
            return Ending(Note(CONTAINED, str(reason), {"rule": reason.rule, "problem": reason.problem}))
        case SafetyError():
            return Ending(stopped(f"refused by the safety rules: {reason}", beats_findings=False))
        case HookFailed() | HarnessError():
            return Ending(stopped(str(reason), beats_findings=False))
        case _:
            return Ending(stopped(internal_error(reason), beats_findings=False), is_defect=True)


def stopped(text: str, *, beats_findings: bool = True) -> Note:
    """The note of a run that ends without a judgement, or before all is judged."""
    return Note(kind=STOPPED, text=text, data={"beats_findings": beats_findings})
