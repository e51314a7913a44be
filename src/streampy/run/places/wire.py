"""What a worker in an OS process of its own and the main OS process say to each other, and one end of their line.

Knows nothing of units. Each worker has a line of its own, for items and for what came of them; each OS process has one
more, the control line, for everything else. Both are trusted: the ends are the same program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from streampy.model.item import Batch
from streampy.model.pipe import OnError
from streampy.model.sendable import reference_of
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.frames import Message, columns_of, headers_of

if TYPE_CHECKING:
    from streampy.memory.loans import Loans
    from streampy.run.call import Call
    from streampy.run.places.report import UnitReport
    from streampy.run.places.straight import Straight
    from streampy.run.stats import PipeStats

WINDOW: Final = 16
"""Messages with results that a worker may send before the main OS process has put the first one where it belongs."""


class Say(IntEnum):
    """What a message on a worker's line is about. M: from the main OS process, W: from the worker."""

    STARTED = 1
    """W: its units have started."""
    WORK = 2
    """M: a batch."""
    RESULTS = 3
    """W: what came of it so far. Flag: the batch is done, and the worker is ready for the next one.

    A number: the worker waits for `TAKEN`.
    """
    TAKEN = 4
    """M: `number` messages with results were put where they belong."""
    OVER = 5
    """M: nothing more comes."""
    FAILED = 6
    """W: a unit raised, and that stops the process."""
    DIED = 7
    """W: a unit ended the worker itself."""
    LEFT = 8
    """W: its units have stopped; the last word."""


@dataclass(frozen=True, slots=True)
class Role:
    """A unit, as a worker in another OS process is to run it. All of it can be pickled."""

    unit: str
    use: str
    """What it is, as `module:name`."""
    settings: Mapping[str, object]
    index: int
    count: int
    device: str
    on_error: OnError
    timeout: float
    joins: bool
    """Whether what it is given is the tuple of its arguments."""
    is_mourned: bool
    """Whether anybody waits for what it emits, so that it must be told what ended here."""
    is_heard: bool
    """Whether everything that its ledger counts is told, in its order."""
    born: Mapping[tuple[str, str], int]
    """What its ledger counted before: a source goes on with these numbers."""

    @classmethod
    def of(cls, call: Call, settings: Mapping[str, object]) -> Role:
        """That of a call in the main OS process, with the settings of now."""
        plan, worker, outlet = call.plan, call.worker, call.outlet
        counts = outlet.ledger.counts
        return cls(
            plan.name,
            reference_of(plan.spec),
            settings,
            worker.index,
            worker.count,
            worker.device,
            plan.on_error,
            plan.spec.timeout,
            joins=plan.join is not None,
            is_mourned=outlet.is_mourned,
            is_heard=outlet.ledger.is_heard,
            born={key: counts[key] for key in counts if key[0] == "born"},
        )


@dataclass(frozen=True, slots=True)
class SeatTerms:
    """What a worker must know before it comes."""

    roles: Sequence[Role]
    """Of the units of its chain."""
    incoming: Straight | None
    """The link whose items come straight to it; None where the main OS process gives them, or it is a source."""
    outgoing: Sequence[Straight]
    """The links whose items go straight from it."""
    ways: frozenset[str]
    """The outputs whose items go to the main OS process (too)."""
    room: float
    """Items that may be on their way to the main OS process at once, so that a pipe there holds the worker back."""
    tells_at_once: bool
    """Whether all that comes of what it is given is told in one message: where it dies before, nobody saw any of it."""
    is_on_its_own: bool
    """Whether the main OS process gives it nothing: it goes on by itself, and is asked for its counts."""
    is_asked: bool
    """Whether it is asked how it stands: see `Routes.is_asked`."""


class SeatReport(NamedTuple):
    """How it stands with a worker, as only it knows."""

    units: list[UnitReport]
    """Empty where it is not on its own: then they come with what it gives."""
    pipes: dict[str, PipeStats]
    in_flight: int
    """Those that it has sent straight; where it is on its own, also those in its pipe and its hands, and those that it
    has given to the main OS process, less those that it has read."""


