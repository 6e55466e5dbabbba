"""A worker behind pipes: `python -m harness.campaign.remote`, started by whoever brings shards from afar.

Messages are the number of their bytes in four, and the bytes.  The first says what every shard has in common.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

import msgspec

from rules_harness.harness.campaign.drawing import Drawer
from rules_harness.harness.campaign.serving import Worker
from rules_harness.harness.campaign.shard import Equipment
from rules_harness.harness.errors import UsageError
from rules_harness.harness.session.signals import leave_to_director
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring, ordinary_words
from rules_harness.openapi.contract import Contract, load, recorded

_LENGTH = struct.Struct(">I")


class Setup(msgspec.Struct, frozen=True):
    """What every shard of a campaign has in common: the names of the keys' variables, the words of the target's
    ordinary traffic and, if it is not the packaged one, the contract."""

    credentials: dict[str, str]
    words: frozenset[str]
    document: dict[str, Any] | None = None


def setup_for(profile: Profile, contract: Contract) -> Setup:
    """The setup of a target; raises `UsageError` where it needs secrets that only this machine has."""
    if profile.target.has_secrets:
        raise UsageError("a profile with secrets in headers or proxy cannot be used on a cluster; leave --cluster out")
    own = None if contract.sha256 == load().sha256 else json.loads(json.dumps(contract.document))
    if not all(credential.key_env for credential in profile.credentials.values()):
        raise UsageError("a cluster takes keys from the environment alone (key_env); leave --cluster out")
    variables = {name: credential.key_env for name, credential in profile.credentials.items()}
    return Setup(variables, ordinary_words(contract.document, profile), own)


def equipment_for(setup: Setup, environ: Mapping[str, str]) -> Equipment:
    """What a worker of this machine works with; raises `UsageError` where a key is not in the environment."""
    keys = {}
    for name, variable in setup.credentials.items():
        if not environ.get(variable):
            raise UsageError(f"the environment variable {variable} is not set on the worker's machine")
        keys[name] = environ[variable]
    contract = load() if setup.document is None else recorded(setup.document)
    return Equipment(contract, Keyring(keys, words=setup.words), Drawer(contract))


def write(stream: IO[bytes], message: bytes) -> None:
    """Send a message; raises `OSError` where nobody reads."""
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def reader(stream: IO[bytes]) -> Callable[[], bytes]:
    """What waits for the next message, and raises `EOFError` at the end."""

    def read() -> bytes:
        head = stream.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            raise EOFError
        (length,) = _LENGTH.unpack(head)
        content = stream.read(length)
        if len(content) < length:
            raise EOFError
        return content

    return read


def main() -> None:
    """Serve until standard input ends."""
    leave_to_director()
    receive = reader(sys.stdin.buffer)
    equipment = equipment_for(msgspec.json.decode(receive(), type=Setup), os.environ)
    try:
        Worker(receive, lambda message: write(sys.stdout.buffer, message), equipment).serve()
    finally:
        equipment.drawer.close()
        os._exit(0)


if __name__ == "__main__":
    main()
