"""The target of a run: what was chosen, and the profile, keys and server that it stands for."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from rules_harness.harness.errors import Unreachable, UsageError
from rules_harness.harness.journal import PROFILE
from rules_harness.harness.reference.process import ReferenceServer, ServerError
from rules_harness.harness.reference.profile_text import key_environment, profile_text
from rules_harness.harness.target import reader as profile_reader
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.safety import INERT_AHEAD
from rules_harness.harness.target.secrets import Keyring
from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import INERT_START


class Chosen(msgspec.Struct, frozen=True):
    """What names a target; without any of it the embedded one.

    ``rate`` is in requests per second, ``timeout`` in seconds.
    """

    target: Path | None = None
    base_url: str | None = None
    key_env: str | None = None
    rules: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    rate: float | None = None
    timeout: float | None = None
    ca_bundle: Path | None = None

    @property
    def recorded(self) -> dict[str, Any]:
        """What a journal keeps of it, for whoever sends something again."""
        return {} if self.target is None else {PROFILE: str(self.target)}


class Opened(msgspec.Struct, frozen=True):
    """A target that can be sent to."""

    profile: Profile
    keyring: Keyring
    embedded: bool
    path: Path | None = None
    """The profile, where it is a file."""


@contextmanager
def opened(chosen: Chosen, contract: Contract) -> Iterator[Opened]:
    """The target that was chosen; without a choice the embedded one, running inside the `with` block.

    Raises `UsageError` where options contradict each other or the profile is wrong.
    """
    if chosen.base_url is None and chosen != Chosen(target=chosen.target):
        raise UsageError(
            "--key-env, --rule, --header, --rate, --timeout and --ca-bundle go with --base-url; with a profile, write "
            "them there"
        )
    if chosen.target is not None:
        if chosen.base_url is not None:
            raise UsageError("give either --target or --base-url")
        profile, keyring = profile_reader.load(chosen.target, contract=contract, environ=os.environ)
        yield Opened(profile, keyring, embedded=False, path=chosen.target)
    elif chosen.base_url is not None:
        if chosen.key_env is None:
            raise UsageError("--base-url needs --key-env NAME, the environment variable that holds an API key")
        profile, keyring = profile_reader.from_options(
            base_url=chosen.base_url,
            key_env=chosen.key_env,
            rules=chosen.rules,
            target={
                "headers": dict(chosen.headers),
                "ca_bundle": chosen.ca_bundle and str(chosen.ca_bundle.absolute()),
            },
            limits={"requests_per_second": chosen.rate, "timeout_seconds": chosen.timeout},
            contract=contract,
            environ=os.environ,
        )
        yield Opened(profile, keyring, embedded=False)
    else:
        with ExitStack() as stack:
            try:
                server = stack.enter_context(ReferenceServer())
            except ServerError as error:
                raise Unreachable(str(error)) from error
            yield Opened(*_read(server.profile_toml, contract), embedded=True)


def check_production(profile: Profile, contract: Contract) -> None:
    """Raise `UsageError` where nothing may be sent, because the owner of a production target has not allowed it."""
    if profile.is_production(contract) and not profile.permissions.production:
        raise UsageError(
            f"{profile.target.base_url} is a production host. Nothing was sent. A profile with permissions.production "
            f"allows requests to ids that do not exist there, and permissions.production_writes the update of its "
            f"{contract.noun.plural}"
        )


def check_now(profile: Profile, now: datetime) -> None:
    """Raise `UsageError` where dates counted from ``now`` would not be far enough ahead to be harmless."""
    if not profile.allows_live_shapes and now + INERT_START < datetime.now(UTC) + INERT_AHEAD + timedelta(days=1):
        earliest = datetime.now(UTC) + INERT_AHEAD - INERT_START + timedelta(days=1)
        raise UsageError(
            f"--now {now.isoformat()}: off this machine what is sent must lie a year ahead by the real clock. Give "
            f"{earliest.date().isoformat()} or later, or leave it out; permissions.live_shapes lifts this"
        )


def specimen(contract: Contract) -> Profile:
    """A profile that lacks nothing; there is no target behind it."""
    here = "http://127.0.0.1:9101"
    profile, _ = _read(profile_text(f"{here}/api/v1", f"{here}/__control__"), contract)
    return profile


def _read(text: str, contract: Contract) -> tuple[Profile, Keyring]:
    """The embedded target's profile, with its demo keys; without those whose scope the contract does not list."""
    document = tomllib.loads(text)
    scoped = document["credentials"]["scope"]
    document["credentials"]["scope"] = {name: key for name, key in scoped.items() if name in contract.names.scopes}
    environ = {**os.environ, **key_environment()}
    return profile_reader.from_document(document, "the embedded target", contract=contract, environ=environ)
