"""The keys of a configuration: what they are called, what they take, and what editors say about them.

Each key's docstring is its description in the JSON Schema. Knows nothing of files, nor of what a unit's settings are.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from streampy.model.config.values import (
    VARIABLE,
    AckWord,
    AtLeastNone,
    AtLeastOne,
    Broker,
    CpuList,
    CrashedWord,
    Deadline,
    Dial,
    Duration,
    Environment,
    Flag,
    ItemSize,
    LateWord,
    Limit,
    LinkName,
    Links,
    Listen,
    Name,
    OrderWord,
    OverflowWord,
    PlaceName,
    Rate,
    Secret,
    Size,
    Text,
    ThenWord,
    UnitNames,
    Use,
    check_tls,
    whole,
)
from streampy.model.pipe import ON_CRASH_WORDS, ON_ERROR_WORDS, Crashed, Late, OnCrash, OnError, Order, Overflow, Then
from streampy.model.process import CPU, MAIN, NAME
from streampy.model.segments import Ack

EXTRA = "x-"
"""A key at the top that begins so is left alone: a place for anchors (`x-video: &video {...}`)."""

ABSENT = "absent:absent"
"""Stands for a `use` that was told to be wrong, or is known, so that the other keys of the unit can be read."""


def _meaning(**words: str) -> dict[str, str]:
    """Words that people try, by the key that they mean."""
    return {word: key.rstrip("_") for key, several in words.items() for word in several.split()}


class Keys(BaseModel):
    """A mapping of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    meant: ClassVar[dict[str, str]] = {}
    """Words that people try, and the key that they mean."""


class PipeKeys(Keys):
    """The queue at an input."""

    meant: ClassVar[dict[str, str]] = _meaning(
        capacity="size maxsize",
        batch="batch_size",
        overflow="on_full policy",
        stale="ttl max_age",
        wait="timeout",
        order="priority sort",
        rate="fps throttle limit max_rate frequency",
        item="item_size itemsize item_bytes",
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
    in_flight: Limit = float("inf")
    """How many of the items that it handed over may be on their way at once, until all that became of one has ended."""
    order: OrderWord = Order.FIFO
    """Which item is handed over first: the one that came first (fifo), or that with the highest `meta["priority"]`."""
    rate: Rate = float("inf")
    """How many items a second are handed over at the most, evenly spaced: a number, or text such as `10/s`, `600/m`."""
    item: ItemSize = None
    """How large one item is, so that shared memory can be reserved at the start: bytes, or text such as `6MB`."""


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


class OnCrashKeys(Keys):
    """What happens when a worker dies."""

    meant: ClassVar[dict[str, str]] = _meaning(attempts="retry retries", backoff="delay")

    then: CrashedWord = Crashed.STOP
    """The process stops, or a new worker takes its place and its items."""
    attempts: AtLeastOne = 2
    """How many workers may die on an item before it is put aside as a dead letter."""
    backoff: Duration = 0.1
    """How long to wait before a restart; doubled for each further one within a minute."""
    backoff_most: Duration = 5.0
    """How long to wait at the most."""
    limit: AtLeastOne = 30
    """How many restarts within a minute are too many, so that the process stops."""


class WorkersKeys(Keys):
    """A number of workers that follows the load."""

    min: AtLeastOne = 1
    """How many always run."""
    max: AtLeastOne
    """How many run at the most."""


class _Or:
    """A short form beside the mapping."""

    def __init__(self, **short: Any) -> None:
        self._short = short

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self._short, handler(core)]}


def _expand_on_error(value: object) -> object:
    if not isinstance(value, str):
        return value
    short = OnError.of(value)
    return {"retry": short.retry, "then": short.then.value}


def _expand_on_crash(value: object) -> object:
    return {"then": OnCrash.of(value).then.value} if isinstance(value, str) else value


def _expand_workers(value: object) -> object:
    if isinstance(value, dict | WorkersKeys):
        return value
    number = whole(1)(value)
    return {"min": number, "max": number}


