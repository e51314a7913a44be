"""The ways to call units with a batch: straight through several plain ones, or one that spreads, or takes batches.

Knows nothing of threads and pipes. In a fused chain a runner sends straight on to the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from math import inf
from typing import Any, Final, Protocol, final

from streampy.flow.router import Sent, Spread
from streampy.model.item import Batch, Header, Reason
from streampy.model.ports import OUT
from streampy.run.call import LOST, Call, Onward
from streampy.run.mail import Mailbox

HOLD_BACK: Final = 0.0002
"""Seconds that a result may wait for those of the rest of its batch."""
_FOLD_AFTER: Final = 1024


class Runner(Protocol):
    """Calls one or more units, and sends on what they give."""

    onward: Onward

    @property
    def appetite(self) -> float:
        """How many items may be taken at once without holding any of them back for long."""

    def run(self, batch: Batch[Any]) -> None:
        """Call with each item, or with the batch. Raises UnitFailed."""

    def run_one(self, header: Header, value: Any) -> None:
        """Call with one item. Raises UnitFailed."""


class Desk(Protocol):
    """Where the worker notes which unit it is calling."""

    at: Call
    mail: Mailbox

    @property
    def may_go_on(self) -> bool:
        """Whether the worker is to take more."""


Records = Callable[[Call], Callable[[float], None]]
"""Gives what is called with the seconds of each call of a unit."""


def make_runners(
    calls: Sequence[Call],
    desk: Desk,
    end: Onward,
    records: Records | None = None,
    fuse: Callable[[Runner], Onward] | None = None,
) -> Runner:
    """The first runner of a chain; each sends on to the next, the last one to `end`.

    records, fuse: for somebody who listens to each call by itself, and to what is sent from runner to runner.
    """
    runners: list[Runner] = []
    for is_plain, group in groupby(calls, key=lambda call: call.is_plain):
        if is_plain:
            runners.append(Straight(list(group), desk, end, records))
        else:
            kinds = ((BatchRunner if call.takes_batches else Spreader, call) for call in group)
            runners.extend(kind(call, desk, end, records or _record) for kind, call in kinds)
    for before, after in zip(runners, islice(runners, 1, None), strict=False):
        before.onward = (fuse or Fused)(after)
    return runners[0]


def _record(call: Call) -> Callable[[float], None]:
    return call.meter.work.record


@final
class Fused:
    """The way to the next runner: a direct call."""

    def __init__(self, runner: Runner) -> None:
        self._run, self._run_one = runner.run, runner.run_one

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        del port
        self._run(batch)

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        del port
        self._run_one(header, value)


@final
class Straight:
    """Plain units, called one after another with nothing between; each is measured."""

    def __init__(self, calls: Sequence[Call], desk: Desk, onward: Onward, records: Records | None = None) -> None:
        self.onward = onward
        self._desk = desk
        self._units = [(call, call.work, records(call) if records else call.meter.work.append) for call in calls]
        self._goes_by_unit = records is None
        self._ends = calls[-1].is_sink
        self._clock = calls[0].now
        self._runs = 0
        self._each = inf
        """Seconds that an item took in these units, of late."""

    @property
    def appetite(self) -> float:
        """See `Runner.appetite`."""
        return HOLD_BACK / max(self._each, 1e-9)

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`. Where the units are quick, each is called with all items before the next one is."""
        if len(batch) > 1 and self._each * len(batch) < HOLD_BACK and self._goes_by_unit:
            self._run_by_unit(batch)
            return
        for header, value in zip(batch.headers, batch, strict=True):
            self.run_one(header, value)

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        desk, clock = self._desk, self._clock
        start = then = clock()
        for call, work, record in self._units:
            desk.at = call
            try:
                result = work(value)
            except Exception as error:
                result = call.again(header, value, error, _bind(work, value))
                if result is LOST:
                    return
            now = clock()
            record(now - then)
            then = now
            if result is None:
                call.nothing(header, value)
                break
            value = result
        else:
            if self._ends:
                call.outlet.delivered((header,))
            else:
                self.onward.put_one(OUT, header, value)
        self._each = then - start
        self._runs += 1
        if self._runs >= _FOLD_AFTER:
            self._fold()

    def _run_by_unit(self, batch: Batch[Any]) -> None:
        headers: Sequence[Header] = batch.headers
        values: list[Any] = batch
        clock = self._clock
        start = then = clock()
        for call, work, _ in self._units:
            self._desk.at = call
            results: list[Any] = []
            try:
                results.extend(map(work, values))
            except Exception as error:  # what was done before it is in `results`
                headers, values, results = self._after_error(call, headers, values, results, error)
            now = clock()
            if results:
                call.meter.work.repeat((now - then) / len(results), len(results))
            then = now
            if call.is_sink:
                self._each = (then - start) / len(batch)
                call.outlet.delivered(headers)
                return
            if _has_nothing(results):
                headers, results = _without_nothing(call, headers, values, results)
            values = results
        self._each = (then - start) / len(batch)
        if values:
            self.onward.put(OUT, Batch(values, headers))

    def _after_error(
        self, call: Call, headers: Sequence[Header], values: list[Any], results: list[Any], error: Exception
    ) -> tuple[list[Header], list[Any], list[Any]]:
        """Go on behind an item on which the unit raised: what is left of headers, values and results."""
        kept = list(zip(headers, values, results, strict=False))
        left = zip(headers[len(results) :], values[len(results) :], strict=True)
        header, value = next(left)
        result = call.again(header, value, error, _bind(call.work, value))
        if result is not LOST:
            kept.append((header, value, result))
        for header, value in left:
            try:
                result = call.work(value)
            except Exception as another:
                result = call.again(header, value, another, _bind(call.work, value))
            if result is not LOST:
                kept.append((header, value, result))
        return [one[0] for one in kept], [one[1] for one in kept], [one[2] for one in kept]

    def _fold(self) -> None:
        self._runs = 0
        for call, _, _ in self._units:
            call.meter.work.fold()


