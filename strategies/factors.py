"""What an update can meet, as data: the factors whose values are crossed, and the rows in which they are."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rules_harness.openapi.contract import Contract
from rules_harness.strategies.design import Design, Factor, Row
from rules_harness.strategies.examples import Body
from rules_harness.strategies.shapes import is_kind

FIRST: Final = "first"
LATER_PART: Final = "later part"
LATER_MEMBER: Final = "later member"
USUAL: Final = "as in the page"

KEY: Final = Factor("key", ("absent", "fresh"))
REQUEST_ID: Final = Factor("request id", ("absent", "given"))
SPELLING: Final = Factor("spelling", ("compact", "spaced", "escaped", "reversed"))
MEMBER: Final = Factor("member", (FIRST, LATER_PART, LATER_MEMBER))
"""Whether what is odd stands in the first member of the first part, or behind rightful ones."""
DEPTH: Final = Factor("depth", ("1", "2", "4"))
"""How many levels of conditions are around what is odd."""
OUTSIDE: Final = (KEY, REQUEST_ID, SPELLING)
"""What any update can have, whatever it says."""

RULE: Final = Factor("left as", ("disabled", "enabled", "enabled again"))
"""What a human left the rule as; enabled again, after an update had disabled it."""
KEY_USED: Final = Factor("key", ("absent", "fresh", "repeated"))
REQUEST_ID_SEEN: Final = Factor("request id", ("absent", "given", "seen"))
"""Seen: an earlier request carried the same one."""
FOR_AN_ACCOUNT: Final = "a refusal for an account"
REFUSALS: Final = ("a refusal", FOR_AN_ACCOUNT)
BEFORE: Final = Factor("just before", ("nothing", *REFUSALS, "a replay"))
ONE_FIELD: Final = "one field"
CHANGES: Final = Factor("changes", ("nothing", ONE_FIELD, "order", "everything"))
"""What differs from what the rule holds."""
MARKER: Final = "the marker"
PARTS: Final = "the parts"
NOTE: Final = "the note"
CHANGED: Final = Factor("changed field", ("another", NOTE, PARTS, MARKER))
"""Which field it is where one differs: the text that marks a rule, its parts, its other text, or one that is none of
them."""
TEXTS: Final = Factor("texts", ("usual", "left out", "null", "long"))
"""What the client's free texts are: the note left out or null, where there is one, or all as long as must be taken."""
CLEARED: Final = ("left out", "null")
SAYS: Final = "says"
KIND: Final = "kind"
OWN: Final = "kind of the body"
INNER: Final = "kind within"


@functools.lru_cache(maxsize=16)
def updates_crossed(contract: Contract, kinds: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows for updates of a rule: every two values together, and every three of the rule's status, the key and what the
    body says; ``kinds`` are those of its fields and of the members of its parts, as shapes name them.

    Where one field changes, each that may meets every two values of the rule's status and of what the body says, as
    far as there are rows.
    """
    design = Design(
        of_updates(contract, kinds),
        triples=((RULE.name, KEY_USED.name, SAYS),),
        masking={KEY_USED.name: "repeated"},
        is_possible=is_possible,
    )
    changed = Design((CHANGED, RULE, _says(contract)), triples=((CHANGED.name, RULE.name, SAYS),))
    return tuple(
        changed.complete(row, [CHANGED.name]) if row[CHANGES.name] == ONE_FIELD else row for row in design.rows()
    )


def of_updates(contract: Contract, kinds: tuple[str, ...]) -> tuple[Factor, ...]:
    """The factors that are crossed for updates of a rule."""
    kind = Factor(KIND, (USUAL, *kinds))
    return (kind, RULE, KEY_USED, _says(contract), CHANGES, BEFORE, REQUEST_ID_SEEN, SPELLING, TEXTS)


def _says(contract: Contract) -> Factor:
    return Factor(SAYS, (contract.names.disabled, contract.names.enabled))


def is_possible(row: Row) -> bool:
    """A request that repeats another one says what that one said; one that leaves a text out changes what had one."""
    is_repeated, is_cleared = row.get(KEY_USED.name) == "repeated", row.get(TEXTS.name) in CLEARED
    changes = row.get(CHANGES.name)
    if changes is None:
        return not (is_repeated and is_cleared)
    return not (is_repeated if changes != "nothing" else is_cleared)


def is_own(kind: str) -> bool:
    """Whether a kind is that of a field of the body itself, not of one further down."""
    return kind.count("/") == 1


def bodies_crossed(bodies: Sequence[Body]) -> Iterator[tuple[Body, Row]]:
    """Bodies with circumstances, so that each kind of a field, and of a member of the parts, meets each of them; of
    several members the kind that is rarest here counts."""
    times = Counter(kind for body in bodies for kind in filter(is_kind, body.shapes))
    kinds = [kinds_of(body, times) for body in bodies]
    factors = (Factor(name, tuple(dict.fromkeys(kind[name] for kind in kinds))) for name in (OWN, INNER))
    design = Design((*factors, *OUTSIDE))
    for body, kind in zip(bodies, kinds, strict=True):
        yield body, design.complete(kind)


def kinds_of(body: Body, times: Mapping[str, int]) -> Row:
    """The kind of a field of a body and of a member of its parts, each the one that there is least often."""
    rarest = sorted(filter(is_kind, body.shapes), key=lambda kind: (times.get(kind, 0), kind))
    own = [kind for kind in rarest if is_own(kind)]
    inner = [kind for kind in rarest if not is_own(kind) and "/conditions" not in kind]
    return {OWN: next(iter(own), ""), INNER: next(iter(inner), "")}
