"""Keys go out by reference, and whatever comes back or is written holds none of them."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_harness.harness.target.cleaning import FRAGMENT, Cleaner
from rules_harness.harness.target.secrets import Keyring

FULL = "sk_live_Zq7Xw2Rt9Lm4Vb6Nc8"
OTHER = "sk_live_Hj5Kd3Fs1Gp0Ya_-.~"
KEYS = {"full": FULL, "other_org": OTHER, "digits": "40718293645519", "short": "q1w2e3"}
KEYRING = Keyring(KEYS, {"{header:X-Token}": "gateway-token-value"})
CLEANER = Cleaner(KEYRING)

KEY_CHARACTERS = string.ascii_letters + string.digits + "_-.~+/=*"
keys = st.text(KEY_CHARACTERS, min_size=FRAGMENT, max_size=60)


def percent(text: str) -> str:
    return "".join(f"%{character:02X}" for character in text.encode())


def escaped(text: str) -> str:
    return "".join(f"\\u{character:04x}" for character in text.encode())


def in_base64(before: str, after: str) -> Callable[[str], str]:
    return lambda key: base64.b64encode((before + key + after).encode()).decode()


def in_base64url(before: str, after: str) -> Callable[[str], str]:
    return lambda key: base64.urlsafe_b64encode((before + key + after).encode()).decode().rstrip("=")


edges = st.text(string.ascii_letters, max_size=5)
encodings: st.SearchStrategy[Callable[[str], str]] = st.one_of(
    st.sampled_from(
        [
            str,
            str.lower,
            str.upper,
            percent,
            escaped,
            lambda key: quote(key, safe=""),
            lambda key: key.replace("/", "\\/"),
        ]
    ),
    st.builds(in_base64, edges, edges),
    st.builds(in_base64url, edges, edges),
    st.builds(lambda before, after: lambda key: percent(in_base64(before, after)(key)), edges, edges),
)


def has_fragment(text: str, key: str) -> bool:
    text, key = text.lower(), key.lower()
    return any(key[start : start + FRAGMENT] in text for start in range(len(key) - FRAGMENT + 1))


@given(key=keys, around=st.tuples(st.text(max_size=40), st.text(max_size=40)), encode=encodings)
def test_no_echo_of_a_key_is_written(key: str, around: tuple[str, str], encode: Callable[[str], str]) -> None:
    cleaner = Cleaner(Keyring({"full": key}))
    text = around[0] + encode(key) + around[1]
    cleaned, _ = cleaner.clean_answer(text.encode())
    written = cleaner.clean_text(cleaned.decode())
    assert encode(key) not in written
    assert not has_fragment(written, key)
    assert written == cleaner.clean_text(text)


@given(key=keys, cut=st.data(), around=st.tuples(st.text(max_size=40), st.text(max_size=40)))
def test_no_fragment_of_a_key_is_written(key: str, cut: st.DataObject, around: tuple[str, str]) -> None:
    start = cut.draw(st.integers(0, len(key) - FRAGMENT))
    end = cut.draw(st.integers(start + FRAGMENT, len(key)))
    text = around[0] + key[start:end].swapcase() + around[1]
    assert not has_fragment(Cleaner(Keyring({"full": key})).clean_text(text), key)


@given(text=st.text())
def test_text_without_a_key_stays_as_it_is(text: str) -> None:
    assert CLEANER.clean_text(text) == text
    assert CLEANER.clean_text(text.encode("utf-8", "surrogatepass")) == text.encode("utf-8", "surrogatepass")
    assert CLEANER.clean_answer(text.encode("utf-8", "surrogatepass"))[1] == ()


@pytest.mark.parametrize(
    "encode",
    [
        str,
        str.lower,
        str.upper,
        percent,
        escaped,
        in_base64("", ":"),
        in_base64("u:", ""),
        in_base64("u", "x"),
        in_base64url("", ""),
    ],
)
def test_a_whole_key_in_an_answer_is_replaced_and_reported(encode: Callable[[str], str]) -> None:
    cleaned, leaks = CLEANER.clean_answer(f'{{"message": "no {encode(OTHER)} here"}}'.encode())
    assert leaks == ("other_org",)
    assert b"{key:other_org}" in cleaned
    assert json.loads(cleaned)["message"].startswith("no ")


def test_each_key_that_leaked_is_reported_once() -> None:
    cleaned, leaks = CLEANER.clean_answer(f"{OTHER} {FULL} {FULL} q1w2e3 gateway-token-value".encode())
    assert sorted(leaks) == ["full", "other_org", "short"]
    assert cleaned == b"{key:other_org} {key:full} {key:full} {key:short} {header:X-Token}"


@pytest.mark.parametrize("form", ["extended", "swapcase"])
def test_a_deformed_key_is_replaced_but_nobodys(form: str) -> None:
    reference = f"{{key:full|{form}}}"
    assert CLEANER.clean_answer(f"unknown key {KEYRING.resolve(reference)}!".encode()) == (
        f"unknown key {reference}!".encode(),
        (),
    )


def test_a_truncated_or_made_up_key_is_no_leak() -> None:
    for reference in ("{key:full|truncated}", "{key:unknown}", "{key:unknown|basic}"):
        assert CLEANER.clean_answer(KEYRING.resolve(reference).encode())[1] == ()


def test_a_fragment_is_masked_at_its_length() -> None:
    assert CLEANER.clean_text(f"a {FULL[9:20]} b") == "a *********** b"
    assert CLEANER.clean_text(f"a {FULL[9:16]} b") == f"a {FULL[9:16]} b"


def test_digits_stay_digits_so_that_json_stays_json() -> None:
    text = json.dumps({"n": int(KEYS["digits"][:10]), "s": "x" + KEYS["digits"][3:12]})
    cleaned = json.loads(CLEANER.clean_text(text))
    assert cleaned == {"n": 1111111111, "s": "x111111111"}


def test_a_key_of_equal_characters_is_masked_by_others() -> None:
    cleaner = Cleaner(Keyring({"full": "1" * 12, "limited": "*" * 12}))
    assert cleaner.clean_text(f"{'1' * 9} {'*' * 9}") == f"{'2' * 9} {'#' * 9}"


def test_references_survive_even_where_they_resemble_a_key() -> None:
    cleaner = Cleaner(Keyring({"trigger_only": "trigger_only-0123", "full": FULL}))
    text = "ApiKey {key:trigger_only} {key:trigger_only|truncated} {key:unknown} trigger_only"
    assert cleaner.clean_text(text) == text.removesuffix("trigger_only") + "************"


def test_large_text_is_cleaned_too() -> None:
    text = "".join(f'{{"id": {number}}}' for number in range(20_000)) + FULL + "z" * 200_000 + FULL[:12]
    cleaned = CLEANER.clean_text(text)
    assert "{key:full}" in cleaned
    assert not has_fragment(cleaned, FULL)


def test_references_become_keys_where_a_request_leaves() -> None:
    assert KEYRING.resolve("ApiKey {key:full}") == f"ApiKey {FULL}"
    assert KEYRING.resolve("{key:full|truncated}") == FULL[:-1]
    assert KEYRING.resolve("{key:full|extended}")[:-1] == FULL
    assert KEYRING.resolve("{key:full|swapcase}") == FULL.swapcase()
    assert base64.b64decode(KEYRING.resolve("{key:full|basic}")) == f"{FULL}:".encode()
    assert KEYRING.resolve("{header:X-Token} {} {key}") == "gateway-token-value {} {key}"
    assert Keyring({"full": "a+b/c=d8"}).resolve_target("/rules/a?key={key:full}") == "/rules/a?key=a%2Bb%2Fc%3Dd8"
    assert KEYRING.resolve_body(b'{"k": "{key:full}", "x": "\xff"}') == b'{"k": "%s", "x": "\xff"}' % FULL.encode()
    for missing in ("{key:revoked}", "{key:full|doubled}"):
        with pytest.raises(KeyError):
            KEYRING.resolve(missing)


def test_a_reference_applies_where_its_key_exists_and_differs() -> None:
    assert KEYRING.applicable("ApiKey {key:full|swapcase}")
    assert KEYRING.applicable("no reference at all")
    assert not KEYRING.applicable("ApiKey {key:digits|swapcase}")
    assert not KEYRING.applicable("ApiKey {key:revoked}")
    assert not KEYRING.applicable("{key:full} {key:full|doubled}")
    assert not Keyring({"full": "a"}).applicable("{key:full|truncated}")


@given(key=keys, seed=st.integers(0, 1000))
def test_the_made_up_key_is_like_a_real_one_and_nobodys(key: str, seed: int) -> None:
    made_up = Keyring({"full": key}).seeded(seed).resolve("{key:unknown}")
    assert made_up == Keyring({"full": key}, seed=seed).resolve("{key:unknown}")
    assert made_up != key
    assert len(made_up) >= len(key)
    assert re.sub(r"[A-Za-z0-9]", "x", made_up).startswith(re.sub(r"[A-Za-z0-9]", "x", key))


def test_a_keyring_shows_and_gives_away_nothing() -> None:
    assert repr(KEYRING) == "Keyring(full, other_org, digits, short)"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in the process"):
            copied(KEYRING)
