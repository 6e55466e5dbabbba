"""Keys that are escaped or folded: found in whatever spelling, and put back exactly so."""

from __future__ import annotations

import base64
import html
import json
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_harness.harness.exchange import Answer, Payload
from rules_harness.harness.target.cleaning import Cleaner, UnknownKey
from rules_harness.harness.target.escapes import Units
from rules_harness.harness.target.secrets import Keyring

FULL = "sk_live_Zq7Xw2Rt9Lm4Vb6Nc8"
SIGNS = "Hj5Kd3Fs1Gp0Ya+&/=<Zz9Qq>;!"
PERCENT = "ab%41cd%5Fef9Gh8Jk7Lm6Np5&amp;q"
WEAK = "q1w2e3"
KEYS = {"full": FULL, "signs": SIGNS, "percent": PERCENT, "weak": WEAK}
CLEANER = Cleaner(Keyring(KEYS))


def each(form: str) -> Callable[[str], str]:
    """Every character of a key in one form."""
    return lambda key: "".join(form.format(ord(character)) for character in key)


def folded(width: int, between: str) -> Callable[[str], str]:
    return lambda key: between.join(textwrap.wrap(key, width))


def twice(inner: Callable[[str], str], outer: Callable[[str], str]) -> Callable[[str], str]:
    return lambda key: outer(inner(key))


def in_base64(key: str) -> str:
    return base64.b64encode(f"user:{key}".encode()).decode()


hexadecimal, percent = each("&#x{:02x};"), each("%{:02X}")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "entity": hexadecimal,
    "entity, upper": each("&#X{:04X};"),
    "entity, decimal": each("&#{};"),
    "entity, padded": each("&#0{};"),
    "entity, open": lambda key: f"{each('&#x{:x}')(key)} ",
    "entity of entity": twice(hexadecimal, html.escape),
    "entity in URL": twice(hexadecimal, percent),
    "entity, ampersand as JSON": lambda key: hexadecimal(key).replace("&", "\\u0026"),
    "escape": each("\\x{:02x}"),
    "escape, upper": each("\\x{:02X}"),
    "escape, octal": each("\\{:03o}"),
    "escape, braces": each("\\u{{{:x}}}"),
    "escape, long": each("\\U{:08x}"),
    "JSON in JSON": lambda key: json.dumps(json.dumps(each("\\u{:04x}")(key))),
    "old percent": each("%u{:04x}"),
    "percent, twice": twice(percent, lambda text: text.replace("%", "%25")),
    "percent of percent": twice(percent, percent),
    "percent, thrice": twice(percent, lambda text: text.replace("%", "%2525")),
    "folded": folded(10, "\n"),
    "folded header": folded(7, "\r\n "),
    "folded, as JSON": folded(10, "\\n"),
    "folded, as JSON of JSON": folded(10, "\\\\r\\\\n"),
    "folded base64": twice(in_base64, folded(8, "\r\n")),
    "folded base64 in URL": twice(twice(in_base64, folded(8, "\n")), percent),
    "backwards, folded": lambda key: folded(10, "\n\t")(key[::-1]),
    "UTF-16": lambda key: "\0".join(key) + "\0",
    "UTF-16, big": lambda key: "\0" + "\0".join(key),
    "UTF-16, entities": lambda key: "\0".join(hexadecimal(key)),
}


def answer_of(text: str) -> Answer:
    return Answer(401, (("X-Echo", text),), Payload(text=json.dumps({"message": text})))


@pytest.mark.parametrize("key", [FULL, SIGNS])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_key_is_recorded_and_none_is_lost(spelling: str, key: str) -> None:
    spelled = SPELLINGS[spelling](key)
    text = f"no <{spelled}> here"
    answer = answer_of(text)
    recorded = CLEANER.recorded_answer(answer)
    assert recorded.leaks == (("full",) if key == FULL else ("signs",))
    message = recorded.object()["message"]
    assert spelled[1:-1] not in message
    assert {units.lower() for units in (Units(message).plain, Units(message).plain[::-1])}.isdisjoint({key.lower()})
    assert "{key:" in message
    assert CLEANER.recalled_value(recorded.json()) == answer.json()
    assert spelled.strip() not in CLEANER.clean_text(text)
    raw = Answer(200, (), Payload(text=f"<p>{spelled}</p>"))
    assert CLEANER.recorded_answer(raw).leaks == recorded.leaks


