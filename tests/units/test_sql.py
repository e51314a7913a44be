"""Rows of a real SQLite file."""

import dataclasses
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.exc

import streampy as sp
from streampy.units.sql import SqlSource, SqlWriter

feed = sp.testing.feed


@dataclasses.dataclass
class Person:
    name: str
    age: int


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (name TEXT NOT NULL UNIQUE, age INTEGER)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", [("Ada", 36), ("Grace", 85), ("Kim", None)])
        connection.commit()
    return path


def read(path: Path, query: str = "SELECT * FROM people") -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_query_gives_its_rows(file: Path) -> None:
    settings = {
        "url": f"sqlite:///{file}",
        "query": "SELECT * FROM people WHERE age > :least",
        "parameters": {"least": 40},
    }

    assert [{"name": "Grace", "age": 85}] == feed(SqlSource, settings=settings)


def test_a_query_is_asked_again_in_its_time_until_the_process_stops(file: Path) -> None:
    process = sp.Process("again").add("ages", SqlSource, url=f"sqlite:///{file}", query="SELECT 1 AS one", every=0.001)
    with sp.run(process) as running:
        stream = running.stream("ages")
        assert [{"one": 1}] * 3 == [next(stream) for _ in range(3)]


def test_rows_are_copied_from_table_to_table_in_batches(file: Path, tmp_path: Path) -> None:
    def numbers() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            yield {"number": number, "half": number / 2, "name": str(number), "is_odd": number % 2 == 1, "raw": b"0"}

    process = sp.Process("copy").add("numbers", numbers)
    process.add("write", SqlWriter, from_="numbers", url=f"sqlite:///{file}", table="numbers", create=True)
    with sp.run(process) as running:
        running.wait()
    assert 1000 == running.stats().ledger.delivered
    assert [(1000, 499500, 249750.0, 500)] == read(
        file, "SELECT count(*), sum(number), sum(half), sum(is_odd) FROM numbers"
    )
    assert [("999", b"0")] == read(file, "SELECT name, raw FROM numbers WHERE number = 999")


def test_rows_may_lack_columns_and_be_dataclasses(file: Path) -> None:
    settings = {"url": f"sqlite:///{file}", "table": "people"}
    feed(SqlWriter, settings=settings, rows=[Person("Bob", 2), {"name": "Eve"}])

    assert [("Bob", 2), ("Eve", None)] == read(file)[-2:]


def test_a_batch_that_fails_leaves_no_row(file: Path) -> None:
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        feed(
            SqlWriter,
            settings={"url": f"sqlite:///{file}", "table": "people"},
            rows=[Person("Bob", 2), Person("Ada", 1)],
        )
    assert 3 == len(read(file))


def test_with_skip_only_the_row_that_fails_is_lost(file: Path) -> None:
    def people() -> Iterator[sp.Batch[Person]]:
        yield sp.Batch([Person("Bob", 2), Person("Ada", 1), Person("Eve", 3)])

    process = sp.Process("some").add("people", people)
    process.add(
        "write", SqlWriter, from_="people", on_error="skip", url=f"sqlite:///{file}", table="people", pipe={"batch": 3}
    )
    with sp.run(process) as running:
        running.wait()
    assert (2, 1) == (running.stats().ledger.delivered, running.stats().ledger.failed)
    assert [("Bob", 2), ("Eve", 3)] == read(file)[-2:]


def test_a_table_that_is_missing_is_an_error_unless_it_is_to_be_made(file: Path) -> None:
    with pytest.raises(sqlalchemy.exc.NoSuchTableError, match="nobody"):
        feed(SqlWriter, settings={"url": f"sqlite:///{file}", "table": "nobody"}, rows=[{"name": "Ada"}])


def test_several_workers_would_give_each_row_more_than_once(file: Path) -> None:
    process = sp.Process("twice").add("rows", SqlSource, url=f"sqlite:///{file}", query="SELECT 1 AS one", workers=2)
    with pytest.raises((sp.UnitFailed, ExceptionGroup)) as told:  # one worker says so, or both
        sp.run(process).wait()
    assert "2 workers would each give all rows: set `workers: 1`" in "".join(traceback.format_exception(told.value))
