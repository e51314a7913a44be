"""Takes away the regions that OS processes left which were killed.

Knows nothing of what is in them.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from streampy.memory.region import FOLDER, PREFIX

_NAME: Final = re.compile(rf"{PREFIX}(?P<pid>\d+)\.(?P<began>\d+)\.[0-9a-f]+-.+", re.DOTALL)
_STATE, _BEGAN = 0, 19
"""Which words of /proc/PID/stat, after the name of the program."""


def name_run() -> str:
    """A name for a run whose main OS process is the calling one: by it others see whether that is alive."""
    pid = os.getpid()
    return f"{pid}.{_began(pid)}.{token_hex(3)}"


def clear(run: str, *, folder: Path = FOLDER) -> list[str]:
    """Take away all that is left of a run, whoever created it; the main OS process does so when all others ended."""
    left = [path for path in sorted(folder.glob(f"{PREFIX}*")) if path.name.startswith(f"{PREFIX}{run}-")]
    for path in left:
        path.unlink(missing_ok=True)
    return [path.name for path in left]


def clear_mine(*, folder: Path = FOLDER) -> None:
    """Take away all that runs of this OS process have there, which is about to end at once, and they with it."""
    pid = os.getpid()
    for path in folder.glob(f"{PREFIX}{pid}.{_began(pid)}.*"):
        path.unlink(missing_ok=True)


def clear_arena(run: str, name: str, *, folder: Path = FOLDER) -> list[str]:
    """As `clear`, of one arena, whose OS process has ended. Whoever has attached it keeps it until they let go."""
    mine = re.compile(rf"{re.escape(f'{PREFIX}{run}-{name}')}\.\d+", re.DOTALL)
    left = [path for path in sorted(folder.glob(f"{PREFIX}*")) if mine.fullmatch(path.name)]
    for path in left:
        path.unlink(missing_ok=True)
    return [path.name for path in left]


def run_of(name: str) -> int:
    """The PID of the main OS process of the run that a file belongs to; 0 where that is dead, or it is no run's."""
    found = _NAME.fullmatch(name)
    pid = 0 if found is None else int(found["pid"])
    return pid if found is not None and _began(pid) == int(found["began"]) else 0


def sweep(*, folder: Path = FOLDER) -> list[str]:
    """Take away what is left of runs whose main OS process is dead; returns their names.

    A PID that was given to another OS process since is no mistake: the time at which it began is in the name. Runs of
    another PID namespace (containers that share the folder) look dead from here, so what a living OS process created is
    let be, whatever its name says.
    """
    return [path.name for path in sorted(folder.glob(f"{PREFIX}*")) if _is_left(path.name) and _remove(path)]


def _is_left(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and _began(int(found["pid"])) != int(found["began"])


def _remove(path: Path) -> bool:
    with suppress(OSError):  # somebody else's, or gone by now
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(
                handle, fcntl.LOCK_EX | fcntl.LOCK_NB
            )  # its creator holds it, and the system lets go for a dead one
            path.unlink()
        finally:
            os.close(handle)
        return True
    return False


def _began(pid: int) -> int:
    """When an OS process began: clock ticks since the machine did. 0 where there is none, or only its exit code."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if words[_STATE] in "ZX" else int(words[_BEGAN])
