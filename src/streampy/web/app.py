"""The HTTP API: routes for everything that a segment can be asked, an OpenAPI document, and live events.

Knows nothing of who may come in; `guard` stands before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Body, FastAPI, Query, Request, WebSocket, WebSocketDisconnect
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from streampy.errors import StreamPyError
from streampy.run.control.verbs import NoSuch
from streampy.web import bodies
from streampy.web.live import LEAST, MOST, Live, as_sse
from streampy.web.metrics import CONTENT_TYPE, render
from streampy.web.view import Seen, View, system, tell_error

PAGE: Final = Path(__file__).parent / "page"
_STATUS: Final = {
    "NoSuch": 404,
    "BadRequest": 422,
    "Gone": 404,
    "TooMuch": 429,
}
"""By kind of error; 409 for all others."""
_WORDS: Final = {
    401: "The token is missing, or is another one",
    403: "From the page of another server, or to a name that this server has not",
    404: "There is no such process, segment or unit, or it has ended meanwhile",
    409: "It can't be done with what runs, took too long, or the unit itself raised: the message says which",
    422: "What was sent can't be read",
    429: "Too much is asked at once",
}
_FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": bodies.Failure, "description": text} for status, text in _WORDS.items()
}
Every = Annotated[float, Query(ge=LEAST, le=MOST, description="Seconds between two looks")]
Process = Annotated[str, InPath(description="Its id, such as `faces@4711`, or its name where only one run has it")]
Segment = Annotated[str, InPath(description="Its id, as `/api/system` tells it")]
Unit = Annotated[str, InPath(description="Its name; for some verbs a pattern such as `camera*`")]


def make_app(view: View, *, token: bool = False) -> FastAPI:
    """The application. token: whether one is asked for, which the OpenAPI document tells."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await view.close()

    version = version_of("streampy")
    app = FastAPI(
        title="StreamPy",
        version=version,
        summary="See and steer what runs",
        docs_url=None,  # these pages load scripts from elsewhere, and this server steers processes
        redoc_url=None,
        lifespan=lifespan,
        responses=_FAILURES,
        strict_content_type=False,
    )
    if token:
        _ask_for_token(app)
    _add_failures(app)
    _add_verbs(app, view)
    _add_unit_verbs(app, view)
    _add_looks(app, view, version)  # behind the verbs of units, whose names may hold a slash
    _add_live(app, Live(view, version))
    _add_health(app, view)
    _add_page(app)
    return app


def _ask_for_token(app: FastAPI) -> None:
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        told = plain()
        told["components"].setdefault("securitySchemes", {})["token"] = {"type": "http", "scheme": "bearer"}
        told["security"] = [{"token": []}]
        return told

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI's own documentation shows


def _add_failures(app: FastAPI) -> None:
    async def failed(_: Request, error: Exception) -> JSONResponse:
        told = tell_error(error)
        return JSONResponse({"error": told}, _STATUS.get(told["kind"], 409))

    async def unreadable(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type
        texts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return JSONResponse({"error": {"kind": "BadRequest", "message": "; ".join(texts), "traceback": ""}}, 422)

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type
        status = 422 if error.status_code == 400 else error.status_code  # noqa: PLR2004 - a body that is no text
        kind = {404: "NoSuch", 422: "BadRequest"}.get(status, "Refused")
        told = {"kind": kind, "message": str(error.detail), "traceback": ""}
        return JSONResponse({"error": told}, status, headers=error.headers)

    app.add_exception_handler(StreamPyError, failed)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, refused)


