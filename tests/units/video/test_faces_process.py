"""The faces example as a process: what a plain loop gives, from a silent camera no held-up stop."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from examples.faces import clip, plain, runs, setup
from tests.units.video.rtsp_server import RtspServer

import streampy as sp
from streampy.units.video import Camera, Frame

SECONDS = 2
FRAMES = SECONDS * clip.FPS


@pytest.fixture(scope="session")
def files(models: Path, tmp_path_factory: pytest.TempPathFactory) -> setup.Files:
    """Everything that the example needs, with clips of two seconds."""
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
