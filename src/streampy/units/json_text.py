"""Values as JSON text.

Knows nothing of files and sockets.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from streampy.units.rows import as_row


def to_json(value: Any, unit: str) -> str:
    """Give one line of JSON, without its end.

    Dataclasses and a value that is a named tuple become objects; NumPy arrays and sets lists, times ISO 8601, paths
    text. Bytes, nan and inf have no word in JSON.

    Args:
        value: what units give.
        unit: the name of the asking unit, for the error.

    Raises:
        TypeError: JSON has no word for it.
        ValueError: a number is nan or inf, or the value holds itself.

    >>> to_json({"path": Path("a.png"), "sizes": {2, 1}}, "Print")
    '{"path": "a.png", "sizes": [1, 2]}'

    """

    def plain(one: Any) -> Any:
        try:
            return _plain(one)
        except TypeError:
            raise TypeError(f"{unit}: JSON has no word for {type(one).__name__}: use Map before it") from None

    return json.dumps(_named(value), default=plain, ensure_ascii=False, allow_nan=False)


def _named(value: Any) -> Any:
    """A named tuple as an object: the encoder takes it for a list, and asks nobody."""
    if isinstance(value, tuple):
        return {name: _named(one) for name, one in as_row(value).items()} if hasattr(value, "_asdict") else value
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "tolist"):  # of NumPy, without importing it
        return value.tolist()
    return as_row(value)
