"""What came from others is answered until they have heard it, and who does not come back is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from streampy.model.item import Header
from streampy.run.backend import Backend
from streampy.run.limits import Limits
from streampy.run.segments.host import Host
from streampy.run.segments.wire import Answer, Parcels, Peer, Word
from streampy.testing import Clock


class Slow(Backend):
    """With a clock that is moved by hand."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.now = clock.now


@dataclass(eq=False)
class Line:
    """Keeps what is said."""

    peer: Peer
    is_full = False
    said: list[Any] = field(default_factory=list)

    def say(self, word: Word, what: Any = None) -> None:
        self.said.append((word, what))

    def close(self) -> None:
        """Nothing to be done."""


ITEM = Header("camera", 5, 0.0)
HERE = Header("camera@edge-1", 5, 0.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits() -> Limits:
    return Limits([], Backend().lock())


@pytest.fixture
def host(clock: Clock, limits: Limits) -> Host:
    host = Host("core-1", limits, Slow(clock))
    limits.listen(host)
    limits.counted = host.counted
    return host


def edge() -> Line:
    return Line(Peer("edge", "edge-1"))


def sent(number: int = 1) -> Parcels:
    return Parcels("a.out -> b.x", [number], [ITEM], ["value"], ["edge"])


def answers(line: Line) -> list[Answer]:
    return [what for word, what in line.said if word is Word.ANSWER]


def test_an_item_that_comes_again_is_not_worked_on_again_and_its_answer_is_said_again(host, limits):
    line = edge()
    host.meet(line)
    assert [HERE] == host.came(line, sent()).headers
    assert [] == host.came(line, sent())
    limits.ledger().add("delivered", HERE)
    again = edge()
    host.meet(again)
    assert [] == host.came(again, sent())
    assert answers(line) == answers(again) != []


def test_what_comes_late_on_a_line_that_was_replaced_is_not_worked_on_again(host, limits):
    old, new = edge(), edge()
    host.meet(old)
    host.meet(new)
    assert [HERE] == host.came(new, sent()).headers
    limits.ledger().add("delivered", HERE)
    host.heard(new, [1])
    assert [] == host.came(old, sent())


def test_a_neighbour_that_comes_back_within_a_minute_hears_what_it_missed(host, limits, clock):
    line = edge()
    host.meet(line)
    host.came(line, sent())
    host.went(line, for_good=False)
    limits.ledger().add("delivered", HERE)
    clock.move(59.0)
    again = edge()
    host.meet(again)
    assert [] == host.came(again, sent())
    assert [[1]] == [numbers for answer in answers(again) for numbers, _ in answer.visits]
    host.heard(again, [1])
    assert host.is_quiet(whoever=True)


def test_a_neighbour_that_does_not_come_back_is_forgotten_and_holds_up_nothing(host, limits, clock):
    line = edge()
    host.meet(line)
    host.came(line, sent())
    host.went(line, for_good=False)
    limits.ledger().add("delivered", HERE)
    assert host.is_quiet(whoever=False)
    assert not host.is_quiet(whoever=True)
    clock.move(61.0)
    host.meet(Line(Peer("edge", "edge-2")))
    assert host.is_quiet(whoever=True)


def test_a_neighbour_that_took_its_leave_is_forgotten_at_once(host):
    line = edge()
    host.meet(line)
    host.came(line, sent())
    host.went(line, for_good=True)
    assert 1 == len(host)
    assert [] == host._guests.neighbours


def test_nothing_is_kept_of_what_was_answered_and_heard(host, limits):
    line = edge()
    host.meet(line)
    ledger = limits.ledger()
    for number in range(1000):
        header = Header("camera", number, 0.0)
        came = host.came(line, Parcels("a.out -> b.x", [number + 1], [header], [0], ["edge"]))
        ledger.add_each("delivered", came.headers)
        host.heard(line, [number + 1])
    assert (0, [], 0) == (len(host), host._guests.neighbours, len(limits._families))
