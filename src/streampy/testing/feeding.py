"""Tries a unit with no runtime: items in, results out, errors as they are.

Knows nothing of pipes; the joining is the one that runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from typing import Any

from streampy.flow.router import Spread
from streampy.model.item import Batch, Header, Item
from streampy.model.ports import Emits, Helping, Ports
from streampy.model.unit import Unit, ports_of
from streampy.pipes.base import Cancelled
from streampy.testing.arrivals import Arrival, arrivals
from streampy.testing.clock import Clock
from streampy.testing.fed_join import join
from streampy.testing.tokens import Cancel, Lost
from streampy.testing.worker import FedWorker


def feed(
    use: Callable[..., Any] | type[Unit],
    /,
    *,
    settings: dict[str, Any] | None = None,
    clock: Clock | None = None,
    **inputs: Iterable[Any],
) -> list[Any]:
    """What a unit gives for these inputs, in order.

    The n-th values of the inputs belong together, as the parts of one item; an input that takes all the parts of a
    fan-out (`list[T]`) is given its n-th value as one part, or as all of them where it is a list. Where an input has
    nothing left, a join goes on without it, as it does when something is late; so `feed(Annotate, frame=[F0, F1],
    names=[N0])` annotates F0 with N0, and F1 bare.

    A unit with several outputs gives `(port, value)` pairs. What the unit raises comes out as it is.

    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> feed(double, number=[1, 2, 3])
    [2, 4, 6]

    Nothing waits for real: the unit's time is the clock's. `sp.worker().sleep` moves it, and `asyncio.sleep` in an
    `async def` unit; a `Wait` between the values of an input is time that passes before the next one comes. `Lost()`
    in place of a value is an item that ended before it came here:

    >>> import streampy as sp
    >>> from streampy.testing import Clock, Lost, Wait
    >>> @sp.unit(join=sp.Join(wait=0.06))
    ... def annotate(frame: str, name: str | None) -> str:
    ...     return f"{frame} {name or 'bare'} after {sp.worker().now():g} s"
    >>> feed(annotate, frame=["F0", "F1", "F2"], name=["Ada", Lost(), Wait(0.1), "Bob"])
    ['F0 Ada after 0 s', 'F1 bare after 0 s', 'F2 bare after 0.06 s']

    `Cancel()` puts the process out: a unit that takes a whole stream is thrown out where it waits for its next item,
    any other is not called again; what it gave until then is returned.

    clock: to set the start of the time, and to ask afterwards how much passed; by default one that starts at 0.
    """
    ports = ports_of(use)
    unknown = inputs.keys() - ports.inputs.keys()
    if unknown:
        raise TypeError(f"no input {', '.join(sorted(unknown))}; the inputs are {', '.join(ports.inputs)}")
    clock = clock or Clock()
    arrived = arrivals(inputs, clock.now())
    return copy_context().run(_Fed(use, settings or {}, ports, clock).run, arrived)


class _Fed:
    """A unit that is fed, and what it gave."""

    def __init__(
        self, use: Callable[..., Any] | type[Unit], settings: dict[str, Any], ports: Ports, clock: Clock
    ) -> None:
        self._use = use
        self._settings = settings
        self._ports = ports
        self._clock = clock
        self._given: list[Any] = []

    def run(self, arrived: Sequence[Arrival]) -> list[Any]:
        """From start to stop."""
        with FedWorker(self._clock) as self._desk:
            if not isinstance(self._use, type):
                self._feed(lambda *values: self._use(*values, **self._settings), arrived)
                return self._given
            unit = self._use(**self._settings)
            try:
                self._desk.finish(unit.start())
                self._feed(unit.work, arrived)
            finally:
                self._desk.finish(unit.stop())
        return self._given

    def _feed(self, work: Callable[..., Any], arrived: Sequence[Arrival]) -> None:
        if not self._ports.inputs and self._ports.emits is Emits.MANY:
            self._collect(work(), lambda value: [value])
        elif not self._ports.inputs:
            self._given.append(self._desk.finish(work()))
        elif self._ports.is_stream:
            self._feed_stream(work, arrived)
        else:
            for header, values in self._calls(arrived):
                self._accept(header, work(*values))

    def _feed_stream(self, work: Callable[..., Any], arrived: Sequence[Arrival]) -> None:
        header = Header("feed", 0, self._clock.now())
        pull = self._pull_async(arrived) if self._ports.is_async else self._pull(arrived)
        spread = Spread(self._ports, header)
        try:
            given = work(pull)
            if self._ports.emits is Emits.MANY:
                self._collect(given, lambda value: self._sent(spread.one(value)))
            else:
                self._desk.finish(given)
        except Cancelled:
            pass

    def _pull(self, arrived: Sequence[Arrival]) -> Iterator[Any]:
        (port,) = self._ports.inputs.values()
        for time, _, header, value in arrived:
            if isinstance(value, Lost):
                continue
            self._wait(time)
            if isinstance(value, Cancel):
                self._desk.stopping.set()
                raise Cancelled
            yield Item(value, header) if port.gives_headers else value

    async def _pull_async(self, arrived: Sequence[Arrival]) -> AsyncIterator[Any]:
        for value in self._pull(arrived):
            yield value

    def _calls(self, arrived: Sequence[Arrival]) -> Iterator[tuple[Header, tuple[Any, ...]]]:
        """The arguments of each call, at its time."""
        if len(self._ports.inputs) > 1:
            for time, joined in join(self._ports, arrived):
                self._wait(time)
                yield joined.header, joined.values
            return
        (port,) = self._ports.inputs.values()
        came = []
        for one in arrived:
            if isinstance(one.value, Cancel):
                break
            if not isinstance(one.value, Lost):
                came.append(one)
        if port.helping is Helping.BATCH and came:
            self._wait(came[-1].time)
            yield came[0].header, (Batch([one.value for one in came], [one.header for one in came]),)
            return
        for time, _, header, value in came:
            self._wait(time)
            yield header, (Item(value, header) if port.gives_headers else value,)

    def _wait(self, until: float) -> None:
        self._clock.move_to(until)

    def _accept(self, header: Header, result: Any) -> None:
        if self._ports.emits is Emits.BATCH:
            self._given.extend(self._desk.finish(result))
            return
        spread = Spread(self._ports, header)
        if self._ports.emits is Emits.MANY:
            self._collect(result, lambda value: self._sent(spread.one(value)))
        else:
            self._given.extend(self._sent(spread.of(self._desk.finish(result))))

    def _sent(self, several: Iterable[Any]) -> list[Any]:
        return [sent.value if self._ports.named is None else (sent.port, sent.value) for sent in several]

    def _collect(self, results: Any, given: Callable[[Any], list[Any]]) -> None:
        """Keep what comes of each thing that the unit yields, until it ends or raises."""
        if not hasattr(results, "__aiter__"):
            for one in results:
                self._given.extend(given(one))
            return

        async def collect() -> None:
            async for one in results:
                self._given.extend(given(one))

        self._desk.finish(collect())
