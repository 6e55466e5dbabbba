"""Takes in what programs and files of an operator say: no more than is of use, and for no longer than is given."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

MOST: Final = 64 * 1024
"""Bytes that are kept of what is said."""
_PIECE: Final = 16 * 1024
_LOOK_SECONDS: Final = 0.01


class TooMuch(Exception):
    """More was said than anything of use has."""


class Done(msgspec.Struct, frozen=True):
    """A program that has ended: its code, and the last of what it wrote."""

    code: int
    out: bytes
    err: bytes


class _Heard(threading.Thread):
    """What one stream says. A thread, since to open and to read may take for ever."""

    def __init__(self, stream: IO[bytes] | None, path: Path | None = None) -> None:
        super().__init__(daemon=True)
        self.said = b""
        self.length = 0
        self.is_beyond = threading.Event()
        self.error: OSError | None = None
        self._stream, self._path = stream, path
        self.start()

    def run(self) -> None:
        try:
            with self._stream or (self._path or Path()).open("rb", buffering=0) as stream:
                while piece := stream.read(_PIECE):
                    self.length += len(piece)
                    self.said = (self.said + piece)[-MOST:]
                    if self.length > MOST:
                        self.is_beyond.set()
                        if self._path is not None:
                            return
        except (OSError, ValueError) as error:
            self.error = error if isinstance(error, OSError) else None


def run(
    command: Sequence[str], seconds: float, *, environ: Mapping[str, str] | None = None, is_strict: bool = False
) -> Done:
    """Run a program, without a shell and with nothing to read.

    Raises `OSError` where it cannot be started, `subprocess.TimeoutExpired`, and if ``is_strict`` `TooMuch`.
    """
    until = time.monotonic() + seconds
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if environ is None else dict(environ),
        bufsize=0,
    )
    try:
        out, err = _Heard(program.stdout), _Heard(program.stderr)
        while out.is_alive() or err.is_alive() or program.poll() is None:
            if is_strict and out.is_beyond.is_set():
                raise TooMuch
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(command, seconds)
            (out if out.is_alive() else err).join(_LOOK_SECONDS)
            if not (out.is_alive() or err.is_alive()):
                # It has closed both, and goes on.
                time.sleep(_LOOK_SECONDS)
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
    if is_strict and out.is_beyond.is_set():
        raise TooMuch
    return Done(program.returncode, out.said, err.said)


def read(path: Path, seconds: float) -> bytes:
    """What a file says, which may be a pipe or have no end. Raises `OSError`, `TimeoutError` and `TooMuch`."""
    heard = _Heard(None, path)
    heard.join(seconds)
    if heard.error is not None:
        raise heard.error
    if heard.is_beyond.is_set():
        raise TooMuch
    if heard.is_alive():
        raise TimeoutError(None, f"nothing for {seconds:g} s")
    return heard.said