@final
class Spreader:
    """A unit that gives any number of results for an item, to any of its outputs."""

    appetite = 1.0

    def __init__(self, call: Call, desk: Desk, onward: Onward, records: Records = _record) -> None:
        self.onward = onward
        self._call = call
        self._desk = desk
        self._record = records(call)

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`."""
        for header, value in zip(batch.headers, batch, strict=True):
            self.run_one(header, value)

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        call = self._call
        call.meter.receive(1)
        call.outlet.ledger.hold(header)
        try:
            for port, of, result in self._results(Spread(call.plan.ports, header), value):
                call.meter.emit(1)
                self.onward.put_one(port, of, result)
        finally:
            call.outlet.ledger.release(header)

    def _results(self, spread: Spread, value: Any) -> Iterator[Sent]:
        """The results of one item, measured; afterwards every output knows whether more will come."""
        call, header = self._call, spread.header
        busy = 0.0
        attempts = iter(call.trouble.tries)
        results = self._start(spread, value)
        while True:
            self._desk.at = call
            then = call.now()
            try:
                with call.in_time((header,)):
                    sent = next(results, None)
            except Exception as error:
                attempt = None if spread.total else next(attempts, None)
                if attempt is not None:
                    call.pause(attempt)
                    results = self._start(spread, value)
                    continue
                call.fail(header, value, error)
                call.settle(spread, Reason.FAILED, error)
                return
            busy += call.now() - then
            if sent is None:
                break
            yield sent
        self._record(busy)
        call.finish(spread)

    def _start(self, spread: Spread, value: Any) -> Iterator[Sent]:
        """Lazy, so that what the call itself raises comes out at the first `next` too."""
        yield from spread.of(self._call.one(spread.header, value))


@final
class BatchRunner:
    """A unit that is called once for a whole batch."""

    appetite = 1.0

    def __init__(self, call: Call, desk: Desk, onward: Onward, records: Records = _record) -> None:
        self.onward = onward
        self._call = call
        self._desk = desk
        self._record = records(call)
        self._gives_one_for_one = not call.is_sink and call.plan.ports.named is None

    def run_one(self, header: Header, value: Any) -> None:
        """See `Runner.run_one`."""
        self.run(Batch([value], [header]))

    def run(self, batch: Batch[Any]) -> None:
        """See `Runner.run`."""
        call = self._call
        self._desk.at = call
        call.meter.receive(len(batch))
        then = call.now()
        try:
            if call.has_limit:
                with call.in_time(batch.headers):
                    results = call.work(batch)
            else:
                results = call.work(batch)
            if not call.is_sink:
                results = call.check_batch(results, len(batch))
        except Exception as error:
            self._after_error(batch, error)
            return
        self._record(call.now() - then)
        if self._gives_one_for_one and results and not _has_nothing(results):
            call.meter.emit(len(results))
            self.onward.put(OUT, Batch(results, batch.headers))
        else:
            self._accept(batch, results)

    def _after_error(self, batch: Batch[Any], error: Exception) -> None:
        call = self._call
        if call.takes_apart(batch):
            call.take_apart(batch)
            for header, value in zip(batch.headers, batch, strict=True):
                self.run_one(header, value)
            return
        first, last = batch.headers[0], batch.headers[-1]
        if len(batch) > 1:
            call.meter.failed += len(batch)
            raise call.trouble.failure(f"{first.key} to {last.key}", error) from error
        results = call.again(first, batch[0], error, lambda: self._once_more(batch))
        if results is not LOST:
            self._accept(batch, results)

    def _once_more(self, batch: Batch[Any]) -> Any:
        results = self._call.work(batch)
        return None if self._call.is_sink else self._call.check_batch(results, len(batch))

    def _accept(self, batch: Batch[Any], results: Any) -> None:
        for port, sent in accept_batch(self._call, batch, results):
            self.onward.put(port, sent)


def accept_batch(call: Call, batch: Batch[Any], results: Any) -> Iterator[tuple[str, Batch[Any]]]:
    """What is to be sent on of the results of a batch; those that are None were filtered away."""
    if call.is_sink:
        call.outlet.delivered(batch.headers)
        return
    headers = batch.headers
    if call.plan.ports.named is not None:
        for header, result in zip(headers, results, strict=True):
            spread = Spread(call.plan.ports, header)
            call.outlet.ledger.hold(header)
            for sent in spread.of(result):
                call.meter.emit(1)
                yield sent.port, Batch([sent.value], [sent.header])
            call.settle(spread)
            call.outlet.ledger.release(header)
        return
    if _has_nothing(results):
        headers, results = _without_nothing(call, headers, batch, results)
    if results:
        call.meter.emit(len(results))
        yield OUT, Batch(results, headers)


def _has_nothing(results: Sequence[Any]) -> bool:
    """Whether None is among them. A loop, because `in` would compare arrays element by element."""
    for result in results:  # noqa: SIM110 - `any` with a generator takes three times as long
        if result is None:
            return True
    return False


def _without_nothing(
    call: Call, headers: Sequence[Header], values: Sequence[Any], results: Sequence[Any]
) -> tuple[list[Header], list[Any]]:
    """The results that are not None, with their headers; the others have come to their end."""
    for header, value, result in zip(headers, values, results, strict=True):
        if result is None:
            call.nothing(header, value)
    kept = [(header, result) for header, result in zip(headers, results, strict=True) if result is not None]
    return [header for header, _ in kept], [result for _, result in kept]


def _bind(work: Callable[..., Any], value: Any) -> Callable[[], Any]:
    return lambda: work(value)
