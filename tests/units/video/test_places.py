"""Where things are in an image: boxes, sizes, the turn that puts a face upright."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streampy.units.video import Box, CropFaces, Draw, Face, Faces, Frame, Profile, Resize
from streampy.units.video.crop import similarity
from streampy.units.video.mtcnn import strongest

POINTS = np.asarray([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]], np.float32)
FACE = Face(Box(0.3, 0.25, 0.7, 0.75), POINTS, 0.99)


def frame(width: int = 64, height: int = 48, value: int = 0) -> Frame:
    """Give a frame of one gray."""
    return Frame(np.full((height, width, 3), value, np.uint8), 1.5, 7, "door")


def test_a_frame_is_scaled_to_the_width_and_keeps_its_shape_and_identity() -> None:
    small = Resize(width=32).work(frame(64, 48))

    assert small.image.shape == (24, 32, 3)
    assert (small.time, small.index, small.source) == (1.5, 7, "door")


def test_width_and_height_give_the_very_size() -> None:
    assert Resize(width=100, height=10).work(frame()).image.shape == (10, 100, 3)


def test_a_frame_that_has_the_size_is_not_copied() -> None:
    one = frame(64, 48)

    assert one is Resize(width=64).work(one)


def test_a_size_below_a_pixel_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 x 0, expected at least 1 x 1 pixel"):
        Resize(width=0)


@given(
    turn=st.floats(-math.pi, math.pi),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_the_turn_scale_and_shift_of_points_is_found_again(
    turn: float, scale: float, shift: tuple[float, float]
) -> None:
    linear = scale * np.asarray([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = 100 * POINTS

    move = similarity(points, (points @ linear.T + shift).astype(np.float32))

    assert linear == pytest.approx(move[:, :2], abs=1e-3)
    assert shift == pytest.approx(tuple(move[:, 2]), abs=0.2)


def test_points_in_one_place_give_a_finite_answer() -> None:
    assert np.isfinite(similarity(np.zeros((5, 2), np.float32), 100 * POINTS)).all()


@pytest.mark.parametrize("size", [100, 1000])
def test_the_five_points_of_a_face_land_where_the_network_wants_them(size: int) -> None:
    """Five white dots in a turned, large or small face are white dots in the crop, in the wanted places."""
    unit = CropFaces(size=150)
    turned = (POINTS - 0.5) @ np.asarray([[0.9, 0.3], [-0.3, 0.9]], np.float32) + 0.5
    image = np.zeros((size, size, 3), np.uint8)
    wanted = similarity(turned * size, unit.wanted)
    for x, y in turned * size:
        cv2.circle(image, (round(float(x)), round(float(y))), max(1, size // 50), (255, 255, 255), cv2.FILLED)

    (crop,) = unit.work(Frame(image, 0.0, 0, "door"), Faces((Face(FACE.box, turned, 0.9),)))

    assert crop.image.shape == (150, 150, 3)
    for x, y in (turned * size) @ wanted[:, :2].T + wanted[:, 2]:
        assert crop.image[round(float(y)), round(float(x))].max() > 100


def test_a_face_at_the_edge_is_cropped_with_black_outside() -> None:
    outside = Face(Box(-0.2, 0.1, 0.2, 0.6), POINTS - np.asarray([0.5, 0], np.float32), 0.9)

    (crop,) = CropFaces(size=50).work(frame(value=200), Faces((outside,)))

    assert not crop.image[25, 0].any()
    assert tuple(crop.image[25, 49]) == (200, 200, 200)


def test_a_frame_without_faces_gives_no_crop() -> None:
    assert not list(CropFaces().work(frame(), Faces(())))


boxes = arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4)), elements=st.floats(0, 50, width=32)).map(
    lambda rows: np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:] + 1], axis=1)
)


@given(rows=boxes, chance=st.randoms(use_true_random=False), smaller=st.booleans())
def test_of_boxes_that_cover_each_other_the_surest_is_left(rows: np.ndarray, chance: object, *, smaller: bool) -> None:
    scores = np.asarray([chance.random() for _ in rows], np.float32)  # type: ignore[attr-defined]

    kept = strongest(rows, scores, 0.5, of_smaller=smaller)

    assert sorted(kept, key=lambda i: -scores[i]) == kept
    for number, i in enumerate(kept):
        assert all(part_in_common(rows[i], rows[j], of_smaller=smaller) < 0.5 + 1e-4 for j in kept[:number])
    for i in set(range(len(rows))) - set(kept):
        assert any(
            part_in_common(rows[i], rows[j], of_smaller=smaller) >= 0.5 - 1e-4 and scores[j] >= scores[i] for j in kept
        )


def part_in_common(a: np.ndarray, b: np.ndarray, *, of_smaller: bool) -> float:
    """Give the common area of two boxes as a part of both together, or of the smaller."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return float(common / (min(areas) if of_smaller else sum(areas) - common))


def test_a_known_face_is_drawn_green_a_stranger_red_and_one_whose_name_is_late_blue() -> None:
    faces = Faces((FACE,))
    draw = Draw()
    edge = (24, round(0.3 * 64))  # half way down the left edge of the box

    drawn = [
        draw.work(frame(), faces, profiles).image[edge]
        for profiles in ([Profile("Grace Hopper", 0.3, FACE)], [Profile("", 0.8, FACE)], None)
    ]

    assert [int(pixel.argmax()) for pixel in drawn] == [1, 2, 0]


def test_drawing_leaves_the_given_frame_as_it_was() -> None:
    one = frame()

    drawn = Draw().work(one, Faces((FACE,)), [Profile("Grace Hopper", 0.3, FACE)])

    assert not one.image.any()
    assert drawn.image.any()


def test_a_frame_without_faces_is_not_copied() -> None:
    one = frame()

    assert one is Draw().work(one, Faces(()), [])
