"""One unit as one worker calls it: what it is made of, and what becomes of an item on which it raises.

Knows nothing of the order in which units are called; the runners do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol

from streampy.flow.router import Spread
from streampy.model.item import Batch, Header, Item, Reason
from streampy.model.plan import UnitPlan
from streampy.model.ports import OUT, Emits, Helping
from streampy.run.meter import UnitMeter
from streampy.run.outlet import Outlet
from streampy.run.trouble import Trouble
from streampy.run.watchdog import Look
from streampy.run.worker import Worker

if TYPE_CHECKING:
    from streampy.run.places.pulse import Pulse
    from streampy.run.trace.tracer import Tracer

LOST: Final = object()
"""The result of an item on which a unit raised, where the policy says to go on without it."""
NO_LIMIT: Final = nullcontext()


class TakenApart(Exception):
    """A unit raised on a batch, and its items are to be tried one by one, by whoever keeps what is in hand."""


class Watch(Protocol):
    """Who looks that calls come back in time: see `Watchdog`."""

    def watching(self, call: Call, what: str) -> AbstractContextManager[None]:
        """While this lasts, a worker calls its unit; `what` is told where it does not come back in time."""

    def guarding(self, call: Call, look: Look) -> AbstractContextManager[None]:
        """As `watching`, where `look` tells at the deadline what did not come back, or when to look again."""


class Onward(Protocol):
    """Where results go: to the next unit of a fused chain, to an outlet, or to where they wait for their turn."""

    def put(self, port: str, batch: Batch[Any]) -> None:
        """Send a batch on."""

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """Send one item on."""


class Call:
    """One unit, as one worker calls it. Not safe for threads: each worker has its own."""

    def __init__(
        self,
        plan: UnitPlan,
        work: Callable[..., Any],
        worker: Worker,
        *,
        trouble: Trouble,
        outlet: Outlet,
        watchdog: Watch,
        tracer: Tracer | None = None,
    ) -> None:
        self.plan = plan
        self.worker = worker
        self.trouble = trouble
        self.outlet = outlet
        self.tracer = tracer
        """None where nothing is traced."""
        self.now = outlet.now
        self._watchdog = watchdog
        self.has_limit = plan.spec.timeout < inf
        """Whether a call must come back within a time."""
        self.is_sink = plan.ports.emits is Emits.NOTHING
        self.wraps = plan.join is None and any(port.gives_headers for port in plan.ports.inputs.values())
        self.takes_batches = any(port.helping is Helping.BATCH for port in plan.ports.inputs.values())
        """Whether one call is for a whole batch."""
        self.is_plain = self._makes_one_of_one()
        """Whether it makes one result (or none) of the value of one item: then it is called without detours."""
        self.meter = UnitMeter(counts_calls=self.is_plain, gives=not self.is_sink)
        self.work = _spread_arguments(work) if plan.join is not None else work

    def renewed(self, work: Callable[..., Any]) -> Call:
        """The same for a unit that was made anew: what was counted goes on."""
        call = Call(
            self.plan,
            work,
            self.worker,
            trouble=self.trouble,
            outlet=self.outlet,
            watchdog=self._watchdog,
            tracer=self.tracer,
        )
        call.meter = self.meter
        return call

    def _makes_one_of_one(self) -> bool:
        ports = self.plan.ports
        if not ports.inputs or ports.is_stream or self.wraps or self.takes_batches or self.has_limit:
            return False
        return self.is_sink or (ports.emits is Emits.ONE and ports.named is None)

    def in_time(self, headers: Sequence[Header]) -> AbstractContextManager[None]:
        """While this lasts, the unit is called for these items (a source: none); past `timeout` the watchdog barks."""
        if not self.has_limit:
            return NO_LIMIT
        return self._watchdog.watching(self, _late_in_words(headers))

    def guarded(self, pulse: Pulse) -> AbstractContextManager[None]:
        """While this lasts, the unit is called in another OS process, which shows its pulse: see `in_time`."""
        if not self.has_limit:
            return NO_LIMIT
        limit = self.plan.spec.timeout

        def look() -> str | float:
            called = pulse.look()
            since, what = called or (self.now(), "")
            return what if since + limit <= self.now() else since + limit

        return self._watchdog.guarding(self, look)

    def one(self, header: Header, value: Any) -> Any:
        """Call the unit for one item."""
        return self.work(Item(value, header) if self.wraps else value)

    def again(self, header: Header, value: Any, error: Exception, work: Callable[[], Any]) -> Any:
        """Try again as often as the policy says; the result, or LOST. Raises UnitFailed where that stops all."""
        for attempt in self.trouble.tries:
            self.pause(attempt)
            try:
                return work()
            except Exception as latest:
                error = latest
        self.fail(header, value, error)
        self.outlet.bury(header, Reason.FAILED, error)
        return LOST

    def pause(self, attempt: int) -> None:
        """Wait before a further try."""
        self.meter.retried += 1
        self.worker.sleep(self.trouble.backoff(attempt))

    def fail(self, header: Header, value: Any, error: Exception) -> None:
        """The unit raised on an item once too often. Raises UnitFailed where that stops the process."""
        self.meter.failed += 1
        self.trouble.give_up(header, value, error)

    def nothing(self, header: Header, value: Any) -> None:
        """The unit returned None for this item: it was delivered, or filtered away. Raises UnitFailed elsewhere."""
        if self.is_sink:
            self.outlet.delivered((header,))
            return
        if not self.plan.ports.outputs[OUT].optional:
            self.fail(header, value, _promised())
            self.outlet.bury(header, Reason.FAILED)
            return
        self.meter.filtered += 1
        self.outlet.bury(header, Reason.FILTERED)

    def check_batch(self, results: Any, count: int) -> list[Any]:
        """The results of a batch. Raises TypeError or ValueError where they don't fit it."""
        if not isinstance(results, list) and not hasattr(results, "__len__"):
            raise TypeError(f"returned {type(results).__name__}, but its signature promises a Batch of {count} results")
        if len(results) != count:
            raise ValueError(f"returned {len(results)} results for a batch of {count}: give one for each item")
        return results if isinstance(results, list) else list(results)

    def takes_apart(self, batch: Batch[Any]) -> bool:
        """Whether a batch on which the unit raised is tried item by item, to find the one."""
        return len(batch) > 1 and not self.trouble.stops

    def take_apart(self, batch: Batch[Any]) -> None:
        """The items are tried one by one, and counted so. Raises TakenApart where a worker may die meanwhile."""
        if self.plan.spec.on_crash.restarts:
            raise TakenApart
        self.meter.receive(-len(batch))  # each is received once more

    def finish(self, spread: Spread) -> None:
        """The unit is done with one item: at a sink it is delivered."""
        if self.is_sink:
            self.outlet.delivered((spread.header,))
        else:
            self.settle(spread)

    def settle(self, spread: Spread, reason: Reason = Reason.FILTERED, cause: BaseException | None = None) -> None:
        """Count how one item became those that were sent, and tell the joins how many there are."""
        header, total = spread.header, spread.total
        if reason is Reason.FAILED:
            self.outlet.ledger.add("split", header, total)
            self.outlet.ledger.add("failed", header)
        elif not total:
            self.meter.filtered += 1
            self.outlet.ledger.add("filtered", header)
        else:
            self.outlet.ledger.add("split", header, total - 1)
        for port, count in spread.fanouts():
            if count or reason is not Reason.FAILED:
                self.outlet.close(port, header, count)
            else:
                self.outlet.silent(header, port, reason, cause)
        for port in spread.silent():
            self.outlet.silent(header, port, reason, cause)
        for port, part in spread.missing:
            self.outlet.leave_out(port, part)


def _late_in_words(headers: Sequence[Header]) -> str:
    if not headers:
        return "gave nothing"
    keys = headers[0].key if len(headers) == 1 else f"{headers[0].key} to {headers[-1].key}"
    return f"did not come back from item {keys}"


def _spread_arguments(work: Callable[..., Any]) -> Callable[..., Any]:
    """What travels into a unit with several inputs is the tuple of its arguments."""
    return lambda values: work(*values)


def _promised() -> TypeError:
    return TypeError("returned None, but its signature promises a value: annotate `-> T | None` if it may filter")
