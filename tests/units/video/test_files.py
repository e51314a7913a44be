"""What is written can be read again: videos, metadata; and photographs are read."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import streampy as sp
from streampy.units.video import Box, Camera, Face, Faces, Frame, MetaWriter, Photos, Profile, VideoWriter

FACE = Face(Box(0.1, 0.2, 0.3, 0.4), np.zeros((5, 2), np.float32), 0.987654)


def item(index: int, *, stream: str = "cam1", time: float = -1, width: int = 64) -> sp.Item[Frame]:
    """Give a gray frame with its header; its time is that of 25 frames a second."""
    frame = Frame(np.full((48, width, 3), 20 * index % 256, np.uint8), index / 25 if time < 0 else time, index, stream)
    return sp.Item(frame, sp.Header(stream, index, 0.0))


@pytest.mark.parametrize(("codec", "name"), [("libx264", "a.mp4"), ("mpeg4", "a.mp4"), ("libx264", "a.mkv")])
def test_a_written_video_holds_the_frames_and_their_times(tmp_path: Path, codec: str, name: str) -> None:
    writer = VideoWriter(path=str(tmp_path / "deep" / name), codec=codec)
    writer.start()
    for index in range(10):
        writer.work(item(index))
    writer.stop()

    frames = list(Camera(url=str(tmp_path / "deep" / name)).work())

    assert [index / 25 for index in range(10)] == pytest.approx([frame.time for frame in frames], abs=0.002)
    assert [20 * index for index in range(10)] == pytest.approx([frame.image.mean() for frame in frames], abs=6)


def test_every_stream_gets_a_file_of_its_own(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "{stream}.mp4"))
    for index in range(3):
        writer.work(item(index, stream="cam1"))
        writer.work(item(index, stream="cam2"))
    writer.stop()

    assert {path.name: len(list(Camera(url=str(path)).work())) for path in tmp_path.iterdir()} == {
        "cam1.mp4": 3,
        "cam2.mp4": 3,
    }


def test_two_streams_for_one_file_are_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "all.mp4"))
    writer.work(item(0, stream="cam1"))

    with pytest.raises(ValueError, match=r"two streams for .*all\.mp4: put \{stream\} into its path"):
        writer.work(item(0, stream="cam2"))
    writer.stop()


def test_frames_of_another_size_are_an_error(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "a.mp4"))
    writer.work(item(0, width=64))

    with pytest.raises(ValueError, match=r"began with frames of \(64, 48\) pixels, got \(32, 48\)"):
        writer.work(item(1, width=32))
    writer.stop()


def test_an_odd_width_loses_its_last_column(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "a.mp4"))
    writer.work(item(0, width=63))
    writer.stop()

    (frame,) = Camera(url=str(tmp_path / "a.mp4")).work()
    assert frame.image.shape == (48, 62, 3)


def test_times_that_go_back_still_make_a_video(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "a.mp4"))
    for index, time in enumerate([5.0, 5.04, 5.0, 5.12]):
        writer.work(item(index, time=time))
    writer.stop()

    assert len(list(Camera(url=str(tmp_path / "a.mp4")).work())) == 4


def test_stopping_twice_or_without_a_frame_is_fine(tmp_path: Path) -> None:
    writer = VideoWriter(path=str(tmp_path / "a.mp4"))
    writer.stop()
    writer.stop()

    assert not list(tmp_path.iterdir())


_WRITE_FOR_EVER = """
import sys, numpy as np, streampy as sp
from streampy.units.video import Frame, VideoWriter
writer = VideoWriter(path=sys.argv[1], preset="ultrafast")
for index in range(10_000):
    image = np.full((48, 64, 3), index % 256, np.uint8)
    writer.work(sp.Item(Frame(image, index / 25, index, "cam1"), sp.Header("cam1", index, 0.0)))
    print(index, flush=True)
"""


def test_an_mp4_whose_writer_was_killed_can_be_watched(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    command = [sys.executable, "-c", _WRITE_FOR_EVER, str(path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer.stdout:
        while int(writer.stdout.readline()) < 1500:
            pass
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL

    with av.open(str(path)) as container:
        frames = 0
        try:
            for _ in container.decode(video=0):
                frames += 1
        except av.error.InvalidDataError:  # the very last frame may be cut in two
            pass
    assert frames > 250


def test_metadata_is_one_line_for_each_frame(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "faces.jsonl"
    writer = MetaWriter(path=str(path))
    writer.start()
    writer.work(item(0), Faces((FACE,)), [Profile("Ada", 0.25, FACE)])
    writer.work(item(1), Faces((FACE,)), [Profile("", float("inf"), FACE)])
    writer.work(item(2), Faces((FACE,)), None)
    writer.work(item(3), Faces(()), [])
    writer.stop()

    lines = [json.loads(line) for line in path.read_text().splitlines()]

    found = {"box": [0.1, 0.2, 0.3, 0.4], "score": 0.9877}
    assert [
        [{**found, "name": "Ada", "distance": 0.25}],
        [{**found, "name": ""}],
        [found],
        [],
    ] == [line["faces"] for line in lines]
    assert lines[3] == {"stream": "cam1", "seq": 3, "source": "cam1", "index": 3, "time": 0.12, "faces": []}


def test_photographs_come_in_order_under_their_persons_names(tmp_path: Path) -> None:
    for person, photo in [("Grace", "b.png"), ("Ada", "2.jpg"), ("Ada", "1.jpg")]:
        (tmp_path / person).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / person / photo), np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "Ada" / "notes.txt").write_text("no image")

    frames = list(Photos(folder=str(tmp_path)).work())

    assert [(frame.source, frame.index) for frame in frames] == [("Ada", 0), ("Ada", 1), ("Grace", 2)]
    assert frames[0].image.shape == (4, 6, 3)


def test_a_folder_without_photographs_is_an_error_that_says_how_to_lay_it_out(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make one folder for each person"):
        next(Photos(folder=str(tmp_path)).work())


def test_a_photograph_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "1.jpg").write_text("no image")

    with pytest.raises(ValueError, match=r"1\.jpg can't be read as an image"):
        next(Photos(folder=str(tmp_path)).work())
