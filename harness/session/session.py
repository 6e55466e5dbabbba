"""What every kind of run is given: settings, a sender, and somebody who looks on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from rules_harness import __version__
from rules_harness.harness.exchange import Episode
from rules_harness.harness.journal import SCHEMA_VERSION, Header
from rules_harness.harness.scenarios.case import Case
from rules_harness.harness.target.profile import Profile
from rules_harness.openapi.contract import Contract


class Progress(Protocol):
    """Whoever shows a run while it goes on."""

    def planned(self, cases: int) -> None: ...

    def finished(self, case: Case, episode: Episode) -> None: ...

    def note(self, text: str) -> None: ...


class Silent:
    """Nobody looks on."""

    def planned(self, cases: int) -> None:
        """Say nothing."""

    def finished(self, case: Case, episode: Episode) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


class Settings(msgspec.Struct, frozen=True):
    """What a run is given besides the target."""

    seed: int = 1
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    select: tuple[str, ...] = ()
    fail_on: str = "must"


def profile_record(profile: Profile) -> dict[str, Any]:
    """A profile as a journal holds it."""
    return dict(msgspec.to_builtins(profile))


def gate_header(
    contract: Contract, profile: Profile, settings: Settings, options: dict[str, Any] | None = None
) -> Header:
    """The header of a conformance run that begins now."""
    return Header(
        schema_version=SCHEMA_VERSION,
        tool_version=__version__,
        kind="gate",
        target=profile.target.name,
        base_url=profile.target.base_url,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        contract_document=dict(contract.document),
        profile=profile_record(profile),
        seed=settings.seed,
        now=settings.now.isoformat(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        select=settings.select,
        fail_on=settings.fail_on,
        options=options or {},
    )
