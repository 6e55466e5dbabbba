"""Whether runs survive kill -9 at any moment: `python -m benchmarks.kills [--kills 100] [--seed 1]`.

Half of the kills go to one campaign against a faulty target, which is killed again and again at a random moment after
its start, and continued; half to conformance runs, each of which is killed and put back.  After each kill the journal
must be readable and hold what was on the screen before, and every finding that it held; after each `restore` every rule
is as it was, and in the end the campaign goes on to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from rules_harness.harness.journal import read, recorded_in, stream
from rules_harness.harness.judging.judge import outcome_of
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load

CONTRACT: Final = load()
ROOT: Final = Path(__file__).parents[1]
FAULTS: Final = ("validation.negative-accepted", "envelope.created-201")
LONGEST_SECONDS: Final = 12.0
_FINISHED: Final = re.compile(r"([\d,]+)/[\d,]+")
_SHOWN: Final = re.compile(r"findings\s+((?:[a-z-]+ \d+(?:, )?)+)")


def main() -> None:
    """Kill, look, go on; ends with 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="decides when")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    began = time.monotonic()
    problems = [
        *campaigns(options.kills - options.kills // 2, chance),
        *gates(options.kills // 2, chance),
    ]
    print("\n".join(problems) or f"{options.kills} kills in {time.monotonic() - began:.0f} s, nothing lost")
    raise SystemExit(bool(problems))


def campaigns(kills: int, chance: random.Random) -> Iterator[str]:
    """What was lost by a campaign that is killed and goes on so often."""
    known: Counter[str] = Counter()
    with ReferenceServer() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "profile.toml").write_text(server.profile_toml, encoding="utf-8")
        server.configure(faults=FAULTS)
        before = rules(server)
        for number in range(1, kills + 1):
            moment = chance.uniform(0, LONGEST_SECONDS)
            shown = findings_in(killed(server, folder, CONTINUED if is_begun(folder) else CAMPAIGN, moment))
            kept = findings(folder)
            for family, count in ((known | shown) - kept).items():
                yield f"campaign, kill {number}: {family} lost {count} findings"
            known = kept
            told = f"{shown.total()} on the screen, {kept.total()} in the journal"
            print(f"campaign, kill {number:>3} after {moment:4.1f} s: {told}", flush=True)
        yield from restored(server, folder, before)
        ended = command(server, folder, *CONTINUED, "--requests", "200", "--quiet")
        if ended != 1:
            yield f"the campaign went on and ended with {ended}, not with 1"
        if rules(server) != before:
            yield "the campaign did not put every rule back"


def gates(kills: int, chance: random.Random) -> Iterator[str]:
    """What was lost by so many conformance runs, each of which is killed and put back."""
    with ReferenceServer() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "profile.toml").write_text(server.profile_toml, encoding="utf-8")
        server.configure(faults=FAULTS)
        before = rules(server)
        began = time.monotonic()
        command(server, folder, *GATE)
        span = time.monotonic() - began
        print(f"a whole gate takes {span:.0f} s", flush=True)
        for number in range(1, kills + 1):
            moment = chance.uniform(0, span)
            screen = killed(server, folder, GATE, moment)
            shown = max((int(found[1].replace(",", "")) for found in _FINISHED.finditer(screen)), default=0)
            kept = scenarios(folder)
            if kept < shown:
                yield f"gate, kill {number}: {shown} scenarios on the screen, {kept} in the journal"
            disturbed = sum(one != other for one, other in zip(before.values(), rules(server).values(), strict=True))
            yield from restored(server, folder, before)
            told = f"{shown} scenarios on the screen, {kept} in the journal, {disturbed} rules changed"
            print(f"gate, kill {number:>3} after {moment:4.1f} s: {told}", flush=True)


def restored(server: ReferenceServer, folder: Path, before: Mapping[str, Any]) -> Iterator[str]:
    """What `restore` did not put back."""
    if not is_begun(folder):
        return
    ended = command(server, folder, "restore", "out", "--target", "profile.toml")
    if ended != 0:
        yield f"restore ended with {ended}"
    if rules(server) != before:
        yield "restore did not put every rule back"


CAMPAIGN: Final = ("fuzz", "--target", "profile.toml", "--time", "10m", "--workers", "2")
CONTINUED: Final = (*CAMPAIGN, "--continue", "out")
GATE: Final = ("check", "--target", "profile.toml")


def killed(server: ReferenceServer, folder: Path, arguments: Sequence[str], seconds: float) -> str:
    """Start a command, kill it after so long, and tell what was on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rules_harness", *arguments],
        cwd=folder,
        env=environment(server),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = bytearray()
    reader = threading.Thread(target=drain, args=(ours, screen))
    reader.start()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Its workers notice by themselves, and let go of the terminal.
    reader.join(timeout=10)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.decode(errors="replace"))
    if "Traceback" in text:
        raise SystemExit(text)
    return text


def findings_in(screen: str) -> Counter[str]:
    """The findings on the screen of a campaign, by family."""
    shown: Counter[str] = Counter()
    for found in _SHOWN.finditer(screen):
        shown |= Counter({family: int(count) for family, count in re.findall(r"([a-z-]+) (\d+)", found[1])})
    return shown


def drain(terminal: int, screen: bytearray) -> None:
    """Read what is shown until nobody shows anything any more."""
    try:
        while content := os.read(terminal, 65536):
            screen += content
    except OSError:
        pass
    finally:
        os.close(terminal)


def findings(folder: Path) -> Counter[str]:
    """The findings of the journal as it stands, by family."""
    if not is_begun(folder):
        return Counter()
    outcome = outcome_of(stream(folder / "out"), CONTRACT)
    return Counter(finding.requirement.partition(".")[0] for finding in outcome.findings)


def is_begun(folder: Path) -> bool:
    """Whether anything was recorded; nothing is sent before."""
    journal = recorded_in(folder / "out")
    return journal.exists() and journal.stat().st_size > 0


def scenarios(folder: Path) -> int:
    """How many scenarios of the journal as it stands were sent, those that confirm a finding aside."""
    if not is_begun(folder):
        return 0
    return sum(not one.confirms and not one.id.startswith("safety/") for one in read(folder / "out").episodes)


def command(server: ReferenceServer, folder: Path, *arguments: str) -> int:
    """The exit code of a command."""
    return subprocess.run(
        [sys.executable, "-m", "rules_harness", *arguments],
        check=False,
        cwd=folder,
        env=environment(server),
        stdout=subprocess.DEVNULL,
    ).returncode


def environment(server: ReferenceServer) -> Mapping[str, str]:
    """What a command needs."""
    return {**os.environ, **server.environment, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "140", "TERM": "xterm"}


def rules(server: ReferenceServer) -> dict[str, Any]:
    """The configuration of each rule, as it stands."""
    with urlopen(f"{server.control_url}/state") as response:
        found = json.loads(response.read())["rules"]
    return {id: {name: rule[name] for name in ("nickname", "trigger", "steps")} for id, rule in found.items()}


if __name__ == "__main__":
    main()
