"""What only an operator can do, by way of the profile: enable a rule, move the clock."""

from __future__ import annotations

import functools
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import quote

import httpx

from rules_harness.harness.target import bounded
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.profile import HttpHook, Profile
from rules_harness.harness.target.secrets import Keyring

_SHOWN: Final = 300
"""Characters of a hook's answer that are shown where it failed."""


Values = Mapping[str, str | float]


class HookFailed(Exception):
    """A hook did not do its work; ``detail`` holds no secret."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"hook {name}: {detail}")
        self.name = name
        self.detail = detail


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The authorities that tools' certificates are checked with; reading them takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)


class Hooks:
    """The hooks of a profile. Each call raises `HookFailed`, also for a hook that the profile does not have."""

    def __init__(self, profile: Profile, keyring: Keyring) -> None:
        self._hooks = profile.hooks
        self._keyring = keyring
        self._cleaner = Cleaner(keyring)
        self._opened = ExitStack()

    def enable_rule(self, rule_id: str) -> None:
        """Enable a rule, as a human would."""
        self._run("enable_rule", {"rule_id": rule_id})

    def advance_clock(self, seconds: float) -> None:
        """Move the target's clock forward."""
        self._run("advance_clock", {"seconds": int(seconds) if seconds == int(seconds) else seconds})

    def close(self) -> None:
        """Close the connections to operators' tools."""
        self._opened.close()

    @functools.cached_property
    def _client(self) -> httpx.Client:
        # A server that closes what is idle does so after two seconds and more.
        limits = httpx.Limits(keepalive_expiry=1)
        return self._opened.enter_context(httpx.Client(verify=_trusted(), trust_env=False, limits=limits))

    def _run(self, name: str, values: Values) -> None:
        hook = self._hooks.get(name)
        if hook is None:
            raise HookFailed(name, f"the profile has no hooks.{name}")
        try:
            if isinstance(hook, HttpHook):
                self._call(name, hook, values)
            else:
                self._execute(name, [_filled(part, values) for part in hook.command], hook.timeout)
        except (httpx.HTTPError, OSError) as error:
            raise self._failed(name, str(error) or type(error).__name__) from None
        except KeyError as error:
            raise self._failed(name, f"there is no {error.args[0]}, which no journal holds") from None
        except subprocess.TimeoutExpired:
            raise self._failed(name, f"took longer than {hook.timeout:g} s") from None

    def _call(self, name: str, hook: HttpHook, values: Values) -> None:
        url = _filled(
            self._url(hook), {placeholder: quote(str(value), safe="") for placeholder, value in values.items()}
        )
        headers = {header: self._keyring.value(value) for header, value in hook.headers}
        content = None if hook.json is None else _json(hook.json, values)
        until, said = time.monotonic() + hook.timeout, b""
        with self._client.stream(hook.method, url, json=content, headers=headers, timeout=hook.timeout) as answer:
            for piece in answer.iter_bytes():
                said += piece
                if time.monotonic() > until:
                    raise self._failed(name, f"took longer than {hook.timeout:g} s")
                if len(said) > bounded.MOST:
                    break
        if not answer.is_success:
            text = self._cleaner.clean_text(said.decode("utf-8", "replace"))[:_SHOWN]
            raise self._failed(name, f"answered {answer.status_code}: {text}")

    def _url(self, hook: HttpHook) -> str:
        """The URL of a hook with its secrets."""
        scheme, _, rest = hook.url.partition("://")
        login = "" if hook.login is None else f"{self._keyring.value(hook.login)}@"
        query = "&".join(f"{name}={self._keyring.value(value)}" for name, value in hook.query)
        return f"{scheme}://{login}{rest}" + (f"{'&' if '?' in rest else '?'}{query}" if query else "")

    def _execute(self, name: str, command: list[str], timeout: float) -> None:
        done = bounded.run(command, timeout)
        if done.code != 0:
            said = (done.err or done.out).decode("utf-8", "replace").strip()
            # Cleaned before it is cut: of a key that is cut in two, nobody would find the rest.
            raise self._failed(name, f"ended with {done.code}: {self._cleaner.clean_text(said)[-_SHOWN:]}")

    def _failed(self, name: str, detail: str) -> HookFailed:
        return HookFailed(name, self._cleaner.clean_text(detail))


def _filled(text: str, values: Values) -> str:
    for placeholder, value in values.items():
        text = text.replace(f"{{{placeholder}}}", str(value))
    return text


def _json(template: Any, values: Values) -> Any:
    """The template with placeholders filled in; ``"{seconds}"``, the whole of a string, becomes a number."""
    if isinstance(template, dict):
        return {name: _json(inner, values) for name, inner in template.items()}
    if isinstance(template, list):
        return [_json(inner, values) for inner in template]
    if not isinstance(template, str):
        return template
    whole = values.get(template[1:-1]) if template[:1] + template[-1:] == "{}" else None
    return _filled(template, values) if whole is None else whole
