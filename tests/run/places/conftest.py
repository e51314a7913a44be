"""A nursery, and children that speak over a socket."""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from streampy.run.places.child import Child
from streampy.run.places.launch import Nursery

SOON = 20.0
"""Seconds in which what must happen has to happen, on a busy machine."""

collect_ignore = ["few_units.py"]
"""What is no test, and is imported by others from its folder."""


def soon() -> float:
    return monotonic() + SOON


class Family:
    """Children of a nursery, each with a socket to it."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self._sockets = ExitStack()
        self._of: dict[Child, socket.socket] = {}

    def bear(self, life: str, *, name: str = "child", **options: Any) -> Child:
        ours, theirs = socket.socketpair()
        ours.settimeout(SOON)
        self._sockets.enter_context(closing(ours))
        with theirs:
            child = self.nursery.bear(name, f"nursery_lives:{life}", theirs.fileno(), **options)
        self._of[child] = ours
        return child

    def heard(self, child: Child) -> Any:
        """The next thing that the child tells."""
        return json.loads(self._of[child].recv(1 << 20))

    def heard_all(self, child: Child) -> str:
        """All that it tells until its end."""
        data = b""
        while more := self._of[child].recv(1 << 20):
            data += more
        return data.decode()

    def tell(self, child: Child) -> None:
        self._of[child].send(b"!")

    def close(self) -> None:
        self._sockets.close()


@pytest.fixture
def lives_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children find `nursery_lives`."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def nursery(lives_path: None) -> Iterator[Nursery]:
    with Nursery("test", preload=()) as one:
        yield one


@pytest.fixture
def family(nursery: Nursery) -> Iterator[Family]:
    with closing(Family(nursery)) as one:
        yield one


def ends(pids: list[int], until: float) -> list[int]:
    """Wait until these OS processes have ended; returns those that live past `until`."""
    poll = select.poll()
    with ExitStack() as opened:
        waiting = {}
        for pid in pids:
            try:
                file = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            opened.callback(os.close, file)
            waiting[file] = pid
            poll.register(file, select.POLLIN)
        while waiting and (left := until - monotonic()) > 0:
            for file, _ in poll.poll(left * 1000):
                poll.unregister(file)
                del waiting[file]
        return list(waiting.values())
