"""Keys go out by reference; a record holds none of them, and says all the same what was there."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
import string
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_harness.harness.exchange import Answer, Episode, Exchange, Facts, Payload, Request
from rules_harness.harness.intent import Intent
from rules_harness.harness.journal import FoundRule
from rules_harness.harness.session.recorded import needed_keys
from rules_harness.harness.target.cleaning import Cleaner, UnknownKey
from rules_harness.harness.target.profile import SecretReference
from rules_harness.harness.target.secrets import Keyring
from rules_harness.harness.target.sightings import care
from rules_harness.strategies.keys import KeyForm, KeyReference

FULL = "sk_live_Zq7Xw2Rt9Lm4Vb6Nc8"
OTHER = "sk_live_Hj5Kd3Fs1Gp0Ya_-.~"
WORDY = "sk_scope_read_transfers_x1"
KEYS = {
    "full": FULL,
    "other_org": OTHER,
    "digits": "40718293645519",
    "short": "q1w2e3",
    "wordy": WORDY,
    "tiny": "demo1",
}
KEYRING = Keyring(KEYS, {"header:X-Token": "gateway-token-value"}, words={"disabled", "rule_a"})
CLEANER = Cleaner(KEYRING)

drawn_keys = st.text(string.ascii_letters + string.digits + "_-.~+/=*", min_size=16, max_size=60).filter(
    lambda key: care(key) == "every-form"
)
texts = st.text(st.characters(codec="utf-8") | st.sampled_from('{key:}|%\\"/'), max_size=40)


def percent(text: str) -> str:
    return "".join(f"%{character:02X}" for character in text.encode())


def escaped(text: str) -> str:
    return "".join(f"\\u{character:04x}" for character in text.encode())


def in_base64(before: str, after: str) -> Callable[[str], str]:
    return lambda key: base64.b64encode((before + key + after).encode()).decode()


def in_base64url(before: str, after: str) -> Callable[[str], str]:
    return lambda key: base64.urlsafe_b64encode((before + key + after).encode()).decode().rstrip("=")


edges = st.text(string.ascii_letters, max_size=5)
FORMS: list[Callable[[str], str]] = [
    str,
    str.lower,
    str.upper,
    str.swapcase,
    percent,
    escaped,
    lambda key: quote(key, safe=""),
    lambda key: key.replace("/", "\\/"),
    lambda key: key[::-1],
    lambda key: key.encode().hex(),
    lambda key: key.encode().hex().upper(),
    lambda key: key[:-1],
    lambda key: key + "0",
    lambda key: key[len(key) // 5 :],
    in_base64("", ":"),
    in_base64("u:", ""),
    in_base64("u", "x"),
    in_base64url("", ""),
]
encodings: st.SearchStrategy[Callable[[str], str]] = st.one_of(
    st.sampled_from(FORMS),
    st.builds(in_base64, edges, edges),
    st.builds(in_base64url, edges, edges),
    st.builds(lambda before, after: lambda key: percent(in_base64(before, after)(key)), edges, edges),
)


def exchange(request: Request, answer: Answer) -> Exchange:
    return Exchange(request, answer, Intent(), 0, 1)


def answer_of(text: str) -> Answer:
    return Answer(401, (("X-Echo", text),), Payload(text=json.dumps({"message": text})))


@pytest.mark.slow
@given(key=drawn_keys, around=st.tuples(texts, texts), encode=encodings)
def test_no_form_of_a_key_is_recorded_and_none_is_lost(
    key: str, around: tuple[str, str], encode: Callable[[str], str]
) -> None:
    cleaner = Cleaner(Keyring({"full": key}))
    text = around[0] + encode(key) + around[1]
    sent = exchange(Request("PUT", f"/rules/{text}", (), Payload(text=text)), answer_of(text))
    recorded = cleaner.recorded_exchange(sent)
    assert isinstance(recorded.outcome, Answer)
    written = msgspec.json.encode(recorded).decode()
    for form in FORMS[:12]:
        assert form(key) not in written
    recalled = cleaner.recalled(recorded)
    assert isinstance(recalled.outcome, Answer)
    assert recalled.request == sent.request
    assert recalled.outcome.headers == (("X-Echo", text),)
    assert recalled.outcome.json() == {"message": text}
    # What is compared compares as it did: a body that was sent, an answer to it, a state.
    recorded_text = cleaner.recorded_value({"message": text})
    assert recorded.outcome.json() == recorded_text
    assert cleaner.recalled_value(recorded_text) == {"message": text}


@given(
    value=st.recursive(texts | st.integers() | st.booleans(), lambda inner: st.dictionaries(texts, inner, max_size=3))
)
def test_values_without_a_key_come_back_whatever_they_resemble(value: object) -> None:
    assert CLEANER.recalled_value(CLEANER.recorded_value(value)) == value


@given(text=texts)
def test_text_without_a_key_is_printed_as_it_is(text: str) -> None:
    assert CLEANER.clean_text(text) == text
    assert CLEANER.clean_text(text.encode()) == text.encode()


@pytest.mark.parametrize("encode", [*FORMS[:3], *FORMS[4:11], *FORMS[14:]])
def test_whoever_reads_a_whole_key_is_told_of(encode: Callable[[str], str]) -> None:
    recorded = CLEANER.recorded_answer(answer_of(f"no {encode(OTHER)} here"))
    assert recorded.leaks == ("other_org",)
    assert recorded.object()["message"].startswith("no ")
    assert "{key:other_org" in recorded.object()["message"]


def test_each_key_that_leaked_is_told_once() -> None:
    recorded = CLEANER.recorded_answer(answer_of(f"{OTHER} {FULL} {FULL} q1w2e3 {WORDY} gateway-token-value"))
    assert recorded.leaks == ("full", "other_org", "short", "wordy")
    assert recorded.header("X-Echo") == (
        "{key:other_org} {key:full} {key:full} {key:short} {key:wordy} {key:header:X-Token}"
    )


@pytest.mark.parametrize("form", ["extended", "swapcase", "truncated"])
def test_a_deformed_key_is_nobodys(form: KeyForm) -> None:
    sent = KEYRING.text(KeyReference("full", "Authorization", "", form))
    recorded = CLEANER.recorded_answer(answer_of(f"unknown key {sent}!"))
    assert recorded.leaks == ()
    assert FULL[:20] not in str(recorded).swapcase()
    assert FULL[:20] not in str(recorded)


def test_a_made_up_key_is_no_leak() -> None:
    for form in ("", "basic"):
        text = KEYRING.text(KeyReference("unknown", "Authorization", "", form))
        assert CLEANER.recorded_answer(answer_of(text)).leaks == ()


@pytest.mark.parametrize(
    "text",
    [
        "Monthly savings transfer",
        "read_transfers",
        "sk_scope_read_transfers_x12",
        "xq1w2e3",
        "q1w2e3-4",
        "demo1",
        "Q1W2E3",
        FULL[:18],
        FULL[9:],
    ],
)
def test_what_resembles_a_key_is_left_alone(text: str) -> None:
    assert CLEANER.recorded_answer(answer_of(text)) == answer_of(text)
    assert CLEANER.clean_text(text) == text


def test_numbers_stay_numbers() -> None:
    state = {"amount": int(KEYS["digits"]), "account": KEYS["digits"]}
    recorded = CLEANER.recorded_value(state)
    assert recorded == {"amount": int(KEYS["digits"]), "account": "{key:digits}"}
    assert CLEANER.recalled_value(recorded) == state


def test_a_weak_key_that_is_a_word_of_the_target_is_not_looked_for() -> None:
    cleaner = Cleaner(Keyring({"full": "disabled", "limited": "rule_a"}, words={"disabled", "rule_a"}))
    answer = answer_of("rule_a is disabled")
    assert cleaner.recorded_answer(answer) is answer


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (FULL, "every-form"),
        ("3f9a0c12-77aa-4c1e-9b1d-0c1d2e3f4a5b", "every-form"),
        ("4eC39HqLyjWDarjtT1zdp7dc", "every-form"),
        (WORDY, "token"),
        ("transfer-bot-key1", "token"),
        ("12345678901234567890", "token"),
        ("Zq7Xw2Rt9Lm4Vb6", "token"),
        ("demo1", "none"),
        ("disabled", "none"),
    ],
)
def test_how_closely_a_key_is_looked_for(key: str, expected: str) -> None:
    assert care(key, {"disabled"}) == expected


def test_a_mark_is_told_from_text_that_looks_like_one() -> None:
    state = {"a": FULL, "b": "{key:full}", "c": "{key:other_org} {key:|}", "d": "{header:X-Token} {key"}
    recorded = CLEANER.recorded_value(state)
    assert recorded == {
        "a": "{key:full}",
        "b": "{key:|}full}",
        "c": "{key:|}other_org} {key:|}|}",
        "d": "{header:X-Token} {key",
    }
    assert CLEANER.recalled_value(recorded) == state


@pytest.mark.parametrize("mark", ["{key:limited}", "{key:full|rot13}", "{key:full|~zz}", "{key:short|~00000000001}"])
def test_what_no_key_of_this_process_stands_for_is_refused(mark: str) -> None:
    with pytest.raises(UnknownKey, match=re.escape(mark)):
        CLEANER.recalled_value({"a": mark})


def test_an_episode_is_recorded_whole_and_comes_back() -> None:
    request = Request("PUT", f"/rules/a?x={FULL}", (("X-A", FULL),), Payload.of(b"\xff" + FULL.encode()))
    sent = exchange(request, Answer(200, (("X-B", OTHER),), Payload(text=json.dumps({"data": {"n": FULL}}))))
    episode = Episode("a", "b", "c", (sent,), Facts(before={"rule_a": {"n": FULL}}))
    recorded = CLEANER.recorded(episode)
    assert FULL.encode() not in msgspec.json.encode(recorded)
    assert OTHER.encode() not in msgspec.json.encode(recorded)
    assert FULL.encode() not in (recorded.exchanges[0].request.body or Payload()).content
    assert recorded.facts.before == {"rule_a": {"n": "{key:full}"}}
    assert CLEANER.recalled(recorded.exchanges[0]) == sent


def test_a_state_may_be_nested_as_deeply_as_it_can_be_read() -> None:
    state = json.loads('{"a":' * 700 + f'"{FULL}"' + "}" * 700)
    recorded = CLEANER.recorded_value(state)
    assert FULL not in json.dumps(recorded)
    assert json.dumps(CLEANER.recalled_value(recorded)) == json.dumps(state)


def test_large_text_is_cleaned_too() -> None:
    text = "".join(f'{{"id": {number}}}' for number in range(20_000)) + FULL + "z" * 200_000 + FULL[:22]
    cleaned = CLEANER.clean_text(text)
    assert "{key:full}" in cleaned
    assert FULL[:20] not in cleaned


def test_a_reference_becomes_a_key() -> None:
    def text(form: KeyForm = "") -> str:
        return KEYRING.text(KeyReference("full", "Authorization", "ApiKey ", form))

    assert text() == f"ApiKey {FULL}"
    assert text("truncated") == f"ApiKey {FULL[:-1]}"
    assert text("extended")[:-1] == f"ApiKey {FULL}"
    assert text("swapcase") == f"ApiKey {FULL.swapcase()}"
    assert base64.b64decode(text("basic").removeprefix("ApiKey ")) == f"{FULL}:".encode()
    assert KEYRING.value(SecretReference("header:X-Token")) == "gateway-token-value"
    assert KEYRING.value("{key:full}") == "{key:full}"
    with pytest.raises(KeyError):
        KEYRING.text(KeyReference("revoked", "Authorization"))


def test_a_reference_applies_where_its_key_exists_and_differs() -> None:
    assert KEYRING.applicable(KeyReference("full", "Authorization", form="swapcase"))
    assert KEYRING.applicable(KeyReference("full", "Authorization"))
    assert not KEYRING.applicable(KeyReference("digits", "Authorization", form="swapcase"))
    assert not KEYRING.applicable(KeyReference("revoked", "Authorization"))
    assert not Keyring({"full": "a"}).applicable(KeyReference("full", "Authorization", form="truncated"))


@given(key=drawn_keys, seed=st.integers(0, 1000))
def test_the_made_up_key_is_like_a_real_one_and_nobodys(key: str, seed: int) -> None:
    unknown = KeyReference("unknown", "Authorization")
    made_up = Keyring({"full": key}).seeded(seed).text(unknown)
    assert made_up == Keyring({"full": key}, seed=seed).text(unknown)
    assert made_up != key
    assert len(made_up) >= len(key)
    assert re.sub(r"[A-Za-z0-9]", "x", made_up).startswith(re.sub(r"[A-Za-z0-9]", "x", key))


def test_a_keyring_shows_and_gives_away_nothing() -> None:
    assert repr(KEYRING) == "Keyring(full, other_org, digits, short, wordy, tiny)"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="stays in the process"):
            copied(KEYRING)


def test_a_key_that_another_run_renewed_is_the_present_one() -> None:
    """A run that was killed after its key changed is restored by one that knows the new key only."""
    first, second = "sk_live_the_first_of_two", "sk_live_the_second_of_two"
    sources = iter([second])
    renewing = Keyring({"full": first}, sources={"full": lambda: next(sources)})
    assert renewing.renew("full", first)
    recorded = Cleaner(renewing).recorded_value({"description": f"use {second}"})
    assert "full#2" in recorded["description"]
    found = FoundRule("rule_a", "full", recorded, enabled=False)
    assert needed_keys([found]) == {"full"}
    assert Cleaner(Keyring({"full": second})).recalled_value(recorded) == {"description": f"use {second}"}
