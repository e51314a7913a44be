"""Frames come out of a stream of bytes as they went in, however it is cut; what is none is refused before it costs."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipes.net.ends import ITEMS, feed

from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Frame, FrameReader, Kind, to_wire
from streampy.pipes.net.limits import Limits
from streampy.pipes.net.outbox import Outbox
from streampy.pipes.net.recycled import Recycled

LIMITS = Limits()
sizes = st.integers(0, 100) | st.sampled_from([16_383, 16_384, 65_500, 65_536, 70_000, 200_000])
frames = st.builds(
    Frame,
    st.sampled_from([*Kind, ITEMS]).map(int),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.lists(st.builds(lambda size, one: bytes([one]) * size, sizes, st.integers(0, 255)), max_size=5).map(tuple),
)


def bytes_of(*some: Frame) -> bytes:
    return b"".join(bytes(buffer) for frame in some for buffer in to_wire(frame, LIMITS))


def plain(frame: Frame) -> Frame:
    return frame._replace(parts=tuple(map(bytes, frame.parts)))


@given(st.lists(frames, max_size=5), st.lists(st.integers(1000, 100_000), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_cut_of_the_stream_gives_the_same_frames(sent, cuts):
    data, reader, came = bytes_of(*sent), FrameReader(LIMITS), []
    at = number = 0
    while at < len(data):
        piece = data[at : at + cuts[number % len(cuts)]]
        came += map(plain, feed(reader, piece))
        at, number = at + len(piece), number + 1
    assert sent == came


@given(st.lists(frames, min_size=1, max_size=3))
@settings(max_examples=10, deadline=None)
def test_byte_by_byte_too(sent):
    small = [frame._replace(parts=tuple(part[:40] for part in frame.parts)) for frame in sent]
    reader = FrameReader(LIMITS)
    assert small == [plain(frame) for byte in bytes_of(*small) for frame in feed(reader, bytes([byte]))]


def test_large_parts_are_received_in_memory_that_somebody_else_gives():
    given_out = []

    def allocate(size: int) -> memoryview:
        given_out.append(bytearray(size))
        return memoryview(given_out[-1])

    frame = Frame(ITEMS, parts=(b"head", b"a" * 300_000, b"b" * 10))
    (came,) = feed(FrameReader(LIMITS, allocate), bytes_of(frame))
    assert frame == plain(came)
    assert given_out == [b"a" * 300_000, b"b" * 10]
    given_out[0][:] = b"c" * 300_000
    assert bytes(came.parts[1]) == given_out[0]


def claim(*given: int, kind: int = ITEMS) -> bytes:
    return struct.pack("<BBHIQ", kind, 0, len(given), 0, 0) + struct.pack(f"<{len(given)}Q", *given)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (claim(10, 10 << 30), "got 10737418250 bytes, expected at most 268435456"),
        (claim(10, 2**64 - 1), "bytes, expected at most 268435456"),
        (claim(10 << 30), "bytes in the first part, expected at most 8388608"),
        (claim(*[10 << 20] * 30), "bytes"),
        (struct.pack("<BBHIQ", ITEMS, 0, 1001, 0, 0), "got 1001 parts, expected at most 1000"),
        (claim(1, kind=77), "got kind 77"),
        (b"GET / HTTP/1.1\r\nHost: core\r\n\r\n", "got kind 71"),
    ],
)
def test_a_frame_that_claims_too_much_is_refused_before_memory_is_taken(data, told):
    asked = []
    reader = FrameReader(LIMITS, lambda size: asked.append(size) or bytearray(size))
    tracemalloc.start()
    with pytest.raises(ProtocolError, match=told):
        list(feed(reader, data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [] == asked
    assert peak < 100_000


def test_a_sender_is_told_before_it_sends_what_the_other_end_would_refuse():
    limits = Limits(frame=1000, head=100, parts=2)
    for parts, told in [((b"x" * 101,), "first part"), ((b"", b"x" * 1001), "1001 bytes"), ((b"",) * 3, "3 parts")]:
        with pytest.raises(ValueError, match=told):
            to_wire(Frame(ITEMS, parts=parts), limits)


@given(st.lists(st.binary(min_size=1, max_size=9), max_size=9), st.lists(st.integers(0, 12), min_size=40, max_size=40))
def test_an_outbox_gives_what_was_put_in_however_much_is_sent_at_once(buffers, counts):
    box, came = Outbox(), b""
    box.add(buffers)
    for count in counts + [9] * 9:
        taken = b"".join(map(bytes, box.first()))[:count]
        box.sent(len(taken))
        came += taken
    assert b"".join(buffers) == came
    assert not box.size


def test_memory_is_used_again_once_nobody_holds_it():
    recycled = Recycled(most=3_000_000)
    first, second = recycled(1_000_000), recycled(1_000_000)
    assert first is not second
    number, view = id(first), memoryview(first)[5:]
    del first
    assert recycled(1_000_000) is not view.obj
    del view
    assert number in map(id, [recycled(1_000_000) for _ in range(3)])
    assert "3000000" in repr(recycled)


def test_memory_of_a_size_that_no_longer_comes_makes_room_for_another():
    recycled = Recycled(most=3_000_000)
    for _ in range(3):
        recycled(1_000_000)
    block = recycled(2_000_000)
    assert len(block) == 2_000_000
    assert len(recycled(5_000_000)) == 5_000_000
