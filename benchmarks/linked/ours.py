"""A link of StreamPy between two segments, each an OS process: from units at the edge to units in the core, and back.

Knows nothing of the other ways. Both ends build the same process; what runs at the other end is not called here.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Semaphore
from typing import Any, Final

import numpy as np

import streampy as sp
from linked.delay import delayed
from linked.works import SMALL, Rate, other, quantiles

_SHAPE: Final = (1080, 1920, 3)
_START: Final = 60.0
_Tell = Callable[[Any], object]


def frames(*, count: int) -> float:
    """Frames a second, one way."""
    with other(_core, "_frames", count) as (address, hear):
        _run(_frames(count), "edge", dial={"core": address})
        return float(hear())


def _frames(count: int, tell: _Tell | None = None) -> sp.Process:
    def source() -> Iterator[Any]:
        frame = np.zeros(_SHAPE, np.uint8)
        for _ in range(count):
            yield frame

    return _one_way(source, {"capacity": 4}, _counter(count, tell), window=8)


def one_way(*, count: int, size: int) -> float:
    """Small items a second, one way; in batches of `size`."""
    with other(_core, "_numbers", count, size) as (address, hear):
        _run(_numbers(count, size), "edge", dial={"core": address})
        return float(hear())


def _numbers(count: int, size: int, tell: _Tell | None = None) -> sp.Process:
    source = _singly(count) if size == 1 else _batches(count, size)
    return _one_way(source, _pipe(size), _counter(count, tell), window=4 * max(64, size))


def there_and_back(*, count: int, size: int) -> float:
    """Small items a second that come back; in batches of `size`."""
    rate = Rate(count)
    with other(_core, "_echoed", count, size) as (address, _):
        _run(_echoed(count, size, rate), "edge", dial={"core": address})
    return rate.a_second


def _echoed(count: int, size: int, rate: Any = None) -> sp.Process:
    def came(value: Any) -> None:
        del value
        rate.came()

    def came_together(values: sp.Batch[Any]) -> None:
        rate.came(len(values))

    source = _singly(count) if size == 1 else _batches(count, size)
    sink = came if size == 1 else came_together
    return _and_back(source, _same if size == 1 else _same_batch, sink, _pipe(size), window=4 * max(64, size))


def trips(*, count: int) -> tuple[float, float]:
    """Microseconds (median, p99) from when the source gives a small item until it has come back to the sink."""
    took: list[float] = []
    with other(_core, "_asked", count) as (address, _):
        _run(_asked(count, took), "edge", dial={"core": address})
    return quantiles(took)


def _asked(count: int, took: Any = None) -> sp.Process:
    sent, may_go = [0.0], Semaphore(1)

    def asks() -> Iterator[bytes]:
        for _ in range(count):
            may_go.acquire()
            sent[0] = time.perf_counter()
            yield SMALL

    def hears(value: bytes) -> None:
        del value
        took.append(time.perf_counter() - sent[0])
        may_go.release()

    return _and_back(asks, _same, hears, {})


def shares(*, seconds: float, slowness: list[float], order: str) -> dict[str, Any]:
    """How many items replicas of unequal speed got. slowness: seconds that each takes for an item. order: kept or any.

    Returns for each the share that its speed gives, and the one it got; and the rate of all, of the ideal one.
    """
    speeds = [1 / slow for slow in slowness]
    warm = 1.0
    came: list[tuple[float, int]] = []
    with ExitStack() as stack:
        cores = [stack.enter_context(other(_core, "_slow", slow, order))[0] for slow in slowness]
        process = _slow(0.0, order, seconds=warm + seconds, came=came)
        _run(process, "edge", dial={"core": cores})
    begin = came[0][0] + warm
    counted = Counter(who for at, who in came if begin <= at < begin + seconds)
    total = sum(counted.values())
    ideal = {port: speed / sum(speeds) for port, speed in zip(map(_port, cores), speeds, strict=True)}
    return {
        "shares": [(share, counted[port] / total) for port, share in ideal.items()],
        "rate": total / seconds / sum(speeds),
    }


def _slow(
    slow: float,
    order: str,
    *,
    seconds: float = 0.0,
    came: Any = None,
) -> sp.Process:
    port = os.environ.get("PORT", "")

    def source() -> Iterator[int]:
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            yield (number := number + 1)

    def work(number: int) -> int:
        del number
        time.sleep(slow)
        return int(port)

    def sink(who: int) -> None:
        came.append((time.monotonic(), who))

    process = sp.Process("linked").add("source", source).add("work", work, from_="source", ordered=order == "kept")
    process.add("sink", sink, from_="work").segment("edge", "source", "sink")
    return process.segment("core", "work", replicas=3).link("edge", "core", window=64)


def far(*, seconds: float, rate: float, delay: float) -> dict[str, float]:
    """Frames at a rate over a line on which each byte takes `delay` seconds, each way.

    Returns how many results a second come back, and how late they are (milliseconds).
    """
    came: list[tuple[float, float]] = []
    count = int(seconds * rate)
    with other(_core, "_shrunk", count, rate) as (address, _), delayed(address, delay) as longer:
        _run(_shrunk(count, rate, came), "edge", dial={"core": longer})
    kept = came[len(came) // 4 :]
    p50, p99 = quantiles([at - sent for at, sent in kept])
    return {"rate": (len(kept) - 1) / (kept[-1][0] - kept[0][0]), "p50": p50 / 1e3, "p99": p99 / 1e3}


def _shrunk(count: int, rate: float, came: Any = None) -> sp.Process:
    def source() -> Iterator[Any]:
        frame = np.zeros(_SHAPE, np.uint8)
        begin = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            yield frame

    def shrink(frame: Any) -> float:
        return float(frame[0, 0, 0])

    def sink(small: sp.Item[float]) -> None:
        came.append((time.monotonic(), small.born))

    return _and_back(source, shrink, sink, {"capacity": 8}, window=64)


def _same(value: Any) -> Any:
    return value


def _same_batch(values: sp.Batch[Any]) -> sp.Batch[Any]:
    return values


def _singly(count: int) -> Callable[[], Iterator[int]]:
    def numbers() -> Iterator[int]:
        yield from range(count)

    return numbers


def _batches(count: int, size: int) -> Callable[[], Iterator[sp.Batch[int]]]:
    def numbers() -> Iterator[sp.Batch[int]]:
        for start in range(0, count, size):
            yield sp.Batch(range(start, start + size))

    return numbers


def _pipe(size: int) -> dict[str, int]:
    return {"capacity": 4 * max(64, size), "batch": size}


def _counter(count: int, tell: _Tell | None) -> Callable[[sp.Batch[Any]], None]:
    rate = Rate(count)

    def came(values: sp.Batch[Any]) -> None:
        rate.came(len(values))
        if rate.is_done and tell is not None:
            tell(rate.a_second)

    return came


def _one_way(source: Any, pipe: dict[str, int], sink: Any, **link: Any) -> sp.Process:
    process = sp.Process("linked").add("source", source).add("sink", sink, from_="source", pipe=pipe)
    return process.segment("edge", "source").segment("core", "sink").link("edge", "core", **link)


def _and_back(source: Any, work: Any, sink: Any, pipe: dict[str, int], **link: Any) -> sp.Process:
    process = sp.Process("linked").add("source", source).add("work", work, from_="source", pipe=pipe)
    process.add("sink", sink, from_="work", pipe=pipe)
    return process.segment("edge", "source", "sink").segment("core", "work").link("edge", "core", **link)


def _core(tell: _Tell, build: str, *arguments: Any) -> None:
    """What the other OS process runs: tells its address first."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        os.environ["PORT"] = str(port)
        tell(f"tcp://127.0.0.1:{port}")
        takes = "tell" in globals()[build].__code__.co_varnames
        _run(globals()[build](*arguments, **({"tell": tell} if takes else {})), "core", listen=door)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _run(process: sp.Process, segment: str, **options: Any) -> None:
    others = {"edge": "core", "core": "edge"}
    count = len(options["dial"]["core"]) if isinstance(options.get("dial", {}).get("core"), list) else 1
    with sp.run(process, segment=segment, expect={others[segment]: count}, start_within=_START, **options) as running:
        running.wait()
