"""The faces example as a process: what a plain loop gives, from a silent camera no held-up stop."""

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.faces import clip, plain, runs, setup
from tests.units.video.rtsp_server import RtspServer

import streampy as sp
from streampy.units.video import Camera, Frame

SECONDS = 1
FRAMES = SECONDS * clip.FPS


@pytest.fixture(scope="session")
def files(models: Path, tmp_path_factory: pytest.TempPathFactory) -> setup.Files:
    """Everything that the example needs, with clips of a second."""
    out = tmp_path_factory.mktemp("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip, "SECONDS", SECONDS)
        return setup.prepare(models, out)


def run(files: setup.Files, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a process of the example to its end; nothing may have been lost."""
    for key, value in runs.environment(files).items():
        monkeypatch.setenv(key, value)
    with sp.run(sp.load(Path(runs.__file__).parent / name)) as running:
        running.wait(timeout=60)
        ledger = running.stats().ledger
    assert ledger.balanced
    assert ledger.dropped == ledger.expired == ledger.failed == ledger.in_flight == 0


def read(files: setup.Files) -> dict[str, list[dict[str, Any]]]:
    """Read the metadata of each camera; distances without the last digit, which the size of a batch may change."""
    lines = [json.loads(line) for line in files.metadata.read_text().splitlines()]
    for face in (face for line in lines for face in line["faces"]):
        face["distance"] = round(face["distance"], 2)
    return {camera: [line for line in lines if line["source"] == camera] for camera in clip.CAMERAS}


def test_the_process_finds_and_names_what_the_plain_loop_does_frame_by_frame(
    files: setup.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(files, "enrol.yaml", monkeypatch)
    plain.run(files, clip.CAMERAS)
    expected = read(files)

    run(files, "faces.yaml", monkeypatch)

    assert read(files) == expected
    assert [len(lines) for lines in expected.values()] == [FRAMES, FRAMES]
    named = {face["name"] for lines in expected.values() for line in lines for face in line["faces"]}
    assert len(named - {""}) >= 2
    assert [len(list(Camera(url=str(video)).work())) for video in files.videos] == [FRAMES, FRAMES]


PLACED = ("cam1", "cam2", "small", "crop", "describe", "identify", "draw", "video", "metadata")
TWO_FINDERS = {"find.place": "own", "find.workers": 2}
EVERYTHING = {**TWO_FINDERS, **{f"{unit}.place": "own" for unit in PLACED}}


@pytest.mark.parametrize(
    ("places", "fps"),
    [
        pytest.param(EVERYTHING, 10, id="everything"),
        pytest.param(EVERYTHING, clip.FPS, id="everything, all frames", marks=pytest.mark.long),
        pytest.param(TWO_FINDERS, clip.FPS, id="two finders, all frames", marks=pytest.mark.long),
    ],
)
def test_with_units_in_os_processes_of_their_own_all_is_the_same_to_the_bit(
    places: dict[str, object], fps: int, files: setup.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(files, "enrol.yaml", monkeypatch)

    assert given(files, {}, fps, monkeypatch) == given(files, places, fps, monkeypatch)


def given(files: setup.Files, places: dict[str, object], fps: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Run the process; the bytes of the videos, and of the metadata of each camera, whose lines mix as they come.

    Faces are described one by one: the size of a batch changes the last digit of what a network gives.
    """
    for key, value in runs.environment(files, FPS=str(fps)).items():
        monkeypatch.setenv(key, value)
    for file in (files.metadata, *files.videos):
        file.unlink(missing_ok=True)
    described = yaml.safe_load((Path(runs.__file__).parent / "faces.yaml").read_text())
    described["units"]["describe"]["pipe"] = {"capacity": 64}
    with sp.run(sp.load(described, set=places)) as running:
        running.wait(timeout=60)
        ledger = running.stats().ledger
    assert (ledger.balanced, ledger.in_flight) == (True, 0)
    assert ledger.delivered == 2 * len(clip.CAMERAS) * SECONDS * fps
    lines = files.metadata.read_bytes().splitlines(keepends=True)
    of_each = {name: b"".join(line for line in lines if name.encode() in line) for name in clip.CAMERAS}
    assert all(re.search(rb'"name": "\w', seen) for seen in of_each.values())
    return {**of_each, **{file.name: file.read_bytes() for file in files.videos}}


def test_a_missing_camera_file_stops_the_process_with_its_own_error(
    files: setup.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAM2", "nowhere.mp4")

    with pytest.raises(sp.UnitFailed) as failed:
        run(files, "faces.yaml", monkeypatch)

    assert failed.value.unit == "cam2"
    assert isinstance(failed.value.__cause__, FileNotFoundError)
    assert "no such file; give a file, a webcam's number, or a URL" in str(failed.value.__cause__)


def look(frame: Frame) -> int:
    return frame.index


def test_a_silent_camera_does_not_hold_up_a_stop() -> None:
    with RtspServer(frames=150, silent_after=True) as server:
        process = sp.Process("watch").add("door", Camera, set={"url": server.url, "timeout": 1.0})
        process.add("look", look, from_="door")
        with sp.run(process) as running:
            indices = running.stream("look", timeout=20)
            seen = [next(indices) for _ in range(100)]
            server.is_silent.wait()
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.4
    assert seen == list(range(100))


def test_a_camera_that_nobody_answers_for_does_not_hold_up_a_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes the connection and says nothing
        url = f"rtsp://127.0.0.1:{mute.getsockname()[1]}/live"
        process = sp.Process("watch").add("door", Camera, set={"url": url, "timeout": 1.0})
        process.add("look", look, from_="door")
        with sp.run(process):
            connection, _ = mute.accept()
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.4
        connection.close()
