"""Which worker logs, and on which item it works: found, when something is logged, by a look at the calls around it.

So a worker need not note down each item before it calls its unit, which would cost each of them 30 ns; a look costs
some 3 µs, and only who logs pays it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, Final

from streampy.model.item import Header
from streampy.run import call_async, stream
from streampy.run.runners import BatchRunner, Spreader, Straight
from streampy.run.worker import sitting

_Locals = Mapping[str, Any]


def _header(there: _Locals) -> Header | None:
    found: Header | None = there.get("header")
    return found


def _first_of_batch(there: _Locals) -> Header | None:
    found: Header = there["batch"].headers[0]
    return found


def _next_of_many(there: _Locals) -> Header | None:
    """A quick unit is called with one value after the other; what it gave is in `results` at once."""
    headers, results = there["headers"], there.get("results") or ()
    return headers[len(results)] if len(results) < len(headers) else None


def _pulled(there: _Locals) -> Header | None:
    spread = there["pulled"]._spread
    return None if spread is None else spread.header


_CALLERS: Final[Mapping[CodeType, Callable[[_Locals], Header | None]]] = {
    Straight.run_one.__code__: _header,
    Straight._run_by_unit.__code__: _next_of_many,
    Straight._after_error.__code__: _header,
    Spreader.run_one.__code__: _header,
    BatchRunner.run.__code__: _first_of_batch,
    call_async._run_plain.__code__: _header,
    call_async._run_spread.__code__: _header,
    call_async._run_batch.__code__: _first_of_batch,
    stream.run_stream.__code__: _pulled,
    stream.run_stream_async.__code__: _pulled,
}
"""Who calls units, and how the item is found in what is local there."""


def at_hand() -> dict[str, Any]:
    """`unit` and `worker` of whoever calls this, and `stream`, `seq` and `path` of the item; without what is not known.

    In a unit that takes batches the item is the first one of the batch; in a source there is none.
    """
    desk = sitting()
    if desk is None:
        return {}
    found: dict[str, Any] = {"unit": desk.worker.unit, "worker": desk.worker.name}
    header = _look_up()
    if header is not None:
        found |= {"stream": header.stream, "seq": header.seq}
        if header.path:
            found["path"] = list(header.path)
    return found


def _look_up() -> Header | None:
    frame = sys._getframe(1)
    while frame is not None:
        find = _CALLERS.get(frame.f_code)
        if find is not None:
            return find(frame.f_locals)
        frame = frame.f_back  # type: ignore[assignment] # the last one has none
    return None
