"""All tables of rows, in the order of the checks."""

from typing import Final

from tests.judging.rows import Table
from tests.judging.tables import (
    answers,
    auth,
    authz,
    concurrency,
    envelope,
    http,
    idempotency,
    isolation,
    key_owners,
    key_readings,
    not_found,
    readings,
    replacement,
    request_id,
    status,
    times,
    update,
    validation,
)

TABLES: Final[tuple[Table, ...]] = (
    envelope.TABLE,
    answers.TABLE,
    request_id.TABLE,
    auth.TABLE,
    authz.TABLE,
    not_found.TABLE,
    replacement.TABLE,
    update.TABLE,
    times.TABLE,
    status.TABLE,
    idempotency.TABLE,
    key_owners.TABLE,
    key_readings.TABLE,
    concurrency.TABLE,
    isolation.TABLE,
    validation.TABLE,
    http.TABLE,
    readings.TABLE,
)
