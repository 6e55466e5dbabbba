"""What stands for a secret in a record, and where somebody who repeats a request takes it from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

REFERENCE: Final = re.compile(r"\{(key|header|proxy):([^{}|]+)(?:\|([a-z]+))?\}")
"""What is referred to, its name, and the form in which it is used (``truncated``)."""
UNKNOWN: Final = "unknown"
UNKNOWN_KEY: Final = "unknown-key-0123456789"
"""In place of a key that is nobody's."""


def variable(what: str, name: str, environment: Mapping[str, str]) -> str:
    """The environment variable that holds a secret: that of the profile for the key of a credential."""
    known = environment.get(name, "") if what == "key" else ""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", known):
        return known
    return "RULES_" + re.sub(r"[^A-Za-z0-9]", "_", f"{what}_{name}").upper()
