"""Where the key of a credential comes from: a variable of the environment, a file, or what a program prints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from rules_harness.harness.target import bounded
from rules_harness.harness.target.profile import Credential

COMMAND_SECONDS: Final = 30.0
_KEY = re.compile(r"[!#-\[\]-z|~]+")
_KEY_ALONE: Final = "It must be the key, and nothing else."


class NoKey(Exception):
    """There is no key where it should be."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


def read_key(credential: Credential, environ: Mapping[str, str]) -> str:
    """The key of a credential as it is now; raises `NoKey`."""
    if credential.key_command:
        text, where = _printed(credential.key_command, environ), f"what {credential.key_command[0]} prints"
    elif credential.key_file:
        text, where = _in_file(Path(credential.key_file)), f"the file {credential.key_file}"
    else:
        return _in_environment(credential.key_env, environ)
    key = text.strip()
    if not key:
        raise NoKey(f"{where} is empty", _KEY_ALONE)
    return _checked(key, where, "It must be the key, and nothing else: no quotation marks, no further lines.")


def sources(credentials: Iterable[Credential], environ: Mapping[str, str]) -> dict[str, Callable[[], str]]:
    """By credential, what reads its key anew, for those whose key may change while a run goes on."""
    changing = (credential for credential in credentials if credential.key_command or credential.key_file)
    return {credential.name: partial(read_key, credential, environ) for credential in changing}


def _in_environment(variable: str, environ: Mapping[str, str]) -> str:
    key = environ.get(variable, "")
    if not key:
        state = "is empty" if variable in environ else "is not set"
        raise NoKey(
            f"the environment variable {variable!r} {state}", f"export {variable or 'NAME'}=<the key>, or remove it."
        )
    return _checked(key, repr(variable), "Export it without quotation marks, spaces and line ends.")


def _in_file(path: Path) -> str:
    try:
        return bounded.read(path, COMMAND_SECONDS).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoKey(f"the file {path} is not text", _KEY_ALONE) from None
    except bounded.TooMuch:
        raise NoKey(f"the file {path} has more than {bounded.MOST:,} bytes", _KEY_ALONE) from None
    except OSError as error:
        remedy = "Name a file that holds the key alone; a relative path starts at the profile's folder."
        raise NoKey(f"the file {path} cannot be read ({error.strerror})", remedy) from None


def _printed(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """What a program prints. What it says of an error is not shown: nobody knows yet what the key is."""
    remedy = "It must print the key, and end with 0."
    try:
        done = bounded.run(command, COMMAND_SECONDS, environ=environ, is_strict=True)
    except OSError as error:
        raise NoKey(f"{command[0]} cannot be started ({error.strerror})", remedy) from None
    except bounded.TooMuch:
        raise NoKey(f"{command[0]} prints more than {bounded.MOST:,} bytes", remedy) from None
    except subprocess.TimeoutExpired:
        raise NoKey(f"{command[0]} took longer than {COMMAND_SECONDS:g} s", remedy) from None
    if done.code != 0:
        hidden = "; what it says may hold the key, and is not shown: start it by hand to see it" if done.err else ""
        raise NoKey(f"{command[0]} ended with {done.code}{hidden}", remedy)
    return done.out.decode("utf-8", "replace")


def _checked(key: str, where: str, remedy: str) -> str:
    if not _KEY.fullmatch(key):
        raise NoKey(f"the key in {where} has white space or other characters that no key has", remedy)
    return key
