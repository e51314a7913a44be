"""What a worker noted down of one traced item, and the spans that are made of it, later, in another thread.

Pure. Making spans takes as long as a dozen units that do nothing, so it is not done where the units are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

from streampy.run.trace.context import Context, as_span, new_span
from streampy.run.trace.spans import Hop, Kind, Span, Value, about

if TYPE_CHECKING:
    from streampy.model.item import Header
    from streampy.run.call import Call


class Part(NamedTuple):
    """A call of a unit."""

    header: Header
    call: Call
    ended: float
    work: float
    """Seconds."""
    span: int


@final
class Open:
    """A traced item in the hands of a worker."""

    __slots__ = ("ahead", "at", "context", "parts", "span")

    def __init__(self, at: int, context: Context) -> None:
        self.at = at
        """Where it is in the batch."""
        self.context = context
        self.span = new_span()
        """The span that sends what is sent next."""
        self.ahead = new_span()
        """The span of the last unit, where that sends before it is done."""
        self.parts: list[Part] = []
        """Of each unit that was done."""


class Noted(NamedTuple):
    """An item that a worker is done with."""

    hop: Hop
    one: Open
    calls: Sequence[Call]
    """Of the units that were called."""
    ended: float
    culprit: Call | None = None
    """Of the unit that raised on it."""
    error: str = ""

    def spans(self) -> Iterator[Span]:
        """One for each call of a unit; one for all, where the ways in which they are called say no more."""
        came, waits = self.hop.waits(self.one.at, self.one.context)
        if not self.one.parts and self.culprit is None:
            yield self._whole(came, waits)
        for at, part in enumerate(self.one.parts):
            yield self._span(at, part, came, waits)
        if self.culprit is not None:
            yield self._failure(self.culprit, came, waits)

    def _whole(self, came: float, waits: dict[str, Value]) -> Span:
        hop, one = self.hop, self.one
        told = self._about(hop.headers[one.at], self.calls[0]) | waits | {"streampy.work": self.ended - hop.taken}
        if len(hop.units) > 1:
            told["streampy.units"] = "+".join(hop.units)
        trace, parent = one.context.trace, one.context.parent
        return Span(trace, as_span(one.span), parent, hop.units[0], Kind.CONSUMER, came, self.ended, told)

    def _span(self, at: int, part: Part, came: float, waits: dict[str, Value]) -> Span:
        header, call, ended, work, span = part
        told = self._about(header, call) | {"streampy.work": work}
        before, begun = self._before(at), ended - work
        is_first = call is self.calls[0]
        if is_first:
            told, begun = told | waits, came
        elif is_late(call):  # what it gave passed on in between
            begun = min(begun, self.hop.taken if before is None else before.ended)
        if call.is_sink:
            told["streampy.latency"] = ended - header.born
        kind = Kind.CONSUMER if is_first else Kind.INTERNAL
        context = self.one.context
        parent = context.parent if before is None else as_span(before.span)
        return Span(context.trace, as_span(span), parent, call.plan.name, kind, begun, ended, told)

    def _before(self, at: int) -> Part | None:
        """What the unit before did: one that yields is done only when all that it gave has passed on."""
        parts = self.one.parts
        call = parts[at].call
        if call is self.calls[0]:
            return None
        before = self.calls[self.calls.index(call) - 1]
        among = parts[at + 1 :] if is_late(before) else reversed(parts[:at])
        return next((part for part in among if part.call is before), None)

    def _failure(self, culprit: Call, came: float, waits: dict[str, Value]) -> Span:
        parts, context = self.one.parts, self.one.context
        told = self._about(self.hop.headers[self.one.at], culprit) | ({} if parts else waits)
        parent, begun = (as_span(parts[-1].span), parts[-1].ended) if parts else (context.parent, came)
        name = culprit.plan.name
        return Span(
            context.trace, as_span(new_span()), parent, name, Kind.CONSUMER, begun, self.ended, told, self.error
        )

    def _about(self, header: Header, call: Call) -> dict[str, Value]:
        return about(header, unit=call.plan.name, worker=call.worker.name, batch=len(self.hop.headers))


def is_late(call: Call) -> bool:
    """Whether a unit sends what it gives before it is done with the item; see `Spreader`."""
    return not call.is_plain and not call.takes_batches
