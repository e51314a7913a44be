"""Durations, sizes and rates as people write them.

Knows nothing of what they measure.
"""

from __future__ import annotations

import re
from math import inf

_SECONDS = {"": 1.0, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_PER_SECOND = {"": 1.0, "/s": 1.0, "/m": 1 / 60, "/h": 1 / 3600}
_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(/?[a-zA-Z]*)\s*")


def parse_duration(value: object) -> float:
    """Seconds from a number, or from text such as `5ms`, `2s`, `1m`; `inf` is for ever.

    Raises ValueError, with what was got and expected.
    """
    return _parse(value, _SECONDS, "a duration: seconds as a number, or text such as 5ms, 2s, 1m")


def parse_size(value: object) -> float:
    """Bytes from a number, or from text such as `64MB`, `2GiB`; `inf` is without bound.

    Raises ValueError, with what was got and expected.
    """
    return _parse(value, _BYTES, "a size: bytes as a number, or text such as 64MB, 2GiB")


def parse_rate(value: object) -> float:
    """Items a second from a number, or from text such as `10/s`, `600/m`, `5/h`; `inf` is without bound.

    Raises ValueError, with what was got and expected.
    """
    expected = "a rate: items a second as a number, or text such as 10/s, 600/m"
    rate = _parse(value, _PER_SECOND, expected)
    if not rate:
        raise ValueError(f"got {value!r}, expected {expected}, above 0")
    return rate


def format_duration(seconds: float) -> str:
    """Three digits and the fitting unit: `5.00 ms`, `2.50 s`."""
    if seconds == inf:
        return "inf"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{_three_digits(seconds / factor)} {unit}"
    return f"{_three_digits(seconds / 1e-6)} µs" if seconds else "0"


def format_size(size: float) -> str:
    """Three digits and the fitting unit: `6.22 MB`."""
    if size == inf:
        return "inf"
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{_three_digits(size / factor)} {unit}"
    return f"{size:.0f} B"


def _three_digits(number: float) -> str:
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"  # noqa: PLR2004 - digits before the point


def _parse(value: object, factors: dict[str, float] | dict[str, int], expected: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"got {value!r}, expected {expected}")  # noqa: TRY004 - one error for all that is wrong with it
    if isinstance(value, str):
        if value.strip() == "inf":
            return inf
        match = _NUMBER.fullmatch(value)
        if match is None or match[2] not in factors:
            raise ValueError(f"got {value!r}, expected {expected}")
        return float(match[1]) * factors[match[2]]
    if not value >= 0:
        raise ValueError(f"got {value!r}, expected {expected}, not below 0")
    return float(value)
