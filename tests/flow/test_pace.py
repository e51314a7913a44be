"""No more than so many items a second pass, and as many as that where they are there in time."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.pace import Pace

rates = st.floats(0.01, 10_000)
counts = st.integers(1, 20)


@given(rates, st.lists(st.tuples(counts, st.floats(0, 10)), min_size=1, max_size=40))
def test_whoever_waits_for_the_time_never_exceeds_the_rate(rate, passes):
    pace, first, now, passed = Pace(rate), 100.0, 100.0, 0
    for count, late in passes:
        now = max(now, pace.next_at) + late / rate
        first = first if passed else now
        assert passed <= (now - first) * rate + 1e-6
        pace.pass_by(count, now)
        passed += count


@given(rates, st.lists(st.tuples(counts, st.floats(0, 0.09)), min_size=1, max_size=40))
def test_whoever_is_a_little_late_each_time_reaches_the_rate(rate, passes):
    pace, now = Pace(rate), 0.0
    pace.pass_by(1, now)
    for count, late in passes:
        now = pace.next_at + late / rate
        pace.pass_by(count, now)
    items = 1 + sum(count for count, _ in passes)
    assert abs(pace.next_at * rate - items) < 1e-6 * items


@given(rates, st.floats(1, 100))
def test_whoever_was_away_for_long_gets_nothing_in_advance(rate, away):
    pace = Pace(rate)
    pace.pass_by(1, 0.0)
    now = pace.next_at + away / rate
    pace.pass_by(1, now)
    assert pace.next_at >= now + 1 / rate - 1e-9 * now


@given(st.lists(st.tuples(counts, st.floats(0, 10)), max_size=20))
def test_without_a_bound_everything_passes_at_once(passes):
    pace = Pace(inf)
    for count, now in passes:
        pace.pass_by(count, now)
    assert pace.next_at == -inf
