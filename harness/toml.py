"""TOML that people write, and that may be somebody else's: read in bounded time and memory."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from rules_harness.openapi.bounds import Unbounded, check, read

_MOST_BYTES: Final = 1024 * 1024
_MOST_PARTS: Final = 32
_PART: Final = r"""(?<![\w-])(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*"""
_LONG_KEY: Final = re.compile(f"(?:{_PART}){{{_MOST_PARTS}}}", re.ASCII)
"""What the library takes a time for that grows with the square of its length."""


def load(path: Path) -> dict[str, Any]:
    """The document in a file.

    Raises OSError, UnicodeDecodeError, `tomllib.TOMLDecodeError`, and `Unbounded` for one that is too large or deep.
    """
    text = read(path, _MOST_BYTES).decode("utf-8-sig")
    if _LONG_KEY.search(text):
        raise Unbounded(f"has a key of {_MOST_PARTS} parts and more")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise Unbounded("is nested without end, or nearly so") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise tomllib.TOMLDecodeError(str(error)) from error
    check(document)
    return document
