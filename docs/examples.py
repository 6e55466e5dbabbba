"""A finding of each requirement, as a run against its fault makes it: ``docs/examples.json``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rules_harness.harness.gate import Gate
from rules_harness.harness.journal import Header, Journal, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.judging.outcome import Finding
from rules_harness.harness.reference.faults import FAULTS
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.harness.session.opening import Opened
from rules_harness.harness.session.session import Settings, Silent
from rules_harness.harness.target.reader import load as load_profile
from rules_harness.openapi.contract import Contract

PATH = Path(__file__).with_name("examples.json")
WIDELY = ("auth.*", "update.documented-example", "update.replaces", "validation.type", "status.*")
"""What is sent besides where the scenarios of a requirement alone do not show its fault."""

Example = dict[str, str]


def examples(contract: Contract) -> dict[str, Example]:
    """Those that are written down, and those that are not yet, which a run makes: seconds each."""
    known: dict[str, Example] = json.loads(PATH.read_text(encoding="utf-8"))
    missing = [id for id in contract.requirements if id not in known]
    if missing:
        with ReferenceServer() as server:
            known |= {id: example for id in missing if (example := _recorded(server, contract, id)) is not None}
    kept = {id: known[id] for id in contract.requirements if id in known}
    PATH.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return kept


def _recorded(server: ReferenceServer, contract: Contract, id: str) -> Example | None:
    fault = next(fault.id for fault in FAULTS if fault.requirement == id)
    server.configure(faults=[fault])
    for select in ((id,), (*WIDELY, id)):
        own = [one for one in _findings(server, contract, select) if one.requirement == id]
        if own:
            most = max(own, key=lambda one: one.count)
            told = {"place": most.place, "kind": most.kind, "expected": most.expected, "actual": most.actual}
            return {"fault": fault, **told}
    return None


def _findings(server: ReferenceServer, contract: Contract, select: tuple[str, ...]) -> Iterable[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "profile.toml")
        path.write_text(server.profile_toml, encoding="utf-8")
        profile, keyring = load_profile(path, contract=contract, environ=dict(server.environment))
        journal = Journal(Path(folder, "run"))
        settings = Settings(now=datetime(2026, 1, 1, tzinfo=UTC), select=select)
        Gate(contract, Opened(profile, keyring, embedded=False), journal, settings, Silent()).run()
        records = (
            msgspec.structs.replace(one, select=()) if isinstance(one, Header) else one for one in stream(journal.path)
        )
        return outcome_of(records, contract).findings
