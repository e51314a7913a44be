"""What is written is read again: lines, JSON lines, CSV, Parquet; in order, at random, endlessly, shared by workers."""

import dataclasses
import datetime as dt
import itertools
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import streampy as sp
from streampy.units.files import (
    CsvSource,
    CsvWriter,
    FolderSource,
    JsonLinesSource,
    JsonLinesWriter,
    LinesSource,
    LinesWriter,
    ParquetSource,
    ParquetWriter,
)


class Person(NamedTuple):
    name: str
    age: int


feed = sp.testing.feed
PEOPLE = [{"name": "Ada", "age": 36}, {"name": "Grace, Hopper", "age": 85}, {"name": 'the "O"', "age": 2}]
KINDS = [
    (JsonLinesSource, JsonLinesWriter, "people.jsonl", {}),
    (CsvSource, CsvWriter, "people.csv", {"types": {"age": "int"}}),
    (ParquetSource, ParquetWriter, "people.parquet", {}),
]


@dataclasses.dataclass
class Point:
    x: float
    y: float


@pytest.mark.parametrize(("source", "writer", "name", "settings"), KINDS)
def test_rows_are_the_same_after_they_were_written_and_read(
    source: Any, writer: Any, name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = str(tmp_path / "deep" / name)
    feed(writer, settings={"path": path}, value=PEOPLE)

    assert PEOPLE == feed(source, settings={"path": path, **settings})


@pytest.mark.parametrize(("source", "writer", "name", "settings"), KINDS)
def test_rows_are_copied_by_a_process_which_knows_how_many_there_are(
    source: Any, writer: Any, name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    people = PEOPLE[:2] if writer is not CsvWriter else PEOPLE[:1]  # with quotes inside rows of CSV can't be counted
    feed(writer, settings={"path": str(tmp_path / name)}, value=people)
    process = sp.Process("copy").add("read", source, path=str(tmp_path / name), **settings)
    process.add("write", writer, from_="read", path=str(tmp_path / f"copy-{name}"))
    with sp.run(process) as running:
        running.wait()
        stats = running.stats()

    assert len(people) == stats.expected == stats.ledger.delivered
    assert people == feed(source, settings={"path": str(tmp_path / f"copy-{name}"), **settings})


@pytest.mark.parametrize(("source", "writer", "name", "settings"), KINDS)
def test_the_same_seed_gives_the_same_order_of_all_rows(
    source: Any, writer: Any, name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    rows = [{"name": str(number), "age": number} for number in range(50)]
    feed(writer, settings={"path": str(tmp_path / name)}, value=rows)
    settings = {"path": str(tmp_path / name), "order": "random", **settings}
    first, again, other = (feed(source, settings={**settings, "seed": seed}) for seed in (1, 1, 2))

    assert first == again
    assert rows != first != other
    assert rows == sorted(first, key=lambda row: row["age"])


def test_an_endless_source_begins_again_and_mixes_each_round_anew(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_text("abcdefgh".replace("", "\n").strip())
    given = LinesSource(path=str(path), endless=True).work()
    mixed = LinesSource(path=str(path), endless=True, order="random", seed=1).work()
    rounds = [list(itertools.islice(mixed, 8)) for _ in range(2)]
    given_twice = "".join(itertools.islice(given, 16))
    given.close()  # type: ignore[attr-defined]  # a generator

    assert "abcdefghabcdefgh" == given_twice
    assert rounds[0] != rounds[1]
    assert list("abcdefgh") == sorted(rounds[0]) == sorted(rounds[1])


@pytest.mark.parametrize("order", ["given", "random"])
def test_several_workers_share_what_is_there(order: str, tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_text("a\nb\nc\nd\ne\n")
    process = sp.Process("shared").add("read", LinesSource, path=str(path), order=order, workers=2)
    with sp.run(process) as running:
        assert list("abcde") == sorted(running.stream("read"))
        assert 5 == running.stats().expected


def test_an_endless_source_with_more_workers_than_lines_ends_where_a_worker_has_none(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_text("a\n")
    process = sp.Process("shared").add("read", LinesSource, path=str(path), endless=True, workers=2)
    with sp.run(process) as running:
        assert ["a", "a", "a"] == list(itertools.islice(running.stream("read"), 3))


@pytest.mark.parametrize("writer", [LinesWriter, JsonLinesWriter, CsvWriter, ParquetWriter])
def test_several_workers_must_not_write_to_one_file(writer: Any, tmp_path: Path) -> None:
    def numbers() -> Iterator[dict[str, int]]:
        yield {"number": 1}

    process = sp.Process("shared").add("numbers", numbers)
    process.add("write", writer, from_="numbers", path=str(tmp_path / "file"), workers=2)
    with pytest.raises((sp.UnitFailed, ExceptionGroup)) as told:  # one worker says so, or both
        sp.run(process).wait()
    assert "2 workers can't write to one" in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize("source", [LinesSource, JsonLinesSource, CsvSource, ParquetSource])
def test_a_file_that_is_missing_is_told(source: Any) -> None:
    with pytest.raises(FileNotFoundError, match="no file at missing/file"):
        feed(source, settings={"path": "missing/file"})


def test_lines_have_no_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("one\r\ntwo\n\nfour ü".encode())

    assert ["one", "two", "", "four ü"] == feed(LinesSource, settings={"path": str(path)})


def test_a_line_with_a_line_end_inside_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is more than one line"):
        feed(LinesWriter, settings={"path": str(tmp_path / "text")}, value=["one\ntwo"])


@pytest.mark.parametrize(("writer", "read"), [(LinesWriter, str), (JsonLinesWriter, json.loads)])
def test_what_is_appended_stands_behind_what_was_there(writer: Any, read: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    feed(writer, settings={"path": str(path)}, value=["1"])
    feed(writer, settings={"path": str(path), "append": True}, value=["2"])
    assert ["1", "2"] == [read(line) for line in path.read_text().splitlines()]
    feed(writer, settings={"path": str(path)}, value=["3"])
    assert ["3"] == [read(line) for line in path.read_text().splitlines()]


def test_json_has_a_word_for_what_units_give(tmp_path: Path) -> None:
    path = tmp_path / "values.jsonl"
    values = [Point(1, 2), Person("Ada", 36), {"a": np.float32(0.5), "b": np.arange(2)}, dt.date(2026, 1, 2), {3, 1}]
    feed(JsonLinesWriter, settings={"path": str(path)}, value=values)

    assert [{"x": 1, "y": 2}, {"name": "Ada", "age": 36}, {"a": 0.5, "b": [0, 1]}, "2026-01-02", [1, 3]] == feed(
        JsonLinesSource, settings={"path": str(path)}
    )


@pytest.mark.parametrize(("value", "error"), [(b"bytes", TypeError), (float("nan"), ValueError)])
def test_what_json_has_no_word_for_is_an_error_and_leaves_no_half_line(
    value: object, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        feed(JsonLinesWriter, settings={"path": str(tmp_path / "file")}, value=[[1, value]])
    assert "" == (tmp_path / "file").read_text()


@pytest.mark.parametrize(
    ("line", "said"), [("{", "2: got '{', expected JSON: "), ("null", "2: got null, which is no item")]
)
def test_a_line_that_is_no_json_is_told_with_its_number(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "values.jsonl"
    path.write_text(f"1\n{line}\n")
    with pytest.raises(ValueError) as told:
        feed(JsonLinesSource, settings={"path": str(path)})
    assert f"values.jsonl:{said}" in str(told.value)


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("name,age\nAda\n", {}, "people.csv:2: got 1 values, expected 2: name, age"),
        ("name,age\nAda,old\n", {"types": {"age": "int"}}, "people.csv:2: got 'old' in 'age', expected int"),
        ("name\nAda\n", {"types": {"age": "int"}}, "has no column 'age'; it has name"),
    ],
)
def test_a_row_that_does_not_fit_is_told_with_its_line(
    text: str, settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text)
    with pytest.raises(ValueError) as told:
        feed(CsvSource, settings={"path": str(path), **settings})
    assert said in str(told.value)


def test_csv_without_a_first_line_of_names_and_with_types(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Ada;36;yes\nBob;2.5;0\n")
    settings = {"columns": ["name", "age", "in"], "delimiter": ";", "types": {"age": "float", "in": "bool"}}

    assert [{"name": "Ada", "age": 36.0, "in": True}, {"name": "Bob", "age": 2.5, "in": False}] == feed(
        CsvSource, settings={"path": str(path), **settings}
    )


def test_csv_has_the_columns_of_its_first_row_or_those_that_are_told(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    feed(CsvWriter, settings={"path": str(path)}, value=[Person("Ada", 36), {"age": 2, "name": "Bob"}, {"name": "Eve"}])
    feed(CsvWriter, settings={"path": str(path), "append": True}, value=[{"age": 3, "name": "Kim"}])
    assert "name,age\nAda,36\nBob,2\nEve,\nKim,3\n" == path.read_text()

    feed(CsvWriter, settings={"path": str(path), "columns": ["age", "name"]}, value=[Person("Ada", 36)])
    assert "age,name\n36,Ada\n" == path.read_text()


@pytest.mark.parametrize("writer", [CsvWriter, ParquetWriter])
def test_a_column_that_the_file_has_not_is_an_error(writer: Any, tmp_path: Path) -> None:
    rows = {"rows": 1} if writer is ParquetWriter else {}
    with pytest.raises(ValueError, match="has no column 'size'; it has name"):
        feed(writer, settings={"path": str(tmp_path / "file"), **rows}, value=[{"name": "Ada"}, {"size": 1}])


@pytest.mark.parametrize("writer", [CsvWriter, ParquetWriter])
def test_a_value_that_is_no_row_is_an_error_that_says_what_is(writer: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected a row: a mapping, a dataclass or a named tuple; use Map before it"):
        feed(writer, settings={"path": str(tmp_path / "file")}, value=[3])


def test_parquet_is_written_in_groups_of_rows_and_read_by_column(tmp_path: Path) -> None:
    path = str(tmp_path / "people.parquet")
    feed(ParquetWriter, settings={"path": path, "rows": 2}, value=PEOPLE)

    assert [{"age": 36}, {"age": 85}, {"age": 2}] == feed(ParquetSource, settings={"path": path, "columns": ["age"]})
    with pytest.raises(ValueError, match="has no column 'size'; it has name, age"):
        feed(ParquetSource, settings={"path": path, "columns": ["size"]})


def test_a_folder_gives_its_files_and_those_of_folders_inside(tmp_path: Path) -> None:
    for name in ("b.txt", "a.jpg", "inside/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    texts = feed(FolderSource, settings={"folder": str(tmp_path), "pattern": "**/*.txt"})

    assert [tmp_path / "b.txt", tmp_path / "inside" / "c.txt"] == texts
    assert 3 == len(feed(FolderSource, settings={"folder": str(tmp_path)}))


def test_a_folder_without_such_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file \*\.txt in "):
        feed(FolderSource, settings={"folder": str(tmp_path), "pattern": "*.txt"})
