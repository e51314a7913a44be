"""The number of workers follows the load, within bounds and within a second."""

from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.scaler import LOOK_EVERY, Look, Scaler

bounds = st.tuples(st.integers(1, 6), st.integers(0, 10)).map(lambda pair: (pair[0], sum(pair)))
LOOKS_IN_A_SECOND = round(1 / LOOK_EVERY)


def look(workers: int, *, busy: int, waiting: int = 0, is_crowded: bool = False, blocked: float = 0.0) -> Look:
    return Look(workers=workers, busy=busy, waiting=waiting, is_crowded=is_crowded, blocked=blocked)


looks = st.builds(
    look,
    st.just(1),
    busy=st.integers(0, 20),
    waiting=st.integers(0, 100),
    is_crowded=st.booleans(),
    blocked=st.floats(0, 1),
)


@given(bounds, st.lists(looks, max_size=30))
def test_the_number_stays_within_its_bounds_whatever_is_seen(bounds, seen):
    scaler = Scaler(*bounds)
    workers = bounds[0]
    for one in seen:
        workers = scaler.decide(look(workers, busy=min(one.busy, workers), waiting=one.waiting, blocked=one.blocked))
        assert bounds[0] <= workers <= bounds[1]


@given(bounds)
def test_a_full_pipe_has_all_workers_within_a_second(bounds):
    scaler, workers = Scaler(*bounds), bounds[0]
    for _ in range(LOOKS_IN_A_SECOND):
        workers = scaler.decide(look(workers, busy=workers, waiting=60, is_crowded=True))
    assert workers == bounds[1]


@given(bounds)
def test_without_work_only_the_least_are_left_within_a_second(bounds):
    scaler, workers = Scaler(*bounds), bounds[1]
    for _ in range(LOOKS_IN_A_SECOND):
        workers = scaler.decide(look(workers, busy=0))
    assert workers == bounds[0]


@given(bounds, st.integers(1, 100))
def test_nobody_is_hired_while_what_follows_blocks(bounds, waiting):
    scaler, workers = Scaler(*bounds), bounds[0]
    for _ in range(30):
        assert scaler.decide(look(workers, busy=workers, waiting=waiting, is_crowded=True, blocked=0.9)) <= workers


def test_some_go_home_while_what_follows_blocks():
    scaler, workers = Scaler(1, 8), 8
    for _ in range(5):
        workers = scaler.decide(look(workers, busy=workers, waiting=60, is_crowded=True, blocked=0.9))
    assert workers == 7


@given(bounds)
def test_nobody_is_hired_while_a_worker_has_nothing_to_do(bounds):
    scaler, workers = Scaler(*bounds), bounds[0]
    for _ in range(20):
        assert scaler.decide(look(workers, busy=workers - 1, waiting=5)) <= workers


def test_one_moment_of_load_is_an_accident():
    scaler = Scaler(1, 8)
    assert [1, 1, 1] == [scaler.decide(look(1, busy=busy, waiting=9)) for busy in (0, 1, 0)]


def test_as_many_stay_as_are_busy_and_a_little_more():
    scaler = Scaler(1, 8)
    for _ in range(4):
        assert scaler.decide(look(8, busy=3)) == 8
    assert scaler.decide(look(8, busy=3)) == 4
