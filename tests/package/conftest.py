"""The built wheel, and an environment that has it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment in which the wheel is installed; what it depends on is taken from here."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Of a folder on this path the .pth files are not read, so that this repository's editable install is not seen.
    path = os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]])
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "", "PYTHONNOUSERSITE": "1"}
