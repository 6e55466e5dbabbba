"""The record of a run while it goes on: everything into the journal, every episode into the tally too."""

from __future__ import annotations

import threading

from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import EpisodeRecord, Footer, FoundRule, Journal, Note, Record, Restored, Skipped
from rules_harness.harness.judging.outcome import Finding, Judgement
from rules_harness.harness.judging.suspects import Suspect
from rules_harness.harness.judging.tally import Tally
from rules_harness.harness.session.endings import Unrecorded


class RunRecord:
    """Writes the journal and keeps the tally; may be used by several threads.

    The first failure to write raises `Unrecorded`, which ends the run; from then on, and once `is_ending` is set,
    nothing raises any more: whatever the disk does, rules are put back.
    """

    def __init__(self, journal: Journal, tally: Tally) -> None:
        self.journal = journal
        self.tally = tally
        self.notes: list[Note] = []
        self.skipped: list[Skipped] = []
        self.is_ending = False
        self.problem = ""
        """Why nothing is written any more, if so."""
        self._lock = threading.Lock()

    def write(self, record: Record, *, sync: bool = False) -> None:
        """Write one record; with ``sync`` it is on the disk on return."""
        if self.problem:
            return
        try:
            self.journal.write(record, sync=sync)
        except OSError as error:
            self.problem = f"cannot write {self.journal.path}: {error.strerror or error}"
            if not self.is_ending:
                raise Unrecorded(f"{self.problem}; what was recorded until then is kept") from error

    def rule(self, rule: FoundRule) -> None:
        """Record a rule as it was found; it is on the disk on return."""
        self.write(rule, sync=True)

    def restored(self, rule: Restored) -> None:
        """Record that a rule was put back, or why not."""
        self.write(rule, sync=True)

    def episode(self, episode: Episode) -> list[Judgement]:
        """Record an episode; returns what is judged of it."""
        self.write(EpisodeRecord(episode))
        with self._lock:
            return self.tally.add(episode)

    def findings_so_far(self) -> list[Finding]:
        """The findings, while other threads go on."""
        with self._lock:
            return self.tally.findings()

    def suspect(self, finding: Finding) -> Suspect:
        """What a finding rests on, as it was seen first."""
        with self._lock:
            return self.tally.suspects[self.tally.seen_first_as(finding)]

    def skip(self, skipped: Skipped) -> None:
        """Record what cannot be run, with the reason."""
        self.skipped.append(skipped)
        self.write(skipped)

    def note(self, note: Note) -> None:
        """Record something that the outcome of the run depends on."""
        self.notes.append(note)
        self.write(note, sync=True)

    def end(self, footer: Footer) -> None:
        """Record that the run has ended, and let the journal go."""
        self.write(footer, sync=True)
        self.close()

    def close(self) -> None:
        """Let the journal go without a footer."""
        try:
            self.journal.close()
        except OSError as error:
            self.problem = self.problem or f"cannot write {self.journal.path}: {error.strerror or error}"
