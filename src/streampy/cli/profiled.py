"""Looks now and then what each thread and each OS process of a run has computed, and how much shared memory it took.

Knows nothing of units' rates and times; `benched` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as all_threads
from typing import TYPE_CHECKING, Final, final

from streampy.cli.benched import Benched
from streampy.memory.region import FOLDER, PREFIX
from streampy.model.process import MAIN

if TYPE_CHECKING:
    from streampy.run.running import Running

_EVERY: Final = 0.05
"""Seconds: what a thread computes in the last of them, before it ends, may be missed."""
_THREAD: Final = "streampy "
"""What the names of workers' threads begin with."""
_NANO: Final = 1e-9


@dataclass
class Used:
    """What was seen of one OS process."""

    cpu: float = 0.0
    """Seconds."""
    arena: int = 0
    """Bytes of shared memory that it had reserved, at the most."""


@dataclass
class Seen:
    """Of one run."""

    threads: dict[str, float] = field(default_factory=dict)
    """CPU seconds of each worker in `main`, by its name; the event loop's too."""
    places: dict[str, Used] = field(default_factory=dict)


@final
class Sampler:
    """Looks until it is closed."""

    def __init__(self, running: Callable[[], Running | None]) -> None:
        self.seen = Seen()
        self._running = running
        self._pids: dict[str, dict[int, float]] = {}
        """CPU seconds by place, of each OS process that was that place."""
        self._idents: dict[str, dict[int, float]] = {}
        self._is_over = Event()
        self._thread = Thread(target=self._watch, name="streampy-profile", daemon=True)
        self._own = cpu_of(os.getpid())

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look once more, and no more."""
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            is_over = self._is_over.is_set()
            self._look()
            if is_over:
                return
            self._is_over.wait(_EVERY)

    def _look(self) -> None:
        for thread in all_threads():
            if thread.name.startswith(_THREAD) and thread.native_id is not None:
                name = thread.name.removeprefix(_THREAD)
                times = self._idents.setdefault(name, {})
                with suppress(OSError):  # it has just ended
                    times[thread.native_id] = _cpu(Path(f"/proc/self/task/{thread.native_id}/schedstat"))
                self.seen.threads[name] = sum(times.values())
        self._look_at(MAIN, os.getpid(), self._own)
        running = self._running()
        rooms = None if running is None else running._segment.rooms
        if rooms is not None:
            for name, room in list(rooms._rooms.items()):
                child = room.child
                if child is not None and child.pid:
                    self._look_at(name, child.pid, 0.0)
            for name, size in arenas(rooms.run).items():
                used = self.seen.places.setdefault(name, Used())
                used.arena = max(used.arena, size)

    def _look_at(self, place: str, pid: int, before: float) -> None:
        times = self._pids.setdefault(place, {})
        times[pid] = max(times.get(pid, 0.0), cpu_of(pid) - before)
        self.seen.places.setdefault(place, Used()).cpu = sum(times.values())


def cpu_of(pid: int) -> float:
    """Seconds that an OS process has computed, with its threads that have ended; 0 where it is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _cpu(schedstat: Path) -> float:
    return int(schedstat.read_text().split()[0]) * _NANO


def arenas(run: str, folder: Path = FOLDER) -> Mapping[str, int]:
    """Bytes that the OS processes of a run have reserved in shared memory, by place."""
    found: dict[str, int] = {}
    begins = f"{PREFIX}{run}-"
    for path in folder.glob(f"{PREFIX}*"):
        if path.name.startswith(begins):
            name = path.name.removeprefix(begins).rpartition(".")[0]
            with suppress(OSError):  # it was taken away just now
                found[name] = found.get(name, 0) + path.stat().st_size
    return found


class Profiled(Benched):
    """One process that is measured, and looked at closely."""

    seen = Seen()

    def _live(self) -> None:
        """See `Benched`."""
        sampler = Sampler(lambda: self.running)
        self.seen = sampler.seen
        sampler.start()
        try:
            super()._live()
        finally:
            sampler.close()
