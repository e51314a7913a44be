"""The pytest plug-in names what a test left behind, and who made it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streampy.memory.sweep import _began
from streampy.testing.leaks import left_since, look

LEAVING = """
import pathlib, socket, subprocess, sys, threading, time
import pytest
import streampy as sp

kept = []


def never(number: int) -> int:
    threading.Event().wait()
    return number


async def never_async(number: int) -> int:
    import asyncio
    await asyncio.Event().wait()
    return number


def leave_a_worker(unit):
    running = sp.run(sp.Process("left").add("never", unit))
    running.push("never", 1)
    kept.append(running)


def test_worker():
    leave_a_worker(never)


def test_loop():
    leave_a_worker(never_async)


def test_thread():
    threading.Thread(target=threading.Event().wait, name="mine", daemon=True).start()


def test_child():
    words = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE)
    kept.append(child)
    with child.stdout as told:
        told.readline()


def test_socket():
    kept.append(socket.create_server(("127.0.0.1", 0)))


def test_file(tmp_path):
    kept.append((tmp_path / "left.txt").open("w"))


def test_shared_memory():
    open("/dev/shm/streampy-test-of-leaks", "w").close()


@pytest.mark.leaves_a_thread
def test_allowed_thread():
    leave_a_worker(never)


def test_clean(tmp_path):
    (tmp_path / "closed.txt").write_text("x")
    with sp.run(sp.Process("clean").add("same", lambda number: number)) as running:
        assert 1 == running.call("same", 1)


@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_what_a_module_shares(server):
    pass


def teardown_module():
    pathlib.Path("/dev/shm/streampy-test-of-leaks").unlink(missing_ok=True)
    for one in kept:
        if isinstance(one, subprocess.Popen):
            one.kill()
            one.wait()
        elif not isinstance(one, sp.Running):
            one.close()
"""


def run_pytest(folder: Path, *words: str) -> str:
    (folder / "test_leaving.py").write_text(LEAVING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rE", *words, "test_leaving.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout


@pytest.mark.long
def test_what_is_left_is_named(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nstreampy_leaks = true\n")
    told = run_pytest(tmp_path)
    assert "10 passed, 7 errors" in told
    assert "thread 'streampy never', at" in told
    assert "in never" in told
    assert "thread 'streampy left loop', at" in told
    assert "with the tasks Task-1, streampy never" in told
    assert "thread 'mine'" in told
    assert "time.sleep(60)" in told
    assert "a socket at ('127.0.0.1'," in told
    assert "left.txt, held by <_io" in told
    assert "shared memory /dev/shm/streampy-test-of-leaks" in told


def test_nobody_looks_who_was_not_asked(tmp_path):
    assert "4 passed, 6 deselected" in run_pytest(tmp_path, "-k", "thread or shared_memory or clean")


def test_one_test_can_ask(tmp_path):
    (tmp_path / "conftest.py").write_text("import pytest\n@pytest.fixture(autouse=True)\ndef ask(no_leaks): pass\n")
    assert "1 passed, 9 deselected, 1 error" in run_pytest(tmp_path, "-k", "socket")


def test_shared_memory_of_a_run_that_does_not_come_from_here_is_not_told():
    pid = os.getppid()
    before = look()
    file = Path(f"/dev/shm/streampy-{pid}.{_began(pid)}.abcdef-test-of-leaks")  # noqa: S108 - where it looks
    file.touch()
    try:
        assert [] == left_since(before)
    finally:
        file.unlink()
