"""A contract-testing and fuzzing harness: the one name that is importable from outside.

`__all__` is the Python API; see `rules_harness.api`. The four folders of the repository are its subpackages, `openapi`,
`strategies`, `harness` and `reports`; nothing in them is public.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rules_harness.api import Profile, Run, check, fuzz, judge, load_run
    from rules_harness.harness.errors import HarnessError, UsageError
    from rules_harness.harness.judging.outcome import Finding, Outcome, ReadingOutcome, RequirementOutcome
    from rules_harness.openapi.errors import ContractError

    __version__: str

__all__ = [
    "ContractError",
    "Finding",
    "HarnessError",
    "Outcome",
    "Profile",
    "ReadingOutcome",
    "RequirementOutcome",
    "Run",
    "UsageError",
    "__version__",
    "check",
    "fuzz",
    "judge",
    "load_run",
]

_HOMES: Final = {
    **dict.fromkeys(("Profile", "Run", "check", "fuzz", "judge", "load_run"), "api"),
    **dict.fromkeys(("Finding", "Outcome", "ReadingOutcome", "RequirementOutcome"), "harness.judging.outcome"),
    **dict.fromkeys(("HarnessError", "UsageError"), "harness.errors"),
    "ContractError": "openapi.errors",
}
"""Loaded when they are asked for: whoever imports a record need not pay for what sends."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reads files

        return version("sequence-rules-harness")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