def _add_looks(app: FastAPI, view: View, version: str) -> None:
    @app.get("/api/system", response_model=bodies.System, tags=["look"])
    async def tell_system() -> Any:
        """Who runs."""
        await view.look()
        return system(view, version, lambda seen: seen.head)

    @app.get("/api/snapshot", response_model=bodies.SystemSnapshot, tags=["look"])
    async def tell_snapshot() -> Any:
        """Who runs, with plans and figures."""
        await view.look()
        await view.refresh(list(view.segments.values()))
        return system(view, version, lambda seen: seen.snapshot)

    @app.get("/api/processes/{process}", response_model=bodies.ProcessSnapshot, tags=["look"])
    async def tell_process(process: Process) -> Any:
        """One run of a process, with plans and figures."""
        await view.look()
        await view.refresh(view.of_process(process))
        return view.process(process, lambda seen: seen.snapshot)

    @app.get("/api/segments/{segment}", response_model=bodies.Snapshot, tags=["look"])
    async def tell_segment(segment: Segment) -> Any:
        """One segment, with its plan and figures."""
        return (await _one(view, segment)).snapshot

    @app.get("/api/segments/{segment}/stats", response_model=dict[str, Any] | None, tags=["look"])
    async def tell_stats(segment: Segment) -> Any:
        """The figures of one segment; null while it starts."""
        return (await _one(view, segment)).stats

    @app.get("/api/processes/{process}/units/{unit:path}", response_model=bodies.UnitTold, tags=["look"])
    async def tell_unit(process: Process, unit: Unit) -> Any:
        """One unit: what it is, and how it goes in each segment that has it."""
        await view.look()
        having = [seen for seen in view.of_process(process) if unit in seen.plan["units"]]
        if not having:
            raise NoSuch(f"{process!r} has no unit {unit!r}")
        await view.refresh(having)
        segments = {seen.id: seen.stats and seen.stats["units"][unit] for seen in having}
        return {"plan": having[0].plan["units"][unit], "segments": segments}


async def _one(view: View, segment: str) -> Seen:
    await view.look()
    (seen,) = view.of_segment(segment)
    await view.refresh([seen])
    return seen


_WHOLE: Final[dict[str, tuple[type[bodies._Body], str]]] = {
    "start": (bodies.Timeout, "Let the sources go, and start what was stopped."),
    "pause": (bodies.Nothing, "Hold the sources."),
    "resume": (bodies.Nothing, "Let all that is held go on."),
    "drain": (bodies.Drain, "End the sources, and let what is under way come to its end. Returns at once."),
    "stop": (bodies.Stop, "Drain for the grace, then cancel. Returns at once."),
    "kill": (bodies.Nothing, "End the OS processes at once."),
}
_OF_UNIT: Final[dict[str, tuple[type[bodies._Body], str]]] = {
    "start": (bodies.Timeout, "Make it anew where it was stopped, and let it go on."),
    "stop": (bodies.Timeout, "Hold it, and have it give back what it has, until it is started."),
    "restart": (bodies.Timeout, "Stop it, and make it anew, between two items."),
    "pause": (bodies.Nothing, "Hold it: it takes nothing more."),
    "resume": (bodies.Nothing, "Let it go on."),
    "scale": (bodies.Scale, "Give it so many workers."),
    "set": (bodies.Set, "Give it other settings."),
    "fire": (bodies.Fire, "Fire an event: each segment answers with what its workers' methods returned."),
    "stats": (bodies.Nothing, "Its figures."),
    "profile": (bodies.Profile, "See which functions it is in."),
    "peek": (bodies.Peek, "See the last items of its pipe."),
}


def _add_verbs(app: FastAPI, view: View) -> None:
    def add(verb: str, kind: type[bodies._Body], text: str) -> None:
        async def of_process(process: Process, body: Annotated[kind | None, Body()] = None) -> Any:  # type: ignore[valid-type]
            await view.look()
            return await view.ask(view.of_process(process), verb, _fields(body))

        async def of_segment(segment: Segment, body: Annotated[kind | None, Body()] = None) -> Any:  # type: ignore[valid-type]
            await view.look()
            return await view.ask(view.of_segment(segment), verb, _fields(body))

        for path, route in (("processes/{process}", of_process), ("segments/{segment}", of_segment)):
            name = f"{verb}_{path.partition('/')[0]}"
            app.add_api_route(
                f"/api/{path}/{verb}",
                _resolved(route, kind),
                methods=["POST"],
                response_model=bodies.Done,
                description=text,
                operation_id=name,
                tags=["steer"],
            )

    for verb, (kind, text) in _WHOLE.items():
        add(verb, kind, text)


