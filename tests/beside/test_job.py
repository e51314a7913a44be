"""What all ways share: the source, the units, the sink, and notes that outlive whoever made them."""

import pickle

import pytest

from beside.job import BROKEN, BrokenUnit, Job
from beside.notes import Notes, has, read


@pytest.fixture
def job(tmp_path):
    return lambda **asked: Job(way="", folder=str(tmp_path), **{"count": 10, **asked})


def test_a_job_goes_through_json(job):
    one = job(item="batch", size=64)
    assert one == Job.of(one.told)


def test_the_source_goes_on_when_its_first_item_has_arrived(job):
    one = job(pause=0.0, rate=1e6)
    sink, came = one.sink(), []
    for item in one.items():
        came.append(item)
        sink(item)
    assert list(range(10)) == came
    assert [float(item) for item in came] == [what for _, what in read(f"{one.folder}/arrived")]


def test_a_batch_is_as_large_as_asked_and_the_numbers_go_on(job):
    one = job(item="batch", size=4, count=3)
    sink, came = one.sink(), []
    for item in one.items():
        came += item
        sink(item)
    assert list(range(12)) == came


def test_the_unit_in_the_middle_fails_with_the_item_that_is_asked(job):
    unit = job(units=3, fails_at=5).unit(1)
    assert 4 == unit(4)
    with pytest.raises(BrokenUnit, match=BROKEN):
        unit(5)


def test_the_other_units_do_not_fail(job):
    one = job(units=3, fails_at=5)
    assert [5, 5] == [one.unit(number)(5) for number in (0, 2)]


def test_what_goes_to_another_os_process_can_be_pickled(job):
    one = job(fails_at=5)
    for part in (one, one.sink(), one.unit(0), one.unit(6)):
        assert type(part) is type(pickle.loads(pickle.dumps(part)))


def test_notes_are_there_at_once_for_others_to_read(tmp_path):
    file = str(tmp_path / "notes")
    notes = Notes(file, 100)
    assert [] == read(file)
    notes.note(7)
    assert [7.0] == [what for _, what in read(file)]
    assert has(file, 1)
    assert not has(file, 2)


def test_what_has_no_room_is_not_noted(tmp_path):
    file = str(tmp_path / "notes")
    notes = Notes(file, 2)
    for number in range(5):
        notes.note(number)
    assert [0.0, 1.0] == [what for _, what in read(file)]
