"""A worker that died is replaced after a pause that grows, unless it happens too often."""

from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.restarts import WITHIN, Restarts
from streampy.model.pipe import OnCrash


def test_the_pause_is_doubled_up_to_a_bound():
    restarts = Restarts(OnCrash(then="restart", backoff=0.1, backoff_most=0.5))
    assert [0.1, 0.2, 0.4, 0.5, 0.5] == [restarts.next(0.0) for _ in range(5)]


def test_what_is_long_ago_does_not_count():
    restarts = Restarts(OnCrash(then="restart", backoff=0.1, limit=1))
    assert [0.1, None, 0.1] == [restarts.next(now) for now in (0.0, WITHIN - 1, WITHIN)]


def test_the_default_replaces_nobody():
    assert Restarts(OnCrash()).next(0.0) is None


@given(st.integers(1, 5), st.lists(st.floats(0, 30), max_size=40))
def test_never_more_than_the_limit_within_a_minute(limit, gaps):
    restarts = Restarts(OnCrash(then="restart", limit=limit))
    now, granted = 0.0, []
    for gap in gaps:
        now += gap
        if restarts.next(now) is not None:
            granted.append(now)
    assert all(sum(time - WITHIN < other <= time for other in granted) <= limit for time in granted)