def _or_nothing(value: object) -> object:
    """A key whose lines are all commented out asks for nothing."""
    return {} if value is None else value


def _or_none(value: object) -> object:
    return () if value is None else value


_Workers = Annotated[
    WorkersKeys,
    BeforeValidator(_expand_workers),
    _Or(anyOf=[{"type": "integer", "minimum": 1}, VARIABLE]),
]


class UnitKeys(Keys):
    """One unit of the process."""

    meant: ClassVar[dict[str, str]] = _meaning(
        from_="on input inputs after source links",
        set="settings params args",
        use="class function type",
        workers="replicas",
        pipe="pipes",
        on_error="retry",
        env="environment environ",
        cpus="cpu affinity cores",
        device="gpu",
    )

    use: Use
    """Which unit it is: `module:name`, the short name of a plug-in, or the file of a process (`faces.yaml`)."""
    set: Annotated[dict[str, Any], BeforeValidator(_or_nothing)] = Field(default_factory=dict)
    """Its settings: the keyword-only parameters of the function, or of `__init__`; for a process those of each unit."""
    from_: Annotated[Links, Field(alias="from")] = Field(default_factory=dict)
    """What its inputs are linked to: a unit (`camera`), one output of it (`find.faces`), or such for each input."""
    workers: _Workers = WorkersKeys(max=1)
    """How many copies of it (of each unit of a process) run: a number, or `{min: 1, max: 8}` to follow the load."""
    place: PlaceName = MAIN
    """Where it runs: in the OS process of the command, in one for each worker, or in one that units of a name share."""
    device: Text = CPU
    """What a worker computes on, as `sp.worker().device` gives it; `{index}` and `{count}` are the worker's."""
    env: Annotated[Environment, BeforeValidator(_or_nothing)] = Field(default_factory=dict)
    """Environment variables of its OS processes; in a value `{index}` and `{count}` are the worker's."""
    cpus: CpuList = ()
    """The CPUs that its OS processes may use: `[0, 1]` or `0-3`; `[[0, 1], [2, 3]]` gives each worker its own."""
    each: Annotated[tuple[dict[str, Any], ...], BeforeValidator(_or_none)] = ()
    """Settings of single workers, over those in `set`: one mapping for each worker."""
    ordered: Flag = True
    """Whether the results of several workers leave in the order in which the items came."""
    pipe: Annotated[UnitPipeKeys, BeforeValidator(_or_nothing)] = UnitPipeKeys.model_validate({})
    """The queues at its inputs."""
    join: Annotated[JoinKeys, BeforeValidator(_or_nothing)] = JoinKeys()
    """How its inputs meet."""
    on_error: Annotated[OnErrorKeys, BeforeValidator(_expand_on_error), _Or(enum=list(ON_ERROR_WORDS))] = OnErrorKeys()
    """What happens when it raises: stop (the default), skip, retry (three times, then stop), dead_letter, or more."""
    on_crash: Annotated[OnCrashKeys, BeforeValidator(_expand_on_crash), _Or(enum=list(ON_CRASH_WORDS))] = OnCrashKeys()
    """What happens when a worker dies: stop (the default), restart, or more."""
    timeout: Duration = float("inf")
    """How long one call of its work may take; past that the worker counts as hung."""


class TlsKeys(Keys):
    """The files, in PEM, with which two segments make sure of each other."""

    meant: ClassVar[dict[str, str]] = _meaning(
        ca="cacert ca_cert root cafile",
        cert="crt certificate certfile",
        key="keyfile private_key",
        name="server_name sni",
    )

    ca: Text = ""
    """The authorities whose certificates the other side may have. A listener with it lets nobody in without one."""
    cert: Text = ""
    """The certificate that this side shows: the listener must, the dialler where it is asked for one."""
    key: Text = ""
    """The private key of `cert`."""
    name: Text = ""
    """At a link: the name in the certificate of the listener, where that is not the host that is dialled."""


