"""What the document promises (`x-requirements`) and what it leaves open (`x-readings`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal, cast, get_args

import msgspec

from rules_harness.openapi.document import member, pointer, texts
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.words import spoken

Level = Literal["must", "should", "reading"]
BasisKind = Literal["quotation", "standard", "safety", "inferred"]

_READING_PREFIX: Final = "reading."
_SENTENCES: Final = ("sentence", "question")
_BORROWED: Final = "the document lists no requirements; what is promised of updates elsewhere is taken for promised"


class Requirement(msgspec.Struct, frozen=True):
    """One promise of the contract."""

    id: str
    family: str
    level: Level
    """must fails the gate, should warns, reading means that the answer to a reading decides."""
    sentence: str
    basis_kind: BasisKind
    basis: str
    """A quotation of the documentation, the section of a standard, what is at stake, or from what it is inferred."""
    note: str | None
    """For what each level holds, where one level does not hold for everything."""


class Reading(msgspec.Struct, frozen=True):
    """A question that the documentation leaves open."""

    id: str
    question: str
    tokens: tuple[str, ...]
    """The answers there are, as profile and reports write them."""
    accepted: tuple[str, ...]
    """Those accepted where the profile does not say otherwise."""
    requirement: str
    """The requirement that an answer counts against when it is not accepted."""
    by_chance: str = ""
    """The answer that only says that another did not show, as chance will have it; beside that one it counts for
    nothing."""


class Promises(msgspec.Struct, frozen=True):
    """What a document promises and what it leaves open, by id, in its own order."""

    requirements: dict[str, Requirement]
    readings: dict[str, Reading]
    unpromised: dict[str, str]
    """What it cannot promise, because it has nothing that the requirement speaks of: why."""


def read_promises(
    document: Mapping[str, Any], capabilities: Collection[str], words: Mapping[str, str], *, elsewhere: bool = False
) -> Promises:
    """What a document promises, as far as it has what each requirement needs, in the words of what is judged.

    ``elsewhere``: it is promised of another document, so what is peculiar to this one is not said. Raises
    ContractError.
    """
    open_questions = _said(_entries(document, "x-readings"), words, elsewhere=elsewhere)
    ids = {entry["id"] for entry in open_questions.values()}
    entries = _said(_entries(document, "x-requirements"), words, elsewhere=elsewhere)
    lacking = {entry["id"]: _lacking(place, entry, capabilities) for place, entry in entries.items()}
    every = {entry["id"]: _requirement(place, entry, ids) for place, entry in entries.items()}
    readings = [_reading(place, entry, every) for place, entry in open_questions.items()]
    return Promises(
        requirements={id: requirement for id, requirement in every.items() if not lacking[id]},
        readings={reading.id: reading for reading in readings if not lacking[reading.requirement]},
        unpromised={
            id: f"nothing in the document is its {' or '.join(needs)}" for id, needs in lacking.items() if needs
        },
    )


def borrowed(promises: Promises) -> Promises:
    """The promises of another document, for one that lists none: nothing that the other one says is quoted."""
    return msgspec.structs.replace(
        promises,
        requirements={
            id: msgspec.structs.replace(requirement, basis_kind="inferred", basis=_BORROWED)
            if requirement.basis_kind in ("quotation", "inferred")
            else requirement
            for id, requirement in promises.requirements.items()
        },
    )


def _said(
    entries: Mapping[str, Mapping[str, Any]], words: Mapping[str, str], *, elsewhere: bool
) -> dict[str, dict[str, Any]]:
    """The entries as they are said of a document; what is quoted stays as it is."""
    said = {}
    for place, entry in entries.items():
        instead = {
            name: entry["elsewhere"] for name in _SENTENCES if elsewhere and "elsewhere" in entry and name in entry
        }
        said[place] = {name: _worded(name, value, words) for name, value in {**entry, **instead}.items()}
    return said


def _worded(name: str, value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return spoken(value, words)
    if name in ("basis", "note") and isinstance(value, dict):
        return {kind: text if kind == "quotation" else _worded(kind, text, words) for kind, text in value.items()}
    return value


def _lacking(place: str, entry: Mapping[str, Any], capabilities: Collection[str]) -> list[str]:
    """What a requirement needs (`needs`) and the document has not."""
    if "needs" not in entry:
        return []
    needs = texts(entry, "needs", place, remedy="list the roles and companions that it speaks of")
    return [need for need in needs if need not in capabilities]


def _entries(document: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The entries of one of the two lists by place, each with an id that no other entry has."""
    remedy = "start from a copy of the packaged rules.yaml, which has it"
    entries: dict[str, dict[str, Any]] = {}
    ids: set[str] = set()
    for index, entry in enumerate(member(document, name, list, "", remedy=remedy)):
        place = pointer(name, index)
        identity = member(entry, "id", str, place, remedy="give the entry an id such as update.replaces")
        if identity in ids:
            raise ContractError(
                place + "/id", f"the id {identity!r} stands here a second time", "give each entry an id of its own"
            )
        ids.add(identity)
        entries[place] = entry
    return entries


