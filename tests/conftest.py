"""After each test nothing is left behind: no thread of a worker, no child."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    children = _children()
    yield
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("streampy")]
    for thread in ours:
        thread.join(5)  # the last thing that a worker does is to say that it is done
    left = [thread.name for thread in ours if thread.is_alive()]
    if request.node.get_closest_marker("leaves_a_thread") is None:
        assert left == []
    assert _children() - children == set()
