"""Items and dead letters in files, and back into a process.

Knows nothing of the command line; a run without a recording does without all of it.
"""

try:
    import msgpack as _msgpack  # noqa: F401 - the codec needs it; said here, in words
except ModuleNotFoundError as error:
    raise ImportError(
        "recordings need msgpack, which is not installed: pip install 'streampy[net]'", name="msgpack"
    ) from error

from streampy.recording.letters import DeadLetterFile
from streampy.recording.reading import Reader, Recorded, read
from streampy.recording.records import RecordingError
from streampy.recording.rewire import record, replay
from streampy.recording.units import Recorder, Recording
from streampy.recording.writing import Writer

__all__ = [
    "DeadLetterFile",
    "Reader",
    "Recorded",
    "Recorder",
    "Recording",
    "RecordingError",
    "Writer",
    "read",
    "record",
    "replay",
]
