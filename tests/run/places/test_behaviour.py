"""What units do in one OS process they do in several: joins, pools, events, settings, answers, arrays, errors."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.run.places import more_units as more
from tests.run.places import units
from tests.run.places.units import for_ever, numbers, same

import streampy as sp

SOON = 20.0
places = pytest.mark.parametrize("place", ["own", "gpu"])


def drain(running: sp.Running, unit: str) -> list[Any]:
    return list(running.stream(unit, timeout=SOON))


def assert_balanced(running: sp.Running) -> None:
    stats = running.stats()
    assert stats.ledger.balanced, stats.ledger
    assert 0 == stats.ledger.in_flight
    assert [0] * len(stats.ledger.streams) == [one.in_flight for one in stats.ledger.streams.values()]
    for name, pipe in stats.pipes.items():
        assert pipe.received == pipe.delivered + pipe.dropped + pipe.expired + pipe.depth, name


# joins, order, kinds of units


@pytest.mark.parametrize("drawn_at", ["main", "own"])
@pytest.mark.parametrize(
    ("place", "options"),
    [("own", {}), ("own", {"workers": 2, "ordered": False}), ("gpu", {})],
    ids=["own", "own pool", "named"],
)
def test_frame_markup_and_profiles_of_one_frame_meet_wherever_they_were_made(place, options, drawn_at):
    process = sp.Process("faces").add("camera", numbers, until=60, place=place)
    process.add("detect", more.detect, from_="camera", place=place, pipe={"capacity": 4})
    who = more.hesitant if options else more.identify
    process.add("identify", who, from_="detect.crops", place=place, pipe={"capacity": 4}, **options)
    links = {"frame": "camera", "markup": "detect.markup", "profiles": "identify"}
    process.add("draw", more.draw, from_=links, place=drawn_at)
    with sp.run(process) as running:
        drawn = drain(running, "draw")
    assert [(n, n, [(n, face) for face in range(n % 4) if face != 2]) for n in range(60)] == drawn
    assert_balanced(running)


def test_a_join_does_not_lose_what_comes_far_ahead_on_a_short_way():
    """The source tells the join in main of many items at once; a chain beside it is quicker."""
    process, pipe = sp.Process("skewed"), {"capacity": 8}
    process.add("source", numbers, until=3000, place="gpu")
    process.add("one", same, from_="source", pipe=pipe, place="gpu")
    process.add("other", same, from_="one", pipe=pipe, place="gpu")
    process.add("pair", units.pair, from_={"left": "source", "right": "other"}, pipe=pipe)
    with sp.run(process) as running:
        assert [(number, 1) for number in range(3000)] == drain(running, "pair")
    assert_balanced(running)


@places
def test_units_of_every_kind_run_elsewhere(place):
    process = sp.Process("kinds").add("numbers", more.numbers_async, until=5, place=place)
    process.add("twice", more.twice_async, from_="numbers", place=place)
    process.add("total", more.total, from_="twice", place=place)
    process.add("totals", more.total_async, from_="total", place=place)
    process.add("batches", more.batches, until=8, place=place)
    pipe = {"batch": 4, "wait": 0.01}
    process.add("sized", more.in_batches, from_="batches", pipe=pipe, place=place)
    with sp.run(process) as running:
        assert [0, 0, 1, 3, 7, 13, 22, 34, 50, 70] == drain(running, "totals")
        assert [(number, True) for number in range(8)] == drain(running, "sized")
    assert running.stats().pipes["sized.batch"].batch.max <= 4
    assert_balanced(running)


@pytest.mark.parametrize("source", [more.gives_two_and_waits, more.gives_two_and_waits_async])
@places
def test_what_a_source_gave_comes_though_it_then_falls_quiet(place, source, tmp_path):
    gate = units.make_gate(tmp_path / "gate")
    process = sp.Process("quiet").add("source", source, place=place, gate=gate)
    with sp.run(process) as running:
        came = running.stream("source", timeout=SOON)
        assert [1, 2] == [next(came), next(came)]
        units.let_through(gate)
        assert [3] == list(came)


@places
def test_several_sources_feed_one_unit_and_keep_their_order(place):
    process = sp.Process("several")
    for name in ("one", "two"):
        process.add(name, numbers, until=50, place=place)
    process.add("third", numbers, until=50)
    process.add("all", units.keys, from_=["one", "two", "third"], place=place)
    with sp.run(process) as running:
        came = drain(running, "all")
    for name in ("one", "two", "third"):
        assert [f"{name} #{number}" for number in range(50)] == [key for key in came if key.startswith(f"{name} ")]
    assert 150 == len(came)
    assert_balanced(running)


def test_the_newest_value_rides_along():
    process = sp.Process("latest").add("numbers", numbers, until=50, place="own")
    process.add("ten", numbers, until=10, place="own")
    process.add("both", more.with_newest, from_={"number": "numbers", "newest": "ten"}, place="own")
    with sp.run(process) as running:
        assert [(number, True) for number in range(50)] == drain(running, "both")
    assert_balanced(running)


def test_a_used_process_that_is_placed_own_lives_in_an_os_process_of_its_own():
    inner = sp.Process("inner").add("double", units.double).add("who", more.whoami, from_="double")
    process = sp.Process("outer").add("inner", inner, place="own")
    process.add("other", more.whoami, place="own")
    with sp.run(process) as running:
        told = running.call("inner", 1, timeout=SOON)
        assert len({told[-1], running.call("other", 1, timeout=SOON)[-1], os.getpid()}) == 3


def test_items_of_high_priority_overtake_and_a_rate_holds_back(tmp_path):
    entered, gate = (units.make_gate(tmp_path / name) for name in ("entered", "gate"))
    process = sp.Process("first").add("held", more.held, place="own", entered=entered, gate=gate, **ordered_by())
    with sp.run(process) as running:
        running.push("held", 0)
        units.wait_at(entered)
        for number in range(1, 6):
            running.push("held", number, meta={"priority": number})
        units.let_through(gate)
        came = running.stream("held", timeout=SOON)
        assert [0, 5, 4, 3, 2, 1] == [next(came) for _ in range(6)]
    assert_balanced(running)


def ordered_by() -> dict[str, Any]:
    return {"pipe": {"order": "priority"}}


@places
def test_so_many_items_are_let_in_at_once(place):
    process = sp.Process("limited").add("source", numbers, until=30, place=place)
    process.add("one", same, from_="source", pipe={"in_flight": 2}, place=place)
    process.add("parts", units.repeat, from_="one", place=place)
    with sp.run(process) as running:
        assert [number for number in range(30) for _ in range(number % 4)] == drain(running, "parts")
    assert_balanced(running)


# steering


@places
def test_events_reach_each_worker_and_tell_what_came_of_them(place):
    process = sp.Process("events").add("annotate", more.Annotate, font=10, workers=2, place=place)
    with sp.run(process) as running:
        assert 20 == running.call("annotate", 2, timeout=SOON)
        assert [10, 10] == running.fire("annotate", "font", 7)
        assert [14] * 4 == [running.call("annotate", 2, timeout=SOON) for _ in range(4)]
        with pytest.raises(ValueError, match="a font has a size"):
            running.fire("annotate", "font", 0)
        assert 7 == running.call("annotate", 1, timeout=SOON)


def test_a_unit_fires_an_event_at_one_in_another_os_process():
    process = sp.Process("events").add("speak", more.speak, place="own")
    process.add("listen", more.Annotate, from_="speak", pipe={"capacity": 4}, place="own")
    with sp.run(process) as running:
        while running.call("speak", 2, timeout=SOON) != 6:  # an event is no item: it may come behind some
            pass
    wrong = sp.Process("events").add("speak", more.speak_wrongly, place="own")
    wrong.add("listen", more.Annotate, from_="speak", pipe={"capacity": 4}, place="own")
    with pytest.raises(sp.UnitFailed, match="'listen' has no event 'fond', did you mean 'font'"):
        with sp.run(wrong) as running:
            running.call("speak", 2, timeout=SOON)


@pytest.mark.parametrize("unit", [more.scale, more.scale_async])
def test_settings_are_changed_while_it_runs(unit):
    with sp.run(sp.Process("live").add("scale", unit, workers=2, by=2, place="own")) as running:
        assert 10 == running.call("scale", 5, timeout=SOON)
        running.set("scale", by=7)
        assert [35, 35] == [running.call("scale", 5, timeout=SOON) for _ in range(2)]


@places
def test_a_unit_is_asked_to_take_settings_or_is_made_anew(place):
    process = sp.Process("live").add("changes", more.Annotate, font=2, place=place)
    process.add("anew", more.Counting, by=2, place=place)
    with sp.run(process) as running:
        running.set("changes", font=5)
        assert 15 == running.call("changes", 3, timeout=SOON)
        assert [102, 202] == [running.call("anew", 1, timeout=SOON) for _ in range(2)]
        running.set("anew", by=3)
        assert [103, 203] == [running.call("anew", 1, timeout=SOON) for _ in range(2)]
    assert 4 == running.stats().units["anew"].received
    assert_balanced(running)


@places
def test_a_source_with_other_settings_starts_again_and_counts_on(place):
    process = sp.Process("live").add("camera", more.Camera, url="one", place=place)
    process.add("seen", more.url_and_seq, from_="camera", place=place)
    with sp.run(process) as running:
        seen = running.stream("seen", timeout=SOON)
        assert ("one", 0) == next(seen)
        running.set("camera", url="two")
        urls, seqs = zip(*(next(seen) for _ in range(300)), strict=True)
        assert "two" == urls[-1]
        assert list(range(1, 301)) == list(seqs)


@places
def test_a_paused_process_is_balanced_and_goes_on_where_it_was(place):
    process = sp.Process("paused").add("n", for_ever, place=place)
    process.add("d", units.double, from_="n", pipe={"capacity": 4}, place=place)
    with sp.run(process) as running:
        stream = running.stream("d", timeout=SOON)
        came = [next(stream) for _ in range(10)]
        running.pause()
        came += until_quiet(running)
        ledger = running.stats().ledger
        assert ledger.balanced, ledger
        running.resume()
        came += [next(stream) for _ in range(10)]
        running.drain(SOON)
        came += stream
    assert [2 * number for number in range(len(came))] == came
    ledger = running.stats().ledger
    assert ledger.born == ledger.delivered == len(came)
    assert_balanced(running)


def until_quiet(running: sp.Running) -> Iterator[Any]:
    try:
        yield from running.stream("d", timeout=0.2)
    except TimeoutError:
        return


@places
def test_a_held_unit_takes_nothing_and_loses_nothing(place):
    process = sp.Process("held").add("first", same, place=place)
    process.add("second", same, from_="first", pipe={"capacity": 64}, place=place)
    with sp.run(process) as running:
        running.pause("second")
        for number in range(10):
            running.push("first", number)
        with pytest.raises(TimeoutError):
            next(running.stream("second", timeout=0.1))
        running.resume("second")
        results = running.stream("second", timeout=SOON)
        assert list(range(10)) == [next(results) for _ in range(10)]


# answers


@places
def test_a_call_gets_its_own_answer_whatever_became_of_the_item(place):
    process = sp.Process("calls").add("double", units.double, workers=2, place=place)
    process.add("parts", more.parts, place=place).add("doubles", units.double, from_="parts", place=place)
    process.add("odd", more.odd, place=place).add("same", same, from_="odd", place=place)
    process.add("fails", more.fails, on_error="skip", place=place)
    with sp.run(process) as running:
        asked = [running.call("double", number, output="double", timeout=SOON) for number in range(20)]
        assert list(range(0, 40, 2)) == asked
        assert [0, 2, 4, 6] == running.call("parts", 4, timeout=SOON)
        assert [] == running.call("parts", 0, timeout=SOON)
        assert [None, 3] == [running.call("odd", number, timeout=SOON) for number in (2, 3)]
        with pytest.raises(sp.ItemLost, match="failed at fails") as lost:
            running.call("fails", 1, timeout=SOON)
    assert isinstance(lost.value.__cause__, ValueError)
    assert_balanced(running)


# where a worker is


def test_a_worker_knows_its_place():
    cpus = sorted(os.sched_getaffinity(0))
    each = [{"word": "one"}, {"word": "two"}]
    process = sp.Process("who").add("numbers", numbers, until=40)
    options = {"env": {"WORD_OF_PLACE": "there"}, "cpus": [cpus[0]], "device": "cpu", "each": each}
    process.add("who", more.whoami, from_="numbers", workers=2, place="own", pipe={"capacity": 1}, **options)
    with sp.run(process) as running:
        told = set(drain(running, "who"))
    expected = {("who", n, 2, f"who#{n}", "cpu", each[n]["word"], "there", (cpus[0],)) for n in range(2)}
    assert expected == {one[:-1] for one in told}
    assert os.getpid() not in {one[-1] for one in told}


def test_a_source_says_how_much_it_will_emit():
    with sp.run(sp.Process("p").add("a", more.announced, place="own").add("b", same, from_="a")) as running:
        running.wait(SOON)
        assert 3 == running.stats().expected


# values and errors


@pytest.mark.parametrize("in_place", [False, True])
@places
def test_frames_come_unchanged_to_several_and_those_that_are_kept_stay_as_they_were(place, in_place):
    process = sp.Process("frames").add("camera", more.frames, until=100, in_place=in_place, place=place)
    process.add("window", more.Window, from_="camera", place="own", pipe={"capacity": 2})
    process.add("brighter", more.brighter, from_="camera", place=place, pipe={"capacity": 2})
    process.add("both", more.both_means, from_={"left": "camera", "right": "brighter"})
    with sp.run(process) as running:
        windows, both = running.stream("window", timeout=SOON), running.stream("both", timeout=SOON)
        came = [(next(windows), next(both)) for _ in range(100)]
        assert ([], []) == (list(windows), list(both))
    for number, (window, means) in enumerate(came):
        assert list(range(max(0, number - 4), number + 1)) == window
        assert (number, number + 1) == means
    assert_balanced(running)


@places
def test_frames_that_the_main_os_process_keeps_stay_as_they_were(place):
    kept = []
    with sp.run(sp.Process("keep").add("camera", more.frames, until=50, place=place)) as running:
        for frame in running.stream("camera", timeout=SOON):
            kept = [*kept[-4:], frame]
            number = int(frame[0])
            assert [max(0, number - 4) + n for n in range(len(kept))] == [int(one.max()) for one in kept]
    assert [45, 46, 47, 48, 49] == [int(one.min()) for one in kept]


def test_what_others_read_too_can_not_be_written_to():
    process = sp.Process("writes").add("camera", more.frames, until=1, place="own")
    process.add("writes", more.writes_into, from_="camera", place="own")
    with pytest.raises(sp.UnitFailed, match="read-only") as failed, sp.run(process) as running:
        drain(running, "writes")
    assert "writes" == failed.value.unit


@pytest.mark.parametrize("then", ["main", "own"])
def test_a_value_that_can_not_be_pickled_is_an_error_of_the_unit_that_gave_it(then):
    process = sp.Process("odd").add("numbers", numbers)
    process.add("gives", more.not_to_be_pickled, from_="numbers", place="own")
    process.add("takes", same, from_="gives", place=then)
    with pytest.raises(sp.UnitFailed, match="pickle") as failed, sp.run(process) as running:
        drain(running, "takes")
    assert "gives" == failed.value.unit


def test_an_error_that_can_not_be_pickled_is_told_in_words():
    with pytest.raises(sp.UnitFailed, match="Odd: odd 0") as failed:
        with sp.run(sp.Process("odd").add("n", numbers).add("b", more.raises_oddly, from_="n", place="own")) as running:
            running.wait(SOON)
    assert ("b", "n #0") == (failed.value.unit, failed.value.key)
    assert "raise Odd(number, number)" in "".join(traceback.format_exception(failed.value))


def test_an_error_comes_with_its_cause_its_notes_and_its_lines():
    process = sp.Process("cause").add("n", numbers).add("b", more.raises_with_cause, from_="n", place="own")
    with pytest.raises(sp.UnitFailed) as failed, sp.run(process) as running:
        running.wait(SOON)
    error = failed.value.__cause__
    assert isinstance(error, ValueError)
    assert isinstance(error.__cause__, KeyError)
    assert "a note of the user" in error.__notes__
    told = "".join(traceback.format_exception(error))
    assert '{}["no key"]' in told
    assert "raise failure from error" in told


@pytest.mark.parametrize("error", ["exit", "ctrl-c"])
@pytest.mark.parametrize("at", ["start", "work", "stop"])
def test_a_unit_that_ends_its_worker_stops_the_process_and_is_named(at, error):
    process = sp.Process("leaves").add("n", numbers)
    process.add("b", more.Leaves, from_="n", at=at, error=error, place="own")
    with pytest.raises(sp.UnitFailed, match="so it is") as failed, sp.run(process) as running:
        running.wait(SOON)
    assert "b" == failed.value.unit
    assert isinstance(failed.value.__cause__, SystemExit if error == "exit" else KeyboardInterrupt)


def test_a_module_that_can_not_be_imported_there_is_an_error_that_names_the_unit(tmp_path, monkeypatch):
    (tmp_path / "only_in_main.py").write_text(
        "import os\n"
        f"if os.getpid() != {os.getpid()}:\n"
        "    raise ImportError('no driver here')\n"
        "def unit(number: int) -> int:\n"
        "    return number\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_in_main  # noqa: PLC0415 - it was written a line above

    with pytest.raises(sp.UnitFailed, match="no driver here") as failed:
        sp.run(sp.Process("import").add("n", numbers).add("b", only_in_main.unit, from_="n", place="own"))
    assert "b" == failed.value.unit
    assert isinstance(failed.value.__cause__, ImportError)


@places
def test_the_statistics_say_where_time_goes(place):
    process = sp.Process("stats").add("n", numbers, until=30, place=place)
    process.add("slow", units.slow, from_="n", pipe={"capacity": 4}, seconds=0.005, place=place)
    with sp.run(process) as running:
        assert 30 == len(drain(running, "slow"))
    stats = running.stats()
    unit, pipe = stats.units["slow"], stats.pipes["slow.number"]
    assert (30, 30, 1, 30) == (unit.received, unit.emitted, unit.workers, unit.work.count)
    assert unit.busy > 0.15
    assert unit.work.p50 > 0.0049
    assert stats.units["n"].blocked > 0.05
    assert (30, 30, 0) == (pipe.received, pipe.delivered, pipe.depth)
    assert 1 <= pipe.high_water <= 4
    assert pipe.wait.count == 30
    assert 30 == stats.latency["slow"].count
    assert_balanced(running)


def test_a_large_answer_comes_whole():
    with sp.run(sp.Process("big").add("big", more.big_result, place="own")) as running:
        frame = running.call("big", 7, timeout=SOON)
        assert (more.SIZE, 7, 7) == (frame.size, frame.min(), frame.max())
        assert np.uint8 == frame.dtype
