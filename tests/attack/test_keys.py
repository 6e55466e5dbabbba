"""Keys and rules that resemble each other: what is put back is what was there, and no written byte gives a key away."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules_harness.harness.journal import FILE_NAME, FoundRule, Journal, read
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.target import safety
from rules_harness.harness.target.cleaning import Cleaner
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.target.sightings import care
from rules_harness.openapi.contract import load
from tests.gate.runs import Ended, check, command
from tests.safety.staging import configuration
from tests.wire.servers import Received, Server, answer

CONTRACT = load()
RULE = "rule_a"
TIMES = dict.fromkeys(("created_at", "updated_at"), "2024-03-01T10:00:00Z")
STRONG = ("sk_live_Zq7Xw2Rt9Lm4Vb6Nc8", "3f9a0c12-77aa-4c1e-9b1d-0c1d2e3f4a5b", "Hj5Kd3Fs1Gp0Ya+~/=Zz9Qq")
WEAK = ("transfer-bot-key1", "sk_scope_read_transfers_x1", "demo1", "q1w2e3", "12345678", "disabled", "acc_pod")
ORDINARY = ("Monthly savings transfer", "{key:full}", "{key:other_org}", "{key:|}", "{header:X}", "{{", "12345678", "é")


def forms(key: str) -> list[str]:
    """What decodes to a key."""
    content = key.encode()
    return [
        key,
        key.lower(),
        key.upper(),
        key[::-1],
        key[:-1],
        content.hex(),
        "".join(f"%{byte:02X}" for byte in content),
        *(base64.b64encode(b"." * before + content).decode()[2 + before : -4] for before in range(3)),
    ]


def texts(keys: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Texts that share parts with keys, and hold some whole and in other forms."""

    def part(key: str) -> st.SearchStrategy[str]:
        ends = st.tuples(st.integers(0, len(key)), st.integers(0, len(key)))
        return ends.map(lambda at: key[min(at) : max(at)])

    pieces = st.one_of(
        st.sampled_from(ORDINARY),
        st.sampled_from(keys),
        st.sampled_from(keys).flatmap(part),
        st.sampled_from(keys).flatmap(lambda key: st.sampled_from(forms(key))),
        st.text(max_size=5),
    )
    return st.lists(pieces, min_size=1, max_size=4).flatmap(
        lambda chosen: st.sampled_from(["", " ", "-", "/"]).map(lambda between: between.join(chosen))
    )


@st.composite
def scenes(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, Any]]:
    """Keys by credential, and the configuration of a rule that resembles them."""
    drawn = draw(st.lists(st.sampled_from(STRONG + WEAK), min_size=2, max_size=2, unique=True))
    text = texts(tuple(drawn))
    body = CONTRACT.example_body() | {"nickname": draw(text), "description": draw(text), "status": "disabled"}
    body["trigger"] = {**body["trigger"], "note": draw(text), draw(text): 12345678}
    return dict(zip(("full", "limited"), drawn, strict=True)), body


def given_away(content: str, keys: Mapping[str, str]) -> list[str]:
    """The forms of strong keys that stand in what was written, as it stands there and with JSON's escapes undone."""
    plain = re.sub(r"\\u00([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), content)
    wanted = [form for key in keys.values() if care(key) == "every-form" for form in forms(key)]
    return [form for form in wanted if form in content or form in plain]


@pytest.mark.slow
@settings(deadline=None)
@given(scene=scenes())
def test_a_record_holds_what_was_there_and_no_key(scene: tuple[dict[str, str], dict[str, Any]]) -> None:
    keys, state = scene
    cleaner = Cleaner(Keyring(keys))
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), clean=cleaner.clean_text)
        journal.write(FoundRule(rule=RULE, credential="full", state=cleaner.recorded_value(state), enabled=False))
        journal.close()
        line = journal.path.read_bytes()
    assert not given_away(line.decode(), keys)
    found = json.loads(line)
    assert cleaner.recalled_value(found["state"]) == state


class Holder:
    """A server that keeps one rule; whoever has no key is told which one was sent."""

    def __init__(self, keys: Mapping[str, str], state: dict[str, Any]) -> None:
        self.keys = keys
        self.state: dict[str, Any] = {"id": RULE, **state}

    def __call__(self, received: Received, sock: socket.socket) -> bool:
        given = dict(received.headers)
        key = given.get("Authorization", "")
        request_id = given.get("X-Request-ID") or str(uuid4())
        content: dict[str, Any]
        if key.removeprefix("ApiKey ") not in self.keys.values():
            status, content = 401, {"error": {"code": "unauthorized", "message": f"No such key: {key}"}}
        elif not received.line.split()[1].endswith(f"/rules/{RULE}"):
            status, content = 404, {"error": {"code": "resource_not_found", "message": "No such rule"}}
        else:
            if received.line.startswith("PUT"):
                self.state = {"id": RULE, **json.loads(received.body)}
            status, content = 200, {"request_id": request_id, "data": {**self.state, **TIMES}}
        headers = f"Content-Type: application/json\r\nX-Request-ID: {request_id}\r\n"
        sock.sendall(answer(json.dumps(content).encode(), status=f"{status} So", headers=headers))
        return True


def profile(folder: Path, server: Server) -> Path:
    accounts = "".join(f'[[accounts]]\nid = "acc_{type}"\ntype = "{type}"\n' for type in ("income_source", "pod"))
    path = folder / "profile.toml"
    path.write_text(
        f'[target]\nbase_url = "{server.url}"\n[credentials.full]\nkey_env = "KEY_FULL"\n'
        f'[credentials.limited]\nkey_env = "KEY_LIMITED"\n[rules]\nwritable = ["{RULE}"]\n'
        f"[limits]\nrequests_per_second = 5000\ntimeout_seconds = 5\n{accounts}",
        encoding="utf-8",
    )
    return path


