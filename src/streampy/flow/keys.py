"""By what the items of a join belong together, and which keys are done.

Pure. Knows nothing of the table in which they wait.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from streampy.model.item import Header, Item
from streampy.model.plan import JoinPlan, Share

_NO_DEPTH: Mapping[str, int] = {}
_MOST = 65_536
"""Keys or gaps that are remembered at the most, however large the table: some megabytes."""


class Keys:
    """Makes the key of an item: its common ancestor, its number in the stream, or something in its value."""

    def __init__(self, plan: JoinPlan, inputs: tuple[str, ...]) -> None:
        self._key = plan.settings.key
        self.is_inherited = self._key == "ancestor"
        self._depths = plan.depths if self.is_inherited else _NO_DEPTH
        self._shares = plan.shares
        self._one_each = {name: Share(self._ways(name), levels=0) for name in inputs}
        self._count = 0

    def _ways(self, name: str) -> int:
        """How many items of a key come to an input where it is not inherited: one of each stream that feeds it."""
        if self._key != "seq":
            return 1
        return sum(ports[name].ways for ports in self._shares.values() if name in ports) or 1

    def depth(self, header: Header) -> int:
        """How much of the fan-out path belongs to the key."""
        return self._depths.get(_source(header), 0)

    def shares(self, header: Header) -> Mapping[str, Share]:
        """What the inputs are to expect of this stream."""
        if not self.is_inherited:
            return self._one_each
        return self._shares.get(_source(header), self._one_each)

    @property
    def are_in_headers(self) -> bool:
        """Whether the key is in the header, so that it is known of an item that ended, and not in its value."""
        return self.is_inherited or self._key == "seq"

    def of(self, header: Header, value: Any) -> Any:
        """The key."""
        if self.is_inherited:
            return (header.stream, header.seq, *header.path[: self.depth(header)])
        if self._key == "seq":
            return ("", header.seq)
        if type(value) is Item:  # what the unit is given, not what the key is in
            value = value.value
        if callable(self._key):
            return (self._key(value),)
        if isinstance(value, Mapping):
            return (value[self._key],)
        return (getattr(value, self._key),)

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
    """Remembers which keys are done, in little memory: the gaps in the numbers of each stream.

    Of the gaps only the newest `room` are remembered: what is missing for longer is too old to come. Other keys
    (parts, values) are remembered until `room` more of them are done.
    """

    def __init__(self, room: int) -> None:
        self._room = min(4 * room + 64, _MOST)
        self._numbers: dict[str, _Numbers] = {}
        self._others: dict[Any, None] = {}

    def has(self, key: Any) -> bool:
        """Whether this key was done already."""
        if _is_number(key):
            numbers = self._numbers.get(key[0])
            return numbers is not None and numbers.has(key[1])
        return key in self._others

    def add(self, key: Any) -> None:
        """This key is done."""
        if _is_number(key):
            numbers = self._numbers.get(key[0])
            if numbers is None:
                numbers = self._numbers[key[0]] = _Numbers(self._room)
            numbers.add(key[1])
            return
        self._others[key] = None
        if len(self._others) > self._room:
            del self._others[next(iter(self._others))]


class _Numbers:
    """A set of numbers from 0: all below `top`, but for the gaps, each from its start up to its stop."""

    __slots__ = ("room", "starts", "stops", "top")

    def __init__(self, room: int) -> None:
        self.room = room
        self.top = 0
        self.starts: list[int] = []
        self.stops: list[int] = []

    def has(self, number: int) -> bool:
        if number >= self.top:
            return False
        gap = bisect_right(self.starts, number) - 1
        return gap < 0 or number >= self.stops[gap]

    def add(self, number: int) -> None:
        if number >= self.top:
            if number > self.top:
                self.starts.append(self.top)
                self.stops.append(number)
            self.top = number + 1
        elif not self.has(number):
            gap = bisect_right(self.starts, number) - 1
            start, stop = self.starts[gap], self.stops[gap]
            left = [(first, last) for first, last in ((start, number), (number + 1, stop)) if first < last]
            self.starts[gap : gap + 1] = [first for first, _ in left]
            self.stops[gap : gap + 1] = [last for _, last in left]
        if len(self.starts) > self.room:
            del self.starts[0], self.stops[0]


def _is_number(key: Any) -> bool:
    return type(key) is tuple and len(key) == 2 and type(key[0]) is str and type(key[1]) is int  # noqa: PLR2004 - stream and number


def _source(header: Header) -> str:
    """The unit behind a stream: `camera#1` is a worker of `camera`, `camera@edge-1f` came from another segment."""
    return header.stream.partition("@")[0].partition("#")[0]
