"""The target of a recorded run, from what its journal holds and the keys of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import Header
from rules_harness.harness.target.profile import Profile
from rules_harness.harness.target.secrets import Keyring


def recorded_target(header: Header, credentials: Iterable[str] | None = None) -> tuple[Profile, Keyring]:
    """The profile of a run and the keys of these credentials, or of all that it has.

    Raises `UsageError` where a key is not in the environment, or the profile has secrets that no journal holds.
    """
    try:
        profile = msgspec.convert(header.profile, Profile)
    except msgspec.ValidationError as error:
        raise UsageError(f"the recorded profile cannot be read ({error}); give one with --target FILE") from error
    values = (*(value for _, value in profile.target.headers), profile.target.proxy or "")
    if any("{header:" in value or "{proxy:" in value for value in values):
        raise UsageError("the profile has secrets that no journal holds; give it with --target FILE")
    names = profile.credentials if credentials is None else credentials
    return profile, Keyring({name: _key(profile, name) for name in sorted(names)})


def _key(profile: Profile, credential: str) -> str:
    variable = profile.credentials[credential].key_env
    key = os.environ.get(variable)
    if not key:
        raise UsageError(f"the environment variable {variable} is not set; export it, it is the run's {credential} key")
    return key
