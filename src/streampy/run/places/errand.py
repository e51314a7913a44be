"""What goes to a worker in another OS process, and what comes back: put where it belongs, and counted, here.

Knows nothing of why a batch is sent, nor of what is done when the worker dies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Final, final

from streampy.flow.ledger import Ledger
from streampy.model.item import Batch, Header, Reason, Tombstone
from streampy.pipes.channel import PeerDied
from streampy.pipes.frames import Message, headers_of
from streampy.pipes.thrown import unpack_error
from streampy.run.places.opened import opened
from streampy.run.places.report import Results, UnitReport
from streampy.run.places.wire import WINDOW, Line, Say, SeatReport, pack_batch

if TYPE_CHECKING:
    from streampy.run.call import Call, Onward
    from streampy.run.places.pulse import Pulse

_TELL_AFTER: Final = WINDOW // 2
"""Messages with results, after which the worker is told that they were put where they belong."""


@final
class Errand:
    """One worker's; for the thread that deals with it. See `Runner`."""

    def __init__(self, line: Line, pulse: Pulse, calls: Sequence[Call]) -> None:
        self.onward: Onward = calls[-1].outlet
        """Where what the last unit gives goes."""
        self.appetite = 1.0
        """How many items it may be given at once."""
        self.is_deaf = False
        """Whether what comes back is no longer put anywhere: the process is put out."""
        self.has_left = False
        """Whether the worker has said its last word."""
        self.passed_on = 0
        """Items of the worker that are where they belong."""
        self.last: SeatReport | None = None
        """What a worker on its own has counted in all."""
        self._line = line
        self._pulse = pulse
        self._calls = calls
        self._untold = 0

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`; back when all that came of it is where it belongs. Raises PeerDied too."""
        self._line.say(Say.WORK, pack_batch(batch), number=len(batch))
        self.attend_in_time(_is_done)

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        self.run(Batch([value], [header]))

    def attend_in_time(self, is_awaited: Callable[[Message], bool]) -> None:
        """As `attend`; where one call of the first unit takes longer than its `timeout`, the watchdog barks."""
        with self._calls[0].guarded(self._pulse):
            self.attend(is_awaited)

    def attend(self, is_awaited: Callable[[Message], bool], until: float = inf) -> None:
        """Take what comes, up to a certain message.

        Raises UnitFailed, PeerDied, Cancelled, TimeoutError past `until` (`time.monotonic` seconds), and what ended the
        worker from within.
        """
        while True:
            message = self._line.hear(until=until)
            assert message is not None, "nobody calls it away"  # noqa: S101 - narrows the type
            self._heard(message)
            if is_awaited(message):
                return
            if self.has_left:
                raise PeerDied("the worker has left, and did not say why")

    def _heard(self, message: Message) -> None:
        what = self._line.unpack(message.parts[0])
        match message.kind:
            case Say.RESULTS:
                self._take(what)
                if message.flag:
                    self._untold = 0  # what is said next tells it too
                else:
                    self._tell(at_once=message.number > 0)
            case Say.FAILED:
                raise unpack_error(what).with_traceback(None)  # its cause tells where it was raised
            case Say.DIED:
                raise unpack_error(what)
            case Say.LEFT:
                self.has_left, self.last = True, what

    def _tell(self, *, at_once: bool) -> None:
        """The worker may go on sending, and have back what was lent and let go meanwhile."""
        self._untold += 1
        if at_once or self._untold >= _TELL_AFTER or self._line.loans.has_returned:
            untold, self._untold = self._untold, 0
            self._line.say(Say.TAKEN, number=untold)

    def _take(self, results: Results) -> None:
        """What the units counted counts at once; only then it is put where it belongs, which may take its time."""
        told, units, self.appetite = results
        for call, report in zip(self._calls, units, strict=False):
            _count(call, report)
            call.outlet.ledger.absorb(report.ledger)
        if self.is_deaf:
            return
        for word, *what in told:
            if word == "put":
                port, headers, values = what
                self._put(port, headers_of(headers), values)
                self.passed_on += len(values)
            else:
                getattr(self, f"_{word}")(self._calls[what[0]], *what[1:])

    def _put(self, port: str, headers: Sequence[Header], values: list[Any]) -> None:
        """Each item is with all receivers before the next one is with any, as the unit gave them.

        Else many would wait for one of them, of which another one, and a join of both, knows nothing yet.
        """
        if len(self._calls[-1].outlet.doors[port]) == 1:
            self.onward.put(port, Batch(values, headers))
            return
        for header, value in zip(headers, values, strict=True):
            self.onward.put_one(port, header, value)

    def _silent(self, call: Call, header: Header, port: str | None, reason: Reason, cause: bytes | None) -> None:
        call.outlet.silent(header, port, reason, None if cause is None else unpack_error(cause))

    def _leave_out(self, call: Call, port: str, part: Header) -> None:
        call.outlet.leave_out(port, part)

    def _missed(self, call: Call, receiver: str, port: str, header: Header) -> None:
        call.outlet.missed(receiver, Tombstone(header, Reason.DROPPED, f"{receiver}.{port}"))

    def _close(self, call: Call, port: str, header: Header, count: int) -> None:
        call.outlet.close(port, header, count)

    def _letter(self, call: Call, header: Header, value: Any, error: bytes) -> None:
        call.trouble.keep(header, opened(value), unpack_error(error))

    def _add(self, call: Call, what: str, header: Header, count: int) -> None:
        call.outlet.ledger.add(what, header, count)

    def _born(self, call: Call, headers: list[Header]) -> None:
        call.outlet.ledger.born(headers)

    def _hold(self, call: Call, header: Header) -> None:
        call.outlet.ledger.hold(header)

    def _release(self, call: Call, header: Header) -> None:
        call.outlet.ledger.release(header)


def _is_done(message: Message) -> bool:
    return message.kind == Say.RESULTS and message.flag


def _count(call: Call, report: UnitReport) -> None:
    call.meter.add(report.counted)
    call.meter.idle += report.idle
    call.outlet.blocked += report.blocked
    call.outlet.latency.add(report.latency)
    if report.expected is not None:
        call.worker.expected = report.expected


def count_whole(call: Call, report: UnitReport) -> Ledger:
    """What a worker on its own has counted from the beginning: it takes the place of what it told before.

    Its ledger is given back: what becomes of its items here, where they are put, is in that of the call.
    """
    call.meter.take()
    call.meter.idle = call.outlet.blocked = 0.0
    call.outlet.latency.take()
    _count(call, report)
    told = Ledger()
    told.absorb(report.ledger)
    return told
