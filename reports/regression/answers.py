"""What the target answers differently to the same kinds of input, even where both answers are allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from rules_harness.reports.regression.fields import parent
from rules_harness.reports.regression.model import AnswerChange, Answers, Change, FieldChange
from rules_harness.reports.regression.traffic import InputTally, Kind
from rules_harness.reports.text import line

_SORTS: tuple[Answers, ...] = ("successes", "errors")


def common_kinds(base: Mapping[Kind, InputTally], head: Mapping[Kind, InputTally]) -> tuple[Kind, ...]:
    """The kinds of input that both runs sent; the rest was not selected, or not possible, in one of them."""
    return tuple(kind for kind in base if kind in head)


def answer_changes(
    common: Sequence[Kind], base: Mapping[Kind, InputTally], head: Mapping[Kind, InputTally]
) -> Iterator[AnswerChange]:
    """The kinds whose statuses or error codes have changed, those that changed alike together.

    Where BASE and HEAD have an answer in common nothing is told: of a target that answers one kind in two ways a run
    may see either.
    """
    changed: dict[AnswerChange, dict[str, None]] = {}
    for kind in common:
        before, after = base[kind].answers, head[kind].answers
        if before.isdisjoint(after):
            change = AnswerChange(
                before=tuple(line(answer) for answer in sorted(before)),
                after=tuple(line(answer) for answer in sorted(after)),
                operation=line(kind.operation),
                caller=line(kind.caller),
                existence=kind.existence,
                body=kind.body,
                kinds=(),
            )
            changed.setdefault(change, {})[line(kind.name)] = None
    for change, names in changed.items():
        yield msgspec.structs.replace(change, kinds=tuple(names))


def field_changes(
    common: Sequence[Kind], base: Mapping[Kind, InputTally], head: Mapping[Kind, InputTally]
) -> Iterator[FieldChange]:
    """The fields that the server put into answers by itself in one run only.

    Only the same kinds of input are compared, and only where the object around the field was there in both runs.  What
    the client sent is left out: whether that comes back is a question of requirements and readings.
    """
    for operation in dict.fromkeys(kind.operation for kind in common):
        kinds = [kind for kind in common if kind.operation == operation]
        for sort in _SORTS:
            yield from _in_one_only(kinds, base, head, operation, sort, "vanished")
            yield from _in_one_only(kinds, head, base, operation, sort, "appeared")


def _in_one_only(
    kinds: Sequence[Kind],
    having: Mapping[Kind, InputTally],
    lacking: Mapping[Kind, InputTally],
    operation: str,
    sort: Answers,
    change: Change,
) -> Iterator[FieldChange]:
    """The fields that answers of one run have and none of the other's."""
    kinds = [kind for kind in kinds if having[kind].places.get(sort) and lacking[kind].places.get(sort)]
    elsewhere = {place for kind in kinds for place in lacking[kind].unsent[sort]}
    counts: dict[str, int] = {}
    for kind in kinds:
        others = lacking[kind].places[sort]
        for place in having[kind].unsent[sort] - others - elsewhere:
            if not parent(place) or parent(place) in others:
                counts[place] = counts.get(place, 0) + 1
    for place, count in sorted(counts.items()):
        yield FieldChange(operation, sort, line(place), change, count)
