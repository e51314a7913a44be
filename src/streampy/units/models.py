"""Models that predict for batches, and that learn while items pass.

ONNX needs the extra `streampy[onnx]`, scikit-learn `streampy[sklearn]`; PyTorch and Keras are installed as they say
themselves. Each is imported in the worker that uses it. Knows nothing of what the values mean: they are arrays, or
numbers, of one shape, which are stacked to one array of (items, ...).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import streampy as sp
from streampy.units.functions import Function, Key, function_of, key_of
from streampy.units.missing import needs

_PIPE = sp.Pipe(batch=16)


class OnnxModel(sp.Unit):
    """Compute an ONNX model for batches: as many values as wait, up to the `batch` of the unit's pipe (16).

    Gives an array for each value; where the model has several outputs, a mapping of them by name. A model whose first
    dimension is fixed to 1 is called for each value alone.
    """

    values = _PIPE

    def __init__(self, *, path: str, threads: int = 1, providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        """Choose the model.

        Args:
            path: the .onnx file, of a model with one input.
            threads: of one call; several workers are the better parallelism.
            providers: of ONNX Runtime, the first that is there; e.g. CUDAExecutionProvider with onnxruntime-gpu.

        """
        self.path = Path(path)
        self.threads = threads
        self.providers = list(providers)

    def start(self) -> None:
        """Open the model.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the model has several inputs.

        """
        _check_file("OnnxModel", self.path)
        with needs("streampy[onnx]"):
            from streampy.units.video.network import open_network
        self.session = open_network(self.path, threads=self.threads, providers=self.providers)
        inputs = self.session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            raise ValueError(f"OnnxModel: {self.path} has the inputs {names}, expected one")
        self.input = inputs[0]
        self.outputs = [one.name for one in self.session.get_outputs()]

    def work(self, values: sp.Batch[Any]) -> sp.Batch[Any]:
        """Give the outputs for each value. Raises onnxruntime's errors where the shape or type is not the model's."""
        if self.input.shape[:1] == [1]:
            return sp.Batch([row for value in values for row in self._compute(_stack([value]))])
        return sp.Batch(self._compute(_stack(values)))

    def _compute(self, stacked: Any) -> list[Any]:
        results = self.session.run(None, {self.input.name: stacked})
        if len(results) == 1:
            return list(results[0])
        return [dict(zip(self.outputs, rows, strict=True)) for rows in zip(*results, strict=True)]


class SklearnModel(sp.Unit):
    """Predict with a model of scikit-learn, for as many values as wait, up to the `batch` of the unit's pipe (16).

    Gives a number or a text for each value; an array where the method gives several numbers (`predict_proba`).
    """

    values = _PIPE

    def __init__(
        self,
        *,
        path: str,
        method: Literal["predict", "predict_proba", "decision_function", "transform"] = "predict",
    ) -> None:
        """Choose the model.

        Args:
            path: of a file that `joblib.dump` wrote. Loading it runs code that stands in it: load only what you trust.
            method: what is called.

        """
        self.path = Path(path)
        self.method = method

    def start(self) -> None:
        """Load the model. Raises FileNotFoundError, or AttributeError where it has no such method."""
        self.predict = getattr(_load_sklearn("SklearnModel", self.path), self.method)

    def work(self, values: sp.Batch[Any]) -> sp.Batch[Any]:
        """Give what the model says to each value. Raises ValueError where the shape is not the model's."""
        return sp.Batch(_rows(self.predict(_stack(values))))


