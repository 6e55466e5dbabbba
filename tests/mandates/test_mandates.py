"""Another API, as its owner would go about it: draft, finish the overlay by hand, doctor, check, fuzz, diff."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules_harness.openapi.contract import load
from rules_harness.openapi.operations import Operation
from tests.gate.runs import Ended, command
from tests.mandates.server import FAULTS, FIRST, KEYS, PERSON, SECOND, VARIANTS, profile_of, serving

HERE = Path(__file__).parent
DOCUMENT, OVERLAY = HERE / "mandates.yaml", HERE / "overlay.yaml"
CONTRACT = ("--contract", DOCUMENT, "--overlay", OVERLAY)


def run(url: str, folder: Path, *arguments: str | Path) -> Ended:
    """One command against a server of mandates."""
    folder.mkdir(exist_ok=True)
    profile = folder / "mandates.toml"
    profile.write_text(profile_of(url), encoding="utf-8")
    return command(*arguments, "--target", profile, *CONTRACT, environ=KEYS, folder=folder / "out")


def checked(url: str, folder: Path, *arguments: str) -> Ended:
    return run(url, folder, "check", "--quiet", *arguments, "--out", folder / "out")


def actions(text: str) -> dict[str, Any]:
    return {action["target"]: action["update"] for action in yaml.safe_load(text)["actions"]}


def test_the_overlay_is_the_drafted_one_finished_by_hand(tmp_path: Path) -> None:
    out = tmp_path / "drafted.yaml"
    ended = command("draft", DOCUMENT, "--operation", "changeMandate", "--out", out, environ={}, folder=tmp_path)
    assert ended.code == 0, ended.err
    drafted, finished = actions(out.read_text(encoding="utf-8")), actions(OVERLAY.read_text(encoding="utf-8"))
    assert drafted.keys() < finished.keys()
    corrected = [target for target, update in drafted.items() if finished[target] != update]
    assert [target.rpartition(".")[2] for target in corrected] == ["code"]
    assert len(OVERLAY.read_text(encoding="utf-8").splitlines()) <= 150


def test_init_writes_a_profile_that_fits(tmp_path: Path) -> None:
    """Only what nobody can guess is filled in: the address, the person, and what may be written."""
    written = tmp_path / "started.toml"
    ended = command("init", written, *CONTRACT, environ={}, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert shlex.join(["rules-harness", "doctor", *map(str, CONTRACT), "--target", str(written)]) in ended.err
    text = written.read_text(encoding="utf-8")
    assert "`Authorization: Bearer KEY`" in text
    assert not {"trigger", "[[accounts]]", "credentials.scope"} & set(re.findall(r"[a-z_.\[\]]+", text))
    with serving() as url:
        text = text.replace("https://staging.example/v2/people/personId", f"{url}/people/{PERSON}")
        text = text.replace('# writable = ["mandate_a", "mandate_b"]', f'writable = ["{FIRST}", "{SECOND}"]')
        written.write_text(text, encoding="utf-8")
        environ = {"MANDATES_KEY_FULL": KEYS["MANDATES_FULL"]}
        ended = command("doctor", "--target", written, *CONTRACT, environ=environ, folder=tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.rstrip().endswith(shlex.join(["check", *map(str, CONTRACT), "--target", str(written)]))


def test_what_the_contract_promises() -> None:
    contract = load(DOCUMENT, [OVERLAY])
    assert contract.update == Operation("PATCH", "/mandates/{mandateId}", contract.update.place)
    assert (contract.names.auth_scheme, contract.names.key_window_seconds) == ("Bearer", 3_600)
    assert contract.names.request_id is None
    assert set(contract.unpromised) == {
        "authz.foreign-account",
        "request-id.echo-body",
        "status.not-triggerable",
        "update.omitted-is-cleared",
        "update.repeatable",
        "update.steps-replaced",
        "validation.required",
    }
    assert not contract.unpromised.keys() & contract.requirements.keys()


def test_doctor_says_what_a_run_would_judge(tmp_path: Path) -> None:
    with serving() as url:
        ended = run(url, tmp_path, "doctor")
    assert ended.code == 0, ended.err
    assert "PROBLEM" not in ended.out
    assert "A run would judge 76 of 77 requirements." in ended.out


@pytest.mark.slow
@pytest.mark.parametrize("variants", [(), VARIANTS], ids=["clean", "all variants"])
def test_nothing_is_said_of_a_conforming_server(variants: tuple[str, ...], tmp_path: Path) -> None:
    with serving(*variants) as url:
        ended = checked(url, tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.with_verdict("passed") == ended.requirements.keys() - {"idempotency.window"}
    assert ended.verdicts["idempotency.window"] == "skipped"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str, tmp_path: Path) -> None:
    # What every answer must keep is put to the test by whatever is sent.
    short = ("--requests", "200") if FAULTS[fault].startswith("envelope.") else ()
    with serving(fault) as url:
        ended = checked(url, tmp_path, "--select", FAULTS[fault], *short)
    assert ended.code == 1, ended.out + ended.err
    assert FAULTS[fault] in ended.with_verdict("failed")


@pytest.mark.slow
def test_the_pytest_plugin(tmp_path: Path) -> None:
    given = [f"--rules-contract={DOCUMENT}", f"--rules-overlay={OVERLAY}", "--rules-target=mandates.toml"]
    chosen = ["-k", "auth.missing or auth.malformed or omitted-is-cleared", "-p", "no:cacheprovider", "-rA"]
    with serving("anonymous-is-first") as url:
        (tmp_path / "mandates.toml").write_text(profile_of(url), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", *given, *chosen]
        environ = {**os.environ, **KEYS}
        ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed, 75 deselected" in ended.stdout, ended.stdout + ended.stderr
    assert "FAILED mandates.toml::auth.missing" in ended.stdout


@pytest.mark.slow
def test_a_campaign_and_what_is_different_from_before(tmp_path: Path) -> None:
    select = ("--select", "request-id")
    with serving() as url:
        before = checked(url, tmp_path / "before", *select)
    with serving("correlation-rewritten") as url:
        after = checked(url, tmp_path / "after", *select)
        out = tmp_path / "fuzz" / "out"
        campaign = run(url, tmp_path / "fuzz", "fuzz", "--quiet", "--time", "20s", "--requests", "600", "--out", out)
    assert campaign.code == 1, campaign.out + campaign.err
    assert campaign.with_verdict("failed") & {"request-id.echo-header", "request-id.on-errors"}
    difference = command("diff", before.folder, after.folder, environ={}, folder=tmp_path)
    assert difference.code == 1
    assert "request-id.echo-header" in difference.out


def test_an_action_that_selects_nothing_ends_a_command(tmp_path: Path) -> None:
    typo = tmp_path / "overlay.yaml"
    typo.write_text(OVERLAY.read_text(encoding="utf-8").replace("schemas.Money", "schemas.Monney"), encoding="utf-8")
    ended = command("list", "requirements", "--contract", DOCUMENT, "--overlay", typo, environ={}, folder=tmp_path)
    assert ended.code == 2
    assert "/actions/13/target: '$.components.schemas.Monney' selects nothing" in ended.err