@given(around=st.tuples(st.text(max_size=9), st.text(max_size=9)), spelling=st.sampled_from(sorted(SPELLINGS)))
def test_what_stands_around_a_key_is_kept(around: tuple[str, str], spelling: str) -> None:
    state = {"note": around[0] + SPELLINGS[spelling](FULL) + around[1]}
    assert CLEANER.recalled_value(CLEANER.recorded_value(state)) == state


pieces = st.sampled_from([*"&#x;%\\u0123\n\r\t\0 ", "%25", "&amp;", "\\\\", FULL[:12], FULL[12:], WEAK, "{key:", "|}"])


@given(text=st.lists(pieces, max_size=40).map("".join))
def test_whatever_it_resembles_comes_back_or_is_refused(text: str) -> None:
    recorded = CLEANER.recorded_value({"note": text})
    try:
        recalled = CLEANER.recalled_value(recorded)
    except UnknownKey:
        return
    assert recalled == {"note": text}


@pytest.mark.parametrize(
    "content",
    [f"no {FULL} here".encode("utf-16"), f"no {FULL} here".encode("utf-32-be"), f"\xff{FULL}".encode("utf-16-le")],
)
def test_text_of_two_and_four_bytes_a_character(content: bytes) -> None:
    recorded = CLEANER.recorded_answer(Answer(401, (), Payload.of(content)))
    assert recorded.leaks == ("full",)
    assert FULL.encode() not in recorded.body.content.replace(b"\0", b"")


@pytest.mark.parametrize("text", [f"\nsee\n{WEAK}\nthere", f"see\\n{WEAK}\\nthere", f"&quot;{WEAK}&quot;"])
def test_a_word_on_a_line_of_its_own_stands_alone(text: str) -> None:
    assert CLEANER.recorded_answer(answer_of(text)).leaks == ("weak",)


@pytest.mark.parametrize("text", [f"{FULL}\n1", f"{SIGNS}\n= 3", f"\n{FULL}\r\n0"])
def test_what_begins_the_next_line_does_not_belong_to_a_key(text: str) -> None:
    recorded = CLEANER.recorded_answer(answer_of(text))
    assert len(recorded.leaks) == 1
    assert "~" not in recorded.object()["message"]


@pytest.mark.parametrize("text", ["q1w\n2e3", "xq1w2e3", "q1w2e3\\x41", "{&#113;1w2e4}", "q1 w2 e3"])
def test_what_only_resembles_a_word_is_left_alone(text: str) -> None:
    assert CLEANER.recorded_answer(answer_of(text)) == answer_of(text)


def test_a_key_that_looks_escaped_itself_is_found() -> None:
    for text in (PERCENT, f"a\n{PERCENT}", hexadecimal(PERCENT)):
        recorded = CLEANER.recorded_answer(answer_of(text))
        assert recorded.leaks == ("percent",)
        assert CLEANER.recalled_value(recorded.json()) == {"message": text}


def test_more_spellings_than_a_mark_lists_take_several() -> None:
    key = "".join(f"{number:x}Zq" for number in range(20, 44))
    cleaner = Cleaner(Keyring({"full": key}))
    varied = "".join(
        "&" + "amp;" * (number // 21 % 3) + ("#x", "#X", "#")[number // 7 % 3] + "0" * (number % 7) + code + ";"
        for number, code in ((at, f"{ord(sign):{'d' if at // 7 % 3 == 2 else 'x'}}") for at, sign in enumerate(key))
    )
    recorded = cleaner.recorded_value({"note": varied})
    assert str(recorded).count("{key:full|:") == 3
    assert cleaner.recalled_value(recorded) == {"note": varied}


def test_a_spelling_that_no_record_can_say_is_not_guessed() -> None:
    text = hexadecimal(FULL[:-1]) + percent(each("\\x{:02x}")(each("%{:02x}")(FULL[-1])))
    recorded = CLEANER.recorded_value({"note": text})
    assert Units(str(recorded)).characters.count(FULL[-5:]) == 0
    with pytest.raises(UnknownKey, match="no record can say"):
        CLEANER.recalled_value(recorded)
