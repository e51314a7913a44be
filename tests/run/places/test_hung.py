"""Units that hang in OS processes of their own (F12), and what is killed from outside: frozen ones, and the nursery."""

from __future__ import annotations

import os
import signal
from itertools import islice
from pathlib import Path
from select import select
from time import monotonic

import pytest
from tests.run.places.conftest import ends

import streampy as sp
from streampy.errors import WorkerDied

SOON = 20.0
AT_ONCE = 1.0
"""Seconds."""
UNTIL = 8
RESTART = sp.OnCrash(then="restart", backoff=0)


@pytest.fixture
def units(lives_path):
    import hung_units  # noqa: PLC0415 - the fixture has its folder found

    return hung_units


@pytest.fixture
def hanging(units, tmp_path):
    os.mkfifo(tmp_path / "word")

    def make(how, **options):
        process = sp.Process("hangs").add("numbers", units.numbers, until=UNTIL)
        options = {"place": "own", **options}
        return process.add("hangs", units.Hangs, how=how, folder=str(tmp_path), from_="numbers", **options)

    return make


def _word(folder: Path) -> bytes:
    """Wait for what `Hangs` says before it hangs."""
    file = os.open(folder / "word", os.O_RDWR)  # so that there is no end of it before its beginning
    try:
        return os.read(file, 1) if select([file], (), (), SOON)[0] else b""
    finally:
        os.close(file)


@pytest.fixture
def endless(units):
    """Everybody in an OS process of its own; straight, or through the main one."""

    def make(**options):
        process = sp.Process("endless").add("numbers", units.numbers, until=10**9, place="own")
        return process.add("pid", units.pid_of, from_="numbers", place="own", pipe={"capacity": 4}, **options)

    return make


HOW = pytest.mark.parametrize("how", [pytest.param("sleep", marks=pytest.mark.long), "match", "freeze"])
"""It waits; it holds the GIL in C; its whole OS process stands still."""


@HOW
def test_f12_who_hangs_elsewhere_is_killed_and_named(hanging, how):
    running = sp.run(hanging(how, timeout=0.2))
    pid = running._segment.rooms._rooms["hangs"].child.pid
    with pytest.raises(sp.Hung, match=r"'hangs' did not (come back from|answer).* within its timeout") as caught:
        list(running.stream("hangs", timeout=SOON))
    assert ["hangs"] == list(caught.value.units)
    assert [] == ends([pid], monotonic() + AT_ONCE)


@pytest.mark.parametrize("workers", [1, 2])
@HOW
def test_f12_who_hangs_elsewhere_is_replaced_where_it_says_so(hanging, how, workers):
    with sp.run(hanging(how, timeout=0.2, on_crash=RESTART, workers=workers)) as running:
        assert list(range(UNTIL)) == list(running.stream("hangs", timeout=SOON))
    stats = running.stats()
    assert stats.ledger.balanced
    assert (UNTIL, UNTIL, 0) == (stats.ledger.born, stats.ledger.delivered, stats.ledger.failed)


@HOW
def test_stop_comes_back_and_kills_who_hangs(hanging, how, tmp_path):
    running = sp.run(hanging(how))
    pid = running._segment.rooms._rooms["hangs"].child.pid
    assert _word(tmp_path)
    began = monotonic()
    with pytest.raises(sp.Hung, match="'hangs' did not come to an end"):
        running.drain(0.1)
    assert monotonic() - began < 0.1 + 4 * AT_ONCE
    assert [] == ends([pid], monotonic() + AT_ONCE)


@pytest.mark.parametrize("options", [{}, {"workers": 2}, {"on_crash": RESTART}], ids=["straight", "pool", "restart"])
def test_all_comes_home_though_a_worker_was_frozen_from_outside(endless, options):
    running = sp.run(endless(**options))
    pid = next(running.stream("pid", timeout=SOON))
    os.kill(pid, signal.SIGSTOP)
    began = monotonic()
    running.stop(grace=0.0)
    assert monotonic() - began < 4 * AT_ONCE
    assert [] == ends([pid], monotonic() + AT_ONCE)


def test_when_the_nursery_is_killed_all_is_put_out_and_who_died_is_named(endless):
    running = sp.run(endless())
    pids = [next(running.stream("pid", timeout=SOON)), _nursery(running)]
    os.kill(pids[-1], signal.SIGKILL)
    began = monotonic()
    with pytest.raises((WorkerDied, ExceptionGroup)) as caught:
        list(running.stream("pid", timeout=SOON))
    assert monotonic() - began < 2 * AT_ONCE
    died = getattr(caught.value, "exceptions", [caught.value])
    assert {"numbers", "pid"} >= {one.unit for one in died} != set()
    assert [] == ends(pids, monotonic() + AT_ONCE)


def test_when_the_nursery_is_killed_those_that_are_to_be_replaced_are(units):
    process = sp.Process("lasting").add("numbers", units.numbers, until=2000)
    away = {"place": "own", "on_crash": RESTART, "pipe": {"capacity": 4}}
    process.add("one", units.same, from_="numbers", workers=2, **away).add("two", units.same, from_="one", **away)
    with sp.run(process) as running:
        got = []
        for number in running.stream("two", timeout=SOON):
            got.append(number)
            if number in {5, 1000}:
                os.kill(_nursery(running), signal.SIGKILL)
    assert list(range(2000)) == got
    assert running.stats().ledger.balanced


def _nursery(running: sp.Running) -> int:
    return running._segment.rooms.nursery._house.pid


def test_the_shared_memory_of_the_dead_is_taken_away_when_nobody_has_anything_of_it(lives_path):
    import shots  # noqa: PLC0415 - the fixture has its folder found

    process = sp.Process("lasting").add("camera", shots.camera)
    process.add("turn", shots.turn, from_="camera", place="own", on_crash=shots.RESTART, pipe={"capacity": 2})
    process.add("same", shots.same, from_="turn", place="own", on_crash=shots.RESTART, pipe={"capacity": 2})
    with sp.run(process) as running:
        rooms = running._segment.rooms
        results = running.stream("same", timeout=SOON)
        kept = next(results)
        for death in range(6):
            os.kill(rooms._rooms["turn"].child.pid, signal.SIGKILL)
            for shot in islice(results, 10):
                shots.check(shot)
            assert {"turn", f"turn.{death + 1}", "main"} == _arenas(rooms.run)
        shots.check(kept)
        del kept
        for shot in islice(results, 5):
            shots.check(shot)
        del shot
        assert {"turn.6", "main"} == _arenas(rooms.run)
        for pid in (os.getpid(), rooms._rooms["same"].child.pid):
            mapped = Path(f"/proc/{pid}/maps").read_text()
            assert "turn.6.0" in mapped
            assert "turn.5.0" not in mapped


def _arenas(run: str) -> set[str]:
    left = Path("/dev/shm").glob(f"streampy-{run}-*")  # noqa: S108 - is looked at
    return {path.name.removeprefix(f"streampy-{run}-").rpartition(".")[0] for path in left}
