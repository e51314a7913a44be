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
from streampy.flow.restarts import Restarts
from streampy.model.pipe import Crashed, OnCrash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from streampy.model.plan import Plan

_LOOPBACK: Final = "127.0.0.1"
_LIMIT: Final = 5
"""So many restarts within a minute are too many: a start takes seconds, and what dies at once does so each time."""


@final
class Replica:
    """One OS process of a segment."""

    def __init__(
        self, segment: str, index: int, of: int, on_crash: Crashed, events: SimpleQueue[Replica | str]
    ) -> None:
        self.segment = segment
        self.index = index
        self.name = segment if of == 1 else f"{segment}#{index}"
        self.code: int | None = None
        """None while it runs; negative where a signal ended it."""
        self.last_line = ""
        """That it wrote to stdout."""
        self.restarts = 0
        """How many times it was started again."""
        self._policy = Restarts(OnCrash(then=on_crash, limit=_LIMIT))
        self._events = events
        self._program: subprocess.Popen[str] | None = None
        self._control = -1

    def __repr__(self) -> str:
        return f"<Replica {self.name}: {'runs' if self.code is None else f'ended with {self.code}'}>"

    def start(self, command: Sequence[str], files: Sequence[int], out: Callable[[Replica, str, str], None]) -> None:
        """Begin, or begin again. files: that it inherits. out: is given each line, with `stdout` or `stderr`."""
        self.close()
        self.code = None
        self.last_line = ""
        control, self._control = os.pipe()
        try:
            self._program = subprocess.Popen(  # noqa: S603 - our own interpreter
                [*command, "--obey", str(control)],
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

    def pause(self, now: float) -> float | None:
        """Seconds after which it is to be started again, having died; None where it is not: see `Restarts`.

        Only a signal is a death: one that ended with an exit code has told all others that it failed.
        """
        return self._policy.next(now) if self.code is not None and self.code < 0 else None

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.code is not None and self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"

    @property
    def came_back(self) -> bool:
        """Whether it runs, having been started again."""
        return self.code is None and self.restarts > 0


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
            Replica(name, index, count, plan.segments[name].on_crash, self.events)
            for name, count in self._count.items()
            for index in range(count)
        ]
        self._out: Callable[[Replica, str, str], None] = _to_nobody
        self._ports: dict[Replica, socket.socket] = {}
        """Kept open here, so that one that is started again is found where it was."""

    def start(self, out: Callable[[Replica, str, str], None]) -> None:
        """Start them all."""
        self._out = out
        for replica in self.replicas:
            if self._listens(replica.segment):
                self._ports[replica] = _port()
        for replica in self.replicas:
            self._start(replica)

    def restart(self, replica: Replica) -> None:
        """Start one again that has died."""
        replica.restarts += 1
        self._start(replica)

    def leave(self, replica: Replica) -> None:
        """Let go of one that has ended: nobody comes there any more."""
        port = self._ports.pop(replica, None)
        if port is not None:
            port.close()

    def _start(self, replica: Replica) -> None:
        port = self._ports.get(replica)
        replica.start(self._command(replica), [] if port is None else [port.fileno()], self._out)

    def _listens(self, segment: str) -> bool:
        return any(wire.listener == segment for wire in self._plan.wires)

    def _command(self, replica: Replica) -> list[str]:
        command = [sys.executable, "-m", "streampy", "run", self._file, "--segment", replica.segment, *self._options]
        command += ["--of-run", str(os.getpid()), "--replica", str(replica.index)]
        if replica in self._ports:
            command += ["--listen", f"fd:{self._ports[replica].fileno()}"]
        for wire in self._plan.wires:
            if wire.dialler == replica.segment:
                for other, port in self._ports.items():
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

    def has_sources(self, replica: Replica) -> bool:
        """Whether items are born in its segment."""
        return any(not self._plan.units[name].inputs for name in self._plan.segments[replica.segment].units)

    @property
    def is_left_over(self) -> bool:
        """Whether only such still run as came back and have no sources: whoever they could work for may be gone."""
        running = [replica for replica in self.replicas if replica.code is None]
        return all(replica.came_back and not self.has_sources(replica) for replica in running)

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return all(replica.code is not None for replica in self.replicas)

    def close(self) -> None:
        """All have ended, or are to."""
        for replica in self.replicas:
            replica.close()
        for replica in list(self._ports):
            self.leave(replica)


def _to_nobody(replica: Replica, stream: str, line: str) -> None:
    """Until it was started there is nothing to tell."""
    del replica, stream, line


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
