"""Starts a process: the one way in.

Knows nothing of how it runs; it does not even import that before it is needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from streampy.errors import StreamPyError
from streampy.model.process import Process
from streampy.run.places.script import refuse_in_import

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from socket import socket

    from streampy.model.plan import Plan
    from streampy.run.backend import Backend
    from streampy.run.control.settings import ControlSettings
    from streampy.run.running import Running
    from streampy.run.segments.wire import Part
    from streampy.run.trace.settings import TraceSettings
    from streampy.run.trouble import Letters

START_WITHIN = 120.0
"""Seconds that the units may take to start: models are loaded then."""


def run(
    process: Process | Plan,
    *,
    start_within: float = START_WITHIN,
    dead_letters: Letters | None = None,
    segment: str = "",
    listen: str | socket = "",
    dial: Mapping[str, str | Sequence[str]] | None = None,
    expect: Mapping[str, int] | None = None,
    control: str | ControlSettings = "",
    trace: str | TraceSettings | None = "",
) -> Running:
    """Start a process; returns when all its units have started. Leaving the `with` block stops it.

    >>> from collections.abc import Iterator
    >>> import streampy as sp
    >>> def numbers(*, until: int) -> Iterator[int]:
    ...     yield from range(until)
    >>> def double(number: int) -> int:
    ...     return 2 * number
    >>> process = sp.Process("doubles").add("numbers", numbers, until=4).add("double", double, from_="numbers")
    >>> with sp.run(process) as running:
    ...     print(list(running.stream("double")))
    [0, 2, 4, 6]

    segment: run only this one of the segments that the process is cut into; without it all units run here. Then
    listen: `tcp://host:port`, or a socket that listens, instead of what the process says; dial: the same for the
    segments that this one dials, by name. expect: of other segments how many OS processes there are: when so many have
    ended, nothing more comes from there, and all end together. Without it a segment that is dialled serves whoever
    comes, until it is stopped.

    control: how it is seen and steered from outside while it runs (`streampy ctl`, `streampy ui`): `on`, by a unix
    socket that only this user can reach; `off`; or `tcp://HOST:PORT`, beside that. Without it STREAMPY_CONTROL says,
    else it is on.
    trace: the share of the items of which traces are sent to an OpenTelemetry collector, such as `1%`, or a
    TraceSettings that says more; where it is empty, STREAMPY_TRACE and STREAMPY_TRACE_SLOW say, and None is nothing. It
    needs the extra `otel`.

    start_within: seconds; those that are dialled must be there in that time, too.

    dead_letters: is given each dead letter too, besides `running.dead_letters()`, when it occurs and by any thread;
    `streampy.recording.DeadLetterFile` writes them to a file that can be replayed.

    Raises ProcessError where the process can't be started as it is described, UnitFailed where a unit raises while it
    is made or started, Hung where one does not start in time; RunError where nobody answers at the addresses that are
    dialled, or the one to listen at can't be had; RunError where a script that is imported for its units in another OS
    process comes here, for want of `if __name__ == "__main__":`.
    """
    running = prepare(
        process,
        segment=segment,
        listen=listen,
        dial=dial,
        expect=expect,
        control=control,
        trace=trace,
        dead_letters=dead_letters,
    )
    running.start(start_within)
    return running


def prepare(
    process: Process | Plan,
    *,
    segment: str = "",
    listen: str | socket = "",
    dial: Mapping[str, str | Sequence[str]] | None = None,
    expect: Mapping[str, int] | None = None,
    control: str | ControlSettings = "",
    trace: str | TraceSettings | None = "",
    dead_letters: Letters | None = None,
) -> Running:
    """What `run` starts, as long as it has not."""
    refuse_in_import()
    # Imported only now: half of what `import streampy` and `streampy --help` would cost.
    from streampy.model.check import make_plan  # noqa: PLC0415
    from streampy.run.backend import Backend  # noqa: PLC0415
    from streampy.run.control.settings import ControlSettings  # noqa: PLC0415
    from streampy.run.running import Running  # noqa: PLC0415
    from streampy.run.segment import Segment  # noqa: PLC0415

    reached, traced = ControlSettings.of(control), _traced(trace)
    plan, backend = make_plan(process) if isinstance(process, Process) else process, Backend()
    door = reached.listen()
    try:
        if segment:
            part = _part(plan, segment, backend, listen=listen, dial=dial or {}, expect=expect or {})
            running = Running(Segment(plan.of_segment(segment), backend, part, traced, dead_letters))
        else:
            running = Running(Segment(plan, backend, None, traced, dead_letters))
    except BaseException:
        if door is not None:
            door.close()
        raise
    if not reached.is_off:
        from streampy.run.control.control import Control  # noqa: PLC0415 - as above

        running.control = Control(running, reached, door)
        running.control.open()
    return running


def _part(plan: Plan, segment: str, backend: Backend, **where: Any) -> Part:
    """One of the segments of a process. Raises StreamPyError."""
    try:
        from streampy.run.segments.part import make_part  # noqa: PLC0415 - few processes are cut
    except ModuleNotFoundError as error:
        text = f"segments need {error.name}, which is not installed: pip install 'streampy[net]'"
        raise StreamPyError(text) from error

    return make_part(plan, segment, backend, **where)


def _traced(trace: str | TraceSettings | None) -> TraceSettings | None:
    """What is traced. Raises StreamPyError where that can't be understood, or done."""
    if trace is None or (trace == "" and not {"STREAMPY_TRACE", "STREAMPY_TRACE_SLOW"} & os.environ.keys()):
        return None
    from streampy.run.trace.settings import TraceSettings  # noqa: PLC0415 - few are traced

    settings = TraceSettings.of(sample=trace) if isinstance(trace, str) else trace
    if settings is None or settings.is_off:
        return None
    try:
        import streampy.run.trace.export  # noqa: F401, PLC0415 - only to see whether it can be
    except ModuleNotFoundError as error:
        raise StreamPyError(
            f"traces need {error.name}, which is not installed: pip install 'streampy[otel]'"
        ) from error
    return settings
