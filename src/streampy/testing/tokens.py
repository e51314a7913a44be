"""What may stand between the values of an input in a test: time that passes, an item that is lost, the end of the run.

Knows nothing of who reads them. The set is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from streampy.model.measure import parse_duration


@final
@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes before the next value of this input comes: seconds, or `"5ms"`.

    >>> Wait("60ms")
    Wait(seconds=0.06)
    """

    seconds: float

    def __init__(self, seconds: float | str) -> None:
        object.__setattr__(self, "seconds", parse_duration(seconds))
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"Wait: got {seconds!r}, expected 0 s or more")


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """An item that ended before it came to this input: filtered away, dropped, or its unit failed on it.

    A join knows at once that it will not come: an input `T | None` is given None, without one that may be missing the
    other parts end too.
    """


@final
@dataclass(frozen=True, slots=True)
class Cancel:
    """The process is put out here, as by a second Ctrl-C or the error of another unit.

    A unit that waits for its next item is thrown out; so what its `finally` and its `stop` do can be tested.
    """
