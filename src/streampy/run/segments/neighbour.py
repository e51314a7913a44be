"""Another segment of the process, as this one sends to it: its replicas, and what they have of ours.

Knows nothing of what came from there, nor of connections. Each item is kept until it was answered; where a replica is
gone, another one is given what it had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from streampy.flow.dispatch import Dispatch, Kept
from streampy.flow.families import family
from streampy.flow.in_turn import InTurn
from streampy.model.item import Batch, Header
from streampy.model.segments import UNANSWERED
from streampy.pipes.base import Cancelled
from streampy.run.segments.wire import Answer, Line, Parcels, Tidings, What, Word, home_of

if TYPE_CHECKING:
    from streampy.flow.ledger import Ledger
    from streampy.run.backend import Backend
    from streampy.run.segments.crossing import Crossing, Yard


_SOON: Final = 0.005
"""Seconds in which it is told that an answer was heard: whoever gave it need not know at once."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An item, or news of one, that is kept, and all that is needed to send it again."""

    crossing: Crossing
    header: Header
    value: Any
    """Of news what is told."""
    path: tuple[str, ...]
    release: Callable[[], object] = bool
    """Is called when it is known what became of it."""


class Settled(NamedTuple):
    """Items that were answered together, and what became of them."""

    parcels: Sequence[Parcel]
    told: Sequence[What]


class Putting:
    """Knows when all of an answer is in the pipes here. One caller at a time."""

    __slots__ = ("_left", "parcels")

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self.parcels = parcels
        self._left = 1

    def begin(self) -> None:
        """One item more."""
        self._left += 1

    def done(self) -> bool:
        """One item less, or all were begun; returns whether nothing is left."""
        self._left -= 1
        return not self._left


_Kept = Kept[Line, Parcel]


