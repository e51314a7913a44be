"""Several processes that run together: each is started and watched by a thread, and one place hears what happens.

Knows nothing of the terminal.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from streampy.run.running import Running
from streampy.run.start import START_WITHIN, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streampy.model.plan import Plan
    from streampy.run.trouble import Letters


class Watched:
    """One process with the file it was read from. Its own thread starts it and waits for its end."""

    def __init__(
        self, file: str, plan: Plan, events: SimpleQueue[Watched | str], options: Mapping[str, Any] | None = None
    ) -> None:
        """Options: of `streampy.run`."""
        self._whole = plan
        self._options = options or {}
        self.file = file
        self.plan = plan.of_segment(self._options["segment"]) if self._options.get("segment") else plan
        """What runs here."""
        self.running: Running | None = None
        """None until all its units have started."""
        self._starting: Running | None = None
        self.errors: list[BaseException] = []
        self.is_over = False
        self._events = events
        self._has_started = Event()
        self._thread = Thread(target=self._watch, name=f"watch {plan.name}", daemon=True)
        self._asked: dict[str, Thread] = {}
        """Who sees to what it was asked for."""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def drain(self, timeout: float) -> None:
        """End the sources, and what is left after `timeout` seconds; returns at once."""
        self._ask("drain", lambda running: running.drain(timeout))

    def put_out(self) -> None:
        """Cancel what is under way; returns at once."""
        self._ask("put out", lambda running: running.stop(grace=0.0))

    def _ask(self, what: str, how: Callable[[Running], None]) -> None:
        """Ask once, in a thread of its own: an answer may take its time."""
        if what not in self._asked and not self.is_over:
            asked = Thread(target=self._obey, args=(how,), name=f"{what} {self.plan.name}", daemon=True)
            asked.start()
            self._asked[what] = asked  # only now, for whoever watches joins all that are here
            if self._starting is not None:  # else whoever starts it sees that something was asked
                self._starting.give_up()

    def _watch(self) -> None:
        try:
            self._starting = prepare(self._whole, **self._options)
            if self._asked:
                self._starting.give_up()
            self._starting.start(START_WITHIN)
            self.running = self._starting
            self._has_started.set()
            self.running.wait()
        except BaseException as error:
            self.errors.append(error)
        finally:
            self._has_started.set()
            for asked in list(self._asked.values()):
                asked.join()  # it may have to tell that a unit hung, which was killed
            self._leave()

    def _obey(self, how: Callable[[Running], None]) -> None:
        self._has_started.wait()
        if self.running is None:
            return
        try:
            how(self.running)
        except BaseException as error:
            self.errors.append(error)
            self._leave()  # who hangs may never come back to the thread that watches

    def _leave(self) -> None:
        self.is_over = True
        self._events.put(self)


class System:
    """The processes, and the events that whoever runs them waits for."""

    def __init__(
        self,
        plans: dict[str, Plan],
        options: Mapping[str, Any] | None = None,
        letters: Mapping[str, Letters] | None = None,
    ) -> None:
        """Options: of `streampy.run`, for each. letters: by file, who is given its dead letters."""
        self.events: SimpleQueue[Watched | str] = SimpleQueue()
        """A process that has come to its end, or the word that a signal puts here."""
        kept = {file: {"dead_letters": one} for file, one in (letters or {}).items()}
        self.processes = [
            Watched(file, plan, self.events, {**(options or {}), **kept.get(file, {})}) for file, plan in plans.items()
        ]

    def start(self) -> None:
        """Start them all; returns at once."""
        for process in self.processes:
            process.start()

    def drain(self, timeout: float) -> None:
        """Drain them all; returns at once."""
        for process in self.processes:
            process.drain(timeout)

    def put_out(self) -> None:
        """Cancel them all; returns at once."""
        for process in self.processes:
            process.put_out()

    @property
    def is_over(self) -> bool:
        """Whether all have come to their end."""
        return all(process.is_over for process in self.processes)

    @property
    def errors(self) -> list[BaseException]:
        """What went wrong, of all of them."""
        return [error for process in self.processes for error in process.errors]
