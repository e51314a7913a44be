"""Proof that both ends know the same token, without sending it: an HMAC over what both have said.

Knows nothing of frames. Without TLS it keeps strangers out, but not those who can change what is on its way.
"""

from __future__ import annotations

import hashlib
import hmac
from secrets import token_bytes
from typing import Final

SIZE: Final = 32
"""Bytes of a nonce, and of a proof."""
DIALLER: Final = b"streampy dialler"
LISTENER: Final = b"streampy listener"
"""Who proves: so that no end's own proof can be sent back to it."""


def nonce() -> bytes:
    """Never the same twice."""
    return token_bytes(SIZE)


def prove(token: str, who: bytes, hello: bytes, challenge: bytes) -> bytes:
    """What only who knows the token can say, after this greeting and this challenge; both have a nonce in them."""
    said = hashlib.sha256(hello).digest() + hashlib.sha256(challenge).digest()
    return hmac.digest(token.encode(), who + said, hashlib.sha256)


def is_proof(given: bytes, token: str, who: bytes, hello: bytes, challenge: bytes) -> bool:
    """Whether it is; takes as long for a wrong proof as for the right one."""
    return hmac.compare_digest(given, prove(token, who, hello, challenge))
