"""Tries a unit with no runtime: items in, results out, errors as they are.

Knows nothing of workers and pipes; the joining is the one that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from streampy.flow.joiner import Joiner, JoinInput
from streampy.flow.router import Spread
from streampy.model.item import Batch, Header, Item
from streampy.model.pipe import Join
from streampy.model.plan import JoinPlan, Share
from streampy.model.ports import Emits, Helping, Ports
from streampy.model.unit import Unit, ports_of


def feed(
    use: Callable[..., Any] | type[Unit], /, *, settings: dict[str, Any] | None = None, **inputs: Iterable[Any]
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
    """
    ports = ports_of(use)
    unknown = inputs.keys() - ports.inputs.keys()
    if unknown:
        raise TypeError(f"no input {', '.join(sorted(unknown))}; the inputs are {', '.join(ports.inputs)}")
    unit = use(**(settings or {})) if isinstance(use, type) else None
    work = _bind(use, settings) if unit is None else unit.work
    if unit is not None:
        _finish(unit.start())
    try:
        return list(_results(ports, work, {name: list(values) for name, values in inputs.items()}))
    finally:
        if unit is not None:
            _finish(unit.stop())


def _bind(use: Callable[..., Any], settings: dict[str, Any] | None) -> Callable[..., Any]:
    return lambda *values: use(*values, **(settings or {}))


def _results(ports: Ports, work: Callable[..., Any], inputs: dict[str, list[Any]]) -> Iterator[Any]:
    if not ports.inputs:
        yield from _all_of(work())
        return
    if ports.is_stream:
        (port,) = ports.inputs.values()
        (fed,) = inputs.values()
        given: list[Any] = [Item(value, Header("feed", seq, 0.0)) for seq, value in enumerate(fed)]
        stream = _pull(given if port.gives_headers else fed, is_async=ports.is_async)
        yield from _values(ports, Header("feed", 0, 0.0), work(stream))
        return
    for header, values in _items(ports, inputs):
        yield from _values(ports, header, work(*values))


def _values(ports: Ports, header: Header, result: Any) -> Iterator[Any]:
    if ports.emits is Emits.BATCH:
        yield from _finish(result)
        return
    result = list(_all_of(result)) if ports.emits is Emits.MANY else _finish(result)
    for sent in Spread(ports, header).of(result):
        yield sent.value if ports.named is None else (sent.port, sent.value)


def _items(ports: Ports, inputs: dict[str, list[Any]]) -> Iterator[tuple[Header, tuple[Any, ...]]]:
    """The arguments of each call."""
    count = max(map(len, inputs.values()), default=0)
    headers = [Header("feed", seq, 0.0) for seq in range(count)]
    if len(ports.inputs) == 1:
        (port,) = ports.inputs.values()
        (values,) = inputs.values()
        if port.helping is Helping.BATCH:
            yield headers[0], (Batch(values, headers),)
            return
        for header, value in zip(headers, values, strict=True):
            yield header, (Item(value, header) if port.gives_headers else value,)
        return
    yield from _joined(ports, inputs, headers)


def _joined(
    ports: Ports, inputs: dict[str, list[Any]], headers: list[Header]
) -> Iterator[tuple[Header, tuple[Any, ...]]]:
    gathers = frozenset(name for name, port in ports.inputs.items() if port.helping is Helping.LIST)
    latest = frozenset(name for name, port in ports.inputs.items() if port.helping is Helping.LATEST)
    shares = {name: Share(1, int(name in gathers)) for name in ports.inputs if name not in latest}
    join = ports.join or Join()
    settings = Join(wait=join.wait, late=join.late, capacity=len(headers) + 1)
    plan = JoinPlan(settings, {"feed": 0}, {"feed": shares}, gathers, latest)
    joined = {
        name: JoinInput(name, port.optional, name in gathers, name in latest) for name, port in ports.inputs.items()
    }
    joiner = Joiner("feed", plan, joined, ordered=True)
    for header in headers:
        for name in sorted(ports.inputs, key=lambda name: name not in latest):
            values = inputs.get(name, [])
            if header.seq < len(values):
                _put(joiner, name, header, values[header.seq], gathers=name in gathers, port=ports)
    joiner.finish()
    for one in joiner.take(0.0).joined:
        yield one.header, one.values


def _put(joiner: Joiner, name: str, header: Header, value: Any, *, gathers: bool, port: Ports) -> None:
    wrap = port.inputs[name].gives_headers
    if not gathers:
        joiner.add(name, header, Item(value, header) if wrap else value, 0.0)
        return
    parts = value if isinstance(value, list) else [value]
    joiner.close(name, header, len(parts), 1, 0.0)
    for index, part in enumerate(parts):
        joiner.add(name, header.part(index), part, 0.0)


def _pull(values: list[Any], *, is_async: bool) -> Iterator[Any] | AsyncIterator[Any]:
    async def pull() -> AsyncIterator[Any]:
        for value in values:
            yield value

    return pull() if is_async else iter(values)


def _finish(result: Any) -> Any:
    """What comes of an `async def`."""
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def _all_of(results: Any) -> Iterable[Any]:
    if not hasattr(results, "__aiter__"):
        return results  # type: ignore[no-any-return]  # what the unit yields

    async def collect() -> list[Any]:
        return [one async for one in results]

    return asyncio.run(collect())
