"""The face database, in a file and on a server: what was added stays, whoever is killed; what others add is seen."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psycopg
import pytest
from examples.faces_two import postgres
from hypothesis import given
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

import streampy as sp
from streampy.units.video import Box, Descriptor, Enrol, Face, FaceDatabase, Identify, Match, open_faces

FACE = Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0)


def vector(*numbers: float) -> np.ndarray:
    """Give a descriptor's vector."""
    return np.asarray(numbers, np.float32)


def descriptor(*numbers: float, source: str = "door") -> Descriptor:
    """Give a descriptor."""
    return Descriptor(vector(*numbers), FACE, source)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the URL of a real PostgreSQL server; nothing where there is none."""
    if postgres.installed() is None:
        yield ""
        return
    with postgres.served() as url:
        yield url


@pytest.fixture
def database_url(server: str) -> str:
    """Give the URL of a new database on the server."""
    if not server:
        pytest.skip("there is no PostgreSQL with pgvector: the group `pgvector` is not installed")
    name = f"faces_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {name}").format(name=Identifier(name)))
    return server.replace("/postgres", f"/{name}")


@pytest.fixture(params=["file", "server"])
def path(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> str:
    """Give a place for a database, of each kind; the server is there before what looks for leaks."""
    if request.param == "server":
        url: str = request.getfixturevalue("database_url")
        return url
    return str(tmp_path / "new folder" / "faces.sqlite")


def test_the_nearest_face_is_found_with_its_distance(path: str) -> None:
    with open_faces(path) as database:
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


def test_an_empty_database_knows_nobody(path: str) -> None:
    with open_faces(path) as database:
        assert [Match("", np.inf)] == database.nearest(vector(1, 2)[None])


def test_what_was_added_is_there_when_it_is_opened_again(path: str) -> None:
    with open_faces(path) as database:
        database.add("Ada", vector(1, 2))
    with open_faces(path) as database:
        assert ({"Ada"}, 1) == (database.names, len(database))


def test_what_another_one_adds_or_removes_is_seen_after_a_refresh(path: str) -> None:
    with open_faces(path) as database, open_faces(path) as other:
        database.add("Ada", vector(1, 2))
        other.refresh()
        other.add("Grace", vector(3, 4))

        database.refresh()
        assert {"Ada", "Grace"} == database.names

        assert other.remove("Ada") == 1
        assert other.remove("Ada") == 0
        database.refresh()
        assert database.nearest(vector(3, 4)[None]) == [("Grace", 0.0)]


def test_a_file_tells_whether_another_one_has_changed_it(tmp_path: Path) -> None:
    path = tmp_path / "faces.sqlite"
    with FaceDatabase(path) as database, FaceDatabase(path) as other:
        other.add("Ada", vector(1, 2))

        assert database.refresh()
        assert not database.refresh()
        assert f"FaceDatabase({str(path)!r}, faces=1, names=1)" == repr(database)


def test_the_nearest_of_many_is_found(path: str) -> None:
    rows = np.random.default_rng(1).normal(size=(500, 128)).astype(np.float32)
    with open_faces(path) as database:
        with database.alone():
            for number, row in enumerate(rows):
                database.add(str(number), row)

        found = database.nearest(rows[::5] + np.float32(0.01))

    assert [str(number) for number in range(0, 500, 5)] == [match.name for match in found]


def test_what_was_done_alone_is_taken_back_by_an_error(path: str) -> None:
    with open_faces(path) as database:
        with pytest.raises(ValueError, match="not empty"), database.alone():  # noqa: PT012 - the first is taken back
            database.add("Ada", vector(1, 2))
            database.add("", vector(3, 4))
        assert [Match("", np.inf)] == database.nearest(vector(1, 2)[None])
        database.add("Grace", vector(3, 4, 5))
        assert {"Grace"} == database.names


def test_a_descriptor_of_another_network_is_refused(path: str) -> None:
    with open_faces(path) as database:
        database.add("Ada", vector(1, 2))
        with pytest.raises(ValueError, match="holds descriptors of 2 numbers, got one of 3"):
            database.add("Grace", vector(1, 2, 3))
        with pytest.raises(ValueError, match="each descriptor network needs a database of its own"):
            database.nearest(vector(1, 2, 3)[None])


def test_a_face_without_a_name_is_refused(path: str) -> None:
    with open_faces(path) as database, pytest.raises(ValueError, match="a name that is not empty"):
        database.add("", vector(1, 2))


_ADD_FOR_EVER = """
import sys, numpy as np
from streampy.units.video import open_faces
database = open_faces(sys.argv[1])
number = 0
while True:
    database.add(f"person {number}", np.full(128, number, np.float32))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("told", [1, 20, 50])
