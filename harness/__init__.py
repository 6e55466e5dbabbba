"""The harness: it sends requests to a target, records what came of them, and judges."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - whoever imports a record need not pay for it

        return version("sequence-rules-harness")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
