"""The peers, and the ways in which each of them can do the work: what is known before anything is measured.

Knows nothing of how they do it, which is in `adapters/`, nor of what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["one", "many"]
"""Whether all units are in one OS process, or each has one of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way of one peer."""

    name: str
    """As its adapter knows it."""
    label: str
    """As a table has it."""
    place: Place
    leaves_out: str = ""
    """What it does not do that StreamPy does, known from what it is; told where it is ahead."""
    cannot: Mapping[str, str] = field(default_factory=dict)
    """Works that it can't do, and why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that one would pick instead."""

    name: str
    """Of its adapter."""
    ways: tuple[Way, ...]
    pins: str = ""
    """Of its environment; none: the one that StreamPy has."""
    is_quick: bool = False
    """Whether it starts so quickly that it belongs to a short run."""
    note: str = ""
    """What the reader of a table must know."""


_CALLS = "queues, threads, clocks and counts: it is only calls"
_ONE_THREAD = {"W4": "all its units share one thread"}
_NO_WORKERS = {"W4": "it has no workers that share the items of a unit"}
_BARE = dict.fromkeys(("W5", "W6", "W8"), "it knows nothing of that")

OURS = Peer(
    "streampy",
    (
        Way("fused", "StreamPy, fused", "one"),
        Way("threads", "StreamPy, threads", "one"),
        Way("processes", "StreamPy, OS processes", "many"),
    ),
    is_quick=True,
)
PEERS = (
    OURS,
    Peer("floor", (Way("floor", "the floor: sockets and blocks", "many", cannot=_BARE),), is_quick=True),
    Peer("generators", (Way("", "the floor: nested generators", "one", _CALLS, _ONE_THREAD),), is_quick=True),
    Peer("threads", (Way("", "`queue.Queue`, by hand", "one", "measures, counts, ends and errors"),), is_quick=True),
    Peer(
        "processes",
        (Way("", "`multiprocessing.Queue`, by hand", "many", "measures, counts, ends and errors"),),
        is_quick=True,
    ),
    Peer(
        "pipeline_lib",
        (
            Way("coroutine", "pipeline-lib, coroutine", "one", _CALLS, _ONE_THREAD),
            Way("threads", "pipeline-lib, threads", "one", "counts, and workers in order"),
            Way("processes", "pipeline-lib, OS processes", "many", "counts, and workers in order"),
        ),
        "pipeline-lib",
        is_quick=True,
    ),
    Peer(
        "pypeln",
        (
            Way("sync", "pypeln, sync", "one", _CALLS, _ONE_THREAD),
            Way("threads", "pypeln, threads", "one"),
            Way("processes", "pypeln, OS processes", "many"),
        ),
        "pypeln",
        is_quick=True,
        note="pypeln needs setuptools of before version 81, which it does not say.",
    ),
    Peer(
        "paipa",
        (Way("coroutine", "paipa, coroutine", "one", _CALLS, _ONE_THREAD), Way("threads", "paipa, threads", "one")),
        "paipa",
        note="paipa as published starts no thread on Python 3.9 or later; here it gets back `Thread.isAlive`.",
    ),
    Peer(
        "pipert",
        (
            Way("threads", "PipeRT2, one flow", "one", cannot=_NO_WORKERS),
            Way("processes", "PipeRT2, flows", "many", cannot=_NO_WORKERS),
        ),
        "pipert",
        note="PipeRT2 has no end of a stream: it is stopped when nothing has come for a second.",
    ),
    Peer(
        "pypipeline",
        (Way("threads", "PyPipeline, threads", "one"), Way("processes", "PyPipeline, on Ray", "many")),
        "pypipeline",
        note="PyPipeline is on no index: `--pypipeline PATH` names a checkout.",
    ),
    Peer(
        "spdl",
        (Way("threads", "SPDL, threads", "one"), Way("processes", "SPDL, pools of OS processes", "many")),
        "spdl",
        note="SPDL hands every item back to its main OS process between two pools.",
    ),
    Peer(
        "ray",
        (
            Way("actors", "Ray, actors", "many"),
            Way("compiled", "Ray, compiled graph", "many", cannot=_NO_WORKERS),
        ),
        "ray",
    ),
    Peer("dora", (Way("processes", "dora, nodes", "many", cannot=_NO_WORKERS),), "dora"),
)


def chosen(names: list[str] | None, *, full: bool) -> tuple[Peer, ...]:
    """Those that are named, and StreamPy and the floors; else all, or the quick ones."""
    always = {"streampy", "floor", "generators"}
    wanted = always | set(names) if names else {peer.name for peer in PEERS if full or peer.is_quick}
    return tuple(peer for peer in PEERS if peer.name in wanted)


def ways_in(peers: tuple[Peer, ...], place: Place) -> Iterator[tuple[Peer, Way]]:
    """All ways of a place."""
    for peer in peers:
        for way in peer.ways:
            if way.place == place:
                yield peer, way
