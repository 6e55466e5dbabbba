"""Whether a campaign survives kill -9 at any moment: `python -m benchmarks.kills [--kills 30] [--seed 1]`.

One campaign against a faulty target is killed again and again at a random moment after its start, and continued.  After
each kill its journal must be readable and hold every finding that was on the screen or in the journal before; in the
end the campaign goes on to its end, and `restore` has put the rules back.
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from rules_harness.harness.journal import read
from rules_harness.harness.judging.judge import judge
from rules_harness.harness.reference.process import ReferenceServer
from rules_harness.openapi.contract import load

CONTRACT: Final = load()
ROOT: Final = Path(__file__).parents[1]
FAULTS: Final = ("validation.negative-accepted", "envelope.created-201", "status.kept")
LONGEST_SECONDS: Final = 6.0
_SHOWN: Final = re.compile(r"findings\s+((?:[a-z-]+ \d+(?:, )?)+)")


def main() -> None:
    """Kill, look, go on; ends with 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1, help="decides when")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    problems: list[str] = []
    known: Counter[str] = Counter()
    with ReferenceServer() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "profile.toml").write_text(server.profile_toml, encoding="utf-8")
        before = rules(server)
        server.configure(faults=FAULTS)
        for number in range(1, options.kills + 1):
            moment = chance.uniform(0, LONGEST_SECONDS)
            shown = killed(server, folder, moment)
            kept = findings(folder)
            # A campaign that goes on shows what is new.
            lost = (known + shown) - kept
            problems += [f"kill {number}: {family} lost {count} findings" for family, count in lost.items()]
            known = kept
            counted = f"{shown.total()} new on the screen, {kept.total()} in the journal"
            print(f"kill {number:>2} after {moment:4.1f} s: {counted}", flush=True)
        server.configure()
        ended = command(server, folder, "restore", "out", "--target", "profile.toml")
        problems += [] if ended == 0 else [f"restore ended with {ended}"]
        problems += [] if rules(server) == before else ["restore did not put every rule back"]
        ended = command(server, folder, *CONTINUED, "--requests", "200", "--quiet")
        problems += [] if ended == 1 else [f"the campaign went on and ended with {ended}, not with 1"]
        problems += [] if rules(server) == before else ["the campaign did not put every rule back"]
    print("\n".join(problems) or f"{options.kills} kills, nothing lost")
    raise SystemExit(bool(problems))


CAMPAIGN: Final = ("fuzz", "--target", "profile.toml", "--time", "10m", "--workers", "2")
CONTINUED: Final = (*CAMPAIGN, "--continue", "out")


def killed(server: ReferenceServer, folder: Path, seconds: float) -> Counter[str]:
    """Start the campaign or go on with it, kill it after so long, and tell the findings that were on the screen."""
    arguments = CONTINUED if (folder / "out").exists() else CAMPAIGN
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
    shown: Counter[str] = Counter()
    for found in _SHOWN.finditer(text):
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
    if not (folder / "out" / "journal.jsonl").exists():
        return Counter()
    outcome = judge(read(folder / "out"), CONTRACT)
    return Counter(finding.requirement.partition(".")[0] for finding in outcome.findings)


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
