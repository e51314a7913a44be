"""The traces of one OS process: which items are traced, what each worker tells of them, and what was slow.

Knows nothing of how spans travel. Made only where something is to be traced.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, final

from streampy.run.trace.births import TracedBirths, TracedEntry
from streampy.run.trace.context import as_span, new_span, trace_of
from streampy.run.trace.export import Exporter
from streampy.run.trace.hops import Hops
from streampy.run.trace.noted import Noted
from streampy.run.trace.spans import Hop, Kind, Span, Value, about

if TYPE_CHECKING:
    from streampy.model.item import Header
    from streampy.run.call import Call
    from streampy.run.trace.settings import TraceSettings

_KEPT: Final = 1024
"""Batches of each worker that are remembered, for those of which it shows later that they were slow."""
_SLOW: Final = 4096
"""Slow items that are remembered."""


class TraceTerms(NamedTuple):
    """What another OS process must know to trace as this one does."""

    settings: TraceSettings
    process: str
    segment: str
    home: str


class _Slow(NamedTuple):
    """A hop at whose end an item was slow."""

    hop: Hop
    at: int


class _Search(NamedTuple):
    """A slow item, of which earlier hops are looked for."""

    header: Header
    ended: float


@final
class Tracer:
    """Any thread may call it; what a worker tells goes through its own `Hops`."""

    def __init__(
        self,
        terms: TraceTerms,
        now: Callable[[], float],
        launch: Callable[[Callable[[], None], str], None],
        place: str = "main",
    ) -> None:
        """Place: the name of this OS process within its segment. now: seconds, monotonic."""
        self.terms = terms
        self.settings = terms.settings
        self.now = now
        self.exporter = Exporter(terms.settings, self._resource(place), self._expand, launch)
        self._kept: dict[tuple[str, int], deque[Hop]] = {}
        """By unit and index of the worker."""
        self._slow: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Tracer of {self.terms.process}: {self.exporter!r}>"

    def start(self) -> None:
        """Begin to send what is told."""
        self.exporter.start()

    def _resource(self, place: str) -> Mapping[str, Value]:
        return {
            "service.name": self.terms.process,
            "service.instance.id": f"{self.terms.home}/{place}",
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            "streampy.segment": self.terms.segment,
            "streampy.place": place,
        }

    def births(self, call: Call) -> TracedBirths:
        """Gives what a source emits its headers, those that are traced among them."""
        return TracedBirths(call, self)

    def entry(self, unit: str) -> TracedEntry:
        """Marks what is pushed to a unit by hand."""
        return TracedEntry(unit, self)

    def hops(self, calls: Sequence[Call]) -> Hops:
        """What one worker notes down; its thread or task uses it. Who takes its place goes on with what it kept."""
        worker = calls[0].worker
        with self._lock:
            kept = self._kept.setdefault((worker.unit, worker.index), deque(maxlen=_KEPT))
        return Hops(self, calls, kept)

    def trace_of(self, header: Header) -> str:
        """The trace of an item that bears none."""
        return trace_of(self.terms.home, header)

    def tell(self, what: Span | Noted) -> None:
        """Have it sent."""
        self.exporter.put(what)

    def found_slow(self, hop: Hop, at: int) -> None:
        """An item was slow at the end of a hop; what came before it is looked for the first time."""
        self.exporter.put(_Slow(hop, at))
        header = hop.headers[at]
        family = header[:2]
        with self._lock:
            is_known = family in self._slow
            self._slow[family] = None
            if len(self._slow) > _SLOW:
                self._slow.popitem(last=False)
        if not is_known:
            self.exporter.put(_Search(header, hop.ended))

    def _expand(self, what: Noted | _Slow | _Search) -> Iterator[Span]:
        """What was put, as spans. In the exporter's thread."""
        if isinstance(what, Noted):
            return what.spans()
        return iter((self._span(*what),)) if isinstance(what, _Slow) else self._find(what)

    def _find(self, search: _Search) -> Iterator[Span]:
        """Earlier hops of an item, at whose end it was not slow yet."""
        born, slow = search.header.born, self.settings.slow
        with self._lock:
            kept = list(self._kept.values())
        for hops in kept:
            for hop in reversed(list(hops)):
                if hop.ended < born:
                    break
                if hop.ended - born <= slow and hop.ended <= search.ended:
                    yield from (self._span(hop, at) for at in hop.find(*search.header[:2]))

    def _span(self, hop: Hop, at: int) -> Span:
        header = hop.headers[at]
        start, waits = hop.waits(at, None)
        told = about(header, unit=hop.units[0], worker=hop.worker, batch=len(hop.headers)) | waits
        told |= {"streampy.work": hop.ended - hop.taken, "streampy.slow": True, "streampy.age": hop.ended - header.born}
        if len(hop.units) > 1:
            told["streampy.units"] = "+".join(hop.units)
        return Span(self.trace_of(header), as_span(new_span()), "", hop.units[0], Kind.CONSUMER, start, hop.ended, told)

    def close(self, within: float) -> None:
        """Send what waits, but take no longer than so many seconds."""
        self.exporter.close(within)
