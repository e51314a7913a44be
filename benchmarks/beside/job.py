"""What one run has to do: the source, the units and the sink that all ways share, and how much of it.

Knows nothing of how items get from one to the next, nor of StreamPy: it is imported in the environment of each peer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from beside.notes import Notes, has, read
from placed.spins import same, spin

MOST = 200_000
"""Notes that a run may make at one place."""
BROKEN = "the unit broke, as it was told to"
_LOOK = 64
"""Items between two looks at the clock, and between two notes, where there are many."""
_FIRST = 32
"""Notes until half as many are made."""
_PATIENCE = 30.0
"""Seconds until it is no longer waited for the first item to arrive."""
_SHAPES = {"frame": (1080, 1920, 3), "small frame": (480, 640, 3)}
"""Of frames; the small ones are for where many of them may pile up."""


class BrokenUnit(Exception):
    """What a unit raises that is to fail."""


@dataclass(frozen=True)
class Job:
    """All of it in plain values, so that it goes through JSON."""

    way: str
    """Which of an adapter's ways."""
    folder: str
    """Where what is noted lies."""
    item: str = "number"
    """frame | small frame | number | batch | time"""
    does: str = "same"
    """What each unit does: touch | pass_on | same | spin."""
    units: int = 12
    workers: int = 1
    """Of each unit."""
    capacity: int = 8
    """Of each queue, in what travels: an item, or a list of `size`."""
    defaults: bool = False
    """Leave queues as a peer has them where nothing is said."""
    size: int = 1
    """Items of a batch."""
    seconds: float = 1.0
    """For so long items come, ..."""
    rate: float = inf
    """... so many a second, ..."""
    count: int = 10**9
    """... but no more than so many."""
    loops: int = 0
    """Of `spin`."""
    pause: float = 0.0
    """Seconds that the sink takes for each."""
    fails_at: int = -1
    """With which item the unit in the middle raises."""
    streams: int = 1
    """Chains side by side."""
    phase: float = 0.0
    """Of the time between two items: by so much it begins later, for cameras are not in step."""

    @classmethod
    def of(cls, told: str) -> Job:
        """From what `told` gave."""
        return cls(**json.loads(told))

    @property
    def told(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of its frames: rows, columns, colours; uint8."""
        return _SHAPES[self.item]

    def stream(self, number: int) -> Job:
        """One of its streams."""
        folder = Path(self.folder) / f"stream{number}"
        folder.mkdir(exist_ok=True)
        return replace(self, streams=1, folder=str(folder), phase=number / self.streams)

    def items(self, empty: Callable[..., Any] | None = None) -> Iterator[Any]:
        """What the source emits. empty: makes the memory of a frame, as `numpy.empty`, where a peer has its own."""
        if "frame" in self.item:
            return self._frames(empty)
        if self.item == "batch":
            return self._batches()
        return self._in_time() if self.rate == inf else self._noted()

    def unit(self, number: int) -> Callable[[Any], Any]:
        """What the unit of this number does with an item; gives what goes on."""
        if number == self.units // 2 and self.fails_at >= 0:
            return _Fails(self.fails_at, Notes(str(Path(self.folder) / "fault"), 1))
        if number == self.units // 2 and self.fails_at == -2:  # it is to be killed
            return _Tells(str(Path(self.folder) / "pid"))
        if self.does == "spin":
            return partial(spin, loops=self.loops)
        if self.does == "same":
            return same
        from placed import pictures  # noqa: PLC0415 - NumPy, which small items do without

        unit: Callable[[Any], Any] = getattr(pictures, self.does)
        return unit

    def sink(self) -> Sink:
        """The end of the chain."""
        return Sink(self)

    def wait_until_over(self, patience: float = 1.0) -> None:
        """For peers that have no end of a stream: until the source has ended and nothing comes any more."""
        over, seen = Path(self.folder) / "over", (-1, 0.0)
        while True:
            arrived = len(read(Path(self.folder) / "arrived"))
            if arrived != seen[0] or not over.exists():
                seen = (arrived, time.monotonic())
            if time.monotonic() - seen[1] > patience:
                return
            time.sleep(0.1)

    def _in_time(self) -> Iterator[int]:
        """Numbers until there were enough, each when its time has come; then it is noted that it is over.

        The first one goes ahead and is waited for, so that what is slow to start is not behind from the beginning.
        """
        first = yield from self._hello()
        start = time.monotonic() + self.phase / self.rate
        until, look = start + self.seconds, _LOOK if self._is_many else 1
        for number in range(first, self.count):
            if self.rate < inf:
                time.sleep(max(0.0, start + (number - first) / self.rate - time.monotonic()))
            if number % look == 0 and time.monotonic() >= until:
                break
            yield number
        (Path(self.folder) / "over").touch()

    def _hello(self) -> Generator[int, None, int]:
        """Numbers, one a second, until one has arrived; gives the next."""
        limit, number = time.monotonic() + _PATIENCE, 0
        while not self.has_arrived() and time.monotonic() < limit:
            yield number
            number += 1
            again = time.monotonic() + 1.0
            while not self.has_arrived() and time.monotonic() < again:
                time.sleep(0.002)
        return number

    @property
    def _is_many(self) -> bool:
        """Whether items are so small and so many that a look at the clock for each would be felt."""
        return self.item == "number" and self.rate == inf and self.does == "same"

    def has_arrived(self, count: int = 1) -> bool:
        """Whether the sink has noted so many by now."""
        return has(Path(self.folder) / "arrived", count)

    def _frames(self, empty: Callable[..., Any] | None) -> Iterator[Any]:
        import numpy as np  # noqa: PLC0415 - as above

        from placed import pictures  # noqa: PLC0415

        one, sent = pictures.picture(self.shape), self._sent()
        for number in self._in_time():
            frame = (empty or np.empty)(one.shape, np.uint8)
            np.copyto(frame, one)
            pictures.stamp(frame)
            sent.note(number)
            yield frame

    def _batches(self) -> Iterator[list[int]]:
        for number in self._in_time():
            yield list(range(number * self.size, (number + 1) * self.size))

    def _noted(self) -> Iterator[float]:
        sent = self._sent()
        for number in self._in_time():
            sent.note(number)
            yield time.monotonic() if self.item == "time" else number

    def _sent(self) -> Notes:
        return Notes(str(Path(self.folder) / "sent"), MOST)


class Sink:
    """Notes what comes and when: of a frame when it was made, of a batch its last number. May be pickled."""

    def __init__(self, job: Job) -> None:
        self._notes = Notes(str(Path(job.folder) / "arrived"), MOST)
        self._item, self._pause = job.item, job.pause
        self._every, self._left = 1, _FIRST
        self._rarest = _LOOK if job._is_many else 1

    def __call__(self, item: Any) -> None:
        if self._item == "number":
            if item % self._every == 0:
                self._notes.note(item)
                if self._every < self._rarest:
                    self._note_less()
        elif self._item == "time":
            self._notes.note(item)
        elif self._item == "batch":
            self._notes.note(item[-1])
        else:
            from placed.pictures import made  # noqa: PLC0415 - as above

            self._notes.note(made(item))
        if self._pause:
            time.sleep(self._pause)

    def _note_less(self) -> None:
        """Each one at first, and the more there are, the less of them: notes are not to be what is measured."""
        self._left -= 1
        if not self._left:
            self._every, self._left = 2 * self._every, _FIRST


class _Fails:
    """The unit that raises."""

    def __init__(self, at: int, notes: Notes) -> None:
        self._at, self._notes = at, notes

    def __call__(self, item: Any) -> Any:
        if item == self._at:
            self._notes.note(item)
            raise BrokenUnit(BROKEN)
        return item


class _Tells:
    """The unit that tells in which OS process it is."""

    def __init__(self, file: str) -> None:
        self._file, self._told = file, False

    def __call__(self, item: Any) -> Any:
        if not self._told:
            Path(self._file).write_text(str(os.getpid()))
            self._told = True
        return item
