"""A worker that is a thread: it runs a chain of fused units.

Knows nothing of the graph: it has an inlet to get from, and calls that know where to send.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from streampy.model.item import Batch, Header
from streampy.pipes.base import Cancelled
from streampy.run.call import Onward
from streampy.run.inlet import Taken
from streampy.run.member import Member
from streampy.run.outlet import Outlet
from streampy.run.runners import Fused, Runner, Straight, make_runners
from streampy.run.source import run_source
from streampy.run.stream import run_stream
from streampy.run.turnstile import Sent
from streampy.run.worker import sit_down


class Collected:
    """What a unit gave for one batch, until it is its turn to leave; the news of what ended, too."""

    def __init__(self, outlet: Outlet) -> None:
        self._sent: Sent = []
        outlet.put_off = self._sent.append

    def put(self, port: str, batch: Batch[Any]) -> None:
        """See `Onward.put`."""
        self._sent.append((port, batch))

    def put_one(self, port: str, header: Header, value: Any) -> None:
        """See `Onward.put_one`."""
        self._sent.append((port, Batch([value], [header])))

    def take(self) -> Sent:
        """All of it, which is then no longer here."""
        sent = self._sent.copy()
        self._sent.clear()
        return sent


class ThreadMember(Member):
    """A thread that runs a chain."""

    def main(self) -> None:
        """From start to stop."""
        sit_down(self)
        try:
            self._start()
            self.is_starting = False
            self._foreman.ready()
            self._work()
        except Cancelled:
            pass
        except BaseException as error:
            self._tell(error)
        finally:
            self._stop()
            self.has_left = True
            self.mail.shut()
            self._foreman.left(self)

    def _start(self) -> None:
        for call, unit in zip(self.calls, self._units, strict=True):
            self.at = call
            self._entered.append((call, unit))
            unit.start()

    def _stop(self) -> None:
        for call, unit in self._entered:
            self.at = call
            try:
                unit.stop()
            except BaseException as error:
                self._tell(error)

    def _work(self) -> None:
        ports = self.head.plan.ports
        sent = Collected(self.head.outlet) if self._turnstile is not None else None
        end: Onward = sent or self.calls[-1].outlet
        if self.inlet is not None and not ports.is_stream:
            runner = make_runners(self.calls, self, end)
            for taken in self._takes(runner):
                if taken.batch:
                    runner.run(taken.batch)
                if sent is not None and taken.ticket is not None:
                    self._take_turn(taken.ticket, sent)
            return
        onward: Onward = Fused(make_runners(self.calls[1:], self, end)) if len(self.calls) > 1 else end
        if self.inlet is None:
            run_source(self.head, self._units[0].work, self._gate, self, onward)
        else:
            run_stream(self.head, self._units[0].work, (taken.batch for taken in self._takes()), self, onward)

    def _take_turn(self, ticket: int, sent: Collected) -> None:
        assert self._turnstile is not None, "only called where results leave in order"  # noqa: S101 - narrows the type
        self._turnstile.submit(ticket, sent.take(), self.head.outlet.put)

    def _takes(self, runner: Runner | None = None) -> Iterator[Taken]:
        """What the inlet gives, until it ends; each is done when the next is asked for."""
        hungry = runner if isinstance(runner, Straight) and self._turnstile is None else None
        inlet = self.inlet
        assert inlet is not None, "a source has no inlet, and takes nothing"  # noqa: S101 - narrows the type
        while True:
            since = perf_counter()
            taken = inlet.get(self.mail, hungry.appetite if hungry is not None else 1.0)
            self.head.meter.idle += perf_counter() - since
            if taken is None:
                return
            self.mail.read()
            self.in_hand = len(taken.batch)
            self._news(taken)
            yield taken
            self.in_hand = 0
            inlet.done(taken)
