"""How far two clocks are from each other, and when the other end is given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.pipes.net.clocks import Clock, Offset, Trip, estimate
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Frame, Kind
from streampy.pipes.net.heartbeat import Heartbeat, answer

ways = st.floats(0.0, 2.0)


@given(st.floats(-1e6, 1e6), st.lists(st.tuples(ways, ways), min_size=1, max_size=9))
def test_the_offset_is_right_to_within_its_error(offset, trips):
    measured = [
        Trip(100.0 + n, 100.0 + n + there + offset, 100.0 + n + there + back) for n, (there, back) in enumerate(trips)
    ]
    found = estimate(measured)
    assert abs(found.seconds - offset) <= found.error + 1e-6
    assert found.error <= min(there + back for there, back in trips) / 2 + 1e-6


def test_a_clock_believes_quicker_trips_and_in_time_others_too():
    clock = Clock(Offset(5.0, 0.001), now=0.0)
    clock.learn(Trip(1.0, 7.0, 1.1))
    assert Offset(5.0, 0.001) == clock.offset
    clock.learn(Trip(2.0, 7.0002, 2.0004))
    assert abs(clock.offset.seconds - 5.0) < 1e-9
    clock.learn(Trip(1002.0, 1007.05, 1002.1))
    assert abs(clock.offset.error - 0.05) < 1e-9


def test_an_end_that_is_heard_is_asked_in_time_and_one_that_is_not_is_given_up():
    heart = Heartbeat(every=0.5, lost_after=2.0, offset=Offset(), now=10.0)
    assert 10.5 == heart.ask(10.0)[1]
    heart.is_heard = True
    assert not heart.is_lost(11.0)
    assert 13.0 == heart.ask(12.8)[1]
    assert not heart.is_lost(12.9)
    assert heart.is_lost(13.0)


def test_an_answer_tells_the_clock_of_who_answers_and_one_to_no_question_tells_nothing():
    heart = Heartbeat(every=0.5, lost_after=2.0, offset=Offset(0.0, 1.0), now=10.0)
    question, _ = heart.ask(10.0)
    heart.learn(answer(question._replace(number=5), 77.0), 10.1)
    heart.learn(answer(question, float("nan")), 10.1)
    assert Offset(0.0, 1.0) == heart.offset
    heart.learn(answer(question, 77.0), 10.1)
    assert abs(heart.offset.seconds - 66.95) < 1e-6
    with pytest.raises(ProtocolError, match="PONG: got strange content"):
        heart.learn(Frame(Kind.PONG, question.number, parts=(b"no clock",) * 2), 10.1)
