"""The folder in which the running segments of one user have their sockets: which it is, who is there, who is gone.

Knows nothing of what is said on them. Nobody but the user may read or write there; where that can't be had, it is not
used.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from streampy.errors import StreamPyError

_SUFFIX: Final = ".sock"
_NAME: Final = re.compile(r"(?P<process>[\w-]*)\.(?P<segment>[\w-]*)\.(?P<replica>\d+)\.(?P<pid>\d+)-(?P<number>\d+)")
_ODD: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST: Final = 107
"""Bytes that the path of a socket may have: `sun_path` has 108, the last of which is 0."""
_LONGEST_NAME: Final = 20
"""Characters of the name of a process, or of a segment, that go into that of the socket."""
_ROOM: Final = 2 * _LONGEST_NAME + 30
"""What the name of a socket takes at the most."""
_PRIVATE: Final = 0o700
_WAIT: Final = 0.5
"""Seconds in which a living one accepts."""


class Unsafe(StreamPyError):
    """The folder is not the user's own, so that others could listen in, or answer in a segment's place."""


class Found(NamedTuple):
    """A socket that somebody listens at."""

    id: str
    """The name of the socket, which is safe in a URL."""
    path: Path
    process: str
    """As it stands in the name of the socket: shortened, and without odd characters. The whole name is in `hello`."""
    segment: str
    replica: int
    pid: int


def folder() -> Path:
    """`$STREAMPY_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/streampy`, else `/tmp/streampy-UID`; it need not be there."""
    told = os.environ.get("STREAMPY_RUNTIME_DIR")
    if told:
        return Path(told)
    of_user = os.environ.get("XDG_RUNTIME_DIR")
    if of_user and _fits(Path(of_user) / "streampy") and Path(of_user).is_dir():
        return Path(of_user) / "streampy"
    return Path(f"/tmp/streampy-{os.getuid()}")  # noqa: S108 - it is checked to be the user's own


def _fits(where: Path) -> bool:
    return len(os.fsencode(where)) + 1 + _ROOM <= _LONGEST


def make_folder() -> Path:
    """The folder, made where it was not there. Raises Unsafe, or OSError where it can't be made."""
    where = folder()
    if not _fits(where):
        raise Unsafe(
            f"{where} is too long for a socket in it: got {len(os.fsencode(where))} bytes, "
            f"expected at most {_LONGEST - _ROOM - 1}; set STREAMPY_RUNTIME_DIR to a shorter one"
        )
    with suppress(FileExistsError):
        where.mkdir(mode=_PRIVATE)
    check(where)
    return where


def check(where: Path) -> None:
    """Raises Unsafe where anybody else could have a hand in a folder; OSError where it is none."""
    found = where.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise Unsafe(f"{where} is no folder: remove it, or set STREAMPY_RUNTIME_DIR")
    if found.st_uid != os.getuid():
        raise Unsafe(f"{where} belongs to user {found.st_uid}, not to {os.getuid()}: set STREAMPY_RUNTIME_DIR")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Unsafe(
            f"others may look into {where} (mode {stat.S_IMODE(found.st_mode):o}): `chmod 700 {where}`, "
            f"or set STREAMPY_RUNTIME_DIR"
        )


def name_of(process: str, segment: str, replica: int, number: int) -> str:
    """The name of the socket of a segment that runs in this OS process; number: of the run in it."""
    return f"{_plain(process)}.{_plain(segment)}.{replica}.{os.getpid()}-{number}"


def _plain(name: str) -> str:
    return _ODD.sub("_", name)[:_LONGEST_NAME]


def listen(name: str) -> tuple[socket.socket, Path]:
    """A socket of that name, which listens when it is seen at the path. Raises Unsafe, or OSError."""
    where = make_folder()
    path, hidden = where / f"{name}{_SUFFIX}", where / f".{name}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        hidden.unlink(missing_ok=True)
        listening.bind(str(hidden))
        hidden.chmod(0o600)
        listening.listen(128)
        hidden.rename(path)  # only now, or whoever looks would take it for one that nobody listens at
    except BaseException:
        listening.close()
        hidden.unlink(missing_ok=True)
        raise
    return listening, path


def remove_mine() -> None:
    """Take those of this OS process away, which is about to end at once."""
    with suppress(OSError):
        for path in folder().glob(f"*.{os.getpid()}-*{_SUFFIX}"):
            path.unlink(missing_ok=True)


def find(known: Collection[str] = ()) -> list[Found]:
    """Who is there, by name. What nobody listens at any more is taken away. Raises Unsafe.

    known: the ids of those of whom it is known that they live, so that they need not be asked.
    """
    where = folder()
    if not where.exists():
        return []
    check(where)
    found = []
    for path in sorted(where.glob(f"*{_SUFFIX}")):
        parts = _NAME.fullmatch(path.name.removesuffix(_SUFFIX))
        if parts is not None and (parts[0] in known or _is_alive(path)):
            found.append(
                Found(parts[0], path, parts["process"], parts["segment"], int(parts["replica"]), int(parts["pid"]))
            )
    return found


def _is_alive(path: Path) -> bool:
    """Whether somebody listens. By the socket and not by the pid: another container has pids of its own."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_WAIT)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except OSError:  # it went just now, or is too busy to accept
            return path.exists()
    return True
