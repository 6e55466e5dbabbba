"""Texts that a run writes into rules, recognisable as such: a rule that holds one is not as its owner left it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rules_harness.openapi.contract import Contract

_SIGN: Final = " ~rules-harness"


def own(text: str) -> str:
    """The text as a run writes it."""
    return text + _SIGN


def holds_own(contract: Contract, state: Mapping[str, Any]) -> bool:
    """Whether a run, this one or another, wrote the texts of a rule."""
    return any(_SIGN in text for text in map(state.get, contract.names.texts) if isinstance(text, str))
