"""Faces in real photographs, with the real networks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import streampy as sp
from streampy.units.video import Crop, CropFaces, Describe, Faces, FindFaces, Frame

# The middles of the faces, in fractions, marked by hand.
MIDDLES = {
    "obama.jpg": (0.54, 0.23),
    "obama2.jpg": (0.52, 0.37),
    "obama3.jpg": (0.54, 0.19),
    "biden.jpg": (0.59, 0.17),
    "astronaut.png": (0.44, 0.23),
    "grace_hopper.jpg": (0.52, 0.37),
}


def photo(models: Path, name: str, height: int = 600) -> Frame:
    """Give a photograph, scaled to a height in pixels."""
    image = cv2.imread(str(models / name))
    assert image is not None
    scale = height / image.shape[0]
    return Frame(np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)), 0.0, 0, name)


@pytest.fixture(scope="session")
def find(models: Path) -> FindFaces:
    """Give an open finder."""
    unit = FindFaces(models=str(models))
    unit.start()
    return unit


@pytest.fixture(scope="session")
def describe(models: Path) -> Describe:
    """Give an open describer."""
    unit = Describe(model=str(models / "dlib_resnet.onnx"))
    unit.start()
    return unit


@pytest.mark.parametrize("name", MIDDLES)
def test_the_one_face_of_a_portrait_is_found_where_it_is(find: FindFaces, models: Path, name: str) -> None:
    (face,) = find.work(photo(models, name))

    middle = ((face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2)
    assert MIDDLES[name] == pytest.approx(middle, abs=0.03)
    assert face.score > 0.9


def test_the_five_points_are_eyes_nose_and_mouth_the_left_one_first(find: FindFaces, models: Path) -> None:
    (face,) = find.work(photo(models, "grace_hopper.jpg"))

    (left_eye, right_eye, nose, left_mouth, right_mouth) = face.points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg", "chelsea.png"])
def test_no_face_is_found_where_there_is_none(find: FindFaces, models: Path, name: str) -> None:
    assert not len(find.work(photo(models, name)))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (11, 300), (64, 48)])
def test_an_image_too_small_for_a_face_has_none(find: FindFaces, width: int, height: int) -> None:
    assert not len(find.work(Frame(np.zeros((height, width, 3), np.uint8), 0.0, 0, "door")))


def test_a_face_cut_by_the_edge_is_no_error(find: FindFaces, models: Path) -> None:
    whole = photo(models, "grace_hopper.jpg")

    for cut in range(120, 400, 20):
        find.work(Frame(np.ascontiguousarray(whole.image[:, cut:]), 0.0, 0, "door"))
        find.work(Frame(np.ascontiguousarray(whole.image[:cut]), 0.0, 0, "door"))


def test_places_in_a_small_frame_hold_for_the_large_one(find: FindFaces, models: Path) -> None:
    small, large = (find.work(photo(models, "obama.jpg", height)) for height in (400, 900))

    assert vars_of(large) == pytest.approx(vars_of(small), abs=0.02)


def vars_of(faces: Faces) -> tuple[float, float, float, float]:
    """Give the edges of the only face."""
    (face,) = faces
    return face.box.left, face.box.top, face.box.right, face.box.bottom


def test_missing_models_are_an_error_that_says_which_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"give a folder with pnet\.onnx, rnet\.onnx and onet\.onnx"):
        FindFaces(models=str(tmp_path / "nowhere")).start()
    with pytest.raises(FileNotFoundError, match=r"no model at .*pnet\.onnx"):
        FindFaces(models=str(tmp_path)).start()
    with pytest.raises(FileNotFoundError, match=r"no model at .*none\.onnx"):
        Describe(model=str(tmp_path / "none.onnx")).start()


def crops(find: FindFaces, models: Path, *names: str) -> sp.Batch[Crop]:
    """Give the faces of photographs, upright."""
    cut = CropFaces()
    frames = [photo(models, name) for name in names]
    return sp.Batch(crop for frame in frames for crop in cut.work(frame, find.work(frame)))


def test_photographs_of_one_person_are_near_and_of_two_people_far(
    find: FindFaces, describe: Describe, models: Path
) -> None:
    names = list(MIDDLES)
    vectors = np.stack([one.vector for one in describe.work(crops(find, models, *names))])
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)

    for i, one in enumerate(names):
        for j, other in enumerate(names):
            is_same = one.startswith("obama") and other.startswith("obama")
            assert (distances[i, j] < 0.6) == (is_same or i == j), (one, other)


def test_a_batch_gives_what_its_items_give_one_by_one(find: FindFaces, describe: Describe, models: Path) -> None:
    batch = crops(find, models, "obama.jpg", "biden.jpg", "astronaut.png")

    together = describe.work(batch)
    singly = [describe.work(sp.Batch([one]))[0] for one in batch]

    assert [one.source for one in together] == ["obama.jpg", "biden.jpg", "astronaut.png"]
    for one, other in zip(together, singly, strict=True):
        assert one.vector == pytest.approx(other.vector, abs=1e-5)


def test_a_network_that_takes_one_image_at_a_time_is_called_for_each(tmp_path: Path) -> None:
    """As SFace and many others are: batch of 1, a fixed side, values as they are, descriptors of length 1."""
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["data"], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["fc1"]),
        ],
        "mean_color",
        [helper.make_tensor_value_info("data", floats, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("fc1", floats, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "mean.onnx")
    unit = Describe(model=str(tmp_path / "mean.onnx"), channels="bgr", normalise=True)
    unit.start()
    colors = [(30, 40, 0), (0, 0, 200), (9, 9, 9)]

    vectors = unit.describe([np.full((150, 150, 3), color, np.uint8) for color in colors])

    assert pytest.approx(vectors, abs=1e-5) == [[0.6, 0.8, 0], [0, 0, 1], [3**-0.5] * 3]
