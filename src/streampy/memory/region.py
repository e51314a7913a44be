"""A part of shared memory that one OS process writes and others read.

Knows nothing of the blocks in it, nor of who reads them. No resource tracker and no lock is involved: what a killed OS
process leaves is a file, which `streampy.memory.sweep` removes.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from functools import cached_property
from mmap import MADV_REMOVE, MAP_SHARED, PROT_READ, PROT_WRITE, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, final

from streampy.errors import RunError
from streampy.memory.generations import Descriptor, Generations, Gone
from streampy.memory.window import Windows

if TYPE_CHECKING:
    from types import TracebackType

FOLDER: Final = Path("/dev/shm")  # noqa: S108 - that is what it is for
"""Where the system has its shared memory."""
PREFIX: Final = "streampy-"
"""How the names of all regions begin."""
_FULL: Final = frozenset({errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EFBIG})
_MB: Final = 1_000_000
_AT_ONCE: Final = 64 << 20
"""Bytes that are mapped in when a region is created: 0.4 s per GB."""
_MADV_POPULATE_WRITE: Final = 23
"""Of Linux 5.14 and later; Python has no name for it yet."""


class NoSharedMemory(RunError):
    """There is not so much shared memory: `asked` bytes, of which the `folder` has only `free`."""

    def __init__(self, folder: str, asked: int, free: int) -> None:
        self.folder, self.asked, self.free = folder, asked, free
        super().__init__(folder, asked, free)

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.asked / _MB:.1f} MB of shared memory were asked for,"
            f" {self.free / _MB:.1f} MB are free; make the folder larger"
            " (Docker: --shm-size=2g; Kubernetes: an emptyDir of medium Memory at /dev/shm),"
            " or let less wait: smaller `pipe: {capacity: ...}`, fewer workers"
        )


@final
class Region:
    """Shared memory of `size` bytes; who created it may write, all others read.

    Made by `Region.create` in the OS process that writes, by `Region.attach` in those that read. Views that were made
    of it stay good after `close`: the memory goes with the last of them.
    """

    def __init__(self, name: str, mapping: mmap, path: Path | None) -> None:
        self.name = name
        """The name of its file, which is also its name in descriptors."""
        self.size = len(mapping)
        self.is_writable = path is not None
        """Whether it was created by this OS process."""
        self._path = path
        self._mapping: mmap | None = mapping

    @classmethod
    def create(cls, run: str, name: str, size: int, *, folder: Path = FOLDER) -> Self:
        """Reserve shared memory, to be written by this OS process alone.

        run: what `name_run` gave to the main OS process. name: of the region, once in a run. size: bytes, at least 1.

        Raises NoSharedMemory where the folder has not so much: now, and never as SIGBUS later. Raises FileExistsError
        for a name that is taken.
        """
        path = folder / f"{PREFIX}{run}-{name}"
        if path.parent != folder or size < 1:
            raise ValueError(f"region {name!r} of {size} bytes: expected a name without '/', and at least 1 byte")
        handle = _make(path)
        try:
            _reserve(handle, size, folder)
            mapping = mmap(handle, size, flags=MAP_SHARED, prot=PROT_READ | PROT_WRITE)
            _map_in(mapping)
            return cls(path.name, mapping, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)

    @classmethod
    def attach(cls, name: str | int, *, folder: Path = FOLDER) -> Self:
        """Map what another OS process created, for reading.

        name: its `name`, or a file descriptor of it, which stays the caller's. Raises FileNotFoundError where there is
        none of that name (any more).
        """
        if isinstance(name, int):
            path = Path(f"/proc/self/fd/{name}").readlink()
            return cls(path.name.removesuffix(" (deleted)"), _look_at(name), None)
        handle = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            return cls(name, _look_at(handle), None)
        finally:
            os.close(handle)

    def __repr__(self) -> str:
        state = "closed" if self._mapping is None else "written here" if self.is_writable else "read here"
        return f"<Region {self.name}: {self.size} bytes, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @cached_property
    def memory(self) -> memoryview:
        """All of it, to be written by who created it. Raises ValueError after `close`."""
        return memoryview(self._open)

    @cached_property
    def windows(self) -> Windows:
        """Makes views that tell when nobody has them any more. Raises ValueError after `close`."""
        return Windows(self._open)

    @cached_property
    def generations(self) -> Generations:
        """Which blocks are in it now. Raises ValueError after `close`."""
        return Generations(self.memory)

    def open(self, descriptor: Descriptor, hold: object) -> memoryview:
        """The bytes of a block, read-only; NumPy arrays made of them are so too. Raises Gone, and ValueError.

        hold: is let go when neither they, nor any slice or array of them, is left; see `Windows.open`.
        """
        if descriptor.region != self.name:
            raise ValueError(f"a block of {descriptor.region} was looked for in {self.name}")
        if not self.generations.is_there(descriptor):
            raise Gone(descriptor)
        return self.windows.open(descriptor.offset, descriptor.size, hold).toreadonly()

    def release(self, start: int, size: int) -> None:
        """Give this part back to the system: it is nobody's until `reserve`, and zeros after that.

        start: bytes, at a page. Whoever has attached the region keeps it mapped, and must not look there meanwhile.
        """
        self._open.madvise(MADV_REMOVE, start, size)

    def reserve(self) -> None:
        """Have all of it again, after `release`. Raises NoSharedMemory; FileNotFoundError where it was swept."""
        path = self._path
        if path is None:
            raise ValueError(f"region {self.name} is not open for writing here")
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _reserve(handle, self.size, path.parent)
        finally:
            os.close(handle)

    @property
    def _open(self) -> mmap:
        if self._mapping is None:
            raise ValueError(f"region {self.name} is closed")
        return self._mapping

    def close(self) -> None:
        """Let go of it; who created it takes its name away too. Views that somebody still has stay good."""
        self._mapping = None
        if "generations" in self.__dict__:
            self.generations.close()
        if "memory" in self.__dict__:
            with suppress(BufferError):  # somebody has a view of just this one
                self.memory.release()
        for made in ("memory", "windows", "generations"):
            self.__dict__.pop(made, None)
        if self._path is not None:
            with suppress(FileNotFoundError):  # it was swept
                self._path.unlink()
            self._path = None


def _make(path: Path) -> int:
    """A new file; the lock on it tells a sweep that its maker lives, also one of another PID namespace."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # it was swept before the lock was on it


def _reserve(handle: int, size: int, folder: Path) -> None:
    """Not by ftruncate, which succeeds always, and whoever touches what is not there is killed by SIGBUS."""
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        space = os.statvfs(folder)
        raise NoSharedMemory(str(folder), size, space.f_bavail * space.f_frsize) from error


def _map_in(mapping: mmap) -> None:
    """The first part of it, where the first blocks will lie: else a frame of 6 MB takes 1.5 ms more, once a place.

    Not all of it: 0.4 s per GB are a long start, and room that was given back is taken first, so that most of a large
    region is never touched.
    """
    with suppress(OSError):  # an older system, where it comes in as it is touched
        mapping.madvise(_MADV_POPULATE_WRITE, 0, min(len(mapping), _AT_ONCE))


def _look_at(handle: int) -> mmap:
    """Mapped in as it is looked at: 0.4 ms for each frame of 6 MB the first time, not 100 ms for 400 MB at once."""
    return mmap(handle, os.fstat(handle).st_size, flags=MAP_SHARED, prot=PROT_READ)
