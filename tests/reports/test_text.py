from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from rules_harness.harness.exchange import Payload
from rules_harness.reports.text import LINE_LIMIT, counted, duration, excerpt, indented, line, visible

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_that_cannot_be_seen_is_left(text: str) -> None:
    assert not [character for character in visible(text) if unicodedata.category(character) in HIDDEN]


def test_control_direction_and_tag_characters_become_escapes() -> None:
    assert visible("a\x00b\x1b[31m\x7f\u202egnp\u2028\U000e0041") == "a␀b␛[31m␡\\u202egnp\\u2028\\U000e0041"


def test_line_breaks_stay_in_a_block_only() -> None:
    assert visible("a\n\tb\r", block=True) == "a\n\tb␍"
    assert visible("a\n\tb") == "a␊␉b"


def test_towers_of_combining_marks_are_taken_down() -> None:
    assert visible("e\u0301\u0302\u0303\u0304") == "e\u0301\u0302\u0303\\u0304"


def test_long_lines_are_cut_and_say_so() -> None:
    assert line("x" * LINE_LIMIT) == "x" * LINE_LIMIT
    assert line("x" * 1500, 1000) == "x" * 1000 + "… (500 more characters)"


def test_json_is_indented_with_its_tokens_as_they_were_sent() -> None:
    text = '{"a": 1.0,"a":[1e400, NaN,"\\u202e",{}],"b":"{,}"}'
    shown = indented(text)
    assert shown is not None
    assert "".join(shown.split()) == "".join(text.split())
    assert shown.splitlines()[1:3] == ['  "a": 1.0,', '  "a": [']


def test_what_is_no_json_is_not_indented() -> None:
    assert indented("{") is None
    assert indented("[" * 10_000 + "]" * 10_000) is None


def test_excerpt_of_megabytes_is_short_and_tells_the_size() -> None:
    shown = excerpt(Payload(text='{"nickname":"' + "x" * 2**20 + '","z":1}'), 2000)
    assert not shown.whole
    assert len(shown.text) < 4100
    assert "more characters" in shown.text
    many_lines = excerpt(Payload(text="\n" * 10**6), 2000)
    assert many_lines.text.endswith("… (cut: the whole body has 1,000,000 bytes)")


def test_excerpt_of_bytes_that_are_no_text_says_so() -> None:
    assert excerpt(Payload.of(b"\xff\xfe"), 2000).text == "(2 bytes that are not UTF-8, in base64)\n//4="


def test_numbers_and_times_read_well() -> None:
    assert [counted(1, "finding"), counted(1204, "finding")] == ["1 finding", "1,204 findings"]
    times = [0.00004, 0.0123, 6.2, 250, 7260]
    assert [duration(seconds) for seconds in times] == ["40 µs", "12.3 ms", "6.2 s", "4 min 10 s", "2 h 1 min"]
