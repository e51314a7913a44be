"""What is asked for is there, or an error says so at once; one OS process writes, others read, and nothing is left."""

from __future__ import annotations

import gc
import os
import pickle

import numpy as np
import pytest

from streampy.errors import StreamPyError
from streampy.memory.generations import Descriptor, Gone
from streampy.memory.region import FOLDER, NoSharedMemory, Region
from streampy.memory.sweep import name_run

MB = 1 << 20


def test_a_reader_sees_what_the_writer_wrote():
    with Region.create(name_run(), "camera#0", 10_000) as region, Region.attach(region.name) as attached:
        region.memory[9_990:] = b"0123456789"
        assert (10_000, b"0123456789") == (attached.size, bytes(attached.memory[9_990:]))


def test_a_reader_can_not_write():
    with Region.create(name_run(), "a", 100) as region, Region.attach(region.name) as attached:
        with pytest.raises(TypeError, match="read-only"):
            attached.memory[0] = 1


def test_a_region_is_attached_by_a_file_descriptor_also_when_its_name_is_gone():
    with Region.create(name_run(), "a", 100) as region:
        handle = os.open(FOLDER / region.name, os.O_RDONLY)
        region.memory[0] = 7
        name = region.name
    with Region.attach(handle) as attached:
        assert (name, 7) == (attached.name, attached.memory[0])
    os.close(handle)


def test_closed_by_its_creator_it_is_gone_and_closed_again_nothing_happens():
    region = Region.create(name_run(), "a", 100)
    assert (FOLDER / region.name).exists()
    region.close()
    region.close()
    assert not (FOLDER / region.name).exists()
    assert "closed" in repr(region)
    with pytest.raises(ValueError, match="is closed"):
        _ = region.memory
    with pytest.raises(FileNotFoundError):
        Region.attach(region.name)


def test_closed_by_a_reader_it_stays():
    with Region.create(name_run(), "a", 100) as region:
        Region.attach(region.name).close()
        assert (FOLDER / region.name).exists()


def test_views_stay_good_when_the_region_is_closed():
    with Region.create(name_run(), "a", 100) as region, Region.attach(region.name) as attached:
        region.memory[:3] = b"abc"
        view = attached.windows.open(0, 3, None)
    assert b"abc" == bytes(view)


def test_all_of_it_is_there_from_the_beginning():
    with Region.create(name_run(), "a", MB) as region:
        assert (FOLDER / region.name).stat().st_blocks * 512 >= MB


def test_a_name_that_is_taken_is_an_error_and_whoever_has_it_keeps_it():
    run = name_run()
    with Region.create(run, "a", 100) as region:
        with pytest.raises(FileExistsError, match=region.name):
            Region.create(run, "a", 100)
        Region.attach(region.name).close()


@pytest.mark.parametrize(("name", "size"), [("../a", 100), ("a/b", 100), ("a", 0)])
def test_what_can_not_be_a_region_is_refused(name, size):
    with pytest.raises(ValueError, match=rf"region '{name}' of {size} bytes: expected"):
        Region.create(name_run(), name, size)


@pytest.mark.parametrize("there", [1 * MB, 64 * MB])
def test_too_much_is_an_error_that_says_what_is_there_and_leaves_nothing(small_folder, there):
    folder = small_folder(there)
    with pytest.raises(NoSharedMemory, match=r"were asked for, .* are free; make the folder larger") as caught:
        Region.create(name_run(), "a", there + 1, folder=folder)
    assert (str(folder), there + 1, there) == (caught.value.folder, caught.value.asked, caught.value.free)
    assert [] == list(folder.iterdir())


def test_all_that_is_there_can_be_had_and_written(small_folder):
    folder = small_folder(MB)
    with Region.create(name_run(), "a", MB, folder=folder) as region:
        region.memory[:] = b"x" * MB
        with pytest.raises(NoSharedMemory) as caught:
            Region.create(name_run(), "b", 1, folder=folder)
    assert 0 == caught.value.free


def test_the_error_is_ours_and_comes_whole_from_another_os_process():
    error = NoSharedMemory(str(FOLDER), 6_000_000, 1_500_000)
    assert isinstance(error, StreamPyError)
    assert str(error) == str(pickle.loads(pickle.dumps(error)))
    assert "6.0 MB of shared memory were asked for, 1.5 MB are free" in str(error)


def test_what_was_given_back_to_the_system_is_there_again_once_it_is_reserved(small_folder):
    folder = small_folder(MB)
    with Region.create(name_run(), "a", MB, folder=folder) as region:
        region.memory[:] = b"x" * MB
        region.release(4096, MB - 4096)
        with Region.create(name_run(), "b", MB // 2, folder=folder):
            with pytest.raises(NoSharedMemory):
                region.reserve()
        region.reserve()
        with Region.attach(region.name, folder=folder) as attached:
            assert b"x" * 4096 + bytes(MB - 4096) == attached.memory[:]


class Held:
    """Says when nobody has it any more."""

    def __init__(self, ended: list[int]) -> None:
        self.ended = ended

    def __del__(self) -> None:
        self.ended.append(1)


def write(shared, data: bytes) -> Descriptor:
    """It is there until the end of the test."""
    block = shared.blocks.take(len(data))
    block.write([(0, data)])
    shared.kept.append(block)
    return block.descriptor


@pytest.mark.parametrize(
    "make",
    [
        lambda view: view[5:7],
        lambda view: np.frombuffer(view, np.uint8),
        lambda view: np.frombuffer(view[8:], np.uint32).reshape(2, 2)[1:, ::2],
    ],
    ids=["slice", "array", "view of an array"],
)
def test_whatever_was_made_of_a_view_holds_the_block(shared, make):
    ended = []
    made = make(shared.attached.open(write(shared, bytes(range(24))), Held(ended)))
    gc.collect()
    assert [] == ended
    del made
    assert [1] == ended


def test_in_a_cycle_of_garbage_it_holds_the_block_until_that_is_collected(shared):
    ended = []
    cycle = [shared.attached.open(write(shared, b"abc"), Held(ended))]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert [1] == ended


def test_a_view_is_read_only_also_where_the_block_was_written(shared):
    descriptor = write(shared, b"abc")
    for region in (shared.region, shared.attached):
        view = region.open(descriptor, None)
        assert b"abc" == view
        with pytest.raises(TypeError, match="read-only"):
            view[0] = 1
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            np.frombuffer(view, np.uint8).flags.writeable = True


def test_a_block_that_is_gone_is_held_by_nobody(shared):
    descriptor, ended = write(shared, b"abc"), []
    shared.kept.clear()
    with pytest.raises(Gone, match=rf"block {descriptor.generation} at {descriptor.offset} of .* is gone") as caught:
        shared.attached.open(descriptor, Held(ended))
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))
    del caught
    assert [1] == ended


def test_a_block_is_looked_for_in_its_own_region(shared):
    descriptor = write(shared, b"abc")
    with Region.create(name_run(), "another", 100) as another:
        with pytest.raises(ValueError, match=f"a block of {shared.region.name} was looked for in {another.name}"):
            another.open(descriptor, None)