@final
class Neighbour:
    """One segment. Any thread may call."""

    def __init__(
        self, name: str, window: int, deadline: float, ledger: Ledger, backend: Backend, *, keeps: bool
    ) -> None:
        """Window: items under way at each replica on each link. deadline: seconds that an item waits for an answer.

        ledger: of what is answered. keeps: whether items are kept until they were answered; else they are sent, and
        lost where that fails.
        """
        self.name = name
        self.keeps = keeps
        self.ledger = ledger
        self._now = backend.now
        self._window = window
        self._deadline = deadline
        self.lock = backend.lock()
        self._room = backend.bell(self.lock)
        self._dispatch: Dispatch[Line, Parcel] = Dispatch(window)
        self._turn: InTurn[Settled] = InTurn()
        self._answers: deque[Settled] = deque()
        self._came = backend.bell(self.lock)
        self._heard: dict[Line, list[int]] = {}
        """Numbers of items whose answers came, and who gave them does not know that yet."""
        self._say_heard_at = inf
        """When it is told, if nothing goes there that tells it by the way (seconds)."""
        self._is_cancelled = self._is_closed = self._is_delivering = False
        self.crossings: list[Crossing] = []
        """The links that lead there."""

    def __repr__(self) -> str:
        return f"<Neighbour {self.name!r}: {self._dispatch!r}>"

    def __len__(self) -> int:
        """Items that were sent, and of which the answer did not come, or waits for its turn."""
        with self.lock:
            return len(self._turn) + sum(len(answer.parcels) for answer in self._answers)

    @property
    def owes_word(self) -> bool:
        """Whether somebody is not told yet that his answer was heard."""
        with self.lock:
            return bool(self._heard)

    def add(self, crossing: Crossing) -> None:
        """A link that leads there. Before the first item."""
        self.crossings.append(crossing)
        if crossing.is_open:
            self._dispatch.lift(crossing.name)
        if crossing.gathers:
            self._dispatch.gather(crossing.name)

    @property
    def lines(self) -> list[Line]:
        """To all its replicas."""
        with self.lock:
            return self._dispatch.replicas

    def put(self, crossing: Crossing, batch: Batch[Any], paths: Sequence[tuple[str, ...]]) -> list[Header]:
        """Send items, waiting for room; returns those that found none before their deadline. Raises Cancelled.

        paths: of each item, see `Parcels.path`.
        """
        expired: list[Header] = []
        with self.lock:
            kept: list[_Kept] = []
            for header, value, path in zip(batch.headers, batch, paths, strict=True):
                until = min(header.deadline, self._now() + self._deadline)
                is_next = until < self._dispatch.due
                parcel = Parcel(crossing, header, value, path)
                while (one := self._keep(parcel, until)) is None:
                    self._send(kept)
                    if self._is_cancelled:
                        raise Cancelled
                    try:
                        self._room.wait(until)
                    except TimeoutError:
                        expired.append(header)
                        break
                else:
                    if is_next:
                        self._came.ring()
                    if one.replica is not None:
                        kept.append(one)
            self._send(kept)
        return expired

    def _keep(self, parcel: Parcel, until: float) -> _Kept | None:
        """Where answers wait for those of a slow replica, no more is asked than all can have.

        Nor than joins have room for.
        """
        crossing, header = parcel.crossing, parcel.header
        most = UNANSWERED if crossing.is_open else self._window * max(1, len(self._dispatch.replicas))
        if crossing.out >= min(most, UNANSWERED) and not (crossing.gathers and self._dispatch.has(family(header))):
            return None
        one = self._dispatch.keep(parcel, family(header), crossing.name, until)
        if one is not None:
            self._ask(crossing, one)
        return one

    def post(self, crossing: Crossing, batch: Batch[Any]) -> list[Header]:
        """Send items and forget them; returns those that nobody takes now.

        What began over there goes back to where that was, the rest to whoever has least to be sent.
        """
        lost: list[Header] = []
        with self.lock:
            for header, value in zip(batch.headers, batch, strict=True):
                home = home_of(header)
                there = (line for line in self._dispatch.replicas if line.peer.instance in {home, ""})
                line = next(there, None) if home else self._dispatch.idlest()
                if line is None or line.is_full:
                    lost.append(header)
                else:
                    line.say(Word.ITEMS, Parcels(crossing.name, (), [header], [value], ()))
        return lost

    def tell(self, crossing: Crossing | None, header: Header, told: What, path: tuple[str, ...]) -> None:
        """News of an item, for a join over there. crossing: the link that the item would have gone over."""
        with self.lock:
            if crossing is None or not self.keeps:
                line = self._dispatch.replica_of(family(header)) or self._dispatch.idlest()
                if line is not None:
                    line.say(Word.NEWS, Tidings(0, told, ()))
                return
            until = min(header.deadline, self._now() + self._deadline)
            parcel = Parcel(crossing, header, told, path, crossing.ledger.until(header, lambda: None))
            one = self._dispatch.keep_news(parcel, family(header), until)
            self._ask(crossing, one)
            if one.replica is not None:
                self._send([one])
            self._came.ring()

    def _ask(self, crossing: Crossing, one: _Kept) -> None:
        """It is to be answered, in its turn."""
        crossing.out += 1
        self._turn.ask((crossing.name, one.what.header.stream if crossing.is_ordered else one.number), one.number)

    def _send(self, kept: list[_Kept]) -> None:
        """Send what was kept, in its order, what goes the same way together. The lock is held."""
        start = 0
        while start < len(kept):
            first = kept[start]
            stop = start + 1
            while stop < len(kept) and _are_alike(first, kept[stop]):
                stop += 1
            self._send_together(first, kept[start:stop])
            start = stop
        kept.clear()

    def _send_together(self, first: _Kept, kept: Sequence[_Kept]) -> None:
        line = first.replica
        assert line is not None, "only called for what has somewhere to go"  # noqa: S101 - narrows the type
        if not first.way:
            line.say(Word.NEWS, Tidings(first.number, first.what.value, first.what.path))
            return
        items = [one.what for one in kept]
        headers, values = [item.header for item in items], [item.value for item in items]
        numbers, heard = [one.number for one in kept], self._heard.pop(line, [])
        line.say(Word.ITEMS, Parcels(first.way, numbers, headers, values, first.what.path, heard))
        if line.is_full:
            self._dispatch.choke(line)

    def came(self, line: Line) -> None:
        """A replica is there."""
        with self.lock:
            self._send(self._dispatch.came(line))
            who = line.peer.instance
            line.say(Word.ASKS, self._dispatch.asked(lambda replica: replica.peer.instance == who))
            self._room.ring()

    def goes(self, line: Line) -> None:
        """A replica is about to go."""
        with self.lock:
            self._dispatch.goes(line)

    def went(self, line: Line) -> None:
        """A replica is gone: others are given what it had."""
        with self.lock:
            self._heard.pop(line, None)
            if line in self._dispatch.replicas:
                self._send(self._dispatch.went(line))
                self._room.ring()

    def drained(self, line: Line) -> None:
        """There is room on its line again."""
        with self.lock:
            self._dispatch.flow(line)
            self._room.ring()

    def answered(self, line: Line, answer: Answer, yard: Yard) -> None:
        """A replica has answered; one that was asked before another one is not heard. Never waits.

        What can be put where it belongs at once is put by the caller: waking the thread that else does takes longer.
        """
        with self.lock:
            heard = self._heard.setdefault(line, [])
            for numbers, told in answer.visits:
                heard.extend(numbers)
                settled = self._dispatch.settle(line, numbers)
                if settled is not None:
                    self._settle(settled, told)
                elif (
                    not line.peer.instance
                ):  # some were answered before, by another one: the others are asked for again
                    self._send(self._dispatch.kept(line, numbers))
            self._room.ring()
            if self._say_heard_at == inf:
                self._say_heard_at = self._now() + _SOON
                self._came.ring()
        self._deliver_all(yard, yard.has_room)

    def _say_heard(self) -> None:
        """Tell all whose answers were heard, where nothing went there meanwhile that told it by the way."""
        with self.lock:
            if self._say_heard_at > self._now():
                return
            self._say_heard_at = inf
            for line, numbers in self._heard.items():
                line.say(Word.HEARD, numbers)
            self._heard.clear()
        for crossing in self.crossings[:1]:
            crossing.on_rest()

    def _settle(self, settled: Sequence[_Kept], told: Sequence[What]) -> None:
        """It is known what became of these; those whose turn it is by that are where they belong soon."""
        answer = Settled([one.what for one in settled], told)
        self._answers.extend(self._turn.answer([one.number for one in settled], answer))

    def deliver(self, yard: Yard) -> None:
        """What its thread does: answers go where they belong, and who waits in vain is told so."""
        with suppress(Cancelled):
            while self._wait():
                for parcel in self._expire():
                    parcel.crossing.expire(parcel.header)
                    self._delivered([parcel])
                self._deliver_all(yard, lambda: True)
                self._say_heard()

    def _wait(self) -> bool:
        """Until there is something to be done; False at the end. Raises Cancelled."""
        with self.lock:
            while (self._is_delivering or not self._answers) and self._next_time > self._now():
                if self._is_cancelled:
                    raise Cancelled
                if self._is_closed and not self._answers and not self._heard:
                    return False
                with suppress(TimeoutError):
                    self._came.wait(self._next_time)
            return True

    @property
    def _next_time(self) -> float:
        return min(self._dispatch.due, self._say_heard_at)

    def _deliver_all(self, yard: Yard, may_go_on: Callable[[], bool]) -> None:
        """Until nothing is left; one thread at a time, so that all stays in its order. Raises Cancelled."""
        with self.lock:
            if self._is_delivering or not self._answers:
                return
            self._is_delivering = True
        try:
            while may_go_on() and (answers := self._take()):
                self._deliver(answers, yard)
        finally:
            with self.lock:
                self._is_delivering = False
                if self._answers:
                    self._came.ring()

    def _take(self) -> list[Settled]:
        with self.lock:
            answers = list(self._answers)
            self._answers.clear()
            return answers

    def _expire(self) -> list[Parcel]:
        """Those that nobody answered in time; what is behind them need not wait for their answers any more."""
        with self.lock:
            gone = self._dispatch.expire(self._now())
            expired = [one.what for one in gone if one.way]
            for parcel in expired:
                parcel.crossing.out += 1  # its answer, which says nothing, is one; that it is told is another
            for one in gone:
                self._settle([one], ())
            return expired

    def _deliver(self, answers: Sequence[Settled], yard: Yard) -> None:
        """The items are held meanwhile: they are on their way until all that became of them was counted."""
        parcels = [parcel for answer in answers for parcel in answer.parcels]
        puttings = [Putting(answer.parcels) for answer in answers]
        told = [(what, putting) for answer, putting in zip(answers, puttings, strict=True) for what in answer.told]
        self.ledger.hold_each(parcel.header for parcel in parcels)
        try:
            yard.take(told, self.ledger, self._put)
        finally:
            self.ledger.release_each(parcel.header for parcel in parcels)
            for parcel in parcels:
                parcel.release()
        self._put(puttings)

    def _put(self, puttings: Sequence[Putting]) -> None:
        """An item of each of these is in its pipe, or all were begun."""
        with self.lock:
            done = [parcel for putting in puttings if putting.done() for parcel in putting.parcels]
        if done:
            self._delivered(done)

    def _delivered(self, parcels: Sequence[Parcel]) -> None:
        """What became of these is where it belongs."""
        with self.lock:
            for parcel in parcels:
                parcel.crossing.out -= 1
            self._room.ring()
            at_rest = [crossing for crossing in {parcel.crossing for parcel in parcels} if not crossing.out]
        for crossing in at_rest:
            crossing.on_rest()

    def is_full(self, crossing: Crossing) -> bool:
        """Whether the next item would have to wait."""
        with self.lock:
            return not self._dispatch.has_room(crossing.name)

    def cancel(self) -> None:
        """The process is being stopped."""
        with self.lock:
            self._is_cancelled = True
            self._room.ring()
            self._came.ring()

    def close(self) -> None:
        """All is done."""
        with self.lock:
            self._is_closed = True
            self._came.ring()


def _are_alike(one: _Kept, other: _Kept) -> bool:
    return one.replica is other.replica and one.way == other.way != "" and one.what.path == other.what.path
