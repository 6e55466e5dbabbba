"""A profile: what it may say, and what it answers to everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from rules_harness.harness.errors import USAGE, UsageError
from rules_harness.harness.target.profile import CommandHook, HttpHook, Profile, Target
from rules_harness.harness.target.reader import from_options, load
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.target.template import template
from rules_harness.openapi.contract import load as load_contract
from rules_harness.strategies.world import Account

CONTRACT = load_contract()
ROLES = ("full", "limited", "read_only", "unrelated", "trigger_only", "other_org", "revoked")
ENVIRONMENT = {f"RULES_KEY_{role.upper()}": f"key-{role}-0123456789" for role in ROLES} | {"PATH": "/bin:/usr/bin"}

SMALLEST = """\
[target]
base_url = "http://127.0.0.1:9101/api/v1"
[credentials.full]
key_env = "RULES_KEY_FULL"
"""

COMPLETE = """\
[target]
name = "staging"
base_url = "http://127.0.0.1:9101/api/v1/"
headers = { "X-Called-Reason" = "conformance run", "X-Gateway-Token" = "gateway-secret-1" }
proxy = "http://user:pass-word-1@127.0.0.1:3128"
[credentials.full]
key_env = "RULES_KEY_FULL"
[credentials.limited]
key_env = "RULES_KEY_LIMITED"
[credentials.trigger_only]
key_env = "RULES_KEY_TRIGGER_ONLY"
[credentials.scope.TRIGGER_RULES]
key_env = "RULES_KEY_TRIGGER_ONLY"
[rules]
writable = ["rule_a", "rule_b"]
limited = "rule_c"
other_org = "rule_d"
[[accounts]]
id = "acc_01HABC4567"
type = "income_source"
[[accounts]]
id = "acc_card"
type = "external_account"
liability = true
[[other_org_accounts]]
id = "acc_of_others"
type = "pod"
[hooks]
enable_rule = { method = "POST", url = "http://127.0.0.1:9101/__control__/rules/{rule_id}/enable" }
advance_clock = { url = "http://127.0.0.1:9101/__control__/clock", json = { advance_seconds = "{seconds}" } }
reset = { command = ["true", "now"], timeout = 60 }
[limits]
requests_per_second = 2.5
in_flight = 4
[permissions]
trigger = true
[gate]
required = ["status.*", "auth.missing"]
[readings]
"reading.key-reuse" = ["original", "422"]
"""


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> tuple[Profile, Keyring]:
    path = folder / "staging.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, contract=CONTRACT, environ=ENVIRONMENT if environ is None else environ)


def refusal(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, text, environ)
    assert caught.value.exit_code == USAGE
    message = str(caught.value)
    assert message.startswith(f"{folder / 'staging.toml'}: ")
    assert not any(key in message for name, key in ENVIRONMENT.items() if name != "PATH")
    return message.removeprefix(f"{folder / 'staging.toml'}: ")


def test_a_url_and_one_credential_are_enough(tmp_path: Path) -> None:
    profile, keyring = read(tmp_path, SMALLEST)
    assert profile.target == Target("127.0.0.1:9101", "http://127.0.0.1:9101/api/v1")
    assert keyring.names == ("full",)
    assert profile.rules.all == ()
    assert profile.limits.requests_per_second == 20
    assert not any(msgspec.structs.astuple(profile.permissions))


def test_everything_that_a_profile_may_say_is_read(tmp_path: Path) -> None:
    profile, keyring = read(tmp_path, COMPLETE)
    assert profile.target.base_url == "http://127.0.0.1:9101/api/v1"
    assert set(profile.credentials) == {"full", "limited", "trigger_only", "scope.TRIGGER_RULES"}
    assert keyring.secrets()["scope.TRIGGER_RULES"] == "key-trigger_only-0123456789"
    assert profile.rules.all == ("rule_a", "rule_b", "rule_c", "rule_d")
    assert profile.accounts == (
        Account("acc_01HABC4567", "income_source"),
        Account("acc_card", "external_account", liability=True),
    )
    clock, reset = profile.hooks["advance_clock"], profile.hooks["reset"]
    assert isinstance(clock, HttpHook)
    assert clock.json == {"advance_seconds": "{seconds}"}
    assert isinstance(reset, CommandHook)
    assert reset.command[1:] == ("now",)
    assert reset.timeout == 60
    assert (profile.limits.requests_per_second, profile.limits.in_flight) == (2.5, 4)
    assert profile.permissions.trigger
    assert profile.gate.required == ("status.*", "auth.missing")
    assert profile.readings == {"reading.key-reuse": ("original", "422")}


def test_a_profile_holds_no_secret_and_comes_back_from_json(tmp_path: Path) -> None:
    profile, keyring = read(tmp_path, COMPLETE)
    recorded = msgspec.json.encode(profile)
    for secret in ("gateway-secret-1", "pass-word-1", *ENVIRONMENT.values()):
        assert secret.encode() not in recorded
    assert b"conformance run" in recorded
    assert msgspec.json.decode(recorded, type=Profile) == profile
    assert keyring.value(dict(profile.target.headers)["X-Gateway-Token"]) == "gateway-secret-1"
    assert profile.target.proxy == "http://127.0.0.1:3128"
    assert profile.target.proxy_login is not None
    assert keyring.value(profile.target.proxy_login) == "user:pass-word-1"


def test_the_world_has_the_accounts_and_the_cap(tmp_path: Path) -> None:
    profile, _ = read(tmp_path, COMPLETE)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    world = profile.world(now)
    assert (world.accounts, world.now, world.max_amount_in_cents) == (profile.accounts, now, 100_000)
    assert [account.id for account in world.foreign_accounts] == ["acc_of_others"]


def test_the_template_is_a_profile(tmp_path: Path) -> None:
    profile, _ = read(tmp_path, template(CONTRACT))
    assert profile.target.name == "staging"
    assert profile.target.base_url.startswith("https://staging.example/")


def test_the_template_with_every_line_in_use_is_a_profile(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if " = " in line or "[" in line else line for line in template(CONTRACT).splitlines()
    ]
    text = "\n".join(
        line for line in lines if not line.startswith(("ca_bundle", "client_", "Keys", "Only", "The ", "Accounts"))
    )
    environ = ENVIRONMENT | {"RULES_KEY_SCOPE_LIST_RULES": "key-list-rules-0"}
    profile, keyring = read(tmp_path, text, environ)
    assert set(keyring.names) == {*ROLES, "scope.LIST_RULES"}
    assert set(profile.hooks) == {"enable_rule", "advance_clock"}
    assert profile.rules.all == ("rule_a", "rule_b", "rule_c", "rule_d")


@pytest.mark.parametrize(
    ("text", "environ", "parts"),
    [
        ("[target\n", None, ["is not TOML", "line 1, column 8"]),
        ("", None, ["target: is missing", "init"]),
        (SMALLEST.replace("base_url", "#"), None, ["target.base_url: is missing"]),
        ('[target]\nbase_url = "http://h"\n[credentials]\n', None, ["credentials: holds no credential", "key_env"]),
        (SMALLEST + "[limits]\nin_fligth = 3\n", None, ["limits.in_fligth: is not a key", "Did you mean in_flight?"]),
        ("timeout_seconds = 3\n" + SMALLEST, None, ["timeout_seconds: is not a key", "belongs under [limits]"]),
        (SMALLEST + "[limit]\n", None, ["limit: is not a key", "Did you mean limits?"]),
        (SMALLEST + 'key = "k"\n', None, ["credentials.full.key: is not a key", "key_env"]),
        (SMALLEST.replace(".full", ".ful"), None, ["credentials.ful:", "Did you mean full?"]),
        (
            SMALLEST.replace(".full", ".scope.LIST_RULE"),
            None,
            ["credentials.scope.LIST_RULE:", "Did you mean LIST_RULES?"],
        ),
        (SMALLEST + "[[accounts]]\nid = 3\n", None, ["accounts[0].id: expected text, got whole number"]),
        (SMALLEST + "[rules]\nwritable = 'rule_a'\n", None, ["rules.writable: expected list, got text"]),
        (SMALLEST + "[limits]\nin_flight = true\n", None, ["limits.in_flight: expected whole number"]),
        (SMALLEST + "[limits]\nin_flight = 0\n", None, ["limits.in_flight: expected whole number >= 1"]),
        (SMALLEST + "[limits]\nrequests_per_second = 0\n", None, ["limits.requests_per_second: expected number > 0"]),
        (SMALLEST + "[limits]\ntimeout_seconds = nan\n", None, ["limits.timeout_seconds: expected number > 0"]),
        (SMALLEST + "[limits]\ntimeout_seconds = inf\n", None, ["limits.timeout_seconds: expected number <="]),
        (SMALLEST + "[limits]\nsettle_seconds = -1\n", None, ["limits.settle_seconds: expected number >= 0"]),
        (SMALLEST.replace("http:", "ftp:"), None, ["target.base_url:", "not an absolute http or https URL"]),
        (
            SMALLEST.replace("http://127.0.0.1:9101", ""),
            None,
            ["target.base_url:", "not an absolute http or https URL"],
        ),
        (SMALLEST.replace(":9101", ":99999"), None, ["target.base_url:", "is not a URL"]),
        (SMALLEST.replace("/v1", "/v1?a=b"), None, ["target.base_url: has a query"]),
        (SMALLEST.replace("//", "//me:pw@"), None, ["target.base_url: holds a user name"]),
        (SMALLEST.replace("/v1", "/v 1"), None, ["target.base_url:", "characters that no URL has"]),
        (SMALLEST, {}, ["credentials.full.key_env:", "'RULES_KEY_FULL' is not set", "export RULES_KEY_FULL="]),
        (SMALLEST, {"RULES_KEY_FULL": ""}, ["credentials.full.key_env:", "'RULES_KEY_FULL' is empty"]),
        (SMALLEST, {"RULES_KEY_FULL": "key-1234\n"}, ["credentials.full.key_env:", "white space"]),
        (SMALLEST, {"RULES_KEY_FULL": "key-中"}, ["credentials.full.key_env:", "characters that no key has"]),
        (
            SMALLEST + '[credentials.revoked]\nkey_env = "RULES_KEY_FULL"\n',
            None,
            ["credentials.revoked: has the same key as credentials.full"],
        ),
        (SMALLEST + "[rules]\nwritable = ['a', 'a']\n", None, ["rules: 'a' stands there twice"]),
        (SMALLEST + "[rules]\nwritable = ['a']\nlimited = 'a'\n", None, ["rules: 'a' stands there twice"]),
        (SMALLEST + "[rules]\nwritable = ['a/b']\n", None, ["rules: 'a/b' is not a rule id"]),
        (SMALLEST + "[rules]\nwritable = ['..']\n", None, ["rules: '..' is not a rule id"]),
        (SMALLEST + "[[accounts]]\nid = 'a'\ntype = 'pods'\n", None, ["accounts[0].type: 'pods'", "Did you mean pod?"]),
        (
            SMALLEST + "[[accounts]]\nid = 'a'\ntype = 'pod'\n",
            None,
            ["accounts: no money can move between those that are listed", "List two"],
        ),
        (
            SMALLEST + "[[accounts]]\nid = 'a'\ntype = 'pod'\n[[other_org_accounts]]\nid = 'a'\ntype = 'pod'\n",
            None,
            ["accounts: 'a' stands there twice"],
        ),
        (SMALLEST + "[hooks]\nenable = { url = 'http://h' }\n", None, ["hooks.enable: is not a hook", "enable_rule"]),
        (SMALLEST + "[hooks]\nreset = {}\n", None, ["hooks.reset: needs either a url or a command"]),
        (SMALLEST + "[hooks]\nreset = { url = 'h' }\n", None, ["hooks.reset.url:", "not an absolute"]),
        (SMALLEST + "[hooks]\nreset = { url = 'http://h/{id}' }\n", None, ["unknown placeholder {id}", "rule_id"]),
        (SMALLEST + "[hooks]\nreset = { command = ['./none'] }\n", None, ["hooks.reset.command: there is no program"]),
        (
            SMALLEST + "[hooks]\nreset = { comand = ['a'] }\n",
            None,
            ["hooks.reset.comand: is not a key", "Did you mean command?"],
        ),
        (SMALLEST + "[readings]\n'reading.key-resue' = ['422']\n", None, ["is not a reading", "reading.key-reuse"]),
        (SMALLEST + "[readings]\n'reading.key-reuse' = ['423']\n", None, ["'423' is not an answer", "409"]),
        (SMALLEST + "[readings]\n'reading.key-reuse' = []\n", None, ["accepts nothing"]),
        (SMALLEST + "[gate]\nrequired = ['statsu.*']\n", None, ["gate.required: 'statsu.*' matches no requirement"]),
        (SMALLEST + "[limits]\nsettle_seconds = nan\n", None, ["limits.settle_seconds: expected number >= 0"]),
    ],
)
def test_a_wrong_profile_is_refused_with_place_and_remedy(
    tmp_path: Path, text: str, environ: dict[str, str] | None, parts: list[str]
) -> None:
    message = refusal(tmp_path, text, environ)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('headers = { authorization = "a" }', "target.headers.authorization: is a header that the harness sets"),
        ('headers = { "idempotency-key" = "a" }', "target.headers.idempotency-key: is a header that the harness sets"),
        ('headers = { "X A" = "a" }', "target.headers.X A: is not a header name"),
        ('headers = { "X-A" = "a\\nb" }', "target.headers.X-A: is not a header value"),
        ('headers = { "X-A" = 3 }', "target.headers.X-A: expected text"),
        ('headers = { "X-Token" = "sécret" }', "target.headers.X-Token: looks like a secret, but is not ASCII"),
        ('proxy = "socks5://127.0.0.1:1080"', "target.proxy: 'socks5"),
        ('proxy = "https://127.0.0.1:1080"', "target.proxy: 'https"),
        ('ca_bundle = "missing.pem"', "target.ca_bundle: cannot read certificates from"),
        ('ca_bundle = "staging.toml"', "target.ca_bundle: cannot read certificates from"),
    ],
)
def test_a_wrong_target_is_refused(tmp_path: Path, line: str, part: str) -> None:
    assert part in refusal(tmp_path, SMALLEST.replace("[credentials", f"{line}\n[credentials"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, part in ((tmp_path / "none.toml", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(UsageError, match=part) as caught:
            load(path, contract=CONTRACT, environ={})
        assert str(path) in str(caught.value)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xff\n")
    with pytest.raises(UsageError, match="not UTF-8 at byte 2"):
        load(path, contract=CONTRACT, environ={})


def test_options_stand_for_a_profile() -> None:
    profile, keyring = from_options(
        base_url="https://host.test/v1",
        key_env="MY_KEY",
        rules=["a", "b"],
        contract=CONTRACT,
        environ={"MY_KEY": "my-key-1"},
    )
    assert (profile.target.base_url, profile.rules.writable) == ("https://host.test/v1", ("a", "b"))
    assert keyring.secrets()["full"] == "my-key-1"


@pytest.mark.parametrize(
    ("base_url", "key_env", "part"),
    [
        ("host.test", "MY_KEY", "command line: --base-url: "),
        ("http://host.test", "NO_KEY", "command line: --key-env: "),
    ],
)
def test_wrong_options_are_named_as_options(base_url: str, key_env: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        from_options(base_url=base_url, key_env=key_env, rules=[], contract=CONTRACT, environ={"MY_KEY": "my-key-1"})
