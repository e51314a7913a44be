"""The faces example as a process: what a plain loop gives, from a silent camera no held-up stop."""

import json
import time
from pathlib import Path

import pytest

import streampy as sp
from examples.faces import clip, plain, runs, setup
from streampy.units.video import Camera, Frame
from tests.units.video.rtsp_server import RtspServer

FRAMES = 30


@pytest.fixture(scope="session")
def files(models: Path, tmp_path_factory: pytest.TempPathFactory) -> setup.Files:
    """Everything that the example needs, with clips of two seconds."""
    out = tmp_path_factory.mktemp("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip, "SECONDS", 3)
        return setup.prepare(models, out)


def run(files: setup.Files, name: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> sp.Stats:
    for key, value in runs.environment(files, **more).items():
        monkeypatch.setenv(key, value)
    with sp.run(sp.load(Path(runs.__file__).parent / name)) as running:
        running.wait(timeout=60)
        return running.stats()


def read(files: setup.Files) -> dict[str, list[dict[str, object]]]:
    lines = [json.loads(line) for line in files.metadata.read_text().splitlines()]
    return {camera: [line for line in lines if line["source"] == camera] for camera in clip.CAMERAS}


def test_the_process_finds_and_names_what_the_plain_loop_does_frame_by_frame(
    files: setup.Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(files, "enrol.yaml", monkeypatch)
    plain.run(files, clip.CAMERAS)
    expected = read(files)

    stats = run(files, "faces.yaml", monkeypatch)

    got = read(files)
    assert [len(expected[camera]) for camera in clip.CAMERAS] == [75, 75]
    assert any(face["name"] for lines in expected.values() for line in lines for face in line["faces"])
    for camera in clip.CAMERAS:
        for one, other in zip(expected[camera], got[camera], strict=True):
            assert rounded(one) == rounded(other)
    assert stats.ledger.balanced
    assert stats.ledger.dropped == stats.ledger.expired == stats.ledger.failed == 0
    for video in files.videos:
        assert len(list(Camera(url=str(video)).work())) == 75


def rounded(line: dict[str, object]) -> dict[str, object]:
    """Batches of other sizes may round the last digit of a distance otherwise."""
    faces = [{**face, "distance": round(face["distance"], 3)} for face in line["faces"]]
    return {**line, "faces": faces}
