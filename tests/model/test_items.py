"""An item is inherited by its parts; outputs are named by their class."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streampy.model.item import Batch, Header, Item
from streampy.model.outputs import Outputs

HEADER = Header("camera", 17, 1.0, (0, 2), 9.0, {"day": "Monday"})


class Found(Outputs):
    """Two outputs."""

    size: int
    names: list[str]


class More(Found):
    """One more."""

    crops: Iterator[bytes]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (Header("camera", 17, 0.0), "camera #17"),
        (HEADER, "camera #17.0.2"),
        (Header("camera#1", 3, 0.0), "camera#1 #3"),
    ],
)
def test_the_key_of_an_item_is_for_people(header, key):
    assert header.key == key


def test_a_part_inherits_all_but_its_path():
    assert HEADER.part(5) == Header("camera", 17, 1.0, (0, 2, 5), 9.0, {"day": "Monday"})


def test_an_item_tells_what_its_header_does():
    item = Item("F0", HEADER)
    assert (item.stream, item.seq, item.path, item.born, item.deadline, item.meta) == (
        "camera",
        17,
        (0, 2),
        1.0,
        9.0,
        {"day": "Monday"},
    )


def test_a_header_has_no_deadline_and_no_meta_of_its_own():
    header = Header("camera", 0, 0.0)
    assert (header.path, header.deadline, dict(header.meta)) == ((), float("inf"), {})
    with pytest.raises(TypeError):
        header.meta["day"] = "Monday"


def test_a_batch_is_a_list_of_values_with_their_headers_beside_it():
    headers = [Header("camera", number, 0.0) for number in range(2)]
    batch = Batch(["F0", "F1"], headers)
    assert batch == ["F0", "F1"]
    assert batch.items == [Item("F0", headers[0]), Item("F1", headers[1])]
    assert Batch().headers == []


def test_outputs_are_given_by_name_and_what_is_not_given_is_not_there():
    found = Found(size=3)
    assert (repr(found), vars(found)) == ("Found(size=3)", {"size": 3})


def test_outputs_are_inherited_in_the_order_in_which_they_are_written():
    assert More.hints() == {"size": int, "names": list[str], "crops": Iterator[bytes]}


def test_an_output_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(TypeError, match="Found has no output 'sizes'; it has size, names"):
        Found(sizes=3)
