"""Whether a join could wait for an item that only comes once the join has ended.

Knows nothing of what is wrong with it: it is told links, and where units live. What a segment was sent is answered when
all of that item which is there, and which it sent on to others, has ended; what goes back to who sent it goes with the
answer. So a join can't have one part of an item and wait for another one that comes of what a segment gives back which
waits for the end of this join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streampy.model.plan import Link


class Return(NamedTuple):
    """Such a join."""

    join: str
    giver: str
    """The segment that gives nothing back before the join has ended."""
    taker: str
    """The segment that waits for it."""


def find_return(
    origin: str, joins: Iterable[tuple[str, frozenset[str]]], links: Collection[Link], segment_of: Mapping[str, str]
) -> Return | None:
    """The first one, for items that begin at the unit `origin`.

    joins: units with those of their inputs that wait for each other.
    """
    ways = _Ways(origin, links, segment_of)
    segments = sorted({segment_of[unit] for unit in ways.reached} - {ways.home})
    for join, inputs in joins:
        if segment_of[join] == ways.home:
            continue
        for giver in segments:
            if not ways.holds(giver, join, inputs):
                continue
            for taker in ways.before(giver):
                if ways.returns(giver, taker, join, inputs):
                    return Return(join, giver, taker)
    return None


class _Ways:
    """Those of the items that begin at one unit."""

    def __init__(self, origin: str, links: Collection[Link], segment_of: Mapping[str, str]) -> None:
        self._origin = origin
        self._links = links
        self._segment_of = segment_of
        self.home = segment_of[origin]
        self.reached = self._behind({origin})

    def before(self, segment: str) -> list[str]:
        """The segments that all comes through before it is in this one: they wait for its answer."""
        found = []
        for other in {self._segment_of[unit] for unit in self.reached} - {segment, self.home}:
            past = self._behind({self._origin}, without={other})
            if segment not in {self._segment_of[unit] for unit in past}:
                found.append(other)
        return [self.home, *sorted(found)]

    def holds(self, giver: str, join: str, inputs: Collection[str]) -> bool:
        """Whether the join may have something for whose end the giver waits."""
        there = {unit for unit in self.reached if self._segment_of[unit] == giver}
        if self._segment_of[join] == giver:
            return self._enters(join, inputs, self.reached)
        return self._enters(join, inputs, self._behind(there, without=set(self.before(giver))))

    def returns(self, giver: str, taker: str, join: str, inputs: Collection[str]) -> bool:
        """Whether something that the giver gives back to the taker leads on to the join."""
        left = {
            link.receiver
            for link in self._links
            if link.sender in self.reached and self._segment_of[link.sender] == giver != self._segment_of[link.receiver]
        }
        back = {unit for unit in self._behind(left) if self._segment_of[unit] == taker}
        again = self._behind(back)
        if not self._enters(join, inputs, again):
            return False
        first = self._behind({self._origin}) if self._segment_of[join] != giver else self._first(giver)
        return self._enters(join, inputs, first)

    def _first(self, giver: str) -> set[str]:
        """What is reached before anything has left the giver."""
        staying = [
            link
            for link in self._links
            if self._segment_of[link.sender] != giver or self._segment_of[link.receiver] == giver
        ]
        return _behind({self._origin}, staying)

    def _enters(self, join: str, inputs: Collection[str], units: Collection[str]) -> bool:
        return any(link.receiver == join and link.input in inputs and link.sender in units for link in self._links)

    def _behind(self, units: Collection[str], without: Collection[str] = ()) -> set[str]:
        links = [link for link in self._links if self._segment_of[link.receiver] not in without]
        return _behind(units, links)


def _behind(units: Collection[str], links: Collection[Link]) -> set[str]:
    """These, and all that they lead to."""
    found: set[str] = set()
    new = set(units)
    while new:
        found |= new
        new = {link.receiver for link in links if link.sender in new} - found
    return found