def _add_unit_verbs(app: FastAPI, view: View) -> None:
    def add(verb: str, kind: type[bodies._Body], text: str) -> None:
        is_needed = any(field.is_required() for field in kind.model_fields.values())

        async def of_unit(process: Process, unit: Unit, body: Any = None) -> Any:
            await view.look()
            return await view.ask(view.of_process(process), verb, {"unit": unit, **_fields(body)})

        app.add_api_route(
            f"/api/processes/{{process}}/units/{{unit:path}}/{verb}",
            _resolved(of_unit, kind, is_needed=is_needed),
            methods=["POST"],
            response_model=bodies.Done,
            description=text,
            operation_id=f"{verb}_unit",
            tags=["units"],
        )

    for verb, (kind, text) in _OF_UNIT.items():
        add(verb, kind, text)


def _resolved(route: Any, kind: type[bodies._Body], *, is_needed: bool = False) -> Any:
    """The route with the type of its body said, which is known only here."""
    route.__annotations__["body"] = Annotated[kind, Body()] if is_needed else Annotated[kind | None, Body()]
    if is_needed:
        route.__defaults__ = None
    return route


def _fields(body: Any) -> dict[str, Any]:
    return {} if body is None else body.model_dump()


def _add_live(app: FastAPI, live: Live) -> None:
    events: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}

    @app.get("/api/events", response_model=None, tags=["live"], responses=events)
    async def tell_events(every: Every = 0.5) -> StreamingResponse:
        """Server-sent events: `system`, `stats`, `gone`. Who is slow misses some `stats`, and is never behind."""
        told = (as_sse(event) async for event in live.events(every))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)

    @app.websocket("/api/live")
    async def tell_live(socket: WebSocket, every: Every = 0.5) -> None:
        await socket.accept()
        try:
            async for name, data in live.events(every):
                await socket.send_text(f'{{"event": "{name}", "data": {data}}}')
            await socket.close()
        except (WebSocketDisconnect, RuntimeError):
            return


def _add_health(app: FastAPI, view: View) -> None:
    @app.get("/healthz", response_model=bodies.Health, tags=["health"])
    async def tell_health() -> Any:
        """Whether this server lives."""
        return {"ok": True}

    @app.get(
        "/readyz",
        response_model=bodies.Health,
        tags=["health"],
        responses={503: {"model": bodies.Health, "description": "Nothing runs, or not all of it is up"}},
    )
    async def tell_readiness() -> Any:
        """Whether something runs, and all of it is running or paused."""
        await view.look()
        await view.refresh(list(view.segments.values()))
        heads = [seen.head for seen in view.segments.values()]
        why = [f"{one['id']} is {one['state']}" for one in heads if one["state"] not in {"running", "paused"}]
        if not heads:
            why = ["nothing runs"]
        return JSONResponse({"ok": not why, "why": why}, 503 if why else 200)

    @app.get("/metrics", response_model=None, tags=["health"], responses={200: {"content": {"text/plain": {}}}})
    async def tell_metrics() -> PlainTextResponse:
        """For Prometheus."""
        await view.look()
        await view.refresh(list(view.segments.values()))
        return PlainTextResponse(render(seen.snapshot for seen in view.segments.values()), media_type=CONTENT_TYPE)


def _add_page(app: FastAPI) -> None:
    """Its files one by one, for whatever is served at `/` as a whole would answer for all routes that are not there."""
    for path in sorted(PAGE.iterdir()):
        if path.is_dir():
            app.mount(f"/{path.name}", StaticFiles(directory=path), name=path.name)
        else:
            url = "/" if path.name == "index.html" else f"/{path.name}"
            app.add_api_route(url, _giving(path), include_in_schema=False)


def _giving(path: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def give() -> FileResponse:
        return FileResponse(path)

    return give
