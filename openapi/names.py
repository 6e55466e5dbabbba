"""The names that the contract gives to headers, fields, states and codes, looked up by role (`x-role`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rules_harness.openapi.document import member, nodes, pointer, texts
from rules_harness.openapi.errors import ContractError


class Names(msgspec.Struct, frozen=True):
    """Every name that requests, answers and checks need. All of them come from the document."""

    # headers
    authorization: str
    auth_scheme: str
    idempotency_key: str
    request_id_header: str
    # parts of the envelope
    request_id: str | None
    """What an answer's body calls the request id, where it has it."""
    data: str
    error: str
    lists_errors: bool
    """Whether what is wrong stands in a list of such objects."""
    code: str
    message: str
    # fields of a rule
    id: str
    marker: str
    """A free text, which shows whose write this was."""
    note: str | None
    """Another free text."""
    parts: str | None
    """The list of what a rule consists of, whose order and number count."""
    status: str
    created_at: str
    updated_at: str
    # values of the rule's status
    enabled: str
    disabled: str
    # values of the error's code
    unauthorized: str
    forbidden: str
    not_found: str
    # where the API is, and where it is in earnest
    default_base: str
    production_hosts: tuple[str, ...]
    key_window_seconds: int
    """How long an idempotency key keeps its answer, in seconds."""
    scopes: tuple[str, ...]
    """The scopes that a key's permission entries may name."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The free texts of a rule."""
        return (self.marker,) if self.note is None else (self.marker, self.note)


_FIELDS: Final = (
    *("data", "error", "code", "message"),
    *("id", "marker", "status", "created-at", "updated-at"),
)
_HEADERS: Final = ("authorization", "idempotency-key", "request-id-header")
_VALUES: Final = {"x-states": ("enabled", "disabled"), "x-codes": ("unauthorized", "forbidden", "not-found")}

_HTTP_HEADER: Final = "Authorization"
"""In which a security scheme of type `http` is sent (RFC 9110, section 11.6.2)."""

_Place = tuple[str, dict[str, Any]]


def roles_in(document: Mapping[str, Any]) -> set[str]:
    """The roles that anything in a document has."""
    return {role for _, node in nodes(document) if isinstance(role := node.get("x-role"), str)}


def read_names(document: Mapping[str, Any]) -> Names:
    """The document's names. Raises ContractError for a role that nothing has, or that two names have."""
    places = _by_role(document)
    names = {role: _only(role, places) for role in (*_FIELDS, *_HEADERS)}
    values = {role: value for mark, roles in _VALUES.items() for role, value in _values(document, mark, roles).items()}
    authorization_place, authorization = places["authorization"][names["authorization"]]
    key_place, key = places["idempotency-key"][names["idempotency-key"]]
    scopes = authorization.get("x-scopes", [])
    if not isinstance(scopes, list):
        raise ContractError(authorization_place, "'x-scopes' is not a list", "list the scopes of a key")
    return Names(
        **{role.replace("-", "_"): name for role, name in (names | values).items()},
        lists_errors="items" in places["error"][names["error"]][1],
        request_id=_only("request-id", places) if "request-id" in places else None,
        note=_only("note", places) if "note" in places else None,
        parts=_only("parts", places) if "parts" in places else None,
        auth_scheme=_auth_scheme(authorization_place, authorization),
        default_base=_default_base(document),
        production_hosts=texts(document, "x-production-hosts", "", remedy="list the hosts where updates move money"),
        key_window_seconds=member(
            key, "x-window-seconds", int, key_place, remedy="say for how many seconds a key holds"
        ),
        scopes=tuple(
            member(scope, "scope", str, authorization_place + pointer("x-scopes", index), remedy="name the scope")
            for index, scope in enumerate(scopes)
        ),
    )


def _by_role(document: Mapping[str, Any]) -> dict[str, dict[str, _Place]]:
    """For each role the names of the fields and headers that have it, and where."""
    places: dict[str, dict[str, _Place]] = {}
    for place, node in nodes(document):
        fields = node.get("properties")
        for name, field in fields.items() if isinstance(fields, dict) else ():
            if isinstance(field, dict) and isinstance(role := field.get("x-role"), str):
                places.setdefault(role, {}).setdefault(name, (place + pointer("properties", name), field))
        is_http = node.get("type") == "http"
        if (is_http or node.get("in") == "header") and isinstance(role := node.get("x-role"), str):
            name = _HTTP_HEADER if is_http else member(node, "name", str, place, remedy="name the header")
            places.setdefault(role, {}).setdefault(name, (place, node))
    return places


def _only(role: str, places: Mapping[str, Mapping[str, _Place]]) -> str:
    """The one name that has the role."""
    match list(places.get(role, {})):
        case [name]:
            return name
        case []:
            raise ContractError(
                "", f"no field or header has the role {role!r}", f"mark the one that has it with `x-role: {role}`"
            )
        case [first, second, *_]:
            place, _node = places[role][second]
            problem = f"the role {role!r} is on {first!r} and on {second!r}"
            raise ContractError(place, problem, "give the role to one name")
    raise AssertionError(role)


def _values(document: Mapping[str, Any], mark: str, roles: tuple[str, ...]) -> dict[str, str]:
    """For each role its value, from the one schema that carries this mark."""
    for place, node in nodes(document):
        if mark in node:
            values = member(node, mark, dict, place, remedy="map each role to its value")
            remedy = "name the value that has this role"
            return {role: member(values, role, str, place + pointer(mark), remedy=remedy) for role in roles}
    raise ContractError(
        "", f"no schema has `{mark}`", f"give it to the schema that holds the values of {', '.join(roles)}"
    )


def _auth_scheme(place: str, scheme: Mapping[str, Any]) -> str:
    """The word before the key: what the document says it is, or the scheme of HTTP authentication."""
    if "x-auth-scheme" not in scheme and isinstance(word := scheme.get("scheme"), str):
        return word.capitalize()
    return member(scheme, "x-auth-scheme", str, place, remedy="name the scheme")


def _default_base(document: Mapping[str, Any]) -> str:
    servers = member(document, "servers", list, "", remedy="say where the API is")
    return member(servers[0] if servers else None, "url", str, pointer("servers", 0), remedy="say where the API is")
