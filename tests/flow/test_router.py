"""What a unit gives goes to the right output, with the identity of the item that it was given for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streampy.flow.router import Sent, Spread
from streampy.model.item import Header, Item
from streampy.model.outputs import Outputs
from streampy.model.unit import ports_of

HEADER = Header("camera", 7, 1.0, (2,), 9.0, {"day": "Monday"})


class Found(Outputs):
    count: int
    faces: Iterator[str]


class Halves(Outputs):
    low: int
    high: int


def one(x: int) -> int | None: ...
def many(x: int) -> Iterator[int]: ...
def found(x: int) -> Found: ...
def halves(x: int) -> Halves: ...
def cut(x: int) -> Iterator[Halves]: ...
def camera() -> Iterator[Halves]: ...


def spread(unit: object) -> Spread:
    return Spread(ports_of(unit), HEADER)


def test_one_result_inherits_the_whole_identity():
    assert list(spread(one).of(5)) == [Sent("out", HEADER, 5)]


def test_none_sends_nothing_and_the_output_is_silent():
    result = spread(one)
    assert list(result.of(None)) == []
    assert (result.total, result.silent(), result.fanouts()) == (0, ["out"], [])


@given(values=st.lists(st.one_of(st.none(), st.integers()), max_size=8))
def test_what_is_yielded_becomes_parts_numbered_from_0(values):
    result = spread(many)
    kept = [value for value in values if value is not None]
    assert list(result.of(iter(values))) == [Sent("out", HEADER.part(n), value) for n, value in enumerate(kept)]
    assert (result.total, result.fanouts(), result.silent()) == (len(kept), [("out", len(kept))], [])


def test_parts_are_sent_as_they_are_yielded():
    seen: list[int] = []

    def work() -> Iterator[int]:
        for number in range(2):
            seen.append(number)
            yield number

    results = spread(many).of(work())
    assert seen == []
    next(results)
    assert seen == [0]


@given(count=st.one_of(st.none(), st.integers()), faces=st.one_of(st.none(), st.lists(st.text(), max_size=4)))
def test_each_named_output_is_sent_its_own(count, faces):
    given = {name: value for name, value in (("count", count), ("faces", faces)) if value is not None}
    result = spread(found)
    sent = list(result.of(Found(**given)))
    assert [one for one in sent if one.port == "count"] == ([Sent("count", HEADER, count)] if "count" in given else [])
    assert [one for one in sent if one.port == "faces"] == [
        Sent("faces", HEADER.part(n), face) for n, face in enumerate(faces or [])
    ]
    assert result.silent() == ([] if "count" in given else ["count"])
    assert result.fanouts() == [("faces", len(faces or []))]


@given(parts=st.lists(st.sets(st.sampled_from(["low", "high"])), max_size=6))
def test_the_outputs_of_one_part_have_the_same_number_and_those_left_out_are_told(parts):
    result = spread(cut)
    sent = [(one.port, one.header) for one in result.of(Halves(**dict.fromkeys(given, 1)) for given in parts)]
    of_parts = [(port, HEADER.part(n)) for n in range(len(parts)) for port in ("low", "high")]
    assert sent == [(port, header) for port, header in of_parts if port in parts[header.path[-1]]]
    assert result.missing == [(port, header) for port, header in of_parts if port not in parts[header.path[-1]]]
    assert result.fanouts() == [("low", len(parts)), ("high", len(parts))]
    assert result.total == len(sent)


def test_what_a_source_yields_are_items_and_no_parts():
    result = spread(camera)
    assert list(result.one(Halves(low=1))) == [Sent("low", HEADER, 1)]
    assert (result.fanouts(), result.silent(), result.missing) == ([], ["high"], [])


def test_an_item_gives_its_own_meta_and_deadline_but_no_other_identity():
    given = Item(5, Header("elsewhere", 99, 0.0, (), 4.0, {"day": "Sunday"}))
    (sent,) = spread(one).of(given)
    assert sent == Sent("out", Header("camera", 7, 1.0, (2,), 4.0, {"day": "Sunday"}), 5)


@pytest.mark.parametrize("unit", [found, halves], ids=lambda unit: unit.__name__)
def test_a_result_that_is_not_what_the_signature_promises_is_refused(unit):
    named = ports_of(unit).named.__name__
    with pytest.raises(TypeError, match=f"got int 5, but the signature promises {named}"):
        list(spread(unit).of(5))


def test_what_a_unit_raises_while_it_yields_comes_out_after_what_it_gave():
    def work() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    result = spread(many)
    results = result.of(work())
    assert next(results).value == 1
    with pytest.raises(ValueError, match="no more"):
        next(results)
    assert result.total == 1
