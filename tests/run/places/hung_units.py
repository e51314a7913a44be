"""Units that hang in the tests of `test_hung`; their OS processes import this as a user's module."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import streampy as sp


def numbers(*, until: int) -> Iterator[int]:
    yield from range(until)


def same(number: int) -> int:
    return number


class Hangs(sp.Unit):
    """Hangs on number 3, the first time that it comes, and says so in the FIFO `word` of the folder."""

    def __init__(self, *, how: str, folder: str) -> None:
        self._how = how
        self._folder = Path(folder)

    def work(self, number: int) -> int:
        if number == 3 and self._is_first():
            HOW[self._how]()
        return number

    def _is_first(self) -> bool:
        try:
            (self._folder / "hung").touch(exist_ok=False)
        except FileExistsError:
            return False
        word = os.open(self._folder / "word", os.O_RDWR)  # does not wait for who reads
        os.write(word, b"!")
        self._kept = word  # closed, it would take the word with it
        return True


def sleep() -> None:
    time.sleep(1000)


def match() -> None:
    """One call in C that holds the GIL for hours."""
    re.fullmatch(r"(a*)*b", "a" * 64)


def freeze() -> None:
    """The whole OS process stands still, as after `kill -STOP`."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # not to just any of its threads: this one might go on


HOW = {"sleep": sleep, "match": match, "freeze": freeze}


def pid_of(number: int) -> int:
    return os.getpid()
