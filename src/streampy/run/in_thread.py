"""A worker that is a thread: it runs a chain of fused units.

Knows nothing of the graph: it has an inlet to get from, and calls that know where to send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streampy.model.item import Batch, Header
from streampy.pipes.base import Cancelled
from streampy.run.call import Onward, TakenApart
from streampy.run.hand import Hand
from streampy.run.inlet import Taken
from streampy.run.member import Member
from streampy.run.outlet import Outlet
from streampy.run.runners import Fused, Runner, make_runners
from streampy.run.source import run_source
from streampy.run.stream import run_stream
from streampy.run.turnstile import Sent
from streampy.run.worker import sit_down


class Collected:
    """What a chain gave for one batch, until it is its turn to leave; the news of what ended, too."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._outlets = list(outlets)
        self.collect([])

    def collect(self, sent: Sent) -> None:
        """From now on, put everything in here."""
        self._sent = sent
        for outlet in self._outlets:
            outlet.put_off = sent.append

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
            if self.head.worker.sleep(self.pause):
                return
            while True:
                self._start()
                self._has_started()
                self._work()
                if not self.is_outdated:
                    break
                self._stop()
                self._settle(self._asked_down)
                while not self._bed.wait(self.mail) and self._is_needed:
                    self.mail.read()
                if not self._is_needed:
                    break
                self._renew()
        except Cancelled:
            pass
        except BaseException as error:
            self._tell(error)
        finally:
            self._stop()
            self._has_left()

    def _start(self) -> None:
        for call, unit in zip(self.calls, self._units, strict=True):
            self.at = call
            self._entered.append((call, unit))
            unit.start()

    def _stop(self) -> None:
        entered, self._entered = self._entered, []
        for call, unit in entered:
            self.at = call
            try:
                unit.stop()
            except BaseException as error:
                self._tell(error)

    def _work(self) -> None:
        ports = self.head.plan.ports
        if self.inlet is not None and not ports.is_stream:
            if self.head.plan.spec.on_crash.restarts:
                self._work_with_care()
            else:
                self._work_on_batches()
            return
        sent = Collected([self.head.outlet]) if self._turnstile is not None else None
        end: Onward = sent or self.calls[-1].outlet
        if self.inlet is None:
            self._emit(end)
        else:
            self._stream(end)

    def _runner(self, end: Onward) -> Runner:
        """What calls the units with a batch, and gives what comes of it to `end`."""
        if self.hops is not None:
            return self.hops.runner(self.calls, self, end)
        return make_runners(self.calls, self, end)

    def _emit(self, end: Onward) -> None:
        """Have a source give all that it has."""
        run_source(self.head, self._units[0].work, self._gate, self, self._behind_the_first(end))

    def _stream(self, end: Onward) -> None:
        """Have a unit take the whole stream."""
        batches = (taken.batch for taken in self._takes())
        run_stream(self.head, self._units[0].work, batches, self, self._behind_the_first(end))

    def _behind_the_first(self, end: Onward) -> Onward:
        if self.hops is not None:
            return self.hops.behind(self.calls, self, end, is_source=self.inlet is None)
        return Fused(make_runners(self.calls[1:], self, end)) if len(self.calls) > 1 else end

    def _work_on_batches(self) -> None:
        sent = Collected(call.outlet for call in self.calls) if self._turnstile is not None else None
        runner = self._runner(sent or self.calls[-1].outlet)
        for taken in self._takes(runner):
            if taken.batch:
                runner.run(taken.batch)
            if sent is not None and taken.ticket is not None:
                self._send(taken.ticket, sent.take())

    def _work_with_care(self) -> None:
        """So that another worker can go on where this one dies: nothing leaves before all items in hand are done."""
        collected = Collected([self.head.outlet])
        self.head.outlet.put_off = None  # nothing is in hand yet: what ended on its way in is told at once
        runner = self._runner(collected)
        for hand in self._hands():
            collected.collect(hand.sent)
            if not hand.is_apart:
                try:
                    runner.run(hand.whole)
                    hand.finish()
                except TakenApart:
                    hand.take_apart()
            for header, value in hand.items:
                if hand.deaths < self.head.plan.spec.on_crash.attempts:
                    runner.run_one(header, value)
                else:
                    self._give_up(hand, header, value)
            self.head.outlet.put_off = None
            self._send(hand.taken.ticket, hand.sent)

    def _hands(self) -> Iterator[Hand]:
        """What was in the hands of the worker before, then what the inlet gives."""
        if self.hand is not None:
            yield self.hand
            self._done(self.hand.taken)
        for taken in self._takes():
            self.hand = Hand(taken, self.head, is_apart=not self.head.takes_batches)
            yield self.hand
            self.hand = None

    def _send(self, ticket: int | None, sent: Sent) -> None:
        """Send what came of a batch, when it is its turn."""
        outlet = self.calls[-1].outlet
        if self._turnstile is not None and ticket is not None:
            self.in_hand = 0  # they are in the turnstile's
            self._turnstile.submit(ticket, sent, outlet.put)
            return
        for one in sent:
            one() if callable(one) else outlet.put(*one)

    def _takes(self, runner: Runner | None = None) -> Iterator[Taken]:
        """What the inlet gives, until it ends or the worker is to stop; each is done when the next is asked for."""
        hungry = runner if self._turnstile is None or self.is_far else None
        inlet = self.inlet
        assert inlet is not None, "a source has no inlet, and takes nothing"  # noqa: S101 - narrows the type
        while True:
            since = self._rest()
            self.mail.read()  # with nothing in hand: whatever it does, no item is lost by it
            if not self.may_go_on:
                return
            taken = inlet.get(self.mail, hungry.appetite if hungry is not None else 1.0)
            self._taken_at = self.head.now()
            self.head.meter.idle += self._taken_at - since
            if taken is None:
                return
            self.in_hand = len(taken.batch)
            if self.hops is not None:
                self.hops.took(taken, since, self._taken_at)
            self._news(taken)
            yield taken
            self._done(taken)
