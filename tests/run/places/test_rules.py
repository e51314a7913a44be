"""The rules of failure for units in OS processes of their own, or together in one; past the main one or through it."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.run.places import units
from tests.run.places.conftest import ends
from tests.run.places.units import Fussy, Mortal, Stuck, numbers, same

import streampy as sp

SOON = 20.0
AT_ONCE = 1.0
"""Seconds in which everything must be out."""
RESTART = sp.OnCrash(then="restart", backoff=0)


class Way:
    """Adds units to a process so that they live elsewhere, and their items go this way."""

    def __init__(self, name: str, place: str, **options: Any) -> None:
        self.name = name
        self.place = place
        self.options = options

    def __repr__(self) -> str:
        return self.name

    def process(self, *used: Any, **options: Any) -> sp.Process:
        """A chain of units named `a`, `b`, `c`, ...; `b={...}` gives options of `add` for one of them."""
        process = sp.Process("test")
        before = None
        for name, unit in zip("abcdefghijklm", used, strict=False):
            self.add(process, name, unit, from_=before, **options.get(name, {}))
            before = name
        return process

    def add(self, process: sp.Process, name: str, unit: Any, /, **options: Any) -> None:
        mine = dict(self.options)
        if options.get("from_") is None:
            mine.pop("pipe", None)
        process.add(name, unit, **{"place": self.place, **mine, **options})


OWN = Way("own", "own")
NAMED = Way("named and fused", "gpu")
IN_NAMED = Way("named", "gpu", pipe={"capacity": 8})
THROUGH_MAIN = Way("own through main", "own", on_crash=RESTART)
NAMED_THROUGH_MAIN = Way("named through main", "gpu", on_crash=RESTART)
LIMITED = Way("own through main for a limit", "own", pipe={"in_flight": 1000})


def later(way: Way) -> Any:
    """What `nox -s long` tries too: the suite tries each rule in one way at least."""
    return pytest.param(way, marks=pytest.mark.long)


ALL = [OWN, IN_NAMED, *map(later, (NAMED, THROUGH_MAIN, NAMED_THROUGH_MAIN))]
TWO = [OWN, later(NAMED_THROUGH_MAIN)]
each_way = pytest.mark.parametrize("way", ALL, ids=repr)
two_ways = pytest.mark.parametrize("way", TWO, ids=repr)
streams = pytest.mark.parametrize("way", [OWN, LIMITED], ids=repr)
straight = pytest.mark.parametrize("way", [OWN, IN_NAMED], ids=repr)


def drain(running: sp.Running, unit: str) -> list[Any]:
    return list(running.stream(unit, timeout=SOON))


def assert_balanced(running: sp.Running) -> None:
    ledger = running.stats().ledger
    assert ledger.balanced, ledger
    assert 0 == ledger.in_flight
    assert [0] * len(ledger.streams) == [one.in_flight for one in ledger.streams.values()]


# F1: end of stream


@each_way
def test_f1_five_are_sent_the_source_leaves_at_once_and_five_arrive(way):
    with sp.run(way.process(numbers, same, same)) as running:
        assert [0, 1, 2, 3, 4] == drain(running, "c")
    stats = running.stats()
    assert (5, 5) == (stats.ledger.born, stats.ledger.delivered)
    assert [(0, 5), (5, 5), (5, 5)] == [(unit.received, unit.emitted) for unit in stats.units.values()]
    assert_balanced(running)


@two_ways
def test_f1_a_source_with_nothing_to_say_ends_the_process(way):
    with sp.run(way.process(numbers, same, a={"until": 0})) as running:
        assert [] == drain(running, "b")


@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f1_the_end_comes_after_all_results_of_several_workers(place):
    process = sp.Process("pool").add("a", numbers, until=300, place=place)
    process.add("b", same, from_="a", workers=3, place=place).add("c", same, from_="b", place=place)
    with sp.run(process) as running:
        assert list(range(300)) == drain(running, "c")
    assert_balanced(running)


# F2: blocking overload


@two_ways
def test_f2_three_hundred_go_to_a_slow_sink_and_three_hundred_arrive_in_flat_memory(way):
    four = {"pipe": {"capacity": 4}}
    options = {"a": {"count": 300, "size": 200_000}, "b": four, "c": four}
    process = way.process(units.blocks, units.same_bytes, units.slow_sink, **options)
    with sp.run(process) as running:
        running.wait(SOON)
        reserved = sum(file.stat().st_blocks * 512 for file in Path("/dev/shm").glob("streampy*"))  # noqa: S108
    stats = running.stats()
    assert 300 == stats.ledger.delivered
    assert_balanced(running)
    assert all(pipe.high_water <= 4 for pipe in stats.pipes.values())
    assert reserved < 100 * 200_000


# F3: each drop policy


@two_ways
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest", "latest"])
def test_f3_what_an_overflow_drops_is_counted_to_the_item(way, overflow, tmp_path):
    first, rest = (units.make_gate(tmp_path / name) for name in ("first", "rest"))
    log = tmp_path / "arrived"
    process = way.process(units.gated_numbers, a={"until": 100, "first": first, "rest": rest})
    pipe = {"capacity": 4, "overflow": overflow}
    way.add(process, "sink", units.gated_sink, from_="a", pipe=pipe, first=first, rest=rest, log=str(log))
    with sp.run(process) as running:
        running.wait(SOON)
    arrived = list(map(int, units.notes(log)))
    ledger, taken = running.stats().ledger, running.stats().pipes["sink.number"]
    assert sorted(set(arrived)) == arrived
    assert 0 == arrived[0]
    assert overflow == "drop_newest" or 99 == arrived[-1]
    assert 2 <= len(arrived) <= 40
    assert (100, len(arrived), 100 - len(arrived)) == (ledger.born, ledger.delivered, ledger.dropped)
    assert (len(arrived), 100 - len(arrived)) == (taken.delivered, taken.dropped)
    assert_balanced(running)


@two_ways
def test_f3_the_policy_fail_makes_an_overload_an_error_that_names_the_pipe(way):
    process = way.process(units.for_ever)
    way.add(process, "sink", units.slow, from_="a", pipe={"capacity": 2, "overflow": "fail"}, seconds=SOON)
    with pytest.raises(sp.UnitFailed, match=r"the pipe sink\.number is full"), sp.run(process) as running:
        running.wait(SOON)


@two_ways
def test_f3_what_is_stale_is_refused_and_counted(way):
    with sp.run(way.process(units.old, same, b={"pipe": {"stale": 60}})) as running:
        assert [0, 2, 4, 6, 8] == drain(running, "b")
    ledger = running.stats().ledger
    assert (10, 5, 5) == (ledger.born, ledger.delivered, ledger.expired)
    assert 5 == running.stats().pipes["b.number"].expired
    assert_balanced(running)


# F4: a unit raises


@each_way
@pytest.mark.parametrize("at", [0, 50, 99])
def test_f4_a_unit_that_raises_stops_everything_and_its_own_exception_comes_out(way, at):
    process = way.process(numbers, Fussy, same, a={"until": 100}, b={"at": at})
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        drain(running, "c")
    cause = failed.value.__cause__
    assert ("b", f"a #{at}", "b") == (failed.value.unit, failed.value.key, failed.value.worker)
    assert isinstance(cause, KeyError)
    assert ("no key",) == cause.args
    assert f"raised in unit 'b' on item a #{at} (worker b)" in cause.__notes__
    assert 'raise KeyError("no key")' in "".join(traceback.format_exception(cause))
    assert running.is_over


@two_ways
@pytest.mark.parametrize("at", ["start", "init"])
def test_f4_a_unit_that_raises_before_the_first_item_stops_the_run(way, at):
    with pytest.raises(sp.UnitFailed, match="no key") as failed:
        sp.run(way.process(numbers, Fussy, b={"at": at}))
    assert "b" == failed.value.unit
    assert isinstance(failed.value.__cause__, KeyError)


@each_way
def test_f4_a_unit_that_raises_in_stop_is_told_after_the_last_item(way):
    arrived = []
    with pytest.raises(sp.UnitFailed, match="no key") as failed:
        with sp.run(way.process(numbers, Fussy, b={"at": "stop"})) as running:
            arrived += running.stream("b", timeout=SOON)
    assert "b" == failed.value.unit
    assert 5 == running.stats().ledger.delivered


@two_ways
def test_f4_endless_sources_are_stopped_by_an_error_behind_them(way):
    with pytest.raises(sp.UnitFailed), sp.run(way.process(units.for_ever, Fussy, b={"at": 1000})) as running:
        running.wait(SOON)


@pytest.mark.parametrize("way", [OWN, NAMED, NAMED_THROUGH_MAIN], ids=repr)
def test_f4_stop_is_called_for_each_unit_whose_start_was_entered(way, tmp_path):
    log = str(tmp_path / "stopped")
    told = {name: {"at": at, "log": log} for name, at in (("b", -1), ("c", 2), ("d", -3))}
    with pytest.raises(sp.UnitFailed), sp.run(way.process(numbers, Fussy, Fussy, Fussy, **told)) as running:
        running.wait(SOON)
    assert ["-1", "-3", "2"] == sorted(units.notes(log))


# F5 and F6: a sink raises, a source raises


@two_ways
def test_f5_a_sink_that_raises_stops_everything(way):
    with pytest.raises(sp.UnitFailed, match="disk full") as failed:
        with sp.run(way.process(numbers, same, units.broken_sink)) as running:
            running.wait(SOON)
    assert ("c", "a #3") == (failed.value.unit, failed.value.key)
    assert isinstance(failed.value.__cause__, OSError)


@two_ways
def test_f6_a_source_that_raises_stops_everything(way):
    with pytest.raises(sp.UnitFailed, match="camera gone") as failed:
        with sp.run(way.process(units.broken_source, same)) as running:
            drain(running, "b")
    assert "a" == failed.value.unit
    assert isinstance(failed.value.__cause__, OSError)


# F7: a unit ends early


@streams
@pytest.mark.parametrize("unit", [units.first_two, units.first_two_async])
def test_f7_a_unit_that_ends_while_its_input_has_items_is_an_error_that_names_it(way, unit):
    with pytest.raises(sp.UnitFailed, match="it ended while its input still had items") as failed:
        with sp.run(way.process(numbers, unit)) as running:
            drain(running, "b")
    assert "b" == failed.value.unit


@streams
def test_f7_a_unit_that_has_read_its_input_to_the_end_may_end(way):
    with sp.run(way.process(numbers, units.total)) as running:
        assert [10] == drain(running, "b")
    assert_balanced(running)


# F8: skip, retry, dead letter


@each_way
def test_f8_skip_counts_the_item_and_goes_on(way):
    with sp.run(way.process(numbers, units.odd_only, same, b={"on_error": "skip"})) as running:
        assert [1, 3] == drain(running, "c")
    stats = running.stats()
    assert (2, 3, 3) == (stats.ledger.delivered, stats.ledger.failed, stats.units["b"].failed)
    assert_balanced(running)


@two_ways
@pytest.mark.parametrize(("times", "arriving"), [(2, [0, 1, 2, 3, 4]), (3, [])])
def test_f8_retry_tries_again_and_then_goes_on_to_then(way, times, arriving):
    policy = sp.OnError(retry=2, then="skip", backoff=0.0001)
    process = way.process(numbers, units.FailsAtFirst, b={"times": times, "on_error": policy})
    with sp.run(process) as running:
        assert arriving == drain(running, "b")
    assert 10 == running.stats().units["b"].retried
    assert 5 - len(arriving) == running.stats().ledger.failed
    assert_balanced(running)


@each_way
def test_f8_a_dead_letter_keeps_the_item_with_its_error(way):
    with sp.run(way.process(numbers, units.odd_only, b={"on_error": "dead_letter"})) as running:
        assert [1, 3] == drain(running, "b")
    letters = running.dead_letters()
    assert [("b", 0, 0), ("b", 2, 2), ("b", 4, 4)] == [(one.unit, one.item.value, one.item.seq) for one in letters]
    assert "0 is even" == str(letters[0].error)
    assert isinstance(letters[0].error, ValueError)
    assert 3 == running.stats().ledger.failed
    assert_balanced(running)


@two_ways
def test_f8_a_dead_letter_can_be_replayed(way, tmp_path):
    path = tmp_path / "mended"
    with sp.run(way.process(units.needs_file, a={"on_error": "dead_letter", "path": str(path)})) as running:
        with pytest.raises(sp.ItemLost) as lost:
            running.call("a", 7, timeout=SOON)
        assert "failed" == lost.value.reason
        assert isinstance(lost.value.__cause__, ConnectionError)
        (letter,) = running.dead_letters()
        path.touch()
        running.replay(letter)
        assert 7 == next(running.stream("a", timeout=SOON))
    assert_balanced(running)


@two_ways
def test_f8_a_batch_in_which_one_item_fails_loses_only_that_one(way):
    options = {"a": {"until": 8}, "b": {"pipe": {"batch": 8, "wait": 1}, "on_error": "skip"}}
    with sp.run(way.process(numbers, units.halve, **options)) as running:
        assert [0, 0, 1, 2, 2, 3, 3] == drain(running, "b")
    assert 1 == running.stats().ledger.failed
    assert_balanced(running)


# F9 and F10: an OS process of a worker is killed


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSEGV", "os._exit"])
@straight
def test_f9_when_an_os_process_dies_everything_is_out_at_once_and_it_is_told_how(way, how, tmp_path):
    process = way.process(units.for_ever, Mortal, same, b={"log": str(tmp_path / "log"), "how": how})
    with pytest.raises((sp.WorkerDied, ExceptionGroup)) as died, sp.run(process) as running:
        drain(running, "c")
    told = "".join(traceback.format_exception(died.value))
    assert ("ended with exit code 7" if how == "os._exit" else f"was killed by {how}") in told
    assert running.is_over


@pytest.mark.parametrize("unit", ["a", "b", "c"])
def test_f9_whoever_is_killed_it_is_named_and_everything_is_out_at_once(unit):
    process = sp.Process("killed").add("a", units.for_ever, place="own")
    for name, before in (("b", "a"), ("c", "b")):
        process.add(name, same, from_=before, place="own")
    with pytest.raises(sp.WorkerDied) as died:
        with sp.run(process) as running:
            kill_behind_the_first_of("c", running, unit)
    assert unit == died.value.unit
    assert "was killed by SIGKILL" in str(died.value)


def kill_behind_the_first_of(unit: str, running: sp.Running, victim: str) -> None:
    stream = running.stream(unit, timeout=SOON)
    next(stream)
    os.kill(running._segment.rooms.of(victim, 0).child.pid, signal.SIGKILL)
    since = monotonic()
    try:
        list(stream)
    finally:
        assert monotonic() - since < AT_ONCE


@pytest.mark.parametrize("pipe", [{"capacity": 1}, {"batch": 4, "wait": 0.01}], ids=["singly", "batches"])
@pytest.mark.parametrize("how", ["SIGKILL", "exit"])
@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f9_what_a_dead_worker_had_in_its_hands_is_not_lost_not_seen_twice_and_stays_in_order(
    place, how, pipe, tmp_path
):
    process = sp.Process("restart").add("a", numbers, until=10, place="own")
    options = {"log": str(tmp_path / "log"), "how": how, "pipe": pipe}
    process.add("b", Mortal, from_="a", on_crash=RESTART, workers=2, place=place, **options)
    with sp.run(process) as running:
        assert [number for number in range(10) for _ in range(2)] == drain(running, "b")
    assert ["died"] == units.notes(tmp_path / "log")
    unit = running.stats().units["b"]
    assert (10, 20) == (unit.received, unit.emitted)
    assert_balanced(running)


@pytest.mark.parametrize("how", ["SIGKILL", "exit"])
def test_f9_a_source_that_dies_goes_on_with_its_numbers(how, tmp_path):
    log = str(tmp_path / "log")
    process = sp.Process("camera")
    process.add("a", units.mortal_source, on_crash=RESTART, place="own", log=log, deaths=2, how=how)
    process.add("b", units.keys, from_="a", place="own")
    with sp.run(process) as running:
        came = drain(running, "b")
    if how == "exit":
        assert ["a #0", "a #1", "a #2"] == came
    else:  # what it had not told yet has died with it
        assert came == sorted(set(came))
        assert "a #0" in came or running.stats().ledger.born == len(came)
    assert_balanced(running)


@pytest.mark.parametrize("how", ["SIGKILL", "os._exit", "exit"])
@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f10_a_poisonous_item_is_dead_lettered_after_so_many_deaths(place, how, tmp_path):
    log = tmp_path / "log"
    process = sp.Process("poison").add("a", numbers, until=10)
    process.add("b", Mortal, from_="a", on_crash=RESTART, place=place, deaths=99, log=str(log), how=how)
    process.add("both", units.pair, from_={"left": "a", "right": "b"})
    with sp.run(process) as running:
        assert [(number, 0 if number == 3 else 2) for number in range(10)] == drain(running, "both")
        (letter,) = running.dead_letters()
    assert 2 == len(units.notes(log))
    assert 3 == letter.item.value
    assert isinstance(letter.error, SystemExit if how == "exit" else sp.WorkerDied)
    assert 1 == running.stats().ledger.failed
    assert_balanced(running)


# F12: a hung worker


@pytest.mark.parametrize("way", [OWN, THROUGH_MAIN], ids=repr)
def test_f12_a_call_that_does_not_come_back_in_time_is_named_with_its_item_and_ended(way, tmp_path):
    log = tmp_path / "log"
    never = {"on_crash": "stop", **({"workers": 2} if way is THROUGH_MAIN else {})}
    process = way.process(numbers, Stuck, b={"timeout": 0.1, "log": str(log), **never})
    with pytest.raises(sp.Hung, match=r"'b' did not come back from item a #3 within its timeout") as hung:
        with sp.run(process) as running:
            drain(running, "b")
    assert ("b",) == tuple(name.partition("#")[0] for name in hung.value.units)
    assert [] == ends(list(map(int, units.notes(log))), monotonic() + SOON)


@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f12_a_hung_worker_is_killed_and_another_one_goes_on_with_its_item(place, tmp_path):
    log = tmp_path / "log"
    process = sp.Process("hung").add("a", numbers, until=10)
    process.add("b", Stuck, from_="a", timeout=0.1, on_crash=RESTART, place=place, log=str(log))
    with sp.run(process) as running:
        assert list(range(10)) == drain(running, "b")
    assert [] == ends(list(map(int, units.notes(log))), monotonic() + SOON)
    assert_balanced(running)


def test_f12_a_source_that_falls_silent_is_named_or_replaced(tmp_path):
    def process(log: str, **options: Any) -> sp.Process:
        unit, path = units.silent_source, str(tmp_path / log)
        return sp.Process("silent").add("a", unit, timeout=0.1, place="own", times=2, log=path, **options)

    with pytest.raises(sp.Hung, match=r"'a' gave nothing within its timeout of 0\.1 s"):
        with sp.run(process("one")) as running:
            running.wait(SOON)
    with sp.run(process("two", on_crash=RESTART)) as running:
        assert [0, 1, 2] == drain(running, "a")


@two_ways
def test_f12_a_unit_that_is_only_held_back_is_not_hung(way):
    process = way.process(numbers, same, a={"until": 10}, b={"timeout": 0.3})
    way.add(process, "sink", units.slow, from_="b", pipe={"capacity": 1}, seconds=0.05)
    with sp.run(process) as running:
        running.wait(SOON)
    assert 10 == running.stats().ledger.delivered


# F13: Ctrl-C, in the main OS process


@pytest.mark.parametrize("way", [OWN, NAMED], ids=repr)
def test_f13_ctrl_c_stops_every_unit_and_comes_out(way, tmp_path):
    log = str(tmp_path / "stopped")
    process = way.process(units.for_ever, Fussy, Fussy, b={"at": -1, "log": log}, c={"at": -2, "log": log})
    with pytest.raises(KeyboardInterrupt):
        with sp.run(process) as running:
            interrupt_behind_the_first_of("c", running)
    assert running.is_over
    assert ["-1", "-2"] == sorted(units.notes(log))


def interrupt_behind_the_first_of(unit: str, running: sp.Running) -> None:
    next(running.stream(unit, timeout=SOON))
    signal.raise_signal(signal.SIGINT)


# F16: memory in a long run


def resident() -> int:
    """Bytes of this OS process, with what it has mapped of shared memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@two_ways
