"""URLs as they may go into logs and errors."""

import re


def hidden(text: str) -> str:
    """Without user names and passwords of URLs.

    >>> hidden("can't open rtsp://admin:secret@camera/1")
    "can't open rtsp://***@camera/1"
    """
    return re.sub(r"://[^/@\s]+@", "://***@", text)
