"""What is written to a recording is read back equal, whatever is cut off; what is none is refused."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipes.net.values import Box, Score, are_same, headers, values

from streampy.model.item import Header
from streampy.pipes.net.limits import Limits
from streampy.pipes.net.registered import WireTypes
from streampy.recording import Reader, RecordingError, Writer, read
from streampy.recording.records import MAGIC

HEADER = Header("camera", 7, 1.0, (2,), meta={"place": "door"})
FRAME = np.arange(480 * 640, dtype=np.uint8).reshape(480, 640)


def types() -> WireTypes:
    found = WireTypes()
    found.register(Box)
    found.register(Score)
    return found


def write(path, rows):
    with Writer(path, {"process": "test"}, types()) as writer:
        for at, header, value in rows:
            writer.item(at, header, value)


def read_all(path):
    with Reader(path, types()) as reader:
        return [*reader], reader.cut


@pytest.fixture
def path(tmp_path):
    return tmp_path / "items.rec"


rows = st.lists(st.tuples(st.floats(0, 1e6), headers, values), max_size=4)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back_with_header_and_time(items):
    with TemporaryDirectory() as folder:
        write(Path(folder) / "items.rec", items)
        found, cut = read_all(Path(folder) / "items.rec")
    assert cut is None
    assert [(at, repr(header)) for at, header, _ in items] == [(one.at, repr(one.header)) for one in found]
    assert all(are_same(value, one.value) for (_, _, value), one in zip(items, found, strict=True))


@given(rows.filter(bool), st.data())
@settings(max_examples=60, deadline=None)
def test_of_a_file_that_was_cut_off_anywhere_the_items_before_the_cut_are_read(items, data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items.rec"
        write(path, [])
        begins = path.stat().st_size
        write(path, items)
        whole, _ = read_all(path)
        offsets = ends_of(path)
        length = data.draw(st.integers(begins, path.stat().st_size))
        os.truncate(path, length)
        found, cut = read_all(path)
    there = sum(end <= length for end in offsets)
    assert [repr(one) for one in whole[:there]] == [repr(one) for one in found]
    assert cut == (None if length in {begins, *offsets} else max([begins, *(e for e in offsets if e < length)]))


def ends_of(path):
    with Reader(path, types()) as reader:
        records = reader._records
        return [records._offset for _ in iter(records.skip, False)]


def test_a_file_that_grows_is_read_as_far_as_it_is_written(path):
    with Writer(path) as writer:
        writer.item(0.5, HEADER, "first")
        with Reader(path) as reader:
            assert ["first"] == [one.value for one in reader]
            writer.item(0.6, HEADER, FRAME)
            (second,) = reader
    assert np.array_equal(FRAME, second.value)


def test_a_beginning_that_is_cut_off_is_told(path):
    write(path, [])
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(RecordingError, match=r"items\.rec, byte 8: got the end of the file, expected what the rec"):
        Reader(path)


def test_a_dead_letter_is_kept_with_its_error_and_one_that_cannot_be_written_as_text(path):
    with Writer(path) as writer:
        assert writer.letter(1.0, HEADER, FRAME, unit="find", error="ValueError: no", traceback="Traceback ...")
        assert not writer.letter(2.0, HEADER, object, unit="find", error="ValueError: no", traceback="")
    first, second = read(path)
    assert ("find", "ValueError: no", "Traceback ...", True) == (
        first.unit,
        first.error,
        first.traceback,
        first.is_whole,
    )
    assert np.array_equal(FRAME, first.value)
    assert ("<class 'object'>", False, 7) == (second.value, second.is_whole, second.header.seq)


def test_an_item_without_a_safe_form_is_named_and_nothing_of_it_is_written(path):
    with Writer(path) as writer:
        with pytest.raises(TypeError, match=r"item camera #7\.2: value"):
            writer.item(0.0, HEADER, [1, object()])
        writer.item(0.0, HEADER, "next")
    assert ["next"] == [one.value for one in read(path)]


def test_an_item_beyond_the_limits_is_refused_with_a_word_of_what_to_do(path):
    with Writer(path, limits=Limits(frame=1 << 16, head=1 << 16)) as writer:
        with pytest.raises(ValueError, match=r"a record of 307\d+ bytes: expected at most 65536; record a pipe where"):
            writer.item(0.0, HEADER, FRAME)


def test_another_file_is_not_overwritten_and_a_recording_is(path):
    path.write_text("process: faces")
    with pytest.raises(RecordingError, match="expected a recording, or no file of that name: it is not touched"):
        Writer(path)
    assert path.read_text() == "process: faces"
    path.unlink()
    write(path, [(0.0, HEADER, "old")])
    write(path, [(0.0, HEADER, "new")])
    assert ["new"] == [one.value for one in read(path, [Box])]


def test_a_class_that_the_reader_did_not_name_is_not_made(path):
    write(path, [(0.0, HEADER, Box(1, "a"))])
    with pytest.raises(RecordingError, match=r"byte \d+: got .*'Box', which is not registered"):
        list(read(path))


def test_what_is_no_recording_is_refused(path):
    path.write_bytes(b"PK\x03\x04 something")
    with pytest.raises(RecordingError, match=r"items\.rec, byte 0: got .*, expected .* with which a recording begins"):
        Reader(path)


def hostile(*sizes, kind=2, nothing=0, count=None, body=b""):
    lengths = struct.pack(f"<{len(sizes)}Q", *sizes)
    head = struct.pack("<BBHI", kind, nothing, len(sizes) if count is None else count, crc32(body, crc32(lengths)))
    return head + lengths + body


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (hostile(1 << 62), "got a record of 4611686018427387904 bytes that are decoded, expected at most 8388608"),
        (hostile(1, 1, *[1 << 60] * 9), "bytes, expected at most 268435456"),
        (hostile(1, kind=9, body=b"x"), "expected the head of a record"),
        (hostile(1, nothing=1, body=b"x"), "expected the head of a record"),
        (hostile(count=0), "expected the head of a record"),
        (hostile(*[1] * 1003), "expected the head of a record"),
        (hostile(3, body=b"abc"), "bytes that are none"),
        (hostile(1, body=b"\xc0"), "expected an item, as it was written"),
        (hostile(2, body=b"\x90")[:-1] + b"\x90\x90", "expected what was written"),
    ],
)
def test_hostile_records_are_refused_by_their_place_and_take_no_memory(path, record, told):
    write(path, [(0.0, HEADER, "good")])
    offset = path.stat().st_size
    with path.open("ab") as file:
        file.write(record + b"\0" * 64)
    tracemalloc.start()
    try:
        with Reader(path, types()) as reader, pytest.raises(RecordingError) as caught:
            list(reader)
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()
    assert caught.value.offset == offset
    assert told in str(caught.value)


def test_a_record_that_claims_more_than_there_is_counts_as_cut_off_and_takes_no_memory(path):
    write(path, [(0.0, HEADER, "good")])
    offset = path.stat().st_size
    with path.open("ab") as file:
        file.write(hostile(100, 100, 200 << 20, body=b"x"))
    tracemalloc.start()
    try:
        found, cut = read_all(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()
    assert (["good"], offset) == ([one.value for one in found], cut)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_whatever_bytes_follow_the_reader_says_where_it_stopped(junk):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items.rec"
        write(path, [])
        begins = path.stat().st_size
        with path.open("ab") as file:
            file.write(junk)
        with Reader(path, types()) as reader:
            stopped = None
            try:
                assert list(reader) == []
            except RecordingError as error:
                stopped = error.offset
            assert (begins if junk else None) == (reader.cut if stopped is None else stopped)


def test_the_file_begins_with_its_magic(path):
    write(path, [])
    assert path.read_bytes().startswith(MAGIC)
