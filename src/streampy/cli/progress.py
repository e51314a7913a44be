"""What is seen while processes run: a bar with rate and time left where the end is known, else a line of figures.

Nothing where nobody looks. Knows nothing of how the figures are measured.
"""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streampy.model.measure import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from streampy.cli.system import System
    from streampy.run.stats import Stats

_WINDOW = 12
"""Looks over which a rate is taken: three seconds."""


class Watch:
    """Draws the progress of every process, each time that it is asked to."""

    def __init__(self, system: System, bars: Progress) -> None:
        self._bars = bars
        self._rows = {one: bars.add_task(one.plan.name, total=None, figures="starting") for one in system.processes}
        self._rates = {process: Rate() for process in system.processes}

    def show(self) -> None:
        """Draw what is so now."""
        for process, row in self._rows.items():
            if process.running is None or process.is_over:
                continue
            stats = process.running.stats()
            rate = self._rates[process].after(stats.seconds, stats.ledger.born)
            self._bars.update(
                row,
                total=stats.expected,
                completed=stats.ledger.born,
                figures=figures(stats, rate),
            )
        self._bars.refresh()


class Rate:
    """Items a second, over the last looks."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    def after(self, seconds: float, items: int) -> float:
        """The rate with one more look."""
        self._looks.append((seconds, items))
        first_seconds, first_items = self._looks[0]
        passed = seconds - first_seconds
        return (items - first_items) / passed if passed > 0 else items / seconds if seconds > 0 else 0.0


def figures(stats: Stats, rate: float) -> str:
    """`30.1/s  in flight 12  dropped 3  p95 24.1 ms`, and time left where the end is known."""
    ledger = stats.ledger
    parts = [f"{ledger.born:,} items".replace(",", " "), f"{rate:.1f}/s"]
    if stats.expected and rate > 0:
        parts.append(f"{format_duration(max(0.0, (stats.expected - ledger.born) / rate))} left")
    parts.append(f"in flight {ledger.in_flight}")
    parts += [f"{name} {count}" for name in ("dropped", "expired", "failed") if (count := getattr(ledger, name))]
    slowest = max((one.p95 for one in stats.latency.values()), default=0.0)
    if slowest:
        parts.append(f"p95 {format_duration(slowest)}")
    return "  ".join(parts)


@contextmanager
def progress_of(system: System) -> Iterator[Watch | None]:
    """While this lasts, the progress can be drawn; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only where someone looks
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn  # noqa: PLC0415

    knows_end = [BarColumn(bar_width=24), TaskProgressColumn()]
    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        *knows_end,
        TextColumn("{task.fields[figures]}"),
    )
    bars = Progress(
        *columns,
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what units print goes above the bar, or to whoever reads it
    )
    with bars:
        yield Watch(system, bars)
