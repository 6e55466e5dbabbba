"""A JSON Schema of the contract -> a Hypothesis strategy for values that satisfy it.

Every value satisfies the schema, and every choice of the schema is made: each alternative, each optional field
present and absent, null, the bounds themselves. Properties that the schema does not list are drawn only where it
says what they satisfy. Values shrink toward null, the first alternative, absent fields and short lists.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import jsonschema_rs
from hypothesis import strategies as st

from rules_harness.openapi.contract import Contract
from rules_harness.strategies import scalars
from rules_harness.strategies.drawing import ABSENT, NOTHING, Listed, Made, either, fresh, is_empty, record, strategy_of
from rules_harness.strategies.folding import UnsupportedSchema
from rules_harness.strategies.places import Place, has_type
from rules_harness.strategies.text import any_text

__all__ = ["JSON", "Make", "UnsupportedSchema", "values"]

JSON: TypeAlias = Any
Make: TypeAlias = Callable[[Place], Made]
Override: TypeAlias = Callable[[Place, Make], Made | None]

_MORE_MEMBERS: Final = 3
_LEVELS: Final = 3
_KINDS: Final = ("boolean", "integer", "number", "string", "array", "object")
_ASSERTIONS: Final = frozenset(
    {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "pattern"}
    | {"minItems", "maxItems", "uniqueItems", "items", "required", "properties", "additionalProperties"}
)


def values(contract: Contract, place: Place, *, override: Override | None = None) -> st.SearchStrategy[JSON]:
    """Values for a place, no two of which share an object or array; none where nothing can satisfy it.

    A schema that contains itself is followed for a few levels. Raises UnsupportedSchema for what no values are made of.
    `override` may answer what stands at a place, null and absence aside; it gets the maker of inner places.
    """
    return strategy_of(_Maker(contract, override).make(place, _LEVELS)).map(fresh)


def allowed(contract: Contract, place: Place, samples: Iterable[JSON]) -> tuple[JSON, ...]:
    """Those of the samples, null aside, that satisfy what the place itself says, its alternatives apart."""
    own = {name: value for name, value in place.keywords.items() if name in _ASSERTIONS}
    is_valid = validator_of(contract, own).is_valid if own else _yes
    return tuple(value for value in samples if value is not None and has_type(value, place.types) and is_valid(value))


def _yes(_: JSON) -> bool:
    return True


class _Maker:
    """Makes values once for each place and number of levels left; what contains itself is unrolled, never deferred."""

    def __init__(self, contract: Contract, override: Override | None) -> None:
        self._contract = contract
        self._override = override
        self._made: dict[tuple[int, int], Made] = {}

    def make(self, place: Place, levels: int) -> Made:
        key = (id(place), levels)
        if key not in self._made:
            made = self._present(place, levels)
            self._made[key] = either(Listed((None,)), made) if place.nullable else made
        return self._made[key]

    def _inner(self, parent: Place, place: Place, levels: int) -> Made:
        """A place below another one; one level less where its path leads back to an outer place."""
        if not place.path.startswith(parent.path + "/"):
            levels -= 1
        return self.make(place, levels) if levels > 0 else NOTHING

    def _present(self, place: Place, levels: int) -> Made:
        if self._override is not None:
            made = self._override(place, functools.partial(self._inner, place, levels=levels))
            if made is not None:
                return made
        if place.alternatives:
            return either(*(self._alternative(inner, levels) for inner in place.alternatives.values()))
        if "enum" in place.keywords:
            return self._listed(place)
        return either(*(self._typed(kind, place, levels) for kind in _KINDS if kind in place.types))

    def _listed(self, place: Place) -> Listed:
        return Listed(allowed(self._contract, place, place.keywords["enum"]))

    def _alternative(self, place: Place, levels: int) -> Made:
        made = self._present(place, levels)
        if not place.unproven:
            return made
        return strategy_of(made).filter(validator_of(self._contract, {"oneOf": list(place.unproven)}).is_valid)

    def _typed(self, kind: str, place: Place, levels: int) -> Made:
        match kind:
            case "boolean":
                return Listed((False, True))
            case "integer":
                return scalars.integers(place.keywords) if "number" not in place.types else NOTHING
            case "number":
                return scalars.numbers(place.keywords)
            case "string":
                return scalars.strings(place.keywords)
            case "array":
                return self._array(place, levels)
            case _:
                return self._object(place, levels)

    def _array(self, place: Place, levels: int) -> Made:
        least, most = place.keywords.get("minItems", 0), place.keywords.get("maxItems")
        member = self._inner(place, place.items, levels) if place.items is not None else _anything()
        if is_empty(member) or most == 0:
            return NOTHING if least else Listed(([],))
        return sized_lists(strategy_of(member), least, most, unique=place.keywords.get("uniqueItems", False))

    def _object(self, place: Place, levels: int) -> Made:
        fields: dict[str, Made] = {}
        pinned = place.pins[0].keys() if place.pins else ()
        required = place.keywords.get("required", ())
        for name, inner in place.properties.items():
            if name in pinned:
                continue
            made = self._inner(place, inner, levels)
            if inner.required or name in required:
                fields[name] = made
            elif name not in place.excluded:
                fields[name] = either(Listed((ABSENT,)), made)
        for name in required:
            if name not in place.properties:
                fields[name] = self._unlisted(place, name, levels)
        if any(is_empty(made) for made in fields.values()):
            return NOTHING
        made = record(fields, place.pins or ({},))
        return made if place.additional is None else self._extended(made, place, place.additional, levels)

    def _extended(self, made: Made, place: Place, additional: Place, levels: int) -> Made:
        """Objects with a few properties that the schema does not list, where it says what those satisfy."""
        names = any_text(max_size=12).filter(lambda name: name not in place.properties)
        extra = st.dictionaries(names, strategy_of(self._inner(place, additional, levels)), max_size=2)
        return st.tuples(strategy_of(made), extra).map(lambda parts: {**parts[1], **parts[0]})

    def _unlisted(self, place: Place, name: str, levels: int) -> Made:
        """A required property that the schema does not list, or for which it allows nothing."""
        if name in place.keywords.get("properties", {}):
            return NOTHING
        if place.additional is not None:
            return self._inner(place, place.additional, levels)
        return _anything() if place.keywords.get("additionalProperties", True) is True else NOTHING


def sized_lists(
    member: st.SearchStrategy[JSON], least: int, most: int | None, *, unique: bool = False
) -> st.SearchStrategy[list[JSON]]:
    """Lists of a few more members than the fewest, and, where there is a bound, of as many as it allows."""
    by = _canonical if unique else None
    few = least + _MORE_MEMBERS if most is None else min(most, least + _MORE_MEMBERS)
    short = st.lists(member, min_size=least, max_size=few, unique_by=by)
    if most is None or most == few:
        return short
    return short | st.lists(member, min_size=most, max_size=most, unique_by=by)


def validator_of(contract: Contract, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """What judges values by a schema whose references lead into the contract's document."""
    return jsonschema_rs.Draft202012Validator(contract.standalone(schema))


def _canonical(value: JSON) -> str:
    """Equal texts for equal JSON values: 1.0 is 1."""

    def number(digits: str) -> float:
        return int(float(digits)) if float(digits).is_integer() else float(digits)

    return json.dumps(json.loads(json.dumps(value), parse_float=number), sort_keys=True)


@functools.cache
def _anything() -> st.SearchStrategy[JSON]:
    """Any JSON value, small: what stands where a schema says nothing."""
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    leaves = st.none() | st.booleans() | numbers | any_text(max_size=20)
    return leaves | st.lists(leaves, max_size=2) | st.dictionaries(any_text(max_size=8), leaves, max_size=2)
