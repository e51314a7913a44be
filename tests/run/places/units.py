"""Units that can live in other OS processes: at the top level of a module that can be imported there.

What they did is told by what comes out of them, or by lines in a file; who has to wait for another waits at a gate: a
named pipe, whose two ends meet in the file system.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from math import inf
from pathlib import Path

import streampy as sp


def note(path: str, what: object) -> None:
    """Add a line to a file that others add to as well."""
    with Path(path).open("a") as file:
        file.write(f"{what}\n")


def notes(path: object) -> list[str]:
    file = Path(str(path))
    return file.read_text().split("\n")[:-1] if file.exists() else []


def make_gate(path: Path) -> str:
    os.mkfifo(path)
    return str(path)


def wait_at(gate: str) -> None:
    """Until `let_through` is called, in whatever OS process."""
    Path(gate).read_bytes()


def let_through(gate: str) -> None:
    """Waits for who waits there."""
    Path(gate).write_bytes(b"!")


def numbers(*, until: int = 5) -> Iterator[int]:
    yield from range(until)


def for_ever() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def same(number: int) -> int:
    return number


async def same_async(number: int) -> int:
    return number


def double(number: int) -> int:
    return 2 * number


def slow(number: int, *, seconds: float = 0.001) -> int:
    sp.worker().sleep(seconds)
    return number


def slow_sink(data: bytes) -> None:
    sp.worker().sleep(0.0005)


def blocks(*, count: int, size: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(size)


def old() -> Iterator[sp.Item[int]]:
    for number in range(10):
        yield sp.Item(number, sp.Header("", 0, -inf if number % 2 else inf))


class Fussy(sp.Unit):
    """Raises where it is told to."""

    def __init__(self, *, at: str | int, log: str = "") -> None:
        self.at, self.log = at, log
        if at == "init":
            raise KeyError("no key")

    def start(self) -> None:
        if self.at == "start":
            raise KeyError("no key")

    def work(self, number: int) -> int:
        if number == self.at:
            raise KeyError("no key")
        return number

    def stop(self) -> None:
        if self.log:
            note(self.log, self.at)
        if self.at == "stop":
            raise KeyError("no key")


def broken_sink(number: int) -> None:
    if number == 3:
        raise OSError("disk full")


def broken_source() -> Iterator[int]:
    yield 1
    raise OSError("camera gone")


def first_two(items: Iterator[int]) -> Iterator[int]:
    yield next(items)
    yield next(items)


async def first_two_async(items: AsyncIterator[int]) -> AsyncIterator[int]:
    yield await anext(items)
    yield await anext(items)


def total(items: Iterator[int]) -> Iterator[int]:
    yield sum(items)


def odd_only(number: int) -> int:
    if number % 2 == 0:
        raise ValueError(f"{number} is even")
    return number


class FailsAtFirst(sp.Unit):
    """Fails on each item as often as it is told, then works."""

    def __init__(self, *, times: int) -> None:
        self.times = times
        self.tried: dict[int, int] = {}

    def work(self, number: int) -> int:
        self.tried[number] = self.tried.get(number, 0) + 1
        if self.tried[number] <= self.times:
            raise ConnectionError("try again")
        return number


def needs_file(number: int, *, path: str) -> int:
    if not Path(path).exists():
        raise ConnectionError("server is down")
    return number


def halve(batch: sp.Batch[int]) -> sp.Batch[int]:
    if 3 in batch:
        raise ValueError("three")
    return sp.Batch(number // 2 for number in batch)


def die(how: str) -> None:
    """End this worker, or its OS process."""
    match how:
        case "exit":
            sys.exit("the driver said so")
        case "os._exit":
            os._exit(7)
        case _:
            os.kill(os.getpid(), signal.Signals[how])


class Mortal(sp.Unit):
    """Dies the first `deaths` times that it is given the number 3."""

    def __init__(self, *, log: str, deaths: int = 1, how: str = "SIGKILL") -> None:
        self.log, self.deaths, self.how = log, deaths, how

    def work(self, number: int) -> Iterator[int]:
        yield number
        if number == 3 and len(notes(self.log)) < self.deaths:
            note(self.log, "died")
            die(self.how)
        yield number


def mortal_source(*, log: str, deaths: int, how: str) -> Iterator[str]:
    lives = len(notes(log))
    yield f"frame of life {lives}"
    if lives < deaths:
        note(log, "died")
        die(how)


def keys(frame: sp.Item[object]) -> str:
    return frame.header.key


def seqs(frame: sp.Item[object]) -> int:
    return frame.seq


class Stuck(sp.Unit):
    """Does not come back from the number 3 the first `times` times, and hears nobody."""

    def __init__(self, *, log: str, times: int = 1) -> None:
        self.log, self.times = log, times

    def work(self, number: int) -> int:
        if number == 3 and len(notes(self.log)) < self.times:
            note(self.log, os.getpid())
            threading.Event().wait(60)
        return number


def silent_source(*, log: str, times: int) -> Iterator[int]:
    lives = len(notes(log))
    yield lives
    if lives < times:
        note(log, os.getpid())
        threading.Event().wait(60)


def repeat(number: int) -> Iterator[int]:
    for _ in range(number % 4):
        yield number


def drop_even(number: int) -> int | None:
    return number if number % 2 else None


def pair(left: int, right: list[int]) -> tuple[int, int]:
    return left, len(right)


class Halved(sp.Outputs):
    again: int
    done: int


def halve_once(number: int) -> Halved:
    return Halved(again=number // 2) if number % 2 == 0 else Halved(done=number)


def some(data: bytes) -> Iterator[bytes]:
    """Of what it is given, a part fails, and a part comes twice."""
    count = data[0]
    if count % 10 == 3:
        raise ValueError("three")
    if count % 10 != 4:
        yield data
        yield data


def counted_blocks(*, count: int, size: int) -> Iterator[bytes]:
    for number in range(count):
        yield bytes([number % 250]) + bytes(size)


def length(data: bytes) -> int:
    return len(data)


def gated_numbers(*, until: int, first: str, rest: str) -> Iterator[int]:
    """The first number; when it has come through, all others; when they are out, who holds the first one is let go."""
    yield 0
    wait_at(first)
    yield from range(1, until)
    let_through(rest)


def gated_sink(number: int, *, first: str, rest: str, log: str) -> None:
    if number == 0:
        let_through(first)
        wait_at(rest)
    note(log, number)


def same_bytes(data: bytes) -> bytes:
    return data
