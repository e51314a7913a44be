"""The headers of a batch as columns of plain values, and back, held against what they must be.

Knows nothing of bytes. `born` and `deadline` are seconds of the sender's clock: what these are here, who knows the
offset of the two clocks has to work out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from math import inf, isnan
from operator import is_
from typing import Any, Final

from streampy.model.item import NO_META, Header

_COLUMNS: Final = 6
_new: Final = tuple.__new__
"""Makes a header in half the time that its own `__new__` takes, which is written in Python."""


def columns_of(headers: Sequence[Header]) -> list[Any]:
    """Streams, numbers, births, paths, deadlines, metas; a column in which all are the same is that one value.

    Numbers that follow each other are the first of them; paths, deadlines and metas are None where no item has one.
    """
    if len(headers) == 1:
        stream, seq, born, path, deadline, meta = headers[0]
        return [
            stream,
            seq,
            float(born),
            [list(path)] if path else None,
            None if deadline == inf else [float(deadline)],
            None if meta is NO_META else [{**meta}],
        ]
    if not headers:
        return [[], [], [], None, None, None]
    streams, seqs, borns, paths, deadlines, metas = zip(*headers, strict=True)
    follow = seqs == tuple(range(seqs[0], seqs[0] + len(seqs)))
    return [
        streams[0] if streams.count(streams[0]) == len(streams) else list(streams),
        seqs[0] if follow else list(seqs),
        float(borns[0]) if borns.count(borns[0]) == len(borns) else list(map(float, borns)),
        list(map(list, paths)) if any(paths) else None,
        None if min(deadlines) == inf else list(map(float, deadlines)),
        None if all(map(is_, metas, repeat(NO_META))) else [None if meta is NO_META else {**meta} for meta in metas],
    ]


def headers_of(columns: Any, count: int) -> list[Header]:
    """See `columns_of`; `count` is the number of items. Raises ValueError for whatever is not of that form."""
    if type(columns) is not list or len(columns) != _COLUMNS:
        raise ValueError(f"expected {_COLUMNS} columns of headers")
    streams, seqs, borns, paths, deadlines, metas = columns
    if (count, paths, deadlines, metas) == (1, None, None, None) and [str, int, float] == list(map(type, columns[:3])):
        return [_new(Header, (streams, _natural(seqs), _time(borns), (), inf, NO_META))]  # most are that
    rows = zip(
        repeat(streams, count) if type(streams) is str else _column(streams, count, str, "stream"),
        range(_natural(seqs), seqs + count) if type(seqs) is int else map(_natural, _column(seqs, count, int, "seq")),
        repeat(_time(borns), count) if type(borns) is float else map(_time, _column(borns, count, float, "born")),
        repeat((), count) if paths is None else map(_path, _column(paths, count, list, "path")),
        repeat(inf, count) if deadlines is None else map(_time, _column(deadlines, count, float, "deadline")),
        repeat(NO_META, count) if metas is None else map(_meta, _column(metas, count, dict, "meta", or_none=True)),
        strict=True,
    )
    return list(map(_new, repeat(Header), rows))


def _column(given: Any, count: int, kind: type, name: str, *, or_none: bool = False) -> list[Any]:
    known = {kind, type(None)} if or_none else {kind}
    if type(given) is not list or len(given) != count or not known.issuperset(map(type, given)):
        raise ValueError(f"the column {name!r} of the headers is no list of {count} times {kind.__name__}")
    return given


def _natural(given: int) -> int:
    if given < 0:
        raise ValueError("the number of an item, or of a part, is 0 or more")
    return given


def _time(given: float) -> float:
    if isnan(given):
        raise ValueError("the time of an item is a number of seconds")
    return given


def _path(given: list[Any]) -> tuple[int, ...]:
    if not {int}.issuperset(map(type, given)):
        raise ValueError("a path is numbers")
    return tuple(map(_natural, given))


def _meta(given: dict[Any, Any] | None) -> Any:
    if given is None:
        return NO_META
    if not {str}.issuperset(map(type, given)):
        raise ValueError("the keys of meta are str")
    return given
