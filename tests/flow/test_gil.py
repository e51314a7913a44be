"""Who holds the GIL is concluded from who ran, and who ran on without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.gil import NOBODY, Held, Seen, Suspicion, blame

SEEN = st.builds(
    Seen, unit=st.sampled_from(["a", "b", "c", NOBODY]), ran=st.floats(0, 1, allow_subnormal=False), runs_without=...
)


def learned(*threads: Seen) -> Suspicion:
    suspicion = Suspicion()
    suspicion.learn(threads)
    return suspicion


def test_one_that_ran_is_blamed_and_one_that_ran_on_without_the_gil_hardly():
    threads = [Seen("pure", 1.0, runs_without=False), Seen("numpy", 1.0, runs_without=True)]
    shares = blame(threads, learned(*threads))

    assert shares["pure"] > 0.95


def test_one_that_mostly_runs_without_the_gil_is_hardly_blamed_where_it_had_to_wait_for_the_cpu():
    free = [Seen("pure", 0.5, runs_without=False), Seen("numpy", 0.5, runs_without=True)]
    stopped = [Seen("pure", 0.5, runs_without=False), Seen("numpy", 0.5, runs_without=False)]
    shares = blame(stopped, learned(*free, *stopped))

    assert shares["pure"] > 0.95


def test_one_that_works_now_with_and_now_without_the_gil_is_blamed_in_part():
    threads = [Seen("pure", 1.0, runs_without=False), Seen("mixed", 1.0, runs_without=True)]
    suspicion = learned(*threads, threads[0], Seen("mixed", 1.0, runs_without=False))

    assert {"pure": pytest.approx(2 / 3), "mixed": pytest.approx(1 / 3)} == blame(threads, suspicion)


def test_one_that_ran_alone_is_blamed_whatever_it_does():
    threads = [Seen("numpy", 0.05, runs_without=True), Seen("idle", 0.0, runs_without=False)]
    assert {"numpy": 1.0} == blame(threads, None) == blame(threads, learned(*threads))


def test_nobody_is_blamed_where_nobody_ran():
    assert {} == blame([Seen("idle", 0.0, runs_without=False)], None)


def test_workers_of_a_unit_are_blamed_together():
    threads = [Seen(unit, 1.0, runs_without=False) for unit in "aab"]
    assert {"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 3)} == blame(threads, learned(*threads))


@given(st.lists(SEEN))
def test_the_blame_is_whole_and_falls_on_those_that_ran(threads):
    shares = blame(threads, learned(*threads))

    assert set(shares) == {one.unit for one in threads if one.ran}
    assert not shares or sum(shares.values()) == pytest.approx(1.0)
    assert all(0 < share <= 1.000001 for share in shares.values())


@given(st.lists(st.tuples(st.floats(0, 1), st.lists(SEEN), st.booleans())))
def test_no_more_seconds_are_held_than_were_looked_at(looks):
    held = Held()
    for seconds, threads, is_close in looks:
        held.add(seconds, 0.001, threads, is_close=is_close)

    assert sum(held.seconds.values()) <= sum(seconds for seconds, _, _ in looks) + 1e-9
    assert len(looks) == held.waits.count


def test_waits_are_those_of_all_moments_also_of_those_in_which_it_was_free():
    held = Held()
    held.add_free()
    held.add(0.05, 0.004, [Seen("a", 1.0, runs_without=False)], is_close=False)

    assert (2, 0.002) == (held.waits.count, held.waits.summary().mean)
    assert {"a": 0.05} == held.seconds
