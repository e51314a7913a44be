"""The marks of what has parts, and of bytes that lie apart: the words of the codec beside those of msgpack.

Knows nothing of how they are written or read.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgpack import ExtType


class Mark(IntEnum):
    """The only key of a map, which says what its value is to become. 1 to 31 are the codes of `scalars`."""

    TUPLE = 32
    SET = 33
    FROZENSET = 34
    ITEM = 35
    """Value, and the columns of one header."""
    ARRAY = 36
    SCALAR = 37
    TABLE = 38
    RECORD_BATCH = 39
    NAMED = 40
    """With the name of a registered class."""


APART: Final = 48
"""Bytes that lie in a buffer: its number, u16."""
KEYS: Final = {mark: ExtType(mark, b"") for mark in Mark}
"""As msgpack is given them; NAMED is made for each name."""
LARGE: Final = 1 << 13
"""Bytes from which on they go into a buffer of their own: below, copying them costs less than one more piece."""
