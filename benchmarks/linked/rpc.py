"""gRPC by grpcio: bytes without protocol buffers, pickled where they are items; one stream each way, or call by call.

Knows nothing of the other ways.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import Any

import grpc

from linked.works import FRAME, SMALL, Rate, other, quantiles

_Tell = Callable[[Any], object]
_OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
_NAME = "linked"


def frames(*, count: int) -> float:
    """Frames a second, one way."""
    frame = bytes(FRAME)
    with other(_count_core, count, 0) as (address, hear), _dialled(address) as channel:
        channel.stream_unary(f"/{_NAME}/count")(frame for _ in range(count))
        return float(hear())


def one_way(*, count: int, size: int) -> float:
    """Small items a second, one way; in batches of `size`."""
    with other(_count_core, count, size) as (address, hear), _dialled(address) as channel:
        channel.stream_unary(f"/{_NAME}/count")(_batches(count, size))
        return float(hear())


def _count_core(tell: _Tell, count: int, size: int) -> None:
    rate, is_over = Rate(count), Event()

    def counted(came: Iterator[bytes], context: Any) -> bytes:
        del context
        for data in came:
            if size:
                pickle.loads(data)  # noqa: S301 - our own
            rate.came(max(1, size))
        is_over.set()
        return b""

    _serve(tell, {"count": grpc.stream_unary_rpc_method_handler(counted)}, is_over)
    tell(rate.a_second)


def trips(*, count: int) -> tuple[float, float]:
    """Microseconds (median, p99) of 64 bytes there and back; a call each."""
    took = []
    with other(_echo_core) as (address, _), _dialled(address) as channel:
        echo = channel.unary_unary(f"/{_NAME}/echo")
        for _ in range(count):
            began = time.perf_counter()
            echo(SMALL)
            took.append(time.perf_counter() - began)
        channel.unary_unary(f"/{_NAME}/end")(b"")
    return quantiles(took)


def streamed_trips(*, count: int) -> tuple[float, float]:
    """The same over one stream each way."""
    took = []
    with other(_echo_core) as (address, _), _dialled(address) as channel:
        asked: SimpleQueue[bytes | None] = SimpleQueue()
        answers = channel.stream_stream(f"/{_NAME}/echo_all")(iter(asked.get, None))
        for _ in range(count):
            began = time.perf_counter()
            asked.put(SMALL)
            next(answers)
            took.append(time.perf_counter() - began)
        asked.put(None)
        channel.unary_unary(f"/{_NAME}/end")(b"")
    return quantiles(took)


def there_and_back(*, count: int, size: int) -> float:
    """Small items a second that come back; in batches of `size`."""
    rate = Rate(count)
    with other(_echo_core) as (address, _), _dialled(address) as channel:
        for data in channel.stream_stream(f"/{_NAME}/work_all")(_batches(count, size)):
            pickle.loads(data)  # noqa: S301 - our own
            rate.came(size)
        channel.unary_unary(f"/{_NAME}/end")(b"")
    return rate.a_second


def _echo_core(tell: _Tell) -> None:
    is_over = Event()

    def end(data: bytes, context: Any) -> bytes:
        del context
        is_over.set()
        return data

    def work_all(came: Iterator[bytes], context: Any) -> Iterator[bytes]:
        del context
        for data in came:
            yield pickle.dumps(pickle.loads(data), 5)  # noqa: S301 - our own

    methods = {
        "echo": grpc.unary_unary_rpc_method_handler(lambda data, _: data),
        "echo_all": grpc.stream_stream_rpc_method_handler(lambda came, _: came),
        "work_all": grpc.stream_stream_rpc_method_handler(work_all),
        "end": grpc.unary_unary_rpc_method_handler(end),
    }
    _serve(tell, methods, is_over)


def _serve(tell: _Tell, methods: dict[str, Any], is_over: Event) -> None:
    server = grpc.server(ThreadPoolExecutor(4), options=_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_NAME, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    tell(f"127.0.0.1:{port}")
    is_over.wait()
    server.stop(1.0).wait()


def _batches(count: int, size: int) -> Iterator[bytes]:
    for start in range(0, count, size):
        yield pickle.dumps(start if size == 1 else list(range(start, start + size)), 5)


def _dialled(address: str) -> Any:
    return grpc.insecure_channel(address, options=_OPTIONS)
