"""Keys that change while a run goes on: a 401 to a key that was good may mean that there is a new one."""

from __future__ import annotations

import threading

from rules_harness.harness.exchange import Answer, Request, TransportFault
from rules_harness.harness.target.secrets import Keyring
from rules_harness.strategies.keys import KeyReference


class Renewal:
    """Remembers which keys were good, and where; may be used by several threads."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._good: set[tuple[KeyReference, str]] = set()
        self._spent: set[tuple[KeyReference, str]] = set()
        """Those that were good, are not any more, and for which there was nothing new."""
        self._renewing = threading.Lock()

    def key_in(self, request: Request) -> str:
        """The key that a request carries as it is; empty where it carries none, or a deformed one."""
        key = request.key
        return "" if key is None or key.form else self._keyring.text(key).removeprefix(key.before)

    def helps(self, request: Request, key: str, outcome: Answer | TransportFault) -> bool:
        """Whether a request that carried this key is to be sent again, with a new one.

        The source is asked once, until a key was good again: a key that was withdrawn for good costs one question.
        """
        reference = request.key
        if reference is None or not key or not isinstance(outcome, Answer):
            return False
        use = reference, key
        if outcome.status != 401:
            self._good.add(use)
            self._spent.discard(use)
            return False
        if use not in self._good:
            return False
        with self._renewing:
            if use in self._spent:
                return False
            is_new = self._keyring.renew(reference.key, key)
            if not is_new:
                self._spent.add(use)
            return is_new
