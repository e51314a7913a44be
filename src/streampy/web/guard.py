"""Who may come in: by the token, from the page of this very server, and to a name that this server has.

Knows nothing of what is behind it. It stands before every route, those of the page too.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from hashlib import sha256
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, final
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    ),
)
_CLOSE_POLICY: Final = 1008


@final
class Guard:
    """Around the application."""

    def __init__(self, app: App, *, token: str, names: Collection[str], cookie: str) -> None:
        """Token: "" where nobody needs one. names: by which this server may be called; empty: by any.

        cookie: its name, with the port in it, for a browser keeps no ports apart.
        """
        self._app = app
        self._token = token
        self._names = names
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        why = self._refusal(scope, headers)
        if why:
            await _refuse(scope, send, 403, "Forbidden", why)
            return
        given = self._given(scope, headers)
        if self._token and not any(compare_digest(one.encode(), self._token.encode()) for one in given):
            if not self._has_cookie(headers):
                await _refuse(scope, send, 401, "Unauthorized", "the token is missing, or is another one")
                return
        elif self._token and scope["type"] == "http" and scope["path"] == "/" and scope["query_string"]:
            await self._let_in(send)
            return
        await self._app(scope, receive, _with_safe_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> str:
        """Why a request is none of this server's; "" where it is."""
        host = headers.get("host", "")
        if self._names and _name_of(host) not in self._names:
            return f"this server is not called {_name_of(host)!r}; start it with --name {_name_of(host)} if it is"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return f"requests from the page of {origin!r} are refused"
        is_alien = headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}
        is_navigation = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if is_alien and not is_navigation:
            return "requests from the pages of others are refused"
        return ""

    def _given(self, scope: Scope, headers: dict[str, str]) -> list[str]:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return [*([bearer.strip()] if kind.lower() == "bearer" else []), *asked]

    def _has_cookie(self, headers: dict[str, str]) -> bool:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return found is not None and compare_digest(found.value.encode(), self._pass.encode())

    @property
    def _pass(self) -> str:
        """What the cookie holds: not the token itself, which would open other doors too."""
        return sha256(f"streampy page {self._token}".encode()).hexdigest()

    async def _let_in(self, send: Send) -> None:
        """The page was asked for with the token: the browser keeps that, and asks again without it in the address."""
        cookie = f"{self._cookie}={self._pass}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0"), *_SAFE]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _with_safe_headers(send: Send) -> Send:
    async def safely(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_SAFE]
        await send(message)

    return safely


async def _refuse(scope: Scope, send: Send, status: int, kind: str, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _CLOSE_POLICY, "reason": kind})
        return
    body = json.dumps({"error": {"kind": kind, "message": why, "traceback": ""}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_SAFE]
    if status == 401:  # noqa: PLR2004 - of HTTP
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
