"""There is room for what was promised, more when it is asked for, and no more than there is need of."""

from __future__ import annotations

import logging
from threading import Barrier, Thread

import numpy as np
import pytest

from streampy.memory.arena import FULL, Arena
from streampy.memory.loans import Loans
from streampy.memory.region import FOLDER, NoSharedMemory
from streampy.memory.regions import Regions
from streampy.memory.sweep import name_run

MB = 1 << 20
SIZE = 100_000


def frame(size: int = SIZE) -> np.ndarray:
    return np.full(size, 7, np.uint8)


def fill(arena: Arena, size: int = SIZE) -> list[object]:
    """As many frames as there is room for."""
    return list(iter(lambda: arena.seal(frame(size)), FULL))


def files(run: str) -> int:
    return len(list(FOLDER.glob(f"streampy-{run}-*")))


def test_stated_room_is_there_at_the_start_for_as_many_items_as_may_be_alive():
    with Arena(name_run(), "a", most=5, item=SIZE) as arena:
        assert arena.stats().capacity >= 5 * SIZE
        assert 5 == len(fill(arena))


def test_what_was_stated_and_is_not_there_is_an_error_at_the_start_that_says_how_much(small_folder):
    arena = Arena(name_run(), "a", most=20, item=MB, folder=small_folder(10 * MB))
    with pytest.raises(NoSharedMemory, match=r"2[12]\.\d MB of shared memory were asked for, 10\.5 MB are free"):
        arena.reserve()


def test_unstated_the_first_large_item_says_how_much_room_there_is():
    run = name_run()
    with Arena(run, "a", most=5) as arena:
        arena.seal([1])
        assert (0, 0) == (files(run), arena.stats().capacity)
        assert 5 == len(fill(arena))
        assert 5 * SIZE < arena.stats().capacity < 5 * SIZE * 1.2
    assert 0 == files(run)


def test_where_the_folder_has_not_so_much_there_is_room_for_fewer_and_a_warning_says_so(small_folder, caplog):
    folder = small_folder(10 * MB)
    with Arena(name_run(), "small", most=64, folder=folder) as arena, caplog.at_level(logging.WARNING):
        assert 7 == len(fill(arena, MB))
    (warning,) = caplog.messages
    assert f"{folder}: small has room for 7 of the 64 items of 1.2 MB" in warning
    assert "Docker: --shm-size=2g" in warning


def test_where_not_even_two_items_have_room_it_is_an_error(small_folder):
    with Arena(name_run(), "a", most=64, folder=small_folder(2 * MB)) as arena, pytest.raises(NoSharedMemory):
        arena.seal(frame(MB))


def test_full_is_no_error_and_whoever_waits_is_told_when_there_is_room():
    freed = []
    with Arena(name_run(), "a", most=2, item=SIZE, freed=lambda: freed.append(1)) as arena:
        both = fill(arena)
        assert FULL is arena.seal(frame())
        assert 7 == arena.seal(7)
        assert [] == freed
        both.pop()
        assert [1] == freed
        assert FULL is not arena.seal(frame())


def test_an_item_larger_than_any_before_gets_room_by_itself():
    with Arena(name_run(), "a", most=3, item=SIZE) as arena:
        small = fill(arena)
        sealed = arena.seal(frame(10 * SIZE))
        assert (sealed.open() == 7).all()
        assert all((one.open() == 7).all() for one in small)


def test_an_item_larger_than_all_there_is_is_an_error_and_others_go_on(small_folder):
    with Arena(name_run(), "a", most=3, item=SIZE, folder=small_folder(2 * MB)) as arena:
        with pytest.raises(NoSharedMemory):
            arena.seal(frame(3 * MB))
        first = fill(arena)
        arena.grow()
        assert 3 == len(first) == len(fill(arena))


def test_grown_there_is_room_for_as_many_items_again():
    run = name_run()
    with Arena(run, "a", most=3) as arena:
        first = fill(arena)
        arena.grow()
        assert 3 == len(first) == len(fill(arena))
        assert 2 == files(run)


def test_growing_past_what_there_is_is_an_error_that_says_how_much(small_folder):
    with Arena(name_run(), "a", most=9, item=MB, folder=small_folder(10 * MB)) as arena:
        with pytest.raises(NoSharedMemory, match="are free; make the folder larger"):
            arena.grow(MB)


def test_threads_that_need_more_room_at_once_make_it_once():
    run, barrier = name_run(), Barrier(4)
    sealed = []

    def work() -> None:
        barrier.wait()
        sealed.append(arena.seal(frame()))

    with Arena(run, "a", most=4) as arena:
        threads = [Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (1, 4) == (files(run), arena.stats().blocks)


def test_who_saw_no_room_before_another_made_some_makes_none():
    run = name_run()
    with Arena(run, "a", most=4) as arena:
        seen = arena._rooms._rooms
        arena.seal(frame())
        arena._rooms._add(SIZE, seen)
        assert 1 == files(run)


def settle(arena: Arena) -> int:
    """Until what was grown is let go of; returns the bytes for blocks then."""
    for _ in range(1010):
        arena.take(SIZE)
    return arena.stats().capacity


def test_room_that_was_grown_is_given_back_to_the_system_when_it_is_not_needed_for_long(small_folder):
    folder = small_folder(10 * MB)
    with Arena(name_run(), "a", most=30, item=SIZE, folder=folder) as arena:
        alone = arena.stats().capacity
        first = fill(arena)
        arena.grow()
        second = fill(arena)
        used = sum(path.stat().st_blocks for path in folder.iterdir())
        del first
        assert alone < settle(arena)  # there is something in it
        del second
        assert alone == settle(arena)
        assert used * 0.6 > sum(path.stat().st_blocks for path in folder.iterdir())


def test_room_that_was_given_back_is_had_again_where_readers_look_already():
    run, regions = name_run(), Regions()
    here, there = (Loans(regions, lambda: None) for _ in range(2))
    with Arena(run, "a", most=3) as arena:
        alone = arena.seal(frame()) and arena.stats().capacity
        for _ in range(3):
            first = fill(arena)
            arena.grow()
            second = fill(arena)
            assert 3 == len(first) == len(second)
            assert all((back == 7).all() for back in there.loads(here.dumps(second), opened=True))
            here.returned(there.take_returned())
            del first, second
            assert alone == settle(arena)
        assert 2 == files(run)
    regions.close()


def test_what_was_sealed_stays_good_when_the_arena_is_closed():
    with Arena(name_run(), "a", most=3) as arena:
        sealed = arena.seal(frame())
        view = sealed.open()
    assert (view == 7).all()
    assert (sealed.open() == 7).all()
    with pytest.raises(ValueError, match="arena a is closed"):
        arena.seal(frame())


def test_how_much_is_in_use_is_told():
    with Arena(name_run(), "a", most=3, item=SIZE) as arena:
        sealed = arena.seal(frame())
        use = arena.stats()
        assert (1, True, True) == (use.blocks, use.used >= SIZE, use.high_water == use.used)
        assert f"<Arena a: 1 blocks, {use.used} of {use.capacity} bytes in use>" == repr(arena)
        del sealed
        assert (0, 0, use.used) == (arena.stats().blocks, arena.stats().used, arena.stats().high_water)
