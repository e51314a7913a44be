"""All segments of a process on this machine, each in an OS process of its own: started, heard, and put out together.

Knows nothing of the terminal. Each is told by a pipe what to do; where that ends, because this OS process is gone, all
of them end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import IO, TYPE_CHECKING, Final, final

from streampy.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from streampy.model.plan import Plan

_LOOPBACK: Final = "127.0.0.1"


@final
class Replica:
    """One OS process of a segment."""

    def __init__(self, segment: str, index: int, of: int, events: SimpleQueue[Replica | str]) -> None:
        self.segment = segment
        self.name = segment if of == 1 else f"{segment}#{index}"
        self.code: int | None = None
        """None while it runs; negative where a signal ended it."""
        self.last_line = ""
        """That it wrote to stdout."""
        self._events = events
        self._program: subprocess.Popen[str] | None = None
        self._control = -1

    def __repr__(self) -> str:
        return f"<Replica {self.name}: {'runs' if self.code is None else f'ended with {self.code}'}>"

    def start(self, command: Sequence[str], files: Sequence[int], out: Callable[[Replica, str, str], None]) -> None:
        """Begin. files: that it inherits. out: is given each line, with `stdout` or `stderr`."""
        control, self._control = os.pipe()
        try:
            self._program = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*command, "--control", str(control)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                bufsize=1,
                errors="replace",
                pass_fds=[control, *files],
                start_new_session=True,  # a Ctrl-C is for this one alone, which then tells all the others
            )
        finally:
            os.close(control)
        Thread(target=self._watch, args=(self._program, out), name=f"watch {self.name}", daemon=True).start()

    def _watch(self, program: subprocess.Popen[str], out: Callable[[Replica, str, str], None]) -> None:
        streams = {"stdout": program.stdout, "stderr": program.stderr}
        readers = [Thread(target=self._read, args=(name, stream, out), daemon=True) for name, stream in streams.items()]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        self.code = program.wait()
        self._events.put(self)

    def _read(self, name: str, stream: IO[str] | None, out: Callable[[Replica, str, str], None]) -> None:
        for line in stream or ():
            if name == "stdout":
                self.last_line = line
            out(self, name, line)

    def tell(self, word: str) -> None:
        """Have it drain, or put out; nothing where it has ended."""
        with suppress(OSError):
            os.write(self._control, f"{word}\n".encode())

    def kill(self) -> None:
        """End it at once."""
        if self._program is not None and self.code is None:
            self._program.kill()

    def close(self) -> None:
        """It has ended, or is to."""
        control, self._control = self._control, -1
        if control >= 0:
            os.close(control)

    @property
    def has_failed(self) -> bool:
        """Whether it has ended, and not well."""
        return self.code not in {None, Exit.OK, Exit.INTERRUPTED}

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.code is not None and self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


@final
class Fleet:
    """Those of one process. One thread uses it; what happens comes in `events`."""

    def __init__(self, file: str, plan: Plan, options: Sequence[str], replicas: Mapping[str, int]) -> None:
        """Options: of `streampy run`, for each. replicas: instead of those in the process."""
        self.events: SimpleQueue[Replica | str] = SimpleQueue()
        """A replica that has ended, or the word that a signal puts here."""
        self._file = file
        self._plan = plan
        self._options = options
        self._count = {name: replicas.get(name, spec.replicas) for name, spec in plan.segments.items()}
        self.replicas = [
            Replica(name, index, count, self.events) for name, count in self._count.items() for index in range(count)
        ]

    def start(self, out: Callable[[Replica, str, str], None]) -> None:
        """Start them all."""
        ports = {replica: _port() for replica in self.replicas if self._listens(replica.segment)}
        try:
            for replica in self.replicas:
                port = ports.get(replica)
                replica.start(self._command(replica, ports), [] if port is None else [port.fileno()], out)
        finally:
            for port in ports.values():
                port.close()

    def _listens(self, segment: str) -> bool:
        return any(wire.listener == segment for wire in self._plan.wires)

    def _command(self, replica: Replica, ports: Mapping[Replica, socket.socket]) -> list[str]:
        command = [sys.executable, "-m", "streampy", "run", self._file, "--segment", replica.segment, *self._options]
        if replica in ports:
            command += ["--listen", f"fd:{ports[replica].fileno()}"]
        for wire in self._plan.wires:
            if wire.dialler == replica.segment:
                for other, port in ports.items():
                    if other.segment == wire.listener:
                        command += ["--dial", f"{wire.listener}=tcp://{_LOOPBACK}:{port.getsockname()[1]}"]
            if replica.segment in wire.ends:
                (other_end,) = wire.ends - {replica.segment}
                command += ["--expect", f"{other_end}={self._count[other_end]}"]
        return command

    def tell(self, word: str) -> None:
        """Tell it to all."""
        for replica in self.replicas:
            replica.tell(word)

    def kill(self) -> None:
        """End at once those that still run."""
        for replica in self.replicas:
            replica.kill()

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return all(replica.code is not None for replica in self.replicas)

    def close(self) -> None:
        """All have ended, or are to."""
        for replica in self.replicas:
            replica.close()


def _port() -> socket.socket:
    """One that is free, and can only be reached from this machine."""
    port = socket.create_server((_LOOPBACK, 0))
    port.set_inheritable(True)
    return port


def exit_code(replicas: Iterable[Replica], first: Replica | None) -> int:
    """Of all of them: that of the first one that failed."""
    if first is not None and first.code is not None:
        return first.code if first.code > 0 else Exit.DIED
    return max((replica.code or 0 for replica in replicas), default=Exit.OK)
