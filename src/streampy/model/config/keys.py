"""The keys of a configuration: what they are called, what they take, and what editors say about them.

Each key's docstring is its description in the JSON Schema. Knows nothing of files, nor of what a unit's settings are.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from streampy.model.config.values import (
    AtLeastNone,
    AtLeastOne,
    Duration,
    Flag,
    LateWord,
    Links,
    Name,
    OverflowWord,
    Size,
    Text,
    ThenWord,
    Use,
    show,
)
from streampy.model.pipe import ON_ERROR_WORDS, Late, OnError, Overflow, Then

EXTRA = "x-"
"""A key at the top that begins so is left alone: a place for anchors (`x-video: &video {...}`)."""


def _meaning(**words: str) -> dict[str, str]:
    """Words that people try, by the key that they mean."""
    return {word: key.rstrip("_") for key, several in words.items() for word in several.split()}


class Keys(BaseModel):
    """A mapping of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    planned: ClassVar[dict[str, str]] = {}
    """Keys of a later version, and what to do today."""
    meant: ClassVar[dict[str, str]] = {}
    """Words that people try, and the key that they mean."""


class PipeKeys(Keys):
    """The queue at an input."""

    meant: ClassVar[dict[str, str]] = _meaning(
        capacity="size maxsize", batch="batch_size", overflow="on_full policy", stale="ttl max_age", wait="timeout"
    )

    capacity: AtLeastOne = 64
    """How many items may wait."""
    bytes: Size = float("inf")
    """How much they may weigh together: bytes, or text such as `64MB`."""
    batch: AtLeastOne = 1
    """How many items the unit is given at once at the most."""
    wait: Duration = 0.0
    """How long the oldest item may wait for a fuller batch: seconds, or text such as `5ms`."""
    overflow: OverflowWord = Overflow.BLOCK
    """What happens when it is full: the sender waits (block), items are dropped, or the process fails."""
    stale: Duration = float("inf")
    """Items older than this are refused before work is spent on them."""


class UnitPipeKeys(PipeKeys):
    """The queues at the inputs of a unit: settings for all of them, and under an input's name those for it alone."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, PipeKeys]


class JoinKeys(Keys):
    """How the inputs of a unit meet."""

    meant: ClassVar[dict[str, str]] = _meaning(wait="timeout", key="on by")

    wait: Duration = float("inf")
    """How long an item waits for its missing parts: seconds, or text such as `60ms`."""
    late: LateWord = Late.PARTIAL
    """What happens then: it goes on without them (partial), is dropped, or the process fails (error)."""
    capacity: AtLeastNone = 0
    """How many items may wait at once; 0: as many as can come."""
    key: Text = "ancestor"
    """By what parts belong together: `ancestor`, `seq`, or the name of a field of the values."""


class OnErrorKeys(Keys):
    """What happens to an item on which the unit raised."""

    meant: ClassVar[dict[str, str]] = _meaning(retry="retries attempts", backoff="delay")

    retry: AtLeastNone = 0
    """How many more tries it has."""
    then: ThenWord = Then.STOP
    """What happens when they are used up."""
    backoff: Duration = 0.05
    """How long to wait before the first new try; doubled for each further one."""
    backoff_most: Duration = 5.0
    """How long to wait at the most."""


class _OrWord:
    """The short form of `on_error`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(ON_ERROR_WORDS)}, handler(core)]}


def _expand_on_error(value: object) -> object:
    if not isinstance(value, str):
        return value
    short = OnError.of(value)
    return {"retry": short.retry, "then": short.then.value}


def _read_workers(value: object) -> object:
    if isinstance(value, dict) and value.keys() <= {"min", "max"}:
        raise ValueError("a number of workers that follows the load is planned, not in this version: give one number")
    return value


def _read_on_crash(value: object) -> str:
    if value == "restart":
        raise ValueError("`restart` is planned, not in this version: remove the key, or write `on_crash: stop`")
    if value != "stop":
        raise ValueError(f"got {show(value)}, expected stop")
    return "stop"


def _or_nothing(value: object) -> object:
    """A key whose lines are all commented out asks for nothing."""
    return {} if value is None else value


class UnitKeys(Keys):
    """One unit of the process."""

    meant: ClassVar[dict[str, str]] = _meaning(
        from_="on input inputs after source links",
        set="settings params args",
        use="class function type",
        workers="replicas",
        pipe="pipes",
        on_error="retry",
    )

    use: Use
    """Which unit it is: `module:name`, or the short name of a plug-in."""
    set: Annotated[dict[str, Any], BeforeValidator(_or_nothing)] = Field(default_factory=dict)
    """Its settings: the keyword-only parameters of the function, or of `__init__`."""
    from_: Annotated[Links, Field(alias="from")] = Field(default_factory=dict)
    """What its inputs are linked to: a unit (`camera`), one output of it (`find.faces`), or such for each input."""
    workers: Annotated[AtLeastOne, BeforeValidator(_read_workers)] = 1
    """How many copies of it run."""
    place: Annotated[Text, WithJsonSchema({"enum": ["main"]})] = "main"
    """Where it runs; in this version `main`, the one OS process."""
    ordered: Flag = True
    """Whether the results of several workers leave in the order in which the items came."""
    pipe: Annotated[UnitPipeKeys, BeforeValidator(_or_nothing)] = UnitPipeKeys.model_validate({})
    """The queues at its inputs."""
    join: Annotated[JoinKeys, BeforeValidator(_or_nothing)] = JoinKeys()
    """How its inputs meet."""
    on_error: Annotated[OnErrorKeys, BeforeValidator(_expand_on_error), _OrWord()] = OnErrorKeys()
    """What happens when it raises: stop (the default), skip, retry (three times, then stop), dead_letter, or more."""
    on_crash: Annotated[Text, BeforeValidator(_read_on_crash), WithJsonSchema({"enum": ["stop"]})] = "stop"
    """What happens when a worker dies."""
    timeout: Duration = float("inf")
    """How long one call of its work may take; past that the worker counts as hung."""


class ProcessKeys(Keys):
    """A process of StreamPy: the graph of one task."""

    planned: ClassVar[dict[str, str]] = {
        "segments": "one process runs as one program",
        "links": "one process runs as one program",
    }
    meant: ClassVar[dict[str, str]] = _meaning(process="name")

    process: Name
    """Its name."""
    units: dict[Name, UnitKeys] = Field(min_length=1)
    """The units by name."""
