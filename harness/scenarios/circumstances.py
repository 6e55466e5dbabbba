"""Requests under circumstances that a design of factors has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import msgspec

from rules_harness.harness.exchange import Payload
from rules_harness.harness.scenarios.details import UpdateDetails
from rules_harness.harness.scenarios.planner import Planned, Planner
from rules_harness.strategies.bodies import Body
from rules_harness.strategies.design import Row, named
from rules_harness.strategies.factors import KEY, REQUEST_ID, SPELLING
from rules_harness.strategies.spellings import spelt


def plan_in(
    planner: Planner, row: Row, body: Body | Mapping[str, Any] | bytes, /, **details: Unpack[UpdateDetails]
) -> Planned:
    """One update, not yet sent, under the circumstances of a row, as far as they concern the request alone."""
    details.setdefault("key", planner.new_key() if row[KEY.name] == "fresh" else None)
    details.setdefault("request_id", planner.new_key() if row[REQUEST_ID.name] == "given" else None)
    details.setdefault("factors", named(row))
    request, intent = planner.plan_update(body, **details)
    if request.body is not None:
        content = spelt(request.body.content, row[SPELLING.name])
        request = msgspec.structs.replace(request, body=Payload.of(content))
    return request, intent
