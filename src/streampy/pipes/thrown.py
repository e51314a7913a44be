"""An error on its way to another OS process: with its traceback, its cause, and what it was raised amid.

Knows nothing of how it gets there. A traceback can't be pickled. It is told frame by frame, and made anew over
there out of empty functions of these names: whatever shows it shows the lines of the files, as if it came from there.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, Final, NamedTuple

from streampy.errors import RunError, UnitFailed, WorkerDied

_OURS: Final = {kind.__name__: kind for kind in (UnitFailed, WorkerDied)}
"""Errors of the house that are made of texts alone, so that they can be made anew without a pickle."""
_NOWHERE: Final = -1
"""The instruction that a frame is at: none, so that its line is taken from the traceback."""


class Thrown(NamedTuple):
    """An error, so that it can be pickled; without `pickled` all of it is plain."""

    pickled: bytes | None
    """None where it can't be, or can't be made again."""
    ours: tuple[str, tuple[str, ...]] | None
    """Of one in `_OURS` its name and arguments."""
    said: str
    notes: list[str]
    frames: list[tuple[str, str, int]]
    """File, function and line, the outermost first."""
    cause: Thrown | None
    context: Thrown | None
    hides_context: bool
    parts: list[Thrown]
    """Of a group."""


def pack_error(error: BaseException) -> bytes:
    """See `unpack_error`."""
    return pickle.dumps(_thrown(error, frozenset(), _pickled))


def unpack_error(data: Any) -> BaseException:
    """The error, with its traceback. One that can't go to another OS process comes out as a RunError that tells it."""
    return _caught(pickle.loads(data))  # noqa: S301 - the other end of a pipe of ours


def tell_error(error: BaseException) -> Thrown:
    """See `hear_error`."""
    return _thrown(error, frozenset(), lambda _: None)


def hear_error(told: Sequence[Any]) -> BaseException:
    """The error, with its traceback, by whoever one does not trust: nothing is unpickled.

    An error of the user's comes out as a RunError that tells it. Raises TypeError or ValueError where `told` is none.
    """
    return _caught(_checked(told))


def _checked(told: Sequence[Any]) -> Thrown:
    _, ours, said, notes, frames, cause, context, hides_context, parts = told
    return Thrown(
        None,
        None if ours is None else (str(ours[0]), tuple(map(str, ours[1]))),
        str(said),
        list(map(str, notes)),
        [(str(file), str(name), int(line)) for file, name, line in frames],
        None if cause is None else _checked(cause),
        None if context is None else _checked(context),
        bool(hides_context),
        list(map(_checked, parts)),
    )


def _thrown(error: BaseException, seen: AbstractSet[int], pickled: Callable[[BaseException], bytes | None]) -> Thrown:
    known = seen | {id(error)}

    def other(one: BaseException | None) -> Thrown | None:
        return None if one is None or id(one) in known else _thrown(one, known, pickled)

    name = type(error).__name__
    return Thrown(
        pickled(error),
        (name, error.args) if type(error) is _OURS.get(name) else None,
        f"{type(error).__qualname__}: {error}",
        list(getattr(error, "__notes__", ())),
        [(frame.f_code.co_filename, frame.f_code.co_name, line) for frame, line in walk_tb(error.__traceback__)],
        other(error.__cause__),
        other(error.__context__),
        error.__suppress_context__,
        [_thrown(one, known, pickled) for one in error.exceptions] if isinstance(error, BaseExceptionGroup) else [],
    )


def _pickled(error: BaseException) -> bytes | None:
    try:
        data = pickle.dumps(error)
        pickle.loads(data)  # noqa: S301 - made a line above; many errors can be pickled and not be made again
    except Exception:  # whatever the author of the error did
        return None
    return data


def _caught(thrown: Thrown) -> BaseException:
    error = _error(thrown)
    error.__cause__ = None if thrown.cause is None else _caught(thrown.cause)
    error.__context__ = None if thrown.context is None else _caught(thrown.context)
    error.__suppress_context__ = thrown.hides_context
    return error.with_traceback(_traceback(thrown.frames))


def _error(thrown: Thrown) -> BaseException:
    try:
        if thrown.pickled is not None:
            error: BaseException = pickle.loads(thrown.pickled)  # noqa: S301 - the other end of a pipe of ours
            return error.derive(list(map(_caught, thrown.parts))) if isinstance(error, BaseExceptionGroup) else error
    except Exception:  # its class is not known here
        thrown.notes.append("its class could not be imported here")
    ours = thrown.ours
    told = RunError(thrown.said) if ours is None or ours[0] not in _OURS else _OURS[ours[0]](*ours[1])
    for note in thrown.notes:
        told.add_note(note)
    return told


def _traceback(frames: list[tuple[str, str, int]]) -> TracebackType | None:
    traceback = None
    for file, name, line in reversed(frames):
        traceback = TracebackType(traceback, _frame(file, name), _NOWHERE, line)
    return traceback


def _frame(file: str, name: str) -> FrameType:
    """One that is in a function of this name. It must run to be there, and does nothing but show itself."""
    code = compile("frame = look()", file, "exec").replace(co_name=name, co_qualname=name)
    seen: dict[str, Any] = {"look": sys._getframe}
    exec(code, seen)  # noqa: S102 - the line above
    frame: FrameType = seen["frame"]
    return frame
