"""Bodies that are not one JSON object: empty, cut, malformed at each kind of token, or another value altogether."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.examples import inert
from rules_harness.strategies.requests.wire import OddRequest, Token, encoded, is_json, tokens
from rules_harness.strategies.world import World

_MARK: Final = "harness-marked-text"

_INSIDE: Final = ("name", "string", "literal")
_LEFT_OUT: Final = ("name", "colon", "comma", "open-brace", "close-brace", "open-bracket", "close-bracket")
_VALUES: Final = ("string", "number", "literal")

_NUMBERS: Final = (
    ("nan", "NaN"),
    ("infinity", "Infinity"),
    ("negative-infinity", "-Infinity"),
    ("leading-zero", "01"),
    ("hexadecimal", "0x1"),
    ("octal", "0o1"),
    ("plus", "+1"),
    ("point-after", "1."),
    ("point-before", ".5"),
    ("exponent-without-digits", "1e"),
    ("two-signs", "--1"),
    ("underscore", "1_0"),
    ("suffix", "1n"),
    ("full-width-digit", "１"),
)
_LITERALS: Final = (
    ("capital", "Null"),
    ("upper-case", "NULL"),
    ("python", "None"),
    ("javascript", "undefined"),
    ("true-capital", "True"),
    ("unknown", "maybe"),
    ("cut", "nul"),
)
_STRINGS: Final = (
    ("single-quotes", f"'{_MARK}'"),
    ("back-quotes", f"`{_MARK}`"),
    ("typographic-quotes", f"“{_MARK}”"),
    ("without-quotes", _MARK),
    ("without-end", f'"{_MARK}'),
    ("bad-escape", f'"{_MARK}\\x41"'),
    ("bad-unicode-escape", f'"{_MARK}\\u00zz"'),
    ("short-unicode-escape", f'"{_MARK}\\u00"'),
    ("newline", f'"{_MARK}\n"'),
    ("tab", f'"{_MARK}\t"'),
    ("nul", f'"{_MARK}\x00"'),
    ("concatenated", f'"{_MARK}" + "x"'),
)
_NAMES: Final = (
    ("without-quotes", "{}"),
    ("single-quotes", "'{}'"),
    ("number", "1"),
    ("null", "null"),
)
_AROUND: Final = (
    ("comment-line", "// harness\n", ""),
    ("comment-block", "/* harness */", ""),
    ("comment-hash", "# harness\n", ""),
    ("comment-after", "", " // harness"),
    ("text-after", "", " harness"),
    ("semicolon-after", "", ";"),
    ("comma-after", "", ","),
    ("nul-after", "", "\x00"),
    ("brace-after", "", "}"),
    ("value-before", "{} ", ""),
    ("value-after", "", " {}"),
    ("line-before", "null\n", ""),
    ("record-separator", "\x1e", "\n"),
    ("function-call", "callback(", ")"),
    ("hijacking-prefix", ")]}',\n", ""),
    ("form-name", "data=", ""),
    ("form-feed-before", "\f", ""),
    ("no-break-space-before", "\u00a0", ""),
)
_NO_OBJECTS: Final = (
    ("empty-array", "[]"),
    ("string", '"harness"'),
    ("empty-string", '""'),
    ("number", "1"),
    ("null", "null"),
    ("true", "true"),
    ("false", "false"),
)
_BLANK: Final = (("empty", ""), ("space", " "), ("white-space", " \t\r\n"))


def syntax_bodies(contract: Contract, world: World) -> tuple[OddRequest, ...]:
    """Every way in which a body is not a JSON object (`validation.syntax`), each made from one inert body."""
    names = contract.names
    text = encoded({**inert(contract, world).value, **dict.fromkeys(names.texts), names.marker: _MARK})
    made = (
        *((f"blank-{name}", content) for name, content in _BLANK),
        *_cut(text),
        *_misspelt(text),
        *_malformed(text),
        *_unknown(text),
        *((name, before + text + after) for name, before, after in _AROUND),
    )
    return (
        *(_odd(name, content) for name, content in made if not is_json(content.encode())),
        *(_odd(f"no-object-{name}", content) for name, content in _NO_OBJECTS),
        _odd("no-object-array", f"[{text}]"),
        _odd("no-object-text", encoded(text)),
    )


def _cut(text: str) -> Iterator[tuple[str, str]]:
    """The text up to the first token of each kind, that token included, and up to the middle of one."""
    for kind, token in _first_of_each_kind(text).items():
        yield f"cut-after-{kind}", text[: token.end]
        if kind in _INSIDE:
            yield f"cut-inside-{kind}", text[: (token.start + token.end) // 2]
    yield "cut-before-end", text[:-1]
    yield "cut-inside-escape", text[: text.index(_MARK) + len(_MARK)] + "\\u00"


def _misspelt(text: str) -> Iterator[tuple[str, str]]:
    """The text with one token spelt as JSON does not spell it."""
    first = _first_of_each_kind(text)
    marked = encoded(_MARK)
    for name, spelling in _STRINGS:
        yield f"string-{name}", text.replace(marked, spelling, 1)
    for kind, spellings in (("number", _NUMBERS), ("literal", _LITERALS)):
        if kind in first:
            for name, spelling in spellings:
                yield f"{kind}-{name}", _with(text, first[kind], spelling)
    for name, template in _NAMES:
        bare = text[first["name"].start + 1 : first["name"].end - 1]
        yield f"name-{name}", _with(text, first["name"], template.format(bare))


def _unknown(text: str) -> Iterator[tuple[str, str]]:
    """What is no JSON in a property that nobody listed, and that a reader may pass over."""
    for name, spelling in (_NUMBERS[0], _NUMBERS[2], _NUMBERS[3], _LITERALS[3], _STRINGS[0]):
        yield f"unknown-{name}", f'{{"harness_unknown_property":{spelling},{text[1:]}'


def _malformed(text: str) -> Iterator[tuple[str, str]]:
    """The text without, and with a second, token of each kind, and with one mark in another's place."""
    for kind, token in _first_of_each_kind(text).items():
        spelling = text[token.start : token.end]
        if kind in _LEFT_OUT or kind in _VALUES:
            yield f"without-{kind}", _with(text, token, "")
        yield f"twice-{kind}", _with(text, token, f"{spelling} {spelling}")
    first = _first_of_each_kind(text)
    for name, kind, mark in (
        ("equals-sign", "colon", "="),
        ("arrow", "colon", "=>"),
        ("semicolon", "comma", ";"),
        ("bracket-for-brace", "close-brace", "]"),
        ("brace-for-bracket", "close-bracket", "}"),
        ("parenthesis", "open-brace", "("),
        ("comma-first", "open-brace", "{,"),
        ("comma-last-in-object", "close-brace", ",}"),
        ("comma-last-in-array", "close-bracket", ",]"),
    ):
        if kind in first:
            yield name, _with(text, first[kind], mark)


def _first_of_each_kind(text: str) -> dict[str, Token]:
    first: dict[str, Token] = {}
    for token in tokens(text):
        first.setdefault(token.kind, token)
    return first


def _with(text: str, token: Token, spelling: str) -> str:
    return text[: token.start] + spelling + text[token.end :]


def _odd(name: str, content: str) -> OddRequest:
    return OddRequest(
        name=f"syntax:{name}",
        requirement="validation.syntax",
        expect="refused",
        detail=f"the body is not a JSON object: {name.replace('-', ' ')}",
        body=content.encode(),
    )
