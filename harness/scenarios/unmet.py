"""Why a scenario cannot be run after all."""

from __future__ import annotations

from rules_harness.openapi.contract import Contract


class Unmet(Exception):
    """A scenario cannot be run after all; the text says why."""


class NotBegun(Unmet):
    """The scenario that this one goes on from has not run: that is a lack of neither the profile nor the target."""


class NotEnabled(Unmet):
    """The operator's hook was called, and what it was to enable is not enabled."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(f"the hook enable_rule did not leave the {contract.noun} enabled")
