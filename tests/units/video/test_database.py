"""The face database: what was added stays, whoever is killed; what others add is seen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.units.video import Box, Descriptor, Enrol, Face, FaceDatabase, Identify, Match

FACE = Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0)


def vector(*numbers: float) -> np.ndarray:
    """Give a descriptor's vector."""
    return np.asarray(numbers, np.float32)


def descriptor(*numbers: float, source: str = "door") -> Descriptor:
    """Give a descriptor."""
    return Descriptor(vector(*numbers), FACE, source)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a place for a database."""
    return tmp_path / "new folder" / "faces.sqlite"


def test_the_nearest_face_is_found_with_its_distance(path: Path) -> None:
    with FaceDatabase(path) as database:
        database.add("Ada", vector(0, 0, 1))
        database.add("Grace", vector(3, 4, 1))

        found = database.nearest(np.stack([vector(0, 0, 0.5), vector(3, 4, 3)]))

    assert [match.name for match in found] == ["Ada", "Grace"]
    assert pytest.approx([match.distance for match in found], abs=1e-3) == [0.5, 2.0]


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_search_is_exact(count: int, asked: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows, queries = (chance.normal(size=(n, 128)).astype(np.float32) for n in (count, asked))
    with FaceDatabase(":memory:") as database:
        for number, row in enumerate(rows):
            database.add(str(number), row)
        found = database.nearest(queries)

    distances = np.linalg.norm(rows[None] - queries[:, None], axis=2)
    assert distances.min(axis=1) == pytest.approx([match.distance for match in found], rel=1e-3)


def test_an_empty_database_knows_nobody(path: Path) -> None:
    with FaceDatabase(path) as database:
        assert [Match("", np.inf)] == database.nearest(vector(1, 2)[None])


def test_what_was_added_is_there_when_it_is_opened_again(path: Path) -> None:
    with FaceDatabase(path) as database:
        database.add("Ada", vector(1, 2))
    with FaceDatabase(path) as database:
        assert {"Ada"} == database.names
        assert "FaceDatabase" in repr(database)
        assert "faces=1" in repr(database)


def test_what_another_one_adds_or_removes_is_seen_after_a_refresh(path: Path) -> None:
    with FaceDatabase(path) as database, FaceDatabase(path) as other:
        database.add("Ada", vector(1, 2))
        other.refresh()
        other.add("Grace", vector(3, 4))

        assert database.refresh()
        assert not database.refresh()
        assert {"Ada", "Grace"} == database.names

        assert other.remove("Ada") == 1
        assert database.refresh()
        assert database.nearest(vector(3, 4)[None]) == [("Grace", 0.0)]


def test_a_descriptor_of_another_network_is_refused(path: Path) -> None:
    with FaceDatabase(path) as database:
        database.add("Ada", vector(1, 2))
        with pytest.raises(ValueError, match="holds descriptors of 2 numbers, got one of 3"):
            database.add("Grace", vector(1, 2, 3))
        with pytest.raises(ValueError, match="each descriptor network needs a database of its own"):
            database.nearest(vector(1, 2, 3)[None])


def test_a_face_without_a_name_is_refused(path: Path) -> None:
    with FaceDatabase(path) as database, pytest.raises(ValueError, match="a name that is not empty"):
        database.add("", vector(1, 2))


_ADD_FOR_EVER = """
import sys, numpy as np
from streampy.units.video import FaceDatabase
database = FaceDatabase(sys.argv[1])
number = 0
while True:
    database.add(f"person {number}", np.full(128, number, np.float32))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("told", [1, 20, 50])
def test_kill_9_takes_back_no_face_that_was_added(path: Path, told: int) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _ADD_FOR_EVER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer.stdout:
        for _ in range(told):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        numbers = [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    assert writer.wait() == -signal.SIGKILL

    last = max(numbers, default=told - 1)
    with FaceDatabase(path) as database:
        # One more than it could tell of may have been committed; none may be missing or broken.
        assert len(database) in {last + 1, last + 2}
        assert {f"person {number}" for number in range(last + 1)} <= database.names
        (match,) = database.nearest(np.full((1, 128), last, np.float32))
        assert (f"person {last}", 0.0) == match
        database.add("after", np.full(128, -1, np.float32))


def test_a_face_is_named_when_somebody_is_near_and_unknown_when_nobody_is(path: Path) -> None:
    with FaceDatabase(path) as database:
        database.add("Ada", vector(0, 0))
    identify = Identify(database=str(path), threshold=0.6)
    identify.start()

    near, far = identify.work(sp.Batch([descriptor(0.5, 0), descriptor(0.7, 0)]))
    identify.stop()

    assert (near.name, near.is_known) == ("Ada", True)
    assert (far.name, far.is_known) == ("", False)
    assert pytest.approx([near.distance, far.distance], abs=1e-3) == [0.5, 0.7]


def test_a_face_enrolled_meanwhile_is_known_from_the_next_batch_on(path: Path) -> None:
    identify, enrol = Identify(database=str(path)), Enrol(database=str(path))
    identify.start()
    enrol.start()

    (before,) = identify.work(sp.Batch([descriptor(1, 1)]))
    enrol.work(descriptor(1, 1, source="Ada"))
    (after,) = identify.work(sp.Batch([descriptor(1, 1)]))
    identify.stop()
    enrol.stop()

    assert [before.name, after.name] == ["", "Ada"]


def test_strangers_are_enrolled_once_each_with_a_number(path: Path) -> None:
    enrol = Enrol(database=str(path), name="guest {number}", apart=0.6)
    enrol.start()

    added = [enrol.work(one) for one in (descriptor(0, 0), descriptor(0.1, 0), descriptor(5, 5), descriptor(5, 5.2))]
    enrol.stop()

    assert [one and one.name for one in added] == ["guest 1", None, "guest 2", None]
