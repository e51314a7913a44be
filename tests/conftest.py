"""After each test nothing is left behind: see `streampy_leaks` in pyproject.toml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from tempfile import mkdtemp

import pytest

for unlike_a_users in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):  # what the tests start is to find none of them
    os.environ.pop(unlike_a_users, None)


@pytest.fixture(scope="session", autouse=True)
def _own_runtime_folder() -> Iterator[None]:
    """Whatever is killed leaves its socket in a folder of the tests; its path is short, as sockets want it."""
    folder = mkdtemp(prefix="sp-")
    os.environ["STREAMPY_RUNTIME_DIR"] = folder
    yield
    shutil.rmtree(folder, ignore_errors=True)
