"""What is said of a contract document that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ContractError(Exception):
    """The contract document is broken or unusual.

    `place` is a JSON pointer into the document (empty for the document as a whole), or the line where it stops being
    YAML; `problem` says what is wrong there, `remedy` what to do about it, `source` which file it is.
    """

    def __init__(self, place: str, problem: str, remedy: str, source: str = "") -> None:
        super().__init__(place, problem, remedy, source)
        self.place = place
        self.problem = problem
        self.remedy = remedy
        self.source = source

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.source, self.place) if part)
        message = f"{self.problem}; {self.remedy}"
        return f"{where}: {message}" if where else message


@contextmanager
def named(source: str) -> Iterator[None]:
    """Gives each error from within the name of the file that it is about."""
    try:
        yield
    except ContractError as error:
        raise ContractError(error.place, error.problem, error.remedy, source) from error.__cause__
    except RecursionError as error:
        problem = "its values are nested without end, or nearly so"
        raise ContractError("", problem, "take out aliases (`*name`) that lead back to themselves", source) from error
