"""Values and headers come out as they went in; what can't go is named; what is none is refused."""

from __future__ import annotations

import enum
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from tests.pipes.net.values import Box, Score, a_codec, are_same, batches, values

from streampy.model.item import Batch, Header
from streampy.pipes.net.codec import WireCodec
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.registered import WireTypes

CODEC = a_codec()
FRAME = np.arange(1080 * 1920 * 3, dtype=np.uint8).reshape(1080, 1920, 3)


def there_and_back(value: object) -> object:
    head, buffers = CODEC.encode(value)
    return CODEC.decode(head, [bytes(one) for one in buffers])


@given(values)
@settings(max_examples=200, deadline=None)
def test_a_value_comes_out_as_it_went_in(value):
    assert are_same(value, there_and_back(value))


@given(batches)
@settings(max_examples=60, deadline=None)
def test_a_batch_comes_out_as_it_went_in_with_its_headers(batch):
    head, buffers = CODEC.encode_batch(batch)
    came = CODEC.decode_batch(head, [bytes(one) for one in buffers])
    assert are_same(list(batch), list(came))
    assert list(map(repr, batch.headers)) == list(map(repr, came.headers))


def test_headers_that_follow_each_other_take_few_bytes():
    batch = Batch([None] * 256, [Header("camera", seq, 3.5) for seq in range(1000, 1256)])
    assert len(CODEC.encode_batch(batch).head) < 256 + 40


def test_the_bytes_of_an_array_are_not_copied_there_or_back():
    head, buffers = CODEC.encode({"frame": FRAME})
    assert len(head) < 100
    assert np.shares_memory(FRAME, np.frombuffer(buffers[0], np.uint8))
    came = CODEC.decode(head, buffers)["frame"]
    assert np.shares_memory(FRAME, came)
    assert not came.flags.writeable


def test_a_view_of_an_array_is_made_contiguous_and_a_transposed_one_stays_as_it_is():
    assert np.array_equal(FRAME[::2, 5:9], there_and_back(FRAME[::2, 5:9]))
    head, buffers = CODEC.encode(FRAME.T)
    assert np.shares_memory(FRAME, np.frombuffer(buffers[0], np.uint8))
    assert np.array_equal(FRAME.T, CODEC.decode(head, buffers))


@pytest.mark.parametrize(
    "wrap", [lambda data: [data], lambda data: {"a": [data]}, lambda data: (data,), lambda data: Box(data, "")]
)
def test_large_bytes_lie_apart_wherever_they_are(wrap):
    data = b"x" * 1_000_000
    head, buffers = CODEC.encode(wrap(data))
    assert len(head) < 100
    assert buffers[0].obj is data
    assert are_same(wrap(data), CODEC.decode(head, buffers))


def test_what_may_be_written_becomes_bytes():
    assert [b"abc", b"abc"] == there_and_back([bytearray(b"abc"), memoryview(b"abc")])


@pytest.mark.parametrize("size", [3, 20_000])
def test_arrow_tables_and_batches_come_out_as_they_went_in(size):
    table = pa.table(
        {
            "number": range(size),
            "text": [f"row {row}" for row in range(size)],
            "few": pa.array(["a", "b", None] * size).slice(0, size).dictionary_encode(),
            "nested": [[{"x": 1.5}]] * size,
        }
    )
    assert table.equals(there_and_back(table))
    assert table.to_batches()[0].equals(there_and_back(table.to_batches()[0]))


def test_a_compressed_arrow_table_is_refused_because_it_may_claim_any_size():
    out = pa.BufferOutputStream()
    table = pa.table({"zeros": np.zeros(1_000_000)})
    with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write(table)
    head, _ = CODEC.encode(pa.table({"zeros": np.zeros(10_000)}))
    with pytest.raises(ProtocolError, match="compressed"):
        CODEC.decode(head, [out.getvalue()])


class Colour(enum.Enum):
    RED = 1


def own(holder: list) -> list:
    holder.append(holder)
    return holder


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"boxes": [1, 2, 3, object()]}, r"value\['boxes'\]\[3\]: got builtins.object <object"),
        (Box([Colour.RED], "a"), r"value.corner\[0\]: got .*Colour"),
        ({"a": (1, {Colour.RED})}, r"value\['a'\]\[1\] has the member <Colour.RED: 1>: got"),
        ({Colour.RED: 1}, r"value has the key <Colour.RED: 1>: got"),
        ([np.array([None])], r"value\[0\]: got numpy.ndarray .*dtype object, which has no safe form"),
        (np.ma.array([1, 2], mask=[True, False]), "MaskedArray"),
        ("half a pair: \ud800", "surrogates not allowed"),
        (own([]), "holds itself"),
        (np.array([], np.dtype([])), "has no safe form"),
    ],
)
def test_what_can_not_go_is_named_with_its_place_and_the_next_step(value, told):
    with pytest.raises(TypeError, match=told) as raised:
        CODEC.encode(value)
    assert "expected" in str(raised.value)


def test_in_a_batch_the_item_is_named_too():
    batch = Batch([1, {"a": object()}], [Header("camera", 16, 0.0), Header("camera", 17, 0.0, (2,))])
    with pytest.raises(TypeError, match=r"item camera #17.2: value\['a'\]: got builtins.object.*register its class"):
        CODEC.encode_batch(batch)


def test_what_the_users_class_raises_is_the_cause():
    types = WireTypes()
    types.register(Colour, "colour", lambda colour: colour.name[9], Colour)
    with pytest.raises(TypeError, match="string index out of range") as raised:
        WireCodec(types).encode(Colour.RED)
    assert isinstance(raised.value.__cause__, IndexError)


def test_a_class_goes_as_the_user_says():
    types = WireTypes()
    types.register(Colour, "colour", lambda colour: colour.name, lambda name: Colour[name])
    codec = WireCodec(types)
    assert Colour.RED is codec.decode(*codec.encode(Colour.RED))


def test_a_class_that_only_the_sender_knows_is_refused_by_name():
    with pytest.raises(ProtocolError, match="'Score', which is not registered here; register it at both ends"):
        WireCodec().decode(*CODEC.encode(Score(1, "a")))


def test_two_classes_can_not_have_one_name():
    types = WireTypes()
    types.register(Box, "thing")
    with pytest.raises(ValueError, match="give another name"):
        types.register(Score, "thing")
    types.register(Box, "box")
    types.register(Score, "thing")


def test_a_class_without_fields_needs_both_functions():
    with pytest.raises(TypeError, match="give `to_plain` and `from_plain`"):
        WireTypes().register(Colour)


def test_a_head_that_claims_much_takes_no_memory():
    claims = [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x91" * 5000,
    ]
    array = CODEC.encode(np.zeros(3)).head.replace(b"\x91\x03", b"\x91\xce\xff\xff\xff\xff")
    tracemalloc.start()
    for head in [*claims, array]:
        with pytest.raises(ProtocolError):
            CODEC.decode(head)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "dtype", ["O", "i4,i4", "f8" * 50, "V8", "datetime64", "U0", "(2,2)i4", "S999999999999", [["a"], ["O"], [0], 8]]
)
def test_a_dtype_that_is_none_of_ours_is_refused(dtype):
    plain = {"told": CODEC.encode(np.zeros(1)).head}
    head = plain["told"].replace(CODEC.encode("<f8").head, CODEC.encode(dtype).head)
    assert head != plain["told"]
    with pytest.raises(ProtocolError):
        CODEC.decode(head)
