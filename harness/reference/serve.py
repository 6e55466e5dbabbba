"""Runs the embedded target in the foreground, for people and for other tools."""

import sys
from collections.abc import Sequence
from typing import TextIO

from rules_harness.harness.reference.profile_text import key_environment, profile_text
from rules_harness.harness.reference.server import listen, ready, run
from rules_harness.harness.reference.tables import switch


def serve(
    port: int = 0,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    latency_ms: int = 0,
    *,
    output: TextIO | None = None,
) -> None:
    """Serve until interrupted; first say how to use it (on `output`, stdout by default).

    Raises:
        UnknownSwitch: an id that no table lists, or two variants that exclude each other.
        OSError: the port is taken or not allowed.
    """
    switch(faults, variants)
    listener = listen(port)
    out = output or sys.stdout

    def announce() -> None:
        out.write(_usage(*ready(listener)))
        out.flush()

    run(listener, announce, latency_ms)


def _usage(base_url: str, control_url: str) -> str:
    exports = "\n".join(f"export {name}={value}" for name, value in key_environment().items())
    return f"""\
# The embedded target listens on {base_url}; Ctrl-C ends it.
# Its control plane: POST {control_url}/rules/ID/enable, /clock, /reset, /configure; GET /state, /health.
# The demo keys, for the shell that runs the harness:
{exports}

# The profile; save it as profile.toml and run: rules-harness check --target profile.toml
{profile_text(base_url, control_url)}"""
