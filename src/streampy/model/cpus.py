"""Which CPUs a worker may use, as people write them: `[0, 1]`, `"0-3,8"`, or a list of such for each worker.

Knows nothing of the CPUs that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Cpus = tuple[int, ...] | tuple[tuple[int, ...], ...]
"""Of all workers, or for each worker its own; empty: all that there are."""

_EXPECTED = 'CPUs such as [0, 1] or "0-3", or for each worker such a list: [[0, 1], [2, 3]]'
_MOST = 4096
"""CPUs that Linux can number at the most, as it is built everywhere; a slip of the finger asks for more."""
_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


def parse_cpus(value: object) -> Cpus:
    """Numbers from a list or from text, in order, each once. Raises ValueError, with what was got and expected."""
    if isinstance(value, list | tuple) and value and all(map(_is_several, value)):
        return tuple(map(_numbers, value))
    return _numbers(value) if value != () else ()


def cpus_of(cpus: Cpus, index: int) -> tuple[int, ...]:
    """Those of one worker."""
    several = each_cpus(cpus)
    if several:
        return several[index] if index < len(several) else ()
    return tuple(number for number in cpus if isinstance(number, int))


def each_cpus(cpus: Cpus) -> tuple[tuple[int, ...], ...]:
    """Those of each worker; empty where all have the same."""
    return tuple(one for one in cpus if isinstance(one, tuple))


def format_cpus(cpus: Cpus) -> str:
    """As Linux writes it: `0-3,8`; those of several workers one after the other."""
    several = each_cpus(cpus)
    return " | ".join(map(_ranges, several)) if several else _ranges(cpus_of(cpus, 0))


def _is_several(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and not value.strip().isdecimal())


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        return tuple(sorted(set(_read(value))))
    if not value:
        raise ValueError(f"got an empty list, expected {_EXPECTED}")
    return tuple(sorted({number for piece in value for number in _read(piece)}))


def _read(piece: object) -> Iterable[int]:
    if isinstance(piece, int) and not isinstance(piece, bool) and piece >= 0:
        return [piece]
    if isinstance(piece, str):
        matches = [_RANGE.fullmatch(part) for part in piece.split(",")]
        ends = [(int(match[1]), int(match[2] or match[1])) for match in matches if match]
        if len(ends) == len(matches) and all(first <= last < _MOST for first, last in ends):
            return [number for first, last in ends for number in range(first, last + 1)]
    raise ValueError(f"got {piece!r}, expected {_EXPECTED}")


def _ranges(numbers: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
