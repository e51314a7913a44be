"""Gives items their headers as `Births` does, and marks those that are traced.

Which ones is drawn by chance: every hundredth would be the same one of each hundred.
"""

from __future__ import annotations

from math import inf
from random import randint
from typing import TYPE_CHECKING, Any, final

from streampy.model.headers import Headers
from streampy.model.item import NO_META, Header
from streampy.run.source import Births
from streampy.run.trace.budget import Budget
from streampy.run.trace.context import PARENT, as_span, new_span, written
from streampy.run.trace.spans import Kind, Span, about

if TYPE_CHECKING:
    from streampy.run.call import Call
    from streampy.run.trace.settings import TraceSettings
    from streampy.run.trace.tracer import Tracer

_new = tuple.__new__
"""See `Births`."""


@final
class Lots:
    """Which of the items of one stream are traced. One thread uses it."""

    def __init__(self, settings: TraceSettings, seq: int) -> None:
        """seq: of the first item."""
        self._share = settings.sample
        self._budget = Budget(settings.most)
        self.next = seq + self._gap() - 1
        """The number of the next item that is drawn."""

    def _gap(self) -> int:
        """How far the next one is: 1/share on the average."""
        if self._share <= 0.0:
            return 1 << 62
        return randint(1, max(1, round(2 / self._share) - 1))  # noqa: S311 - no secret

    def draw(self, header: Header) -> bool:
        """Whether there is something left for an item that was drawn."""
        self.next = header.seq + self._gap()
        return self._budget.spend(header.born)


@final
class TracedEntry:
    """Marks what is pushed by hand. Under the entry's lock."""

    def __init__(self, unit: str, tracer: Tracer) -> None:
        self._unit = unit
        self._tracer = tracer
        self._lots = Lots(tracer.settings, 0)

    def mark(self, header: Header) -> Header:
        """With a trace, where it is drawn, and bears none from elsewhere."""
        if header.seq < self._lots.next or PARENT in header.meta or not self._lots.draw(header):
            return header
        trace, span = self._tracer.trace_of(header), as_span(new_span())
        told = about(header, unit=self._unit, worker="", batch=1)
        end = self._tracer.now()
        self._tracer.tell(Span(trace, span, "", f"push to {self._unit}", Kind.PRODUCER, header.born, end, told))
        return header._replace(meta={**header.meta, **written(trace, span, 0.0)})


@final
class TracedBirths(Births):
    """Those of one source worker."""

    def __init__(self, call: Call, tracer: Tracer) -> None:
        super().__init__(call)
        self._tracer = tracer
        self._lots = Lots(tracer.settings, self._seq)
        self._drawn = self._lots.next
        """Once more here, because each item is held against it."""

    def header(self) -> Header:
        """See `Births.header`, which is written once more here: to call it would take a third longer."""
        seq = self._seq
        self._seq = self._counts[self._born] = seq + 1
        self._emit(1)
        header: Header = _new(Header, (self._stream, seq, self._now(), (), inf, NO_META))
        if self._ledger.is_heard:
            self._ledger.born((header,))
        return header if seq < self._drawn else self._marked(header, 1)

    def _headers(self, count: int) -> Any:
        headers = super()._headers(count)
        first = self._seq - count
        if self._drawn >= self._seq:
            return headers
        streams, seqs, borns, *_ = headers.columns
        metas: dict[int, dict[str, Any]] = {}
        while self._drawn < self._seq:
            at = max(0, self._drawn - first)
            if meta := self._marked(headers[at], count).meta:
                metas[at] = {**meta}
        return Headers((streams, seqs, borns, None, None, [*map(metas.get, range(count))])) if metas else headers

    def _marked(self, header: Header, batch: int) -> Header:
        """With a trace, if there is something left for it; this span is the first of it."""
        is_told = self._lots.draw(header)
        self._drawn = self._lots.next
        if not is_told:
            return header
        trace, span = self._tracer.trace_of(header), as_span(new_span())
        worker = self._call.worker
        work = self._call.meter.work.latest
        told = about(header, unit=worker.unit, worker=worker.name, batch=batch) | {"streampy.work": work}
        self._tracer.tell(
            Span(trace, span, "", worker.unit, Kind.PRODUCER, header.born - work, self._tracer.now(), told)
        )
        return header._replace(meta=written(trace, span, 0.0))
