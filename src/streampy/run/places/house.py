"""One nursery as the main OS process sees it: started, asked for children, heard of their ends, and closed.

Knows nothing of what the children do. What happens on the other side of its socket is in `nursery`.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import subprocess
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Final, final

from streampy.errors import RunError
from streampy.run.places.child import Child
from streampy.run.places.deaf import hushed
from streampy.run.places.order import PACKET, Ask, News, Order
from streampy.run.places.voice import Voice

if TYPE_CHECKING:
    from streampy.run.backend import Backend
    from streampy.run.places.listen import Listener


class NurseryDied(RunError):
    """The OS process that was to start another one died meanwhile; the next one may do better."""


_log: Final = logging.getLogger("streampy.run")
_PATIENCE: Final = 60.0
"""Seconds in which the nursery must have borne a child: its own start, on a busy machine with a slow disk, is in it."""
_LAST_WORDS: Final = 1.0
"""Seconds in which it is known how a nursery died."""
_GRACE: Final = 5.0
"""Seconds from the end of the nursery's socket to its own end."""


@final
class House:
    """A nursery that lives until it is closed, or killed; with it die its children. Any thread may call it."""

    def __init__(self, order: Order, listener: Listener, backend: Backend) -> None:
        """Start it; the thread that does may end before it.

        order: what the nursery itself needs. Raises RunError where it can't be started.
        """
        self.over = backend.flag()
        """It is dead and waited for, and so are its children."""
        self._backend = backend
        self._listener = listener
        self._lock = backend.lock()
        self._numbers = count()
        self._children: dict[int, tuple[Child, Voice]] = {}
        self._is_ended = False
        self._is_closing = False
        self._name = order.name
        try:
            self._voice = Voice(order.name)
            self._program, self._control = self._start(order)
        except OSError as error:
            raise RunError(
                "the nursery, which starts the OS processes of units, could not be started with the interpreter"
                f" {order.command[0]!r}: {error}"
            ) from error
        self._voice.close_mouths()
        listener.add(self._voice)
        backend.launch(self._watch, order.name)

    def __repr__(self) -> str:
        return f"<House: OS process {self._program.pid}, {len(self._children)} children>"

    @property
    def pid(self) -> int:
        """Of the nursery."""
        return self._program.pid

    @property
    def is_ended(self) -> bool:
        """Whether it is dead, or about to be."""
        return self._is_ended or self._is_closing

    def _start(self, order: Order) -> tuple[subprocess.Popen[bytes], socket.socket]:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, err, _ = self._voice.mouths
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._voice.close)
            if_it_fails.callback(control.close)
            with theirs, _written(order) as file, hushed():
                command = order.boot("nursery", str(file), str(theirs.fileno()))
                program = subprocess.Popen(  # noqa: S603 - our own interpreter
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(file, theirs.fileno())
                )
            if_it_fails.pop_all()
        return program, control

    def bear(self, order: Order, file: int, on_end: Callable[[Child, int], None] | None) -> Child:
        """See `Nursery.bear`."""
        number = next(self._numbers)
        try:
            voice = Voice(order.name)
            child = Child(voice, lambda: self._kill(number), on_end, self._backend)
            self._send(number, order, file, child, voice)
        except OSError as error:
            is_dead = isinstance(error, BrokenPipeError | ConnectionResetError)
            raise self._not_born(order.name, str(error), is_dead=is_dead) from error
        self._listener.add(voice)
        if not self._backend.wait_for(child.settled, self._backend.now() + _PATIENCE):
            child.refused(f"its nursery did not do it in {_PATIENCE:g} s")
            child.kill()
            raise self._not_born(child.name, child.refusal, is_dead=False)
        if not child.pid:
            raise self._not_born(child.name, child.refusal, is_dead=self._is_ended)
        return child

    def _send(self, number: int, order: Order, file: int, child: Child, voice: Voice) -> None:
        with ExitStack() as if_it_fails:
            if_it_fails.callback(voice.close)
            with _written(order) as written:
                self._enrol(number, child, voice, [written, file, *voice.mouths])
            if_it_fails.pop_all()
        voice.close_mouths()

    def _enrol(self, number: int, child: Child, voice: Voice, files: list[int]) -> None:
        with self._lock:
            if self._is_ended:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            self._children[number] = child, voice
            try:
                self._ask(Ask.BEAR, number, files)
            except OSError:
                del self._children[number]
                raise

    def _not_born(self, name: str, why: str, *, is_dead: bool) -> RunError:
        kind = NurseryDied if is_dead else RunError
        if is_dead:
            self._backend.wait_for(self.over, self._backend.now() + _LAST_WORDS)
            code = self._program.returncode
            why = f"its nursery, the OS process that starts it, died with exit code {code}{self._last_words()}"
        return kind(f"the OS process {name!r} could not be started: {why}")

    def _last_words(self) -> str:
        return "".join(f"\n  {line}" for line in self._voice.last_words)

    def _ask(self, ask: Ask, number: int, files: Sequence[int] = ()) -> None:
        """The lock is held. Never waits: raises OSError where the nursery does not read."""
        with_it = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", files))] if files else []
        # no `socket.send_fds`: it forgets the flags
        self._control.sendmsg([PACKET.pack(ask, number, 0)], with_it, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)

    def _kill(self, number: int) -> None:
        with self._lock:
            if self._is_ended or number not in self._children:
                return
            try:
                self._ask(Ask.KILL, number)
            except OSError:  # it does not listen any more; then the child dies with it
                self._program.kill()

    def close(self, until: float) -> None:
        """Kill the children, and wait until all are dead and waited for; see `Nursery.close`."""
        with self._lock:
            self._is_closing = True
            if not self._is_ended:
                with suppress(OSError):  # it has died just now
                    self._control.shutdown(socket.SHUT_WR)
        if not self._backend.wait_for(self.over, until):
            self._program.kill()
            self._backend.wait_for(self.over, self._backend.now() + _GRACE)

    def _watch(self) -> None:
        while packet := self._read():
            self._hear(*PACKET.unpack(packet))
        self._end()

    def _read(self) -> bytes:
        try:
            return self._control.recv(PACKET.size)
        except ConnectionResetError:  # told once, before what is still there
            return self._control.recv(PACKET.size)

    def _hear(self, news: int, number: int, value: int) -> None:
        if news == News.BORN:
            self._children[number][0].born(value)
            return
        with self._lock:
            child, voice = self._children.pop(number)
        self._listener.finish(voice)
        if news == News.NOT_BORN:
            child.refused(f"fork failed: {os.strerror(value)}")
        else:
            child.end(value)

    def _end(self) -> None:
        with self._lock:
            self._is_ended = True
            children, self._children = self._children, {}
        code = self._program.wait()  # it is dead but for its last breath; then the kernel has killed its children
        self._control.close()
        self._listener.finish(self._voice)
        if children and not self._is_closing:
            told = "%s died (exit code %s), and with it %s OS processes%s"
            _log.error(told, self._name, code, len(children), self._last_words())
        for child, voice in children.values():
            self._listener.finish(voice)
            if child.pid:
                child.end(-signal.SIGKILL)
            else:
                child.refused("its nursery is dead")
        self.over.set()


@contextmanager
def _written(order: Order) -> Iterator[int]:
    file = order.write()
    try:
        yield file
    finally:
        os.close(file)
