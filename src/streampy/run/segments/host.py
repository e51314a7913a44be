"""What came here from other segments, and what these are to hear of it.

Knows nothing of what this segment sends by itself. What became of an item's family is told when all of it has ended, so
whoever sent it may give it to another OS process until then, and no result comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, Final, final

from streampy.flow.guests import Guests, Visit
from streampy.flow.ledger import Ledger
from streampy.model.item import Batch, Header
from streampy.run.segments.wire import COUNTED, Answer, Line, Parcels, Tidings, Told, What, Word, at_home, home_of

if TYPE_CHECKING:
    from streampy.flow.families import Family
    from streampy.run.backend import Backend
    from streampy.run.limits import Limits

_FORGET: Final = 60.0
"""Seconds in which a neighbour may come back, and hear the answers that it missed."""


@final
class Host:
    """That of one segment's OS process."""

    def __init__(self, instance: str, limits: Limits, backend: Backend) -> None:
        self.passed = Ledger()
        """Of what came, and what went back: counted here, and told to nobody."""
        self._instance = instance
        self._limits = limits
        self._lock = backend.lock()
        self._guests: Guests[str, What] = Guests()
        self._lines: dict[str, Line] = {}
        self._lost: dict[str, float] = {}
        """Neighbours that are not there, and since when (seconds)."""
        self._now = backend.now
        self.at_rest: Callable[[], object] = bool
        """Called when nothing is here any more, and when all answers were heard."""

    def __len__(self) -> int:
        """Items that were not answered."""
        with self._lock:
            return len(self._guests)

    def is_quiet(self, *, whoever: bool) -> bool:
        """Whether all that came was answered, and all answers were heard; whoever: by those that are not there, too."""
        with self._lock:
            waiting = (one for one in self._guests.neighbours if whoever or one in self._lines)
            return not len(self._guests) and not any(waiting)

    def meet(self, line: Line) -> None:
        """A neighbour is there, or there again."""
        with self._lock:
            self._lines[line.peer.instance] = line
            self._lost.pop(line.peer.instance, None)
            self._forget_some()

    def went(self, line: Line, *, for_good: bool) -> None:
        """A neighbour is not there any more; for_good: it took its leave."""
        who = line.peer.instance
        with self._lock:
            if self._lines.get(who) is line:
                del self._lines[who]
                self._lost[who] = -inf if for_good else self._now()
            self._forget_some()

    def _forget_some(self) -> None:
        """Those that have not come back for long. What they sent is worked on, and nobody hears what became of it."""
        for who, since in list(self._lost.items()):
            if since + _FORGET <= self._now():
                del self._lost[who]
                self._guests.gone(who)

    def came(self, line: Line, parcels: Parcels) -> Batch[Any]:
        """Items came; returns those that are new, as this segment has them."""
        headers = [at_home(header, line.peer, self._instance) for header in parcels.headers]
        batch = Batch(parcels.values, headers) if not parcels.numbers else self._welcome(line, parcels, headers)
        if not parcels.numbers:
            self._limits.note_each("born", headers, 1)
        self._pass("born", batch.headers)
        return batch

    def _welcome(self, line: Line, parcels: Parcels, headers: list[Header]) -> Batch[Any]:
        """Those that are new; who asks again for the others hears the answer again, or when there is one."""
        fresh: list[tuple[Header, Any]] = []
        over: dict[int, Visit[str, What]] = {}
        who = line.peer.instance
        with self._lock:
            if not self._is_current(line):
                return Batch()
            for number, header, value in zip(parcels.numbers, headers, parcels.values, strict=True):
                visit = self._guests.find(who, number)
                if visit is None:
                    self._limits.note("born", header, 1)
                    self._guests.came(who, number, header, parcels.path)
                    fresh.append((header, value))
                elif visit.is_over:
                    over[id(visit)] = visit
        if over:
            self._answer(over.values(), who)
        return Batch([value for _, value in fresh], [header for header, _ in fresh])

    @contextmanager
    def hearing(self, line: Line, tidings: Tidings, header: Header) -> Iterator[bool]:
        """While news of an item are heard; gives whether they are new. What becomes of them is answered."""
        if tidings.number:
            is_new, over = self._is_new(line, tidings, header)
            if over is not None:
                self._answer([over], line.peer.instance)
        else:
            is_new = True
        if is_new:
            self._limits.note("held", header, 1)
        yield is_new
        if is_new:
            self._limits.note("let go", header, 1)

    def _is_current(self, line: Line) -> bool:
        """Whether it was not replaced: all that was said on one that was is said again on the other.

        What comes late on the old one may have been answered, and heard, and forgotten meanwhile.
        """
        return self._lines.get(line.peer.instance, line) is line

    def _is_new(self, line: Line, tidings: Tidings, header: Header) -> tuple[bool, Visit[str, What] | None]:
        who = line.peer.instance
        with self._lock:
            if not self._is_current(line):
                return False, None
            visit = self._guests.find(who, tidings.number)
            if visit is None:
                self._guests.came(who, tidings.number, header, tidings.path, is_news=True)
                return True, None
            return False, visit if visit.is_over else None

    def heard(self, line: Line, numbers: list[int]) -> None:
        """A neighbour has heard the answer to these."""
        with self._lock:
            self._guests.confirmed(line.peer.instance, numbers)
            is_quiet = not self._guests.neighbours
        if is_quiet:
            self.at_rest()

    def asked(self, line: Line, last: int, numbers: Sequence[int]) -> None:
        """Of all that a neighbour sent up to the number `last`, these alone it may still ask for.

        For what it said of answers that it heard may have been lost with the line before.
        """
        with self._lock:
            self._guests.asked(line.peer.instance, last, frozenset(numbers))
            is_quiet = not self._guests.neighbours
        if is_quiet:
            self.at_rest()

    def paths_of(self, headers: Sequence[Header]) -> list[tuple[str, ...]]:
        """The segments that wait for an answer to the family of each item.

        What becomes of it in one of these is told there with the answer, for it came from there.
        """
        with self._lock:
            if not self._guests.are_any:
                return [()] * len(headers)
            visits = map(self._guests.visit_of, headers)
            return [() if visit is None else tuple(visit.path) for visit in visits]

    def tell(self, header: Header, what: What) -> None:
        """Whoever sent the family of an item is to hear this, with the answer."""
        with self._lock:
            self._guests.tell(header, what)

    def give_back(self, link: str, batch: Batch[Any]) -> None:
        """These go over a link into a segment that waits for an answer."""
        with self._lock:
            for header, value in zip(batch.headers, batch, strict=True):
                self._guests.tell(header, (Told.PUT, header, link, value))
            self.passed.add_each("delivered", batch.headers)
        self._limits.note_each("given back", batch.headers, 1)

    def moved(self, header: Header, count: int) -> None:
        """What becomes of an item is told to another segment, by `count` of 1, or is told here, by -1."""
        if home_of(header):
            self._pass("delivered" if count > 0 else "born", [header])
        self._limits.note("moved", header, count)

    def _pass(self, what: str, headers: Sequence[Header]) -> None:
        with self._lock:
            self.passed.add_each(what, headers)

    def counted(self, what: str, headers: Sequence[Header], count: int) -> None:
        """A ledger of this segment counted something of each of these items."""
        told: tuple[Any, ...]
        if what in COUNTED:
            kind, told = Told.COUNT, (what, count)
        elif what == "moved":
            kind, told = Told.MOVED, (count,)
        else:
            return
        with self._lock:
            for header in headers if self._guests.are_any else ():
                self._guests.tell(header, (kind, header, *told))

    def ended(self, families: Sequence[Family]) -> None:
        """See `Listener.ended`."""
        with self._lock:
            if not self._guests.are_any:
                return
            over = [  # unless another item of it came just now
                visit
                for family in families
                if not self._limits.is_alive(family) and (visit := self._guests.ended(family)) is not None
            ]
            is_empty = not len(self._guests)
        self._answer_all(over)
        if over and is_empty:
            self.at_rest()

    def _answer_all(self, over: Sequence[Visit[str, What]]) -> None:
        """Each neighbour hears of all that are its own in one message."""
        visits: dict[str, list[Visit[str, What]]] = {}
        for visit in over:
            for neighbour in visit.items:
                visits.setdefault(neighbour, []).append(visit)
        for neighbour, own in visits.items():
            self._answer(own, neighbour)

    def _answer(self, visits: Iterable[Visit[str, What]], neighbour: str) -> None:
        line = self._lines.get(neighbour)
        if line is not None:
            line.say(
                Word.ANSWER,
                Answer([(list(visit.items[neighbour]), _told_to(visit, neighbour)) for visit in visits]),
            )


def _told_to(visit: Visit[str, What], neighbour: str) -> list[What]:
    """The first neighbour hears all that became of the family; what the others sent of it has gone into that."""
    if neighbour in visit.others:
        return [(Told.MOVED, header, 1) for header in visit.others[neighbour].values() if header is not None]
    came = [header for items in visit.others.values() for header in items.values()]
    return [*((Told.MOVED, header, -1) for header in came if header is not None), *visit.told]
