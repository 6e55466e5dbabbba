"""Text by classes: what people type, and what breaks back ends.

`CLASSES` names samples of each. How odd a text is decides what a target may do with it: plain text is accepted as
the page's own, ordinary text should be, everything else is a question to the target (`features`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from hypothesis import strategies as st

PLAIN: Final = (
    *(
        "Monthly savings",
        "Rent",
        "Taxes 2031",
        "Emergency fund",
        "Car, insurance",
        "A",
        "Payroll split no. 2",
        "Vacation - summer",
    ),
    *("Holiday gifts", "x" * 64),
)
ORDINARY: Final = (
    "Épargne du mois",
    "Überweisung Miete",
    "Ahorro para el niño",
    "家賃",
    "貯金 2031",
    "Сбережения",
    "Αποταμίευση",
)
BRIEF: Final = ("RENT", "SAVINGS", "TAX 2031", "PAY")
"""Plain text for fields whose limits nobody documents; bank statements carry ten characters."""

CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "plain": PLAIN,
    "ordinary": ORDINARY,
    "empty": ("",),
    "white-space-at-ends": (" leading", "trailing ", " ", "\ttab and line\n", "\u00a0no-break\u00a0", "\u3000"),
    "combining": ("e\u0301pargne", "n\u0303", "Z\u0351\u036b\u0343a\u0328\u0321l\u0322\u0321g\u0335\u0321o\u0336"),
    "beyond-bmp": ("💸", "rent 🏠", "𝒮𝒶𝓋𝒾𝓃𝑔𝓈", "👨\u200d👩\u200d👧", "🇵🇹"),
    "right-to-left": ("שכר דירה", "إيجار", "\u202etfel ot thgir\u202c", "mixed עברית text"),
    "very-long": ("x" + "é" * 300, "long " * 60 + "end", "é" * 128, "long " * 2_000 + "end"),
    "look-alikes": ("Rеnt", "ＲＥＮＴ", "re\u200bnt", "ﬁne", "\ufeffrent", "І"),
    "quotes": ('"', "'", "it's", 'say "rent"', "\\", "\\u0041", "`", "Mum’s “rent” «»"),
    "markup": (
        "<b>rent</b>",
        "<script>alert(1)</script>",
        "&amp;",
        "]]>",
        "<!--",
        "{{7*7}}",
        "${7*7}",
        "$$ and $& and $1",
    ),
    "sql": ("'; DROP TABLE users; --", "' OR '1'='1", "1); --", "LIKE '%_'"),
    "percent": ("100%", "%s%n", "%00", "%41", "%", "%25"),
    "white-space-inside": ("two  spaces", "tab\tinside"),
    "control": (
        *("two\nlines", "two\r\nlines", "carriage\rreturn", "\u001b[31mred", "\u007f", "\u2028", "next\u0085line"),
    ),
    "nul": ("nul\u0000inside", "\u0000"),
    "words": ("007", "2027-01-01T00:00:00+02:00", "1e3", "0", "null", "undefined", "true", "NaN", "-1e999"),
}
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ,.\-]{0,62}[A-Za-z0-9.])?")
_MOST_ORDINARY: Final = 64
"""Characters; no page gives a limit, and a back end that has one has it above this."""


def any_text(*, min_size: int = 0, max_size: int | None = None) -> st.SearchStrategy[str]:
    """Every text of so many characters, surrogates aside (UTF-8 has none), with the samples of every class among
    them."""
    fitted = [_fitted(sample, min_size, max_size) for samples in CLASSES.values() for sample in samples]
    samples = sorted(dict.fromkeys(fitted), key=len)
    # Left to itself, Hypothesis takes seconds to find out which characters UTF-8 has, wherever it has no folder yet.
    encodable = st.characters(exclude_categories=["Cs"])
    return st.text(encodable, min_size=min_size, max_size=max_size) | st.sampled_from(samples)


def _fitted(sample: str, min_size: int, max_size: int | None) -> str:
    while len(sample) < min_size:
        sample += (sample or "x")[: min_size - len(sample)]
    return sample if max_size is None else sample[:max_size]


def is_plain(text: str) -> bool:
    """Up to 64 ASCII letters, digits, commas, full stops and hyphens, with spaces between them only."""
    return _PLAIN.fullmatch(text) is not None


def is_ordinary(text: str) -> bool:
    """What people of one language call a transfer: up to 64 letters of one script, digits and plain punctuation, in
    composed form."""
    if not 0 < len(text) <= _MOST_ORDINARY or text != text.strip() or unicodedata.normalize("NFKC", text) != text:
        return False
    letters = [char for char in text if char.isalpha()]
    if not all(char in " ,.-" or char.isdecimal() or (char.isalpha() and char <= "\uffff") for char in text):
        return False
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in letters}
    return len(scripts) <= 1 and all(unicodedata.bidirectional(char) == "L" for char in letters)


def features(text: str) -> frozenset[str]:
    """The open questions that storing this text asks; none for ordinary text."""
    if not text.strip():
        return frozenset({"blank-text" if text else "empty-text"})
    names = set()
    if "\u0000" in text:
        names.add("nul-text")
    if text != text.strip():
        names.add("untrimmed-text")
    if not names and not is_ordinary(text):
        names.add("exotic-text")
    return frozenset(names)


EXOTIC: Final = tuple(sample for samples in CLASSES.values() for sample in samples if features(sample))
