"""What one worker notes down of what it has in its hands: times of each batch, and of traced items each unit's work.

Only made where something is traced. An item that is not traced costs one look at the batch that it is in; with `slow`
the times of each batch are kept, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, final

from streampy.errors import UnitFailed
from streampy.model.headers import Headers
from streampy.model.item import Batch, Header
from streampy.run.runners import Fused, make_runners
from streampy.run.trace.context import as_span, marked, new_span, read, written
from streampy.run.trace.noted import Noted, Open, Part, is_late
from streampy.run.trace.noting import Behind, BehindSlow, Between, Noting, Stamping
from streampy.run.trace.spans import Hop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streampy.run.call import Call, Onward
    from streampy.run.call_async import EmitAsync
    from streampy.run.inlet import Taken
    from streampy.run.runners import Desk
    from streampy.run.trace.tracer import Tracer


@final
class Hops:
    """One worker's; only its own thread or task uses it."""

    def __init__(self, tracer: Tracer, calls: Sequence[Call], kept: deque[Hop]) -> None:
        self._tracer = tracer
        self._calls = calls
        self._called = calls
        """Those that are called for what is in hand: not a source, behind which it is."""
        self._units = tuple(call.plan.name for call in calls)
        self._now = tracer.now
        self._slow = tracer.settings.slow
        self.looks_at_all = self._slow < inf
        """Whether every item may turn out to be told of, since it may be slow."""
        self._kept = kept
        self._hop: Hop | None = None
        self.open: dict[tuple[Any, ...], Open] = {}
        """What is traced of what is in hand, by stream, number and path; always the same object."""
        self._turn: Sequence[tuple[Header, Open]] = ()
        """Those for which units are being called now, a part with the item in hand that it was made of."""

    def took(self, taken: Taken, free: float, now: float) -> None:
        """The worker, free since then, was given a batch. What of it is traced is open from here to `done`."""
        headers = taken.batch.headers
        if not headers or (not self.looks_at_all and type(headers) is Headers and headers.columns[5] is None):
            return
        at = marked(headers)
        if at or self.looks_at_all:
            call = self._calls[0]
            is_join = call.plan.join is not None
            self._begin(at, Hop(self._units, call.worker.name, is_join, headers, taken.came, free, now))

    def _begin(self, marked_at: Sequence[int], hop: Hop) -> None:
        self._hop = hop
        for at in marked_at:
            context = read(hop.headers[at].meta)
            if context is not None:
                self.open[_key(hop.headers[at])] = Open(at, context)

    def done(self) -> None:
        """The batch is done, and what came of it is sent."""
        hop, self._hop = self._hop, None
        if hop is None:
            return
        ended = self._now()
        for one in self.open.values():
            self._tracer.tell(Noted(hop, one, self._called, ended))
        self.open.clear()
        if self.looks_at_all:
            self._keep(hop._replace(ended=ended))

    @contextmanager
    def on_the_way(self, headers: Sequence[Header]) -> Iterator[None]:
        """As from `took` to `done`, for units behind a source in its own chain: nothing waits there."""
        now = self._now()
        self._called = called = self._calls[1:]
        worker = called[0].worker.name
        self._begin(marked(headers), Hop(self._units[1:], worker, False, headers, None, now, now))
        for one in self.open.values():
            one.context = one.context._replace(sent=None)  # it did not travel
        try:
            yield
        finally:
            self.done()

    def _keep(self, hop: Hop) -> None:
        self._kept.append(hop)
        headers, ended = hop.headers, hop.ended
        borns = headers.borns if type(headers) is Headers else [header.born for header in headers]
        oldest = min(borns) if isinstance(borns, Sequence) else borns
        if ended - oldest <= self._slow:
            return
        for at, header in enumerate(headers):
            if ended - header.born > self._slow and read(header.meta) is None:
                self._tracer.found_slow(hop, at)

    def records(self, call: Call) -> Callable[[float], None]:
        """What a runner calls with the seconds of each call of a unit: they are counted, and noted down."""
        count = call.meter.work.record
        is_ahead = call is self._calls[-1] and is_late(call)

        def record(seconds: float) -> None:
            count(seconds)
            now = self._now()
            for header, one in self._turn:
                one.span, one.ahead = (one.ahead, new_span()) if is_ahead else (new_span(), one.ahead)
                one.parts.append(Part(header, call, now, seconds, one.span))

        return record

    def runner(self, calls: Sequence[Call], desk: Desk, end: Onward) -> Noting:
        """What calls the units, and notes down what is traced."""
        plain = make_runners(calls, desk, end)
        noted = make_runners(calls, desk, Stamping(end, self), self.records, partial(Between, self))
        return Noting(plain, noted, self, takes_batches=calls[0].takes_batches)

    def behind(self, calls: Sequence[Call], desk: Desk, end: Onward, *, is_source: bool) -> Onward:
        """The way on from the first unit, a source, or one that takes the whole stream."""
        if is_source:
            if len(calls) == 1:
                return end
            return (BehindSlow if self.looks_at_all else Behind)(self.runner(calls[1:], desk, end), self)
        stamping = Stamping(end, self)  # what is done between two items of a stream is told as one
        return Fused(make_runners(calls[1:], desk, stamping)) if len(calls) > 1 else stamping

    @contextmanager
    def turned_to(self, headers: Sequence[Header]) -> Iterator[None]:
        """While this lasts units are called for these."""
        before = self._turn
        self._turn = [(header, one) for header in headers if (one := self._find(header)) is not None]
        try:
            yield
        finally:
            self._turn = before

    @contextmanager
    def listening(self, headers: Sequence[Header]) -> Iterator[None]:
        """While this lasts units are called for these, and what they do is noted down."""
        hop = self._hop
        found = [self.open[key] for header in headers if (key := _key(header)) in self.open]
        failed = [call.meter.failed for call in self._called]
        error, culprit = "", None
        try:
            with self.turned_to(headers):
                yield
        except UnitFailed as raised:
            error = str(raised)
            culprit = next((call for call in self._called if call.plan.name == raised.unit), None)
            raise
        finally:
            for call, before in zip(self._called, failed, strict=True):
                culprit = call if call.meter.failed > before else culprit
            for one in found:
                if hop is not None and (one.parts or culprit is not None):
                    del self.open[_key(hop.headers[one.at])]
                    self._tracer.tell(Noted(hop, one, self._called, self._now(), culprit, error))

    @property
    def is_amid_others(self) -> bool:
        """Whether what is traced came in a batch with others."""
        return self._hop is not None and len(self._hop.headers) > 1

    def is_open(self, header: Header) -> bool:
        """Whether this one is in hand, and traced."""
        return _key(header) in self.open

    def stamped(self, batch: Batch[Any]) -> Batch[Any]:
        """The same, what is traced with the span that sends it, and its age."""
        if not self.open:
            return batch
        return Batch(batch, [self.stamp(header) for header in batch.headers])

    def stamp(self, header: Header) -> Header:
        """A part bears the span of whatever it was made of."""
        one = self._find(header)
        if one is None:
            return header
        age = self._now() - header.born
        span = one.ahead if self._turn and is_late(self._calls[-1]) else one.span
        return header._replace(meta={**header.meta, **written(one.context.trace, as_span(span), age)})

    def _find(self, header: Header) -> Open | None:
        """The item in hand that this is, or was made of."""
        stream, seq, path = _key(header)
        while (one := self.open.get((stream, seq, path))) is None and path:
            path = path[:-1]
        return one

    def emitting(self, emit: EmitAsync) -> EmitAsync:
        """The same for a task: what it emits is stamped."""

        async def stamp(port: str, batch: Batch[Any]) -> None:
            await emit(port, self.stamped(batch))

        return stamp


def _key(header: Header) -> tuple[str, int, tuple[int, ...]]:
    return header.stream, header.seq, header.path
