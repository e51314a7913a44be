"""Decides which items belong together at a join, when a set of them is complete, and what to do when it is late.

Pure: `now` is an argument. A set is complete when for every input all that can come has come: an item, or the news
that it ended elsewhere (`bury`), or how many parts a fan-out had (`close`). So nothing is ever waited for in vain.
Knows nothing of pipes; whoever holds it makes sure that one at a time calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from typing import Any, NamedTuple

from streampy.flow.keys import Done, Keys
from streampy.model.item import Header, Reason, Tombstone
from streampy.model.pipe import Late
from streampy.model.plan import JoinPlan, Share


@dataclass(frozen=True, slots=True)
class JoinInput:
    """What the join must know of an input."""

    name: str
    optional: bool
    gathers: bool
    latest: bool


class Joined(NamedTuple):
    """A set that goes on: the arguments in the order of the inputs."""

    header: Header
    values: tuple[Any, ...]


@dataclass(slots=True)
class Verdict:
    """What a look at the table gave."""

    joined: list[Joined] = field(default_factory=list)
    buried: list[Tombstone] = field(default_factory=list)
    """Sets that will never go on: those downstream must hear of it."""
    lost: list[tuple[Header, Reason]] = field(default_factory=list)
    """Single items that ended here: too late, doubled, or part of a set that was buried."""
    absorbed: list[Header] = field(default_factory=list)
    """Those that went into others."""
    made: list[Header] = field(default_factory=list)
    """Those that were made here: of streams that were mixed, or of a fan-out without parts."""
    late: list[Header] = field(default_factory=list)
    """Sets that were not complete in time, where the settings call that an error."""
    done: list[Header] = field(default_factory=list)
    """Of each set that `began` was told of, and is no more, what it was told."""


class _Parts:
    """What came for one input of a set, level by level of fan-out below the key.

    known[n]: how many items there are at level n; settled[n]: of how many of them we know what became
    (into how many parts they went, or that they ended). Complete where the two are equal at every level.
    """

    __slots__ = ("is_spread", "known", "seen", "settled", "tombstone", "values")

    def __init__(self, share: Share | None) -> None:
        levels = share.levels if share else 0
        self.known = [share.ways if share else 0] + [0] * levels
        self.settled = [0] * (levels + 1)
        self.values: list[tuple[tuple[int, ...], Any, Header]] = []
        self.seen: set[tuple[int, ...]] | None = set() if share and share.ways == 1 else None
        self.tombstone: Tombstone | None = None
        self.is_spread = False

    @property
    def is_complete(self) -> bool:
        return self.known == self.settled

    @property
    def is_missing(self) -> bool:
        """Whether it ended before it arrived or went into parts, on whatever way."""
        return self.tombstone is not None and not self.is_spread and not self.values


class _Set:
    __slots__ = ("first", "is_late", "key", "lane", "parts", "since")

    def __init__(self, key: Any, lane: str, since: float, first: Header, parts: dict[str, _Parts]) -> None:
        self.key, self.lane, self.since, self.parts = key, lane, since, parts
        self.first = first
        """Of whatever came first, be it news: it stands for the set where nothing else comes."""
        self.is_late: Reason | None = None

    @property
    def is_known_to_be_empty(self) -> bool:
        """Whether, where nothing arrived, that is all there is: fan-outs without parts, and nothing that is missing."""
        several = self.parts.values()
        return any(parts.is_spread for parts in several) and not any(parts.is_missing for parts in several)

    @property
    def is_complete(self) -> bool:
        return all(parts.is_complete for parts in self.parts.values())


class Joiner:
    """The table of one join. `unit` names it in headers and tombstones."""

    def __init__(self, unit: str, plan: JoinPlan, inputs: Mapping[str, JoinInput], *, ordered: bool) -> None:
        self.unit = unit
        self.capacity = plan.settings.capacity
        self.high_water = 0
        self._inputs = inputs
        self._wait = plan.settings.wait
        self._late = plan.settings.late
        self._shares = plan.shares
        self._keys = Keys(plan, tuple(name for name, port in inputs.items() if not port.latest))
        self.looks_into_values = not self._keys.are_in_headers
        """Whether the key is in the values."""
        self._done = Done(self.capacity)
        self._ordered = ordered
        self._sets: dict[Any, _Set] = {}
        self._order: dict[str, list[tuple[Any, Any]]] = {}
        self._newest: dict[str, Any] = {name: None for name, port in inputs.items() if port.latest}
        self._ripe: list[_Set] = []
        self._made = 0
        self._verdict = Verdict()
        self.began: Callable[[Header], object] | None = None
        """Is told of each new set what came first for it, be it news alone: the item is not over before the set is."""

    def __len__(self) -> int:
        """How many items wait: in the table, and in sets that are ready to go on."""
        waiting = [*self._sets.values(), *self._ripe]
        return sum(len(parts.values) for one in waiting for parts in one.parts.values())

    @property
    def is_of_items(self) -> bool:
        """Whether a set is of parts of one item."""
        return self._keys.is_inherited

    @property
    def has_ripe(self) -> bool:
        """Whether sets are ready to go on: until they are taken, there is no need to add more."""
        return bool(self._ripe)

    def add(self, port: str, header: Header, value: Any, now: float) -> None:
        """An item arrived. `value` is what the unit will be given for it."""
        if port in self._newest:
            self._newest[port] = value
            self._verdict.absorbed.append(header)
            return
        group = self._set(self._keys.of(header, value), header, now)
        if group is None:
            self._verdict.lost.append((header, Reason.EXPIRED))
            return
        parts = group.parts[port]
        path = header.path[self._keys.depth(header) :]
        if parts.seen is not None:
            if path in parts.seen:
                self._verdict.lost.append((header, Reason.DROPPED))
                return
            parts.seen.add(path)
        parts.values.append((path, value, header))
        parts.settled[-1] += 1
        self._look_at(group)

    def bury(self, port: str, tombstone: Tombstone, ways: int, now: float) -> None:
        """An item ended: nothing of it will come to this input, on `ways` ways."""
        found = self._find(port, tombstone.header, now)
        if found is None:
            return
        group, parts, level = found
        parts.settled[level] += ways
        if not level and (parts.tombstone is None or parts.tombstone.reason is Reason.FILTERED):
            parts.tombstone = tombstone  # where it came on several ways: that it did not take one is no news
        self._look_at(group)

    def close(self, port: str, header: Header, count: int, ways: int, now: float) -> None:
        """An item went into `count` parts, on `ways` ways to this input."""
        found = self._find(port, header, now)
        if found is None:
            return
        group, parts, level = found
        parts.is_spread = True
        parts.settled[level] += ways
        parts.known[level + 1] += count * ways
        self._look_at(group)

    def _find(self, port: str, header: Header, now: float) -> tuple[_Set, _Parts, int] | None:
        """Whom news of an item concern, and at which level below the key; None where nobody waits for it any more."""
        if port in self._newest:
            return None  # the newest value stays what it was
        level = len(header.path) - self._keys.depth(header)
        if level < 0 or not self._keys.are_in_headers:
            return None
        group = self._set(self._keys.of(header, None), header, now)
        return None if group is None else (group, group.parts[port], level)

    def due(self) -> float:
        """When a set will be late: `inf` where none can be; 0 where something is to be taken now."""
        if self._ripe or self._has_verdict:
            return 0.0
        if self._wait == inf:
            return inf
        return next(
            (one.since + self._wait for one in self._sets.values() if one.is_late is None and not one.is_complete), inf
        )

    @property
    def _has_verdict(self) -> bool:
        verdict = self._verdict
        return bool(verdict.joined or verdict.buried or verdict.lost or verdict.late or verdict.absorbed)

    def take(self, now: float, at_most: float = inf) -> Verdict:
        """The sets that go on now, `at_most` so many, and all that ended.

        None is called late while others are ready: its parts may be there, and not yet added.
        """
        if self._wait < inf and not self._ripe:
            for one in self._overdue(now):
                self._let_go_late(one, Reason.EXPIRED)
        joined = self._verdict.joined
        while self._ripe and len(joined) < at_most:
            ripe = self._ripe.pop(0)
            if self.began is not None:
                self._verdict.done.append(ripe.first)
            self._fire(ripe)
        verdict, self._verdict = self._verdict, Verdict()
        return verdict

    def finish(self) -> None:
        """Nothing more will come: what still waits is late."""
        for one in list(self._sets.values()):
            if one.is_late is None and not one.is_complete:
                self._let_go_late(one, Reason.EXPIRED)

    def _overdue(self, now: float) -> list[_Set]:
        overdue: list[_Set] = []
        for one in self._sets.values():  # in the order in which they were made
            if one.since + self._wait > now:
                break
            if one.is_late is None and not one.is_complete:
                overdue.append(one)
        return overdue

    def _set(self, key: Any, header: Header, now: float) -> _Set | None:
        """The set of this key, made where there is none; None where it is done already."""
        found = self._sets.get(key)
        if found is not None or self._done.has(key):
            return found
        if len(self._sets) >= self.capacity:
            self._evict()
        shares = self._keys.shares(header)
        parts = {name: _Parts(shares.get(name)) for name, port in self._inputs.items() if not port.latest}
        self._made += 1
        if self.began is not None:
            self.began(header)
        made = self._sets[key] = _Set(key, self._keys.lane(header), now, header, parts)
        if self._ordered:
            heappush(self._order.setdefault(made.lane, []), (self._keys.order(key, self._made), key))
        self.high_water = max(self.high_water, len(self._sets))
        return made

    def _evict(self) -> None:
        """Treat the oldest set as late; where order is kept, the one that all others of its stream wait for."""
        oldest = next(iter(self._sets.values()))
        if self._ordered:
            oldest = self._sets[self._order[oldest.lane][0][1]]
        self._let_go_late(oldest, Reason.DROPPED)

    def _look_at(self, group: _Set) -> None:
        if group.is_complete:
            self._let_go(group)

    def _let_go_late(self, group: _Set, reason: Reason) -> None:
        group.is_late = reason
        self._let_go(group)

    def _let_go(self, group: _Set) -> None:
        """Take a set that is complete or late, and where order is kept those that waited for it, from the table."""
        if not self._ordered:
            self._sets.pop(group.key)
            self._ripen(group)
            return
        lane = self._order[group.lane]
        while lane and (first := self._sets[lane[0][1]]) and (first.is_complete or first.is_late is not None):
            heappop(lane)
            self._sets.pop(first.key)
            self._ripen(first)
        if not lane:
            del self._order[group.lane]

    def _ripen(self, group: _Set) -> None:
        self._done.add(group.key)
        self._ripe.append(group)

    def _fire(self, group: _Set) -> None:
        arrived = [header for parts in group.parts.values() for _, _, header in parts.values]
        if group.is_late is not None and self._late is not Late.PARTIAL:
            if self._late is Late.ERROR:
                self._verdict.late.extend(arrived[:1])
            self._lose(group, arrived, None)
            return
        values: list[Any] = []
        for name, port in self._inputs.items():
            if port.latest:
                values.append(self._newest[name])
                continue
            parts = group.parts[name]
            if port.gathers:
                parts.values.sort(key=lambda part: part[0])
                is_unknown = port.optional and (parts.is_missing or not parts.is_complete)
                values.append(None if is_unknown else [value for _, value, _ in parts.values])
            elif parts.values:
                values.append(parts.values[0][1])
            elif port.optional:
                values.append(None)
            else:
                self._lose(group, arrived, parts.tombstone)
                return
        if not arrived and not group.is_known_to_be_empty:
            self._lose(group, arrived, next(filter(None, (parts.tombstone for parts in group.parts.values())), None))
            return
        header = self._header(group, arrived)
        self._verdict.joined.append(Joined(header, tuple(values)))
        goes_on = self._keys.is_inherited and bool(arrived)  # as the first of them: the others went into it
        self._verdict.absorbed.extend(arrived[goes_on:])
        if not goes_on:
            self._verdict.made.append(header)

    def _header(self, group: _Set, arrived: list[Header]) -> Header:
        first = min(arrived, key=lambda header: len(header.path), default=group.first)
        return self._keys.header(self.unit, first, arrived)

    def _lose(self, group: _Set, arrived: list[Header], tombstone: Tombstone | None) -> None:
        """The set does not go on, for the reason for which a part of it ended, or because it is late."""
        late = group.is_late or Reason.FILTERED
        reason, where, cause = tombstone[1:] if tombstone is not None else (late, self.unit, None)
        self._verdict.lost.extend((header, reason) for header in arrived)
        if self._keys.is_inherited:
            self._verdict.buried.append(Tombstone(self._header(group, arrived), reason, where, cause))