class PartialFit(sp.Unit):
    """Learn from examples while they pass: each batch is first predicted and scored, then learned.

    Gives for each batch the score that the model had before it learned it, with its last item; the first batch gives
    none. The score is the model's own: the share of right answers for a classifier, R² for a regressor, which wants
    batches of 2 or more: set `pipe: {batch: 16, wait: 100ms}`. Each worker learns a model of its own, so one is right.
    """

    examples = _PIPE

    def __init__(
        self,
        *,
        model: Function,
        features: Key = 0,
        target: Key = 1,
        classes: Sequence[Any] = (),
        save: str = "",
    ) -> None:
        """Choose the model and the examples.

        Args:
            model: what makes the model: `sklearn.linear_model:SGDClassifier`, or a function of yours that gives one.
            features: the path of the features in an example, or a function; by default the first of a pair.
            target: that of the right answer; by default the second.
            classes: all answers that there are, which a classifier must know beforehand.
            save: a file that the model is written to at the end, by `joblib.dump`, and begun with where it is there
                already. Loading it runs code that stands in it: load only what you trust.

        """
        self.make = function_of(model)
        self.features = key_of(features)
        self.target = key_of(target)
        self.classes = list(classes)
        self.path = Path(save) if save else None
        self.model: Any = None
        self._has_learned = False

    def start(self) -> None:
        """Make or load the model. Raises AttributeError where it has no `partial_fit`."""
        if self.path is not None and self.path.is_file():
            self.model = _load_sklearn("PartialFit", self.path)
            self._has_learned = True
        else:
            with needs("streampy[sklearn]"):
                self.model = self.make()
        if not hasattr(self.model, "partial_fit"):
            raise AttributeError(f"PartialFit: {type(self.model).__name__} has no partial_fit: it can't learn in parts")

    def work(self, examples: sp.Batch[Any]) -> sp.Batch[float] | None:
        """Score, then learn. Raises ValueError where the shape is not that of the batches before."""
        features = _stack([self.features(example) for example in examples])
        targets = _stack([self.target(example) for example in examples])
        scores: list[Any] = [None] * len(examples)
        if self._has_learned:
            scores[-1] = float(self.model.score(features, targets))
        self.model.partial_fit(features, targets, **({"classes": self.classes} if self.classes else {}))
        self._has_learned = True
        return sp.Batch(scores)

    def stop(self) -> None:
        """Save what was learned."""
        if self.path is None or not self._has_learned:
            return
        import joblib

        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.new")
        joblib.dump(self.model, new)
        new.replace(self.path)  # a reader finds the old one or the new one, never half of it


class TorchModel(sp.Unit):
    """Compute a model of PyTorch for batches: as many values as wait, up to the `batch` of the unit's pipe (16).

    Gives a NumPy array for each value; the model takes one tensor and gives one.
    """

    values = _PIPE

    def __init__(self, *, path: str, device: str = "") -> None:
        """Choose the model.

        Args:
            path: a .pt2 file that `torch.export.save` wrote, or a TorchScript file of `torch.jit.save`.
            device: where it is computed: cpu, cuda, cuda:1; by default what the key `device` of the unit says, which
                may be another one for each worker, `cuda:{index}`, and is the cpu where it says nothing.

        """
        self.path = Path(path)
        self.device = device

    def start(self) -> None:
        """Open the model. Raises FileNotFoundError."""
        _check_file("TorchModel", self.path)
        self.device = self.device or sp.worker().device
        with needs("torch"):
            import torch
        self.torch = torch
        if self.path.suffix == ".pt2":
            self.model = torch.export.load(str(self.path)).module().to(self.device)
        else:
            self.model = torch.jit.load(str(self.path), map_location=self.device).eval()

    def work(self, values: sp.Batch[Any]) -> sp.Batch[Any]:
        """Give the output for each value."""
        with self.torch.inference_mode():
            given = self.torch.from_numpy(_stack(values)).to(self.device)
            return sp.Batch(list(self.model(given).cpu().numpy()))


class KerasModel(sp.Unit):
    """Compute a model of Keras for batches: as many values as wait, up to the `batch` of the unit's pipe (16).

    Gives a NumPy array for each value; the model has one input and one output.
    """

    values = _PIPE

    def __init__(self, *, path: str) -> None:
        """Choose the .keras file."""
        self.path = Path(path)

    def start(self) -> None:
        """Open the model. Raises FileNotFoundError."""
        _check_file("KerasModel", self.path)
        with needs("keras"):
            import keras
        self.model = keras.saving.load_model(str(self.path), compile=False)

    def work(self, values: sp.Batch[Any]) -> sp.Batch[Any]:
        """Give the output for each value."""
        return sp.Batch(list(self.model.predict_on_batch(_stack(values))))


def _check_file(unit: str, path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{unit}: no model at {path}")


def _load_sklearn(unit: str, path: Path) -> Any:
    _check_file(unit, path)
    with needs("streampy[sklearn]"):
        import joblib
        import sklearn  # noqa: F401 - its absence is told here, not in the middle of a pickle
    return joblib.load(path)


def _stack(values: Sequence[Any]) -> Any:
    import numpy as np  # it comes with every library that is used here

    return np.stack([np.asarray(value) for value in values])


def _rows(results: Any) -> list[Any]:
    """Plain numbers and texts where there is one for each value, arrays where there are several."""
    return list(results.tolist() if results.ndim == 1 else results)
