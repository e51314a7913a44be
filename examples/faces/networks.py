"""The two networks of the example as ONNX files: MTCNN (three files) and dlib's face recognition ResNet (one file).

The shapes of the networks are written down here from their papers and definitions; the weights come from `weights`.
MTCNN: Zhang and others, "Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks", 2016.
The ResNet: the comment at the head of dlib's example program dnn_face_recognition_ex.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from examples.faces.weights import Convolution, Floats, read_dlib_resnet, read_torch
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

Shape = list[int | str]

_OPSET = 17
_IR = 8  # what every ONNX Runtime of the last years reads; onnx would write its own newest
_DLIB_MEAN = (122.782, 117.001, 104.298)  # of dlib's input layer, RGB
_DLIB_SCALE = 256.0


class _Graph:
    """An ONNX graph being written down, one layer a call; a layer's name is its output's."""

    def __init__(self, inputs: Shape) -> None:
        self.inputs = inputs
        self.layers: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, values: ArrayLike) -> str:
        name = f"w{len(self.weights)}"
        array = np.asarray(values)
        self.weights.append(numpy_helper.from_array(array.astype(array.dtype, order="C"), name))
        return name

    def layer(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}{len(self.layers)}"
        self.layers.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, x: str, weights: Floats, bias: Floats, stride: int = 1, padding: int = 0) -> str:
        return self.layer("Conv", x, self.weight(weights), self.weight(bias), strides=[stride] * 2, pads=[padding] * 4)

    def save(self, path: Path, outputs: dict[str, tuple[str, Shape]]) -> None:
        """Name the outputs, check the whole and write it, whole or not at all."""
        for name, (source, _) in outputs.items():
            self.layers.append(helper.make_node("Identity", [source], [name]))
        graph = helper.make_graph(
            self.layers,
            path.stem,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, self.inputs)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (_, shape) in outputs.items()],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        onnx.checker.check_model(model, full_check=True)
        part = path.with_suffix(".part")
        part.write_bytes(model.SerializeToString())
        part.replace(path)


def convert(cache: Path) -> None:
    """Write pnet.onnx, rnet.onnx, onet.onnx and dlib_resnet.onnx beside their weights, where they are missing."""
    for name, write in (("pnet", _pnet), ("rnet", _rnet), ("onet", _onet)):
        if not (cache / f"{name}.onnx").exists():
            write(read_torch(cache / f"{name}.pt"), cache / f"{name}.onnx")
    if not (cache / "dlib_resnet.onnx").exists():
        _dlib_resnet(cache / "dlib_resnet.dat", cache / "dlib_resnet.onnx")


def _conv_prelu(graph: _Graph, x: str, w: dict[str, Floats], number: int) -> str:
    x = graph.conv(x, w[f"conv{number}.weight"], w[f"conv{number}.bias"])
    return graph.layer("PRelu", x, graph.weight(w[f"prelu{number}.weight"].reshape(-1, 1, 1)))


def _pool(graph: _Graph, x: str, size: int) -> str:
    return graph.layer("MaxPool", x, kernel_shape=[size] * 2, strides=[2, 2], ceil_mode=1)


def _dense(graph: _Graph, x: str, w: dict[str, Floats], name: str) -> str:
    return graph.layer("Gemm", x, graph.weight(w[f"{name}.weight"]), graph.weight(w[f"{name}.bias"]), transB=1)


def _flat(graph: _Graph, x: str) -> str:
    """Flatten column by column: the weights were trained with column-major arrays."""
    return graph.layer("Flatten", graph.layer("Transpose", x, perm=[0, 3, 2, 1]))


def _pnet(w: dict[str, Floats], path: Path) -> None:
    graph = _Graph(["n", 3, "height", "width"])
    x = _pool(graph, _conv_prelu(graph, "image", w, 1), 2)
    x = _conv_prelu(graph, _conv_prelu(graph, x, w, 2), w, 3)
    score = graph.layer("Softmax", graph.conv(x, w["conv4_1.weight"], w["conv4_1.bias"]), axis=1)
    shift = graph.conv(x, w["conv4_2.weight"], w["conv4_2.bias"])
    graph.save(path, {"score": (score, ["n", 2, "rows", "columns"]), "shift": (shift, ["n", 4, "rows", "columns"])})


def _rnet(w: dict[str, Floats], path: Path) -> None:
    graph = _Graph(["n", 3, 24, 24])
    x = _pool(graph, _conv_prelu(graph, "image", w, 1), 3)
    x = _pool(graph, _conv_prelu(graph, x, w, 2), 3)
    x = _dense(graph, _flat(graph, _conv_prelu(graph, x, w, 3)), w, "dense4")
    x = graph.layer("PRelu", x, graph.weight(w["prelu4.weight"]))
    score = graph.layer("Softmax", _dense(graph, x, w, "dense5_1"), axis=1)
    graph.save(path, {"score": (score, ["n", 2]), "shift": (_dense(graph, x, w, "dense5_2"), ["n", 4])})


def _onet(w: dict[str, Floats], path: Path) -> None:
    graph = _Graph(["n", 3, 48, 48])
    x = _pool(graph, _conv_prelu(graph, "image", w, 1), 3)
    x = _pool(graph, _conv_prelu(graph, x, w, 2), 3)
    x = _pool(graph, _conv_prelu(graph, x, w, 3), 2)
    x = _dense(graph, _flat(graph, _conv_prelu(graph, x, w, 4)), w, "dense5")
    x = graph.layer("PRelu", x, graph.weight(w["prelu5.weight"]))
    score = graph.layer("Softmax", _dense(graph, x, w, "dense6_1"), axis=1)
    shift, points = _dense(graph, x, w, "dense6_2"), _dense(graph, x, w, "dense6_3")
    graph.save(path, {"score": (score, ["n", 2]), "shift": (shift, ["n", 4]), "points": (points, ["n", 10])})


def _dlib_resnet(source: Path, path: Path) -> None:
    """Image (n, 3, 150, 150) float32 RGB 0..255 -> descriptor (n, 128) float32.

    dlib's own scaling of the input is part of the graph.
    """
    net = read_dlib_resnet(source)
    rest = iter(net.convolutions)
    graph = _Graph(["n", 3, 150, 150])
    mean = np.asarray(_DLIB_MEAN, np.float32).reshape(1, 3, 1, 1)
    x = graph.layer("Sub", "image", graph.weight(mean))
    x = graph.layer("Div", x, graph.weight(np.float32(_DLIB_SCALE)))
    x = graph.layer("Relu", _affine(graph, x, next(rest)))
    x = graph.layer("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    channels, size = 32, 35
    for blocks in (3, 4, 3, 3, 1):  # of 32, 64, 128, 256 and 256 channels; all but the first level begin by halving
        for _ in range(blocks):
            first, second = next(rest), next(rest)
            x, channels, size = _block(graph, x, (first, second), channels, size)
    x = graph.layer("Flatten", graph.layer("GlobalAveragePool", x))
    graph.save(path, {"descriptor": (graph.layer("MatMul", x, graph.weight(net.last)), ["n", 128])})


def _affine(graph: _Graph, x: str, conv: Convolution) -> str:
    """A convolution with the affine layer behind it folded in: a(Wx + b) + c = (aW)x + (ab + c)."""
    weights = conv.weights * conv.scale.reshape(-1, 1, 1, 1)
    return graph.conv(x, weights, conv.bias * conv.scale + conv.shift, conv.stride, conv.padding)


def _block(
    graph: _Graph, x: str, pair: tuple[Convolution, Convolution], channels: int, size: int
) -> tuple[str, int, int]:
    """One residual block.

    Where it halves the image, the way around it is an average pool, and dlib adds two arrays of unlike shapes as if the
    smaller one had zeros to the right, below and in the further channels.
    """
    y = _affine(graph, graph.layer("Relu", _affine(graph, x, pair[0])), pair[1])
    if pair[0].stride == 1:
        return graph.layer("Relu", graph.layer("Add", x, y)), channels, size
    around = graph.layer("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    pooled, convolved = size // 2, (size - 3) // 2 + 1
    outputs, wider = pair[1].bias.size, max(pooled, convolved)
    around = _pad(graph, around, outputs - channels, wider - pooled)
    y = _pad(graph, y, 0, wider - convolved)
    return graph.layer("Relu", graph.layer("Add", around, y)), outputs, wider


def _pad(graph: _Graph, x: str, channels: int, pixels: int) -> str:
    if not channels and not pixels:
        return x
    return graph.layer("Pad", x, graph.weight(np.asarray([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)))
