"""A file that grows is followed: lines as they are written, over rotations, emptied, moved, linked, not there yet."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import pytest

import streampy as sp
from streampy.run.worker import Worker, sit_down
from streampy.units.files.tail import TailSource


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@contextmanager
def followed(path: Path, **settings: Any) -> Iterator[Iterator[Any]]:
    """The lines of a file, from its start unless `settings` say otherwise."""
    process = sp.Process("log").add("tail", TailSource, **{"path": str(path), "begin": "start", **settings})
    with sp.run(process) as running:
        yield running.stream("tail", timeout=20)
        running.stop()
        assert running.stats().ledger.balanced


def watches() -> list[str]:
    """What the kernel watches for this OS process."""
    infos = [info.read_text() for info in Path("/proc/self/fdinfo").iterdir() if info.exists()]
    return [line for info in infos for line in info.splitlines() if line.startswith("inotify wd:")]


def opened(path: Path) -> list[str]:
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link in (str(path), "anon_inode:inotify")]


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_lines_come_as_they_are_written(path: Path) -> None:
    path.write_text("one\n")
    with followed(path) as lines:
        assert "one" == next(lines)
        append(path, "two ü\r\n")
        assert "two ü" == next(lines)
        append(path, "\n")
        assert "" == next(lines)


def test_line_comes_when_it_is_whole(path: Path) -> None:
    path.write_text("one\nhal")
    with followed(path) as lines:
        assert "one" == next(lines)
        append(path, "f of it")
        append(path, "\nthree\n")
        assert ["half of it", "three"] == [next(lines), next(lines)]


def test_what_was_there_is_left_out_but_for_the_line_that_is_being_written(path: Path) -> None:
    path.write_text("old\nhalf ")
    with followed(path, begin="end") as lines:
        append(path, "a line\nnew\n")
        assert ["half a line", "new"] == [next(lines), next(lines)]


def test_file_that_is_not_there_yet_is_waited_for(path: Path) -> None:
    with followed(path, begin="end") as lines:
        path.write_text("first\n")
        assert "first" == next(lines)


@pytest.mark.parametrize("last", ["two\n", "two"])
def test_file_that_is_rotated_is_read_to_its_end_and_then_the_new_one(last: str, path: Path) -> None:
    path.write_text("one\n")
    with followed(path) as lines:
        assert "one" == next(lines)
        append(path, last)
        path.rename(path.with_suffix(".1"))
        path.write_text("three\n")
        assert ["two", "three"] == [next(lines), next(lines)]
        append(path, "four\n")
        assert "four" == next(lines)


def test_file_that_is_replaced_again_and_again_loses_no_line(path: Path) -> None:
    with followed(path) as lines:
        for number in range(50):
            new = path.with_suffix(".new")
            new.write_text(f"{number}\n")
            new.replace(path)
            assert str(number) == next(lines)
    assert [path] == list(path.parent.iterdir())


def test_file_that_was_deleted_and_made_again_is_followed(path: Path) -> None:
    path.write_text("one\n")
    with followed(path) as lines:
        assert "one" == next(lines)
        path.unlink()
        path.write_text("two\n")
        assert "two" == next(lines)


def test_file_that_was_emptied_is_read_from_its_start(path: Path) -> None:
    path.write_text("a long line\n")
    with followed(path) as lines:
        assert "a long line" == next(lines)
        os.truncate(path, 0)
        append(path, "new\n")
        assert "new" == next(lines)


def test_link_is_followed_to_where_its_file_is_rotated(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "0.log"
    target.write_text("one\n")
    path.symlink_to(target)
    with followed(path) as lines:
        assert "one" == next(lines)
        target.rename(elsewhere / "0.log.1")
        append(elsewhere / "0.log.1", "two\n")
        assert "two" == next(lines)
        target.write_text("three\n")
        assert "three" == next(lines)


def test_values_of_json_lines_come_as_such(path: Path) -> None:
    path.write_text('{"degrees": 20}\n\n[1, "ü"]\n')
    with followed(path, gives="json") as values:
        assert [{"degrees": 20}, [1, "ü"]] == [next(values), next(values)]


@pytest.mark.parametrize(("line", "said"), [("{", "got b'{', expected JSON: "), ("null", "got null, which is no item")])
def test_line_that_is_no_json_stops_the_process(line: str, said: str, path: Path) -> None:
    path.write_text(f"{line}\n")
    with pytest.raises(sp.UnitFailed) as told, followed(path, gives="json") as values:
        next(values)
    assert said in str(told.value.__cause__)


def test_many_lines_that_are_there_already_come_all(path: Path) -> None:
    path.write_text("".join(f"{number}\n" for number in range(50_000)))
    with followed(path) as lines:
        assert [str(number) for number in range(50_000)] == [next(lines) for _ in range(50_000)]


def test_quiet_file_costs_nothing_and_a_stop_does_not_wait_for_it(path: Path) -> None:
    path.write_text("one\n")
    process = sp.Process("log").add("tail", TailSource, path=str(path), begin="start")
    with sp.run(process) as running:
        assert "one" == next(running.stream("tail"))
        worked, begin = process_time(), monotonic()
        with pytest.raises(TimeoutError):
            next(running.stream("tail", timeout=0.5))
        assert process_time() - worked < 0.1
        running.stop()
    assert monotonic() - begin < 3


def test_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"TailSource: no folder at .*missing"):
        sp.testing.feed(TailSource, settings={"path": str(tmp_path / "missing" / "app.log")})


class Desk:
    """The first of two workers sits here."""

    worker = Worker("tail", 0, 2)


def test_several_workers_are_refused(path: Path) -> None:
    def start() -> None:
        sit_down(Desk())
        TailSource(path=str(path)).start()

    with pytest.raises(ValueError, match="2 workers would each give all lines: set `workers: 1`"):
        copy_context().run(start)


def test_files_that_were_moved_away_are_let_go(path: Path) -> None:
    with followed(path) as lines:
        for number in range(5):
            path.write_text(f"{number}\n")
            assert str(number) == next(lines)
            path.rename(path.with_suffix(f".{number}"))
        path.write_text("last\n")
        assert "last" == next(lines)
        assert 2 == len(watches())  # the folder, and the file


def test_all_is_closed_at_the_end(path: Path) -> None:
    path.write_text("one\n")
    with followed(path) as lines:
        next(lines)
        assert 2 == len(opened(path))
    assert [] == opened(path)
