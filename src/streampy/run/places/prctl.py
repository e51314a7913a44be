"""Two things that only Linux's `prctl` can do: die together with the parent, and bear a readable name.

Knows nothing of who the parent is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

_PDEATHSIG: Final = 1
_NAME: Final = 15
_LONGEST: Final = 15
"""Bytes of a name that the kernel keeps."""


def die_with(parent: int) -> None:
    """From now on the kernel kills this OS process when the thread that forked it ends; `parent` is that one's pid.

    Where it has ended already, this does not return.
    """
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def set_title(name: str) -> None:
    """Be `name` in `top` and `ps`: whole where `setproctitle` is installed, else shortened to 15 bytes."""
    short = ctypes.create_string_buffer(_shorten(name))
    _prctl(_NAME, ctypes.addressof(short))
    with suppress(ImportError):
        import_module("setproctitle").setproctitle(f"streampy {name}")


def _shorten(name: str) -> bytes:
    """What fits; the number of the worker stays, for it tells more than the last letters of the name."""
    head, mark, number = name.partition("#")
    tail = (mark + number).encode()
    return head.encode()[: max(0, _LONGEST - len(tail))].decode(errors="ignore").encode() + tail


def _prctl(option: int, value: int) -> None:
    call = ctypes.CDLL(None, use_errno=True).prctl
    call.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if call(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}) failed on {sys.platform}: {os.strerror(number)}")
