"""The two ends of a link that leads straight from one OS process into another, in the terms of doors and inlets.

Knows nothing of who made the channel. The pipe lies at the receiver; see `streampy.pipes.shared`.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, final

from streampy.errors import UnitFailed
from streampy.flow.batcher import Overloaded
from streampy.memory.loans import NOTHING_SEALED, Loans
from streampy.memory.regions import Regions
from streampy.memory.sealed import Sealed
from streampy.model.item import Batch, Header
from streampy.model.pipe import Pipe
from streampy.model.plan import InputPlan, Link, UnitPlan
from streampy.model.process import UnitSpec
from streampy.model.sendable import resolve
from streampy.model.unit import ports_of
from streampy.pipes.base import Cancelled
from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.receiving import SharedReceiver
from streampy.pipes.sending import SharedSender
from streampy.run.inlet import Inlet, Taken, overload
from streampy.run.places.passing import Passing

if TYPE_CHECKING:
    from streampy.pipes.frames import Buffer
    from streampy.run.backend import Backend
    from streampy.run.places.stock import Stock

_NUMBER: Final = "Q"
_ALONE: Final = Struct("<BQ")
"""Before one value in one block: that it is so, and the number of its loan."""
_IS_ALONE: Final = 1
"""No pickle begins so."""


@dataclass(frozen=True, slots=True)
class Straight:
    """A link that does not pass through the main OS process. All of it can be pickled."""

    output: str
    receiver: str
    """The unit that it leads to."""
    use: str
    """What that is, as `module:name`."""
    input: str
    pipe: Pipe
    stays: bool
    """Whether both its ends lie in one OS process, so that there is no channel."""

    def inlet(self, backend: Backend) -> Inlet:
        """The receiver's inlet, where the sender lives in the same OS process."""
        return Inlet(self._plan(), _NOBODY, None, backend)

    def fed_inlet(self, channel: Channel, backend: Backend, regions: Regions) -> FedInlet:
        """The receiver's inlet, where items come from another OS process."""
        loans = Loans(regions, channel.wake)
        passing = Passing()
        receiver = SharedReceiver(channel, self.pipe, Lending(loans, passing))
        receiver.open()
        return FedInlet(self._plan(), receiver, backend, passing)

    def door(self, channel: Channel, stock: Stock, regions: Regions, missed: Callable[[Header], None]) -> StraightDoor:
        """The sender's end; missed: told of each item that the pipe dropped."""
        loans = Loans(regions, channel.wake)
        sender = SharedSender(channel, self.pipe, Lending(loans))
        stock.watch(channel.fileno(), sender.look)
        return StraightDoor(sender, loans, stock, missed, partial(overload, self.receiver, self.input, self.pipe))

    def _plan(self) -> UnitPlan:
        """What the inlet needs to know of the receiver."""
        use = resolve(self.use)
        ports = ports_of(use)
        link = Link("", self.output, self.receiver, self.input)
        entry = InputPlan(ports.inputs[self.input], self.pipe, configured=True, links=(link,))
        spec = UnitSpec(name=self.receiver, use=use, used_as=self.use)
        return UnitPlan(spec, ports, {}, {self.input: entry}, {}, join=None, not_fused="lives elsewhere")


