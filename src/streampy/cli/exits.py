"""The exit codes of `streampy`, by name. Knows nothing of what leads to them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """What the command says to whoever started it."""

    meaning: str

    OK = 0, "all went well; also after SIGTERM, when everything was drained"
    FAILED = 1, "a unit raised, and its on_error says stop"
    USAGE = 2, "the command line can't be understood"
    PROCESS = 3, "a process can't be started as it is described"
    HUNG = 4, "a worker did not come back in time"
    DIED = 5, "a worker died, or too many did and were replaced before"
    BUG = 70, "a mistake in StreamPy itself"
    INTERRUPTED = 130, "Ctrl-C: drained and stopped; at the second one killed at once"

    def __new__(cls, code: int, meaning: str) -> Self:
        """Give each code its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


def exit_codes() -> str:
    """The table for `--help`."""
    return "exit codes:\n" + "\n".join(f"  {code.value:>3}  {code.name:<12} {code.meaning}" for code in Exit)
