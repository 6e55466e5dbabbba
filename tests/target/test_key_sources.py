"""Where a profile takes keys and certificates from: the environment, files, programs."""

from __future__ import annotations

import os
import resource
import threading
import time
from pathlib import Path

import pytest

from rules_harness.harness.errors import UsageError
from rules_harness.harness.target import credentials
from rules_harness.harness.target.profile import Credential
from tests.target.test_profile import SMALLEST, read, refusal


def with_source(source: str) -> str:
    return f'[target]\nbase_url = "http://127.0.0.1:9101"\n[credentials.full]\n{source}\n'


def test_a_key_may_come_from_a_file_or_a_program(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\ufeffkey-in-a-file-1\n", encoding="utf-8")
    profile, keyring = read(tmp_path, with_source('key_file = "key"'))
    assert keyring.secrets() == {"full": "key-in-a-file-1"}
    assert profile.credentials["full"] == Credential("full", key_file=str(tmp_path / "key"))
    program = tmp_path / "print-key"
    program.write_text("#!/bin/sh\necho key-$1-of-a-program\n", encoding="utf-8")
    program.chmod(0o700)
    profile, keyring = read(tmp_path, with_source('key_command = ["./print-key", "$HOME"]'))
    assert keyring.secrets() == {"full": "key-$HOME-of-a-program"}
    assert profile.credentials["full"].source == f"the output of {program}"


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("", "credentials.full: needs one of key_env, key_file and key_command"),
        ('key_env = "A"\nkey_file = "b"', "credentials.full: needs one of key_env, key_file and key_command"),
        ('key_file = "none"', "credentials.full.key_file: the file {folder}/none cannot be read (No such file"),
        ('key_file = "."', "credentials.full.key_file: the file {folder} cannot be read (Is a directory)"),
        ('key_file = "empty"', "credentials.full.key_file: the file {folder}/empty is empty"),
        ('key_file = "two"', "credentials.full.key_file: the key in the file {folder}/two has white space"),
        ('key_file = "binary"', "credentials.full.key_file: the file {folder}/binary is not text"),
        ("key_command = []", "credentials.full.key_command: is empty"),
        ('key_command = ["./none"]', "credentials.full.key_command: there is no program '{folder}/none'"),
        ('key_command = ["false"]', "ended with 1"),
        ('key_command = ["true"]', "is empty"),
        ('key_command = "echo key"', "credentials.full.key_command: expected"),
    ],
)
def test_where_there_is_no_key_the_error_says_so(tmp_path: Path, source: str, part: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "two").write_text("key-1\nkey-2\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert part.format(folder=tmp_path) in refusal(tmp_path, with_source(source), {"PATH": os.environ["PATH"]})


def test_a_program_that_takes_too_long_for_a_key_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.1)
    with pytest.raises(UsageError, match="took longer than"):
        read(tmp_path, with_source('key_command = ["sleep", "9"]'), {"PATH": os.environ["PATH"]})


def test_what_a_program_says_of_an_error_is_not_shown(tmp_path: Path) -> None:
    for said in ("echo key-1234-abcd >&2", "echo key-1234-abcd"):
        source = f'key_command = ["sh", "-c", "{said}; exit 3"]'
        error = refusal(tmp_path, with_source(source), {"PATH": os.environ["PATH"]})
        assert "ended with 3" in error
        assert "abcd" not in error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "part"),
    [
        ('key_command = ["yes", "key"]', "yes prints more than 65,536 bytes"),
        ('key_command = ["sh", "-c", "yes key >&2"]', "took longer than 1 s"),
        ('key_command = ["sh", "-c", "sleep 60 & echo key"]', "took longer than 1 s"),
        ('key_file = "/dev/zero"', "the file /dev/zero has more than 65,536 bytes"),
        ('key_file = "large"', "large has more than 65,536 bytes"),
        ('key_file = "pipe"', "pipe cannot be read (nothing for 1 s)"),
    ],
)
def test_what_has_no_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, part: str) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 1)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"k" * 70_000)
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert part in refusal(tmp_path, with_source(source), {"PATH": os.environ["PATH"]})
    assert time.monotonic() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_key_may_come_from_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("key-through-a-pipe",))
    writer.start()
    _, keyring = read(tmp_path, with_source('key_file = "pipe"'))
    writer.join()
    assert keyring.secrets() == {"full": "key-through-a-pipe"}


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ('client_key = "key.pem"', "target.client_key: has no certificate"),
        ('client_cert = "none.pem"', "target.client_cert: there is no file {folder}/none.pem"),
        ('client_cert = "no.pem"', "target.client_cert: cannot be used"),
        ('client_cert = "no.pem"\nclient_key = "none.pem"', "target.client_key: there is no file {folder}/none.pem"),
    ],
)
def test_a_client_certificate_that_cannot_be_used(tmp_path: Path, more: str, part: str) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    text = SMALLEST.replace("[credentials", f"{more}\n[credentials")
    assert part.format(folder=tmp_path) in refusal(tmp_path, text)
