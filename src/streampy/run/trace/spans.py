"""What is told of an item at one hop: a span, before it is put into the words of OpenTelemetry.

Pure. Times are seconds of the monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from streampy.model.headers import Headers
from streampy.run.trace.context import Context

if TYPE_CHECKING:
    from streampy.model.item import Header

Value = str | int | float | bool


class Kind(IntEnum):
    """As OpenTelemetry numbers them."""

    INTERNAL = 1
    PRODUCER = 4
    CONSUMER = 5


class Span(NamedTuple):
    """One unit's work on one item, and how the item came there."""

    trace: str
    span: str
    parent: str
    """"" where there is none."""
    name: str
    kind: Kind
    start: float
    end: float
    attributes: Mapping[str, Value]
    error: str | None = None
    """Why it failed, "" where that is not known; None where it did not."""


class Hop(NamedTuple):
    """A batch in the hands of a worker, from its arrival to its end."""

    units: tuple[str, ...]
    """Those of its chain."""
    worker: str
    is_join: bool
    headers: Sequence[Header]
    came: Sequence[float] | float | None
    """When each came into the pipe, or all did; None where nobody knows, because it did not wait."""
    free: float
    """Since when the worker waited for it."""
    taken: float
    ended: float = 0.0

    def waits(self, at: int, context: Context | None) -> tuple[float, dict[str, Value]]:
        """When an item came, and what it waited for (seconds): transport, its turn, and for its batch to be full.

        The worker was busy until `free`; what an item waited then is the queue's, what it waited after that is the
        batch's. For a join it is one wait, from when the last that came was sent.
        """
        header = self.headers[at]
        came = self._came(at)
        told: dict[str, Value] = {}
        if context is not None and context.sent is not None:
            sent = header.born + context.sent
            if self.is_join:
                told["streampy.wait"] = max(0.0, self.taken - sent)
                return min(self.taken, max(sent, header.born)), told
            told["streampy.transport"] = max(0.0, (self.taken if came is None else came) - sent)
        if came is None:
            return self.taken, told
        told["streampy.wait"] = max(0.0, min(self.free, self.taken) - came)
        told["streampy.batching"] = max(0.0, self.taken - max(came, self.free))
        return came, told

    def _came(self, at: int) -> float | None:
        if self.came is None or isinstance(self.came, float):
            return self.came
        return self.came[at] if len(self.came) == len(self.headers) else None

    def find(self, stream: str, seq: int) -> list[int]:
        """Where the items of a family are in the batch."""
        headers = self.headers
        if type(headers) is Headers:
            streams, seqs, *_ = headers.columns
            if isinstance(streams, str) and (streams != stream or seq not in seqs):
                return []
        return [at for at, header in enumerate(headers) if header.seq == seq and header.stream == stream]


def about(header: Header, *, unit: str, worker: str, batch: int) -> dict[str, Value]:
    """What each span tells of its item."""
    told: dict[str, Value] = {
        "streampy.unit": unit,
        "streampy.worker": worker,
        "streampy.stream": header.stream,
        "streampy.seq": header.seq,
        "streampy.batch": batch,
    }
    if header.path:
        told["streampy.path"] = ".".join(map(str, header.path))
    return told
