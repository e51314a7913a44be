"""Views of shared memory that keep something alive as long as anybody has them, or an array made of them.

Knows nothing of blocks. A memoryview can't do this: what is made of it (a slice, an array) holds the memory, but not
the memoryview, so nobody learns when the last of them is gone.
"""

from __future__ import annotations

import ctypes
import sys
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any, ClassVar, final

if TYPE_CHECKING:
    from mmap import mmap


class Window:
    """What all that is made of a view holds in the end. A ctypes array too, as long as the mapping."""

    keep: Any
    mapping: mmap


@final
class Windows:
    """Makes views of a mapping."""

    def __init__(self, mapping: mmap) -> None:
        self.address = address_of(mapping)
        """Where the mapping begins in this OS process."""
        self.size = len(mapping)
        self._mapping = mapping
        self._is_writable = not memoryview(mapping).readonly
        self._window: Any = type(
            "MappedWindow", (Window, ctypes.Array), {"_type_": ctypes.c_ubyte, "_length_": self.size}
        )

    def open(self, start: int, size: int, keep: object) -> memoryview:
        """A view of so many bytes; `keep` is let go when neither it, nor any slice or array of it, is left.

        That happens in whatever thread drops the last of them, at any moment, also amid a collection of garbage: what
        `keep` does in its `__del__` must take no lock that its thread may hold.
        """
        window = self._window.from_address(self.address)
        window.keep = keep
        window.mapping = self._mapping
        view = PickleBuffer(window).raw()[start : start + size]
        return view if self._is_writable else view.toreadonly()


def kept_by(memory: memoryview) -> tuple[Any, int] | None:
    """Of a view that `Windows.open` made, or an array of it: what it keeps, and where in the mapping this begins.

    Found by asking each whose memory it is: NumPy arrays and memoryviews tell, Arrow buffers don't.
    """
    arrays = getattr(sys.modules.get("numpy"), "ndarray", ())
    owner: Any = memory.obj
    while True:
        if isinstance(owner, arrays):
            owner = owner.base
        elif isinstance(owner, memoryview):
            owner = owner.obj
        else:
            break
    if not isinstance(owner, Window):
        return None
    window: Any = owner
    return window.keep, address_of(memory) - ctypes.addressof(window)


def address_of(memory: object) -> int:
    """Where contiguous memory begins in this OS process; memory is anything that gives a buffer, read-only ones too."""
    found = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(memory), ctypes.byref(found), _SIMPLE)
    try:
        return int(found.buf or 0)
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(found))


_SIMPLE = 0
"""PyBUF_SIMPLE: contiguous bytes, perhaps read-only."""


class _Buffer(ctypes.Structure):
    """CPython's Py_buffer, part of its stable interface since 3.11."""

    _fields_: ClassVar = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]
