"""The OS processes of a run beside the main one, and the shared memory through which they are given values.

Knows nothing of the graph, but who lives where.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, final

from streampy.memory.empty import make_arrays_in
from streampy.memory.regions import Regions
from streampy.memory.sizing import require
from streampy.memory.sweep import clear, clear_arena, name_run, sweep
from streampy.model.item import Header, Reason, Tombstone
from streampy.model.place import UNTAKEN
from streampy.model.sendable import reference_of
from streampy.model.unit import events_of
from streampy.pipes.channel import Channel, channel_pair
from streampy.run.places.launch import Nursery
from streampy.run.places.room import Room
from streampy.run.places.routes import Routes
from streampy.run.places.stock import Stock
from streampy.run.places.straight import Straight, StraightDoor
from streampy.run.places.wire import SeatTerms

if TYPE_CHECKING:
    from streampy.model.place import Place, SharedPipe
    from streampy.model.plan import Link, Plan, UnitPlan
    from streampy.run.mourning import Undertaker
    from streampy.run.places.room import Life
    from streampy.run.places.wire import Role
    from streampy.run.trace.tracer import TraceTerms

_log = logging.getLogger("streampy.run")
_LEAST: Final = 8
"""Items, for an OS process whose outputs lead to no pipe of a unit in another one."""
_SENDER, _RECEIVER = 0, 1
_LAST: Final = 1.0
"""Seconds in which what is left must have ended."""


@final
class Rooms:
    """Nothing is started before the first worker of a room comes."""

    def __init__(self, plan: Plan, post: Callable[..., object]) -> None:
        """Post: called where a unit fires an event: see `Worker.fire`.

        Raises NoSharedMemory where there is less than the stated sizes of items ask for.
        """
        if left := sweep():
            _log.info("shared memory of runs that were killed is taken away: %s", ", ".join(left))
        self.run = name_run()
        self.post = post
        self.trace: TraceTerms | None = None
        """What is traced; None where nothing is."""
        self.now = monotonic
        self.regions = Regions()
        self.nursery = Nursery(plan.name, preload=_preload(plan))
        self.routes = Routes(plan)
        self._past: list[Life] = []
        """OS processes that have ended, of whose shared memory somebody may still have something."""
        self._tidying = Lock()
        self._plan = plan
        self._lock = Lock()
        self._closing = Lock()
        self._is_closed = False
        self._ends: dict[Link, list[Channel | None]] = {}
        """Of the channels of straight links: those that are not where they belong yet."""
        self._doors: dict[Link, StraightDoor] = {}
        self._rooms = {place.name: Room(place, self) for place in plan.places if not place.is_main}
        require((self.most(place), item) for place in plan.places if (item := self.item(place)) is not None)
        main = next(place for place in plan.places if place.is_main)
        most, reach, item = self.most(main), self.reach(main), self.item(main)
        self.sharers = len(plan.places)
        self._is_tight = False
        """Whether somebody has told that there is less shared memory than there should be."""
        self.stock = Stock(
            self.run, "main", most, item, reach=reach, sharers=self.sharers, ask=self._ask, tight=self.tight
        )
        self.stock.reserve()
        make_arrays_in(self.stock.arena)

    @property
    def events(self) -> dict[str, list[str]]:
        """Those that each unit has."""
        return {name: list(events_of(unit.spec.use)) for name, unit in self._plan.units.items()}

    def of(self, unit: str, index: int) -> Room:
        """Where a worker lives."""
        return self._rooms[self._plan.place_of(unit, index).name]

    def terms(self, roles: Sequence[Role], ways: frozenset[str]) -> tuple[SeatTerms, list[Channel]]:
        """What a worker must know that is about to come, and the channels that go with it.

        roles: of its chain. ways: the outputs whose items the main OS process wants.
        """
        head, last = (self._plan.units[role.unit] for role in (roles[0], roles[-1]))
        arriving = [link for entry in head.inputs.values() for link in entry.links if link in self.routes.direct]
        leaving = [link for links in last.receivers.values() for link in links if self.routes.leaves_there(link)]
        incoming = [self._straight(link) for link in arriving]
        ends = [self._end(link, _RECEIVER) for link in arriving if not self._stays(link)]
        ends += [self._end(link, _SENDER) for link in leaving if not self._stays(link)]
        outgoing = [self._straight(link) for link in leaving]
        terms = SeatTerms(
            roles,
            incoming[0] if incoming else None,
            outgoing,
            ways,
            self._room_behind(last),
            tells_at_once=head.spec.on_crash.restarts and bool(head.inputs) and not head.ports.is_stream,
            is_on_its_own=self.routes.is_on_its_own(head),
            is_asked=self.routes.is_asked(head),
        )
        return terms, ends

    def _room_behind(self, unit: UnitPlan) -> float:
        """Items that the smallest of the pipes holds that it sends to through the main OS process."""
        units = self._plan.units
        links = [link for several in unit.receivers.values() for link in several if link.receiver in units]
        pipes = [units[link.receiver].inputs[link.input].pipe for link in links if not self.routes.leaves_there(link)]
        return min((pipe.capacity for pipe in pipes if not pipe.can_drop), default=UNTAKEN)

    def _straight(self, link: Link) -> Straight:
        unit = self._plan.units[link.receiver]
        pipe = unit.inputs[link.input].pipe
        return Straight(link.output, link.receiver, reference_of(unit.spec), link.input, pipe, self._stays(link))

    def _stays(self, link: Link) -> bool:
        return self.routes.leaves_there(link) and self.routes.stays_there(link)

    def _end(self, link: Link, which: int) -> Channel:
        with self._lock:
            return self._end_of(link, which)

    def _end_of(self, link: Link, which: int) -> Channel:
        if link not in self._ends:
            self._ends[link] = list(channel_pair())
        end, self._ends[link][which] = self._ends[link][which], None
        assert end is not None, "each end is used once"  # noqa: S101 - narrows the type
        return end

    def door(self, link: Link, undertaker: Undertaker) -> StraightDoor:
        """Where the main OS process itself sends straight to a unit."""

        def missed(header: Header) -> None:
            where = f"{link.receiver}.{link.input}"
            undertaker.bury(link.receiver, Tombstone(header, Reason.DROPPED, where))

        with self._lock:
            if link not in self._doors:
                end = self._end_of(link, _SENDER)
                self._doors[link] = self._straight(link).door(end, self.stock, self.regions, missed)
            return self._doors[link]

    @property
    def sent(self) -> int:
        """Items that the main OS process has sent straight."""
        return sum(door.sender.sent for door in self._doors.values())

    def cancel(self) -> None:
        """The process is put out: who waits in the main OS process to send gets Cancelled."""
        with self._closing:
            if self._is_closed:
                return
            self.stock.cancel()
            for door in self._doors.values():
                door.sender.cancel()

    def most(self, place: Place) -> int:
        """How many items of what an OS process sends may be alive at once."""
        return max(_LEAST, sum(self._pipes_behind(place, lambda pipe: pipe.blocks).values()))

    def reach(self, place: Place) -> int:
        """How many, where every unit passes on what it is given: then a block lives until it has passed all pipes."""
        behind: set[str] = set()
        new = self._receivers(place.units)
        while new - behind:
            behind |= new
            new = self._receivers(new)
        return sum(pipe.blocks for pipe in self._plan.shared_pipes.values() if pipe.unit in behind)

    def _receivers(self, names: Iterable[str]) -> set[str]:
        units = self._plan.units
        links = (link for name in names for several in units[name].receivers.values() for link in several)
        return {link.receiver for link in links if link.receiver in units}

    def item(self, place: Place) -> int | None:
        """Bytes of one, where that was said for any."""
        stated = self._pipes_behind(place, lambda pipe: pipe.item or 0).values()
        return int(max(stated, default=0)) or None

    def _pipes_behind(self, place: Place, what: Callable[[SharedPipe], float]) -> dict[tuple[str, str], int]:
        """The most of something in the pipes behind each output of the units that live there; copies share a block."""
        pipes, found = self._plan.shared_pipes, {}
        for unit in place.units:
            for port, links in self._plan.units[unit].receivers.items():
                behind = [pipes[end] for link in links if (end := (link.receiver, link.input)) in pipes]
                found[unit, port] = int(max(map(what, behind), default=0))
        return found

    def tight(self, text: str) -> None:
        """There is less shared memory than there should be: told once, for all that find it out."""
        _log.log(logging.DEBUG if self._is_tight else logging.WARNING, "%s", text)
        self._is_tight = True

    def over(self, life: Life) -> None:
        """An OS process has ended, and all that it said is heard.

        What it has sent straight to others nobody here knows, so its shared memory stays until the end of the run. It
        is not one of many: who sends straight is not replaced when it dies.
        """
        if not self._sends_straight(life.name):
            self._past.append(life)
            self.tidy()

    def _sends_straight(self, place: str) -> bool:
        units = next(one for one in self._plan.places if one.name == place).units
        links = (link for unit in units for links in self._plan.units[unit].receivers.values() for link in links)
        return any(self.routes.leaves_there(link) for link in links)

    def tidy(self) -> None:
        """Take the shared memory of those away that are over, once nobody has anything of it: they may be many."""
        while (over := [one for one in self._past if not one.loans.has_borrowed]) and self._tidying.acquire(
            blocking=False
        ):
            try:
                self._take_away(over)
            finally:
                self._tidying.release()

    def _take_away(self, over: Sequence[Life]) -> None:
        for life in over:
            self._past.remove(life)
            gone = clear_arena(self.run, life.region)
            for region in gone:
                self.regions.let_go(region)
            for room in self._rooms.values():
                room.say("gone", gone)

    def wake(self) -> None:
        """Have somebody `tidy`. For any thread at any moment: see `Loans`."""
        for room in self._rooms.values():
            if room.wake():
                return

    def _ask(self) -> None:
        for room in self._rooms.values():
            room.say("short")

    def settle(self) -> None:
        """All units have started: what they made is there to stay."""
        for room in self._rooms.values():
            room.say("settled")

    def close(self) -> None:
        """The workers have left. Ends what is left of their OS processes, and takes the shared memory away."""
        with self._closing:
            self._is_closed = True
        make_arrays_in(None)
        self.nursery.close(self.now() + _LAST)
        for ends in self._ends.values():
            for end in ends:
                if end is not None:
                    end.close()
        for door in self._doors.values():
            door.close()
        self.stock.close()
        self.regions.close()
        for life in self._past:
            life.loans.mute()
        clear(self.run)


def _preload(plan: Plan) -> list[str]:
    """What every OS process needs, and NumPy where units that live there have it: to import it takes 0.2 s."""
    used = {reference_of(unit.spec).partition(":")[0] for unit in plan.units.values() if unit.spec.is_away}
    known = {getattr(one, "__name__", "") for module in used for one in vars(sys.modules[module]).values()}
    return ["streampy.run.places.home", *({"numpy"} & known)]
