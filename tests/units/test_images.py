"""Images of a folder, changed, cut, drawn on and written again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import streampy as sp
from streampy.model.check import make_plan
from streampy.units.files import FolderSource
from streampy.units.images import (
    AugmentImage,
    ConvertColor,
    CropBoxes,
    DrawBoxes,
    ImageSource,
    LoadImage,
    ResizeImage,
    SaveImage,
    ShowImage,
)
from streampy.units.video import Box, Face, Frame

feed = sp.testing.feed


@pytest.fixture
def image() -> Any:
    """Blue above, red below; the left column is green."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20] = (255, 0, 0)
    image[20:] = (0, 0, 255)
    image[:, 0] = (0, 255, 0)
    image.flags.writeable = False  # nobody may change what comes in
    return image


@pytest.fixture
def folder(tmp_path: Path, image: Any) -> Path:
    (tmp_path / "inside").mkdir()
    for name in ("b.png", "a.bmp", "inside/c.png"):
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_images_of_a_folder_come_in_order_as_frames_that_know_their_path(folder: Path, image: Any) -> None:
    frames = feed(ImageSource, settings={"folder": str(folder)})

    assert ["a.bmp", "b.png", "inside/c.png"] == [frame.source for frame in frames]
    assert all(np.array_equal(image, frame.image) for frame in frames)


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no image"):
        feed(ImageSource, settings={"folder": str(tmp_path)})


def test_images_are_loaded_made_small_and_gray_and_saved_by_a_process(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = sp.Process("small").add("paths", FolderSource, folder=str(folder), pattern="**/*.png")
    process.add("load", LoadImage, from_="paths").add("small", ResizeImage, from_="load", width=30)
    process.add("gray", ConvertColor, from_="small", to="gray")
    process.add("save", SaveImage, from_="gray", path=str(out / "{stream}-{seq:03}.png"))
    with sp.run(process) as running:
        running.wait()

    assert ["paths-000.png", "paths-001.png"] == sorted(path.name for path in out.iterdir())
    written = cv2.imread(str(out / "paths-000.png"), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert (20, 30) == written.shape


def test_what_is_no_image_is_told(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"notes\.txt can't be read as an image"):
        feed(LoadImage, path=[folder / "notes.txt"])
    with pytest.raises(FileNotFoundError, match="no image at missing"):
        feed(LoadImage, path=["missing"])


def test_a_frame_stays_a_frame_and_an_image_an_image(image: Any) -> None:
    frame, array = feed(ResizeImage, settings={"width": 6}, picture=[Frame(image, 1.5, 7, "cam"), image])

    assert ((4, 6, 3), 1.5, 7, "cam") == (frame.image.shape, frame.time, frame.index, frame.source)
    assert (4, 6, 3) == array.shape


@pytest.mark.parametrize(("to", "pixel"), [("rgb", [0, 0, 255]), ("hsv", [120, 255, 255]), ("gray", 29)])
def test_colours_are_converted(to: str, pixel: Any, image: Any) -> None:
    (converted,) = feed(ConvertColor, settings={"to": to}, picture=[image])

    assert np.array_equal(pixel, converted[5, 5])


def test_a_flip_exchanges_left_and_right(image: Any) -> None:
    (flipped,) = feed(AugmentImage, settings={"flip": 1.0}, picture=[image])

    assert np.array_equal(image[:, ::-1], flipped)


def test_an_image_is_made_brighter_and_smaller_by_no_more_than_told(image: Any) -> None:
    gray = np.full((100, 100), 100, np.uint8)
    varied = feed(AugmentImage, settings={"crop": 0.2, "brightness": 0.1, "seed": 1, "flip": 0}, picture=[gray] * 50)

    assert {len(np.unique(one)) for one in varied} == {1}
    pixels, heights = sorted(int(one[0, 0]) for one in varied), sorted(one.shape[0] for one in varied)
    assert 74 <= pixels[0] < 85
    assert 115 < pixels[-1] <= 126
    assert 80 <= heights[0] < 85
    assert 95 < heights[-1] <= 100


def test_with_a_seed_an_item_is_changed_alike_whoever_does_it(image: Any) -> None:
    def images() -> Iterator[Any]:
        for _ in range(8):
            yield image

    def run(seed: int, workers: int) -> list[Any]:
        process = sp.Process("vary").add("images", images)
        process.add("vary", AugmentImage, from_="images", crop=0.5, brightness=0.3, seed=seed, workers=workers)
        with sp.run(process) as running:
            return list(running.stream("vary"))

    one, two, other = run(1, 1), run(1, 2), run(2, 1)
    assert all(map(np.array_equal, one, two))
    assert not all(map(np.array_equal, one, other))


def test_boxes_are_cut_out_and_those_outside_are_left_out(image: Any) -> None:
    face = Face(Box(0.0, 0.5, 0.5, 1.0), np.zeros((5, 2), np.float32), 1.0)
    boxes = [Box(0.5, 0.0, 1.0, 0.5), (0.9, 0.9, 1.5, 1.5), Box(1.2, 0.0, 1.4, 1.0), face]
    cuts = feed(CropBoxes, picture=[Frame(image, 0.0, 3, "cam")], boxes=[boxes])

    assert [(20, 30, 3), (4, 6, 3), (20, 30, 3)] == [cut.image.shape for cut in cuts]
    assert {("cam", 3)} == {(cut.source, cut.index) for cut in cuts}
    assert [255, 0, 0] == cuts[0].image[0, 0].tolist()


def test_a_margin_grows_a_box_up_to_the_edge(image: Any) -> None:
    (cut,) = feed(CropBoxes, settings={"margin": 0.5}, picture=[image], boxes=[[Box(0.0, 0.25, 0.5, 0.75)]])

    assert (40, 45, 3) == cut.shape


def test_boxes_are_drawn_on_a_copy_and_a_picture_without_them_goes_on(image: Any) -> None:
    drawn, bare = feed(DrawBoxes, settings={"thickness": 1}, picture=[image, image], boxes=[[Box(0.5, 0.0, 0.9, 0.9)]])

    assert [0, 255, 0] == drawn[10, 30].tolist() == drawn[36, 40].tolist()
    assert [255, 0, 0] == image[10, 30].tolist()
    assert bare is image


def test_a_kind_of_image_that_nobody_knows_is_told(image: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be written"):
        feed(SaveImage, settings={"path": str(tmp_path / "{seq}.xyz")}, picture=[image])


def test_without_a_display_a_window_is_an_error_that_says_what_else_to_do(
    image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RuntimeError, match=r"there is no display .*: use SaveImage or VideoWriter"):
        feed(ShowImage, picture=[image])


def test_an_opencv_without_windows_is_told(image: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if "GUI:                           NONE" not in cv2.getBuildInformation():
        pytest.skip("this OpenCV has windows")
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(RuntimeError, match="has no windows: pip install opencv-python in place of"):
        feed(ShowImage, picture=[image])


def test_what_comes_of_a_frame_may_go_where_a_frame_is_expected():
    def note(frame: Frame) -> None: ...

    def frames() -> Iterator[Frame]: ...

    process = sp.Process("small").add("frames", frames).add("small", ResizeImage, width=4, from_="frames")
    assert make_plan(process.add("note", note, from_="small")).chains == (("frames", "small", "note"),)
