"""Reads lines of a file that may be packed (Zstandard, RFC 8878), as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import zstandard

_PIECE: Final = 64 * 1024
"""Bytes of a packed file that are unpacked at once."""


def lines_of(path: Path) -> Iterator[bytes | None]:
    """The lines of a file, packed or not; ``None`` where a packed one ends before its time."""
    with path.open("rb") as file:
        if path.suffix != ".zst":
            yield from file
            return
        rest = b""
        try:
            for content in unpacked(file):
                *lines, rest = (rest + content).split(b"\n")
                yield from lines
            if rest:
                yield rest
        except zstandard.ZstdError:
            yield None


def unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """What a packed file holds, piece by piece. Raises `zstandard.ZstdError`, also where it ends before its time."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    while packed := file.read(_PIECE):
        yield unpacker.decompress(packed)
    if not unpacker.eof:
        raise zstandard.ZstdError("it ends before its time")
