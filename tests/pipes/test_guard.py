"""Whoever is rung for is woken, once the lock is free."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from threading import Thread

import pytest

from streampy.pipes.base import Bell
from streampy.pipes.guard import Guard, sleeper_here

SOON = 5.0
FILES = Path("/proc/self/fd")


def bell_of(*, passes_turn: bool) -> Bell:
    bell = Bell(Guard())
    bell.passes_turn = passes_turn
    return bell


def test_what_is_to_be_done_afterwards_is_done_when_the_lock_is_given_back_and_once():
    guard = Guard()
    seen: list[str] = []
    with guard:
        guard.afterwards(lambda: seen.append(repr(guard)))
        assert seen == []
    with guard:
        pass
    assert ["<Guard free>"] == seen


@pytest.mark.parametrize("passes_turn", [True, False])
def test_all_that_wait_are_woken(passes_turn):
    bell = bell_of(passes_turn=passes_turn)
    arrived: list[int] = []

    def wait_for_three() -> list[int]:
        with bell.lock:
            while len(arrived) < 3:
                bell.wait(inf)
            return list(arrived)

    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(wait_for_three) for _ in range(3)]
        for number in range(3):
            with bell.lock:
                arrived.append(number)
                bell.ring()
        assert [[0, 1, 2]] * 3 == [one.result(SOON) for one in waiting]


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="only Linux has such files")
def test_the_file_of_a_sleeper_is_closed_when_its_thread_ends():
    links: list[str] = []

    def sleep() -> None:
        sleeper = sleeper_here(Guard())
        assert sleeper is sleeper_here(Guard())
        links.extend(str(one.readlink()) for one in FILES.iterdir() if one.is_symlink())

    before = len(list(FILES.iterdir()))
    thread = Thread(target=sleep)
    thread.start()
    thread.join()
    assert any("eventfd" in link for link in links)
    assert before == len(list(FILES.iterdir()))


def test_the_main_thread_has_no_sleeper_for_it_must_hear_ctrl_c():
    assert sleeper_here(Guard()) is None
