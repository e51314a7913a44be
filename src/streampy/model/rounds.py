"""Whether segments could wait for each other in a circle, each for the answer of the next one, and so for ever.

Knows nothing of units: it is told which segments send to which what began in one of them. What a segment was sent is
answered when all of that item which is there has ended. An item that goes back to a segment which waits for the answer
is part of the answer, so a circle that is entered in one place alone never closes: who is in front of it waits for all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Round(NamedTuple):
    """Segments that send to each other, and get what began elsewhere on several ways."""

    home: str
    """Where it began."""
    members: tuple[str, ...]
    entries: tuple[str, ...]
    """Those of the members that get it from outside."""


def find_round(home: str, ways: Collection[tuple[str, str]]) -> Round | None:
    """The first circle that may close. ways: who sends to whom what began in the segment `home`, or came of it."""
    return _find(home, {end for way in ways for end in way} - {home}, ways)


def _find(home: str, among: Collection[str], ways: Collection[tuple[str, str]]) -> Round | None:
    for members in _circles(among, ways):
        entries = {to for sender, to in ways if to in members and sender not in members}
        if len(entries) > 1:
            return Round(home, tuple(sorted(members)), tuple(sorted(entries)))
        found = _find(home, members - entries, ways)
        if found is not None:
            return found
    return None


def _circles(among: Collection[str], ways: Collection[tuple[str, str]]) -> list[set[str]]:
    """The largest sets in which each leads to each other one."""
    behind = {one: _behind(one, among, ways) for one in among}
    circles = [{other for other in behind[one] if one in behind[other]} for one in sorted(among)]
    return [circle for number, circle in enumerate(circles) if circle and circle not in circles[:number]]


def _behind(one: str, among: Collection[str], ways: Collection[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    new = {one}
    while new:
        new = {to for sender, to in ways if sender in new and to in among} - found
        found |= new
    return found
