"""What an OS process of a nursery prints and logs comes out in the main one."""

from __future__ import annotations

import io
import logging
import sys
from threading import Event
from tracemalloc import get_traced_memory, start, stop

import pytest
from tests.run.places.conftest import SOON, Family, soon


def ended(family: Family, life: str, **options) -> int | None:
    """Bear one, wait for its end and for all that is to be said of it."""
    code = family.bear(life, name="detect#0", **options).wait(soon())
    family.nursery.close(soon())
    return code


@pytest.mark.parametrize("env", [{}, {"FRESH": "1"}], ids=["forked", "fresh"])
def test_what_anything_in_it_prints_comes_as_lines_with_its_name(family: Family, capsys, env):
    assert 0 == ended(family, "speak_everywhere", env=env)
    told = capsys.readouterr()
    expected = ["as Python", "as C", "as another program", "not ended"]
    assert "".join(f"detect#0: {line}\n" for line in expected) == told.out
    assert "detect#0: to stderr\n" == told.err


def test_the_last_words_of_one_that_was_killed_come_out(family: Family, capsys, caplog):
    assert -9 == ended(family, "kill_itself")
    told = capsys.readouterr()
    assert "detect#0: out: the last\n" == told.out
    assert "detect#0: err: the last\ndetect#0: without an end\n" == told.err
    assert ["log: the last"] == caplog.messages


def test_what_is_no_text_is_told_as_well_as_it_goes(family: Family, capsys):
    ended(family, "print_oddities")
    assert "detect#0: ümlaut and \\udcff\ndetect#0: no \ufffd utf-8\n" == capsys.readouterr().out


def test_a_terminal_that_knows_few_letters_gets_the_rest_escaped(family: Family, monkeypatch):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    ended(family, "print_oddities")
    narrow.seek(0)
    assert "\\xfcmlaut" in narrow.read()


def test_a_line_without_end_is_broken_and_nothing_of_it_lost(family: Family, capsys):
    ended(family, "print_a_long_line")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert "x" * 200_000 == "".join(line.removeprefix("detect#0: ") for line in lines)


def test_many_lines_all_come_in_order(family: Family, capsys):
    ended(family, "flood_a_little")
    assert [f"detect#0: line {number}" for number in range(20_000)] == capsys.readouterr().out.splitlines()


class Stuck:
    """A terminal that takes nothing more."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.entered = Event()
        self.freed = Event()

    def write(self, _text: str) -> None:
        self.entered.set()
        assert self.freed.wait(SOON)

    def flush(self) -> None: ...


def test_a_flood_into_a_stuck_terminal_grows_no_memory_and_its_end_is_told_at_once(family: Family, monkeypatch):
    stuck = Stuck()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stuck)
        child = family.bear("flood")
        assert stuck.entered.wait(SOON)
        start()
        child.kill()
        assert -9 == child.wait(soon())
        _, most = get_traced_memory()
        stop()
        stuck.freed.set()
        family.nursery.close(soon())
    assert most < 1 << 20


def test_last_words_are_there_when_the_end_is_told_though_nothing_can_be_said(family: Family, monkeypatch):
    stuck = Stuck()
    words = []
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stuck)
        child = family.bear("kill_itself", on_end=lambda child, _: words.extend(child.last_words))
        assert -9 == child.wait(soon())
        assert ["err: the last", "without an end"] == child.last_words
        stuck.freed.set()
        family.nursery.close(soon())
    assert ["err: the last", "without an end"] == words


class Broken:
    """What stdout is where nobody reads it any more."""

    def write(self, _text: str) -> None:
        raise BrokenPipeError(32, "Broken pipe")


def test_where_nobody_reads_a_print_fails_as_it_would_here(family: Family, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Broken())
        child = family.bear("flood")
        assert 1 == child.wait(soon())
        assert "BrokenPipeError: [Errno 32] Broken pipe" == child.last_words[-1]
        family.nursery.close(soon())


@pytest.mark.parametrize("stream", [None, Broken()], ids=["none", "broken"])
def test_last_words_are_kept_where_stderr_is_not_to_be_had(family: Family, monkeypatch, stream):
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        child = family.bear("raise_error")
        assert 1 == child.wait(soon())
        family.nursery.close(soon())
    assert "ValueError: of the user" == child.last_words[-1]


@pytest.fixture
def levels():
    """Sets levels for a test."""
    before = {}

    def set_level(name: str, level: int) -> None:
        logger = logging.getLogger(name)
        before[logger] = logger.level
        logger.setLevel(level)

    yield set_level
    for logger, level in before.items():
        logger.setLevel(level)


def test_log_records_come_whole(family: Family, caplog, levels):
    levels("silent", logging.CRITICAL)
    caplog.set_level(logging.INFO, "lives")
    ended(family, "log_all")
    info, caught = caplog.records
    assert ("lives.deep", "INFO", "info", 7) == (info.name, info.levelname, info.getMessage(), info.frame)
    assert "detect#0" == info.processName
    assert "{1}" == info.odd
    assert "caught" == caught.getMessage()
    assert caught.exc_text is not None
    assert caught.exc_text.endswith("ValueError: of the user")
    assert "log_all" == caught.funcName


def test_records_that_nobody_wants_are_not_sent(family: Family, levels):
    levels("", logging.WARNING)
    levels("loud", logging.DEBUG)
    levels("quiet", logging.ERROR)
    of_loud, of_root = 3, 1
    assert of_loud + of_root == family.heard(family.bear("count_sent_records"))


def test_a_record_that_is_too_large_is_cut_and_says_so(family: Family, caplog):
    ended(family, "log_too_much")
    assert caplog.messages[0].startswith("xxxx")
    assert caplog.messages[0].endswith("... (the rest of 500000 characters is cut)")


def test_a_filter_that_raises_harms_no_other_record(family: Family, caplog, capsys, monkeypatch):
    def filter_badly(record: logging.LogRecord) -> bool:
        if record.getMessage() == "info":
            raise ValueError("of the filter")
        return True

    caplog.set_level(logging.INFO, "lives")
    monkeypatch.setattr(logging.getLogger("lives.deep"), "filters", [filter_badly])
    ended(family, "log_all")
    assert ["of another one", "caught"] == caplog.messages
    assert "ValueError: of the filter" in capsys.readouterr().err
