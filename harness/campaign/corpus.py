"""What earlier campaigns found worth trying again, in Hypothesis's example database: a folder, or Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from rules_harness.harness.campaign.messages import CorpusEntry
from rules_harness.harness.errors import Unreachable, UsageError
from rules_harness.harness.files import FOLDER_MODE, make_private
from rules_harness.harness.judging.equality import instant
from rules_harness.openapi.bounds import Unbounded, check
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import with_role
from rules_harness.strategies.places import body_place, visited
from rules_harness.strategies.scalars import instant_text
from rules_harness.strategies.world import World

LOADED: Final = 300
"""Entries that one campaign tries again; more are left for the next."""
_SOON: Final = timedelta(days=20)
_AHEAD: Final = timedelta(days=30)
_decoder = msgspec.json.Decoder(CorpusEntry)


class _PrivateFolder(DirectoryBasedExampleDatabase):
    """A folder of entries, of which what is made within is its owner's alone: they hold what a target answered."""

    def save(self, key: bytes, value: bytes) -> None:
        folder = Path(self.path)
        make_private(folder)
        there = set(folder.iterdir())
        super().save(key, value)
        for made in set(folder.iterdir()) - there:
            made.chmod(FOLDER_MODE)


class Corpus:
    """The entries that fit one contract and one world; bodies for other accounts are another corpus."""

    def __init__(self, database: ExampleDatabase, contract: Contract, world: World, fallback: Path) -> None:
        """``fallback`` is the folder that takes what the database no longer does."""
        self._database = database
        self._contract = contract
        self._world = world
        self._fallback = fallback
        self._key = _key(contract, world)
        self.problem = ""
        """Why the database is no longer used, once that is so."""

    def load(self) -> tuple[CorpusEntry, ...]:
        """The entries of earlier campaigns, their dates ahead of now again. Raises `Unreachable`."""
        try:
            contents = sorted(self._database.fetch(self._key), key=lambda content: hashlib.sha256(content).digest())
        except Exception as error:
            # A database may raise whatever its driver does.
            raise Unreachable(f"the corpus cannot be read ({error}); is it up, and --corpus right?") from error
        return tuple(self._fresh(entry) for entry in _entries(contents[:LOADED]))

    def save(self, entries: Iterable[CorpusEntry]) -> None:
        """Keep entries for the next campaign; where the database fails they go to the fallback folder."""
        for entry in entries:
            content = msgspec.json.encode(entry)
            try:
                self._database.save(self._key, content)
            except Exception as error:  # noqa: BLE001 - a database may raise whatever its driver does
                self.problem = f"the corpus cannot be written ({error}); it goes on in {self._fallback}"
                self._database = _PrivateFolder(self._fallback)
                self._database.save(self._key, content)

    def _fresh(self, entry: CorpusEntry) -> CorpusEntry:
        body = None if entry.body is None else self._dated(entry.body)
        return msgspec.structs.replace(entry, body=body, bodies=tuple(map(self._dated, entry.bodies)))

    def _dated(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body with a start date ahead: one that has passed would be refused for that alone."""
        now: datetime = self._world.now
        dates = [
            moment
            for place, _, value in visited(body_place(self._contract), dict(body))
            if place.offers("start-date") and (moment := instant(value)) is not None
        ]
        if all(moment >= now + _SOON for moment in dates):
            return dict(body)
        start = (now + _AHEAD).replace(microsecond=0)
        return with_role(self._contract, dict(body), "start-date", instant_text(start))


def open_corpus(where: str, contract: Contract, world: World, fallback: Path) -> Corpus:
    """The corpus in a folder or behind a ``redis://`` URL.

    Raises `UsageError` where that cannot be used at all, `Unreachable` where Redis does not answer.
    """
    is_redis = where.startswith(("redis://", "rediss://"))
    database = _redis(where) if is_redis else _folder(Path(where))
    return Corpus(database, contract, world, fallback)


def _folder(path: Path) -> ExampleDatabase:
    probe = path / ".writable"
    try:
        make_private(path)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"--corpus {path}: cannot be written ({error.strerror}); name a folder that you may write to"
        ) from error
    return _PrivateFolder(path)


def _redis(url: str) -> ExampleDatabase:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - an extra
        from redis import Redis, RedisError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError("--corpus redis://… needs the extra: pip install 'sequence-rules-harness[redis]'") from error
    try:
        client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
    except (RedisError, ValueError) as error:
        raise Unreachable(f"--corpus {url.rpartition('@')[2]}: Redis does not answer ({error})") from error
    return RedisExampleDatabase(client)


def _key(contract: Contract, world: World) -> bytes:
    accounts = sorted(f"{account.id} {account.type} {account.liability}" for account in world.accounts)
    parts = (contract.sha256, str(world.max_amount_in_cents), *accounts)
    return b"rules-harness/" + hashlib.sha256("\n".join(parts).encode()).hexdigest().encode()


def _entries(contents: Iterable[bytes]) -> Iterator[CorpusEntry]:
    for content in contents:
        try:
            entry = _decoder.decode(content)
            check([entry.body, *entry.bodies])
        except (msgspec.DecodeError, Unbounded, RecursionError):
            continue
        yield entry
