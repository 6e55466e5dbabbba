"""The profile as a file of tests, one for each requirement."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rules_harness.harness.pytest_plugin import VERDICTS, contract_of
from rules_harness.harness.pytest_plugin.verdicts import Told, Verdicts, verdicts_of
from rules_harness.openapi.contract import Requirement
from rules_harness.openapi.errors import ContractError


class ContractWarning(UserWarning):
    """A *should* of the contract that does not hold."""


class ProfileFile(pytest.File):
    """A target's profile."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each requirement, in the contract's order."""
        try:
            requirements = contract_of(self.config).requirements
        except ContractError as error:
            raise pytest.UsageError(str(error)) from error
        for requirement in requirements.values():
            yield RequirementItem.from_parent(self, name=requirement.id, requirement=requirement)


class RequirementItem(pytest.Item):
    """One requirement. The first of a session has everything judged that the session selected."""

    def __init__(self, *, requirement: Requirement, **details: Any) -> None:
        super().__init__(**details)
        self.requirement = requirement
        self.extra_keyword_matches |= {requirement.family, requirement.level}
        self.user_properties.append(("level", requirement.level))
        self._told: Told | None = None

    def setup(self) -> None:
        """Have the verdict at hand; where there is none, that is an error and no failure."""
        verdicts = _verdicts(self.session)
        told = verdicts.told.get(self.name)
        if told is None or told.verdict == "error":
            pytest.fail(verdicts.problem or (told.text if told else f"{self.name} was not judged"), pytrace=False)
        self._told = told

    def runtest(self) -> None:
        """Turn the verdict into pytest's own."""
        assert self._told is not None
        verdict, text = self._told.verdict, self._told.text
        self.user_properties.extend(("finding", finding) for finding in self._told.findings)
        if verdict == "failed":
            pytest.fail(text, pytrace=False)
        if verdict == "warned":
            warnings.warn(ContractWarning(text), stacklevel=1)
        if verdict in ("skipped", "inconclusive"):
            pytest.skip(f"{verdict}: {text}")

    def reportinfo(self) -> tuple[Path, None, str]:
        """The requirement by id and sentence."""
        return self.path, None, f"{self.requirement.id}: {self.requirement.sentence}"


def _verdicts(session: pytest.Session) -> Verdicts:
    stash = session.config.stash
    if VERDICTS not in stash:
        selected = tuple(item.name for item in session.items if isinstance(item, RequirementItem))
        stash[VERDICTS] = verdicts_of(session.config, selected)
    return stash[VERDICTS]
