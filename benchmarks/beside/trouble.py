"""W5 and W6: a sink that is too slow, a unit that raises, an OS process that is killed, and Ctrl-C.

Knows nothing of the peers.
"""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Iterator, Sequence

from beside.catalogue import Way
from beside.figures import Column, Row, Sheet
from beside.job import BROKEN
from beside.one import Found
from beside.turns import Turns
from beside.works import PLACES

_PAUSE = 0.003
"""Seconds that the slow sink takes for each frame."""
_RATE = 200.0
"""Items a second of what is going to fail."""
_AT = 50
"""The item with which the unit raises."""
_LONG = 120.0
"""Seconds for which the source has items: longer than any limit."""


def overload(turns: Turns) -> Iterator[Sheet]:
    """W5. Frames as fast as possible into a sink that pauses for each, with what each peer has by default."""
    count = turns.extent.overload
    for place, where in PLACES.items():
        found = turns.take(
            "W5", place, rounds=1, look=0.1, item="small frame", does="pass_on", units=1, count=count,
            seconds=_LONG, pause=_PAUSE, defaults=True, limit=20.0 + 4 * count * _PAUSE,
        )  # fmt: skip
        columns = (
            Column("ahead", "at most under way", ",.0f"),
            Column("peak", "PSS MB", ",.0f"),
            Column("sent", "sent", ",.0f"),
            Column("arrived", "arrived", ",.0f"),
            Column("told", "told as lost", ",.0f"),
            Column("silent", "lost silently", ",.0f"),
        )
        rows = [_overloaded(way, ones, count) for way, ones in found.items()]
        note = f"{count} frames of 640x480 (0.9 MB)."
        yield Sheet(f"W5 {place}", f"a slow sink, {where}", rows, columns, note=note)


def faults(turns: Turns) -> Iterator[Sheet]:
    """W6. What becomes of a run to which something happens."""
    for place, where in PLACES.items():
        done = {
            fault: turns.take(
                f"W6 {fault}",
                place,
                rounds=1,
                fault=fault,
                units=3,
                rate=_RATE,
                seconds=_LONG,
                fails_at={"raise": _AT, "kill": -2}.get(fault, -1),
                limit=turns.extent.patience,
            )
            for fault in _HEADS
            if (fault, place) != ("kill", "one")
        }
        rows = [_troubled(way, {fault: found[way] for fault, found in done.items()}) for way in done["raise"]]
        words = [_HEADS[fault] for fault in done] + ["OS processes left"]
        note = f"Seconds until all had ended; after {turns.extent.patience:g} it counts as hung."
        yield Sheet(f"W6 {place}", f"trouble, {where}", rows, words=words, note=note)


_HEADS = {"raise": "a unit raises", "kill": "its OS process is killed", "interrupt": "Ctrl-C"}


def ahead(sent: Sequence[float], arrived: Sequence[tuple[float, float]]) -> int:
    """How many items at most were under way at once, of those that arrived.

    sent: when each was. arrived: when each did, and when it was made, which is just before it was sent.
    """
    came = sorted(sent[bisect_left(sent, made)] for _, made in arrived)
    return max((bisect(came, at) - number for number, (at, _) in enumerate(arrived)), default=0)


def _overloaded(way: Way, found: Sequence[Found] | str, count: int) -> Row:
    if isinstance(found, str):
        return Row(way.label, why=found)
    (one,) = found
    (arrived,) = one.arrived
    told = one.told.get("lost", 0.0)
    most, silent = ahead(one.sent, arrived), len(one.sent) - len(arrived) - told
    figures = {"ahead": most, "peak": one.peak / 1e6, "sent": len(one.sent), "arrived": len(arrived)}
    figures |= {"told": told, "silent": silent}
    lacks = [*(["a bound"] if most > count / 2 else []), *(["word of what is lost"] if silent > 0 else [])]
    return Row(way.label, {key: [value] for key, value in figures.items()}, lacks=tuple(lacks))


def _troubled(way: Way, found: dict[str, Sequence[Found] | str]) -> Row:
    words, lacks, left = {}, [], 0
    for fault, ones in found.items():
        if isinstance(ones, str):
            words[_HEADS[fault]] = f"- ({ones})"
            continue
        (one,) = ones
        words[_HEADS[fault]], lack = verdict(fault, one)
        lacks += lack
        left = max(left, one.left if one.stopped is not None else 0)
        words["OS processes left"] = str(left)
    return Row(way.label, words=words, lacks=tuple(dict.fromkeys(lacks)))


def verdict(fault: str, found: Found) -> tuple[str, list[str]]:
    """What became of it, in words, and what that shows to be missing."""
    if found.stopped is None:
        how = "goes on" if found.ran_on else "hangs"
        lack = {"raise": "an end on errors", "kill": "an end when killed", "interrupt": "an end on Ctrl-C"}[fault]
        told = _told(fault, found)
        return f"{how}, {told}" if fault != "interrupt" else how, [lack]
    if fault == "interrupt":
        return f"{found.stopped:.2f} s", []
    told = _told(fault, found)
    lacks = ["word of errors"] if told == "not told" else []
    return f"{found.stopped:.2f} s, {told}", lacks


def _told(fault: str, found: Found) -> str:
    if fault == "raise":
        return "own error" if BROKEN in found.raised else "in the log" if BROKEN in found.said else "not told"
    return "told" if found.raised else "exit code" if found.code else "not told"
