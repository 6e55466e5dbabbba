"""Runs the embedded target in the foreground, for people and for other tools."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rules_harness.harness.reference.profile_text import key_environment, profile_text
from rules_harness.harness.reference.server import listen, ready, run
from rules_harness.harness.reference.tables import switch

_CHECK = "rules-harness check --target"


def serve(
    port: int = 0,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    latency_ms: int = 0,
    *,
    profile: Path | None = None,
) -> None:
    """Serve until interrupted; first say on stdout how to use it, and write the `profile`.

    Raises:
        UnknownSwitch: an id that no table lists, or two variants that exclude each other.
        ProfileNotWritten: the file cannot be written.
        OSError: the port is taken or not allowed.
    """
    switch(faults, variants)
    listener = listen(port)

    def announce() -> None:
        base_url, control_url = ready(listener)
        text = profile_text(base_url, control_url)
        sys.stdout.write(_usage(base_url, control_url))
        if profile is None:
            sys.stdout.write(f"# The profile; save it as profile.toml and run: {_CHECK} profile.toml\n{text}")
        else:
            _write(profile, text)
            sys.stdout.write(f"# The profile is in {profile}; run: {_CHECK} {profile}\n")
        sys.stdout.flush()

    run(listener, announce, latency_ms)


class ProfileNotWritten(Exception):
    """The file for the profile cannot be written."""


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProfileNotWritten(f"cannot write {path}: {error.strerror}") from error


def _usage(base_url: str, control_url: str) -> str:
    exports = "\n".join(f"export {name}={value}" for name, value in key_environment().items())
    return f"""\
# The embedded target listens on {base_url}; Ctrl-C ends it.
# Its control plane: POST {control_url}/rules/ID/enable, /clock, /reset, /configure; GET /state, /health.
# The demo keys, for the shell that runs the harness:
{exports}

"""
