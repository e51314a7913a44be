"""What came of the items of a worker, collected in the OS process that it lives in and sent to the main one.

Knows nothing of what is done with it there. What happened is told in its order: items, the news of those that ended
without a result, and, where somebody listens, each change of a ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from streampy.flow.ledger import Ledger
from streampy.flow.meter import Recorded
from streampy.model.headers import joined
from streampy.model.item import Batch, Header, Tombstone
from streampy.model.place import UNTAKEN
from streampy.pipes.base import Cancelled
from streampy.pipes.frames import Message, columns_of
from streampy.pipes.thrown import pack_error
from streampy.run.meter import Counted
from streampy.run.places.prompter import Prompter
from streampy.run.places.wire import WINDOW, Line, Say
from streampy.run.runners import HOLD_BACK
from streampy.run.trouble import DeadLetter

if TYPE_CHECKING:
    from streampy.run.call import Call
    from streampy.run.places.stock import Stock

_MOST: Final = UNTAKEN // WINDOW
"""Items that are collected before they are sent, however quick the unit is."""


class UnitReport(NamedTuple):
    """What one unit counted: since it was last told, or, where a worker is on its own, from the beginning."""

    counted: Counted
    ledger: dict[tuple[str, str], int]
    """Of what was born, always from the beginning."""
    latency: Recorded
    blocked: float
    idle: float
    expected: int | None

    @classmethod
    def take(cls, call: Call) -> UnitReport:
        """What was counted and not told yet, which is then no longer there. For the worker."""
        outlet, expected = call.outlet, call.worker.expected
        call.worker.expected = None
        return cls(call.meter.take(), outlet.ledger.take(), outlet.latency.take(), 0.0, 0.0, expected)

    @classmethod
    def whole(cls, call: Call) -> UnitReport:
        """All that was counted. For any thread."""
        outlet = call.outlet
        counts = dict(outlet.ledger.counts)
        idle = call.meter.idle
        return cls(call.meter.copy(), counts, outlet.latency.copy(), outlet.blocked, idle, call.worker.expected)


class Results(NamedTuple):
    """What a worker tells at once."""

    told: list[tuple[Any, ...]]
    """Each begins with what it is: `put`, or the name of a method of `Hearing`."""
    units: list[UnitReport]
    """None of a worker on its own: it is asked when somebody wants to know."""
    appetite: float
    """How many items it may be given at once."""


@final
class Report:
    """One worker's. Used by its thread or task, and by its prompter."""

    def __init__(self, line: Line, stock: Stock, *, room: float, counts: bool, tells_at_once: bool) -> None:
        """Counts: whether what was counted is told with what came of the items. The others: see `SeatTerms`."""
        self.calls: Sequence[Call] = ()
        self.appetite = 1.0
        self.holds_back = True
        """Whether what a quick unit gives may wait for more, to be sent with it."""
        self.given = 0
        """Items in all."""
        self._line = line
        self._stock = stock
        self._counts = counts
        self._tells_at_once = tells_at_once
        self._told: list[tuple[Any, ...]] = []
        self._items: tuple[str, list[Sequence[Header]], list[Any]] | None = None
        """The latest items, to which more may be added: port, headers batch by batch, sealed values."""
        self._count = 0
        self._room = room
        self._most = int(min(_MOST, max(1, room // 2)))
        """Items of a message, so that the next one can be made while one is taken."""
        self._untaken: deque[int] = deque()
        """Items of each message that was sent, and is not where it belongs yet, as far as is known."""
        self._under_way = 0
        """All of these items."""
        self._sent_at = 0.0
        self._lock: AbstractContextManager[Any] = nullcontext()
        self._prompter: Prompter | None = None

    def be_prompted(self, name: str) -> None:
        """Have what is held back sent by another thread where the worker gives nothing more for a moment."""
        self._lock = RLock()
        self._prompter = Prompter(self._send_news, name)

    def close(self) -> None:
        """The worker is about to say its last words."""
        if self._prompter is not None:
            self._prompter.close()

    def _send_news(self) -> None:
        with self._lock:
            if self.has_news:
                self.send()

    def put(self, port: str, batch: Batch[Any]) -> None:
        """Items that a unit gave. Waits for room in shared memory, or while too much is under way; see `Stock.seal`."""
        sealed = self._stock.seal(batch)
        with self._lock:
            if self._add(port, batch.headers, sealed):
                self.send()
            elif self._prompter is not None:
                self._prompter.wake()

    async def put_async(self, port: str, batch: Batch[Any]) -> None:
        """As `put`, for a task of an event loop."""
        if self._add(port, batch.headers, await self._stock.seal_async(batch)):
            await self.send_async()

    def _add(self, port: str, headers: Sequence[Header], values: Iterable[Any]) -> bool:
        """Collect items; returns whether they are to be sent now, although more may come soon."""
        if self._items is None or self._items[0] != port:
            self._close()
            self._items = port, [], []
        self._items[1].append(headers)
        self._items[2].extend(values)
        self._count += len(headers)
        self.given += len(headers)
        if self._tells_at_once:
            return False
        return not self.holds_back or self._count >= self._most or self.calls[0].now() - self._sent_at > HOLD_BACK

    @property
    def has_news(self) -> bool:
        """Whether anything was collected that was not sent."""
        return self._items is not None or bool(self._told)

    def _close(self) -> None:
        if self._items is not None:
            port, headers, values = self._items
            self._told.append(("put", port, columns_of(joined(headers)), values))
            self._items = None

    def tell(self, *what: Any) -> None:
        """Something else that happened."""
        with self._lock:
            self._close()
            self._told.append(what)
        if self._prompter is not None:
            self._prompter.wake()

    def send(self, *, is_last: bool = False) -> None:
        """Send what was collected; `is_last`: of what the worker was given."""
        with self._lock:
            while self._is_full and not is_last:
                self._taken(self._line.hear())
            results = self.take()
            self._line.say(Say.RESULTS, results, flag=is_last, number=int(self._is_full))

    async def send_async(self, *, is_last: bool = False) -> None:
        """As `send`, for a task of an event loop."""
        while self._is_full and not is_last:
            self._taken(await self._line.hear_async())
        results = self.take()
        await self._line.say_async(Say.RESULTS, results, flag=is_last, number=int(self._is_full))

    @property
    def _is_full(self) -> bool:
        """Whether nothing more may be sent before something was taken."""
        return len(self._untaken) >= WINDOW or (self._under_way >= self._room)

    def settle(self) -> None:
        """Send what was collected, and wait until all that was ever sent is where it belongs. Raises Cancelled."""
        self._line.say(Say.RESULTS, self.take(), number=1)
        while self._untaken:
            self._taken(self._line.hear())

    def _taken(self, message: Message | None) -> None:
        assert message is not None, "nobody calls it away"  # noqa: S101 - narrows the type
        if message.kind == Say.OVER:  # all is put out, and nobody takes what this worker still has
            raise Cancelled
        assert message.kind == Say.TAKEN, "nothing else is said to a worker that is not done"  # noqa: S101 - as above
        self.taken(message)

    def taken(self, message: Message) -> None:
        """Some messages are where they belong."""
        for _ in range(message.number):
            self._under_way -= self._untaken.popleft()
        self._line.unpack(message.parts[0])

    def all_taken(self) -> None:
        """All that was sent is where it belongs."""
        self._untaken.clear()
        self._under_way = 0

    def take(self) -> Results:
        """All that was collected, which is then no longer here."""
        self._close()
        told, self._told = self._told, []
        self._untaken.append(self._count)
        self._under_way += self._count
        self._count = 0
        if self.calls:  # else a unit raised while it was made
            self._sent_at = self.calls[0].now()
        units = [UnitReport.take(call) for call in self.calls] if self._counts else []
        return Results(told, units, self.appetite)

    def drop(self) -> None:
        """What was collected is forgotten: another worker does it again."""
        self.take()


@final
class ToldLedger(Ledger):
    """A ledger whose every change is told, in its order."""

    __slots__ = ("_number", "_report")
    is_heard = True

    def __init__(self, report: Report, number: int) -> None:
        super().__init__()
        self._report = report
        self._number = number

    def add(self, what: str, header: Header, count: int = 1) -> None:
        """See `Ledger.add`."""
        self._report.tell("add", self._number, what, header, count)

    def add_each(self, what: str, headers: Sequence[Header], times: int = 1) -> None:
        """See `Ledger.add_each`."""
        for header in headers:
            self.add(what, header, times)

    def born(self, headers: Iterable[Header]) -> None:
        """See `Ledger.born`."""
        self._report.tell("born", self._number, list(headers))

    def hold(self, header: Header) -> None:
        """See `Ledger.hold`."""
        self._report.tell("hold", self._number, header)

    def release(self, header: Header) -> None:
        """See `Ledger.release`."""
        self._report.tell("release", self._number, header)


@final
class ToldNews:
    """Stands for the undertaker, who is in the main OS process: see `Undertaker`."""

    def __init__(self, report: Report, number: int, *, is_mourned: bool) -> None:
        self._report = report
        self._number = number
        self._is_mourned = is_mourned

    def has_mourners(self, unit: str) -> bool:
        """See `Undertaker.has_mourners`."""
        del unit
        return self._is_mourned

    def bury(self, unit: str, tombstone: Tombstone, port: str | None = None) -> None:
        """See `Undertaker.bury`."""
        del unit
        cause = None if tombstone.cause is None else pack_error(tombstone.cause)
        self._report.tell("silent", self._number, tombstone.header, port, tombstone.reason, cause)

    def leave_out(self, unit: str, port: str, tombstone: Tombstone) -> None:
        """See `Undertaker.leave_out`."""
        del unit
        self._report.tell("leave_out", self._number, port, tombstone.header)

    def close(self, unit: str, port: str, header: Header, count: int) -> None:
        """See `Undertaker.close`."""
        del unit
        self._report.tell("close", self._number, port, header, count)


@final
class ToldLetters:
    """Stands for the dead letters, which are kept in the main OS process: see `DeadLetters`."""

    def __init__(self, report: Report, number: int, stock: Stock) -> None:
        self._report = report
        self._number = number
        self._stock = stock

    def add(self, letter: DeadLetter) -> None:
        """See `DeadLetters.add`."""
        (value,) = self._stock.seal((letter.item.value,))
        self._report.tell("letter", self._number, letter.item.header, value, pack_error(letter.error))


@final
class Way:
    """The way out of a port: to the main OS process, which knows what is linked to it. See `Door`."""

    is_full = False

    def __init__(self, port: str, report: Report) -> None:
        self._port = port
        self._report = report

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`; what is dropped is found out over there."""
        self._report.put(self._port, batch)
        return []

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        return self.put(Batch([value], [header]))

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        await self._report.put_async(self._port, batch)
        return []

    def end(self) -> None:
        """See `Door.end`: the worker's last word says it."""
