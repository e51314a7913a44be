"""How these tests wait: for what is to come about, and never longer than that."""

import threading
from collections.abc import Callable
from time import monotonic

from streampy.run.control.client import Address, Gone, find

SOON = 20.0


def until(what: Callable[[], object], within: float = SOON) -> object:
    """Wait until it is so; returns what is."""
    end, never = monotonic() + within, threading.Event()
    while not (found := what()):
        assert monotonic() < end, f"{what} did not come about within {within:g} s"
        never.wait(0.02)
    return found


def all_running(count: int = 1) -> list[Address]:
    """Those that run, once so many do."""

    def look() -> list[Address]:
        try:
            there = find()
        except Gone:
            return []
        return there if len(there) == count and all(one.head["state"] == "running" for one in there) else []

    return until(look)