@final
class StayingDoor:
    """See `Door`: the sender's end of a link that stays in one OS process."""

    def __init__(self, inlet: Inlet, port: str, missed: Callable[[Header], None]) -> None:
        self._inlet = inlet
        self._port = port
        self._missed = missed

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self._inlet.pipes[self._port].batcher.is_full

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`."""
        return self._after(self._inlet.put(self._port, batch))

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        return self._after(self._inlet.put_one(self._port, header, value))

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        return self._after(await self._inlet.put_async(self._port, batch))

    def _after(self, dropped: list[Header]) -> list[Header]:
        for header in dropped:
            self._missed(header)
        return dropped

    def end(self) -> None:
        """See `Door.end`."""
        self._inlet.end(self._port)


@final
class Lending:
    """See `Codec`. What is to be encoded was sealed before."""

    def __init__(self, loans: Loans, passing: Passing | None = None) -> None:
        """Passing: is told of what comes alone."""
        self._loans = loans
        self._passing = passing

    def encode(self, what: Any) -> tuple[Buffer, Sequence[Buffer]]:
        """See `Codec.encode`."""
        _, values = what
        if len(values) == 1 and type(value := values[0]) is Sealed and len(value.holds) == 1:
            return self._encode_one(what, value), ()
        if type(values[0]) is Sealed:
            return self._loans.dumps(what), ()
        try:
            return pickle.dumps(what, pickle.HIGHEST_PROTOCOL) + NOTHING_SEALED, ()
        except Exception:  # another one is sealed; of anything else `dumps` tells what
            return self._loans.dumps(what), ()

    def _encode_one(self, what: Any, value: Sealed) -> bytes:
        """One value in one block, most of all a frame: that is quicker said by itself."""
        columns, _ = what
        lent = self._loans.lend(value)
        number = lent[1][0][0]
        try:
            return _ALONE.pack(_IS_ALONE, number) + pickle.dumps((columns, lent), pickle.HIGHEST_PROTOCOL)
        except BaseException:
            self._loans.returned((number,))
            raise

    def decode(self, data: Buffer, buffers: Sequence[Buffer]) -> Any:
        """See `Codec.decode`."""
        del buffers
        if data[0] != _IS_ALONE:
            return self._loans.loads(data, opened=True)
        try:
            columns, lent = pickle.loads(data[_ALONE.size :])  # noqa: S301 - between OS processes of one run
        except BaseException:
            self._loans.give_back(_ALONE.unpack_from(data)[1])
            raise
        sealed = self._loans.receive(lent)
        value = sealed.open()
        if self._passing is not None:
            self._passing.keep(value, sealed)
        return columns, (value,)

    def released(self) -> Buffer:
        """See `Codec.released`."""
        if not self._loans.has_returned:
            return b""
        return array(_NUMBER, self._loans.take_returned()).tobytes()

    def free(self, data: Buffer) -> None:
        """See `Codec.free`."""
        self._loans.returned(array(_NUMBER, bytes(data)))


@final
class StraightDoor:
    """See `Door`. The worker's thread or task puts; where several do, one at a time."""

    def __init__(
        self,
        sender: SharedSender,
        loans: Loans,
        stock: Stock,
        missed: Callable[[Header], None],
        overload: Callable[[Batch[Any]], UnitFailed],
    ) -> None:
        """Overload: makes the error of a full pipe whose overflow is `fail`."""
        self.sender = sender
        self._loans = loans
        self.looks_first = True
        """Whether it looks before each item what was given back: nobody else does so."""
        self.passing: Passing | None = None
        """What came to the worker, where it came straight."""
        self._stock = stock
        self._missed = missed
        self._overload = overload

    @property
    def is_full(self) -> bool:
        """See `Door.is_full`."""
        return self.sender.is_full

    def put(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put`. Where the receiver is dead, all is put out: raises Cancelled; UnitFailed for an overload."""
        if self.looks_first:
            self.sender.look()
        sealed = self._stock.seal(batch)
        try:
            return self._after(self.sender.put_whole(batch.headers, sealed))
        except Overloaded:
            raise self._overload(batch) from None
        except PeerDied:
            raise Cancelled from None

    def put_one(self, header: Header, value: Any) -> list[Header]:
        """See `Door.put_one`."""
        if self.looks_first:
            self.sender.look()
        sealed = (self.passing and self.passing.find(value)) or self._stock.seal_one(value)
        try:
            return self._after(self.sender.put_whole((header,), (sealed,)))
        except Overloaded:
            raise self._overload(Batch([value], [header])) from None
        except PeerDied:
            raise Cancelled from None

    async def put_async(self, batch: Batch[Any]) -> list[Header]:
        """See `Door.put_async`."""
        if self.looks_first:
            self.sender.look()
        sealed = Batch(await self._stock.seal_async(batch), batch.headers)
        try:
            return self._after(await self.sender.put_async(sealed))
        except Overloaded:
            raise self._overload(batch) from None
        except PeerDied:
            raise Cancelled from None

    def _after(self, dropped: list[Header]) -> list[Header]:
        for header in dropped:
            self._missed(header)
        return dropped

    def end(self) -> None:
        """See `Door.end`."""
        try:
            self.sender.end()
        except (PeerDied, Cancelled):  # then all is put out
            return

    def close(self) -> None:
        """The receiver's OS process has ended: it has nothing any more, so no memory is held for it."""
        self.sender.close()
        self._loans.clear()


class FedInlet(Inlet):
    """An inlet whose pipe is filled from another OS process: who gets from it looks first what has come."""

    def __init__(self, plan: UnitPlan, receiver: SharedReceiver, backend: Backend, passing: Passing) -> None:
        super().__init__(plan, _NOBODY, None, backend)
        self.receiver = receiver
        self.passing = passing
        self.looks: Sequence[Callable[[], None]] = ()
        """What is done whenever it is looked what has come: others may have given something back."""
        self._was_empty = False
        """Whether it was looked before in vain: then one item that comes alone is handed over without a detour, as a
        whole batch always is.
        """
        self.is_broken = False
        """Whether its sender died, so that it will never have all."""
        self.lock = receiver.lock
        self._arrived = receiver.bell
        self.pipes = dict.fromkeys(self.pipes, receiver.pipe)
        self._only = next(iter(self.pipes.items()))

    def has_due(self) -> bool:
        """See `Inlet.has_due`."""
        with self.lock:
            self.receiver.look()
        return super().has_due()

    def _poll(self, now: float, appetite: float = 1.0) -> tuple[Taken | None, float | None]:
        alone, self._was_empty = self._was_empty, False
        at_most = 0 if self._is_held else max(self.batch, min(appetite, self._appetite))
        whole = self.receiver.look(at_most, alone=alone)
        if whole is not None:
            for tap in self.taps:
                tap(self._only[0], whole)
            return Taken(whole), 0.0
        self.receiver.tell_room()  # only now: what was taken before went on first
        taken, until = super()._poll(max(now, self._now()), appetite)
        if taken is None:
            self._was_empty = True
            self._before_waiting()
            if until is None and self.receiver.trouble is not None:
                self.is_broken = True
                raise Cancelled  # all is put out
        return taken, until

    def done(self, taken: Taken) -> None:
        """See `Inlet.done`."""
        super().done(taken)
        self.passing.forget()

    def _before_waiting(self) -> None:
        self.receiver.tell_room()
        for look in self.looks:
            look()

    @property
    def waiting(self) -> int:
        """See `Inlet.waiting`."""
        with self.lock:
            return self.receiver.waiting

    def retire(self) -> list[Header]:
        """See `Inlet.retire`."""
        return self.receiver.retire()

    def cancel(self) -> None:
        """See `Inlet.cancel`."""
        self.receiver.cancel()


class _Nobody:
    """Stands for the undertaker where nobody is told: what a pipe drops is told by who put it there."""

    def bury(self, *_: object) -> None:
        """See `Undertaker.bury`."""


_NOBODY: Final[Any] = _Nobody()
