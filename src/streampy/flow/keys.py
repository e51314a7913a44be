"""By what the items of a join belong together, and which keys are done.

Pure. Knows nothing of the table in which they wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streampy.model.item import Header
from streampy.model.plan import JoinPlan, Share

_NO_DEPTH: Mapping[str, int] = {}


class Keys:
    """Makes the key of an item: its common ancestor, its number in the stream, or something in its value."""

    def __init__(self, plan: JoinPlan, inputs: tuple[str, ...]) -> None:
        self._key = plan.settings.key
        self.is_inherited = self._key == "ancestor"
        self._depths = plan.depths if self.is_inherited else _NO_DEPTH
        self._shares = plan.shares
        self._one_each = {name: Share(ways=1, levels=0) for name in inputs}
        self._count = 0

    def depth(self, header: Header) -> int:
        """How much of the fan-out path belongs to the key."""
        return self._depths.get(_source(header), 0)

    def shares(self, header: Header) -> Mapping[str, Share]:
        """What the inputs are to expect of this stream."""
        if not self.is_inherited:
            return self._one_each
        return self._shares.get(_source(header), self._one_each)

    def knows(self, header: Header) -> bool:
        """Whether the key is in the header, so that it is known of an item that ended."""
        del header
        return self.is_inherited or self._key == "seq"

    def of(self, header: Header, value: Any) -> Any:
        """The key."""
        if self.is_inherited:
            return (header.stream, header.seq, *header.path[: self.depth(header)])
        if self._key == "seq":
            return ("", header.seq)
        if callable(self._key):
            return self._key(value)
        if isinstance(value, Mapping):
            return value[self._key]
        return getattr(value, self._key)

    def order(self, key: Any, arrival: int) -> Any:
        """What sorts the keys of a lane."""
        return key[1:] if self.is_inherited or self._key == "seq" else arrival

    def lane(self, header: Header) -> str:
        """Within what the order is kept: a stream, or all where streams are mixed."""
        return header.stream if self.is_inherited else ""

    def header(self, unit: str, first: Header, arrived: list[Header]) -> Header:
        """The identity of what is made of a set: the common ancestor's, or a new one where streams were mixed."""
        if self.is_inherited:
            return first._replace(path=first.path[: self.depth(first)])
        self._count += 1
        born = min(header.born for header in arrived)
        return Header(unit, self._count - 1, born, (), first.deadline, first.meta)


class Done:
    """Remembers which keys are done, in little memory: all numbers of a stream up to a mark, and those above it.

    Other keys (parts, values) are remembered for as long as `room` more of them take to come.
    """

    def __init__(self, room: int) -> None:
        self._room = 4 * room + 64
        self._marks: dict[str, int] = {}
        self._above: dict[str, set[int]] = {}
        self._others: dict[Any, None] = {}

    def has(self, key: Any) -> bool:
        """Whether this key was done already."""
        if _is_number(key):
            stream, seq = key
            return seq < self._marks.get(stream, 0) or seq in self._above.get(stream, ())
        return key in self._others

    def add(self, key: Any) -> None:
        """This key is done."""
        if not _is_number(key):
            self._others[key] = None
            if len(self._others) > self._room:
                del self._others[next(iter(self._others))]
            return
        stream, seq = key
        above = self._above.setdefault(stream, set())
        above.add(seq)
        mark = self._marks.get(stream, 0)
        if len(above) > self._room:  # a gap that never closes: those below it are too old to come
            mark = min(above)
        while mark in above:
            above.remove(mark)
            mark += 1
        self._marks[stream] = mark


def _is_number(key: Any) -> bool:
    return type(key) is tuple and len(key) == 2 and type(key[0]) is str and type(key[1]) is int  # noqa: PLR2004 - stream and number


def _source(header: Header) -> str:
    """The unit behind a stream: `camera#1` is a worker of `camera`."""
    return header.stream.partition("#")[0]
