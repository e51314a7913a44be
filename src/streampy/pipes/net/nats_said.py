"""What a NATS server says in answer: its status, its JSON, its errors in words.

Knows nothing of letters.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import nats.errors
from nats.js.errors import APIError
from nats.js.errors import Error as JetStreamError

if TYPE_CHECKING:
    from nats.aio.msg import Msg

TROUBLES: Final = (JetStreamError, nats.errors.Error, OSError)
"""Whatever a call may raise that the server, or the way to it, is to blame for."""


def status(message: Msg) -> str:
    """What the server says instead of a letter; "" for a letter."""
    return (message.headers or {}).get("Status", "")


def read(message: Msg) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    with suppress(ValueError):
        said = json.loads(message.data)
        return said if isinstance(said, dict) else {}
    return {}


def told(error: Exception) -> str:
    """What went wrong, for people."""
    if isinstance(error, APIError):
        return error.description or f"error {error.code}"
    return shown(str(error) or type(error).__name__)


def shown(text: str) -> str:
    """What the library says, without its own name."""
    return text.removeprefix("nats: ").strip("'\"")
