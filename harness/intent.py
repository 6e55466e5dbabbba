"""What a request was meant to be, known where it was made.

Whether a request is valid is decided once, there, and never guessed again from its bytes.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

import msgspec

from rules_harness.strategies.place import Standing

Access = Literal["allowed", "unauthenticated", "no-permission", "outside-resources", "other-organization", "open"]
Operation = Literal["update", "read", "trigger", "other"]
Existence = Literal["own", "unknown", "foreign", "odd"]
BodyKind = Literal["none", "valid", "open", "broken", "syntax", "encoding", "media-type", "size", "foreign-account"]
Acceptance = Literal["must", "should", "open"]
Level = Literal["must", "should"]
RequestIdKind = Literal["none", "plain", "hostile"]
Window = Literal["", "within", "beyond"]
GroupBodies = Literal["", "equal", "distinct"]
Purpose = Literal["probe", "setup", "read", "replay", "restore", "contain", "trigger"]


class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request was meant to be, known where it was made.

    Each field is one dimension; the answers that the contract allows follow from all of them together.
    """

    purpose: Purpose = "probe"
    operation: Operation = "update"
    caller: str = "full"
    """The credential by name, or what is wrong with it (``full|truncated``, ``none``, ``bearer``)."""
    access: Access = "allowed"
    rule: str = ""
    existence: Existence = "own"
    body: BodyKind = "none"
    acceptance: Acceptance = "must"
    """How firmly the contract says that an update with a valid or open body is accepted."""
    label: str = ""
    """What is special about this request, in a few words: the name of a mutation, a raw body, an odd id or a hostile
    request id, or what it comes after. Requests of one label, place and caller are alike."""
    place: str = ""
    """Where in the body something is odd, as `places_of` names it."""
    mutation: str = ""
    """The kind of the mutation that was done there, such as ``type:string``."""
    boundary: str = ""
    """What schemathesis calls the boundary case that was made there, such as ``incorrect_type``."""
    open_feature: str = ""
    """The one feature of an otherwise plausible body that the documentation leaves open, such as ``exotic-text``."""
    shapes: tuple[str, ...] = ()
    """The shapes of a plausible body, as `shapes_of` names them."""
    foreign_account: str = ""
    """The id of another organization's account that the body names."""
    requirement: str = ""
    """The requirement that the odd part of this request exercises, where it is one only."""
    reading: str = ""
    standing: Standing = "documented"
    """Whether the page shows the place."""
    level: Level = "must"
    """How firmly the contract says that what is odd here is refused, were its place documented."""
    key: str | None = None
    """The Idempotency-Key as sent; ``None`` without the header."""
    repeats: int | None = None
    """The position in the episode of the request whose key this one carries again."""
    request_id_kind: RequestIdKind = "none"
    """Whether the request carries an id of the client's, and whether that is one that a target may alter."""
    window: Window = ""
    """For a repeated key: whether the target's clock has passed the 24 hours since its first use."""
    group: int | None = None
    """Requests of one group were released together."""
    group_bodies: GroupBodies = ""
    """Whether the requests of a group that share a key share their body too."""
    factors: tuple[str, ...] = ()
    """What this request met of what is crossed (`strategies.factors`), such as ``key=fresh``."""
    case: str = ""
    """The case of its scenario that it belongs to, by name; empty where it belongs to all of them."""

    @property
    def violation(self) -> str:
        """How the body is broken at its place, whoever thought of it; empty where nothing is broken on purpose."""
        return f"boundary:{self.boundary}" if self.boundary else self.mutation

    def but(self, **changes: Unpack[IntentFields]) -> Intent:
        """The same with some fields changed."""
        return msgspec.structs.replace(self, **changes)


class Meaning(TypedDict, total=False):
    """Fields of an `Intent`: those that a scenario alone knows, as keywords that a type checker holds it to."""

    purpose: Purpose
    operation: Operation
    access: Access
    existence: Existence
    body: BodyKind
    acceptance: Acceptance
    label: str
    place: str
    mutation: str
    boundary: str
    open_feature: str
    shapes: tuple[str, ...]
    foreign_account: str
    requirement: str
    reading: str
    standing: Standing
    level: Level
    repeats: int | None
    request_id_kind: RequestIdKind
    window: Window
    group_bodies: GroupBodies
    factors: tuple[str, ...]


class IntentFields(Meaning, total=False):
    """All fields of an `Intent`."""

    caller: str
    rule: str
    key: str | None
    group: int | None
    case: str
