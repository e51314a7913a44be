"""What one writes by hand: a blocking socket; items are pickled, a batch is one list, its size in front.

Knows nothing of the other ways.
"""

from __future__ import annotations

import pickle
import socket
import struct
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, BinaryIO, Final

from linked.works import FRAME, SMALL, Rate, other, quantiles

_SIZE: Final = struct.Struct("<I")
_Tell = Callable[[Any], object]


def frames(*, count: int) -> float:
    """Frames a second, one way; received into the same memory each time."""
    with other(_frames_core, count) as (address, hear), _dialled(address) as end:
        frame = memoryview(bytearray(FRAME))
        for _ in range(count):
            end.sendall(frame)
        return float(hear())


def _frames_core(tell: _Tell, count: int) -> None:
    rate, place = Rate(count), memoryview(bytearray(FRAME))
    with _accepted(tell) as end:
        for _ in range(count):
            end.recv_into(place, FRAME, socket.MSG_WAITALL)
            rate.came()
    tell(rate.a_second)


def trips(*, count: int) -> tuple[float, float]:
    """Microseconds (median, p99) of 64 bytes there and back."""
    took = []
    with other(_trips_core, count) as (address, _), _dialled(address) as end:
        for _ in range(count):
            began = time.perf_counter()
            end.sendall(SMALL)
            end.recv(len(SMALL), socket.MSG_WAITALL)
            took.append(time.perf_counter() - began)
    return quantiles(took)


def _trips_core(tell: _Tell, count: int) -> None:
    with _accepted(tell) as end:
        for _ in range(count):
            end.sendall(end.recv(len(SMALL), socket.MSG_WAITALL))


def one_way(*, count: int, size: int) -> float:
    """Small items a second, one way; in batches of `size`."""
    with other(_one_way_core, count, size) as (address, hear), _dialled(address) as end:
        _send_all(end, count, size)
        return float(hear())


def _one_way_core(tell: _Tell, count: int, size: int) -> None:
    rate = Rate(count)
    with _accepted(tell) as end, end.makefile("rb") as file:
        while not rate.is_done:
            pickle.loads(_read(file))  # noqa: S301 - our own
            rate.came(size)
    tell(rate.a_second)


def there_and_back(*, count: int, size: int) -> float:
    """Small items a second that come back; in batches of `size`."""
    rate = Rate(count)
    with other(_echo_core, count, size) as (address, _), _dialled(address) as end, end.makefile("rb") as file:
        sender = Thread(target=_send_all, args=(end, count, size))
        sender.start()
        while not rate.is_done:
            pickle.loads(_read(file))  # noqa: S301 - our own
            rate.came(size)
        sender.join()
    return rate.a_second


def _echo_core(tell: _Tell, count: int, size: int) -> None:
    with _accepted(tell) as end, end.makefile("rb") as file:
        for _ in range(count // size):
            _send(end, pickle.loads(_read(file)))  # noqa: S301 - our own


def _send_all(end: socket.socket, count: int, size: int) -> None:
    for start in range(0, count, size):
        _send(end, start if size == 1 else list(range(start, start + size)))


def _send(end: socket.socket, value: Any) -> None:
    data = pickle.dumps(value, 5)
    end.sendall(_SIZE.pack(len(data)) + data)


def _read(file: BinaryIO) -> bytes:
    return file.read(_SIZE.unpack(file.read(_SIZE.size))[0])


def _accepted(tell: _Tell) -> socket.socket:
    with socket.create_server(("127.0.0.1", 0)) as door:
        tell(door.getsockname())
        return _at_once(door.accept()[0])


def _dialled(address: Any) -> socket.socket:
    return _at_once(socket.create_connection(tuple(address)))


def _at_once(end: socket.socket) -> socket.socket:
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return end
