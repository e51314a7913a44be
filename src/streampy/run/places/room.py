"""An OS process of a run, as the main one sees it: started when its first worker comes, told to end behind its last.

Knows nothing of what its workers do. When it dies, the lines of all its workers end, and who comes next gets a new one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import count
from signal import Signals
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, final

from streampy.memory.loans import Loans
from streampy.pipes.channel import Channel, PeerDied, channel_pair
from streampy.pipes.thrown import unpack_error
from streampy.run.places.control import Control
from streampy.run.places.home import Terms
from streampy.run.places.pulse import Pulse, new_pulse
from streampy.run.places.wire import Line, SeatTerms
from streampy.run.tuning import INTERVAL

if TYPE_CHECKING:
    from streampy.model.place import Place
    from streampy.run.places.child import Child
    from streampy.run.places.rooms import Rooms

_log = logging.getLogger("streampy.run")
_LAST: Final = 0.5
"""Seconds in which the exit code of an OS process must be there that is dead."""


@final
class Desk:
    """One worker's place in an OS process, and how it is reached there."""

    def __init__(self, life: Life, number: int, line: Line, pulse: Pulse) -> None:
        self.line = line
        self.pulse = pulse
        self._life = life
        self._number = number

    def ask(self, answer: Future[Any], what: str, *values: Any) -> None:
        """Have a method of its `Seat` called, `fire` or `change`; the answer is what comes of it."""
        self._life.ask(answer, self._number, what, values)

    def say(self, word: str, *what: Any) -> None:
        """Say something about this worker: see `Home`."""
        self._life.control.say(word, self._number, *what)

    def cancel(self) -> None:
        """Send it home."""
        self.say("cancel")
        self.line.cancel()

    def leave(self, patience: float) -> None:
        """It has left, or died. Where it was the last one there, the OS process has so many seconds to end."""
        self.line.close()
        self.pulse.close()
        self._life.leave(patience)

    def kill(self) -> None:
        """End its OS process at once, and whoever else works there."""
        self._life.kill()

    def cause_of_death(self) -> str:
        """In words, for a line that has ended without a last word."""
        return self._life.cause_of_death()


@final
class Room:
    """An OS process, and the next one after its death."""

    def __init__(self, plan: Place, rooms: Rooms) -> None:
        self.name = plan.name
        self._plan = plan
        self._rooms = rooms
        self._lock = Lock()
        self._life: Life | None = None
        self._lives = count()

    def take(self, terms: SeatTerms, ends: Sequence[Channel]) -> Desk:
        """A worker comes, with the channels that go with its terms, which are closed here.

        Starts an OS process where none lives here. Raises RunError where that can't be done.
        """
        with self._lock:
            if self._life is None or not self._life.let_in():
                self._life = Life(self._plan, self._rooms, next(self._lives))
                self._life.let_in()
            return self._life.take(terms, ends)

    @property
    def child(self) -> Child | None:
        """The OS process that lives now."""
        life = self._life
        return None if life is None or not life.is_open else life.child

    def wake(self) -> bool:
        """Have whoever lives here tidy up; returns whether there is somebody. For any thread at any moment."""
        life = self._life
        if life is None or not life.is_open:
            return False
        life.control.wake()
        return True

    def say(self, word: str, *what: Any) -> None:
        """Say something to whoever lives here."""
        life = self._life
        if life is not None:
            life.control.say(word, *what)


