"""The stacks of the zoo: what each needs, and what its README says about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = ROOT / ".zoo"
"""Where the zoo builds, runs and keeps its results; nothing there is part of the repository."""
INSTALL_SECONDS = 600
_ENVIRONMENT = WORK / "fastapi"
_CELL = re.compile(r"(?<!\\)\|")


class Mistake(msgspec.Struct, frozen=True):
    """One line of a table in a README: its name, what it does, and the requirements that it breaks, if any."""

    name: str
    text: str
    breaks: tuple[str, ...] = ()


class Missing(Exception):
    """What this machine lacks for a stack, and cannot get."""


class NotStarted(Exception):
    """A server that does not come to answer."""


class Stack(msgspec.Struct, frozen=True):
    """A server in ``tests/targets/NAME``, and what it takes to run it.

    ``probe`` is a command of the shell that succeeds where Debian's ``packages`` (or others as good) are there;
    ``prepare`` fetches what ``wanted`` lists from the language's own index, and ``fetched`` is there afterwards;
    ``environment`` is what ``run.sh`` needs to be told.
    """

    name: str
    title: str
    port: int
    probe: str
    packages: tuple[str, ...]
    prepare: Callable[[], None] | None = None
    wanted: Path = HERE
    fetched: Path = HERE
    environment: dict[str, str] = {}
    without: frozenset[str] = frozenset()
    """Habits that it does not have."""

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        return _table(self.folder / "README.md", "Mistakes")

    @property
    def allowed(self) -> tuple[Mistake, ...]:
        return _table(self.folder / "README.md", "Allowed")

    def is_ready(self) -> bool:
        """Whether all that it needs is there."""
        return self._has_packages() and self._has_fetched()

    def install(self) -> None:
        """Get what it needs. Raises `Missing`."""
        if not self._has_packages():
            _install_packages(self.packages)
        if self.prepare is not None and not self._has_fetched():
            self.prepare()

    def _has_packages(self) -> bool:
        return subprocess.run(["sh", "-c", self.probe], capture_output=True, check=False).returncode == 0

    def _has_fetched(self) -> bool:
        return self.fetched.exists() and self.fetched.stat().st_mtime >= self.wanted.stat().st_mtime


def _table(readme: Path, heading: str) -> tuple[Mistake, ...]:
    """The rows of the first table below the heading."""
    _, _, section = readme.read_text(encoding="utf-8").partition(f"\n## {heading}")
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")][2:]
    return tuple(_row(line) for line in rows)


def _row(line: str) -> Mistake:
    name, text, *more = (cell.strip() for cell in _CELL.split(line)[1:-1])
    return Mistake(name, text, tuple(re.findall(r"[a-z-]+\.[a-z-]+", more[0])) if more else ())


def _install_packages(names: tuple[str, ...]) -> None:
    wanted = " ".join(names)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"{wanted} (from Debian; installing takes root and apt-get)")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "update", "-qq", env=quiet)
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, env=quiet)


def _run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise Missing(f"{' '.join(command[:3])} ended with {error.returncode}: {' '.join(last)}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(str(error)) from None


def _fetch_for_fastapi() -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT))
    pip = (str(_ENVIRONMENT / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--requirement", str(HERE / "fastapi/requirements.txt"))
    (_ENVIRONMENT / "fetched").touch()


def _fetch_for_express() -> None:
    """Without a lock file: that would name the index that it was made with."""
    _run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=HERE / "express")


STACKS = (
    Stack(
        "fastapi",
        "FastAPI, pydantic, SQLAlchemy on SQLite",
        9611,
        f"{sys.executable} -m ensurepip --version",
        ("python3-venv",),
        prepare=_fetch_for_fastapi,
        wanted=HERE / "fastapi/requirements.txt",
        fetched=_ENVIRONMENT / "fetched",
        environment={"PYTHON": str(_ENVIRONMENT / "bin/python")},
    ),
    Stack(
        "express",
        "Express, zod, express-idempotency",
        7101,
        "command -v node && command -v npm",
        ("nodejs", "npm"),
        prepare=_fetch_for_express,
        wanted=HERE / "express/package.json",
        fetched=HERE / "express/node_modules/.package-lock.json",
        without=frozenset({"lag", "share"}),
    ),
    Stack("go", "Go, net/http and encoding/json", 7301, "command -v go", ("golang-go",)),
    Stack(
        "php",
        "PHP's built-in server, SQLite",
        7302,
        "php -r 'new PDO(\"sqlite::memory:\"); pcntl_async_signals();'",
        ("php-cli", "php-sqlite3"),
    ),
    Stack(
        "java",
        "Jackson on the JDK's HttpServer",
        7303,
        "command -v javac && test -e /usr/share/java/jackson-databind.jar",
        ("default-jdk-headless", "libjackson2-databind-java"),
    ),
    Stack(
        "ruby",
        "Sinatra on puma",
        7304,
        "command -v puma && ruby -e 'require \"sinatra/base\"'",
        ("ruby-sinatra", "puma"),
    ),
    Stack(
        "perl",
        "Mojolicious, DBD::SQLite",
        7305,
        "perl -e 'use Mojolicious::Lite; use DBD::SQLite;'",
        ("libmojolicious-perl", "libdbd-sqlite3-perl"),
    ),
)
