"""Decides when the inputs end that other segments send to.

Knows nothing of inputs; it names links. There are three ways for a link to end. All OS processes of the sending segment
have said that nothing more comes. Or that segment serves, so that it goes on for others, but all that came from there
were answers to what was sent from here, and nothing more will be. Or this OS process is to end: then what it was sent
and has answered was all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol, final

if TYPE_CHECKING:
    from streampy.model.plan import Link, Plan, UnitPlan
    from streampy.run.backend import Backend
    from streampy.run.segments.wire import Peer


_ANCESTOR: Final = "ancestor"


class Asking(Protocol):
    """A link that leads away from here."""

    has_ended: bool
    """Whether nothing more is sent over it."""

    @property
    def is_asking(self) -> bool:
        """Whether something that was sent was not answered, or the answer is not where it belongs."""


@final
class Ends:
    """Of one OS process. Any thread may call."""

    def __init__(self, plan: Plan, segment: str, expects: Mapping[str, int], backend: Backend) -> None:
        """Expects: see `Neighbours`."""
        self._plan = plan
        self._segment = segment
        self._expects = expects
        self._behind = _behind(plan)
        self._lock = backend.lock()
        self._open = {str(link): link for link in plan.crossings if plan.segment_of(link.receiver) == segment}
        self._there: defaultdict[str, dict[str, Peer]] = defaultdict(dict)
        """By segment, those OS processes of it that are there."""
        self._last: dict[str, Peer] = {}
        """By segment, whoever came last."""
        self._said: defaultdict[str, set[str]] = defaultdict(set)
        """By link, those that send nothing more over it."""
        self._going: set[str] = set()
        """Those that are about to end: that nothing more comes from them says nothing of others after them."""
        self._is_finishing = False

    def came(self, peer: Peer) -> None:
        """An OS process is there."""
        with self._lock:
            self._there[peer.segment][peer.instance] = self._last[peer.segment] = peer

    def went(self, peer: Peer) -> None:
        """It is gone."""
        with self._lock:
            self._there[peer.segment].pop(peer.instance, None)
            self._going.discard(peer.instance)

    def heard(self, peer: Peer, link: str) -> None:
        """It sends nothing more over this link."""
        with self._lock:
            if peer.instance not in self._going:
                self._said[link].add(peer.instance)

    def goes(self, peer: Peer) -> None:
        """It is about to end."""
        with self._lock:
            self._going.add(peer.instance)

    def finish(self) -> None:
        """This OS process is to end."""
        with self._lock:
            self._is_finishing = True

    def due(self, asking: Mapping[Link, Asking], *, is_empty: bool) -> list[str]:
        """The links that have ended since it was asked last.

        asking: the links that lead away from here. is_empty: whether all that came here was answered.
        """
        with self._lock:
            due = [
                name
                for name, link in self._open.items()
                if self._has_all(name, link, asking) or self._is_answered(link, asking, is_empty=is_empty)
            ]
            for name in due:
                del self._open[name]
            return due

    def holds_back(self, link: Link) -> bool:
        """Whether somebody behind a link may keep items until he hears that nothing more comes over it.

        Else that is only told when all was answered: then whoever heard it is not needed any more, should another one
        die.
        """
        return any(
            unit.ports.is_stream or (unit.join is not None and unit.join.settings.key != _ANCESTOR)
            for unit in self._far_behind(link)
        )

    def leads_to(self, link: Link, unit: str) -> bool:
        """Whether items of a link may come to a unit, or what comes of them."""
        return unit in self._behind[link.receiver]

    def gathers(self, link: Link) -> bool:
        """Whether somebody may keep items of a family until others of it come, where items of this link are answered.

        It need not be behind this link: items of one family are answered together.
        """
        there = {self._plan.segment_of(unit.name) for unit in self._far_behind(link)}
        return any(
            unit.ports.is_stream or unit.join is not None
            for name, unit in self._plan.units.items()
            if self._plan.segment_of(name) in there
        )

    def _far_behind(self, link: Link) -> list[UnitPlan]:
        """The units of other segments that items of a link lead to."""
        far = (name for name in self._behind[link.receiver] if self._plan.segment_of(name) != self._segment)
        return [self._plan.units[name] for name in far]

    def _has_all(self, name: str, link: Link, asking: Mapping[Link, Asking]) -> bool:
        """Whether all have said that nothing more comes over a link, and what came before that is where it belongs."""
        segment = self._plan.segment_of(link.sender)
        said = self._said[name]
        if segment in self._expects:
            is_all = len(said) >= self._expects[segment]
        else:
            is_all = self._dials(segment) and bool(said) and said.issuperset(self._there[segment])
        return is_all and not any(asking[one].is_asking for one in self._asks(link))

    def _asks(self, link: Link) -> list[Link]:
        """The links that lead away from here, and to this one."""
        return [
            one
            for one in self._plan.crossings
            if self._plan.segment_of(one.sender) == self._segment and link.sender in self._behind[one.receiver]
        ]

    def _dials(self, segment: str) -> bool:
        return self._plan.wire(self._segment, segment).dialler == self._segment

    def _is_answered(self, link: Link, asking: Mapping[Link, Asking], *, is_empty: bool) -> bool:
        """Whether nothing will come, because nothing was asked that could bring it."""
        asks = [asking[one] for one in self._asks(link)]
        if not asks:
            return self._is_finishing and is_empty
        if not self._is_finishing and not self._only_answers(link):
            return False
        return not any(one.is_asking or not one.has_ended for one in asks)

    def _only_answers(self, link: Link) -> bool:
        """Whether all that comes over it was asked for from here, by a segment that goes on for others."""
        segment = self._plan.segment_of(link.sender)
        last = self._last.get(segment)
        peers = list(self._there[segment].values()) or ([] if last is None else [last])
        has_sources = any(
            link.sender in self._behind[name]
            for name, unit in self._plan.units.items()
            if not unit.inputs and self._plan.segment_of(name) != self._segment
        )
        return bool(peers) and all(peer.serves for peer in peers) and not has_sources


def _behind(plan: Plan) -> dict[str, set[str]]:
    """Of each unit those that its items lead to, it among them."""
    behind = {name: {name} for name in plan.units}
    for name in reversed(list(plan.units)):  # each comes after those that it is linked to; cycles stay in one segment
        for links in plan.units[name].receivers.values():
            behind[name].update(*(behind[link.receiver] for link in links))
    for loop in plan.loops:
        whole = set[str]().union(*(behind[name] for name in loop))
        for name in loop:
            behind[name] |= whole
    return behind
