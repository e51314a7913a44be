"""Readers of two foreign weight files, with NumPy alone: PyTorch's older file format and dlib's.

Both files come from outside, so nothing in them is run: a pickle may name only what a table of weights needs.
"""

import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MAGIC = 0x1950A86A20F9469CFC6C


@dataclass(slots=True)
class _Storage:
    """The flat floats that tensors of a file share; filled after the table of tensors was read."""

    floats: Floats


class _TableReader(pickle.Unpickler):
    """An unpickler that knows three names and no more; any other is refused, so no code of the file's choosing runs."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        known: dict[str, Any] = {
            "collections.OrderedDict": OrderedDict,
            "torch.FloatStorage": float,
            "torch._utils._rebuild_tensor_v2": _tensor,
        }
        if f"{module}.{name}" not in known:
            raise pickle.UnpicklingError(
                f"the weights name {module}.{name}, which a table of float tensors doesn't need; not read"
            )
        return known[f"{module}.{name}"]

    def persistent_load(self, pid: Any, /) -> _Storage:
        _, _, key, _, count, _ = pid
        return self.storages.setdefault(key, _Storage(np.zeros(count, np.float32)))


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> tuple[_Storage, int, tuple[int, ...], tuple[int, ...]]:
    return storage, offset, shape, stride


def read_torch(path: Path) -> dict[str, Floats]:
    """Read a PyTorch state dictionary saved in the format before 1.6.

    The file is five pickles (magic number, version, system, table of tensors, keys of storages), then for each key
    its count (int64) and its floats, little-endian.

    Returns:
        Name -> weights, float32.

    Raises:
        ValueError: not such a file.

    """
    with path.open("rb") as file:
        if _TableReader(file).load() != _MAGIC:
            raise ValueError(f"{path}: not a PyTorch file of the format before 1.6")
        _TableReader(file).load()
        _TableReader(file).load()
        reader = _TableReader(file)
        table = reader.load()
        for key in _TableReader(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            reader.storages[key].floats[:] = np.frombuffer(file.read(4 * count), "<f4")
    return {name: _view(*tensor) for name, tensor in table.items()}


def _view(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> Floats:
    return np.lib.stride_tricks.as_strided(storage.floats[offset:], shape, [4 * floats for floats in stride]).copy()


@dataclass(frozen=True, slots=True)
class Convolution:
    """Weights (out, in, height, width), bias (out,), stride and padding in pixels.

    And the affine layer behind it, (out,) each: y = scale * x + shift.
    """

    weights: Floats
    bias: Floats
    stride: int
    padding: int
    scale: Floats
    shift: Floats


@dataclass(frozen=True, slots=True)
class DlibNet:
    """The convolutions from the input to the output, and the last, fully connected layer (in, out)."""

    convolutions: list[Convolution]
    last: Floats


class _Dlib:
    """A cursor over dlib's serialization.

    An integer is one byte, its low four bits the number of bytes that follow, its high bit the sign; a tensor is
    version 2, four sizes, then float32, little-endian.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def skip_to(self, mark: bytes) -> bool:
        """Move behind the next layer of the name `mark`; False when there is none."""
        found = self.data.find(mark, self.at)
        self.at = found + len(mark)
        return found >= 0

    def integer(self) -> int:
        head = self.data[self.at]
        size = head & 0x0F
        value = int.from_bytes(self.data[self.at + 1 : self.at + 1 + size], "little")
        self.at += 1 + size
        return -value if head & 0x80 else value

    def tensor(self) -> Floats:
        if (version := self.integer()) != 2:  # noqa: PLR2004
            _refuse(f"a tensor of version {version}, expected 2")
        count = int(np.prod([self.integer() for _ in range(4)]))
        floats = np.frombuffer(self.data, "<f4", count, self.at)
        self.at += 4 * count
        return floats


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"the dlib network holds {what}; this reader knows the face recognition ResNet only")


def read_dlib_resnet(path: Path) -> DlibNet:
    """Read the convolutions, affine layers and the last layer of dlib's face recognition network.

    Layers are found by the names that dlib writes before each; the parameters' order inside a layer is that of dlib's
    `serialize` functions. The shape of the network (which block adds to which) is not in the file: the caller knows it.

    Raises:
        ValueError: another kind of network.

    """
    cursor = _Dlib(path.read_bytes())
    convolutions = []
    inputs = 3
    while cursor.skip_to(b"\x05con_4"):
        flat = cursor.tensor()
        outputs, height, width, stride, _, padding, _ = (cursor.integer() for _ in range(7))
        count = outputs * inputs * height * width
        if flat.size != count + outputs:
            _refuse(f"a convolution of {flat.size} parameters, expected {count + outputs}")
        if not cursor.skip_to(b"\x07affine_"):
            _refuse("a convolution without an affine layer behind it")
        scale, shift = np.split(cursor.tensor(), 2)
        weights = flat[:count].reshape(outputs, inputs, height, width)
        convolutions.append(Convolution(weights, flat[count:], stride, padding, scale, shift))
        inputs = outputs
    cursor.at = 0
    if not cursor.skip_to(b"\x04fc_2"):
        _refuse("no fully connected layer")
    outputs, inputs = cursor.integer(), cursor.integer()
    return DlibNet(convolutions, cursor.tensor()[: inputs * outputs].reshape(inputs, outputs))
