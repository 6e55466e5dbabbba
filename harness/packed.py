"""Reads lines of a file that may be packed (Zstandard, RFC 8878), as far as it goes.

Files may come from anybody: a line, and what a small file unpacks to, have their limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import zstandard

from rules_harness.harness.errors import UsageError

LONGEST: Final = 32 * 1024 * 1024
"""Bytes of a line; what a run takes in of answers keeps its own lines far below."""
_EXPANSION: Final = 200
"""How many times longer than packed a file may be; records of runs are about forty times."""
_FREE: Final = 16 * 1024 * 1024
"""Bytes that any file may unpack to beyond that."""
_PIECE: Final = 1024
"""Bytes of a packed file that are unpacked at once: a block of four makes up to 128 KiB."""
_WINDOW: Final = 8 * 1024 * 1024
"""Bytes that unpacking may look back, and so keep."""


def lines_of(path: Path) -> Iterator[bytes | None]:
    """The lines of a file, packed or not; ``None`` where a packed one ends before its time.

    Raises `UsageError` for a line that is too long, and for a file that unpacks to too much.
    """
    with path.open("rb") as file:
        try:
            if path.suffix != ".zst":
                while line := file.readline(LONGEST + 1):
                    yield _bounded(path, [line])
            else:
                yield from _lines(path, unpacked(file))
        except zstandard.ZstdError:
            yield None


def most_of(packed: int) -> int:
    """How many bytes a packed file of so many may unpack to."""
    return _FREE + _EXPANSION * packed


def unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """What a packed file holds, piece by piece.

    Raises `zstandard.ZstdError`, also where it ends before its time, and `UsageError` where it unpacks to too much.
    """
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    read = made = 0
    while packed := file.read(_PIECE):
        content = unpacker.decompress(packed)
        read, made = read + len(packed), made + len(content)
        if made > most_of(read):
            raise UsageError(f"{file.name} unpacks to {_EXPANSION} times its length and more: no run's record does")
        yield content
    if not unpacker.eof:
        raise zstandard.ZstdError("it ends before its time")


def _lines(path: Path, pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    length = 0
    for content in pieces:
        first, *lines = content.split(b"\n")
        begun.append(first)
        length += len(first)
        if lines or length > LONGEST:
            yield _bounded(path, begun)
            *whole, last = lines
            yield from whole
            begun, length = [last], len(last)
    if length:
        yield _bounded(path, begun)


def _bounded(path: Path, parts: list[bytes]) -> bytes:
    if sum(map(len, parts)) > LONGEST:
        raise UsageError(f"{path} has a line of more than {LONGEST // 2**20} MiB: no run's record has")
    return b"".join(parts)
