"""All other segments, as one OS process of this segment has them: where its links lead to, and what comes from there.

Knows nothing of sockets: whoever has these tells when a line is there, what was heard on it, and when it is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import RunError
from streampy.flow.ledger import Ledger
from streampy.model.item import Batch, Header, Reason, Tombstone
from streampy.model.pipe import Then
from streampy.model.segments import Ack
from streampy.pipes.base import Cancelled
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.thrown import hear_error, tell_error
from streampy.run.segments.arrival import Arrival, Entrance
from streampy.run.segments.crossing import Crossing
from streampy.run.segments.ends import Ends
from streampy.run.segments.host import Host
from streampy.run.segments.mourner import FarMourner
from streampy.run.segments.neighbour import Neighbour, Putting
from streampy.run.segments.wire import MOURNING, Answer, Line, Part, Peer, Told, What, Word, told_at_home

if TYPE_CHECKING:
    from streampy.flow.families import Family
    from streampy.model.plan import Link
    from streampy.run.backend import Backend
    from streampy.run.limits import Limits
    from streampy.run.mourning import Undertaker


@final
class Neighbours:
    """Those of one OS process. Any thread may call."""

    def __init__(
        self,
        part: Part,
        *,
        doors: Mapping[str, Entrance],
        undertaker: Undertaker,
        limits: Limits,
        fail: Callable[[RunError], object],
        over: Callable[[], object],
        backend: Backend,
    ) -> None:
        """Doors: by link, the inputs here that other segments send to.

        fail: called where another segment has failed. over: called when nothing is left to be done here.
        """
        self.segment = segment = part.segment
        self.instance = f"{segment}-{token_hex(3)}"
        limits.listen(self)
        self._network = part.network
        self._plan = plan = part.plan
        self._undertaker = undertaker
        self._fail = fail
        self._over = over
        self._backend = backend
        self.host = Host(self.instance, limits, backend)
        self.host.at_rest = self._look
        limits.counted = self.host.counted
        names = {plan.segment_of(end) for link in plan.crossings for end in (link.sender, link.receiver)} - {segment}
        touching = {name for name in names if any(self._joins(link, name) for link in plan.crossings)}
        self._neighbours = {name: self._make_neighbour(name, limits.ledger()) for name in sorted(touching)}
        self._ends = Ends(plan, segment, part.expects, backend)
        self.crossings = {
            link: self._make_crossing(link, limits)
            for link in plan.crossings
            if plan.segment_of(link.sender) == segment
        }
        self._arrivals = {
            name: Arrival(name, door, limits.ledger(), self.launch, backend) for name, door in doors.items()
        }
        self._lock = backend.lock()
        self._is_alone = not touching <= part.expects.keys()
        """Whether it may end while others go on: nobody said how many there are."""
        self._is_finishing = False
        self._expects = part.expects
        self._met: defaultdict[str, set[str]] = defaultdict(set)
        """By segment, the OS processes that were ever there."""
        self._lines: dict[Line, None] = {}
        """To all OS processes of other segments that are there."""
        self._spared: set[Line] = set()
        """Lines on which nothing new comes, since this segment is about to end."""
        for mourners in plan.mourners.values():
            for mourner in mourners:
                there = plan.segment_of(mourner.unit)
                if there in self._neighbours:
                    neighbour = self._neighbours[there]
                    leading = (one for one in neighbour.crossings if self._ends.leads_to(one.link, mourner.unit))
                    door = FarMourner(
                        mourner.unit, there, neighbour, crossing=next(leading, None), host=self.host, yard=self
                    )
                    undertaker.introduce(mourner.unit, mourner.input, door)

    def __repr__(self) -> str:
        return f"<Neighbours of {self.instance}: {', '.join(self._neighbours)}>"

    def _joins(self, link: Link, name: str) -> bool:
        return {self._plan.segment_of(link.sender), self._plan.segment_of(link.receiver)} == {self.segment, name}

    def _make_neighbour(self, name: str, ledger: Ledger) -> Neighbour:
        wire = self._plan.wire(self.segment, name)
        window = wire.window * (self._plan.segments[name].replicas if wire.via else 1)  # one line leads to all
        return Neighbour(name, window, wire.deadline, ledger, self._backend, keeps=wire.ack is Ack.PROCESSED)

    def _make_crossing(self, link: Link, limits: Limits) -> Crossing:
        neighbour = self._neighbours[self._plan.segment_of(link.receiver)]
        spec, segment = self._plan.units[link.receiver].spec, self._plan.segments[neighbour.name]
        is_ordered = spec.ordered or spec.workers == segment.replicas == 1
        crossing = Crossing(
            link,
            neighbour,
            self,
            limits.ledger(),
            is_ordered=is_ordered,
            is_open=self._ends.holds_back(link),
            gathers=self._ends.gathers(link),
            skips=self._plan.units[link.sender].spec.on_error.then is not Then.STOP,
        )
        crossing.on_rest = self._look
        neighbour.add(crossing)
        return crossing

    def start(self, patience: float) -> None:
        """Begin; back when there is somebody in each segment that this one dials. Raises as `Network.start`."""
        for name, neighbour in self._neighbours.items():
            self.launch(partial(neighbour.deliver, self), f"answers of {name}")
        self._network.start(self, patience)

    @property
    def dials(self) -> bool:
        """Whether `start` waits for anybody."""
        return any(wire.dialler == self.segment for wire in self._plan.wires)

    def me(self, *, serves: bool) -> Peer:
        """What others are told of this OS process."""
        return Peer(self.segment, self.instance, serves)

    def pack(self, value: Any, link: str, header: Header) -> Any:
        """See `Yard`."""
        return self._network.pack(value, link, header)

    def paths_of(self, headers: Sequence[Header]) -> list[tuple[str, ...]]:
        """See `Yard`."""
        return [(*path, self.segment) for path in self.host.paths_of(headers)]

    def has_room(self) -> bool:
        """See `Yard`."""
        return not any(map(len, self._arrivals.values()))

    def give_back(self, link: str, batch: Batch[Any]) -> None:
        """See `Yard`."""
        self.host.give_back(link, batch)

    def miss(self, link: Link, header: Header, reason: Reason) -> None:
        """See `Yard`."""
        tombstone = Tombstone(header, reason, str(link))
        if self._plan.units[link.receiver].join is None:
            self._undertaker.bury(link.receiver, tombstone)
        elif (door := self._undertaker.door(link.receiver, link.input)) is not None:
            door.bury(link.input, tombstone, 1)

    def take(
        self, told: Sequence[tuple[What, Putting]], ledger: Ledger, put: Callable[[Sequence[Putting]], object]
    ) -> None:
        """See `Yard`."""
        arriving: dict[str, list[tuple[What, Putting]]] = {}
        for what, putting in told:
            kind, header, *rest = what
            match kind:
                case Told.PUT:
                    arriving.setdefault(rest[0], []).append((what, putting))
                case Told.COUNT:
                    ledger.add(rest[0], header, rest[1])
                case Told.MOVED:
                    self.host.moved(header, rest[0])
                case _:
                    self._mourn(what)
        for link, came in arriving.items():
            batch = Batch([value for (*_, value), _ in came], [header for (_, header, *_), _ in came])
            if link in self._arrivals:
                puttings = [putting for _, putting in came]
                for putting in puttings:
                    putting.begin()
                self._arrivals[link].bring(batch, partial(put, puttings))
            else:  # it goes on to a segment that waits for an answer of this one
                packed = [self.pack(value, link, header) for header, value in zip(batch.headers, batch, strict=True)]
                self.host.give_back(link, Batch(packed, batch.headers))

    def _mourn(self, told: What) -> None:
        """News for a join here."""
        kind, header, unit, port, *rest = told
        door = self._undertaker.door(unit, port)
        if door is None:
            return
        if kind == Told.BURY:
            reason, where, ways = rest
            door.bury(port, Tombstone(header, Reason(reason), where), ways)
        else:
            count, ways = rest
            door.close(port, header, count, ways)

    def came(self, line: Line) -> None:
        """There is a line, and who is there has said who it is."""
        self.host.meet(line)
        self._lines[line] = None
        neighbour = self._neighbours[line.peer.segment]
        if line.asked is line:
            neighbour.came(line)
        if self._is_finishing:
            line.say(Word.GOING)
        for crossing in neighbour.crossings:
            if crossing.is_told:
                line.say(Word.END, crossing.name)
        self._ends.came(line.peer)
        self._met[line.peer.segment].add(line.peer.instance)
        self._look()

    def went(self, line: Line, *, for_good: bool) -> None:
        """A line is gone; for_good: who was there took its leave."""
        self._lines.pop(line, None)
        self._ends.went(line.peer)
        self._spared.discard(line)
        if line.asked is line:  # else nobody else is asked for that, and whoever answers need not know
            self.host.went(line, for_good=for_good)
            self._neighbours[line.peer.segment].went(line)
        self._look()

    def opened(self, line: Line) -> None:
        """There is a line on which all replicas of a segment can be asked; nothing that was asked on it is known."""
        self._neighbours[line.peer.segment].went(line)
        self._neighbours[line.peer.segment].came(line)

    def drained(self, line: Line) -> None:
        """A line that was full can take more."""
        self._neighbours[line.peer.segment].drained(line)

    def hear(self, line: Line, word: Word, what: Any) -> None:
        """Something was said on a line. In the line's own thread: it may wait for room.

        Raises Cancelled, also where this segment has failed by it; ProtocolError for what nobody can say.
        """
        try:
            _HEAR[word](self, line, what)
        except ProtocolError:
            raise
        except Exception as error:
            self._failed_at(f"{word.name} of {line.peer.instance}", error)
            raise Cancelled from error

    def launch(self, main: Callable[[], object], name: str) -> None:
        """Start a thread; where it raises, this segment has failed."""

        def guarded() -> None:
            try:
                main()
            except Exception as error:
                self._failed_at(name, error)

        self._backend.launch(guarded, name)

    def _failed_at(self, what: str, error: Exception) -> None:
        """A pipe whose overflow is `fail`, most of all."""
        failed = error
        if not isinstance(failed, RunError):
            failed = RunError(f"{what}: {type(error).__name__}: {error}")
            failed.__cause__ = error
        self._aside(partial(self._fail, failed), "the end")

    def _items(self, line: Line, what: Any) -> None:
        if what.link not in self._arrivals:
            raise ProtocolError(line.peer.instance, f"items for {what.link!r}", "a link that leads here")
        batch = self.host.came(line, what)
        if what.heard:
            self.host.heard(line, what.heard)
        if batch:
            self._arrivals[what.link].bring(batch)

    def _news(self, line: Line, what: Any) -> None:
        if what.told[0] not in MOURNING:
            raise ProtocolError(line.peer.instance, f"news of {what.told[0].name}", "of an end, or of parts")
        told = told_at_home(what.told, line.peer, self.instance)
        with self.host.hearing(line, what, told[1]) as is_new:
            if is_new:
                self._mourn(told)

    def _answer(self, line: Line, what: Any) -> None:
        home = partial(told_at_home, peer=line.peer, instance=self.instance)
        visits = [(numbers, list(map(home, told))) for numbers, told in what.visits]
        self._neighbours[line.peer.segment].answered(line.asked, Answer(visits), self)

    def _heard(self, line: Line, what: Any) -> None:
        self.host.heard(line, what)

    def _asks(self, line: Line, what: Any) -> None:
        self.host.asked(line, *what)

    def _end(self, line: Line, what: Any) -> None:
        self._ends.heard(line.peer, what)
        self._look()

    def _going(self, line: Line, what: Any) -> None:
        del what
        self._ends.goes(line.peer)
        if line.asked is line:
            self._neighbours[line.peer.segment].goes(line)
        line.say(Word.SPARED)

    def _spares(self, line: Line, what: Any) -> None:
        del what
        self._spared.add(line)
        self._look()

    def _failed(self, line: Line, what: Any) -> None:
        error = hear_error(what)
        error.add_note(f"raised in segment {line.peer.segment!r}, by {line.peer.instance}")
        self._fail(error if isinstance(error, RunError) else RunError(f"segment {line.peer.segment!r} failed: {error}"))

    def ended(self, families: Sequence[Family]) -> None:
        """See `Listener.ended`."""
        self.host.ended(families)

    def _look(self) -> None:
        """Something has come to rest: links may have ended by it, or all."""
        with self._lock:  # who finds that all is over closes the lines: not before the last END was said
            for crossing in filter(self._is_to_be_told, self.crossings.values()):
                crossing.is_told = True
                for line in self._lines_to(self._plan.segment_of(crossing.link.receiver)):
                    line.say(Word.END, crossing.name)
        for link in self._ends.due(self.crossings, is_empty=self._is_empty):
            self._arrivals[link].end()
        if self.is_over:
            self._aside(self._over, "the end")

    def _aside(self, what: Callable[[], object], name: str) -> None:
        """Do it here, or, in the thread of all lines, which must not wait, in another one."""
        if self._network.is_here:
            self.launch(what, name)
        else:
            what()

    def _lines_to(self, segment: str) -> list[Line]:
        return [line for line in list(self._lines) if line.peer.segment == segment]

    def _is_to_be_told(self, crossing: Crossing) -> bool:
        """Whether those over there are to know now that nothing more comes."""
        if crossing.is_told or not crossing.has_ended:
            return False
        return not crossing.is_asking or self._ends.holds_back(crossing.link)

    @property
    def _is_empty(self) -> bool:
        """Whether all that came was answered, and nothing more comes, since this segment is about to end."""
        return self._is_finishing and self._spared.issuperset(list(self._lines)) and self.host.is_quiet(whoever=False)

    @property
    def figures(self) -> dict[str, dict[str, int]]:
        """Of each other segment how many OS processes are there, and how many items are kept until it answers."""
        return {
            name: {"peers": len(neighbour.lines), "kept": len(neighbour)}
            for name, neighbour in self._neighbours.items()
        }

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent any more, and all was answered, also what came from others; and all know it."""
        if not self._is_finishing and any(
            len(self._met[name]) < self._expects.get(name, 0) for name in self._neighbours
        ):
            return False
        is_answered = all(crossing.is_told and not crossing.is_asking for crossing in self.crossings.values())
        is_answered = is_answered and not any(neighbour.owes_word for neighbour in self._neighbours.values())
        return is_answered and self.host.is_quiet(whoever=not self._is_finishing)

    @property
    def in_flight(self) -> int:
        """Items that other segments have of ours, and what came of them that is not where it belongs."""
        return sum(map(len, self._neighbours.values())) + sum(map(len, self._arrivals.values()))

    @property
    def ledgers(self) -> list[Ledger]:
        """What was counted on the way."""
        ways: list[Crossing | Arrival] = [*self.crossings.values(), *self._arrivals.values()]
        answered = (neighbour.ledger for neighbour in self._neighbours.values())
        return [self.host.passed, *answered, *(way.ledger for way in ways)]

    def finish(self) -> None:
        """Nothing new is wanted: what is here is answered, then the inputs end that others send to.

        Where all know how many there are, nobody else could take what comes: then all end together.
        """
        if not self._is_alone:
            return
        self._is_finishing = True
        self._network.finish()
        self._ends.finish()
        for line in list(self._lines):
            line.say(Word.GOING)
        self._look()

    def fail(self, error: BaseException) -> None:
        """This segment has failed, and all others are to end."""
        self._network.tell_all(Word.FAILED, tell_error(error))

    def close(self) -> None:
        """All is done."""
        for neighbour in self._neighbours.values():
            neighbour.close()
        for arrival in self._arrivals.values():
            arrival.close()
        for line in list(self._lines):
            line.close()
        self._network.close()

    def cancel(self) -> None:
        """The process is being stopped."""
        self._network.cancel()
        for neighbour in self._neighbours.values():
            neighbour.cancel()
        for arrival in self._arrivals.values():
            arrival.cancel()


_HEAR: Final[Mapping[Word, Callable[[Neighbours, Line, Any], None]]] = {
    Word.ITEMS: Neighbours._items,
    Word.NEWS: Neighbours._news,
    Word.ANSWER: Neighbours._answer,
    Word.HEARD: Neighbours._heard,
    Word.ASKS: Neighbours._asks,
    Word.END: Neighbours._end,
    Word.GOING: Neighbours._going,
    Word.SPARED: Neighbours._spares,
    Word.FAILED: Neighbours._failed,
}
