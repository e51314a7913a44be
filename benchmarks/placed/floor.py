"""The floor: what the system and Python give where there is no framework at all.

Knows nothing of errors, counts and deaths. Frames lie in blocks that all OS processes have mapped; what travels is the
number of a block, over a Unix seqpacket socket; who is done with a block gives its number back to who owns it.
"""

from __future__ import annotations

import mmap
import pickle
import socket
import struct
import time
from collections.abc import Callable
from itertools import pairwise
from math import inf

import numpy as np

from placed import spins
from placed.arrivals import Arrivals
from placed.forked import fork, run_all, wait_for
from placed.pictures import BYTES, SHAPE, Frame, made, paced, picture, stamp, touch

UNITS = 12
_NUMBER = struct.Struct("<q")
_END = -1
_MOST = 1 << 16


class Line:
    """A way from one OS process to another."""

    def __init__(self) -> None:
        self._from, self._to = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def send(self, number: int) -> None:
        """A number."""
        self._from.send(_NUMBER.pack(number))

    def receive(self) -> int:
        """The next number, waited for."""
        number: int = _NUMBER.unpack(self._to.recv(_NUMBER.size))[0]
        return number

    def send_bytes(self, data: bytes) -> None:
        """Bytes; none: the end."""
        self._from.send(data or b"\0")

    def receive_bytes(self) -> bytes:
        """The next, waited for; none: the end."""
        data = self._to.recv(_MOST)
        return b"" if data == b"\0" else data


class Blocks:
    """So many frames in memory that all OS processes forked later have mapped; one of these owns it."""

    def __init__(self, count: int) -> None:
        memory = mmap.mmap(-1, count * BYTES)
        self._frames = np.frombuffer(memory, np.uint8).reshape(count, *SHAPE)
        self._frames[:] = 0  # else the first frame in each would pay for the memory
        self._free = list(range(count))
        self._returned = Line()

    def take(self) -> int:
        """The number of one that is free, waited for. At its owner."""
        return self._free.pop() if self._free else self._returned.receive()

    def give_back(self, number: int) -> None:
        """It is needed no more. At whoever got it last."""
        self._returned.send(number)

    def __getitem__(self, number: int) -> Frame:
        frame: Frame = self._frames[number]
        return frame


def latency(file: str, *, seconds: float, rate: float) -> None:
    """See `ours.latency`."""
    blocks = Blocks(8)
    lines = [Line() for _ in range(UNITS + 1)]
    source = _source(blocks, lines[0], int(seconds * rate), rate)
    units = [_unit(blocks, here, there, touch) for here, there in pairwise(lines)]
    run_all([source, *units, _sink(blocks, lines[-1], file)])


def throughput(file: str, *, count: int, writes: bool) -> None:
    """See `ours.throughput`."""
    all_blocks = [Blocks(8 if not writes else 4) for _ in range(3 if writes else 1)]
    lines = [Line() for _ in range(3)]
    works = [_source(all_blocks[0], lines[0], count, inf)]
    for number in range(2):
        here, there = lines[number], lines[number + 1]
        if writes:
            works.append(_writer(all_blocks[number], all_blocks[number + 1], here, there))
        else:
            works.append(_unit(all_blocks[0], here, there, lambda frame: frame[0, 0, 0]))
    works.append(_sink(all_blocks[-1], lines[-1], file))
    run_all(works)


def small(file: str, *, items: int, size: int) -> None:
    """See `ours.small`; batches are lists, pickled."""
    lines = [Line() for _ in range(UNITS + 1)]

    def source() -> None:
        for start in range(0, items, size):
            what = start if size == 1 else list(range(start, start + size))
            lines[0].send_bytes(pickle.dumps(what, 5))
        lines[0].send_bytes(b"")

    def unit(here: Line, there: Line) -> None:
        while data := here.receive_bytes():
            there.send_bytes(pickle.dumps(spins.same(pickle.loads(data)), 5))  # noqa: S301 - our own
        there.send_bytes(b"")

    def sink() -> None:
        arrivals = Arrivals(file)
        while data := lines[-1].receive_bytes():
            what = pickle.loads(data)  # noqa: S301
            arrivals.note(what if size == 1 else what[-1])
        arrivals.save()

    units = [lambda here=here, there=there: unit(here, there) for here, there in pairwise(lines)]
    run_all([source, *units, sink])


def pool(*, items: int, loops: int, workers: int) -> float:
    """Calls a second of so many OS processes that have nothing to do with each other: what the machine gives."""

    def work() -> None:
        for number in range(items // workers):
            spins.spin(number, loops=loops)

    begin = time.monotonic()
    run_all([work] * workers)
    return items / (time.monotonic() - begin)


def start(*, count: int) -> float:
    """Seconds until so many OS processes are there: forked by one that has all loaded, which say hello."""
    begin = time.monotonic()
    hello = Line()
    pids = [fork(lambda: hello.send(0)) for _ in range(count)]
    for _ in pids:
        hello.receive()
    seconds = time.monotonic() - begin
    wait_for(pids)
    return seconds


def memcpy(*, blocks: int, seconds: float) -> float:
    """Frames a second that one copies into blocks by turns, as the source does, while nobody else does anything."""
    ring, one = Blocks(blocks), picture()
    for number in range(blocks):
        np.copyto(ring[number], one)
    count, begin = 0, time.monotonic()
    while time.monotonic() < begin + seconds:
        np.copyto(ring[count % blocks], one)
        count += 1
    return count / (time.monotonic() - begin)


def touches(*, seconds: float) -> float:
    """Seconds that one touch of a frame takes in one OS process that does nothing else, at 30 a second."""
    frame, found = picture(), []
    for _ in paced(int(30 * seconds), 30.0):
        begin = time.monotonic()
        touch(frame)
        found.append(time.monotonic() - begin)
    return sorted(found)[len(found) // 2]


def _source(blocks: Blocks, there: Line, count: int, rate: float) -> Callable[[], None]:
    def work() -> None:
        one = picture()
        for _ in paced(count, rate):
            number = blocks.take()
            np.copyto(blocks[number], one)
            stamp(blocks[number])
            there.send(number)
        there.send(_END)

    return work


def _unit(blocks: Blocks, here: Line, there: Line, what: Callable[[Frame], object]) -> Callable[[], None]:
    def work() -> None:
        while (number := here.receive()) != _END:
            what(blocks[number])
            there.send(number)
        there.send(_END)

    return work


def _writer(theirs: Blocks, own: Blocks, here: Line, there: Line) -> Callable[[], None]:
    def work() -> None:
        while (number := here.receive()) != _END:
            new = own.take()
            np.copyto(own[new], theirs[number])
            theirs.give_back(number)
            there.send(new)
        there.send(_END)

    return work


def _sink(blocks: Blocks, here: Line, file: str) -> Callable[[], None]:
    def work() -> None:
        arrivals = Arrivals(file)
        while (number := here.receive()) != _END:
            arrivals.note(made(blocks[number]))
            blocks.give_back(number)
        arrivals.save()

    return work
