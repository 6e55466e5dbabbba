"""The embedded target as if it were elsewhere: under another host, behind a proxy that keeps what passes."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

from rules_harness.harness.reference.process import ReferenceServer
from tests.gate.runs import Ended, check
from tests.safety.proxy import CONTROL_PATH, Passed, Proxy

HOST = "staging.test"
WRITABLE = ("rule_01HXYZ1234", "rule_01HXYZ5678")
UNLISTED = "rule_01HXZA2468"
CAP = 5000
CONFIGURATION = ("nickname", "description", "trigger", "steps")
YEAR = timedelta(days=365)

State = dict[str, Any]


class Staging:
    """A target off loopback, and everything that passed on the way to it."""

    def __init__(self, server: ReferenceServer, proxy: Proxy, folder: Path) -> None:
        self.server = server
        self.proxy = proxy
        self.folder = folder
        self.before = self.states()

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def listed(self) -> set[str]:
        """The rules that the profile lists."""
        rules = tomllib.loads(self.profile_text())["rules"]
        return {*rules["writable"], rules["limited"], rules["other_org"]}

    def states(self) -> dict[str, State]:
        """Every rule of the target, as it is now."""
        with urlopen(f"{self.server.control_url}/state") as response:
            rules: dict[str, State] = json.loads(response.read())["rules"]
        return rules

    def profile_text(self, *, host: str = HOST, writable: tuple[str, ...] = WRITABLE, more: str = "") -> str:
        """A profile that gives no permission; ``more`` is added to it."""
        server = self.server
        text, _, _ = server.profile_toml.partition("[permissions]")
        text = text.replace(
            f'base_url = "{server.base_url}"', f'base_url = "http://{host}/api/v1"\nproxy = "{self.proxy.address}"'
        )
        text = text.replace(server.control_url, self.proxy.address + CONTROL_PATH)
        text = text.replace("max_amount_in_cents = 9007199254740991", f"max_amount_in_cents = {CAP}")
        listed = ", ".join(f'"{rule}"' for rule in writable)
        return (
            "\n".join(f"writable = [{listed}]" if line[:8] == "writable" else line for line in text.split("\n")) + more
        )

    def profile(self, text: str | None = None) -> Path:
        path = self.folder / "profile.toml"
        path.write_text(self.profile_text() if text is None else text, encoding="utf-8")
        return path

    def check(self, *arguments: str, text: str | None = None, out: str = "out") -> Ended:
        return check(self.profile(text), *arguments, environ=self.environ, out=self.folder / out)

    @property
    def environ(self) -> Mapping[str, str]:
        return self.server.environment


@contextmanager
def staging(server: ReferenceServer, folder: Path, *faults: str) -> Iterator[Staging]:
    """The target in its first state, with these faults, behind a new proxy."""
    server.configure(faults=faults)
    with Proxy(server.base_url) as proxy:
        yield Staging(server, proxy, folder)


def configuration(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a client sets of a rule, apart from its status."""
    return {name: state.get(name) for name in CONFIGURATION}


def puts_back(passed: Passed, before: Mapping[str, State]) -> bool:
    """Whether a write gives a rule the configuration that it had at first, disabled."""
    state = before.get(passed.rule)
    if state is None or passed.object.get("status") != "disabled":
        return False
    return bool(_without_defaults(configuration(passed.object)) == _without_defaults(configuration(state)))


def is_inert(body: Mapping[str, Any], now: datetime) -> bool:
    """Whether nothing in a body could move money soon; what is not there moves nothing."""
    trigger, steps = body.get("trigger"), body.get("steps")
    if isinstance(trigger, dict):
        start = str(trigger.get("start_date")).replace("Z", "+00:00")
        if trigger.get("type") != "SCHEDULED" or datetime.fromisoformat(start) < now + YEAR:
            return False
    actions = [action for step in steps for action in step["actions"]] if isinstance(steps, list) else []
    return [(action["type"], action["amount_in_cents"]) for action in actions] in ([], [("fixed_amount", 1)])


def amounts(value: Any) -> Iterator[int]:
    """Every amount of a body."""
    if isinstance(value, dict):
        if isinstance(value.get("amount_in_cents"), int):
            yield value["amount_in_cents"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from amounts(inner)


def _without_defaults(value: Any) -> Any:
    """A configuration without what a server adds to it."""
    if isinstance(value, dict):
        added = {"is_direct_deposit": (False, None), "name": None, "limit": (None,), "ach_description": (None,)}
        return {
            name: _without_defaults(inner)
            for name, inner in value.items()
            if not (name in added and (added[name] is None or inner in (added[name] or ())))
        }
    return [_without_defaults(inner) for inner in value] if isinstance(value, list) else value


def key_fragments(target: Staging, content: bytes) -> set[str]:
    """Runs of eight characters of a key."""
    runs = {key[start : start + 8] for key in target.environ.values() for start in range(len(key) - 7)}
    words = {word.decode() for word in re.findall(rb"[A-Za-z0-9]{8,}", content)}
    return {word[start : start + 8] for word in words for start in range(len(word) - 7)} & runs


def check_writes(target: Staging, writes: Iterable[Passed]) -> None:
    """Assert that nothing was written, or can have been meant, but the rules of the profile."""
    rules = target.before.keys()
    for rule in {passed.rule for passed in writes if unquote(passed.rule, "latin-1") not in target.listed}:
        plain = posixpath.normpath("/rules/" + unquote(unquote(rule, "latin-1"), "latin-1"))
        assert plain.startswith("/rules")
        unlisted = {name.casefold() for name in rules - target.listed}
        assert plain.removeprefix("/rules").strip("/ \t").casefold() not in unlisted, rule
    after = target.states()
    for rule in rules - target.listed:
        assert after[rule] == target.before[rule]
