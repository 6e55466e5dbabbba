"""OpenAPI Overlay 1.0: what a document says beside what somebody else wrote, merged into it.

https://spec.openapis.org/overlay/v1.0.0.html
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from jsonpath import JSONPathEnvironment, JSONPathError, JSONPathMatch

from rules_harness.openapi.bounds import Unbounded, check
from rules_harness.openapi.document import member, pointer
from rules_harness.openapi.errors import ContractError

MOST_ACTIONS: Final = 1_000
MOST_NODES: Final = 10_000
"""That one target may select."""

_PATHS: Final = JSONPathEnvironment(strict=True)
"""RFC 9535, which Overlay asks for, and nothing beyond it."""
_FIELDS: Final = frozenset({"target", "description", "update", "remove"})


def apply(document: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Carries out the actions of an overlay, in order, and changes the document. Raises ContractError.

    Objects are merged with objects; what an update has for a list is added to it. A target that selects nothing is an
    error here, though the specification lets it pass: what an action says of a contract is then not judged, nor kept.
    """
    version = member(overlay, "overlay", str, "", remedy='begin it with `overlay: "1.0.0"`')
    if not version.startswith("1.0."):
        raise ContractError("/overlay", f"{version!r} is not a version that is known here", "write it for Overlay 1.0")
    actions = member(overlay, "actions", list, "", remedy="list what is to be changed")
    if len(actions) > MOST_ACTIONS:
        raise ContractError("/actions", f"has more than {MOST_ACTIONS:,} actions", "say the same in fewer")
    for index, action in enumerate(actions):
        _carry_out(document, pointer("actions", index), action)
    try:
        check(document)
    except Unbounded as error:
        raise ContractError("", f"what it makes of the document {error}", "add less") from error


def _carry_out(document: dict[str, Any], place: str, action: Any) -> None:
    target = member(action, "target", str, place, remedy="say with a JSONPath what the action is about")
    for name in action:
        if name not in _FIELDS and not name.startswith("x-"):
            raise ContractError(place + pointer(name), "no field of an action", f"use {', '.join(sorted(_FIELDS))}")
    remove = action.get("remove", False)
    if not isinstance(remove, bool):
        raise ContractError(place + "/remove", f"{remove!r} is neither true nor false", "say true, or leave it out")
    if not remove and "update" not in action:
        raise ContractError(place, "neither updates nor removes", "give the action an `update` or `remove: true`")
    selected = _selected(document, target, place + "/target")
    for match in reversed(selected):  # what comes later in a list is removed first
        if not isinstance(match.obj, dict | list):
            problem = f"selects {match.obj!r}, which is neither a mapping nor a list"
            raise ContractError(place + "/target", problem, "select what contains it")
        if remove:
            _remove(match, place + "/target")
        else:
            _update(match.obj, action["update"], place + "/update")


def _selected(document: dict[str, Any], target: str, place: str) -> list[JSONPathMatch]:
    try:
        selected = list(islice(_PATHS.finditer(target, document), MOST_NODES + 1))
    except (JSONPathError, RecursionError) as error:
        problem = f"{target!r} is not a JSONPath: {str(error).partition(chr(10))[0]}"
        raise ContractError(place, problem, "write it as in $.paths['/rules/{id}'].put (RFC 9535)") from error
    if not selected:
        raise ContractError(place, f"{target!r} selects nothing", "correct it, or take the action out")
    if len(selected) > MOST_NODES:
        raise ContractError(place, f"selects more than {MOST_NODES:,} places", "select fewer")
    return selected


def _remove(match: JSONPathMatch, place: str) -> None:
    if match.parent is None:
        raise ContractError(place, "selects the whole document", "select a part of it")
    container: Any = match.parent.obj
    del container[match.parts[-1]]


def _update(node: dict[str, Any] | list[Any], update: Any, place: str) -> None:
    if isinstance(node, list):
        node.append(copy.deepcopy(update))
    elif isinstance(update, dict):
        _merge(node, update)
    else:
        raise ContractError(place, f"{update!r} cannot be merged with a mapping", "give it names and values")


def _merge(node: dict[str, Any], update: Mapping[str, Any]) -> None:
    for name, value in update.items():
        present = node.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            node[name] = copy.deepcopy(value)
