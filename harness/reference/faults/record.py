"""What is known about a fault."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One broken promise."""

    id: str
    """The family of the requirement, a dot and a name; the server's code asks for it under this id."""
    requirement: str
    """The requirement that it breaks."""
    sentence: str
    """That requirement's sentence."""
    summary: str
    """The mistake."""
    also: tuple[str, ...] = ()
    """Other requirements that cannot hold together with it."""


class Mistake(msgspec.Struct, frozen=True):
    """A fault without the promise that it breaks."""

    id: str
    summary: str
    also: tuple[str, ...] = ()


def breaking(requirement: str, sentence: str, *mistakes: Mistake) -> tuple[Fault, ...]:
    """The faults that break one requirement."""
    return tuple(Fault(each.id, requirement, sentence, each.summary, each.also) for each in mistakes)
