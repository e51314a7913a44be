"""A channel between two OS processes: messages both ways over a pair of Unix sockets, and the news of a death.

Knows nothing of what the messages say. There is no lock in it that an OS process could take with it when it is killed:
the kernel keeps what was sent, and tells each end when nobody holds the other one any more.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from select import POLLIN, POLLOUT, poll, select
from time import monotonic
from typing import Final, Self, final

from streampy.errors import RunError
from streampy.pipes.base import patience
from streampy.pipes.frames import FIRST, Buffer, Head, Message, cut, read_head, read_short, short

_BUFFER: Final = 1 << 20
"""Bytes of the socket's buffer that are asked for; the kernel gives what its settings allow."""
_PACKET: Final = 1 << 17
"""Bytes of a packet at the most."""
_FINE: Final = 0.1
"""Seconds: `poll` counts in thousandths, so shorter waits are left to `select`, which counts in millionths ..."""
_LOW: Final = 1024
"""... and knows no file descriptors from here on."""
_LONG: Final = 86400.0
"""Seconds: more than this at a stretch `poll` need not wait."""


class PeerDied(RunError):
    """The OS process at the other end of a channel has ended, or closed its end, without taking its leave."""


def channel_pair() -> tuple[Channel, Channel]:
    """Two ends; give one of them to another OS process and close it here, or its death will not be noticed."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(one), Channel(other)


@final
class _Waker:
    """A file to be woken by. It is closed with the last who has it, so nobody can write to one that has its number."""

    __slots__ = ("file",)

    def __init__(self) -> None:
        self.file = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        os.close(self.file)


@final
class Channel:
    """One end. One thread at a time may send, one may take, and one may wait; `wake` is for any.

    Nothing blocks but `wait`, `send` and `receive`. A channel goes to another OS process in the arguments of a
    `multiprocessing.Process` that is spawned, or as the file descriptor `fileno()`: see `at`.
    """

    __slots__ = (
        "_body",
        "_file",
        "_filled",
        "_head",
        "_is_sending",
        "_most",
        "_others",
        "_outbox",
        "_poll",
        "_socket",
        "_wake",
        "_waker",
    )

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._socket = end
        self._file = end.fileno()
        self._most = min(_PACKET, end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 4)
        self._outbox: deque[Sequence[Buffer]] = deque()
        self._head: Head | None = None
        """Of a message of which more packets are to come; its body, and how much of that is there, are in the next."""
        self._body = memoryview(b"")
        self._filled = 0
        self._waker: _Waker | None = _Waker()
        self._wake = self._waker.file
        self._others: list[int] = []
        self._is_sending = False
        """Whether who waits is told when there is room to send."""
        self._poll = poll()
        self._poll.register(self._file, POLLIN)
        self._poll.register(self._wake, POLLIN)

    def __repr__(self) -> str:
        state = f"file {self._file}" if self._socket.fileno() >= 0 else "closed"
        return f"<Channel {state}, {len(self._outbox)} packets to be sent>"

    def __reduce__(self) -> tuple[type[Channel], tuple[socket.socket]]:
        return Channel, (self._socket,)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def at(cls, file: int) -> Channel:
        """The end that came as a file descriptor, such as those in the `pass_fds` of a subprocess."""
        return cls(socket.socket(fileno=file))

    def fileno(self) -> int:
        """The file descriptor, which is readable when there is something to take."""
        return self._file

    @property
    def files(self) -> tuple[int, ...]:
        """For an event loop: `fileno()`, what is readable once `wake` was called, until `calm`, and those of `also`."""
        return self._file, self._wake, *self._others

    @property
    def has_outbox(self) -> bool:
        """Whether something that was posted is still to be sent."""
        return bool(self._outbox)

    def post(self, message: Message) -> None:
        """Send it, or what of it the kernel takes now; `flush` sends the rest. Never waits.

        The parts are not to be changed until all is sent. Raises PeerDied, and ValueError where it is too large.
        """
        packet = None if self._outbox else short(message)
        if packet is None:
            self._outbox.extend(cut(message, self._most))
            self.flush()
            return
        try:
            self._socket.send(packet, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            self._outbox.append((packet,))
        except (BrokenPipeError, ConnectionResetError):
            raise self._died() from None

    def flush(self) -> None:
        """Send on what is still to be sent. Never waits. Raises PeerDied."""
        try:
            while self._outbox:
                self._socket.sendmsg(self._outbox[0], (), socket.MSG_NOSIGNAL)
                self._outbox.popleft()
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self._outbox.clear()
            raise self._died() from None

    def take(self) -> Message | None:
        """The next message; None where it has not come, or not wholly. Never waits.

        Raises PeerDied once all that was sent before is taken.
        """
        try:
            if self._head is not None:
                return self._go_on()
            packet = self._read()
            if (message := read_short(packet)) is not None:
                return message
            head = read_head(packet)
            body = memoryview(packet)[head.length :]
            if len(body) == sum(head.sizes):
                return head.message(body)
            self._begin(head, body)
            return self._go_on()
        except BlockingIOError:
            return None

    def _read(self) -> bytes:
        try:
            packet = self._socket.recv(FIRST)
        except ConnectionResetError:  # told once, before what is still there, where the other end left news unread
            packet = self._socket.recv(FIRST)
        if not packet:
            raise self._died()
        return packet

    def _begin(self, head: Head, body: memoryview) -> None:
        self._head = head
        self._body = memoryview(bytearray(sum(head.sizes)))
        self._filled = len(body)
        self._body[: self._filled] = body

    def _go_on(self) -> Message:
        head = self._head
        assert head is not None, "only called within a message"  # noqa: S101 - narrows the type
        while self._filled < len(self._body):
            rest = self._body[self._filled :]
            try:
                count = self._socket.recv_into(rest)
            except ConnectionResetError:
                continue
            if not count:
                raise self._died()
            self._filled += count
        message = head.message(self._body)
        self._head, self._body = None, memoryview(b"")
        return message

    def _died(self) -> PeerDied:
        return PeerDied("the other end of the channel is gone: its OS process ended, or closed it without a word")

    def wait(self, until: float = inf, *, looks_up: bool = True) -> None:
        """Until there is something to take, room for what is to be sent, or `wake` was called.

        until: `time.monotonic` seconds. It may come back early; look whether there is what you wait for. looks_up:
        whether the main thread does so now and then, see `patience`; an idle OS process that is deaf need not.
        Raises TimeoutError past `until`.
        """
        found = self._look(patience(until) if looks_up else max(0.0, until - monotonic()))
        if self._wake in found:
            self.calm()
        if not found and monotonic() >= until:
            raise TimeoutError

    def _look(self, seconds: float) -> Sequence[int]:
        """The files at which there is something to do."""
        if seconds < _FINE and max(self.files) < _LOW:
            writing = (self._file,) if self._outbox else ()
            ready, free, _ = select((self._file, self._wake, *self._others), writing, (), seconds)
            return ready + free
        if bool(self._outbox) is not self._is_sending:
            self._is_sending = not self._is_sending
            self._poll.modify(self._file, POLLIN | POLLOUT if self._is_sending else POLLIN)
        return [file for file, _ in self._poll.poll(min(seconds, _LONG) * 1000)]

    def also(self, file: int) -> None:
        """From now on who waits here also comes back when there is something to read at this file. Before any waits."""
        self._others.append(file)
        self._poll.register(file, POLLIN)

    def calm(self) -> None:
        """Forget that `wake` was called."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def wake(self) -> None:
        """Whoever waits, or waits next, comes back at once. For any thread at any moment: takes no lock."""
        waker = self._waker  # or it could be closed before it is written to, and another one have its number
        if waker is not None:
            os.eventfd_write(waker.file, 1)

    def hand_over(self, files: Sequence[int], until: float = inf) -> None:
        """Give open files to the other end, behind all that was posted; here they stay open. Waits for the kernel.

        Raises PeerDied, TimeoutError.
        """
        while True:
            self.flush()
            if not self._outbox:
                with suppress(BlockingIOError):
                    socket.send_fds(self._socket, [b"\0"], files, socket.MSG_NOSIGNAL)
                    return
            self._wait_for_room(until)

    def take_over(self, count: int) -> list[int]:
        """So many open files that the other end gave, behind the message that was taken last. Raises PeerDied."""
        while True:
            with suppress(BlockingIOError):
                data, files, *_ = socket.recv_fds(self._socket, 1, count)
                if not data:
                    raise self._died()
                return files
            self.wait()

    def _wait_for_room(self, until: float) -> None:
        """Until the kernel takes more."""
        _, ready, _ = select((), (self._file,), (), None if until == inf else max(0.0, until - monotonic()))
        if not ready:
            raise TimeoutError

    def send(self, message: Message, until: float = inf) -> None:
        """Post it, and wait until all of it is with the kernel. Raises PeerDied, TimeoutError.

        Past `until` the rest of it still goes first, with whatever is sent next: half a message can't be taken back.
        """
        self.post(message)
        while self._outbox:
            self.wait(until)
            self.flush()

    def receive(self, until: float = inf) -> Message:
        """The next message, waited for. Raises PeerDied once all that was sent is taken, TimeoutError past `until`."""
        while (message := self.take()) is None:
            self.wait(until)
        return message

    def messages(self) -> Iterator[Message]:
        """All that have come. Raises PeerDied, see `take`."""
        while (message := self.take()) is not None:
            yield message

    def close(self) -> None:
        """Nothing is sent or taken any more; nobody may wait here. What was sent can still be taken there."""
        if self._socket.fileno() >= 0:
            self._socket.close()
            self._waker = None
