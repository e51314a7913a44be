"""Who takes part, how much is measured, and the rounds in which the ways take turns, so that all share the noise.

Knows nothing of what is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beside import environments
from beside.catalogue import Peer, Place, Way, ways_in
from beside.job import Job
from beside.one import Found, run


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    frames: float
    """Seconds of frames at the rate of a camera, behind the first second, which is discarded."""
    burst: float
    """Seconds of what is as fast as possible."""
    overload: int
    """Frames that are sent into a sink that is too slow."""
    patience: float
    """Seconds after which what does not stop counts as hung."""
    units: tuple[int, ...]
    streams: tuple[int, ...]
    limit: float = 60.0
    """Seconds that a run may take beyond its own time."""


QUICK = Extent(1, 1.0, 0.3, 500, 2.0, (10, 100), (10,))
FULL = Extent(5, 6.0, 2.0, 2000, 10.0, (10, 100, 1000), (1, 10, 100))


@dataclass(slots=True)
class Turns:
    """Of the peers that were chosen."""

    extent: Extent
    peers: tuple[Peer, ...]
    cache: Path
    pypipeline: Path | None = None
    """A checkout of it."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Of each peer that can't take part, why."""
    pythons: dict[str, Path] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the environments that are missing."""
        for peer in self.peers:
            try:
                self.pythons[peer.name] = self._python_of(peer)
            except environments.NotThere as reason:
                self.reasons[peer.name] = str(reason)

    def _python_of(self, peer: Peer) -> Path:
        if not peer.pins:
            return Path(sys.executable)
        if peer.name == "pypipeline":
            if self.pypipeline is None:
                raise environments.NotThere("it is on no index, and `--pypipeline` names no checkout")
            return environments.python_of(peer.pins, self.cache, self.pypipeline.resolve())
        return environments.python_of(peer.pins, self.cache)

    def take(
        self, work: str, place: Place, *, rounds: int | None = None, fault: str = "", look: float = 0.2, **job: Any
    ) -> dict[Way, list[Found] | str]:
        """What each way of a place left in each round, or why it did not take part.

        job: of what is asked; `limit`, if among it, instead of the usual one.
        """
        limit = job.pop("limit", self.extent.limit)
        found: dict[Way, list[Found] | str] = {}
        able = dict(self._able(work, place, found))
        for _ in range(rounds or self.extent.rounds):
            for way, peer in able.items():
                so_far = found.setdefault(way, [])
                if isinstance(so_far, str):
                    continue  # what did not work in one round is not tried again
                asked = Job(way=way.name, folder="", **job)
                one = run(self.pythons[peer.name], peer.name, asked, limit=limit, fault=fault, look=look)
                if one.why and not one.told:
                    found[way] = one.why
                else:
                    so_far.append(one)
        return {way: found[way] for _, way in ways_in(self.peers, place)}

    def _able(self, work: str, place: Place, found: dict[Way, list[Found] | str]) -> Iterator[tuple[Way, Peer]]:
        for peer, way in ways_in(self.peers, place):
            reason = self.reasons.get(peer.name) or way.cannot.get(work) or way.cannot.get(work.partition(" ")[0])
            if reason:
                found[way] = reason
            else:
                yield way, peer
