"""Real journals: gates against the embedded target, with faults and variants, other seeds and times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.client import Client
from harness.gate import Gate
from harness.hooks import Hooks
from harness.journal import SCHEMA_VERSION, Header, Journal
from harness.profile_reader import load as load_profile
from harness.reference.process import ReferenceServer
from harness.running import Settings, Silent, profile_record
from openapi.contract import load

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record(
    server: ReferenceServer,
    folder: Path,
    *,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    select: Sequence[str] = (),
    seed: int = 1,
    now: datetime = NOW,
    without: Sequence[str] = (),
    readings: str = "",
    started_at: str = "2026-01-01T08:00:00+00:00",
) -> Path:
    """The folder of a run; ``without`` are lines of the profile to leave out, ``readings`` is added to it."""
    server.configure(faults=faults, variants=variants)
    contract = load()
    folder.mkdir(parents=True)
    path = folder / "profile.toml"
    text = server.profile_toml
    for unwanted in without:
        text = text.replace(unwanted, "")
    path.write_text(text + readings, encoding="utf-8")
    profile, keyring = load_profile(path, contract=contract, environ=dict(server.environment))
    client, journal = Client(profile, keyring, run_seed=seed), Journal(folder)
    settings = Settings(seed=seed, now=now, select=tuple(select))
    header = Header(
        schema_version=SCHEMA_VERSION,
        tool_version="0.1.0",
        kind="gate",
        target=profile.target.name,
        base_url=profile.target.base_url,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        contract_document=dict(contract.document),
        profile=profile_record(profile),
        seed=seed,
        now=now.isoformat(),
        started_at=started_at,
        select=settings.select,
    )
    try:
        journal.write(header)
        hooks = Hooks(profile, keyring)
        Gate(contract, profile, client, hooks, journal, settings, Silent(), keyring.applicable).run()
    finally:
        client.close()
        journal.close()
    return folder
