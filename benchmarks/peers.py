"""StreamPy beside what one would pick instead: the same work, in one run, each in an environment of its own.

    python benchmarks/peers.py [--full] [--only W1 W2 ...] [--peers pypeln ray ...] [--pypipeline CHECKOUT]
        [--json FILE] [--fill docs/peers.md] [--plot docs/pictures/peers.svg] [--against FILE]

Makes what environments are missing (by uv, from pinned versions, into build/peers), then measures for some minutes with
the peers that start quickly; `--full` takes all of them, and more rounds.

All ways call the same functions, in queues of the same capacity; what they do is in `beside/job.py`, how each peer is
asked to do it, in `beside/adapters/`. Each run is alone, in an interpreter of its own; round by round the ways take
turns. The source first sends one item and waits until it has arrived: what is slow to start is not behind from the
beginning. CPU seconds and memory (the largest sum of the PSS) are those of all OS processes of a run, start included.
A figure is the median of the rounds, and in brackets from where to where they were; ratios are those of single rounds,
and of these the median. Read the ratios: absolute times are those of this machine and of whatever else it did.

Exit codes: 0; 1 where `--against` found a ratio of StreamPy that changed by more than 15 %.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from beside import growth, trouble, works
from beside.catalogue import PEERS, Peer, chosen
from beside.environments import versions_of
from beside.figures import Sheet, lacks_of
from beside.guard import changes
from beside.one import adopt_orphans
from beside.picture import draw
from beside.turns import FULL, QUICK, Turns
from placed.tables import fill

ROOT = Path(__file__).parents[1]
WORKS: dict[str, Callable[[Turns], Iterable[Sheet]]] = {
    "W5": trouble.overload,  # these two first: they show what each lacks, which all other tables tell
    "W6": trouble.faults,
    "W4": works.workers,
    "W1": works.latency,
    "W2": works.small,
    "W3": works.frames,
    "W7": growth.faces,
    "W8": lambda turns: (*growth.units(turns), *growth.streams(turns)),
}
_LONG = {"W7"}
"""Works that are only of a full run."""


def main() -> int:
    """Measure, tell, and keep what was found."""
    asked = _parser().parse_args()
    adopt_orphans()
    extent = FULL if asked.full else QUICK
    if asked.rounds:
        extent = replace(extent, rounds=asked.rounds)
    turns = Turns(extent, chosen(asked.peers, full=asked.full), asked.cache.resolve(), asked.pypipeline)
    turns.prepare()
    how = _how(turns)
    print(how, flush=True)
    begin, sheets = time.monotonic(), []
    for name, work in WORKS.items():
        if name in (asked.only or [one for one in WORKS if asked.full or one not in _LONG]):
            began = time.monotonic()
            for sheet in work(turns):
                sheets.append(sheet)
                print(f"\n{sheet.table(lacks_of(sheets))}", flush=True)
            print(f"\n{name} took {time.monotonic() - began:.0f} s", flush=True)
    print(f"\n{time.monotonic() - begin:.0f} s", flush=True)
    return _keep(asked, how, turns.peers, sheets)


def _keep(asked: argparse.Namespace, how: str, peers: tuple[Peer, ...], sheets: list[Sheet]) -> int:
    lacks = lacks_of(sheets)
    ratios = {sheet.name: sheet.ratios for sheet in sheets if sheet.ratios}
    if asked.json:
        kept = {"how": how, "ratios": ratios, "lacks": lacks, "sheets": [asdict(sheet) for sheet in sheets]}
        asked.json.write_text(json.dumps(kept, indent=1) + "\n")
    if asked.fill:
        notes = "".join(f"\n- {peer.note}" for peer in peers if peer.note)
        fill(asked.fill, f"On {how}.\n{notes}", [sheet.table(lacks) for sheet in sheets], by="peers")
    if asked.plot:
        asked.plot.write_text(draw(sheets))
    return _guard(asked.against, ratios) if asked.against else 0


def _guard(against: Path, ratios: dict[str, Any]) -> int:
    found = changes(json.loads(against.read_text())["ratios"], ratios)
    print(*found, sep="\n") if found else print(f"no ratio differs from {against} by more than 15 %")
    return 1 if found else 0


def _how(turns: Turns) -> str:
    extent = turns.extent
    there = [peer.pins for peer in turns.peers if peer.pins and peer.name not in turns.reasons]
    pinned = sorted({pin for pins in there for pin in versions_of(pins)})
    named = [pin.replace("==", " ") for pin in pinned if pin.partition("==")[0].lower() in _TOLD]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{machine}; rounds: {extent.rounds}; {', '.join(named)}"


_TOLD = {"pipeline-lib", "paipa", "pipert", "pypeln", "ray", "dora-rs", "spdl-core", "numpy"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--full", action="store_true", help="all peers, all works, more rounds")
    parser.add_argument("--rounds", type=int, help=f"instead of {QUICK.rounds}, or of {FULL.rounds} with --full")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKS), metavar="W", help="some of the works: W1 to W8")
    parser.add_argument("--peers", nargs="+", choices=names, metavar="PEER", help=f"some of {', '.join(names)}")
    parser.add_argument("--pypipeline", type=Path, help="a checkout of PyPipeline, which is on no index")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "peers", help="folder of the environments")
    parser.add_argument("--json", type=Path, help="file to write all that was found to")
    parser.add_argument("--fill", type=Path, help="page whose tables are to be brought up to date")
    parser.add_argument("--plot", type=Path, help="SVG file to draw some of it in")
    parser.add_argument("--against", type=Path, help="file that --json wrote: tell what has changed since")
    return parser


if __name__ == "__main__":
    sys.exit(main())
