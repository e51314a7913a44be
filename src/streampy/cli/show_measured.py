"""`streampy show --measured`: runs a process for a while, and paints on its layers how each unit spent its time.

Knows nothing of how that is measured; `bench` does.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from streampy.cli.options import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from streampy.cli.benched import Measured
    from streampy.cli.exits import Exit

    class Adds(Protocol):
        """A group of options."""

        def add_argument(self, *names: str, action: str, help: str) -> object:  # noqa: A002 - argparse calls it so
            """See argparse."""


_WIDTH: Final = 20
_BUSY, _BLOCKED, _IDLE = "█", "▒", "·"
_LEGEND: Final = f"{_BUSY} busy  {_BLOCKED} waits for room behind it  {_IDLE} waits for items, or for its turn"
_TITLES: Final = ["   unit", "items/s", "", "busy", "gil", "waited p95", "lost"]


def add_measured(parser: argparse.ArgumentParser, forms: Adds) -> None:
    """What can be said on the command line."""
    forms.add_argument(
        "--measured", action="store_true", help="run it for a while, for real, and paint how each unit spent its time"
    )
    parser.add_argument(
        "--for", type=duration, default=5.0, metavar="DURATION", dest="seconds", help="with --measured: how long (5s)"
    )


def show_measured(arguments: argparse.Namespace) -> Exit:
    """Run it, and print the picture to stdout."""
    from streampy.cli.bench import measure  # noqa: PLC0415 - only here `show` runs anything

    words = {"files": [arguments.file], "set": arguments.set, "seconds": arguments.seconds}
    return measure(argparse.Namespace(**words, runs=1, json=False, drain_timeout=30.0, debug=False), paint)


def paint(runs: Sequence[Measured]) -> str:
    """The conclusion, then a line for each unit, in the order in which items pass them."""
    from streampy.cli.bench_text import write_conclusion  # noqa: PLC0415 - as above
    from streampy.cli.summary import _columns  # noqa: PLC0415

    if not runs:
        return "nothing was measured: it did not start\n"
    (measured,) = runs
    lines = [*write_conclusion(runs, measured), "", *_columns([_TITLES, *_rows(measured)]), "", f"  {_LEGEND}"]
    return "".join(f"{line}\n" for line in lines)


def _rows(measured: Measured) -> Iterator[list[str]]:
    from streampy.cli.summary import hold  # noqa: PLC0415 - as above
    from streampy.model.layout import lay_out  # noqa: PLC0415
    from streampy.run.bottleneck import per_second  # noqa: PLC0415

    plan = measured.plan
    for number, layer in enumerate(lay_out(plan, dict.fromkeys(plan.units, 1.0), 1.0).layers, 1):
        for name in layer:
            share = measured.shares[name]
            fused = " (fused)" if not plan.units[name].not_fused else ""
            bar = _bar(share.busy, share.blocked)
            figures = [f"{share.busy:.0%}", hold(plan.units[name], share.gil), *_pipes(measured, name)]
            yield [f"{number}  {name}{fused}", per_second(share.items), bar, *figures]


def _bar(busy: float, blocked: float) -> str:
    """`████▒▒··`: how the time was spent."""
    full = min(_WIDTH, round(busy * _WIDTH))
    held = min(_WIDTH - full, round(blocked * _WIDTH))
    return _BUSY * full + _BLOCKED * held + _IDLE * (_WIDTH - full - held)


def _pipes(measured: Measured, name: str) -> list[str]:
    """How long items waited at the worst of its inputs, and how many were lost there; "" where it has no pipe."""
    from streampy.model.measure import format_duration  # noqa: PLC0415 - as above

    stats = measured.after.pipes
    pipes = [stats[end] for port in measured.plan.units[name].inputs if (end := f"{name}.{port}") in stats]
    if not pipes:
        return ["", ""]
    lost = sum(pipe.dropped + pipe.expired for pipe in pipes)
    return [format_duration(max(pipe.wait.p95 for pipe in pipes)), str(lost) if lost else ""]
