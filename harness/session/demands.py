"""What a journal would have its reader do, and the target that it names, for whoever knows the journal for their own.

A journal is data: nothing in it is a reason to speak to a host, to read a variable, to run a program or to write a
rule.  Its profile is taken only once a person has seen what that means, or has said that the journal is their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from rules_harness.harness.errors import UsageError
from rules_harness.harness.journal import Header
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.recorded import OWN_CONTRACT
from rules_harness.harness.target.cleaning import named_in
from rules_harness.harness.target.profile import HttpHook, Profile
from rules_harness.harness.target.secrets import Keyring, ordinary_words
from rules_harness.openapi.contract import Contract
from rules_harness.openapi.words import noun_of


class Demands(msgspec.Struct, frozen=True):
    """What it takes to act on a journal with the profile that is in it."""

    profile: Profile
    credentials: tuple[str, ...]
    """Those whose keys are needed."""
    rules: tuple[str, ...]
    """Those that would be written."""
    document: dict[str, Any]
    """The contract that the run was held to."""

    def lines(self) -> Iterator[str]:
        """Each in words, as they follow "to": hosts, rules, variables, files and hooks.

        They are as the journal has them, so not safe to show.
        """
        target = self.profile.target
        yield f"send requests to {target.base_url}"
        if target.proxy is not None:
            yield f"go through the proxy {target.proxy}"
        yield f"write to the {noun_of(self.document).plural} {', '.join(self.rules) or 'none'}"
        for name in self.credentials:
            yield f"read {self.profile.credentials[name].source}, and send it as the key of {name}"
        for path in (target.ca_bundle, target.client_cert, target.client_key):
            if path is not None:
                yield f"read the file {path}"
        for name, hook in self.profile.hooks.items():
            if isinstance(hook, HttpHook):
                yield f"send {hook.method} to {hook.url} for {name}"
            else:
                yield f"run {' '.join(hook.command)} for {name}"

    def opened(self) -> Opened:
        """The target, with the keys. Raises `UsageError` where a key is not in the environment."""
        keys = {name: self._key(name) for name in self.credentials}
        return Opened(self.profile, Keyring(keys, words=ordinary_words(self.document, self.profile)), embedded=False)

    def _key(self, name: str) -> str:
        source = self.profile.credentials[name]
        if not source.key_env:
            raise UsageError(
                f"the run's {name} key comes from {source.source}, which no journal may have read; give the profile "
                "with --target FILE"
            )
        key = os.environ.get(source.key_env)
        if not key:
            raise UsageError(
                f"the environment variable {source.key_env} is not set; export it, it is the run's {name} key"
            )
        return key


def demands_of(
    header: Header, *, rules: Iterable[str] | None = None, credentials: Iterable[str] | None = None, hooks: bool = True
) -> Demands:
    """What a run's header asks for: by default all of its profile's rules and credentials, and its hooks.

    Raises `UsageError` where the profile cannot be read, or has secrets that no journal holds.
    """
    try:
        profile = msgspec.convert(header.profile, Profile)
    except msgspec.ValidationError as error:
        raise UsageError(f"the recorded profile cannot be read ({error}); give one with --target FILE") from error
    if profile.target.has_secrets:
        raise UsageError("the profile has secrets that no journal holds; give it with --target FILE")
    names = tuple(sorted(profile.credentials if credentials is None else credentials))
    lacking = set(names) - set(profile.credentials)
    if lacking:
        raise UsageError(f"the recorded profile has no {', '.join(sorted(lacking))} key; give one with --target FILE")
    if not hooks:
        profile = msgspec.structs.replace(profile, hooks={})
    written = tuple(profile.rules.all if rules is None else rules)
    return Demands(profile, names, written, header.contract_document)


def contract_demands(header: Header, given: Contract | None) -> Iterator[str]:
    """That a target is held to a contract that stands in the journal alone, in words."""
    if given is None and header.options.get(OWN_CONTRACT):
        paths = ", ".join(map(str, header.contract_document.get("paths", ())))
        yield f"take from it the contract that says what may be sent ({paths}); --contract FILE names yours"


def key_demands(recorded: Any) -> Iterator[str]:
    """That the text of what is sent holds keys, in words."""
    for name in sorted(named_in(recorded)):
        yield f"write the key of {name} into the text of a rule or a request"
