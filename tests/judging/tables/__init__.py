"""All tables of rows, in the order of the checks."""

from typing import Final

from tests.judging.rows import Table
from tests.judging.tables import (
    answers,
    auth,
    authz,
    envelope,
    not_found,
    replacement,
    request_id,
    times,
    update,
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
)
