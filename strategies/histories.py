"""Histories: lists of steps with symbolic references ("the replay of step 2"), drawn here, executed by the harness.

A history names no rule, no key and no body: it says which body of several a step carries (by number) and which earlier
step it refers to.  So one history can be sent to any rule, again and again, and be made smaller step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from hypothesis import strategies as st

BODIES = 4
"""How many different bodies a history may name."""
STEPS = 8
SIMULTANEOUS = 6

Passing = Literal["a-while", "inside", "outside"]
"""How far a clock move takes a key: into its window, almost to the window's end, or past it."""
Keys = Literal["one", "own", "none"]


class Update(msgspec.Struct, frozen=True, tag_field="step", omit_defaults=True):
    """A valid update; ``keyed`` gives it a new key, ``enabled`` lets its body say the enabled state."""

    body: int = 0
    keyed: bool = False
    enabled: bool = False


class Broken(msgspec.Struct, frozen=True, tag_field="step", omit_defaults=True):
    """An update that must be refused; ``wrong`` is a number that the harness takes for one of its broken bodies."""

    wrong: int = 0
    keyed: bool = False


class Replay(msgspec.Struct, frozen=True, tag_field="step"):
    """The very request of step ``of`` again."""

    of: int


class Reuse(msgspec.Struct, frozen=True, tag_field="step"):
    """The key of step ``of`` with another body."""

    of: int
    body: int


class Stranger(msgspec.Struct, frozen=True, tag_field="step", omit_defaults=True):
    """An update by whoever may not, with the key of step ``of`` or without one; ``caller`` is a number as ``wrong``."""

    caller: int = 0
    body: int = 0
    of: int | None = None


class Enable(msgspec.Struct, frozen=True, tag_field="step"):
    """The operator enables the rule."""


class Clock(msgspec.Struct, frozen=True, tag_field="step"):
    """The target's clock is moved."""

    by: Passing


class Read(msgspec.Struct, frozen=True, tag_field="step"):
    """The rule is read."""


class Together(msgspec.Struct, frozen=True, tag_field="step", omit_defaults=True):
    """Updates that are released at one moment, with ``reads`` reads among them.

    ``keys`` says whether all carry one key, each its own, or none does.
    """

    bodies: tuple[int, ...]
    keys: Keys = "none"
    reads: int = 0


Step = Update | Broken | Replay | Reuse | Stranger | Enable | Clock | Read | Together
History = tuple[Step, ...]


class Abilities(msgspec.Struct, frozen=True):
    """What can be done to a target: what it takes to enable rules, move clocks, be somebody else, send at once."""

    enable: bool = False
    clock: bool = False
    strangers: bool = True
    together: bool = False


def histories(abilities: Abilities) -> st.SearchStrategy[History]:
    """Histories in which every reference leads to an earlier step that has a key.

    They shrink toward few steps, the first body and the least reference.  Simultaneous requests come last: what a
    rule holds after them is one of several things.
    """
    return st.lists(_step(abilities), min_size=1, max_size=STEPS).map(consistent)


def consistent(steps: Sequence[Step]) -> History:
    """The steps with each reference bent to an earlier step with a key, and those left out that there is none for."""
    kept: list[Step] = []
    keyed: list[int] = []
    for step in steps:
        mended = _mended(step, keyed)
        if mended is None:
            continue
        if isinstance(mended, Update | Broken) and mended.keyed:
            keyed.append(len(kept))
        kept.append(mended)
        if isinstance(mended, Together):
            break
    return tuple(kept) or (Read(),)


def _mended(step: Step, keyed: Sequence[int]) -> Step | None:
    if isinstance(step, Replay | Reuse):
        return msgspec.structs.replace(step, of=keyed[step.of % len(keyed)]) if keyed else None
    if isinstance(step, Stranger) and step.of is not None:
        return msgspec.structs.replace(step, of=keyed[step.of % len(keyed)] if keyed else None)
    return step


def _step(abilities: Abilities) -> st.SearchStrategy[Step]:
    body = st.integers(0, BODIES - 1)
    reference = st.integers(0, STEPS - 1)
    choice = st.integers(0, 2**16)
    steps: list[st.SearchStrategy[Step]] = [
        st.builds(Update, body, st.just(True)),
        st.builds(Update, body, st.booleans(), st.booleans()),
        st.builds(Replay, reference),
        st.builds(Reuse, reference, body),
        st.just(Read()),
        st.builds(Broken, choice, st.booleans()),
    ]
    if abilities.strangers:
        steps.append(st.builds(Stranger, choice, body, st.none() | reference))
    if abilities.enable:
        steps += [st.just(Enable()), st.just(Enable())]
    if abilities.clock:
        steps += [st.builds(Clock, st.sampled_from(("a-while", "inside", "outside")))]
    if abilities.together:
        bodies = st.lists(body, min_size=2, max_size=SIMULTANEOUS).map(tuple)
        steps.append(st.builds(Together, bodies, st.sampled_from(("one", "own", "none")), st.integers(0, 2)))
    return st.one_of(steps)
