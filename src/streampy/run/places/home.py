"""An OS process in which units live: it does what the main one says on its control line, until that says to end.

Knows nothing of how it was started. Its first thread listens; each worker has a thread, or a task of the event loop.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, final

from streampy.memory.empty import make_arrays_in
from streampy.memory.loans import Loans
from streampy.memory.region import NoSharedMemory
from streampy.memory.regions import Regions
from streampy.pipes.channel import Channel, PeerDied
from streampy.pipes.thrown import pack_error
from streampy.run.backend import Backend
from streampy.run.event_loop import EventLoop
from streampy.run.events import check_event
from streampy.run.places.control import Control
from streampy.run.places.pulse import Pulse
from streampy.run.places.seat import Here, Seat, refuse
from streampy.run.places.stock import Stock
from streampy.run.places.wire import Line, SeatTerms

if TYPE_CHECKING:
    from streampy.run.trace.tracer import Tracer, TraceTerms

_LAST: Final = 1.0
"""Seconds for the last traces."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an OS process must know before a worker comes."""

    name: str
    run: str
    """Of the run, in the names of its shared memory."""
    region: str
    """Its own name in those."""
    most: int
    """Items of its own that may be alive at once."""
    reach: int
    """Items of its own that may be alive at once where all units pass on what they are given."""
    item: int | None
    """Bytes of one, where that was said."""
    sharers: int
    """OS processes of the run that have shared memory, or may."""
    switch_interval: float
    """Seconds; see `Tuning`."""
    events: Mapping[str, Collection[str]]
    """Those of all units."""
    trace: TraceTerms | None
    """What is traced; None where nothing is."""


def live(file: int) -> None:
    """From the first word on the control line to the last. The file is the socket of that line."""
    control = Control(Channel.at(file))
    try:
        _, terms = control.hear()
        home = Home(terms, control)
        try:
            home.live()
        finally:
            home.close()
    except (PeerDied, EOFError):  # the main OS process is gone, and this one is about to be
        return


@final
class Home:
    """The workers of this OS process."""

    def __init__(self, terms: Terms, control: Control) -> None:
        self._control = control
        control.woken = self._give_back
        self._regions = regions = Regions()
        self._loans = Loans(regions, self._let_go)
        self._is_asked = False
        """Whether somebody over there has no room, and waits for what was lent to this OS process."""
        self._stock = Stock(
            terms.run,
            terms.region,
            terms.most,
            terms.item,
            reach=terms.reach,
            sharers=terms.sharers,
            ask=partial(control.say, "short"),
            tight=partial(control.say, "tight"),
        )
        self._backend = Backend()
        self._loop = EventLoop(self._backend, terms.name)
        self._seats: dict[int, Seat] = {}
        self._events = terms.events
        self._tracer = None if terms.trace is None else self._make_tracer(terms.trace, terms.name)
        self._here = Here(self._backend, self._stock, regions, self._post, self._loop.thread, self._tracer)
        self._refusal: NoSharedMemory | None = None
        """Why nobody can work here."""
        try:
            self._stock.reserve()
            make_arrays_in(self._stock.arena)
        except NoSharedMemory as error:  # each worker tells it, before it has started
            self._refusal = error
        sys.setswitchinterval(terms.switch_interval)

    def _make_tracer(self, terms: TraceTerms, place: str) -> Tracer:
        from streampy.run.trace.tracer import Tracer  # noqa: PLC0415 - few are traced

        tracer = Tracer(terms, self._backend.now, self._backend.launch, place)
        tracer.start()
        return tracer

    def close(self) -> None:
        """All is done: send what is left to be told of it."""
        if self._tracer is not None:
            self._tracer.close(_LAST)

    def live(self) -> None:
        """Listen until it is time to end."""
        while (said := self._control.hear())[0] != "close":
            word, *what = said
            if word in _TO_A_SEAT:
                seat = self._seats.get(what[0])
                if seat is not None:
                    _TO_A_SEAT[word](seat, *what[1:])
            else:
                getattr(self, f"_{word}")(*what)

    def _letter(self, number: int, seat: int, what: str, values: Sequence[Any]) -> None:
        """Something is asked of a worker, that it answers when it can."""
        asked = self._seats.get(seat)
        if asked is None:
            self._control.say("answer", number, "cancelled", None)
            return
        getattr(asked, what)(*values).add_done_callback(partial(self._answered, number))

    def _ping(self, number: int) -> None:
        """The main OS process wants to know whether this one stands still."""
        self._control.say("answer", number, "result", None)

    def _post(self, unit: str, event: str, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Fire an event, and don't wait. Raises StreamPyError for one that is not there. In the worker."""
        check_event(unit, event, self._events)
        self._control.say("post", unit, event, values, named)

    def _settled(self) -> None:
        """All units have started: what is there is there to stay."""
        gc.freeze()

    def _returned(self, numbers: Sequence[int]) -> None:
        """What was lent to the main OS process is needed no more."""
        self._loans.returned(numbers)

    def _short(self) -> None:
        """The main OS process has no room: what it has lent is to be given back as soon as it can be."""
        self._is_asked = True
        self._give_back()

    def _gone(self, regions: Sequence[str]) -> None:
        """Those who wrote there have ended, and nobody has anything of it any more."""
        for region in regions:
            self._regions.let_go(region)

    def _seat(self, number: int, terms: SeatTerms, line: int, page: int, *files: int) -> None:
        """A worker comes, with its line, the page of its pulse, and the channels of straight links."""
        pulse = Pulse(page, self._backend.now)
        os.close(page)
        there = Line(Channel.at(line), self._loans, opens=True)
        if self._refusal is not None:
            refuse(terms, there, self._refusal)
            return
        try:
            seat = Seat(terms, there, pulse, map(Channel.at, files), self._here)
        except Exception as error:  # its module can't be imported here, most of all
            refuse(terms, there, error)
            return
        self._seats[number] = seat
        if seat.is_async:
            self._loop.add(seat.main_async(), seat.name)
        else:
            Thread(target=seat.main, name=f"streampy {seat.name}", daemon=True).start()

    def _answered(self, number: int, answer: Future[Any]) -> None:
        if answer.cancelled():
            self._control.say("answer", number, "cancelled", None)
            return
        error = answer.exception()
        if error is None:
            self._control.say("answer", number, "result", answer.result())
        else:
            self._control.say("answer", number, "error", pack_error(error))

    def _let_go(self) -> None:
        """Something that was lent to this OS process is needed no more. At any moment: see `Loans`."""
        if self._is_asked:
            self._control.wake()

    def _give_back(self) -> None:
        if self._is_asked and (numbers := self._loans.take_returned()):
            self._is_asked = False
            self._control.say("returned", numbers)


_TO_A_SEAT: Final[Mapping[str, Callable[..., None]]] = {
    "gate": Seat.release,
    "stop": Seat.stop_source,
    "cancel": Seat.cancel,
}
"""What is said about one worker, and what it then does."""
