"""A camera gives what the file or the sender holds, and comes back after a loss."""

import itertools
import math
import time
from pathlib import Path

import pytest
from tests.units.video.conftest import MakeVideo
from tests.units.video.rtsp_server import RtspServer

from streampy.units.video import Camera


def test_a_file_gives_every_frame_in_order_with_its_time(make_video: MakeVideo) -> None:
    frames = list(Camera(url=str(make_video(frames=10, fps=25)), name="door").work())

    assert list(range(10)) == [frame.index for frame in frames]
    assert [index / 25 for index in range(10)] == pytest.approx([frame.time for frame in frames])
    assert {"door"} == {frame.source for frame in frames}
    assert {(48, 64, 3)} == {frame.image.shape for frame in frames}


def test_pixels_are_blue_green_red(make_video: MakeVideo) -> None:
    frames = list(Camera(url=str(make_video(frames=10))).work())

    assert [8 * index for index in range(10)] == pytest.approx([frame.image[..., 0].mean() for frame in frames], abs=3)
    assert [255 - 8 * i for i in range(10)] == pytest.approx([frame.image[..., 2].mean() for frame in frames], abs=3)


def test_a_missing_file_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"nothing\.mp4.*no such file; give a file, a webcam's number, or a URL"
    ):
        next(Camera(url=str(tmp_path / "nothing.mp4")).work())


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")

    with pytest.raises(ValueError, match="is not a video that FFmpeg can read"):
        next(Camera(url=str(tmp_path / "notes.mp4")).work())


def test_the_limit_ends_the_source(make_video: MakeVideo) -> None:
    assert len(list(Camera(url=str(make_video(frames=10)), limit=3).work())) == 3
    assert not list(Camera(url=str(make_video(frames=10)), limit=0).work())


def test_fps_leaves_one_frame_for_each_part_of_a_second(make_video: MakeVideo) -> None:
    frames = list(Camera(url=str(make_video(frames=25, fps=25)), fps=5).work())

    assert pytest.approx([frame.time for frame in frames]) == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_a_looping_file_begins_again_and_its_time_goes_on(make_video: MakeVideo) -> None:
    frames = list(Camera(url=str(make_video(frames=4, fps=25)), loop=True, limit=10).work())

    assert [index / 25 for index in range(10)] == pytest.approx([frame.time for frame in frames])
    assert frames[0].image.mean() == frames[4].image.mean() == frames[8].image.mean()


def test_realtime_gives_frames_not_before_their_times(make_video: MakeVideo) -> None:
    begin = time.monotonic()
    early = [
        frame.index
        for frame in Camera(url=str(make_video(frames=10, fps=50)), realtime=True).work()
        if time.monotonic() - begin < frame.time
    ]

    assert not early


def test_an_rtsp_camera_that_hangs_up_is_opened_again_and_its_time_goes_on() -> None:
    with RtspServer(frames=20) as server:
        frames = list(Camera(url=server.url, retry=0.01, limit=45).work())

        assert server.played >= 3
    assert list(range(45)) == [frame.index for frame in frames]
    assert all(before.time <= after.time for before, after in itertools.pairwise(frames))


def test_an_rtsp_camera_that_was_restarted_is_found_again() -> None:
    server = RtspServer(frames=20)
    frames = Camera(url=server.url, retry=0.01, retry_most=0.05).work()
    with server:
        next(frames)
    with RtspServer(port=server.port, frames=20) as again:
        more = list(itertools.islice(frames, 30))  # the rest of the first connection, then of the second

        assert again.played >= 1
    assert len(more) == 30


def test_a_silent_camera_counts_as_lost() -> None:
    with RtspServer(frames=5, silent_after=True) as server:
        frames = Camera(url=server.url, timeout=0.5, retries=0).work()

        with pytest.raises(ConnectionError, match=r"is lost: no picture for 0\.5 s"):
            list(frames)


def test_passwords_are_not_in_errors() -> None:
    with RtspServer() as server:
        port = server.port  # nobody listens there any more
    camera = Camera(url=f"rtsp://admin:secret@127.0.0.1:{port}/live", retries=0)

    with pytest.raises(ConnectionError) as error:
        next(camera.work())

    assert "secret" not in f"{error.value} {camera!r}"
    assert "rtsp://***@127.0.0.1" in str(error.value)


def test_a_number_is_a_webcam() -> None:
    assert Camera(url=0).url == Camera(url="0").url == "/dev/video0"
    assert Camera(url=0).is_live


def test_what_can_be_opened_again_is_told_from_a_file() -> None:
    assert [
        Camera(url=url, limit=math.inf).is_live for url in ("rtsp://a/b", "/dev/video3", "a.mp4", "https://a/b.mp4")
    ] == [True, True, False, False]
