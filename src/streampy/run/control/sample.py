"""Looks at regular times which functions the threads of workers are in, for some seconds.

Knows nothing of units: threads are known by their names. It costs one look at all frames of the OS process each time.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future
from threading import Event, Thread
from threading import enumerate as living_threads
from time import monotonic
from types import FrameType
from typing import Any, Final

_DEEPEST: Final = 60
"""Functions of a stack that are told."""


def sample_threads(names: Collection[str], seconds: float, interval: float) -> Future[dict[str, Any]]:
    """How often each stack was seen: `samples`, `seconds`, and `stacks` by `outermost;...;innermost`."""
    answer: Future[dict[str, Any]] = Future()

    def look() -> None:
        try:
            answer.set_result(_sample(names, seconds, interval))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=look, name="streampy profile", daemon=True).start()
    return answer


def _sample(names: Collection[str], seconds: float, interval: float) -> dict[str, Any]:
    stacks: Counter[str] = Counter()
    began = monotonic()
    samples, never = 0, Event()
    while monotonic() < began + seconds:
        idents = [thread.ident for thread in living_threads() if thread.name in names and thread.ident is not None]
        frames = sys._current_frames()
        stacks.update(stack_of(frames[ident]) for ident in idents if ident in frames)
        del frames
        samples += 1
        never.wait(min(interval, max(0.0, began + seconds - monotonic())))
    return {"samples": samples, "seconds": monotonic() - began, "stacks": dict(stacks)}


def stack_of(frame: FrameType | None) -> str:
    """The functions that it is in, the outermost first, without those that are StreamPy's own around the unit's."""
    names: list[str] = []
    while frame is not None and len(names) < _DEEPEST:
        names.append(f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    names.reverse()
    theirs = next((at for at, name in enumerate(names) if not name.startswith(_OURS)), None)
    return ";".join(["(waits)", *names[-1:]] if theirs is None else names[theirs:])


_OURS: Final = ("streampy.run", "streampy.pipes", "streampy.flow", "threading:", "asyncio.", "selectors:")
