"""The port at which other segments reach this one.

Knows nothing of what they say. Strangers may knock: how many are let in at once, and for how long, is limited.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from math import inf
from threading import Event
from time import monotonic
from typing import Final, Self, final

from streampy.pipes.base import wait_for
from streampy.pipes.net import handshake
from streampy.pipes.net.connection import Connection
from streampy.pipes.net.dialling import address_of, tune
from streampy.pipes.net.errors import Refused, Why
from streampy.pipes.net.io_thread import READ, IoThread
from streampy.pipes.net.owner import Owner
from streampy.pipes.net.settings import ConnectionSettings
from streampy.pipes.net.transport import Plain, Secured, Transport

_AT_ONCE: Final = 16
"""Connections that are taken before it is another file's turn."""
_PAUSE: Final = 0.5
"""Seconds for which nobody is let in when no file descriptor is left."""
_BACKLOG: Final = 128


@final
class Door:
    """See `listen`. It lets in until it is closed; connections that are open stay so."""

    def __init__(
        self,
        io: IoThread,
        end: socket.socket,
        settings: ConnectionSettings,
        context: ssl.SSLContext | None,
        owner: Owner,
    ) -> None:
        self.address: tuple[str, int] = end.getsockname()[:2]
        """IP and port."""
        self.turned_away = 0
        """Connections for which there was no room."""
        self._io = io
        self._socket = end
        self._settings = settings
        self._context = context
        self._owner = owner
        self._greeting: set[Connection] = set()
        self._closed = Event()

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else "open"
        return f"<Door {address_of(self.address)} {state}, {len(self._greeting)} handshakes under way>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nobody in any more; waits until that is so, but in the I/O thread."""
        with suppress(RuntimeError):  # the I/O thread has closed it
            self._io.call(self.abandon)
        if not self._io.is_here:
            wait_for(self._closed)

    # What follows is called by the I/O thread.

    def begin(self) -> None:
        """Be watched."""
        self._io.watch(self, READ)

    def fileno(self) -> int:
        """See `Watched`."""
        return self._socket.fileno()

    def ready(self, _: int) -> bool:
        """See `Watched`."""
        for _ in range(_AT_ONCE):
            try:
                end, address = self._socket.accept()
            except BlockingIOError:
                break
            except ConnectionError:  # it was gone before it was taken
                continue
            except OSError:  # no file descriptor is left: epoll would tell of it for ever
                self._io.forget(self)
                self._io.watch(self, 0)
                self._io.schedule(self, monotonic() + _PAUSE)
                break
            self._let_in(end, address_of(address))
        return False

    def tick(self, now: float) -> float:
        """See `Watched`: the pause is over."""
        del now
        self._io.change(self, READ)
        return inf

    def abandon(self) -> None:
        """See `Watched`."""
        if not self._closed.is_set():
            self._io.forget(self)
            self._socket.close()
            self._closed.set()

    def _let_in(self, end: socket.socket, where: str) -> None:
        tune(end, self._settings)
        if len(self._greeting) >= self._settings.greetings:
            self.turned_away += 1
            with end, suppress(OSError):
                if self._context is None:
                    text = f"{len(self._greeting)} others are being greeted here; try again later"
                    end.send(handshake.refusal(Refused(Why.BUSY, text)), socket.MSG_NOSIGNAL)
            return
        transport: Transport = Plain(end) if self._context is None else Secured(end, self._context)
        steps = handshake.listen(self._settings.terms, monotonic)
        connection = Connection(self._io, transport, steps, self._settings, self._owner, where, self._greeting.discard)
        self._greeting.add(connection)
        connection.begin()


def listen(io: IoThread, address: tuple[str, int] | socket.socket, settings: ConnectionSettings, owner: Owner) -> Door:
    """Let other segments in, from now on; `owner` is told of each that is open, and of each that did not come to be.

    Args:
        io: the thread that will watch the port and all its connections.
        address: IP of this machine ("" for all) and port (0 for any that is free); or a socket that listens.
        settings: of this end.
        owner: who uses the connections.

    Raises:
        OSError: the address can't be had, or a file of `tls` can't be read.
        ValueError: `tls` is without a certificate.
        RuntimeError: the I/O thread is closed.

    """
    context = None if settings.tls is None else settings.tls.listening()
    end = address if isinstance(address, socket.socket) else _take_port(address)
    end.setblocking(False)
    door = Door(io, end, settings, context, owner)
    try:
        io.call(door.begin)
    except RuntimeError:
        end.close()
        raise
    return door


def _take_port(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=_BACKLOG)
