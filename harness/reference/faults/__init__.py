"""The faults: honest mistakes, each of which breaks one promise and stands in for one step of the server."""

from rules_harness.harness.reference.faults import (
    auth,
    authz,
    concurrency,
    envelope,
    http,
    idempotency,
    idempotency_keys,
    not_found,
    request_id,
    status,
    update,
    update_contents,
    update_places,
    update_rare,
    validation,
    validation_values,
)
from rules_harness.harness.reference.stand_ins import PlantedFault

FAMILIES = (
    *(envelope, request_id, auth, authz, not_found, update, update_contents, update_places, update_rare),
    *(status, idempotency, idempotency_keys, validation, validation_values, http, concurrency),
)
FAULTS: tuple[PlantedFault, ...] = tuple(fault for family in FAMILIES for fault in family.faults)
