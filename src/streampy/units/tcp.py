"""Values sent from process to process over TCP, as JSON; any other program can speak it too.

A sender writes frames: the length as 4 bytes, the first the most significant, then so many bytes of JSON in UTF-8, a
list of values. The receiver answers each with 4 bytes, the number of values, once its process has taken all of them.
Nothing is encrypted and nobody is asked for a password, so it belongs into networks that you trust.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import streampy as sp
from streampy.units.json_text import to_json

_NUMBER = Struct(">I")
_LARGEST = 1 << 24
"""Bytes of a frame, 16 MB: what one connection may make the receiver hold in memory."""
_WHOLE = 30.0
"""Seconds in which a frame that was begun must be there."""
_LIVENESS = {
    socket.TCP_KEEPIDLE: 15,
    socket.TCP_KEEPINTVL: 5,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 30_000,
}
"""Seconds (the last one milliseconds): who is gone without a word, as when a cable is pulled, is given up in 30 s."""


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    """The values of a frame, until the process has taken them."""

    values: list[Any]
    taken: asyncio.Future[None]


class SocketReceiver(sp.Unit):
    """Give the values that others send to a port; any number of SocketSenders, or programs that write such frames.

    A sender is answered when the process has taken its values, so a process that is too slow holds its senders back.
    What is no frame of values is logged, and its connection closed; the others go on. The values are born here, with
    new headers. It waits in the event loop: it takes no thread.
    """

    _socket: socket.socket | None = None

    def __init__(self, *, port: int, host: str = "127.0.0.1", senders: int = 64) -> None:
        """Choose where to listen.

        Args:
            port: of TCP.
            host: the address of this machine at which to listen; only programs of this machine reach 127.0.0.1, and
                everybody reaches "" (all addresses): choose that in networks that you trust.
            senders: how many may be connected at once.

        """
        self.port = port
        self.host = host
        self.senders = senders

    def start(self) -> None:
        """Listen. Raises OSError where the port is taken, or the address not of this machine."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._socket = socket.create_server((self.host, self.port), family=family)

    async def work(self) -> AsyncIterator[Any]:
        """Give the values, in the order of each sender."""
        came: asyncio.Queue[_Delivery] = asyncio.Queue()  # one for each connection at the most
        reception = _Reception(came, self.senders)
        server = await asyncio.start_server(reception.serve, sock=self._socket)
        try:
            while True:
                delivery = await came.get()
                for value in delivery.values:
                    yield value
                if not delivery.taken.done():  # its sender may be gone
                    delivery.taken.set_result(None)
        finally:
            server.close()
            await reception.close()

    def stop(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._socket.close()


class _Reception:
    """The connections of a receiver. Each has one frame under way at the most."""

    def __init__(self, came: asyncio.Queue[_Delivery], most: int) -> None:
        self._came = came
        self._most = most
        self._serving: set[asyncio.Task[Any]] = set()
        self._log = sp.worker().logger

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take frames from one sender until it leaves, or sends what is none."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"  # noqa: S101 - narrows the type
        who = writer.get_extra_info("peername")
        try:
            if len(self._serving) >= self._most:
                self._log.warning("%s was sent away: %d senders are connected", who, self._most)
                return
            self._serving.add(task)
            _watch_over(writer)
            while True:
                await self._take(reader, writer)
        except (EOFError, asyncio.CancelledError):
            pass  # it has left, or we do: in the middle of a frame, too, which it will send again
        except (OSError, ValueError, RecursionError) as error:
            self._log.warning("%s was sent away: %s", who, error or type(error).__name__)
        finally:
            self._serving.discard(task)
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = _NUMBER.unpack(await reader.readexactly(_NUMBER.size))
        if length > _LARGEST:
            raise ValueError(f"got a frame of {length} bytes, expected at most {_LARGEST}")
        async with asyncio.timeout(_WHOLE):
            values = _values(await reader.readexactly(length))
        delivery = _Delivery(values, asyncio.get_running_loop().create_future())
        await self._came.put(delivery)
        await delivery.taken
        writer.write(_NUMBER.pack(len(values)))
        await writer.drain()

    async def close(self) -> None:
        """Leave everybody; who was not answered will send again."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


class SocketSender(sp.Unit):
    """Send each value to a SocketReceiver, as many at once as wait, and wait until its process has taken them.

    What was not answered is sent again on a new connection: nothing is lost while the process runs, but what was under
    way when a connection broke may come twice. A receiver that is slow, or not there, holds this process back.
    """

    values = sp.Pipe(capacity=512, batch=128)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def __init__(
        self,
        *,
        port: int,
        host: str = "127.0.0.1",
        timeout: float = 5.0,
        retry: float = 0.5,
        retry_most: float = 10.0,
        retries: float = 10,
    ) -> None:
        """Choose the receiver.

        Args:
            port: of TCP.
            host: its name or address.
            timeout: seconds in which a connection must come about.
            retry: seconds before it is tried again, twice as many each time,
            retry_most: but no more than these.
            retries: failures in a row, each logged, after which one more is an error; `.inf` for never.

        """
        self.port = port
        self.host = host
        self.timeout = timeout
        self.retry = retry
        self.retry_most = retry_most
        self.retries = retries

    async def work(self, values: sp.Batch[Any]) -> None:
        """Send the values.

        Raises:
            ConnectionError: the receiver can't be reached, or doesn't answer as one, more often than `retries` allow.
            TypeError: JSON has no word for a value.
            ValueError: a value is nan or inf, or larger than 16 MB.

        """
        for texts in _frames([to_json(value, "SocketSender").encode() for value in values]):
            body = b"[" + b",".join(texts) + b"]"
            await self._deliver(_NUMBER.pack(len(body)) + body, len(texts))

    async def _deliver(self, frame: bytes, count: int) -> None:
        failures = 0
        while True:
            try:
                await self._send(frame, count)
            except (OSError, EOFError) as error:
                self._hang_up()
                failures += 1
                why = f"{self.host}:{self.port}: {error or type(error).__name__}"
                if failures > self.retries:
                    raise ConnectionError(f"SocketSender: {why}, {failures} times in a row") from error
                sp.worker().logger.warning("%s, %d times in a row", why, failures)
                await asyncio.sleep(min(self.retry_most, self.retry * 2 ** (failures - 1)))
            else:
                return

    async def _send(self, frame: bytes, count: int) -> None:
        if self._streams is None:
            async with asyncio.timeout(self.timeout):
                self._streams = await asyncio.open_connection(self.host, self.port)
            _watch_over(self._streams[1])
        reader, writer = self._streams
        writer.write(frame)
        await writer.drain()
        (taken,) = _NUMBER.unpack(await reader.readexactly(_NUMBER.size))
        if taken != count:
            raise ConnectionError(f"{taken} values were taken of {count}: that is no SocketReceiver")

    def _hang_up(self) -> None:
        """At once: what was sent and not answered is sent again, so there is nothing to wait for."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    def stop(self) -> None:
        """Hang up."""
        self._hang_up()


def _watch_over(writer: asyncio.StreamWriter) -> None:
    """Let the kernel find out that the other side is gone."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _LIVENESS.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _values(body: bytes) -> list[Any]:
    """Read a frame. Raises ValueError, or RecursionError, where it is no list of values."""
    values = json.loads(body.decode(), parse_constant=_no_number)
    if not isinstance(values, list) or None in values:
        raise ValueError(f"got {body!r:.80}, expected a JSON list of values, none of them null")
    return values


def _no_number(word: str) -> None:
    raise ValueError(f"got {word}, which JSON has not")


def _frames(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    """As many values in a frame as it can hold. Raises ValueError where it can't hold one."""
    frame: list[bytes] = []
    room = _LARGEST
    for text in texts:
        size = len(text) + 2
        if size > _LARGEST:
            raise ValueError(f"SocketSender: a value has {len(text)} bytes as JSON, expected less than {_LARGEST}")
        if size > room:
            yield frame
            frame, room = [], _LARGEST
        frame.append(text)
        room -= size
    if frame:
        yield frame
