"""What goes with a request and what comes back, as the OpenAPI document tells it.

Knows nothing of what is done. The bounds are those of `run.control.verbs`, which looks at everything once more.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue


def _whole(value: object) -> object:
    """In JSON 2.0 is a whole number, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_IN_JSON: Final = BeforeValidator(_whole)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(_Body):
    """No body is fine, too."""


class Timeout(_Body):
    """Seconds until it must have been done."""

    timeout: float = Field(10.0, ge=0, le=3600)


class Drain(_Body):
    """Seconds in which all that is under way must have come to its end; what is left is cancelled."""

    timeout: float = Field(30.0, ge=0, le=3600)


class Stop(_Body):
    """Seconds to drain before what is left is cancelled."""

    grace: float = Field(5.0, ge=0, le=3600)


class Scale(_Body):
    """How many workers; null: as the process says."""

    workers: Annotated[int, Field(ge=1, le=10_000), _IN_JSON] | None = None


class Set(_Body):
    """Other settings, by name."""

    settings: dict[str, JsonValue]
    timeout: float = Field(10.0, ge=0, le=3600)


class Fire(_Body):
    """An event, with the arguments of its method by position and by name."""

    event: str
    values: list[JsonValue] = Field(default_factory=list)
    named: dict[str, JsonValue] = Field(default_factory=dict)
    timeout: float = Field(10.0, ge=0, le=3600)


class Profile(_Body):
    """How long to look, and how often: seconds."""

    seconds: float = Field(2.0, ge=0.01, le=60)
    interval: float = Field(0.01, ge=0.001, le=1)


class Peek(_Body):
    """At which input (null: the only one), how many items, how long to wait for them, and whether with pictures."""

    port: str | None = None
    count: Annotated[int, Field(ge=1, le=100), _IN_JSON] = 5
    wait: float = Field(1.0, ge=0, le=30)
    preview: bool = True


class Trouble(BaseModel):
    """What went wrong: the kind of error, what it says, and a unit's own traceback."""

    kind: str
    message: str
    traceback: str = ""


class Failure(BaseModel):
    """Every answer that is not 2xx."""

    error: Trouble


class Head(BaseModel):
    """Who a segment is. More may stand here in later versions."""

    model_config = ConfigDict(extra="allow")

    id: str
    process: str
    segment: str
    replica: int
    pid: int
    host: str
    version: str
    run: int
    state: str
    started: float
    uptime: float


class Snapshot(Head):
    """All there is to know of a segment; `stats` is null while it starts."""

    plan: dict[str, Any]
    stats: dict[str, Any] | None


class ProcessHead(BaseModel):
    """One run of a process: its segments, and the state that says most of the whole."""

    id: str
    process: str
    run: int
    state: str
    segments: list[Head]


class ProcessSnapshot(ProcessHead):
    """The same with all there is to know."""

    segments: list[Snapshot]  # type: ignore[assignment]  # a snapshot is a head, and nobody puts heads in here


class System(BaseModel):
    """All that runs."""

    at: float
    version: str
    processes: list[ProcessHead]


class SystemSnapshot(BaseModel):
    """The same with all there is to know."""

    at: float
    version: str
    processes: list[ProcessSnapshot]


class Done(BaseModel):
    """What each segment answered, by its id, and what some did not do."""

    segments: dict[str, Any]
    errors: dict[str, Trouble] = Field(default_factory=dict)


class UnitTold(BaseModel):
    """What a unit is, and how it goes in each segment that has it."""

    plan: dict[str, Any]
    segments: dict[str, dict[str, Any] | None]


class Health(BaseModel):
    """Whether all is well; else why not."""

    ok: bool
    why: list[str] = Field(default_factory=list)