@final
class Life:
    """One OS process from its start to its end."""

    def __init__(self, plan: Place, rooms: Rooms, life: int) -> None:
        here, there = channel_pair()
        self.name = plan.name
        self.control = Control(here)
        self.control.woken = self._woken
        self.is_open = True
        """Whether another worker may come."""
        self._rooms = rooms
        self._lock = Lock()
        self._workers = 0
        self._numbers = count()
        self._letters: dict[int, Future[Any]] = {}
        self.region = plan.name if not life else f"{plan.name}.{life}"
        """Its name in those of its shared memory."""
        self.loans = Loans(rooms.regions, self._let_go)
        self._is_asked = False
        """See `Home`."""
        self._has_ended = False
        """Whether it has ended, and all its workers have left, so that nothing of it comes any more."""
        with there, ExitStack() as if_it_fails:
            if_it_fails.callback(self.control.close)
            self.child = rooms.nursery.bear(
                plan.name,
                "streampy.run.places.home:live",
                there.fileno(),
                env=plan.env,
                cpus=plan.cpus,
                needs_main=plan.needs_script,
            )
            if_it_fails.pop_all()
        most, reach, item = rooms.most(plan), rooms.reach(plan), rooms.item(plan)
        sharers, events = rooms.sharers, rooms.events
        terms = Terms(plan.name, rooms.run, self.region, most, reach, item, sharers, INTERVAL, events, rooms.trace)
        self.control.say("terms", terms)
        Thread(target=self._listen, name=f"streampy {plan.name} control", daemon=True).start()

    def let_in(self) -> bool:
        """Count a worker who is about to come; False where the last one has left, or it is dead."""
        with self._lock:
            self._workers += self.is_open
            return self.is_open

    def take(self, terms: SeatTerms, ends: Sequence[Channel]) -> Desk:
        """A worker comes, who was let in."""
        here, there = channel_pair()
        page = new_pulse()
        number = next(self._numbers)
        try:
            with there:
                files = [there.fileno(), page, *(end.fileno() for end in ends)]
                self.control.hand_over(files, "seat", number, terms)
            return Desk(self, number, Line(here, self.loans, opens=False), Pulse(page, self._rooms.now, self.ping))
        finally:
            os.close(page)
            for end in ends:
                end.close()  # or the death of whoever has it would not be noticed

    def leave(self, patience: float) -> None:
        """See `Desk.leave`."""
        with self._lock:
            self._workers -= 1
            if self._workers:
                return
            self.is_open = False
        self.control.say("close")
        if self.child.wait(self._rooms.now() + patience) is None:
            _log.warning("the OS process of %s did not end within %g s, and is killed", self.name, patience)
            self.child.kill()
            self.child.wait(self._rooms.now() + _LAST)
        self._has_ended = True
        self._rooms.over(self)

    def ask(self, answer: Future[Any], seat: int, what: str, values: tuple[Any, ...]) -> None:
        """See `Desk.ask`."""
        number = next(self._numbers)
        self._letters[number] = answer
        self.control.say("letter", number, seat, what, values)
        if not self.is_open:
            self._give_up()

    def ping(self, answer: Future[Any]) -> None:
        """Have it say anything, which it does if it can."""
        number = next(self._numbers)
        self._letters[number] = answer
        self.control.say("ping", number)
        if not self.is_open:
            self._give_up()

    def _listen(self) -> None:
        try:
            while True:
                self._heard(*self.control.hear())
        except (PeerDied, EOFError):
            self.is_open = False
            self.loans.clear()
            self._give_up()
            self.control.close()

    def _heard(self, word: str, *what: Any) -> None:
        match word, *what:
            case "answer", int(number), str(kind), value:
                _settle(self._letters.pop(number), kind, value)
            case "post", unit, event, values, named:
                self._rooms.post(unit, event, values, named)
            case "returned", numbers:
                self.loans.returned(numbers)
            case "tight", str(text):
                self._rooms.tight(text)
            case ("short",):
                self._is_asked = True
                self._give_back()
            case _:
                raise AssertionError(f"an OS process of units does not say {word!r}")

    def _give_up(self) -> None:
        """Whoever waits for an answer is told that none will come."""
        while self._letters:
            _, answer = self._letters.popitem()
            answer.cancel()

    def _let_go(self) -> None:
        """Something that was lent to the main OS process is needed no more. At any moment: see `Loans`."""
        if self._has_ended:
            self._rooms.wake()
        elif self._is_asked:
            self.control.wake()

    def _woken(self) -> None:
        self._give_back()
        self._rooms.tidy()

    def _give_back(self) -> None:
        if self._is_asked and (numbers := self.loans.take_returned()):
            self._is_asked = False
            self.control.say("returned", numbers)

    def kill(self) -> None:
        """See `Desk.kill`."""
        self.is_open = False
        self.child.kill()

    def cause_of_death(self) -> str:
        """See `Desk.cause_of_death`."""
        self.is_open = False
        code = self.child.wait(self._rooms.now() + _LAST)
        if code is None:
            return f"its OS process ({self.child.pid}) closed its line, and lives"
        how = f"was killed by {Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        words = "".join(f"\n  {line}" for line in self.child.last_words)
        return f"its OS process ({self.child.pid}) {how}" + (f"; its last words:{words}" if words else "")


def _settle(answer: Future[Any], kind: str, value: Any) -> None:
    match kind:
        case "result":
            answer.set_result(value)
        case "error":
            answer.set_exception(unpack_error(value))
        case _:
            answer.cancel()
