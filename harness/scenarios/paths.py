"""Other spellings of one path, under which a target may find the same rule, or none."""

from __future__ import annotations

from rules_harness.openapi.contract import Contract

SLASH = "a slash at the end"


def other_paths(contract: Contract, rule: str) -> dict[str, str]:
    """Paths that mean a rule's to a lenient router, by what is other about them (RFC 3986, sections 3.4 and 6.2)."""
    path = contract.update.path_for(rule)
    last = max(index for index, character in enumerate(path) if character.isalnum())
    return {
        "a character percent-encoded": f"{path[:last]}%{ord(path[last]):02X}{path[last + 1 :]}",
        "an unknown query": f"{path}?harness=1",
        SLASH: f"{path}/",
    }
