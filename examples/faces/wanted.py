"""Says at once which packages are missing, before anything is imported that needs them."""

import importlib.util
import sys

_WANTED = ("av", "cv2", "numpy", "onnxruntime", "onnx")


def check_installed(*more: str) -> None:
    """End with a line that says what to do, where a package is missing."""
    missing = [name for name in (*_WANTED, *more) if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"faces: {', '.join(missing)} missing: `uv sync --all-extras --group faces`, then run this again.")
