"""What counts as this machine, and what as production."""

from __future__ import annotations

import pytest

from rules_harness.harness.target.profile import Profile, Target
from rules_harness.openapi.contract import load

CONTRACT = load()


def at(base_url: str, proxy: str | None = None) -> Profile:
    return Profile(target=Target("any", base_url, proxy=proxy), credentials={})


@pytest.mark.parametrize(
    ("base_url", "proxy", "expected"),
    [
        ("http://127.0.0.1:9101/api", None, True),
        ("http://127.9.8.7", None, True),
        ("http://[::1]:80", None, True),
        ("http://[::ffff:127.0.0.1]", None, True),
        ("http://LOCALHOST.", None, True),
        ("http://localhost", "http://localhost:3128", True),
        ("http://localhost", "http://{proxy:login}@proxy.test:3128", False),
        ("http://localhost.example.test", None, False),
        ("http://0.0.0.0", None, False),
        ("http://10.0.0.1", None, False),
        ("http://[::2]", None, False),
        ("https://127.0.0.1.nip.test", None, False),
    ],
)
def test_loopback_is_what_never_leaves_the_machine(base_url: str, proxy: str | None, expected: bool) -> None:
    assert at(base_url, proxy).is_loopback is expected


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.getsequence.io/api/v1", True),
        ("https://API.GetSequence.io.:8443/api/v1", True),
        ("http://api.getsequence.io", True),
        ("https://api%2Egetsequence.io", True),
        ("https://api%252egetsequence.io", True),
        ("https://%61%70%69.getsequence.io%2E/api/v1", True),
        ("https://user:word@api.getsequence.io..", True),
        ("https://api。getsequence｡io", True),
        ("https://api%E3%80%82getsequence%EF%BD%A1io", True),
        ("https://ａｐｉ．ｇｅｔｓｅｑｕｅｎｃｅ．ｉｏ", True),
        ("https://%EF%BD%81pi.getsequence.io", True),
        ("https://api.get\u00adsequence.io", True),
        ("https://api.getse%C2%ADquence.io:443", True),
        ("https://ⓐpi.getsequence.io", True),
        ("https://api.getsequence.io\\.test", True),
        ("https://api%2Dgetsequence.io", False),
        ("https://staging.getsequence.io", False),
        ("https://api.getsequence.io.test", False),
    ],
)
def test_production_is_known_by_its_host(base_url: str, expected: bool) -> None:
    assert at(base_url).is_production(CONTRACT) is expected


def test_a_proxy_at_the_production_host_is_production() -> None:
    assert at("http://staging.test", "http://api%2Egetsequence.io").is_production(CONTRACT)


def test_a_spelling_of_loopback_is_not_loopback() -> None:
    assert not at("http://loc%61lhost").is_loopback
