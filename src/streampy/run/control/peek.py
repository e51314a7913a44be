"""Looks at the last items of a pipe, for a moment, in the OS process where its reader lives.

Knows nothing of who looks. A pipe at which nobody looks pays one look at an empty tuple for each batch.
"""

from __future__ import annotations

import reprlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from math import isfinite
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from streampy.model.annotations import type_name
from streampy.run.places.opened import opened

if TYPE_CHECKING:
    from streampy.model.item import Batch, Header
    from streampy.run.inlet import Inlet

MOST: Final = 100
"""Items."""
_TEXT: Final = 500
"""Characters of a value."""
_CHANNELS: Final = 3
_PREVIEW: Final = 480
"""Pixels of the longer side of a picture."""
_QUALITY: Final = 70


def peek_at(inlet: Inlet, port: str, count: int, wait: float, *, preview: bool) -> Future[list[dict[str, Any]]]:
    """The last `count` items of a pipe, as JSON has them; in the end those that came within `wait` seconds.

    port: "" for the only one. preview: whether pictures are shown. A thread waits and describes; what is seen is not
    copied before, so a unit that changes what it was given may be quicker.
    """
    answer: Future[list[dict[str, Any]]] = Future()

    def look() -> None:
        try:
            answer.set_result(_look(inlet, port or next(iter(inlet.pipes)), count, wait, preview=preview))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=look, name="streampy peek", daemon=True).start()
    return answer


def _look(inlet: Inlet, port: str, count: int, wait: float, *, preview: bool) -> list[dict[str, Any]]:
    seen: deque[tuple[Header, Any]] = deque(maxlen=count)
    is_enough = Event()
    came = 0

    def tap(where: str, batch: Batch[Any]) -> None:
        nonlocal came
        if where == port and batch:
            came += len(batch)
            seen.extend(list(zip(batch.headers[-count:], batch[-count:], strict=True)))
            if came >= count:
                is_enough.set()

    batcher = inlet.pipes[port].batcher
    with inlet.lock:
        waiting = batcher.newest(count)
        if len(waiting) < count:
            inlet.taps = (*inlet.taps, tap)
    if len(waiting) < count:
        is_enough.wait(wait)
        with inlet.lock:
            inlet.taps = tuple(one for one in inlet.taps if one is not tap)
            waiting = batcher.newest(count)
    is_waiting = [False] * len(seen) + [True] * len(waiting)
    found = list(zip([*seen, *waiting], is_waiting, strict=True))[-count:]
    return [_describe(header, value, waits=waits, preview=preview) for (header, value), waits in found]


def _describe(header: Header, value: Any, *, waits: bool, preview: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": header.key,
        "stream": header.stream,
        "seq": header.seq,
        "path": list(header.path),
        "age": max(0.0, monotonic() - header.born),
        "waiting": waits,
        "meta": {str(name): _meta(one) for name, one in header.meta.items()},
    }
    try:
        return told | describe_value(opened(value), preview=preview)
    except Exception as error:  # its block was given back meanwhile, or its own `repr` raises
        gone = {"type": type(value).__name__, "shape": None, "dtype": None, "bytes": None, "preview": None}
        return told | gone | {"repr": f"can't be shown: {type(error).__name__}: {error}"[:_TEXT]}


def _meta(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else reprlib.repr(value)[:_TEXT]


def describe_value(value: Any, *, preview: bool) -> dict[str, Any]:
    """Type, shape, dtype, bytes, a short text, and of a picture (H, W, 3 of uint8, BGR) a JPEG."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    shape, dtype, size = getattr(value, "shape", None), getattr(value, "dtype", None), getattr(value, "nbytes", None)
    return {
        "type": type_name(kind) if module == "builtins" else f"{module}.{type_name(kind)}",
        "shape": [int(side) for side in shape] if isinstance(shape, Sequence) else None,
        "dtype": None if dtype is None else str(dtype),
        "bytes": int(size) if isinstance(size, int) else None,
        "repr": _text(value, shape, dtype),
        "preview": picture(value) if preview else None,
    }


def _text(value: Any, shape: Any, dtype: Any) -> str:
    if shape is not None and dtype is not None:
        return f"{'x'.join(map(str, shape)) or 'scalar'} of {dtype}"
    return reprlib.repr(value)[:_TEXT]


def picture(value: Any) -> dict[str, str] | None:
    """A small JPEG of a picture, or of the one in a value's `image`, `frame` or `pixels`; None where there is none."""
    pixels = next((found for found in (value, *_parts(value)) if _is_picture(found)), None)
    if pixels is None:
        return None
    with suppress(ImportError):
        from base64 import b64encode  # noqa: PLC0415 - as above

        import cv2  # noqa: PLC0415 - many have none, and it takes long

        scale = _PREVIEW / max(pixels.shape[:2])
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
        is_made, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if is_made:
            return {"mime": "image/jpeg", "base64": b64encode(jpeg.tobytes()).decode()}
    return None


def _parts(value: Any) -> list[Any]:
    return [getattr(value, name, None) for name in ("image", "frame", "pixels")]


def _is_picture(value: Any) -> bool:
    shape = getattr(value, "shape", None)
    is_large = isinstance(shape, tuple) and len(shape) == _CHANNELS and shape[2] == _CHANNELS and min(shape) > 0
    return is_large and str(getattr(value, "dtype", "")) == "uint8"
