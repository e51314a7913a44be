"""Rows of numbers become boxes and rows again, whatever their form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.units.boxes import BoxesToRows, Found, RowsToBoxes
from streampy.units.images import CropBoxes, DrawBoxes
from streampy.units.video import Box, Face

feed = sp.testing.feed
FORMS = {"xyxy": [160, 90, 480, 180], "xywh": [160, 90, 320, 90], "cxcywh": [320, 135, 320, 90]}
SIZE = {"width": 640, "height": 360}
SAME = Box(0.25, 0.25, 0.75, 0.5)
number = st.floats(-2000, 2000)


@pytest.mark.parametrize(("form", "row"), FORMS.items())
def test_each_form_is_the_same_box(form: str, row: list[int]) -> None:
    assert [[Found(SAME)]] == feed(RowsToBoxes, settings={"form": form, **SIZE}, rows=[[row]])


@pytest.mark.parametrize(("form", "row"), FORMS.items())
def test_box_becomes_a_row_of_each_form(form: str, row: list[int]) -> None:
    (rows,) = feed(BoxesToRows, settings={"form": form, **SIZE}, boxes=[[SAME]])

    assert [row] == rows.tolist()


@given(rows=st.lists(st.tuples(number, number, number, number), max_size=5), form=st.sampled_from(sorted(FORMS)))
def test_rows_are_the_same_after_they_were_boxes(rows: list[tuple[float, ...]], form: str) -> None:
    settings = {"form": form, **SIZE}
    (boxes,) = feed(RowsToBoxes, settings=settings, rows=[rows])
    (again,) = feed(BoxesToRows, settings=settings, boxes=[boxes])

    assert (len(rows), 4) == again.shape
    assert np.allclose(np.reshape(rows, (-1, 4)), again, atol=1e-6)


def test_score_and_class_stand_behind_the_box_and_what_is_unsure_is_left_out() -> None:
    rows = np.array([[*FORMS["xyxy"], 0.9, 1.0], [*FORMS["xyxy"], 0.2, 0.0]], np.float32)
    settings = {**SIZE, "labels": ["cat", "dog"], "least": 0.5}
    ((found,),) = feed(RowsToBoxes, settings=settings, rows=[rows])

    assert (SAME, "dog") == (found.box, found.label)
    assert pytest.approx(0.9) == found.score
    assert "1" == feed(RowsToBoxes, settings=SIZE, rows=[rows])[0][0].label


@pytest.mark.parametrize("rows", [[], np.zeros((0, 6)), np.zeros((0,))])
def test_picture_without_boxes_gives_none(rows: Any) -> None:
    assert [[]] == feed(RowsToBoxes, rows=[rows])


@pytest.mark.parametrize("rows", [[1, 2, 3, 4], [[1, 2, 3]], np.zeros((1, 2, 6))])
def test_rows_of_another_shape_are_an_error_that_says_which(rows: Any) -> None:
    with pytest.raises(ValueError, match=r"got an array of shape \(.*, expected \(n, 4 or more\)"):
        feed(RowsToBoxes, rows=[rows])


def test_class_without_a_name_is_an_error() -> None:
    with pytest.raises(LookupError, match="got class 2, but there are 1 labels"):
        feed(RowsToBoxes, settings={"labels": ["cat"]}, rows=[[[0, 0, 1, 1, 1, 2]]])


@pytest.mark.parametrize("unit", [RowsToBoxes, BoxesToRows])
def test_picture_of_no_size_is_refused(unit: Any) -> None:
    with pytest.raises(ValueError, match=r"got a picture of 640 x 0, expected a size in pixels"):
        unit(width=640, height=0)


def test_boxes_faces_and_fractions_become_rows() -> None:
    face = Face(SAME, np.zeros((5, 2), np.float32), 1.0)
    (rows,) = feed(BoxesToRows, boxes=[[SAME, face, Found(SAME), (0.25, 0.25, 0.75, 0.5)]])

    assert [[0.25, 0.25, 0.75, 0.5]] * 4 == rows.tolist()


def test_what_was_found_is_cut_out_and_drawn() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    found = [Found(SAME, "dog")]

    (cut,) = feed(CropBoxes, picture=[image], boxes=[found])
    assert (10, 30, 3) == cut.shape
    (drawn,) = feed(DrawBoxes, picture=[image], boxes=[found])
    assert drawn.any()