def _requirement(place: str, entry: Mapping[str, Any], readings: set[str]) -> Requirement:
    identity: str = entry["id"]
    family, dot, rest = identity.partition(".")
    if not (family and dot and rest):
        raise ContractError(place + "/id", f"{identity!r} names no family", "write it as family.name")
    level = member(entry, "level", str, place, remedy="say must, should or reading")
    if level not in get_args(Level):
        raise ContractError(place + "/level", f"{level!r} is not a level", "say must, should or reading")
    basis = member(entry, "basis", dict, place, remedy="say what the requirement rests on")
    match list(basis.items()):
        case [(kind, str(text))] if kind in get_args(BasisKind):
            return Requirement(
                id=identity,
                family=family,
                level=cast(Level, level),
                sentence=member(entry, "sentence", str, place, remedy="say what is required"),
                basis_kind=cast(BasisKind, kind),
                basis=text,
                note="; ".join(_notes(place, entry, readings)) or None,
            )
    raise ContractError(place + "/basis", "not one basis", f"give one of {', '.join(get_args(BasisKind))}, with a text")


def _notes(place: str, entry: Mapping[str, Any], readings: set[str]) -> Iterator[str]:
    """For what each level holds: `must for 401`."""
    if "note" not in entry:
        return
    place += "/note"
    for level, scope in member(entry, "note", dict, place, remedy="map each level to what it holds for").items():
        if level not in get_args(Level) and level not in readings:
            raise ContractError(
                place + pointer(level),
                f"{level!r} is neither a level nor a reading",
                "say must, should or a reading's id",
            )
        if not isinstance(scope, str):
            raise ContractError(place + pointer(level), f"{scope!r} is not text", "say what the level holds for")
        yield f"{level} for {scope}"


def _reading(place: str, entry: Mapping[str, Any], requirements: Mapping[str, Requirement]) -> Reading:
    identity: str = entry["id"]
    if not identity.startswith(_READING_PREFIX):
        raise ContractError(place + "/id", f"{identity!r} is not a reading's id", f"write it as {_READING_PREFIX}name")
    tokens = texts(entry, "tokens", place, remedy="list the answers there are")
    accepted = texts(entry, "accepted", place, remedy="list the answers that are accepted by default")
    for index, token in enumerate(accepted):
        if token not in tokens:
            raise ContractError(
                f"{place}/accepted/{index}", f"{token!r} is none of the tokens", f"use one of {', '.join(tokens)}"
            )
    requirement = member(
        entry, "requirement", str, place, remedy="name the requirement that other answers count against"
    )
    if requirement not in requirements:
        raise ContractError(
            place + "/requirement", f"there is no requirement {requirement!r}", "name one of x-requirements"
        )
    by_chance = entry.get("by-chance", "")
    if by_chance and by_chance not in tokens:
        raise ContractError(
            place + "/by-chance", f"{by_chance!r} is none of the tokens", f"use one of {', '.join(tokens)}"
        )
    return Reading(
        id=identity,
        question=member(entry, "question", str, place, remedy="ask the question"),
        tokens=tokens,
        accepted=accepted,
        requirement=requirement,
        by_chance=by_chance,
    )
