"""What can be done to units while they run: hold them, give them other settings, more workers, or an event.

Knows nothing of items.
"""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from streampy.errors import StreamPyError
from streampy.model.settings import check_settings
from streampy.model.suggest import did_you_mean
from streampy.model.unit import events_of
from streampy.run.events import check_event

if TYPE_CHECKING:
    from streampy.run.crew import Crew
    from streampy.run.segment import Segment

_log = logging.getLogger("streampy.run")
_HEARD_WITHIN = 1.0
"""Seconds in which other OS processes have to hear that units are held."""


class Steering:
    """Any thread may use it. Everything raises StreamPyError where there is no unit of a name."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._units = segment.plan.units

    def known(self, unit: str) -> str:
        """The name of a unit. Raises StreamPyError where there is none of that name."""
        if unit not in self._units:
            raise StreamPyError(f"there is no unit {unit!r}{did_you_mean(unit, self._units)}")
        return unit

    def matching(self, patterns: Sequence[str]) -> list[str]:
        """The units that are meant, by names or by patterns."""
        found: list[str] = []
        for pattern in patterns:
            found += fnmatch.filter(self._units, pattern) or [self.known(pattern)]
        return found

    def hold(self, patterns: Sequence[str]) -> None:
        """Let units take nothing more; without patterns, the sources."""
        sources = [name for name, unit in self._units.items() if not unit.inputs]
        crews = [self._segment.crew_of(unit) for unit in (self.matching(patterns) if patterns else sources)]
        for crew in crews:
            crew.hold()
        heard = [member.held() for crew in crews for member in crew.members]
        with suppress(TimeoutError):  # who has not heard it by now will when it can
            self._results([one for one in heard if one is not None], self._segment.backend.now() + _HEARD_WITHIN)

    def release(self, patterns: Sequence[str]) -> None:
        """Let units go on that are held, and not stopped; without patterns, all."""
        for crew in self._crews(patterns or list(self._units)):
            if not crew.is_down:
                crew.release()

    def stop(self, patterns: Sequence[str], until: float) -> None:
        """Hold units and have them stopped, so that they give back what they have. Raises TimeoutError past `until`."""
        crews = [crew for crew in self._crews(patterns) if not crew.is_down]
        self.hold(patterns)
        self._results([one for crew in crews for one in crew.put_down()], until)

    def start(self, patterns: Sequence[str], until: float) -> None:
        """Make units anew that were stopped, and let them go on. Raises TimeoutError past `until`."""
        crews = self._crews(patterns)
        started = [one for crew in crews for one in crew.take_up()]
        self.release(patterns)
        self._results(started, until)

    def restart(self, patterns: Sequence[str], until: float) -> None:
        """Stop units, and make them anew, between two items. Raises TimeoutError past `until`."""
        crews = [crew for crew in self._crews(patterns) if not crew.is_down]
        self._results([member.restart() for crew in crews for member in list(crew.members)], until)

    def _crews(self, patterns: Sequence[str]) -> list[Crew]:
        """Each one once."""
        return list(dict.fromkeys(self._segment.crew_of(unit) for unit in self.matching(patterns)))

    def scale(self, unit: str, workers: int | None) -> None:
        """Give a unit so many workers; None: as many as the process says. Raises StreamPyError if there is no room."""
        spec, crew = self._units[self.known(unit)].spec, self._segment.crew_of(unit)
        if crew.is_down:
            raise StreamPyError(f"{unit!r} is stopped: start it first")
        least, most = (spec.workers - spec.spare, spec.workers) if workers is None else (workers, workers)
        if not 1 <= least <= most <= crew.places:
            raise StreamPyError(
                f"got {workers} workers for {unit!r}, expected 1 to {crew.places}: start it with "
                f"`workers: {{min: 1, max: {max(most, 2)}}}` to have room for more"
            )
        crew.least, crew.most = least, most
        for _ in range(least - crew.count):
            self._segment.hire(crew)
        crew.dismiss(crew.count - most)

    def set(self, unit: str, settings: Mapping[str, Any], until: float) -> None:
        """Give a unit other settings. Raises StreamPyError for a wrong one, TimeoutError past `until`."""
        plan = self._units[self.known(unit)]
        known = {**plan.settings_of(0), **self._segment.changed[unit]}
        wanted = replace(plan.spec, settings={**known, **settings}, each=())
        checked, problems = check_settings(wanted, plan.ports)
        if problems:
            raise StreamPyError("; ".join(problem.message for problem in problems))
        changed = {name: checked[name] for name in settings}
        self._segment.changed[unit].update(changed)
        answers = [member.change(unit, changed) for member in self._segment.crew_of(unit).members]
        self._results([answer for answer in answers if answer is not None], until)

    def fire(self, pattern: str, event: str, values: tuple[Any, ...], named: dict[str, Any], until: float) -> list[Any]:
        """Fire an event at all that have it, of the units that are meant, and wait for what their methods return."""
        units = self.matching([pattern])
        heard = [name for name in units if event in events_of(self._units[name].spec.use)] or units[:1]
        return self._results([one for name in heard for one in self._fire(name, event, values, named)], until)

    def post(self, unit: str, event: str, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Fire an event, and don't wait for what comes of it: an error is logged."""

        def tell(answer: Future[Any]) -> None:
            if not answer.cancelled() and (error := answer.exception()) is not None:
                _log.error("the event %r raised in unit %r", event, unit, exc_info=error)

        for answer in self._fire(unit, event, values, named):
            answer.add_done_callback(tell)

    def _fire(self, unit: str, event: str, values: tuple[Any, ...], named: dict[str, Any]) -> list[Future[Any]]:
        events = events_of(self._units[self.known(unit)].spec.use)
        check_event(unit, event, {unit: events})
        members = self._segment.crew_of(unit).members
        answers = [member.fire(unit, events[event], values, named) for member in members]
        return [answer for answer in answers if answer is not None]

    def _results(self, answers: Sequence[Future[Any]], until: float) -> list[Any]:
        """What the workers say, but for those that have left meanwhile: they can't, and need not."""
        results = []
        for answer in answers:
            with suppress(CancelledError):
                results.append(self._segment.backend.result(answer, until))
        return results