_Tls = Annotated[TlsKeys | None, AfterValidator(check_tls)]


class SegmentKeys(Keys):
    """Units that live together as one program."""

    meant: ClassVar[dict[str, str]] = _meaning(
        units="unit members contains",
        replicas="workers copies instances count scale",
        listen="bind port address host",
        tls="ssl certificates",
        token="secret password auth",  # noqa: S106 - words that people try
        on_crash="restart on_death",
    )

    units: UnitNames
    """Those that live in it; the name of a used process stands for all of its units."""
    replicas: AtLeastOne = 1
    """How many such programs there are, each with all units of the segment."""
    listen: Listen = ""
    """Where other segments reach it: `tcp://host:port`; port 0 is any that is free."""
    tls: _Tls = None
    """The files with which it makes sure of who dials, and shows who it is: `ca`, `cert`, `key`."""
    token: Secret = ""
    """What others must know to be let in; the same as at the links that lead to it."""
    on_crash: CrashedWord = Crashed.STOP
    """What `streampy run FILE` does when one of them is killed: puts all out, or starts it again."""


class LinkKeys(Keys):
    """How one segment reaches another: the first one dials."""

    meant: ClassVar[dict[str, str]] = _meaning(
        dial="url address addresses to connect host",
        tls="ssl certificates",
        token="secret password auth",  # noqa: S106 - words that people try
        window="credits credit in_flight inflight capacity",
        ack="acks acknowledge qos",
        deadline="timeout ttl",
        via="broker bus through",
    )

    dial: Dial = ()
    """Where the other segment is: `tcp://host:port`, a list of such, or `file:///path`, a file with one a line."""
    tls: _Tls = None
    """The files with which it makes sure of whom it dials, and shows who it is: `ca`, `cert`, `key`, `name`."""
    token: Secret = ""
    """What the other segment asks for."""
    window: AtLeastOne = 64
    """How many items may be under way to each replica of the other segment."""
    ack: AckWord = Ack.PROCESSED
    """Until when an item is kept: until it has ended there (processed), or only until it is sent (none)."""
    deadline: Deadline = float("inf")
    """How long an item may take until it is answered; after that it counts as expired."""
    via: Broker = ""
    """A broker that everything goes through: `nats://host:port`, `kafka://host:port`."""


_Segment = Annotated[
    SegmentKeys,
    _Or(type="array", items={"type": "string", "pattern": NAME}, minItems=1),
]
_Link = Annotated[LinkKeys, BeforeValidator(_or_nothing)]


class ProcessKeys(Keys):
    """A process of StreamPy: the graph of one task."""

    meant: ClassVar[dict[str, str]] = _meaning(process="name", segments="programs cut", links="wires connections")

    process: Name
    """Its name."""
    units: dict[Name, UnitKeys] = Field(min_length=1)
    """The units by name."""
    segments: Annotated[dict[Name, _Segment], BeforeValidator(_or_nothing)] = Field(default_factory=dict)
    """The programs that it is cut into, by name: the units of each, or more; without it, it is one."""
    links: Annotated[dict[LinkName, _Link], BeforeValidator(_or_nothing)] = Field(default_factory=dict)
    """How its segments reach each other: `edge -> core: {dial: "tcp://host:port"}`, where `edge` dials."""


def said_of(keys: UnitKeys) -> dict[str, Any]:
    """Those keys of a unit that say how it runs, as a `UnitSpec` has them."""
    return {
        "workers": keys.workers.max,
        "spare": keys.workers.max - keys.workers.min,
        "place": keys.place,
        "device": keys.device,
        "env": keys.env,
        "cpus": keys.cpus,
        "each": keys.each,
        "ordered": keys.ordered,
        "on_error": OnError(**keys.on_error.model_dump(exclude_unset=True)),
        "on_crash": OnCrash(**keys.on_crash.model_dump(exclude_unset=True)),
        "timeout": keys.timeout,
    }
