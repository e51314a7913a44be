"""The faces example: its weights are those of the original libraries, its score counts right."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from examples.faces.score import Score, score
from examples.faces.weights import read_dlib_resnet, read_torch

from streampy.units.video import Describe


def test_the_converted_network_describes_as_dlib_itself(models: Path) -> None:
    """The expected numbers are what dlib 19.24's compute_face_descriptor gave for this very image."""
    y, x = np.mgrid[:150, :150]
    rgb = np.stack([x * 255 // 149, y * 255 // 149, (x + y) * 255 // 298], axis=2).astype(np.uint8)
    unit = Describe(model=str(models / "dlib_resnet.onnx"))
    unit.start()

    (vector,) = unit.describe([rgb[..., ::-1]])

    expected = [-0.05097774, 0.12098702, 0.06010887, 0.01423589, -0.05570291, -0.0460848]
    assert expected == pytest.approx(vector[:6], abs=1e-5)
    assert pytest.approx(np.linalg.norm(vector), abs=1e-5) == 1.3063282


def test_weights_that_name_more_than_tensors_are_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("this would have been run",)

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))

    with pytest.raises(pickle.UnpicklingError, match=r"the weights name builtins\.print"):
        read_torch(tmp_path / "evil.pt")


def test_a_file_that_holds_no_weights_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "number.pt").write_bytes(pickle.dumps(7))
    (tmp_path / "text.dat").write_bytes(b"no network")

    with pytest.raises(ValueError, match="not a PyTorch file"):
        read_torch(tmp_path / "number.pt")
    with pytest.raises(ValueError, match="no fully connected layer"):
        read_dlib_resnet(tmp_path / "text.dat")


def face(left: float, name: str | None = None, *, whole: bool = True) -> dict[str, object]:
    """Give a face of a fixed size, as the truth and the metadata have it."""
    named = {} if name is None else {"name": name}
    return {"box": [left, 0.1, left + 0.1, 0.3], "whole": whole, **named}


def scored(tmp_path: Path, true: list[dict[str, object]], seen: list[dict[str, object]]) -> Score:
    """Score one frame of one camera; Ada and Grace are enrolled."""
    (tmp_path / "truth.json").write_text(json.dumps({"cameras": {"cam1": [true]}}))
    (tmp_path / "seen.jsonl").write_text(json.dumps({"source": "cam1", "index": 0, "faces": seen}) + "\n")
    return score(tmp_path / "seen.jsonl", tmp_path / "truth.json", ["Ada", "Grace"])["cam1"]


def test_right_wrong_missing_and_false_faces_are_counted(tmp_path: Path) -> None:
    true = [face(0.0, "Ada"), face(0.2, "Grace"), face(0.4, "Stranger"), face(0.6, "Ada")]
    seen = [face(0.01, "Ada"), face(0.2, "Ada"), face(0.4, ""), face(0.8, "Grace")]

    one = scored(tmp_path, true, seen)

    assert (one.true, one.found, one.false) == (4, 3, 1)
    assert (one.enrolled, one.named, one.right) == (3, 3, 1)
    assert (one.strangers, one.left_unknown) == (1, 1)
    assert (one.finding_precision, one.finding_recall) == (3 / 4, 3 / 4)
    assert (one.naming_precision, one.naming_recall) == (1 / 3, 1 / 3)


def test_a_face_that_is_partly_outside_counts_neither_found_nor_missed(tmp_path: Path) -> None:
    assert scored(tmp_path, [face(0.95, "Ada", whole=False)], []) == Score(frames=1)
    assert scored(tmp_path, [face(0.95, "Ada", whole=False)], [face(0.95, "Grace")]) == Score(frames=1)


def test_a_face_found_twice_is_once_false(tmp_path: Path) -> None:
    one = scored(tmp_path, [face(0.1, "Ada")], [face(0.1, "Ada"), face(0.11, "Ada")])

    assert (one.found, one.false, one.named, one.right) == (1, 1, 2, 1)


def test_a_frame_without_metadata_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text(json.dumps({"cameras": {"cam1": [[], []]}}))
    (tmp_path / "seen.jsonl").write_text(json.dumps({"source": "cam1", "index": 0, "faces": []}) + "\n")

    with pytest.raises(ValueError, match="1 lines for 2 frames of cam1"):
        score(tmp_path / "seen.jsonl", tmp_path / "truth.json", [])
