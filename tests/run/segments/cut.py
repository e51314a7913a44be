"""All segments of a process at once, over real TCP on loopback: in threads of this OS process."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import Any, Self

import streampy as sp
from streampy.model.check import make_plan
from streampy.model.plan import Plan
from streampy.run.running import Running

SOON = 20.0
"""Seconds in which what must happen has to happen, on a busy machine."""


@dataclass
class Part:
    """One segment, or one of its replicas."""

    segment: str
    name: str
    port: socket.socket | None = None
    running: Running | None = None
    outputs: dict[str, list[Any]] = field(default_factory=dict)
    """What came out, by open output."""
    error: BaseException | None = None
    is_there: Event = field(default_factory=Event)
    """Its units have started, or it has failed."""

    @property
    def stats(self) -> sp.Stats:
        assert self.running is not None, self.error
        return self.running.stats()

    @property
    def address(self) -> str:
        assert self.port is not None
        return address_of(self.port)


def address_of(port: socket.socket) -> str:
    host, number = port.getsockname()
    return f"tcp://{host}:{number}"


class Cut:
    """The parts of a process; the `with` block ends them, whatever happens."""

    def __init__(
        self,
        process: sp.Process | Plan,
        replicas: Mapping[str, int] | None = None,
        *,
        expect: bool = True,
        dial: Mapping[str, Sequence[str]] | None = None,
        streams: bool = True,
    ) -> None:
        """Expect: whether each knows how many OS processes of the others there are.

        streams: collect what comes out; else the test does, and does not wait for the end.
        """
        self.plan = make_plan(process) if isinstance(process, sp.Process) else process
        self._counts = {name: (replicas or {}).get(name, spec.replicas) for name, spec in self.plan.segments.items()}
        self._expects = expect
        self._dial = dial or {}
        self._streams = streams
        self._threads: list[Thread] = []
        self.parts = [
            Part(name, name if count == 1 else f"{name}#{index}")
            for name, count in self._counts.items()
            for index in range(count)
        ]

    def __getitem__(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def __enter__(self) -> Self:
        for part in self.parts:
            if any(wire.listener == part.segment for wire in self.plan.wires):
                part.port = socket.create_server(("127.0.0.1", 0))
        for part in self.parts:
            self._launch(partial(self._live, part), f"part {part.name}")
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.parts:
            if part.running is not None:
                part.running._segment.cancel()
        late = []
        for thread in self._threads:
            thread.join(SOON)
            late += [thread.name] if thread.is_alive() else []
        for part in self.parts:
            if part.port is not None:
                part.port.close()
        assert late == []

    def _launch(self, what: Any, name: str) -> Thread:
        thread = Thread(target=what, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def options(self, part: Part) -> dict[str, Any]:
        """Of `streampy.run`."""
        options: dict[str, Any] = {"segment": part.segment, "start_within": SOON / 2}
        if part.port is not None:
            options["listen"] = part.port
        options["dial"] = {
            wire.listener: self._dial.get(wire.listener)
            or [other.address for other in self.parts if other.segment == wire.listener]
            for wire in self.plan.wires
            if wire.dialler == part.segment
        }
        if self._expects:
            near = {end for wire in self.plan.wires if part.segment in wire.ends for end in wire.ends} - {part.segment}
            options["expect"] = {name: self._counts[name] for name in near}
        return options

    def _live(self, part: Part) -> None:
        try:
            part.running = running = sp.run(self.plan, **self.options(part))
            part.is_there.set()
            if not self._streams:
                return
            names = list(running._segment.outputs)
            streams = {name: running.stream(name) for name in names}
            for name, stream in streams.items():
                self._launch(partial(_collect, stream, part.outputs.setdefault(name, [])), f"{part.name} {name}")
            running.wait()
        except BaseException as error:
            part.error = error
        finally:
            part.is_there.set()

    def wait(self, timeout: float = SOON) -> None:
        """Until all have ended by themselves; raises what went wrong, or TimeoutError with the state of all."""
        until = monotonic() + timeout
        for thread in self._threads:  # it grows meanwhile: each part has readers of its own
            thread.join(max(0.0, until - monotonic()))
            if thread.is_alive():
                raise TimeoutError("\n".join([f"{thread.name} still lives", *map(self.told, self.parts)]))
        if errors := self.errors:
            raise BaseExceptionGroup("parts failed", errors)

    @property
    def errors(self) -> list[BaseException]:
        """What went wrong in any of them, once each."""
        found = [one for part in self.parts if part.running is not None for one in part.running._segment.errors]
        found += [part.error for part in self.parts if part.error is not None and part.running is None]
        return found

    def told(self, part: Part) -> str:
        """How it stands."""
        if part.running is None:
            return f"{part.name}: not started, {part.error!r}"
        segment = part.running._segment
        lines = [f"{part.name}: {segment!r} at work: {segment.at_work()} {part.running.stats().ledger}"]
        near = segment.neighbours
        if near is not None:
            lines.append(f"   {near!r} guests {len(near.host)} over {near.is_over} open {list(near._ends._open)}")
            lines += [
                f"   {one.name}: ended {one.has_ended} told {one.is_told} asking {one.is_asking} out {one.out}"
                for one in near.crossings.values()
            ]
            lines += [f"   {one!r}" for one in near._neighbours.values()]
        return "\n".join(lines)

    @property
    def outputs(self) -> dict[str, list[Any]]:
        """What came out of all of them."""
        found: dict[str, list[Any]] = {}
        for part in self.parts:
            for name, values in part.outputs.items():
                found.setdefault(name, []).extend(values)
        return found


def _collect(stream: Iterator[Any], values: list[Any]) -> None:
    with suppress(sp.StreamPyError, ExceptionGroup):
        values.extend(stream)


@contextmanager
def run_cut(process: sp.Process | Plan, replicas: Mapping[str, int] | None = None, **options: Any) -> Iterator[Cut]:
    """Run all segments to their end."""
    with Cut(process, replicas, **options) as cut:
        cut.wait()
        yield cut
