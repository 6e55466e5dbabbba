"""The cases of a scenario: what it sends of one list, each of which can do without the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Cases:
    """The cases of one scenario at work: which are wanted, and which one has its turn."""

    def __init__(self) -> None:
        self.current = ""
        """Empty for what is sent for the scenario as a whole."""
        self._wanted: frozenset[str] | None = None
        self._known: frozenset[str] = frozenset()

    def limit(self, wanted: frozenset[str], known: frozenset[str]) -> None:
        """Take only what is wanted of the cases that are ``known``; of a list of unknown ones the first stands for
        all."""
        self._wanted, self._known = wanted, known

    def of(self, items: Iterable[T], name: Callable[[T], str]) -> Iterator[T]:
        """The items that are wanted, each as a case of its own; those of one name are one case."""
        listed = [(name(item), item) for item in items]
        for case, item in self._chosen(listed):
            self.current = case
            yield item
        self.current = ""

    def _chosen(self, listed: list[tuple[str, T]]) -> list[tuple[str, T]]:
        if self._wanted is None:
            return listed
        if not any(case in self._known for case, _ in listed):
            return listed[:1]
        return [(case, item) for case, item in listed if case in self._wanted]


def sent_and_read(name: str) -> tuple[str, str]:
    """The cases of one body: most of what goes wrong shows in the answer to it."""
    return name, f"{name}, read"
