"""Spreads items over the replicas of another segment, and keeps each until all that became of it there has ended.

Pure. Knows nothing of connections: it says what is to be sent where, and is told who came, who went, and what was
answered. All items of a family go to one replica, because the parts of a frame may meet at a join there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from streampy.flow.families import Family

_FEW: Final = 64
"""Deadlines that are kept although they concern nobody any more."""
R = TypeVar("R", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Kept(Generic[R, T]):
    """Something that was given to a replica, and is given to another one where that dies."""

    number: int
    family: Family
    way: str
    """The link that it goes over; "" for news, which take no room."""
    what: T
    until: float
    """Seconds: past it nobody waits for an answer any more."""
    replica: R | None
    """Who has it; None where nobody is there."""


@dataclass(slots=True)
class _Household(Generic[R]):
    """A family of which something is kept."""

    replica: R | None
    numbers: list[int] = field(default_factory=list)


class Dispatch(Generic[R, T]):
    """What one other segment has of ours. One caller at a time."""

    def __init__(self, window: int) -> None:
        """Window: items that a replica may have of each way at once."""
        self._window = window
        self._last = 0
        self._kept: dict[int, Kept[R, T]] = {}
        self._families: dict[Family, _Household[R]] = {}
        self._load: dict[R, Counter[str]] = {}
        self._leaving: set[R] = set()
        self._choked: set[R] = set()
        self._open: set[str] = set()
        self._gathered: set[str] = set()
        self._deadlines: list[tuple[float, int]] = []

    def __len__(self) -> int:
        """Items and news that nobody has answered."""
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<Dispatch: {len(self)} items at {len(self._load)} replicas>"

    @property
    def replicas(self) -> list[R]:
        """All that are there, those that are about to go among them."""
        return list(self._load)

    def lift(self, way: str) -> None:
        """No window for this way: over there, items may wait for those of other families that come behind them."""
        self._open.add(way)

    def gather(self, way: str) -> None:
        """No window for more of a family that is there: over there, parts of it may wait for each other."""
        self._gathered.add(way)

    def replica_of(self, family: Family) -> R | None:
        """Who has something of a family; None where nobody has."""
        house = self._families.get(family)
        return None if house is None else house.replica

    def has(self, family: Family) -> bool:
        """Whether anything of a family is kept."""
        return family in self._families

    def has_room(self, way: str) -> bool:
        """Whether an item of a new family could be given to anybody."""
        return self._idlest(way) is not None

    def idlest(self) -> R | None:
        """Whoever takes new families and has least to do; None where nobody is there."""
        return self._idlest("")

    def load(self, replica: R) -> int:
        """Items that a replica has not answered."""
        return self._load[replica].total()

    def keep(self, what: T, family: Family, way: str, until: float = inf) -> Kept[R, T] | None:
        """Give an item to a replica: to the one that has its family, else to the one with least to do.

        None where there is no room: try again when something was answered, or somebody came. Where nobody is there, it
        waits here for whoever comes first.
        """
        replica = self.replica_of(family)
        if replica is not None:
            is_free = self._has_room(replica, way, is_there=True)
        else:
            replica = self._idlest(way)
            is_free = replica is not None or not self._load.keys() - self._leaving
        return self._keep(what, family, way, until, replica) if is_free else None

    def keep_news(self, what: T, family: Family, until: float = inf) -> Kept[R, T]:
        """Give news of a family to the replica that has it; whoever gets it next where nobody is there now."""
        house = self._families.get(family)
        return self._keep(what, family, "", until, house.replica if house is not None else self._idlest(""))

    def _keep(self, what: T, family: Family, way: str, until: float, replica: R | None) -> Kept[R, T]:
        self._last += 1
        one = self._kept[self._last] = Kept(self._last, family, way, what, until, replica)
        house = self._families.setdefault(family, _Household(replica))
        house.replica = replica
        house.numbers.append(one.number)
        if way and replica is not None:
            load = self._load.pop(replica)
            load[way] += 1
            self._load[replica] = load  # behind all others: where several have as little to do, they take turns
        if until < inf:
            self._await(until, one.number)
        return one

    def _await(self, until: float, number: int) -> None:
        heappush(self._deadlines, (until, number))
        if len(self._deadlines) > 2 * len(self._kept) + _FEW:  # most of them were answered long before
            self._deadlines = [one for one in self._deadlines if one[1] in self._kept]
            heapify(self._deadlines)

    def _idlest(self, way: str) -> R | None:
        """Of those that take new families, and have room on this way, the one with least to do."""
        free = [
            replica
            for replica in self._load
            if replica not in self._leaving and (not way or self._has_room(replica, way))
        ]
        return min(free, key=self.load, default=None)

    def _has_room(self, replica: R, way: str, *, is_there: bool = False) -> bool:
        """is_there: whether it has something of the family already."""
        is_free = way in self._open or (is_there and way in self._gathered)
        return replica not in self._choked and (is_free or self._load[replica][way] < self._window)

    def choke(self, replica: R) -> None:
        """Much is still on its way to a replica: nothing more is given to it until `flow`."""
        self._choked.add(replica)

    def flow(self, replica: R) -> None:
        """It may be given more."""
        self._choked.discard(replica)

    def settle(self, replica: R, numbers: Iterable[int]) -> list[Kept[R, T]] | None:
        """A replica has answered these together. None where it was not asked: another one was, in its place."""
        answered = [self._kept.get(number) for number in numbers]
        settled = [one for one in answered if one is not None and one.replica == replica]
        if len(settled) < len(answered) or not settled:
            return None
        for one in settled:
            self._drop(one)
        return settled

    def kept(self, replica: R, numbers: Iterable[int]) -> list[Kept[R, T]]:
        """Those of these that a replica has not answered."""
        known = (self._kept.get(number) for number in numbers)
        return [one for one in known if one is not None and one.replica == replica]

    def _drop(self, one: Kept[R, T]) -> None:
        del self._kept[one.number]
        house = self._families[one.family]
        house.numbers.remove(one.number)
        if one.way and one.replica is not None:
            self._load[one.replica][one.way] -= 1
        if not house.numbers:
            del self._families[one.family]

    def asked(self, is_there: Callable[[R], bool]) -> tuple[int, list[int]]:
        """The last number there was, and those that are asked of nobody, or of a replica of which `is_there` is so."""
        return self._last, [one.number for one in self._kept.values() if one.replica is None or is_there(one.replica)]

    def came(self, replica: R) -> list[Kept[R, T]]:
        """A replica is there; returns what nobody had, and it is to be sent now, in this order."""
        self._load[replica] = Counter()
        homeless = [family for family, house in self._families.items() if house.replica is None]
        return self._move(homeless)

    def goes(self, replica: R) -> None:
        """A replica is about to go: it ends what it has, and is given only what belongs to that."""
        self._leaving.add(replica)

    def went(self, replica: R) -> list[Kept[R, T]]:
        """A replica is no more; returns what is to be sent to others now, in this order."""
        self._load.pop(replica, None)
        self._leaving.discard(replica)
        self._choked.discard(replica)
        return self._move([family for family, house in self._families.items() if house.replica == replica])

    def _move(self, families: list[Family]) -> list[Kept[R, T]]:
        """Whoever takes them may have more than the window for a while: they have waited long enough."""
        moved = []
        for family in families:
            house = self._families[family]
            house.replica = self._idlest("")
            for number in house.numbers:
                one = self._kept[number]
                one.replica = house.replica
                if house.replica is not None:
                    moved.append(one)
                    if one.way:
                        self._load[house.replica][one.way] += 1
        return sorted(moved, key=lambda one: one.number)

    @property
    def due(self) -> float:
        """When the next item expires (seconds); `inf` where none does."""
        while self._deadlines and self._deadlines[0][1] not in self._kept:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else inf

    def expire(self, now: float) -> list[Kept[R, T]]:
        """Those that nobody answered in time; what is answered to them later is not taken."""
        expired = []
        while self.due <= now:
            one = self._kept[heappop(self._deadlines)[1]]
            self._drop(one)
            expired.append(one)
        return expired