def test_kill_9_takes_back_no_face_that_was_added(path: str, told: int) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _ADD_FOR_EVER, path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer.stdout:
        for _ in range(told):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        numbers = [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    assert writer.wait() == -signal.SIGKILL

    last = max(numbers, default=told - 1)
    with open_faces(path) as database:
        # One more than it could tell of may have been committed; none may be missing or broken.
        assert len(database) in {last + 1, last + 2}
        assert {f"person {number}" for number in range(last + 1)} <= database.names
        (match,) = database.nearest(np.full((1, 128), last, np.float32))
        assert (f"person {last}", 0.0) == match
        database.add("after", np.full(128, -1, np.float32))


def test_a_face_is_named_when_somebody_is_near_and_unknown_when_nobody_is(path: str) -> None:
    with open_faces(path) as database:
        database.add("Ada", vector(0, 0))
    identify = Identify(database=path, threshold=0.6)
    identify.start()

    near, far = identify.work(sp.Batch([descriptor(0.5, 0), descriptor(0.7, 0)]))
    identify.stop()

    assert (near.name, near.is_known) == ("Ada", True)
    assert (far.name, far.is_known) == ("", False)
    assert pytest.approx([near.distance, far.distance], abs=1e-3) == [0.5, 0.7]


def test_a_face_enrolled_meanwhile_is_known_from_the_next_batch_on(path: str) -> None:
    identify, enrol = Identify(database=path), Enrol(database=path)
    identify.start()
    enrol.start()

    (before,) = identify.work(sp.Batch([descriptor(1, 1)]))
    enrol.work(descriptor(1, 1, source="Ada"))
    (after,) = identify.work(sp.Batch([descriptor(1, 1)]))
    identify.stop()
    enrol.stop()

    assert [before.name, after.name] == ["", "Ada"]


def test_strangers_are_enrolled_once_each_with_a_number(path: str) -> None:
    enrol = Enrol(database=path, name="guest {number}", apart=0.6)
    enrol.start()

    added = [enrol.work(one) for one in (descriptor(0, 0), descriptor(0.1, 0), descriptor(5, 5), descriptor(5, 5.2))]
    enrol.stop()

    assert [one and one.name for one in added] == ["guest 1", None, "guest 2", None]


def test_a_stranger_that_several_workers_see_at_once_gets_one_number(path: str) -> None:
    def see(seed: int) -> list[str]:
        enrol = Enrol(database=path, name="guest {number}", apart=0.6)
        enrol.start()
        order = np.random.default_rng(seed).permutation(8)
        added = [enrol.work(descriptor(5.0 * number, 0)) for number in order]
        enrol.stop()
        return [one.name for one in added if one]

    with ThreadPoolExecutor(4) as workers:
        names = [name for some in workers.map(see, range(4)) for name in some]

    assert [f"guest {number}" for number in range(1, 9)] == sorted(names)


def test_a_connection_that_was_lost_is_made_again(server: str, database_url: str) -> None:
    with open_faces(database_url) as database, psycopg.connect(server, autocommit=True) as other:
        database.add("Ada", vector(1, 2))
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        other.execute(others, (database_url.rpartition("/")[2],))

        assert [Match("Ada", 0.0)] == database.nearest(vector(1, 2)[None])


def test_a_server_that_is_not_there_is_an_error_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(ConnectionError, match=r"postgresql://\*\*\*@127\.0\.0\.1:\d+/faces can't be reached") as told:
        open_faces(f"postgresql://ada:secret@127.0.0.1:{port}/faces")
    assert "secret" not in str(told.value)
