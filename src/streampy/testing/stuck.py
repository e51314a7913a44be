"""The error of a test that would wait for ever.

Knows nothing of who found out.
"""

from streampy.errors import StreamPyError


class Stuck(StreamPyError):
    """Nobody can go on: what is waited for never comes. The text says who waits for what."""
