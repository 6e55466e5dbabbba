"""A contract-testing and fuzzing harness for `PUT /rules/{id}`: the one name that is importable from outside.

The four folders of the repository are its subpackages, `openapi`, `strategies`, `harness` and `reports`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - whoever imports a record need not pay for it

        return version("sequence-rules-harness")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
