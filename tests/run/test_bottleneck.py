"""What limits a process is found: in small real ones in which it is known, and in any numbers without an error."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.run.bottleneck import Finding, Limit, find_limit, per_second
from streampy.run.shares import shares

pytestmark = pytest.mark.alone

PIPE = {"capacity": 4}
GO = Event()
"""Set when the first look was taken: the sources wait for it."""


def numbers(*, until: int = 100, every: float = 0.0) -> Iterator[int]:
    GO.wait(10)
    for number in range(until):
        if every:
            sp.worker().sleep(every)
        yield number


def rounds(*, of: int, every: float) -> Iterator[sp.Batch[int]]:
    GO.wait(10)
    for _ in range(5):
        yield sp.Batch(range(of))
        sp.worker().sleep(every)


def quick(number: int) -> int:
    return number


def slow(number: int, *, seconds: float = 0.003) -> int:
    sp.worker().sleep(seconds)
    return number


async def slow_async(number: int) -> int:
    await asyncio.sleep(0.003)
    return number


def slow_batch(batch: sp.Batch[int]) -> sp.Batch[int]:
    sp.worker().sleep(0.003)
    return batch


def slow_stream(stream: Iterator[int]) -> None:
    for _ in stream:
        sp.worker().sleep(0.003)


def slow_sink(number: int) -> None:
    sp.worker().sleep(0.003)


def chain(*units: Any, **options: dict[str, Any]) -> sp.Process:
    """Units in a row, by the names that they have; all but the first have a pipe, unless `options` say otherwise."""
    process = sp.Process("test")
    before = None
    for unit in units:
        name = unit.__name__
        given = {"pipe": PIPE, **options.get(name, {})} if before else options.get(name, {})
        process.add(name, unit, from_=before, **{key: value for key, value in given.items() if value is not None})
        before = name
    return process


def first_look(running: sp.Running) -> Any:
    before = running.stats()
    GO.set()
    return before


def found(process: sp.Process) -> Finding:
    """What limits a process, from the moment at which its units have started until its end."""
    with sp.run(process) as running:
        before = first_look(running)
        running.wait()
        return find_limit(running.plan, before, running.stats())


def test_unit_for_which_its_sender_waits_is_the_limit():
    finding = found(chain(numbers, slow, quick))

    assert (Limit.UNIT, ("slow",)) == (finding.limit, finding.units)
    assert finding.why.startswith("slow is the limit: busy ")
    assert finding.why.endswith(" of the time, and its pipe was full")
    assert "more workers (`workers: 2`) would help" == finding.advice


def test_sink_that_blocks_is_the_limit_and_not_those_that_wait_for_it():
    finding = found(chain(numbers, slow, slow_sink, slow={"seconds": 0.001}))

    assert (Limit.UNIT, ("slow_sink",)) == (finding.limit, finding.units)


def test_unit_that_is_fused_with_the_source_is_the_limit_where_it_takes_most_of_their_time():
    finding = found(chain(numbers, slow, quick, slow={"pipe": None}, quick={"pipe": None}))

    assert (Limit.UNIT, ("slow",)) == (finding.limit, finding.units)
    assert "of the thread that it shares with numbers, quick" in finding.why


def test_pipe_of_its_own_is_advised_where_two_units_share_a_thread():
    finding = found(chain(numbers, slow, numbers={"every": 0.001}, slow={"pipe": None}))

    assert ("slow",) == finding.units
    assert finding.advice == "more workers (`workers: 2`) or a pipe of its own (`pipe: {capacity: 8}`) would help"


@pytest.mark.parametrize("pipe", [None, PIPE])
def test_source_is_the_limit_where_all_others_keep_up(pipe):
    finding = found(chain(numbers, quick, numbers={"every": 0.003}, quick={"pipe": pipe}))

    assert (Limit.SOURCE, ("numbers",), "") == (finding.limit, finding.units, finding.advice)
    assert finding.why.startswith("numbers gives ")
    assert "items/s: nothing is overloaded; quick, the busiest unit, works " in finding.why


def test_several_sources_are_named_with_their_rates():
    process = sp.Process("test")
    for name in ("left", "right"):
        process.add(name, numbers, every=0.003)
    process.add("quick", quick, from_=["left", "right"])

    finding = found(process)

    assert (Limit.SOURCE, ("left", "right")) == (finding.limit, finding.units)
    assert "items/s, right gives " in str(finding)


def test_unit_that_loses_items_is_the_limit_although_nobody_waits_for_it():
    dropping = {"capacity": 2, "overflow": "drop_oldest"}
    finding = found(chain(numbers, slow, numbers={"every": 0.001}, slow={"pipe": dropping}))

    assert (Limit.UNIT, ("slow",)) == (finding.limit, finding.units)
    assert ", and its pipe lost " in finding.why


def test_bursts_are_told_from_a_unit_that_is_too_slow():
    dropping = {"capacity": 8, "overflow": "drop_oldest"}
    finding = found(chain(rounds, quick, rounds={"of": 32, "every": 0.03}, quick={"pipe": dropping}))

    assert (Limit.BURSTS, ("quick",)) == (finding.limit, finding.units)
    assert "its capacity is 8" in finding.advice


@pytest.mark.parametrize("overflow", ["block", "drop_oldest"])
def test_pipe_that_lets_no_more_pass_is_the_limit_as_it_is_told_to_be(overflow):
    paced = {"capacity": 2, "rate": 300, "overflow": overflow}
    finding = found(chain(numbers, quick, numbers={"until": 30, "every": 0.001}, quick={"pipe": paced}))

    assert (Limit.PACE, ("quick",), "") == (finding.limit, finding.units, finding.advice)
    assert finding.why.startswith("the pipe of quick is the limit, as it is told to be: 300 items/s, and its pipe ")


@pytest.mark.parametrize("overflow", ["block", "drop_oldest"])
def test_unit_behind_a_pipe_that_lets_only_some_items_in_is_the_limit_and_not_that_pipe(overflow):
    entry = {"capacity": 4, "in_flight": 2, "overflow": overflow}
    finding = found(chain(numbers, quick, slow, quick={"pipe": entry}))
    assert (Limit.UNIT, ("slow",)) == (finding.limit, finding.units)


def test_pipe_that_lets_in_too_few_for_those_behind_it_is_the_limit():
    finding = found(chain(numbers, quick, slow, quick={"pipe": {"capacity": 4, "in_flight": 1}}, slow={"workers": 3}))
    assert (Limit.PACE, ("quick",)) == (finding.limit, finding.units)
    assert "lets 1 items in at once" in str(finding)


def test_larger_batch_is_advised_where_batches_are_full():
    finding = found(
        chain(numbers, slow_batch, numbers={"until": 400}, slow_batch={"pipe": {"capacity": 8, "batch": 8}})
    )

    assert ("slow_batch",) == finding.units
    assert finding.advice == "more workers (`workers: 2`) or a larger batch (`batch: 16`) would help"


def test_all_workers_of_a_unit_count():
    finding = found(chain(numbers, slow, slow={"workers": 2}))

    assert ("slow",) == finding.units
    assert finding.advice == "more workers (`workers: 3`) would help"


@pytest.mark.parametrize("unit", [slow_async, slow_stream])
def test_it_is_found_whatever_kind_of_unit_it_is(unit):
    finding = found(chain(numbers, unit))

    assert (Limit.UNIT, (unit.__name__,)) == (finding.limit, finding.units)


def test_unit_that_takes_the_whole_stream_is_not_told_to_have_more_workers():
    assert "a quicker unit would help" == found(chain(numbers, slow_stream)).advice


def test_few_calls_are_said_to_be_few():
    assert "(only 9 calls: measure longer to be sure)" in found(chain(numbers, slow, numbers={"until": 9})).why


def test_nothing_is_concluded_where_nothing_came():
    finding = found(chain(numbers, quick, numbers={"until": 0}))

    assert (Limit.NOTHING, ()) == (finding.limit, finding.units)


def imagined(*, blocked: float, busy: float, idle: float, high_water: int, workers: Any = 1) -> Finding:
    """`numbers` spends so much of its time `blocked`, `quick`, behind a pipe of 4, so much of it `busy` and `idle`."""
    with sp.run(chain(numbers, quick, quick={"workers": workers})) as running:
        before = first_look(running)
        running.wait()
        after = running.stats()
    seconds = after.seconds - before.seconds
    old = before.units["numbers"], before.units["quick"]
    units = {
        "numbers": replace(after.units["numbers"], blocked=old[0].blocked + blocked * seconds),
        "quick": replace(
            after.units["quick"],
            busy=old[1].busy + busy * seconds,
            idle=old[1].idle + idle * seconds,
            blocked=old[1].blocked,
        ),
    }
    pipes = {name: replace(pipe, high_water=high_water, overloaded=False) for name, pipe in after.pipes.items()}
    return find_limit(running.plan, before, replace(after, units=units, pipes=pipes))


def test_pipe_that_is_full_though_its_unit_does_nothing_is_the_limit_itself():
    finding = imagined(blocked=0.7, busy=0.1, idle=0.1, high_water=4)

    assert (Limit.HAND_OVER, ("quick",)) == (finding.limit, finding.units)


@pytest.mark.parametrize(("blocked", "high_water"), [(0.0, 4), (0.2, 3)])
def test_unit_is_no_limit_where_its_pipe_was_full_once_or_handing_over_costs_time(blocked, high_water):
    finding = imagined(blocked=blocked, busy=0.8, idle=0.2, high_water=high_water)

    assert (Limit.SOURCE, ("numbers",)) == (finding.limit, finding.units)


def test_pool_is_measured_by_the_workers_of_which_something_is_known():
    finding = imagined(blocked=0.7, busy=1.2, idle=0.1, high_water=4, workers={"min": 1, "max": 4})

    assert finding.why.startswith("quick is the limit: busy 92% of the time")
    assert finding.advice == "more workers (`workers: {min: 1, max: 5}`) would help"


def test_shares_of_a_fused_chain_are_those_of_one_worker():
    with sp.run(chain(numbers, slow, slow_sink, slow={"pipe": None}, slow_sink={"pipe": None})) as running:
        before = first_look(running)
        running.wait()
        told = shares(running.plan, before, running.stats())

    assert 0.8 < sum(share.busy for share in told.values()) <= 1.0
    assert [0.0] * 3 == [share.idle for share in told.values()]
    assert told["slow"].items == told["slow_sink"].items > 0


TIMES = st.floats(0, 20)
COUNTS = st.integers(0, 1000)


@pytest.fixture(autouse=True)
def closed_gate() -> None:
    GO.clear()


@pytest.fixture(scope="module")
def ended() -> Any:
    """A plan, and the statistics of a run in which nothing came."""
    with sp.run(chain(numbers, slow, numbers={"until": 0})) as running:
        GO.set()
        running.wait()
        return running.plan, running.stats()


@given(busy=TIMES, idle=TIMES, blocked=TIMES, received=COUNTS, lost=COUNTS, high=COUNTS, seconds=st.floats(0, 10))
def test_whatever_was_measured_the_finding_names_units_that_are_there(  # noqa: PLR0917 - as many as are drawn
    ended, busy, idle, blocked, received, lost, high, seconds
):
    plan, before = ended
    unit = replace(before.units["slow"], busy=busy, idle=idle, blocked=blocked, received=received, emitted=received)
    pipe = replace(before.pipes["slow.number"], dropped=lost, high_water=high)
    after = replace(before, units=dict.fromkeys(before.units, unit), pipes=dict.fromkeys(before.pipes, pipe))
    finding = find_limit(plan, before, replace(after, seconds=before.seconds + seconds))

    assert set(finding.units) <= set(plan.units)
    assert finding.why
    assert (received == 0) == (finding.limit is Limit.NOTHING)


@pytest.mark.parametrize(("rate", "text"), [(0.254, "0.25"), (29.94, "29.9"), (12345.6, "12 346")])
def test_rates_have_three_digits(rate, text):
    assert text == per_second(rate)
