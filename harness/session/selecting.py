"""What of a contract is judged, by what a person writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from rules_harness.harness.errors import UsageError
from rules_harness.harness.judging.judge import EXCLUDED, selected
from rules_harness.openapi.contract import Contract


def patterns_of(option: str, values: Iterable[str], contract: Contract) -> Iterator[str]:
    """The patterns of requirement ids that values name: families, ids, patterns, several with commas between them.

    ``option`` is what has them.  Raises `UsageError`, with what is close to it, for one that matches no requirement.
    """
    families = {requirement.family for requirement in contract.requirements.values()}
    for name in (part.strip() for value in values for part in value.split(",")):
        pattern = f"{name}.*" if name in families else name
        if not name or name.startswith(EXCLUDED) or not any(selected(id, (pattern,)) for id in contract.requirements):
            close = get_close_matches(name.removesuffix(".*"), [*families, *contract.requirements], n=3, cutoff=0.5)
            unpromised = contract.unpromised.get(name)
            hint = f"close to it: {', '.join(close)}" if close else "see `rules-harness list requirements`"
            why = f"is not promised by this contract: {unpromised}" if unpromised else f"matches no requirement; {hint}"
            raise UsageError(f"{option} {name!r} {why}")
        yield pattern
