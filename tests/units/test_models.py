"""Real small models: ONNX, scikit-learn, learning in parts; PyTorch and Keras where they are installed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier

import streampy as sp
from streampy.units.models import KerasModel, OnnxModel, PartialFit, SklearnModel, TorchModel

onnx = pytest.importorskip("onnx", reason="the group `faces` is not installed")
feed = sp.testing.feed
VALUES = [np.asarray([number, number + 1], np.float32) for number in range(5)]


def save_onnx(path: Path, *, batch: Any = "n", outputs: tuple[str, ...] = ("double",), inputs: int = 1) -> str:
    """Write a model that doubles pairs; a second output is the same with the other sign."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Add", ["x", "x"], ["double"]), helper.make_node("Neg", ["double"], ["negative"])]
    graph = helper.make_graph(
        nodes[: len(outputs)],
        "double",
        [helper.make_tensor_value_info(name, kind, [batch, 2]) for name in ["x", "unused"][:inputs]],
        [helper.make_tensor_value_info(name, kind, [batch, 2]) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return str(path)


@pytest.mark.parametrize("batch", ["n", 1])
def test_an_onnx_model_computes_a_batch_also_one_that_takes_single_values(batch: Any, tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "model.onnx", batch=batch)
    results = feed(OnnxModel, settings={"path": path}, values=VALUES)

    assert np.array_equal(2 * np.stack(VALUES), np.stack(results))


def test_several_outputs_of_an_onnx_model_come_by_name(tmp_path: Path) -> None:
    path = save_onnx(tmp_path / "model.onnx", outputs=("double", "negative"))
    results = feed(OnnxModel, settings={"path": path}, values=VALUES)

    assert [[{"double": 4.0, "negative": -4.0}]] == [
        [{name: float(one[0]) for name, one in results[2].items()}],
    ]


def test_an_onnx_model_in_a_process_gives_results_in_order(tmp_path: Path) -> None:
    def values() -> Iterator[Any]:
        yield from VALUES * 20

    path = save_onnx(tmp_path / "model.onnx")
    process = sp.load(
        {
            "process": "double",
            "units": {
                "values": {"use": values},
                "double": {"use": "onnx_model", "set": {"path": path}, "from": "values", "workers": 2},
            },
        }
    )
    with sp.run(process) as running:
        results = list(running.stream("double"))
    assert np.array_equal(2 * np.stack(VALUES * 20), np.stack(results))


def test_an_onnx_model_with_several_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has the inputs x, unused, expected one"):
        feed(OnnxModel, settings={"path": save_onnx(tmp_path / "model.onnx", inputs=2)}, values=VALUES)


@pytest.mark.parametrize("unit", [OnnxModel, SklearnModel, TorchModel, KerasModel])
def test_a_model_that_is_missing_is_told(unit: Any) -> None:
    with pytest.raises(FileNotFoundError, match=f"{unit.__name__}: no model at missing"):
        feed(unit, settings={"path": "missing"}, values=VALUES)


@pytest.mark.parametrize(("unit", "library"), [(TorchModel, "torch"), (KerasModel, "keras")])
def test_a_library_that_is_missing_is_told_with_what_to_install(
    unit: Any, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "model").touch()
    with pytest.raises(ImportError, match=f"'{library}' is not installed: pip install '{library}'"):
        feed(unit, settings={"path": str(tmp_path / "model")}, values=VALUES)


def test_a_sklearn_model_predicts_numbers_words_and_arrays(tmp_path: Path) -> None:
    x, path = np.stack(VALUES), tmp_path / "model.joblib"
    joblib.dump(LinearRegression().fit(x, 3 * x[:, 0]), path)
    numbers = feed(SklearnModel, settings={"path": str(path)}, values=VALUES)
    assert [0, 3, 6, 9, 12] == pytest.approx(numbers, abs=1e-4)
    assert {float} == {type(number) for number in numbers}

    joblib.dump(LogisticRegression().fit(x, ["low", "low", "low", "high", "high"]), path)
    assert ["low", "high"] == feed(SklearnModel, settings={"path": str(path)}, values=[VALUES[0], VALUES[4]])
    sure = feed(SklearnModel, settings={"path": str(path), "method": "predict_proba"}, values=VALUES)
    assert [1.0] * 5 == pytest.approx([one.sum() for one in sure])


def examples(*, count: int = 400) -> Iterator[sp.Batch[dict[str, Any]]]:
    """Give points left (0) and right (1) of a line, ten at once."""
    chance = np.random.default_rng(0)
    for _ in range(count // 10):
        points = chance.normal(size=(10, 2))
        yield sp.Batch([{"at": point, "side": int(point[0] > 0)} for point in points])


def test_a_model_learns_while_examples_pass_and_is_saved_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.joblib"
    settings = {
        "model": "sklearn.linear_model:SGDClassifier",
        "features": "at",
        "target": "side",
        "classes": [0, 1],
        "save": str(path),
    }

    def run() -> list[float]:
        process = sp.Process("learn").add("examples", examples)
        process.add("learn", PartialFit, from_="examples", pipe={"batch": 10, "capacity": 1000}, set=settings)
        with sp.run(process) as running:
            return list(running.stream("learn"))

    scores = run()
    assert 0.8 < np.mean(scores[-10:])
    assert len(scores) < 40  # the first batch has no score yet
    assert len(scores) + 1 == len(run())  # what was saved goes on learning, and is scored from the first batch on
    (side,) = feed(SklearnModel, settings={"path": str(path)}, values=[np.asarray([3.0, 0.0])])
    assert 1 == side


def test_examples_are_pairs_by_default_and_a_model_may_be_made_by_a_function() -> None:
    pairs = [(value, index % 2) for index, value in enumerate(VALUES)]
    settings = {"model": lambda: SGDClassifier(random_state=1), "classes": [0, 1]}

    assert [None] * 5 == feed(PartialFit, settings=settings, examples=pairs)  # one batch, and so no score


def test_a_model_that_does_not_learn_in_parts_is_refused() -> None:
    with pytest.raises(AttributeError, match="LinearRegression has no partial_fit: it can't learn in parts"):
        feed(PartialFit, settings={"model": LinearRegression}, examples=[])


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # such files are still about
def test_a_torch_model_computes_a_batch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Double(torch.nn.Module):  # type: ignore[misc]  # untyped where it is not installed
        def forward(self, x: Any) -> Any:
            return x + x

    example = torch.zeros(2, 2)
    torch.jit.trace(Double(), example).save(str(tmp_path / "model.pt"))
    results = feed(TorchModel, settings={"path": str(tmp_path / "model.pt")}, values=VALUES)
    assert np.array_equal(2 * np.stack(VALUES), np.stack(results))

    exported = torch.export.export(Double(), (example,), dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1)}})
    torch.export.save(exported, str(tmp_path / "model.pt2"))
    results = feed(TorchModel, settings={"path": str(tmp_path / "model.pt2")}, values=VALUES)
    assert np.array_equal(2 * np.stack(VALUES), np.stack(results))


@pytest.mark.parametrize(("settings", "expected"), [({}, {"cuda:0", "cuda:1"}), ({"device": "cpu"}, {"cpu"})])
def test_a_torch_model_is_put_on_the_device_of_its_worker_unless_its_settings_say_another(
    settings: dict[str, str], expected: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for PyTorch, as the machine of a test has no such devices."""
    devices: list[str] = []

    def load(path: str, *, map_location: str) -> Any:
        devices.append(map_location)
        return SimpleNamespace(eval=lambda: None)

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(jit=SimpleNamespace(load=load)))
    (tmp_path / "model.pt").touch()
    settings = {"path": str(tmp_path / "model.pt"), **settings}
    process = sp.Process("two").add("model", TorchModel, set=settings, workers=2, device="cuda:{index}")
    with sp.run(process):
        assert 2 == len(devices)
    assert expected == set(devices)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # keras with the backend torch
def test_a_keras_model_computes_a_batch(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Rescaling(2.0)])
    model.save(tmp_path / "model.keras")
    results = feed(KerasModel, settings={"path": str(tmp_path / "model.keras")}, values=VALUES)
    assert np.array_equal(2 * np.stack(VALUES), np.stack(results))
