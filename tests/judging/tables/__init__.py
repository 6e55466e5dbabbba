"""All tables of rows, in the order of the checks."""

from typing import Final

from tests.judging.rows import Table
from tests.judging.tables import answers, auth, authz, envelope, not_found, request_id

TABLES: Final[tuple[Table, ...]] = (
    envelope.TABLE,
    answers.TABLE,
    request_id.TABLE,
    auth.TABLE,
    authz.TABLE,
    not_found.TABLE,
)
