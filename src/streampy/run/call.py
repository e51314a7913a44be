"""Calls a unit with a batch, and sends on what it gives: the innermost of a worker.

Knows nothing of threads and pipes; what it sends goes to `emit`, which is the next call of a fused chain or an outlet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, perf_counter
from typing import Any, Final

from streampy.flow.router import Sent, Spread
from streampy.model.item import Batch, Header, Item, Reason
from streampy.model.plan import UnitPlan
from streampy.model.ports import OUT, Emits, Helping
from streampy.run.meter import UnitMeter
from streampy.run.outlet import Outlet
from streampy.run.trouble import Trouble
from streampy.run.worker import Worker

Emit = Callable[[str, Batch[Any]], None]
_LOST: Final = object()
_HOLD_BACK = 0.0002
"""Seconds that a result may wait for those of the rest of its batch."""


class Call:
    """One unit, as one worker calls it. Not safe for threads: each worker has its own."""

    def __init__(
        self, plan: UnitPlan, work: Callable[..., Any], worker: Worker, trouble: Trouble, outlet: Outlet
    ) -> None:
        self.plan = plan
        self.worker = worker
        self.meter = UnitMeter()
        self.outlet = outlet
        self.trouble = trouble
        self.emit: Emit = outlet.put
        self.enter: Callable[[Call], None] = lambda _: None
        """Told whenever this unit is about to be called, so that the worker's desk bears its name."""
        self._work = work
        self.one = _adapt(plan, work)
        self._run = self._runner()

    def _runner(self) -> Callable[[Batch[Any]], None]:
        ports = self.plan.ports
        if any(port.helping is Helping.BATCH for port in ports.inputs.values()):
            return self._run_batch
        if ports.emits is Emits.NOTHING:
            return self._run_sink
        if ports.emits is Emits.ONE and ports.named is None and not ports.outputs[OUT].many:
            return self._run_plain
        return self._run_spread

    def run(self, batch: Batch[Any]) -> None:
        """Call the unit with each item (or with the batch), and emit what it gives. Raises UnitFailed."""
        self.enter(self)
        self.meter.received += len(batch)
        self._run(batch)

    def _run_plain(self, batch: Batch[Any]) -> None:
        """One result for each item."""
        work, record = self.one, self.meter.work.record
        headers: list[Header] = []
        values: list[Any] = []
        then = first = perf_counter()
        for header, value in zip(batch.headers, batch, strict=True):
            try:
                result = work(value, header)
                if result is None:
                    self.check_none()
            except Exception as error:
                result = self._again(header, value, error, lambda: work(value, header))  # noqa: B023 - called at once
                if result is _LOST:
                    continue
            now = perf_counter()
            record(now - then)
            then = now
            if result is None:
                self._filter(header)
                continue
            headers.append(header)
            values.append(result)
            if now - first > _HOLD_BACK:
                self._emit(OUT, values, headers)
                headers, values = [], []
                then = first = perf_counter()
        if values:
            self._emit(OUT, values, headers)

    def _run_sink(self, batch: Batch[Any]) -> None:
        work, record = self.one, self.meter.work.record
        for header, value in zip(batch.headers, batch, strict=True):
            then = perf_counter()
            try:
                work(value, header)
            except Exception as error:
                if self._again(header, value, error, lambda: work(value, header)) is _LOST:  # noqa: B023 - called at once
                    continue
            record(perf_counter() - then)
            self.outlet.delivered((header,), monotonic())

    def _run_spread(self, batch: Batch[Any]) -> None:
        """Any number of results for each item, to any of the outputs."""
        for header, value in zip(batch.headers, batch, strict=True):
            spread = Spread(self.plan.ports, header)
            for sent in self._results(spread, value):
                self._emit(sent.port, [sent.value], [sent.header])
                self.enter(self)

    def _results(self, spread: Spread, value: Any) -> Iterator[Sent]:
        """The results of one item, measured; afterwards every output knows whether more will come."""
        header = spread.header
        busy = 0.0
        attempts = iter(self.trouble.tries)
        results = self._start(spread, value)
        while True:
            then = perf_counter()
            try:
                sent = next(results, None)
            except Exception as error:
                busy += perf_counter() - then
                attempt = None if spread.total else next(attempts, None)
                if attempt is not None:
                    self._pause(attempt)
                    results = self._start(spread, value)
                    continue
                self.fail(header, value, error)
                self.settle(spread, Reason.FAILED, error)
                return
            busy += perf_counter() - then
            if sent is None:
                break
            yield sent
        self.meter.work.record(busy)
        self.finish(spread)

    def _start(self, spread: Spread, value: Any) -> Iterator[Sent]:
        """Lazy, so that what the call itself raises comes out at the first `next` too."""
        yield from spread.of(self.one(value, spread.header))

    def finish(self, spread: Spread) -> None:
        """The unit is done with one item: at a sink it is delivered."""
        if self.plan.ports.emits is Emits.NOTHING:
            self.outlet.delivered((spread.header,), monotonic())
        else:
            self.settle(spread)

    def settle(self, spread: Spread, reason: Reason = Reason.FILTERED, cause: BaseException | None = None) -> None:
        """Count how one item became those that were sent, and tell the joins how many there are."""
        header, total = spread.header, spread.total
        if reason is Reason.FAILED:
            self.outlet.ledger.add("split", header.stream, total)
            self.outlet.ledger.add("failed", header.stream)
        elif not total:
            self.meter.filtered += 1
            self.outlet.ledger.add("filtered", header.stream)
        else:
            self.outlet.ledger.add("split", header.stream, total - 1)
        for port, count in spread.fanouts():
            if count or reason is not Reason.FAILED:
                self.outlet.close(port, header, count)
            else:
                self.outlet.silent(header, port, reason, cause)
        for port in spread.silent():
            self.outlet.silent(header, port, reason, cause)

    def _run_batch(self, batch: Batch[Any]) -> None:
        """One call for all of them."""
        then = perf_counter()
        try:
            results = self.check_batch(self._work(batch), len(batch))
        except Exception as error:
            if self.takes_apart(batch):
                for header, value in zip(batch.headers, batch, strict=True):
                    self._run_batch(Batch([value], [header]))
                return
            self._fail_batch(batch, error)
            return
        self.meter.work.record(perf_counter() - then)
        for port, values, headers in self.accept_batch(batch, results):
            self._emit(port, values, headers)

    def takes_apart(self, batch: Batch[Any]) -> bool:
        """Whether a batch on which the unit raised is tried item by item, to find the one."""
        return len(batch) > 1 and not self.trouble.stops

    def accept_batch(
        self, batch: Batch[Any], results: list[Any] | None
    ) -> Iterator[tuple[str, list[Any], list[Header]]]:
        """What is to be emitted of the results of a batch; those that are None were filtered away."""
        if results is None:
            self.outlet.delivered(batch.headers, monotonic())
        elif self.plan.ports.named is not None:
            for header, result in zip(batch.headers, results, strict=True):
                spread = Spread(self.plan.ports, header)
                for sent in spread.of(result):
                    yield sent.port, [sent.value], [sent.header]
                self.settle(spread)
        else:
            kept = list(zip(batch.headers, results, strict=True))
            for header, result in kept:
                if result is None:
                    self._filter(header)
            values = [result for _, result in kept if result is not None]
            if values:
                yield OUT, values, [header for header, result in kept if result is not None]

    def _fail_batch(self, batch: Batch[Any], error: Exception) -> None:
        """A batch failed that is not taken apart: it is of one item, or the error stops the process."""
        first, last = batch.headers[0], batch.headers[-1]
        if len(batch) > 1:
            self.meter.failed += len(batch)
            raise self.trouble.failure(f"{first.key} to {last.key}", error) from error
        again = self._again(first, batch[0], error, lambda: self.check_batch(self._work(batch), 1))
        if again is not _LOST:
            for port, values, headers in self.accept_batch(batch, again):
                self._emit(port, values, headers)

    def check_batch(self, results: Any, count: int) -> list[Any] | None:
        """The results as a list; None for a sink. Raises TypeError or ValueError where they don't fit the batch."""
        if self.plan.ports.emits is Emits.NOTHING:
            return None
        if not hasattr(results, "__len__"):
            raise TypeError(f"returned {type(results).__name__}, but its signature promises a Batch of {count} results")
        if len(results) != count:
            raise ValueError(f"returned {len(results)} results for a batch of {count}: give one for each item")
        return list(results)

    def _emit(self, port: str, values: list[Any], headers: list[Header]) -> None:
        self.meter.emitted += len(values)
        self.emit(port, Batch(values, headers))

    def check_none(self) -> None:
        """Raises TypeError where the signature promises a value."""
        if not self.plan.ports.outputs[OUT].optional:
            raise TypeError(
                "returned None, but its signature promises a value: annotate `-> T | None` if it may filter"
            )

    def _filter(self, header: Header) -> None:
        self.meter.filtered += 1
        self.outlet.bury(header, Reason.FILTERED)

    def _again(self, header: Header, value: Any, error: Exception, work: Callable[[], Any]) -> Any:
        """Try again as often as the policy says; the result, or _LOST. Raises UnitFailed where that stops all."""
        for attempt in self.trouble.tries:
            self._pause(attempt)
            try:
                return work()
            except Exception as latest:
                error = latest
        self.fail(header, value, error)
        self.outlet.bury(header, Reason.FAILED, error)
        return _LOST

    def _pause(self, attempt: int) -> None:
        self.meter.retried += 1
        self.worker.sleep(self.trouble.backoff(attempt))

    def fail(self, header: Header, value: Any, error: Exception) -> None:
        """The unit raised on an item once too often. Raises UnitFailed where that stops the process."""
        self.meter.failed += 1
        self.trouble.give_up(header, value, error)


def _adapt(plan: UnitPlan, work: Callable[..., Any]) -> Callable[[Any, Header], Any]:
    """How to call the unit with what travels: a value, or the tuple of arguments that a join made."""
    if plan.join is not None:
        return lambda values, _: work(*values)
    if any(port.helping is Helping.ITEM for port in plan.ports.inputs.values()):
        return lambda value, header: work(Item(value, header))
    return lambda value, _: work(value)
