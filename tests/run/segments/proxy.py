"""A way between two segments that can be cut: whoever is connected through it loses the connection at once."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from math import inf
from threading import Lock, Thread
from time import sleep
from typing import Self


class Proxy:
    """Passes on what comes to its own port."""

    def __init__(self, there: tuple[str, int], *, pace: float = inf) -> None:
        """Pace: bytes a second that it passes on, both ways together."""
        self._there = there
        self._pace = pace
        self._port = socket.create_server(("127.0.0.1", 0))
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thread = Thread(target=self._serve, name="proxy")
        self._wake, self._woken = socket.socketpair()
        self.cuts = 0

    @property
    def address(self) -> str:
        host, port = self._port.getsockname()
        return f"tcp://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join()
        for end in [self._port, self._woken, *(end for pair in self._pairs for end in pair)]:
            end.close()

    def cut(self) -> None:
        """End all connections that go through it, with a reset."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
            for pair in pairs:
                for end in pair:
                    with suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    end.close()
        self.cuts += bool(pairs)
        self._wake.send(b"!")

    def _serve(self) -> None:
        while True:
            with self._lock:
                other = {one: two for pair in self._pairs for one, two in (pair, pair[::-1])}
            ready, _, _ = select.select(
                [self._port, self._woken, *(end for end in other if end.fileno() >= 0)], [], [], 0.5
            )
            for end in ready:
                if end is self._woken:
                    if not self._woken.recv(100):
                        return
                elif end is self._port:
                    self._accept()
                else:
                    self._pass_on(end, other[end])

    def _accept(self) -> None:
        near, _ = self._port.accept()
        try:
            far = socket.create_connection(self._there, timeout=5)
        except OSError:
            near.close()
            return
        with self._lock:
            self._pairs.append((near, far))

    def _pass_on(self, end: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            if data := end.recv(1 << 16 if self._pace == inf else 1 << 12):
                other.sendall(data)
                sleep(len(data) / self._pace)  # the line is busy with it
                return
        with self._lock:
            self._pairs = [pair for pair in self._pairs if end not in pair]
        end.close()
        other.close()
