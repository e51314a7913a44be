"""Runs a whole process in one thread: time is virtual, who goes on is drawn from a seed, so each run is the same.

Knows nothing of how the workers take turns; the units run unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from streampy.errors import StreamPyError
from streampy.model.item import Reason, Tombstone
from streampy.model.plan import Plan
from streampy.model.process import Process
from streampy.model.suggest import did_you_mean
from streampy.run.running import Running
from streampy.run.segment import Segment
from streampy.run.stats import Stats
from streampy.run.trouble import DeadLetter
from streampy.testing.faults import Faults, faulty_plan
from streampy.testing.tokens import Cancel, Lost, Wait

if TYPE_CHECKING:
    from streampy.testing.turns import Turns

_PATIENCE = 3600.0
"""Virtual seconds in which a process has to start, and to come to its end once its sources are asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What came of a simulation."""

    outputs: Mapping[str, list[Any]]
    """For each open output (`"annotate.out"`) its values in their order; none where a `drive` was given."""
    stats: Stats
    """At the end; all times in it are virtual."""
    seconds: float
    """Virtual time that it took."""
    dead_letters: list[DeadLetter]
    value: Any = None
    """What `drive` returned."""
    trace: tuple[tuple[float, str], ...] = field(repr=False, default=())
    """Who had a turn, and when: two simulations with the same trace did the same."""

    def __getitem__(self, output: str) -> list[Any]:
        """The values of an open output: `"annotate"`, or `"detect.boxes"` where it has several."""
        found = [name for name in self.outputs if output in (name, name.partition(".")[0])]
        if len(found) != 1:
            told = ", ".join(self.outputs) or "none were collected"
            raise KeyError(f"{output!r} is not one of the open outputs ({told}){did_you_mean(output, self.outputs)}")
        return self.outputs[found[0]]


def simulate(
    process: Process | Plan,
    drive: Callable[[Running], Any] | None = None,
    /,
    *,
    seed: int = 0,
    seconds: float = inf,
    inputs: Mapping[str, Iterable[Any]] | None = None,
    faults: Faults | None = None,
) -> Simulated:
    """Run a process to its end in this thread; the same seed gives the same run, to the last turn.

    Nothing waits for real: where all wait, the clock jumps to the next moment for which somebody does. Units run
    unchanged, all in this OS process, whatever `place` says, so `env` and `cpus` have no effect; they ask the time with
    `sp.worker().now()`, wait with `sp.worker().sleep()`, or, `async def`, with `asyncio.sleep`. Another seed is another
    order in which workers go on, as threads might.

    >>> from collections.abc import Iterator
    >>> import streampy as sp
    >>> def ticks(*, until: int) -> Iterator[int]:
    ...     for number in range(until):
    ...         sp.worker().sleep(60)
    ...         yield number
    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> process = sp.Process("doubles").add("ticks", ticks, until=3)
    >>> result = sp.testing.simulate(process.add("double", double, from_="ticks", workers=2), seed=7)
    >>> result["double"], result.seconds
    ([0, 2, 4], 180.0)

    drive: is called with the running process in place of collecting all outputs, and may do whatever the owner of one
    does; timeouts are virtual. It runs in the simulation, so it must not wait in any other way.
    seconds: virtual; then the sources are asked to end, and what is under way comes to its end. Sources that don't end
    by themselves need it, and must sleep, or no time passes.
    inputs: for each open input unit what is pushed: values, `Wait(seconds)`, `Lost()`, `Cancel()`; for a unit with
    several inputs a tuple with a value (or `Lost()`) for each.
    faults: see `with_faults`.

    Raises the error of a unit as a run does (UnitFailed, or an ExceptionGroup); Stuck where nobody could ever go on,
    naming who waits for what; ImportError without the library greenlet.
    """
    from streampy.testing.turns import Turns  # noqa: PLC0415 - needs greenlet, which not everybody has

    turns = Turns(seed)
    scene = _Scene(faulty_plan(process, faults or {}), turns, seconds, inputs or {})
    value = turns.run("drive", lambda: scene.play(drive))
    running = scene.running
    return Simulated(
        outputs=scene.outputs,
        stats=running.stats(),
        seconds=turns.now(),
        dead_letters=running.dead_letters(),
        value=value,
        trace=tuple(turns.trace),
    )


class _Scene:
    """A process and those who feed and read it, each with turns of its own."""

    def __init__(self, plan: Plan, turns: Turns, seconds: float, inputs: Mapping[str, Iterable[Any]]) -> None:
        from streampy.testing.virtual import VirtualBackend  # noqa: PLC0415 - see above

        self.outputs: dict[str, list[Any]] = {}
        self._turns = turns
        self._backend = VirtualBackend(turns)
        self._seconds = seconds
        self._inputs = inputs
        self._segment = Segment(plan, self._backend)
        self.running = Running(self._segment)
        self._errors: list[BaseException] = []
        self._busy = 0
        self._all_read = self._backend.flag()
        for unit in inputs:
            self.running._entry(unit)

    def play(self, drive: Callable[[Running], Any] | None) -> Any:
        """From start to stop."""
        try:
            value = self._run(drive)
            for error in self._errors:
                raise error
        except StreamPyError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # it hit the thread while a unit had its turn
                raise error.__cause__ from error
            raise
        return value

    def _run(self, drive: Callable[[Running], Any] | None) -> Any:
        self.running.start(_PATIENCE)
        with self.running as running:
            for unit, values in self._inputs.items():
                self._launch(f"input {unit}", partial(self._feed, unit, values))
            return drive(running) if drive is not None else self._collect()

    def _launch(self, name: str, work: Callable[[], None]) -> None:
        def main() -> None:
            try:
                work()
            except Exception as error:
                self._errors.append(error)
                self._segment.cancel()
            self._busy -= 1
            if not self._busy:
                self._all_read.set()

        self._busy += 1
        self._turns.launch(name, main)

    def _collect(self) -> None:
        running = self.running
        for name in self._segment.outputs:
            values = self.outputs[name] = []
            self._launch(f"output {name}", partial(_extend, values, running.stream(name)))
        for unit, entry in running._entries.items():
            if unit not in self._inputs:
                entry.end()
        try:
            running.wait(self._seconds)
        except TimeoutError:
            running.drain(_PATIENCE)
        while self._busy:
            self._all_read.wait()

    def _feed(self, unit: str, values: Iterable[Any]) -> None:
        entry = self.running._entries[unit]
        for value in values:
            if self._segment.is_cancelled or self._segment.sources_stopping.is_set():
                return
            if isinstance(value, Wait):
                self._segment.sources_stopping.wait(value.seconds)
            elif isinstance(value, Cancel):
                self._segment.cancel()
            else:
                self._push(unit, value if len(entry.ports) > 1 and isinstance(value, tuple) else (value,))
        entry.end()

    def _push(self, unit: str, values: tuple[Any, ...]) -> None:
        """Push one item; those of its parts that are lost end at the way in."""
        entry, inlet = self.running._entries[unit], self._segment.inlets[unit]
        if len(values) != len(entry.ports):
            raise TypeError(f"{unit!r} has the inputs {', '.join(entry.ports)}; got {len(values)} values: {values!r}")
        given = dict(zip(entry.ports, values, strict=True))
        lost = [port for port, value in given.items() if isinstance(value, Lost)]
        header = entry.header()
        if lost:
            came = {port: value for port, value in given.items() if port not in lost}
            entry.ledger.add("split" if came else "born", header)
            entry.ledger.add("split", header, len(lost) - 1)
            entry.ledger.ended([header] * len(lost), Reason.DROPPED)
            given = came
        for port in lost:
            inlet.miss(port, Tombstone(header, Reason.DROPPED, f"{unit}.{port}"))
        if given:
            self.running._put(entry, header, given, inf)


def _extend(values: list[Any], stream: Iterator[Any]) -> None:
    """As `extend`, but what came before an error is kept."""
    for value in stream:
        values.append(value)  # noqa: PERF402 - see above
