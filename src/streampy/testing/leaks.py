"""A pytest plug-in: after a test no thread, OS process, file descriptor or shared memory is left.

It is there once StreamPy is installed, and does nothing until it is asked to: by the fixture `no_leaks`, or for a whole
project by `streampy_leaks = true` in its pytest settings. A test that is marked `leaves_a_thread` may leave threads.
Knows nothing of what the tests do.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from io import IOBase
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import pytest

from streampy.memory.sweep import run_of

_PATIENCE: Final = 5.0
"""Seconds for threads that are about to end: the last thing that a worker does is to say that it is done."""
_LOOK_AGAIN: Final = 0.02
"""Seconds."""
_SHARED_MEMORY: Final = "streampy"
"""How the names of StreamPy's own files in /dev/shm begin."""
_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""OS processes that Python starts once and keeps."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """See pytest."""
    parser.addini("streampy_leaks", "look after each test whether it left anything behind", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """See pytest."""
    config.addinivalue_line("markers", "leaves_a_thread: the test makes something that does not come back in time")


@pytest.fixture
def no_leaks() -> None:
    """Nothing that the test made is left after it: threads, OS processes, file descriptors, shared memory."""


@pytest.fixture(autouse=True)
def _streampy_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """The first of the fixtures of a test, hence the last to look: after all others have given back what they took."""
    if not request.config.getini("streampy_leaks") and "no_leaks" not in request.fixturenames:
        yield
        return
    before = look()
    yield
    left = left_since(before, threads=request.node.get_closest_marker("leaves_a_thread") is None)
    if left:
        pytest.fail("\n  ".join(["the test left behind:", *left]), pytrace=False)


@dataclass(frozen=True, slots=True)
class Look:
    """What there is."""

    threads: frozenset[threading.Thread]
    children: frozenset[str]
    """Numbers of OS processes."""
    files: frozenset[tuple[str, str]]
    """Descriptors, and what they lead to."""
    memory: frozenset[str]


def look() -> Look:
    """What there is now."""
    return Look(
        frozenset(threading.enumerate()),
        frozenset(pid for tasks in Path("/proc/self/task").glob("*/children") for pid in _read(tasks).split()),
        frozenset(_files()),
        frozenset(_memory()),
    )


def _memory() -> Iterator[str]:
    """Files that are of a run of this OS process, of one that is dead, or of none; others run their own tests.

    Where these run at once (pytest-xdist), nobody knows whose dead run it was: who kills one has to look himself.
    """
    has_company = "PYTEST_XDIST_WORKER" in os.environ
    for path in Path("/dev/shm").glob(f"{_SHARED_MEMORY}*"):  # noqa: S108 - is looked at
        pid = run_of(path.name)
        if _is_ours(pid) if pid else not has_company:
            yield path.name


def _is_ours(pid: int) -> bool:
    """Whether an OS process is this one, or comes from it."""
    while pid > 1 and pid != os.getpid():
        words = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        pid = int(words[1]) if words else 0
    return pid == os.getpid()


def left_since(before: Look, *, threads: bool = True) -> list[str]:
    """What was not there before, and who made it; threads are given a moment to end."""
    until = monotonic() + _PATIENCE
    if threads:
        for thread in frozenset(threading.enumerate()) - before.threads:
            with suppress(RuntimeError):  # it is just being started
                thread.join(max(0.0, until - monotonic()))
    now = look()
    while now.memory - before.memory and monotonic() < until:  # it may be another one's, which is about to be swept
        sleep(_LOOK_AGAIN)
        now = look()
    for _ in range(2):  # what nobody holds any more is no leak, nor what only that has held till the first collection
        if now.files - before.files:
            gc.collect()
            now = look()
    told = [_thread(one) for one in now.threads - before.threads if one.is_alive()] if threads else []
    told += [_child(one) for one in now.children - before.children]
    if threads or told:
        told += [_file(*one) for one in now.files - before.files]
    told += [f"shared memory /dev/shm/{one}" for one in now.memory - before.memory]
    return sorted(filter(None, told))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


def _files() -> Iterator[tuple[str, str]]:
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a tenth of the time, twice for each test
        with suppress(OSError):
            yield number, os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - see above


def _thread(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    where, tasks = "", ""
    while frame is not None:
        loop = frame.f_locals.get("self")
        if isinstance(loop, asyncio.AbstractEventLoop) and not tasks:
            names = sorted(task.get_name() for task in asyncio.all_tasks(loop))
            tasks = f", with the tasks {', '.join(names)}" if names else ""
        if not where and not frame.f_globals.get("__name__", "").startswith(("threading", "asyncio", "selectors")):
            where = f", at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
        frame = frame.f_back
    return f"thread {thread.name!r}{where}{tasks}"


def _child(pid: str) -> str:
    words = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()
    if any(helper in words for helper in _HELPERS):
        return ""
    return f"OS process {pid}: {words or 'it has ended, and nobody waited for it'}"


def _file(number: str, target: str) -> str:
    try:
        kind = os.fstat(int(number)).st_mode
    except OSError:
        return ""
    if stat.S_ISCHR(kind) or "/fd" in target or _belongs_to_python(int(number)):
        return ""
    if stat.S_ISSOCK(kind):
        target = _addresses(int(number))
    return f"file descriptor {number}, {target}{_holder(int(number))}"


def _belongs_to_python(number: int) -> bool:
    """Whether it leads to the helper that Python starts once and keeps."""
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    return tracker is not None and getattr(tracker._resource_tracker, "_fd", None) == number


def _addresses(number: int) -> str:
    with closing(socket.socket(fileno=os.dup(number))) as found:
        told = f"a socket at {found.getsockname() or 'no address'}"
        with suppress(OSError):
            told += f" to {found.getpeername() or 'a neighbour'}"
    return told


def _holder(number: int) -> str:
    """The object that holds the descriptor, if any does."""
    for one in gc.get_objects():
        if isinstance(one, socket.socket | IOBase):
            with suppress(Exception):
                if one.fileno() == number:
                    return f", held by {one!r}"
    return ""
