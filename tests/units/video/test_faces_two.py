"""The faces example in two segments: its camera server serves what is in the file, its judge sees what is wrong."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from examples.faces_two import judge
from examples.faces_two.rtsp import RtspServer, Video

from streampy.units.video import Camera


def noisy_video(path: Path) -> Path:
    """Write a video whose frames are too large for one packet, and not decoded in the order in which they are shown."""
    chance = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(25), options={"crf": "10", "x264-params": "bframes=2:b-adapt=0:scenecut=0"}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(12):
            image = chance.integers(0, 255, (240, 320, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_the_camera_server_gives_the_frames_of_the_file_with_their_times_again_and_again(tmp_path: Path) -> None:
    path = noisy_video(tmp_path / "noise.mp4")
    video = Video.of(path)
    assert max(len(unit) for frame in video.frames for unit in frame.units) > 16_000
    assert [frame.shown for frame in video.frames] != sorted(frame.shown for frame in video.frames)

    with RtspServer({"noise": video}) as server:
        came = list(Camera(url=server.url_of("noise"), limit=20).work())

    there = list(Camera(url=str(path)).work())
    assert [number / 25 for number in range(20)] == pytest.approx([frame.time for frame in came], abs=1e-3)
    assert all(np.array_equal(frame.image, there[number % 12].image) for number, frame in enumerate(came))


def line(seq: int, time: float, name: str) -> dict[str, object]:
    """Give a line of metadata, with one face."""
    return {
        "source": "cam1",
        "seq": seq,
        "time": time,
        "faces": [{"box": [0.1, 0.1, 0.2, 0.3], "name": name}],
    }


def judged(tmp_path: Path, *lines: dict[str, object]) -> tuple[int, int]:
    """Count the faces, and those rightly named; the clip shows Ada, Grace and Ada, at two frames a second."""
    clip = [[{"box": [0.1, 0.1, 0.2, 0.3], "whole": True, "name": name}] for name in ("Ada", "Grace", "Ada")]
    (tmp_path / "truth.json").write_text(json.dumps({"fps": 2, "cameras": {"cam1": clip}}))
    (tmp_path / "seen.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    score = judge.score(tmp_path / "seen.jsonl", tmp_path / "truth.json", ["Ada", "Grace"])["cam1"]
    return score.true, score.right


def test_a_clip_begins_anew_with_each_connection_and_at_its_end(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(judge, "_GAP", 0.9)
    lines = [line(0, 0.0, "Ada"), line(1, 0.5, "Grace"), line(2, 1.0, "Ada"), line(3, 1.5, "Ada"), line(4, 3.2, "Ada")]

    assert judged(tmp_path, *lines) == (5, 5)
    assert judged(tmp_path, *lines, line(5, 3.7, "Ada")) == (6, 5)


@pytest.mark.parametrize("numbers", [(0, 2), (0, 0), (1, 0)])
def test_a_frame_that_is_missing_or_twice_or_late_is_an_error(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="missing, there twice, or not in their order"):
        judged(tmp_path, *(line(seq, 0.5 * seq, "Ada") for seq in numbers))


def test_what_is_lost_is_named() -> None:
    ledger = {"dropped": 0, "failed": 0, "expired": 2, "in_flight": 0, "balanced": False}
    run = {"exit": 5, "segments": {"edge": {"processes": [{"ledger": ledger, "errors": [{"message": "no"}]}]}}}

    first, *rest = judge.losses(run)

    assert first == "exit code 5"
    assert rest[0] == "edge: 2 expired"
    assert "edge: the ledger does not balance" in rest[1]
    assert rest[2] == "edge: no"


@pytest.mark.long
def test_all_faces_are_named_though_the_camera_server_and_a_replica_are_killed(models: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.faces_two", "--cache", models, "--out", tmp_path, "--frames", "90"]

    done = subprocess.run([*command, "--postgres"], capture_output=True, text=True, check=False, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost: nothing, each frame has one result" in done.stdout
    assert done.stderr.count("is lost (the sender ended the stream)") == 2
    assert "was ended by SIGKILL; it is started again" in done.stderr