def test_f16_memory_stays_flat_in_a_long_run(way):
    """Some hundred megabytes go through, with filters, errors and fan-outs on the way."""
    count = 2000
    process = way.process(
        units.counted_blocks, units.some, units.length, a={"count": count, "size": 100_000}, b={"on_error": "skip"}
    )
    memory = []
    with sp.run(process) as running:
        arrived = 0
        for arrived, _ in enumerate(running.stream("c", timeout=SOON), 1):
            if arrived in (count * 16 // 10 // 5, count * 16 // 10):
                memory.append(resident() + shared())
    assert count * 16 // 10 == arrived
    assert memory[1] - memory[0] < 20_000_000
    assert_balanced(running)


def shared() -> int:
    return sum(file.stat().st_blocks * 512 for file in Path("/dev/shm").glob("streampy*"))  # noqa: S108


# F21: no deadlock by construction


@pytest.mark.parametrize("capacity", [1, 3])
@two_ways
def test_f21_a_diamond_with_uneven_branches_ends(way, capacity):
    process, pipe = sp.Process("diamond"), {"capacity": capacity}
    way.add(process, "source", numbers, until=100)
    way.add(process, "odd", units.drop_even, from_="source", pipe=pipe)
    way.add(process, "parts", units.repeat, from_="odd", pipe=pipe)
    way.add(process, "slow", units.slow, from_="parts", pipe=pipe, seconds=0.0001)
    way.add(process, "pair", units.pair, from_={"left": "source", "right": "slow"}, pipe=pipe)
    with sp.run(process) as running:
        assert [(n, n % 4 if n % 2 else 0) for n in range(100)] == drain(running, "pair")
    assert_balanced(running)


@two_ways
def test_f21_one_slow_branch_of_a_fan_out_loses_nothing(way):
    process, one = sp.Process("fan-out"), {"capacity": 1}
    way.add(process, "source", numbers, until=100)
    way.add(process, "fast", same, from_="source", pipe=one)
    way.add(process, "slow", units.slow, from_="source", pipe=one)
    with sp.run(process) as running:
        fast = running.stream("fast", timeout=SOON)
        slow = running.stream("slow", timeout=SOON)
        came = [(next(fast), next(slow)) for _ in range(100)]
        assert ([], []) == (list(fast), list(slow))
    assert [(number, number) for number in range(100)] == came
    assert_balanced(running)


@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f21_a_cycle_comes_to_its_end(place):
    process = sp.Process("cycle").add("source", numbers_from_one, until=64, place=place)
    pipe = {"capacity": 500, "overflow": "drop_oldest"}
    process.add("halve", units.halve_once, from_=["source", "halve.again"], pipe=pipe, place=place)
    with sp.run(process) as running:
        done = drain(running, "halve.done")
    assert sorted(n // (n & -n) for n in range(1, 65)) == sorted(done)
    assert_balanced(running)


def numbers_from_one(*, until: int) -> Iterator[int]:
    yield from range(1, until + 1)


@pytest.mark.parametrize("place", ["own", "gpu"])
def test_f21_capacity_one_everywhere_with_several_workers(place):
    one = {"pipe": {"capacity": 1}, "workers": 2, "place": place}
    process = sp.Process("narrow").add("a", numbers, until=100).add("b", same, from_="a", **one)
    process.add("c", same, from_="b", **one)
    with sp.run(process) as running:
        assert list(range(100)) == drain(running, "c")
    assert_balanced(running)
