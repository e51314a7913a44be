"""Opening a connection to another segment.

Knows nothing of names: who dials has looked them up.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from time import monotonic
from typing import Any, Final

from streampy.pipes.net import handshake
from streampy.pipes.net.connection import Connection
from streampy.pipes.net.io_thread import IoThread
from streampy.pipes.net.owner import Owner
from streampy.pipes.net.settings import ConnectionSettings
from streampy.pipes.net.transport import Plain, Secured, Transport

_MILLI: Final = 1000


def dial(
    io: IoThread,
    address: tuple[str, int],
    settings: ConnectionSettings,
    owner: Owner,
    *,
    name: str = "",
    wanted: str = "",
) -> Connection:
    """Begin to connect; `owner` is told when it is open, or why it did not come to be. Does not wait.

    Args:
        io: the thread that will watch it.
        address: IP and port.
        settings: of this end.
        owner: who uses the connection.
        name: under which the address was looked up: with TLS it must be in the certificate, unless the settings have
            a `server_name`. "" stands for the IP.
        wanted: the segment that should be there; "" for any.

    Raises:
        ValueError: the address is no IP.
        OSError: a file of `tls` can't be read.
        RuntimeError: the I/O thread is closed.

    """
    host, _ = address
    version = ip_address(host).version
    context = None if settings.tls is None else settings.tls.dialling()
    end = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6)  # noqa: PLR2004 - IPv4
    tune(end, settings)
    transport: Transport = Plain(end)
    if context is not None and settings.tls is not None:
        transport = Secured(end, context, settings.tls.server_name or name or host)
    steps = handshake.dial(settings.terms, monotonic, wanted)
    connection = Connection(io, transport, steps, settings, owner, address_of(address))
    try:
        io.call(lambda: connection.begin(address))
    except RuntimeError:
        transport.close()
        raise
    return connection


def tune(end: socket.socket, settings: ConnectionSettings) -> None:
    """What every socket between segments is set to: nothing waits for more to be sent, and silence ends it."""
    end.setblocking(False)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.lost_after * _MILLI))


def address_of(address: Sequence[Any]) -> str:
    """As people write it."""
    host, port = address[:2]
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