@final
class Line:
    """One end. One thread (or task) uses it; `cancel` and `wake` are for any."""

    def __init__(self, channel: Channel, loans: Loans, *, opens: bool) -> None:
        """Opens: whether values come out of it as they are, not sealed."""
        self.channel = channel
        self.loans = loans
        self._opens = opens
        self.looks: Sequence[Callable[[], None]] = ()
        """What is done before each wait: see `Seat`."""
        self.is_cancelled = False

    def __repr__(self) -> str:
        return f"<Line {self.channel!r}>"

    def pack(self, what: object) -> bytes:
        """Something that may hold values, for the other end; with the loans that were let go here."""
        return self.loans.dumps((self.loans.take_returned(), what))

    def unpack(self, data: Any) -> Any:
        """See `pack`."""
        returned, what = self.loans.loads(bytes(data), opened=self._opens)
        if returned:
            self.loans.returned(returned)
        return what

    def say(self, kind: Say, what: object = None, *, number: int = 0, flag: bool = False) -> None:
        """Send it, and wait until the kernel has it. Raises PeerDied, and Cancelled while it waits."""
        self.post(kind, what, number=number, flag=flag)
        while self.channel.has_outbox:
            self._check()
            self.channel.wait(inf)
            self.channel.flush()

    def post(self, kind: Say, what: object = None, *, number: int = 0, flag: bool = False) -> None:
        """As `say`, but what the kernel does not take now goes with what is sent next."""
        self.channel.post(Message(kind, number, flag, (self.pack(what),)))

    async def say_async(self, kind: Say, what: object = None, *, number: int = 0, flag: bool = False) -> None:
        """As `say`, for a task of an event loop."""
        self.post(kind, what, number=number, flag=flag)
        while self.channel.has_outbox:
            await self._look_async()
            self.channel.flush()

    def hear(self, is_called: Callable[[], object] = bool, until: float = inf) -> Message | None:
        """The next message, waited for; None as soon as `is_called` says so (`wake` has it asked again).

        Raises PeerDied behind the last message, Cancelled, and TimeoutError past `until` (`time.monotonic` seconds).
        """
        while True:
            message = self.channel.take()
            if message is not None:
                return message
            self._check()
            if is_called():
                return None
            self.channel.flush()
            for look in self.looks:
                look()
            self.channel.wait(until)

    async def hear_async(self, is_called: Callable[[], object] = bool) -> Message | None:
        """As `hear`, for a task of an event loop."""
        while True:
            message = self.channel.take()
            if message is not None:
                return message
            self._check()
            if is_called():
                return None
            self.channel.flush()
            for look in self.looks:
                look()
            await self._look_async()

    async def _look_async(self) -> None:
        """Until there is something to take, or to send, or `wake` was called."""
        loop = asyncio.get_running_loop()
        looked: asyncio.Future[None] = loop.create_future()

        def look() -> None:
            if not looked.done():
                looked.set_result(None)

        for file in self.channel.files:
            loop.add_reader(file, look)
        if self.channel.has_outbox:
            loop.add_writer(self.channel.fileno(), look)
        try:
            await looked
        finally:
            for file in self.channel.files:
                loop.remove_reader(file)
            loop.remove_writer(self.channel.fileno())
            self.channel.calm()

    def _check(self) -> None:
        if self.is_cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """Whoever waits here gets Cancelled."""
        self.is_cancelled = True
        self.channel.wake()

    def wake(self) -> None:
        """Whoever waits here asks once more whether it is called."""
        self.channel.wake()

    def close(self) -> None:
        """Nothing is said any more; the other end then takes it for a death."""
        self.channel.close()


def pack_batch(batch: Batch[Any]) -> tuple[tuple[Any, ...], list[Any]]:
    """A batch as it travels."""
    return columns_of(batch.headers), list(batch)


def unpack_batch(packed: tuple[tuple[Any, ...], list[Any]]) -> Batch[Any]:
    """See `pack_batch`."""
    return Batch(packed[1], headers_of(packed[0]))


__all__ = ["WINDOW", "Line", "PeerDied", "Role", "Say", "pack_batch", "unpack_batch"]
