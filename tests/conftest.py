from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest


@pytest.fixture(scope="session", autouse=True)
def locks_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run side by side against targets of one name, each a server of its own: none is another run of a rule."""
    with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("locks"))}):
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Commands in processes of their own keep what they compile, wherever the tests run: a third of what the start of
    one takes."""
    with mock.patch.dict(os.environ):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        yield
