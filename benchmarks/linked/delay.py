"""A line on which every byte takes a while longer, as it does to another continent.

Knows nothing of what goes over it. The kernel could do that (netem), but not every kernel has it.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import Any

from linked.works import other

_PIECE = 1 << 18


@contextmanager
def delayed(address: str, seconds: float) -> Iterator[str]:
    """Gives an address that leads to another one, `tcp://host:port`; each byte takes so much longer, each way."""
    with other(_pass_on, address, seconds) as (here, _):
        yield here


def _pass_on(tell: Callable[[Any], object], address: str, seconds: float) -> None:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as door:
        tell(f"tcp://127.0.0.1:{door.getsockname()[1]}")
        near, _ = door.accept()
    with near, socket.create_connection((host, int(port))) as far:
        ways = [Thread(target=_way, args=pair) for pair in ((near, far, seconds), (far, near, seconds))]
        for way in ways:
            way.start()
        for way in ways:
            way.join()


def _way(here: socket.socket, there: socket.socket, seconds: float) -> None:
    """What comes is taken at once, and sent on when its time has come."""
    there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting: deque[tuple[float, bytes]] = deque()
    came = Condition()
    reader = Thread(target=_read, args=(here, waiting, came, seconds), daemon=True)
    reader.start()
    while True:
        with came:
            came.wait_for(lambda: waiting)
            due, data = waiting.popleft()
        if not data:
            with suppress(OSError):  # both ends are gone
                there.shutdown(socket.SHUT_WR)
            return
        time.sleep(max(0.0, due - time.monotonic()))
        with suppress(OSError):  # as above
            there.sendall(data)


def _read(here: socket.socket, waiting: deque[tuple[float, bytes]], came: Condition, seconds: float) -> None:
    data = b"?"
    while data:
        try:
            data = here.recv(_PIECE)
        except OSError:
            data = b""
        with came:
            waiting.append((time.monotonic() + seconds, data))
            came.notify()
