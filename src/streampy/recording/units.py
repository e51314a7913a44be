"""Units that write what comes to a file, and give what is in one.

Knows nothing of how a process is changed so that they have a part in it; `rewire` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from streampy.model.item import Header, Item, Replayed
from streampy.model.unit import Unit
from streampy.pipes.net.registered import WireTypes
from streampy.recording.reading import Reader, Recorded
from streampy.recording.types import types_named
from streampy.recording.writing import Writer
from streampy.run.worker import worker


class Recorder(Unit):
    """Write what comes to a file, with its header and when it came. `streampy replay` gives it back."""

    _writer: Writer | None = None

    def __init__(self, *, path: str, types: Sequence[str] = ()) -> None:
        """Choose the file; a recording that is there is overwritten.

        types: the dataclasses and NamedTuples that come, `module:Class`.
        """
        self.path = path
        self.types = types_named(types)
        self.about: Mapping[str, Any] = {}

    def start(self) -> None:
        """Begin the file."""
        self._writer = Writer(self.path, {"unit": worker().unit, **self.about}, self.types)

    def work(self, item: Item[Any]) -> None:
        """Write an item. Raises TypeError where a part of it has no safe form; see `Writer.item`."""
        assert self._writer is not None, "work is called after start"  # noqa: S101 - narrows the type
        self._writer.item(worker().now(), item.header, item.value)

    def stop(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


class Tap(Recorder):
    """Stands beside the reader of a pipe, and records so many of its items."""

    def __init__(
        self,
        *,
        path: str,
        types: WireTypes,
        about: Mapping[str, Any],
        count: float = inf,
        done: Callable[[], object] = lambda: None,
    ) -> None:
        """Done: is called when `count` items are written."""
        super().__init__(path=path)
        self.types = types
        self.about = about
        self.count = count
        self.done = done
        self.written = 0

    def work(self, item: Item[Any]) -> None:
        """Write an item, unless there are enough."""
        if self.written < self.count:
            super().work(item)
            self.written += 1
            if self.written == self.count:
                self.done()


class Recording(Unit):
    """Give the items of a recording, as a source of its own: with their values and `meta`, and new numbers."""

    def __init__(self, *, path: str, speed: float = inf, types: Sequence[str] = ()) -> None:
        """Choose the file.

        speed: 1 gives them as they came, 2 twice as fast, without it each as soon as the last one is taken.
        types: the dataclasses and NamedTuples in it, `module:Class`.
        """
        if not speed > 0:
            raise ValueError(f"Recording: got speed={speed}, expected more than 0")
        self.path = path
        self.speed = speed
        self.types = types_named(types)

    def work(self) -> Iterator[Any]:
        """Give the items.

        Raises:
            FileNotFoundError: no such file.
            RecordingError: it is no recording, or is damaged.

        """
        with opened(self.path, self.types) as reader:
            for recorded in in_time(reader, self.speed):
                now = worker().now()
                yield Item(recorded.value, moved(recorded.header, now - recorded.at))


class Replay(Unit):
    """Give the items of a recording with all that they were, each to the units that are to have it."""

    def __init__(self, *, path: str, speed: float, types: WireTypes, ways: Mapping[str, str], only: str) -> None:
        """Ways: by which output the letters of a unit are given, and the items of none ("").

        only: the letters of this unit; "" for all.
        """
        self.path = path
        self.speed = speed
        self.types = types
        self.ways = ways
        self.only = only

    def work(self) -> Iterator[Any]:
        """Give the items. Raises RecordingError where the file is damaged."""
        with opened(self.path, self.types) as reader:
            for recorded in in_time((one for one in reader if self._is_meant(one)), self.speed):
                header = moved(recorded.header, worker().now() - recorded.at)
                yield Replayed(recorded.value, header, self.ways[recorded.unit])  # `_is_meant` has looked

    def _is_meant(self, recorded: Recorded) -> bool:
        if recorded.unit and self.only not in {"", recorded.unit}:
            return False
        if recorded.unit not in self.ways:
            meant = " and ".join(map(repr, filter(None, self.ways))) or "no unit"
            raise ValueError(f"{self.path}: got a dead letter of {recorded.unit!r}, expected those of {meant}")
        if not recorded.is_whole:
            worker().logger.warning(
                "item %s of %s is left out: only its text was written", recorded.header.key, recorded.unit
            )
        return recorded.is_whole


def opened(path: str, types: WireTypes) -> Reader:
    """A reader from the first item on; the worker tells how many there are, and where the file was cut off."""
    with Reader(path, types) as reader:
        worker().expect(reader.count())
        if reader.cut is not None:
            text = "%s was cut off while it was written, at byte %d: what is before it is read"
            worker().logger.warning(text, path, reader.cut)
    return Reader(path, types)


def in_time(items: Iterable[Recorded], speed: float) -> Iterator[Recorded]:
    """Each when it is its turn, by the clock of the run; none any more once the process is to stop."""
    here = worker()
    begun, first = here.now(), None
    for recorded in items:
        first = recorded.at if first is None else first
        rest = begun + (recorded.at - first) / speed - here.now()
        if rest > 0 and here.sleep(rest):
            return
        yield recorded


def moved(header: Header, seconds: float) -> Header:
    """The same identity so much later: it is as old when it is given as it was when it was recorded."""
    return header._replace(born=header.born + seconds, deadline=header.deadline + seconds)
