"""Opening ONNX models: one place that says what is missing, and holds the number of threads."""

from collections.abc import Sequence
from pathlib import Path

import onnxruntime as ort


def open_network(
    path: str | Path, *, threads: int, providers: Sequence[str] = ("CPUExecutionProvider",)
) -> ort.InferenceSession:
    """Open an ONNX model, for the CPU unless told otherwise.

    Args:
        path: the .onnx file.
        threads: for one call of the network. Workers of units are the parallelism of a process, so 1 is right
            unless a single frame has to be faster than one core allows.
        providers: of ONNX Runtime; the first that is there computes.

    Raises:
        FileNotFoundError: no such file.

    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no model at {path}: give the path of an ONNX file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A waiting thread that spins takes the core away from the other units.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=list(providers))
