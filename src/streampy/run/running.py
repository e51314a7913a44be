"""A running process, as its user holds it.

Knows nothing of how the parts work together; the segment does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from streampy.errors import Hung, ItemLost, RunError, StreamPyError
from streampy.model.item import Batch, Reason
from streampy.model.plan import Plan
from streampy.model.suggest import did_you_mean, matching
from streampy.pipes.base import Cancelled
from streampy.run.entry import Entry
from streampy.run.look import look_at
from streampy.run.output import Output
from streampy.run.segment import Segment
from streampy.run.stats import Stats
from streampy.run.trouble import DeadLetter

if TYPE_CHECKING:
    from streampy.run.control.control import Control

_log = logging.getLogger("streampy.run")
_GRACE = 5.0
"""Seconds in which what is under way may come to its end when a process is stopped."""
_LAST = 1.0
"""Seconds that the workers then have to come home."""


class Running:
    """A process that runs. Any thread may use it."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._now = segment.backend.now
        self._entries = {
            name: Entry(
                name,
                segment.inlets[name],
                segment.limits.ledger(),
                self._now,
                segment.tracer and segment.tracer.entry(name),
            )
            for name, unit in segment.plan.units.items()
            if unit.is_open
        }
        self._replayed = segment.limits.ledger()
        self._ended_at = inf
        self._is_raised = False
        self.control: Control | None = None
        """How it is seen and steered from outside; None where nobody is to."""

    def __repr__(self) -> str:
        return f"<Running {self._segment.plan.name!r}: {self._segment!r}>"

    def start(self, patience: float) -> None:
        """Start all units, within `patience` seconds. Raises UnitFailed, or Hung. Called once, by `streampy.run`."""
        try:
            self._start(patience)
        except BaseException:
            if self.control is not None:
                self.control.close()
            raise

    def _start(self, patience: float) -> None:
        try:
            has_started = self._segment.start(patience)
        except Hung:
            self._come_home(_LAST)
            raise
        except BaseException:  # Ctrl-C: there is no `with` block yet that would put the process out
            self._segment.cancel()
            self._segment.backend.wait_for(self._segment.over, self._now() + _LAST)
            raise
        if not has_started:
            self._come_home(_LAST)
            self._raise()

    def give_up(self) -> None:
        """Where `start` waits for other segments, or is about to, it raises RunError, which says for whom."""
        self._segment.give_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        else:
            self._segment.cancel()
            self._come_home(_LAST)

    @property
    def plan(self) -> Plan:
        """What runs."""
        return self._segment.plan

    @property
    def is_over(self) -> bool:
        """Whether all workers have come home."""
        return self._segment.over.is_set()

    def stats(self) -> Stats:
        """What the process tells of itself, as of now."""
        seconds = min(self._now(), self._ended_at) - self._segment.started
        return look_at(self._segment, [self._replayed, *(entry.ledger for entry in self._entries.values())], seconds)

    def stream(self, unit: str, *, timeout: float = inf) -> Iterator[Any]:
        """Iterate over an output that leads nowhere: `"annotate"`, or `"detect.boxes"` where it has several.

        Of a process that is used as `other` it is `"other/annotate"`, or `"other"` where that has only one.
        timeout: seconds to wait for the next value; TimeoutError past it.
        Ends with the process; the error of a unit comes out here: UnitFailed, or an ExceptionGroup of several.
        """
        output = self._output(unit)
        output.is_streamed = True
        return self._values(output, timeout)

    def _values(self, output: Output, timeout: float) -> Iterator[Any]:
        while True:
            try:
                value = output.get(self._now() + timeout)
            except EOFError:
                break
            yield value
        if self._segment.is_cancelled:
            self._come_home(_LAST)
        self._raise()

    def push(
        self,
        unit: str,
        *values: Any,
        timeout: float = inf,
        deadline: float = inf,
        meta: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> None:
        """Feed one item to a unit whose inputs are linked to nothing; waits while its pipe is full.

        values: for its inputs in their order, or by name. timeout: seconds; TimeoutError past it.
        deadline: seconds from now; past it nobody wants the result, and no pipe hands the item on any more.
        Raises the error of a unit if the process has failed.
        """
        entry = self._entry(unit)
        self._put(entry, entry.header(meta, self._now() + deadline), _arguments(entry, unit, values, named), timeout)

    def call(self, unit: str, *values: Any, output: str | None = None, timeout: float = 30.0, **named: Any) -> Any:
        """Feed one item and wait for what comes of it at an open output.

        Returns the value; a list of all parts where the item goes through a fan-out; None where it was filtered away.
        output: which one, where there are several. timeout: seconds; past it TimeoutError,
        and no pipe hands the item on any more.
        Raises ItemLost where the item was dropped or went stale, or a unit failed on it (that error is its cause).
        """
        entry = self._entry(unit)
        arguments = _arguments(entry, unit, values, named)
        answers = (self._output(output) if output else self._only_output(entry.unit)).answers
        until = self._now() + timeout
        header = entry.header(deadline=until)
        future = answers.expect(header)
        try:
            self._put(entry, header, arguments, timeout)
            return self._segment.backend.result(future, until)
        except TimeoutError:
            raise TimeoutError(f"no answer to {header.key} within {timeout:g} s") from None
        except ItemLost as lost:
            self._raise()
            if lost.reason == Reason.EXPIRED and self._now() >= until:
                raise TimeoutError(f"no answer to {header.key} within {timeout:g} s: {lost}") from lost
            raise
        except RunError:
            self._raise()
            raise
        finally:
            answers.forget(header)

    def _put(self, entry: Entry, header: Any, values: Mapping[str, Any], timeout: float) -> None:
        try:
            entry.put(header, values, self._now() + timeout)
        except TimeoutError:
            unread = [name for name, output in self._segment.outputs.items() if output.is_holding_back]
            hint = (
                f"; nobody streams {', '.join(unread)}: read running.stream(...), or call running.wait()"
                if unread
                else ""
            )
            raise TimeoutError(f"the pipe of {header.stream!r} is still full after {timeout:g} s{hint}") from None
        except Cancelled:
            self._come_home(_LAST)
            self._raise()
            raise RunError("the process was stopped") from None

    def replay(self, letter: DeadLetter) -> None:
        """Give a dead letter to its unit once more, with the identity that it had."""
        inlet = self._segment.inlets.get(letter.unit)
        if inlet is None or inlet.joiner is not None:
            raise ValueError(
                f"{letter.unit!r} is fused or joins its inputs, so a single item can't be given back to it"
            )
        header = letter.item.header
        self._replayed.add("born", header)
        (port,) = inlet.pipes
        self._replayed.ended(inlet.put(port, Batch([letter.item.value], [header])), Reason.DROPPED)

    def dead_letters(self) -> list[DeadLetter]:
        """The items that were put aside with their errors, which are then no longer kept here."""
        return self._segment.dead_letters.take()

    def fire(self, unit: str, event: str, /, *values: Any, timeout: float = 10.0, **named: Any) -> list[Any]:
        """Fire an event at a unit: its method marked `@event(NAME)` is called in each worker, between two items.

        unit: a name, or a pattern such as `"camera*"` for all that have this event.
        Returns what the workers' methods returned. timeout: seconds; TimeoutError past it, for a worker that is busy.
        What a method raises comes out here; the process goes on. Raises StreamPyError for an event that is not there.
        """
        return self._segment.steering.fire(unit, event, values, named, self._now() + timeout)

    def pause(self, *units: str) -> None:
        """Hold units: they finish what they have in their hands, and take nothing more; without names, the sources.

        units: names, or patterns such as `"camera*"` for a group. What is sent to them waits in their pipes, as the
        settings of these say; a unit that is fused with others is held together with them.
        Raises StreamPyError where there is no such unit.
        """
        self._segment.steering.hold(units)

    def resume(self, *units: str) -> None:
        """Let units go on; without names, all of them."""
        self._segment.steering.release(units)

    def set(self, unit: str, /, *, timeout: float = 10.0, **settings: Any) -> None:
        """Give a unit other settings while it runs: a function's next call has them.

        A class unit is asked by its method `change`; one that has none is stopped, and made anew with them, between two
        items. Workers that come later have them too. timeout: seconds until all have taken them; TimeoutError past it.
        Raises StreamPyError for a setting that is not there or of a wrong type: then nothing was changed.
        """
        self._segment.steering.set(unit, settings, self._now() + timeout)

    def scale(self, unit: str, workers: int | None = None) -> None:
        """Give a unit so many workers, and let the load change nothing about it; None: as the process is described.

        There is room for as many as the process is described to have at the most: `workers: {min: 1, max: 8}`.
        Workers that go home finish what they have in their hands. Raises StreamPyError where there is no such unit, or
        no room; UnitFailed where a unit raises while it is made.
        """
        self._segment.steering.scale(unit, workers)
        if self._segment.is_cancelled:
            self._raise()

    def wait(self, timeout: float = inf) -> None:
        """Wait until the process has ended by itself; outputs that nobody streams are let go.

        timeout: seconds; TimeoutError past it. Raises the error of a unit: UnitFailed, or an ExceptionGroup of several.
        """
        self._let_outputs_go()
        if not self._segment.backend.wait_for(self._segment.ending, self._now() + timeout):
            raise TimeoutError(f"{self._segment.plan.name!r} still runs after {timeout:g} s")
        if self._segment.is_cancelled:
            self._come_home(_LAST)
        self._note_end()
        self._raise()

    def drain(self, timeout: float = 30.0) -> None:
        """End the sources and let everything that is under way come to its end; outputs can still be streamed.

        timeout: seconds; past it what is left is cancelled, and Hung names the units at which it stuck.
        """
        self._finish(timeout)
        if not self.is_over:
            stuck = self._segment.at_work()
            self._segment.cancel()
            self._come_home(_LAST)
            self._raise()
            raise Hung(stuck, f"did not come to an end within {timeout:g} s of draining; what was left was cancelled")
        self._raise()

    def stop(self, grace: float = _GRACE) -> None:
        """Drain for `grace` seconds, then cancel; raises what went wrong and was not raised before.

        Raises Hung, with the names of the culprits, where workers don't come home a second after that.
        """
        if not self.is_over:
            self._let_outputs_go()
            self._finish(grace)
        if not self.is_over:
            self._segment.cancel()
            self._come_home(_LAST)
        self._raise()

    def _finish(self, timeout: float) -> None:
        for output in self._segment.outputs.values():
            output.keep_all()
        self._segment.finish_sources()
        for entry in self._entries.values():
            entry.end()
        self._segment.backend.wait_for(self._segment.over, self._now() + timeout)
        self._note_end()

    def _let_outputs_go(self) -> None:
        for output in self._segment.outputs.values():
            if not output.is_streamed:
                output.discard()

    def _come_home(self, patience: float) -> None:
        """Wait for cancelled workers. Raises Hung where some don't come, unless a unit's error is to be raised."""
        if not self._segment.backend.wait_for(self._segment.over, self._now() + patience):
            late = self._segment.at_work()
            if self.control is not None:
                self.control.close()  # nobody else will: its segment does not come to its end
            _log.error("%s did not come back %.1f s after it was cancelled", ", ".join(late), patience)
            if not self._segment.errors:
                raise Hung(late, f"did not come back {patience:g} s after the process was cancelled")
        self._note_end()

    def _note_end(self) -> None:
        if self.is_over:
            self._ended_at = min(self._ended_at, self._now())

    def _raise(self) -> None:
        """Raise what the units raised, once."""
        errors = list(self._segment.errors)
        if not errors or self._is_raised:
            return
        self._is_raised = True
        if len(errors) == 1:
            raise errors[0]
        raise ExceptionGroup(f"{len(errors)} units of {self._segment.plan.name!r} failed", errors)

    def _output(self, name: str) -> Output:
        outputs = self._segment.outputs
        if name in outputs:
            return outputs[name]
        found = matching(name, outputs)
        if len(found) == 1:
            return outputs[found[0]]
        if found:
            raise StreamPyError(f"{name!r} has several open outputs, so say which: {', '.join(found)}")
        raise StreamPyError(f"{name!r} is no open output of the process{did_you_mean(name, outputs)}")

    def _only_output(self, unit: str) -> Output:
        outputs = [name for name, output in self._segment.outputs.items() if output.answers.can_answer(unit)]
        if len(outputs) != 1:
            told = ", ".join(outputs) or "none"
            raise StreamPyError(f"say at which output the answer to {unit!r} comes, `output=...`; open outputs: {told}")
        return self._segment.outputs[outputs[0]]

    def _entry(self, unit: str) -> Entry:
        found = matching(unit, self._entries)
        if len(found) == 1:
            return self._entries[found[0]]
        if unit not in self._entries:
            hint = did_you_mean(unit, self._entries) if self._entries else "; it has none: all inputs are linked"
            raise StreamPyError(f"{unit!r} is no open input of the process{hint}")
        return self._entries[unit]


def _arguments(entry: Entry, unit: str, values: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {**dict(zip(entry.ports, values, strict=False)), **named}
    if len(values) > len(entry.ports) or set(arguments) - set(entry.ports):
        raise TypeError(
            f"{unit!r} has the inputs {', '.join(entry.ports)}; got {len(values)} values and {sorted(named)}"
        )
    missing = [port for port in entry.ports if port not in arguments]
    if missing:
        raise TypeError(f"{unit!r} needs a value for {', '.join(missing)} too")
    return arguments
