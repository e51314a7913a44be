"""What a traced item carries in its `meta`, by which every OS process knows that it is traced, and as part of what.

Pure. It is W3C trace context, so a unit may pass it on to any other service, and a source may take it from one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import repeat
from operator import is_, itemgetter
from random import getrandbits
from typing import Any, Final, NamedTuple

from streampy.model.headers import Headers
from streampy.model.item import NO_META, TRACE, Header

PARENT, STATE = TRACE
_SENT: Final = "streampy=sent:"
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_meta: Final = itemgetter(Header._fields.index("meta"))


class Context(NamedTuple):
    """Of one traced item, as it came."""

    trace: str
    """32 hexadecimal digits."""
    parent: str
    """16 hexadecimal digits: the span that sent it; "" where there is none."""
    sent: float | None
    """Its age when that sent it (seconds): how old it is means the same on all machines."""


def new_span() -> int:
    """One that is nobody else's."""
    return getrandbits(64) or 1


def as_span(number: int) -> str:
    """As it is written."""
    return f"{number:016x}"


def trace_of(home: str, header: Header) -> str:
    """The trace of an item: every OS process finds the same one. home: where streams without another home began."""
    stream, at, elsewhere = header.stream.partition("@")
    name = f"{elsewhere if at else home}/{stream}/{header.seq}"
    return blake2b(name.encode(), digest_size=16).hexdigest()


def read(meta: Mapping[str, Any]) -> Context | None:
    """What an item carries; None where it is not traced, or it can't be read: that may come from anywhere."""
    found = _TRACEPARENT.fullmatch(str(meta.get(PARENT, "")))
    if found is None or not int(found[3], 16) & 1:
        return None
    state = str(meta.get(STATE, ""))
    try:
        sent = float(state[len(_SENT) :]) if state.startswith(_SENT) else None
    except ValueError:
        sent = None
    return Context(found[1], found[2], sent)


def written(trace: str, span: str, age: float) -> dict[str, str]:
    """For the `meta` of an item that a span sends."""
    return {PARENT: f"00-{trace}-{span}-01", STATE: f"{_SENT}{age:.6f}"}


def marked(headers: Sequence[Header]) -> list[int]:
    """Which of them carry something of a trace; most batches are done after one look."""
    if type(headers) is Headers:
        metas = headers.columns[5]
        if metas is None:
            return []
        return [at for at, meta in enumerate(metas) if meta is not None and PARENT in meta]
    if all(map(is_, map(_meta, headers), repeat(NO_META))):  # in C, which takes half the time
        return []
    return [at for at, header in enumerate(headers) if PARENT in header.meta]
