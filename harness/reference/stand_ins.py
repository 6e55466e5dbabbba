"""What stands in for a step of the server: a fault, which breaks a promise, or a variant, which the contract allows.

Each is one function, which takes the step as it would be without it (`usual`), and then what the step takes. To add a
fault is to write one such function, or one line of `short`, in the file of its family, under its requirement; what
several of them need stands below (`crash_if`, `then`, ...) and in `effects`.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar, TypeVarTuple

import msgspec

from rules_harness.harness.reference import errors
from rules_harness.harness.reference.messages import Crashed, Refused
from rules_harness.harness.reference.validation.values import Node

Ts = TypeVarTuple("Ts")
R = TypeVar("R")
Later = Callable[[Callable[[*Ts], Coroutine[Any, Any, R]], *Ts], Coroutine[Any, Any, R]]


class StandIn(msgspec.Struct, frozen=True):
    """A function that stands in for a step."""

    id: str
    """For a fault the family of its requirement, a dot and a name."""
    summary: str
    """What the server does then, in one sentence."""
    step: Callable[..., Any]
    function: Callable[..., Any]


class PlantedFault(StandIn, frozen=True):
    """An honest mistake, which breaks one promise."""

    requirement: str
    """The requirement that it breaks."""
    also: tuple[str, ...] = ()
    """Other requirements that cannot hold together with it."""


class Variant(StandIn, frozen=True):
    """Other behaviour that the contract allows."""

    allowed_by: str
    """The reading, the requirement or the section of the contract that leaves it open."""
    group: str
    """Variants of one group exclude each other."""
    warns: tuple[str, ...] = ()
    """Requirements whose *should* does not hold with it."""


class Planting(Generic[R, *Ts]):
    """Where a function stands in: put it over a function whose docstring is the summary, or call `short`."""

    def __init__(self, put: Callable[[str, Callable[..., Any]], None]) -> None:
        self._put = put

    def __call__(self, function: Callable[[Callable[[*Ts], R], *Ts], R]) -> None:
        self._put(inspect.getdoc(function) or "", function)

    def short(self, summary: str, function: Callable[[Callable[[*Ts], R], *Ts], R]) -> None:
        """Let a function of one line stand in."""
        self._put(summary, function)


class Breaking:
    """Adds the faults that break one requirement to those of its family."""

    def __init__(self, family: list[PlantedFault], requirement: str, *also: str) -> None:
        self._family = family
        self._requirement = requirement
        self._also = also

    def __call__(self, id: str, step: Callable[[*Ts], R], *also: str) -> Planting[R, *Ts]:
        """The place of a fault, with further requirements that cannot hold together with it."""

        def put(summary: str, function: Callable[..., Any]) -> None:
            broken = (self._requirement, (*self._also, *also))
            self._family.append(PlantedFault(id, summary, step, function, *broken))

        return Planting(put)


class Variants:
    """Variants, in the order in which they are written."""

    def __init__(self) -> None:
        self.listed: list[Variant] = []

    def __call__(
        self, id: str, allowed_by: str, step: Callable[[*Ts], R], *, group: str = "", warns: tuple[str, ...] = ()
    ) -> Planting[R, *Ts]:
        """The place of a variant; its group is what stands before the last dot of its id, unless another is named."""

        def put(summary: str, function: Callable[..., Any]) -> None:
            own_group = group or id.rpartition(".")[0]
            self.listed.append(Variant(id, summary, step, function, allowed_by, own_group, warns))

        return Planting(put)


def crash_if(condition: Callable[[*Ts], object]) -> Callable[[Callable[[*Ts], R], *Ts], R]:
    """A stand-in that fails with a 500 under a condition."""

    def stand_in(usual: Callable[[*Ts], R], *args: *Ts) -> R:
        if condition(*args):
            raise Crashed
        return usual(*args)

    return stand_in


def refuse_if(
    condition: Callable[[*Ts], object], refusal: Callable[[*Ts], Refused]
) -> Callable[[Callable[[*Ts], R], *Ts], R]:
    """A stand-in that refuses under a condition."""

    def stand_in(usual: Callable[[*Ts], R], *args: *Ts) -> R:
        if condition(*args):
            raise refusal(*args)
        return usual(*args)

    return stand_in


def refuse_node(condition: Callable[[Node], object], complaint: str) -> Callable[[Callable[[Node], R], Node], R]:
    """A stand-in that refuses a place of the body under a condition."""
    return refuse_if(condition, lambda node: errors.invalid(f"{node.pointer} {complaint}"))


def changed(
    change: Callable[[R, *Ts], R],
) -> Later[*Ts, R]:
    """A stand-in that makes something else of what the step gives."""

    async def stand_in(usual: Callable[[*Ts], Coroutine[Any, Any, R]], *args: *Ts) -> R:
        return change(await usual(*args), *args)

    return stand_in


def then(
    effect: Callable[[*Ts], Awaitable[object] | None],
) -> Later[*Ts, R]:
    """A stand-in that does something besides, where the step succeeds."""

    async def stand_in(usual: Callable[[*Ts], Coroutine[Any, Any, R]], *args: *Ts) -> R:
        result = await usual(*args)
        if (done := effect(*args)) is not None:
            await done
        return result

    return stand_in


def on_refusal(
    effect: Callable[[Refused, *Ts], Awaitable[object] | None],
) -> Later[*Ts, R]:
    """A stand-in that does something besides, where the step refuses; what that raises takes the refusal's place."""

    async def stand_in(usual: Callable[[*Ts], Coroutine[Any, Any, R]], *args: *Ts) -> R:
        try:
            return await usual(*args)
        except Refused as refused:
            if (done := effect(refused, *args)) is not None:
                await done
            raise

    return stand_in