def cut_off(folder: Path) -> None:
    """Make the journal one of a run that was killed before it put anything back."""
    path = folder / FILE_NAME
    ends = (b'{"record":"restored', b'{"record":"footer')
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(ends)))


def written(ended: Ended) -> str:
    files = [path for path in ended.folder.rglob("*") if path.is_file()]
    return "\n".join([ended.out, ended.err, *(path.read_text(errors="replace") for path in files)])


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(scene=scenes())
def test_restore_puts_back_what_was_there(scene: tuple[dict[str, str], dict[str, Any]]) -> None:
    keys, state = scene
    holder = Holder(keys, state)
    environ = {"KEY_FULL": keys["full"], "KEY_LIMITED": keys["limited"]}
    with Server(holder) as server, TemporaryDirectory() as name:
        folder, out = Path(name), Path(name, "out")
        select = ("--select", "auth.missing,auth.unknown-key,auth.malformed", "--report", "html,har")
        ended = check(profile(folder, server), *select, environ=environ, out=out)
        assert ended.code in (0, 1), ended.out + ended.err
        assert holder.state == {"id": RULE, **configuration_of(state)}
        judged = command("judge", out, "--out", folder / "again", environ=environ, folder=folder / "again")
        assert judged.requirements == ended.requirements
        assert not given_away(written(ended) + written(judged), keys)

        cut_off(out)
        holder.state = {"id": RULE, **CONTRACT.example_body(), "nickname": "in between", "status": "disabled"}
        restored = command("restore", out, "--trust-journal", environ=environ, folder=out)
        assert restored.code == 0, restored.out + restored.err
        assert holder.state == {"id": RULE, **configuration_of(state)}
        assert not given_away(written(restored), keys)


def configuration_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """What is put back of a state: what the contract knows, and what else would be gone, if it says anything."""
    beyond = [("trigger", name) for name, value in state["trigger"].items() if value != ""]
    return safety.configuration(CONTRACT, state, beyond=beyond)


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer() as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("faults", [(), ("envelope.key-in-401",)])
def test_rules_that_hold_keys_cost_no_verdict_its_truth(
    server: ReferenceServer, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    server.configure(faults=faults)
    keys = {name.removeprefix("RULES_KEY_").lower(): key for name, key in server.environment.items()}
    rule = f"{server.base_url}/rules/rule_01HXYZ1234"
    headers = {"Authorization": f"ApiKey {keys['full']}"}
    before = httpx.get(rule, headers=headers, trust_env=False).json()["data"]
    body = configuration(before) | {
        "nickname": f"{{key:other_org}} {keys['full']}",
        "description": f"{keys['other_org'].upper()} {{key:|}} {base64.b64encode(keys['limited'].encode()).decode()}",
        "status": "disabled",
    }
    assert httpx.put(rule, headers=headers, json=body, trust_env=False).status_code == 200
    path = tmp_path / "profile.toml"
    path.write_text(server.profile_toml, encoding="utf-8")
    select = ("--select", "update,status,auth,envelope", "--requests", "400")
    ended = check(path, *select, environ=server.environment, out=tmp_path / "out")
    assert {"update.read-back", "status.stored", "auth.unknown-key", "envelope.error"} <= ended.with_verdict("passed")
    assert ended.with_verdict("failed", "warned", "error") == ({"envelope.no-leak"} if faults else set()), ended.out
    after = httpx.get(rule, headers=headers, trust_env=False).json()["data"]
    assert configuration(after) == configuration(body)
    again = command("judge", tmp_path / "out", "--out", tmp_path / "again", environ={}, folder=tmp_path / "again")
    assert again.requirements == ended.requirements
    assert not given_away(written(ended) + written(again), keys)
    assert any(found.state["nickname"] == "{key:|}other_org} {key:full}" for found in read(tmp_path / "out").rules)


@pytest.mark.parametrize(
    "key", ["transfer-bot-key1", "sk_scope_read_transfers_x1", "demo1", "auth.missing", "disabled", "KEY_FULL"]
)
def test_a_weak_key_damages_nothing(tmp_path: Path, key: str) -> None:
    holder = Holder({"full": key, "limited": STRONG[0]}, CONTRACT.example_body() | {"status": "disabled"})
    holder.state["nickname"] = f"Monthly savings transfer, {key}"
    with Server(holder) as server:
        path = profile(tmp_path, server)
        environ = {"KEY_FULL": key, "KEY_LIMITED": STRONG[0]}
        ended = check(path, "--select", "auth.missing", environ=environ, out=tmp_path / "out")
    run = read(tmp_path / "out")
    assert run.header.base_url == server.url
    assert run.header.profile["credentials"]["full"]["key_env"] == "KEY_FULL"
    assert ended.verdicts["auth.missing"] == "passed"
    assert run.rules[0].state["nickname"].startswith("Monthly savings transfer, ")
    assert holder.state["nickname"] == f"Monthly savings transfer, {key}"


def test_a_profile_that_holds_a_key_itself_is_refused(tmp_path: Path) -> None:
    path = profile(tmp_path, Server(Holder({}, {})))
    path.write_text(path.read_text().replace("[limits]", f'[[accounts]]\nid = "{STRONG[1]}"\ntype = "pod"\n[limits]'))
    environ = {"KEY_FULL": STRONG[0], "KEY_LIMITED": STRONG[1]}
    ended = check(path, environ=environ, out=tmp_path / "out")
    assert ended.code == 2
    assert "credentials.limited: its key stands in the profile itself" in ended.err
    assert STRONG[1] not in ended.out + ended.err
