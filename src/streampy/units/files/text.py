"""Opening and counting text files: one place that says what is missing.

Knows nothing of what is in them.
"""

from pathlib import Path
from typing import IO

import streampy as sp

_CHUNK = 1 << 20
_COUNTED = 1 << 28
"""Bytes up to which lines are counted beforehand: 0.1 s."""


def open_to_read(path: Path, unit: str, encoding: str) -> IO[str]:
    """Open a file; line ends stay as they are. Raises FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"{unit}: no file at {path}")
    return path.open(encoding=encoding, newline="")


def open_to_write(path: Path, unit: str, *, append: bool) -> IO[str]:
    """Open a file, and make its folder; what is written is handed to the system line by line.

    Raises:
        ValueError: the unit has several workers: they would write over each other.

    """
    check_alone(unit, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a" if append else "w", encoding="utf-8", newline="", buffering=1)


def check_alone(unit: str, path: Path) -> None:
    """Raise ValueError where several workers would write to one file."""
    if sp.worker().count > 1:
        raise ValueError(f"{unit}: {sp.worker().count} workers can't write to one {path}: set `workers: 1`")


def count_lines(path: Path, *, none_with: bytes = b"") -> int | None:
    """Count the lines; None where the file is too large for that, is no plain file, or has `none_with` in it."""
    if not path.is_file() or path.stat().st_size > _COUNTED:
        return None
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if none_with and none_with in chunk:
                return None
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")
