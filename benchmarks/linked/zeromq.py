"""ZeroMQ by pyzmq: push and pull one way, a pair of dealers there and back; batches are one message, pickled.

Knows nothing of the other ways. A frame goes uncopied. Nothing is acknowledged: what was sent to who dies is lost.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import zmq

from linked.works import FRAME, SMALL, Rate, other, quantiles

_Tell = Callable[[Any], object]


def frames(*, count: int) -> float:
    """Frames a second, one way."""
    with other(_count_core, count, 0) as (address, hear), _dialled(zmq.PUSH, address) as end:
        frame = bytearray(FRAME)
        for _ in range(count):
            end.send(frame, copy=False)
        return float(hear())


def one_way(*, count: int, size: int) -> float:
    """Small items a second, one way; in batches of `size`."""
    with other(_count_core, count, size) as (address, hear), _dialled(zmq.PUSH, address) as end:
        _send_all(end, count, size)
        return float(hear())


def _count_core(tell: _Tell, count: int, size: int) -> None:
    rate = Rate(count)
    with _bound(zmq.PULL, tell) as end:
        while not rate.is_done:
            if size:
                pickle.loads(end.recv())  # noqa: S301 - our own
            else:
                end.recv(copy=False)
            rate.came(max(1, size))
    tell(rate.a_second)


def trips(*, count: int) -> tuple[float, float]:
    """Microseconds (median, p99) of 64 bytes there and back."""
    took = []
    with other(_trips_core, count) as (address, _), _dialled(zmq.DEALER, address) as end:
        for _ in range(count):
            began = time.perf_counter()
            end.send(SMALL)
            end.recv()
            took.append(time.perf_counter() - began)
    return quantiles(took)


def _trips_core(tell: _Tell, count: int) -> None:
    with _bound(zmq.DEALER, tell) as end:
        for _ in range(count):
            end.send(end.recv())


def there_and_back(*, count: int, size: int) -> float:
    """Small items a second that come back; in batches of `size`. A socket is of one thread: so one each way."""
    rate = Rate(count)
    with (
        other(_echo_core, count, size) as (addresses, _),
        _dialled(zmq.PUSH, addresses[0]) as there,
        _dialled(zmq.PULL, addresses[1]) as back,
    ):
        sender = Thread(target=_send_all, args=(there, count, size))
        sender.start()
        while not rate.is_done:
            pickle.loads(back.recv())  # noqa: S301 - our own
            rate.came(size)
        sender.join()
    return rate.a_second


def _echo_core(tell: _Tell, count: int, size: int) -> None:
    found: list[str] = []
    with _bound(zmq.PULL, found.append) as here, _bound(zmq.PUSH, found.append) as back:
        tell(found)
        for _ in range(count // size):
            back.send(pickle.dumps(pickle.loads(here.recv()), 5))  # noqa: S301 - our own


def _send_all(end: Any, count: int, size: int) -> None:
    for start in range(0, count, size):
        end.send(pickle.dumps(start if size == 1 else list(range(start, start + size)), 5))


def _bound(kind: int, tell: _Tell) -> Any:
    end = zmq.Context.instance().socket(kind)
    port = end.bind_to_random_port("tcp://127.0.0.1")
    tell(f"tcp://127.0.0.1:{port}")
    return end


def _dialled(kind: int, address: str) -> Any:
    end = zmq.Context.instance().socket(kind)
    end.connect(address)
    return end
