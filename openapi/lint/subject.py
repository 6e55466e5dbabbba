"""An operation with what belongs to it, each part where the document has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from rules_harness.openapi.document import at, located, pointer
from rules_harness.openapi.errors import ContractError
from rules_harness.openapi.operations import Described, operations

_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+")


class Piece(NamedTuple):
    """A mapping of the document, and its place."""

    place: str
    node: Mapping[str, Any]

    def text(self) -> str:
        """Its description, in one line per paragraph."""
        description = self.node.get("description")
        return description if isinstance(description, str) else ""


class Subject(msgspec.Struct, frozen=True):
    """One operation."""

    document: Mapping[str, Any]
    operation: Described

    def follow(self, node: Any, place: str) -> Piece:
        """The mapping that `node` is or refers to; an empty one where it is none."""
        place, target = located(self.document, node, place)
        if not isinstance(target, dict):
            return Piece(place, {})
        beside = {name: value for name, value in node.items() if name != "$ref"} if "$ref" in node else {}
        return Piece(place, {**target, **beside} if beside else target)

    def under(self, part: Piece, name: str) -> Piece:
        """What a part has under a name, references followed."""
        return self.follow(part.node.get(name), part.place + pointer(name))

    @property
    def part(self) -> Piece:
        """The operation itself."""
        return Piece(self.operation.place, self.operation.node)

    def parameters(self) -> Iterator[Piece]:
        """Those of the path, then the operation's own."""
        path = self.operation.place.rpartition("/")[0]
        for outer in (Piece(path, at(self.document, path)), self.part):
            entries = outer.node.get("parameters")
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                yield self.follow(entry, outer.place + pointer("parameters", index))

    def responses(self) -> dict[str, Piece]:
        """The answers by status, as the document writes it."""
        answers = self.under(self.part, "responses")
        return {status: self.under(answers, status) for status in answers.node}

    def media(self, part: Piece) -> Iterator[Piece]:
        """What a body or an answer may look like, one for each media type."""
        content = self.under(part, "content")
        yield from (self.under(content, name) for name in content.node)

    def bodies(self) -> Iterator[Piece]:
        """The media of the request's body and of all answers."""
        yield from self.media(self.under(self.part, "requestBody"))
        for answer in self.responses().values():
            yield from self.media(answer)

    def examples(self, media: Piece) -> Iterator[tuple[str, Any]]:
        """The examples of a medium or a parameter with their places; what stands elsewhere is left out."""
        if "example" in media.node:
            yield media.place + "/example", media.node["example"]
        named = media.node.get("examples")
        for name, entry in named.items() if isinstance(named, dict) else ():
            example = self.follow(entry, media.place + pointer("examples", name))
            if "value" in example.node:
                yield example.place + "/value", example.node["value"]

    def fields(self, schema: Piece) -> dict[str, Piece]:
        """The properties of a schema by name, those of the schemas that it is put together from included."""
        fields: dict[str, Piece] = {}
        for part in self.composed(schema):
            properties = self.under(part, "properties")
            fields |= {name: self.under(properties, name) for name in properties.node if name not in fields}
        return fields

    def composed(self, schema: Piece) -> Iterator[Piece]:
        """A schema and the schemas that it is put together from, each once."""
        waiting, seen = [schema], set()
        while waiting:
            part = waiting.pop()
            if part.place in seen:
                continue
            seen.add(part.place)
            yield part
            for kind in ("allOf", "oneOf", "anyOf"):
                inner = part.node.get(kind)
                for index, entry in enumerate(inner if isinstance(inner, list) else ()):
                    waiting.append(self.follow(entry, part.place + pointer(kind, index)))

    def roles(self, schema: Piece) -> dict[str, Piece]:
        """The properties of a schema that have a role (`x-role`), by role, each with its name as `title`."""
        fields = self.fields(schema).items()
        return {
            role: Piece(field.place, {**field.node, "title": name})
            for name, field in fields
            if isinstance(role := field.node.get("x-role"), str)
        }

    def all_fields(self, schema: Piece, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Piece]]:
        """The properties of a schema and of all schemas below it, each place once."""
        if schema.place in seen:
            return
        seen |= {schema.place}
        for name, field in self.fields(schema).items():
            yield name, field
            yield from self.all_fields(field, seen)
            yield from self.all_fields(self.under(field, "items"), seen)

    def valued(self, schema: Piece, value: Any) -> Iterator[tuple[str, Piece, Any]]:
        """The properties of a value, and of all values below it, with what their schemas say."""
        if isinstance(value, list):
            items = self.under(schema, "items")
            for entry in value:
                yield from self.valued(items, entry)
        elif isinstance(value, dict):
            for name, field in self.fields(schema).items():
                if name in value:
                    yield name, field, value[name]
                    yield from self.valued(field, value[name])

    def prose(self) -> Iterator[tuple[Piece, str]]:
        """Each sentence that the operation, its parameters and its request say, and where."""
        for part in (self.part, *self.parameters(), self.under(self.part, "requestBody")):
            for sentence in _SENTENCE.split(part.text()):
                if sentence.strip():
                    yield part, sentence.strip()


def subjects(document: Mapping[str, Any], operation: str | None) -> list[Subject]:
    """The operation with this operationId, or all. Raises `ContractError` where there is none."""
    every = [Subject(document, subject) for subject in operations(document)]
    if operation is None:
        return every
    chosen = [subject for subject in every if subject.operation.node.get("operationId") == operation]
    if not chosen:
        known = ", ".join(sorted(str(subject.operation.node.get("operationId")) for subject in every)[:20]) or "none"
        raise ContractError("/paths", f"no operation has the operationId {operation!r}", f"there are: {known}")
    return chosen


def documented(part: Piece) -> bool:
    """Whether the document says it of itself, and whoever wrote the document has not inferred it."""
    return part.node.get("x-standing") != "inferred"
