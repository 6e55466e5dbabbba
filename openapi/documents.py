"""A document and the overlays beside it: read from files, and applied."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from rules_harness.openapi.bounds import Unbounded, read
from rules_harness.openapi.document import parse
from rules_harness.openapi.errors import ContractError, named

PACKAGED: Final = "rules.yaml"

Text = tuple[str, bytes]
"""The name of a file, and what it holds."""


def texts_of(path: Path | None, overlays: Sequence[Path] = ()) -> list[Text]:
    """The document, the packaged one where no path is given, and its overlays. Raises ContractError."""
    first = (PACKAGED, resources.files(__package__).joinpath(PACKAGED).read_bytes()) if path is None else _text(path)
    return [first, *map(_text, overlays)]


def applied(texts: Sequence[Text]) -> dict[str, Any]:
    """The document with its overlays applied, in order. Raises ContractError."""
    (name, text), *overlays = texts
    with named(name):
        document = parse(text)
    if overlays:
        # Most contracts need no JSONPath.
        from rules_harness.openapi.overlay import apply  # noqa: PLC0415

        for overlay, actions in overlays:
            with named(overlay):
                apply(document, parse(actions))
    return document


def _text(path: Path) -> Text:
    try:
        return str(path), read(path)
    except Unbounded as error:
        raise ContractError("", f"it {error}", "leave out what other operations need", str(path)) from error
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise ContractError("", problem, "name a file that is there", str(path)) from error
