"""The OS process that bears others: a fresh interpreter with one thread, which forks when asked, and tells who ended.

A fork costs a tenth of a new interpreter, and is safe only where no other thread runs: hence this one, beside the main
OS process. It lives exactly as long as that, and its children as long as it: the kernel sees to it. Knows nothing of
what the children do.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from array import array
from contextlib import suppress
from importlib import import_module
from select import POLLIN, poll
from typing import Final, final

from streampy.run.places.birth import Cradle, live
from streampy.run.places.deaf import ignore
from streampy.run.places.order import FILES, PACKET, Ask, News, Order
from streampy.run.places.prctl import set_title

_SPACE: Final = socket.CMSG_SPACE(array("i").itemsize * FILES)
"""Bytes that the file descriptors take which come with a packet."""


def main() -> None:
    """Serve until the main OS process is gone, or closes its end; what is to be known is in `sys.argv`."""
    order_file, control = map(int, sys.argv[1:3])
    ignore()
    order = Order.read(order_file)
    os.close(order_file)
    set_title("nursery")
    nursery = _Nursery(socket.socket(fileno=control))
    nursery.preload(order)
    cradle = nursery.serve()
    if cradle is None:
        os._exit(0)  # whoever sees its socket closed need not wait for more than this
    live(*cradle.leave(), is_forked=True)


@final
class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, int] = {}
        """Numbers of children, by their pids; those that were not waited for yet, so that no pid is another one's."""
        self._ended, ended = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._files = [ended, self._ended]
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ended, warn_on_full_buffer=False)
        self._poll = poll()
        self._poll.register(control, POLLIN)
        self._poll.register(self._ended, POLLIN)
        self._watch_main()

    def _watch_main(self) -> None:
        """The control socket tells when the main OS process is gone, unless another one that it forked holds it too."""
        with suppress(OSError):  # a container may forbid it
            main = os.pidfd_open(os.getppid())
            self._files.append(main)
            self._poll.register(main, POLLIN)

    def preload(self, order: Order) -> None:
        """Import what the children would each import."""
        sys.argv[:] = order.arguments
        for module in order.preload:
            if self._is_asked_to_end():
                return
            with suppress(Exception):  # whoever needs it will tell
                import_module(module)
        gc.collect()
        gc.freeze()  # a collection in a child would write to, and so copy, what all share

    def _is_asked_to_end(self) -> bool:
        try:
            return not self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False

    def serve(self) -> Cradle | None:
        """Do what is asked. Returns once the main OS process is gone, all children with it; and in each child."""
        while True:
            for file, _ in self._poll.poll():
                if file == self._ended:
                    self._reap()
                elif file != self._control.fileno() or (packet := self._read()) is None:
                    self._end()
                    return None
                elif (cradle := self._do(*packet)) is not None:
                    return cradle

    def _read(self) -> tuple[Ask, int, list[int]] | None:
        try:
            # no `socket.recv_fds`: it forgets the flags, so that any program that a child starts would have its files
            packet, sent, _, _ = self._control.recvmsg(PACKET.size, _SPACE, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return None
        if not packet:
            return None
        ask, number, _ = PACKET.unpack(packet)
        files = array("i", sent[0][2]).tolist() if sent else []
        return Ask(ask), number, files

    def _do(self, ask: Ask, number: int, files: list[int]) -> Cradle | None:
        if ask == Ask.BEAR:
            return self._bear(number, files)
        for pid, child in self._children.items():
            if child == number:
                os.kill(pid, signal.SIGKILL)
        return None

    def _bear(self, number: int, files: list[int]) -> Cradle | None:
        nursery = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(News.NOT_BORN, number, error.errno or 0)
            pid = -1
        if pid == 0:
            signal.set_wakeup_fd(-1)
            self._control.close()
            for file in self._files:
                os.close(file)
            return Cradle(nursery, files)
        for file in files:
            os.close(file)
        if pid > 0:
            self._children[pid] = number
            self._tell(News.BORN, number, pid)
        return None

    def _reap(self) -> None:
        os.read(self._ended, 1 << 12)
        self._bury(os.WNOHANG)

    def _bury(self, options: int) -> None:
        with suppress(ChildProcessError):  # there is none any more
            while (ended := os.waitpid(-1, options))[0]:
                pid, status = ended
                number = self._children.pop(pid, None)
                if number is not None:  # else whoever was left behind by a child, where this is their subreaper
                    self._tell(News.ENDED, number, os.waitstatus_to_exitcode(status))

    def _end(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        self._bury(0)

    def _tell(self, news: News, number: int, value: int) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the next thing that is read is the end
            self._control.send(PACKET.pack(news, number, value), socket.MSG_NOSIGNAL)
