"""The headers of a batch as columns: most batches pass through without anybody looking at a single header.

Knows nothing of how they travel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from math import inf
from operator import is_
from typing import Any, Final, final, overload

from streampy.model.item import NO_META, Header

_new: Final = tuple.__new__
"""Makes a header in half the time that its own `__new__` takes, which is written in Python."""
Columns = tuple[
    str | Sequence[str],
    Sequence[int],
    float | Sequence[float],
    Sequence[tuple[int, ...]] | None,
    Sequence[float] | None,
    Sequence[dict[str, Any] | None] | None,
]
"""Streams, numbers, births, paths, deadlines, metas. Where the stream or the birth of all is the same it is that one
value, numbers that follow each other are a range, and None stands for what no item has. All of it can be pickled."""


@final
class Headers(Sequence[Header]):
    """Headers that are only made when somebody asks for them: reads as a list of them. Immutable."""

    __slots__ = ("columns",)

    def __init__(self, columns: Columns) -> None:
        self.columns: Final = columns

    @classmethod
    def of(cls, headers: Sequence[Header]) -> Headers:
        """The same headers, of which there must be one at least."""
        if type(headers) is Headers:
            return headers
        streams, seqs, borns, paths, deadlines, metas = zip(*headers, strict=True)
        has_meta = not all(map(is_, metas, repeat(NO_META)))
        return cls(
            (
                streams[0] if streams.count(streams[0]) == len(streams) else list(streams),
                span if seqs == tuple(span := range(seqs[0], seqs[0] + len(seqs))) else seqs,
                borns[0] if borns.count(borns[0]) == len(borns) else borns,
                paths if any(paths) else None,
                deadlines if min(deadlines) < inf else None,
                [None if meta is NO_META else {**meta} for meta in metas] if has_meta else None,
            )
        )

    @classmethod
    def born_at_once(cls, stream: str, seqs: range, born: float) -> Headers:
        """Of items that a source emits together."""
        return cls((stream, seqs, born, None, None, None))

    @property
    def stream(self) -> str | None:
        """The one that all come from; None where there are several."""
        stream = self.columns[0]
        return stream if isinstance(stream, str) else None

    @property
    def borns(self) -> float | Sequence[float]:
        """When each was born (seconds), or when all were at once."""
        return self.columns[2]

    @property
    def deadlines(self) -> Sequence[float]:
        """Of each (seconds); empty where none has one."""
        return self.columns[4] or ()

    def __len__(self) -> int:
        return len(self.columns[1])

    def __iter__(self) -> Iterator[Header]:
        return map(_new, repeat(Header), self._rows())

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        streams, seqs, borns, paths, deadlines, metas = self.columns
        return zip(
            repeat(streams) if isinstance(streams, str) else streams,
            seqs,
            borns if isinstance(borns, Sequence) else repeat(borns),
            repeat(()) if paths is None else paths,
            repeat(inf) if deadlines is None else deadlines,
            repeat(NO_META) if metas is None else [NO_META if meta is None else meta for meta in metas],
            strict=False,
        )

    @overload
    def __getitem__(self, index: int) -> Header: ...
    @overload
    def __getitem__(self, index: slice) -> Headers: ...
    def __getitem__(self, index: int | slice) -> Header | Headers:
        if isinstance(index, slice):
            return self._slice(index)
        streams, seqs, borns, paths, deadlines, metas = self.columns
        stream = streams if isinstance(streams, str) else streams[index]
        born = borns[index] if isinstance(borns, Sequence) else borns
        meta = None if metas is None else metas[index]
        return Header(
            stream,
            seqs[index],
            born,
            () if paths is None else paths[index],
            inf if deadlines is None else deadlines[index],
            NO_META if meta is None else meta,
        )

    def _slice(self, index: slice) -> Headers:
        if index.start in (None, 0) and index.step is None and (index.stop is None or index.stop >= len(self)):
            return self
        streams, seqs, borns, paths, deadlines, metas = self.columns
        return Headers(
            (
                streams if isinstance(streams, str) else streams[index],
                seqs[index],
                borns[index] if isinstance(borns, Sequence) else borns,
                paths and paths[index],
                deadlines and deadlines[index],
                metas and _some(metas[index]),
            )
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers | list):
            return len(self) == len(other) and [*self] == [*other]
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __add__(self, other: Iterable[Header]) -> list[Header]:
        return [*self, *other]

    def __radd__(self, other: Iterable[Header]) -> list[Header]:
        return [*other, *self]

    def __repr__(self) -> str:
        return repr([*self])


def _some(metas: Sequence[dict[str, Any] | None]) -> Sequence[dict[str, Any] | None] | None:
    """A part of a column; None where nothing is in it."""
    return None if metas.count(None) == len(metas) else metas


def have_deadlines(headers: Sequence[Header]) -> bool:
    """Whether any of them has one."""
    if type(headers) is Headers:
        return headers.columns[4] is not None
    return any(header.deadline < inf for header in headers)


def joined(parts: Sequence[Sequence[Header]]) -> Sequence[Header]:
    """Those of several batches, in their order."""
    if len(parts) == 1:
        return parts[0]
    columns = [part.columns for part in parts if type(part) is Headers]
    if not columns or len(columns) < len(parts):
        return [*chain(*parts)]
    streams, seqs, borns, paths, deadlines, metas = zip(*columns, strict=True)
    is_of_one = isinstance(streams[0], str) and streams.count(streams[0]) == len(streams)
    if not is_of_one or any(column is not None for column in chain(paths, deadlines)):
        return [*chain(*parts)]
    return Headers((streams[0], _run_on(seqs), _all_borns(borns, seqs), None, None, _all_metas(metas, seqs)))


def _run_on(seqs: Sequence[Sequence[int]]) -> Sequence[int]:
    """The numbers of several batches, as a range where they follow each other."""
    spans = [one for one in seqs if isinstance(one, range) and one.step == 1]
    if len(spans) < len(seqs) or any(one.stop != another.start for one, another in pairwise(spans)):
        return [*chain(*seqs)]
    return range(spans[0].start, spans[-1].stop)


def _all_metas(
    metas: Sequence[Sequence[dict[str, Any] | None] | None], seqs: Sequence[Sequence[int]]
) -> Sequence[dict[str, Any] | None] | None:
    """Those of several batches; few items have any, such as those that are traced."""
    if metas.count(None) == len(metas):
        return None
    return [
        *chain.from_iterable(
            repeat(None, len(some)) if one is None else one for one, some in zip(metas, seqs, strict=True)
        )
    ]


def _all_borns(borns: Sequence[float | Sequence[float]], seqs: Sequence[Sequence[int]]) -> float | Sequence[float]:
    if borns.count(borns[0]) == len(borns) and not isinstance(borns[0], Sequence):
        return borns[0]
    return [
        *chain.from_iterable(
            one if isinstance(one, Sequence) else repeat(one, len(some)) for one, some in zip(borns, seqs, strict=True)
        )
    ]
