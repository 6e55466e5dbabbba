"""A finding with the episode that shows it, as a file from which it can be sent again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import Header
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.smaller.recording import Recording
from rules_harness.harness.target.profile import Profile, Rules

FILE_NAME: Final = "finding.json"
SCHEMA_VERSION: Final = 1


class Evidence(msgspec.Struct, frozen=True):
    """One finding and what it takes to see it again.

    ``sentence`` is the requirement's, ``now`` the present time of the run, in ISO 8601, and ``rules`` those of its
    profile.
    """

    schema_version: int
    finding: Finding
    sentence: str
    now: str
    rules: Rules
    episode: Episode

    @classmethod
    def of(cls, finding: Finding, sentence: str, episode: Episode, header: Header) -> Evidence:
        """The evidence in a run: its episode up to the last exchange that shows the finding."""
        telling = msgspec.structs.replace(episode, exchanges=episode.exchanges[: max(finding.shown_by, default=-1) + 1])
        rules = msgspec.convert(header.profile, Profile).rules
        return cls(SCHEMA_VERSION, finding, sentence, header.now, rules, telling)

    @property
    def recording(self) -> Recording:
        """What is to be sent."""
        now = datetime.fromisoformat(self.now)
        return Recording(self.episode.exchanges, self.episode.facts.before, now, self.finding.shown_by)

    def encoded(self) -> bytes:
        """As the file holds it."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def read(path: Path) -> Evidence:
    """The evidence in a file. Raises `UsageError` where there is none, or one of another version."""
    try:
        evidence = msgspec.json.decode(path.read_bytes(), type=Evidence)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; it belongs beside the test") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a finding that this version of rules-harness wrote: {error}") from error
    if evidence.schema_version != SCHEMA_VERSION:
        raise UsageError(f"{path} has version {evidence.schema_version}, this program reads {SCHEMA_VERSION}")
    return evidence
