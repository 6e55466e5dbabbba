"""A small client of the embedded target."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx

from rules_harness.harness.reference.process import ReferenceServer

A, B, C = "rule_01HXYZ1234", "rule_01HXYZ5678", "rule_01HXZA2468"
BY_HAND = "rule_01HXZB1357"
LIMITED, OTHERS = "rule_01HXZC8642", "rule_01ZYOTHER9"

Headers = Mapping[str, str] | Sequence[tuple[bytes, bytes]]

EXAMPLE: dict[str, Any] = {
    "nickname": "Monthly savings transfer",
    "description": None,
    "status": "disabled",
    "trigger": {
        "type": "SCHEDULED",
        "schedule_type": "MONTHLY",
        "start_date": "2027-04-01T09:00:00Z",
        "account_id": "acc_01HABC4567",
    },
    "steps": [
        {
            "conditions": None,
            "actions": [
                {
                    "type": "fixed_amount",
                    "amount_in_cents": 100000,
                    "source": {"id": "acc_01HABC4567", "type": "income_source"},
                    "destination": {"id": "acc_01HSAV9999", "type": "pod"},
                    "group_index": 0,
                    "up_to_enabled": True,
                }
            ],
        }
    ],
}


def body(pointer: str = "", value: Any = None, **top: Any) -> dict[str, Any]:
    """The page's example, with top-level fields replaced and, at the pointer, one value."""
    made = copy.deepcopy(EXAMPLE) | top
    if pointer:
        *path, last = (int(part) if part.isdigit() else part for part in pointer.strip("/").split("/"))
        owner: Any = made
        for part in path:
            owner = owner[part]
        owner[last] = value
    return made


def without(pointer: str) -> dict[str, Any]:
    """The page's example without the value at the pointer."""
    made = body()
    *path, last = (int(part) if part.isdigit() else part for part in pointer.strip("/").split("/"))
    owner: Any = made
    for part in path:
        owner = owner[part]
    del owner[last]
    return made


class Api:
    """Requests to one running server."""

    def __init__(self, server: ReferenceServer, *, patience: float = 10) -> None:
        """Talk to the server; `patience` is how many seconds an answer may take."""
        self.server = server
        self.stamps: dict[str, datetime] = {}
        # Without a client around it, which takes as long over a request as the server.
        self._http = httpx.HTTPTransport()
        self._patience = {"timeout": httpx.Timeout(patience).as_dict()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.close()

    def key(self, role: str) -> str:
        """The demo key of a role."""
        return self.server.environment[f"RULES_KEY_{role.replace('.', '_').upper()}"]

    def send(
        self, method: str, path: str, content: Any = None, *, role: str | None = "full", headers: Headers = ()
    ) -> httpx.Response:
        """One request; `content` is bytes, or a value to be sent as JSON."""
        pairs = (
            [(name.encode(), value.encode()) for name, value in headers.items()]
            if isinstance(headers, Mapping)
            else [*headers]
        )
        names = {name.lower() for name, _ in pairs}
        if role is not None:
            pairs.append((b"Authorization", f"ApiKey {self.key(role)}".encode()))
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        if content is not None and b"content-type" not in names:
            pairs.append((b"Content-Type", b"application/json"))
        return self._exchanged(method, self.server.base_url + path, None if content is None else raw, pairs)

    def _exchanged(
        self, method: str, url: str, content: bytes | None, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> httpx.Response:
        accepting = [] if any(name.lower() == b"accept" for name, _ in headers) else [(b"Accept", b"*/*")]
        request = httpx.Request(method, url, content=content, headers=[*accepting, *headers], extensions=self._patience)
        response = self._http.handle_request(request)
        response.request = request
        response.read()
        return response

    def put(
        self,
        rule_id: str,
        content: Any,
        *,
        role: str | None = "full",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """PUT /rules/{id}, with an idempotency key or without."""
        keyed = {} if key is None else {"Idempotency-Key": key}
        return self.send("PUT", f"/rules/{rule_id}", content, role=role, headers={**(headers or {}), **keyed})

    def get(self, rule_id: str, *, role: str | None = "full") -> dict[str, Any]:
        """The `data` of a rule that can be read."""
        response = self.send("GET", f"/rules/{rule_id}", role=role)
        assert response.status_code == 200, response.text
        data: dict[str, Any] = response.json()["data"]
        return data

    def control(self, path: str, **content: Any) -> Any:
        """One call to the control plane: GET for state and health, else POST."""
        method = "GET" if path in ("state", "health") else "POST"
        raw = json.dumps(content).encode() if content else None
        headers = [(b"Content-Type", b"application/json")] if content else []
        return self._exchanged(method, f"{self.server.control_url}/{path}", raw, headers).json()

    def enable(self, rule_id: str) -> None:
        """What a human does."""
        self.control(f"rules/{rule_id}/enable")
