"""Parameters before `*` are inputs, those after it settings, the return is the output; annotations choose the rest."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Optional, TypeVar

import pytest

from streampy.model.annotations import Unknown
from streampy.model.item import Batch, Item, Latest
from streampy.model.outputs import Outputs
from streampy.model.pipe import Join, Pipe
from streampy.model.ports import Emits, Helping, InputPort, OutputPort, Ports, Setting, SignatureProblem
from streampy.model.unit import Unit, ports_of, unit

if TYPE_CHECKING:
    from nowhere import Frame

T = TypeVar("T")


class Image:
    """A type of the user."""


class Box(Generic[T]):
    """A type of the user that takes one."""


class Found(Outputs):
    """Three outputs, one of them any number for an item."""

    size: int
    best: Image | None
    crops: Iterator[Image]


def one(x: int) -> str: ...
def item(x: Item[int]) -> Item[str]: ...
def batch(x: Batch[int]) -> Batch[str]: ...
def stream(x: Iterator[int]) -> Iterator[str]: ...
def headed(x: Iterator[Item[int]]) -> Iterator[str]: ...
def iterable(x: Iterable[int]) -> Generator[str, None, None]: ...
def parts(x: list[Image]) -> list[str]: ...
def newest(x: Latest[int], y: str) -> None: ...
def maybe(x: int, y: Image | None, z: Optional[list[int]]) -> str | None: ...  # noqa: UP045 - people write it
def wrapped(x: Item[Image] | None, y: Batch) -> None: ...
def generic(x: Box[int]) -> dict[str, int]: ...


def bare(x, y):
    return x + y


def bare_sink(x):
    x.append(1)


def typed_while_checking(x: Frame, y: Frame | None, z: list[Frame]) -> Frame: ...


IN_TABLE = [
    (one, {"x": (Helping.ONE, int, False)}),
    (item, {"x": (Helping.ITEM, int, False)}),
    (batch, {"x": (Helping.BATCH, int, False)}),
    (stream, {"x": (Helping.STREAM, int, False)}),
    (headed, {"x": (Helping.STREAM, int, False)}),
    (iterable, {"x": (Helping.STREAM, int, False)}),
    (parts, {"x": (Helping.LIST, Image, False)}),
    (newest, {"x": (Helping.LATEST, int, True), "y": (Helping.ONE, str, False)}),
    (maybe, {"x": (Helping.ONE, int, False), "y": (Helping.ONE, Image, True), "z": (Helping.LIST, int, True)}),
    (generic, {"x": (Helping.ONE, Box[int], False)}),
    (bare, {"x": (Helping.ONE, Any, False), "y": (Helping.ONE, Any, False)}),
]


@pytest.mark.parametrize(("function", "expected"), IN_TABLE, ids=lambda value: getattr(value, "__name__", ""))
def test_the_annotation_of_an_input_chooses_how_much_the_unit_is_given_at_once(function, expected):
    inputs = ports_of(function).inputs
    assert {name: (port.helping, port.type, port.optional) for name, port in inputs.items()} == expected


def yields(x: int) -> Iterator[str]:
    yield ""


def yields_bare(x):
    yield x


def filters(x: int) -> str | None: ...
def several(x: int) -> Found: ...
def returns_several(x: int) -> Iterator[str]: ...
def sink(x: int) -> None: ...
def camera() -> Iterator[Image]: ...
def batches() -> Iterator[Batch[Image]]: ...
def cut(x: int) -> Iterator[Item[Image]]: ...


async def answers(x: int) -> str: ...


async def answers_with_many(x: int) -> AsyncIterator[str]:
    yield ""


class Both(Outputs):
    """Two outputs, one for each part."""

    low: int
    high: int


def split(x: int) -> Iterator[Both]: ...
def sources() -> Iterator[Both]: ...
def batch_of_several(x: Batch[int]) -> Batch[Both]: ...


ONE_OUT = {"out": (str, False, False)}
BOTH = {"low": (int, False, True), "high": (int, False, True)}
OUT_TABLE = [
    (one, Emits.ONE, ONE_OUT),
    (item, Emits.ONE, ONE_OUT),
    (batch, Emits.BATCH, ONE_OUT),
    (stream, Emits.MANY, {"out": (str, True, False)}),
    (iterable, Emits.MANY, {"out": (str, True, False)}),
    (yields, Emits.MANY, {"out": (str, True, False)}),
    (yields_bare, Emits.MANY, {"out": (Any, True, True)}),
    (returns_several, Emits.MANY, {"out": (str, True, False)}),
    (answers_with_many, Emits.MANY, {"out": (str, True, False)}),
    (cut, Emits.MANY, {"out": (Image, True, False)}),
    (camera, Emits.MANY, {"out": (Image, False, False)}),
    (batches, Emits.MANY, {"out": (Image, False, False)}),
    (filters, Emits.ONE, {"out": (str, False, True)}),
    (bare, Emits.ONE, {"out": (Any, False, True)}),
    (answers, Emits.ONE, ONE_OUT),
    (parts, Emits.ONE, {"out": (list[str], False, False)}),
    (several, Emits.ONE, {"size": (int, False, True), "best": (Image, False, True), "crops": (Image, True, True)}),
    (split, Emits.MANY, {name: (kind, True, True) for name, (kind, _, _) in BOTH.items()}),
    (sources, Emits.MANY, BOTH),
    (batch_of_several, Emits.BATCH, BOTH),
    (sink, Emits.NOTHING, {}),
    (bare_sink, Emits.NOTHING, {}),
    (newest, Emits.NOTHING, {}),
]


@pytest.mark.parametrize(("function", "emits", "expected"), OUT_TABLE, ids=lambda value: getattr(value, "__name__", ""))
def test_the_return_gives_the_outputs(function, emits, expected):
    ports = ports_of(function)
    assert ports.emits is emits
    assert {name: (port.type, port.many, port.optional) for name, port in ports.outputs.items()} == expected


@pytest.mark.parametrize(
    ("function", "is_async", "is_source", "is_stream"),
    [
        (one, False, False, False),
        (answers, True, False, False),
        (answers_with_many, True, False, False),
        (stream, False, False, True),
        (camera, False, True, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_unit_is_known_by_its_signature(function, is_async, is_source, is_stream):
    ports = ports_of(function)
    assert (ports.is_async, ports.is_source, ports.is_stream) == (is_async, is_source, is_stream)


def test_what_exists_only_while_types_are_checked_fits_everything():
    ports = ports_of(typed_while_checking)
    assert [(port.type, port.helping, port.optional) for port in ports.inputs.values()] == [
        (Unknown, Helping.ONE, False),
        (Unknown, Helping.ONE, True),
        (Unknown, Helping.LIST, False),
    ]
    assert ports.outputs["out"].type is Unknown


def test_a_type_that_lives_in_a_function_is_read_from_it():
    class Local:
        pass

    def use(x: Local) -> list[Local]:
        return [Local(), x]

    ports = ports_of(use)
    assert (ports.inputs["x"].type, ports.outputs["out"].type) == (Local, list[Local])


def test_a_decorator_that_says_what_it_wraps_does_not_hide_the_signature():
    @functools.wraps(one)
    def logged(*args: Any, **kwargs: Any) -> Any:
        return one(*args, **kwargs)

    assert ports_of(logged) == ports_of(one)


def resize(frame: Image, *, width: int = 640, name: str, scale: float | None = None) -> Image: ...


def test_keyword_only_parameters_are_settings():
    assert ports_of(resize).settings == {
        "width": Setting("width", int, required=False, default=640),
        "name": Setting("name", str, required=True),
        "scale": Setting("scale", float | None, required=False),
    }


class Annotate(Unit):
    """A class unit."""

    frame = Pipe(capacity=8)
    join = Join(wait=0.06)

    def __init__(self, *, font: int = 14) -> None: ...

    def work(self, frame: Image, names: list[str] | None) -> Image: ...


def test_a_class_has_its_inputs_from_work_its_settings_from_init_and_its_defaults_from_attributes():
    assert Annotate.ports() == Ports(
        inputs={
            "frame": InputPort("frame", Image, pipe=Pipe(capacity=8)),
            "names": InputPort("names", str, Helping.LIST, optional=True),
        },
        outputs={"out": OutputPort("out", Image)},
        emits=Emits.ONE,
        join=Join(wait=0.06),
        settings={"font": Setting("font", int, required=False, default=14)},
    )


def test_a_class_inherits_work_and_defaults():
    class Better(Annotate):
        names = Pipe(capacity=2)

    assert Better.ports().inputs["frame"].pipe == Pipe(capacity=8)
    assert Better.ports().inputs["names"].pipe == Pipe(capacity=2)
    assert Better.ports().settings == Annotate.ports().settings


def test_a_class_without_init_has_no_settings():
    class Plain(Unit):
        def work(self, x: int) -> int: ...

    assert Plain.ports().settings == {}


def test_a_unit_may_tell_its_ports_itself():
    class Odd(Unit):
        @classmethod
        def ports(cls) -> Ports:
            return ports_of(one)

    assert ports_of(Odd) == ports_of(one)


def test_a_declared_function_stays_the_function_that_it_is():
    @unit
    def double(x: int) -> int:
        return 2 * x

    assert double(4) == 8
    assert ports_of(double).inputs == {"x": InputPort("x", int)}


def test_a_declaration_gives_defaults():
    @unit(x=Pipe(batch=4), join=Join(wait=1.0))
    def add(x: int, y: int) -> int:
        return x + y

    ports = ports_of(add)
    assert (ports.inputs["x"].pipe, ports.inputs["y"].pipe, ports.join) == (Pipe(batch=4), None, Join(wait=1.0))


class Camera:
    """A class, but no unit."""


class Idle(Unit):
    """No work."""


class Positional(Unit):
    """Settings that are not keyword-only."""

    def __init__(self, threshold: float, size: int) -> None: ...

    def work(self, x: int) -> int: ...


class Mixed(Unit):
    """A setting at the wrong place."""

    def work(self, x: int, *, size: int) -> int: ...


class Strange(Unit):
    """A pipe for an input that is not there."""

    frames = Pipe()

    def work(self, frame: int) -> int: ...


def starred(*frames: int) -> int: ...
def double_starred(frame: int, **options: int) -> int: ...
def defaulted(frame: int, threshold: float = 0.5) -> int: ...
def stream_of_two(x: Iterator[int], y: int) -> Iterator[int]: ...
def batch_of_two(x: Batch[int], y: int) -> Batch[int]: ...
def batch_to_one(x: Batch[int]) -> int: ...
def stream_to_one(x: Iterator[int]) -> int: ...
def unreadable(x: int.nothing) -> int: ...


def yields_none(x: int) -> None:
    yield x


class Twice(Outputs):
    """An iterator in what is yielded."""

    crops: Iterator[int]


def yields_iterators(x: int) -> Iterator[Twice]: ...


PROBLEMS = [
    (Camera, "the class Camera is no unit: derive it from streampy.Unit"),
    (7, "got int 7, expected a function or a subclass of streampy.Unit"),
    (Idle, "Idle has no method `work`"),
    (
        Positional,
        (
            "__init__ has the positional parameter 'threshold': settings are keyword-only, "
            "so write `def __init__(self, *, threshold, size)`"
        ),
    ),
    (
        Mixed,
        (
            "work() has the keyword-only parameter 'size': "
            "settings of a class unit are keyword-only parameters of __init__"
        ),
    ),
    (Strange, "frames = Pipe(...) stands for no input; the inputs are frame"),
    (starred, "the parameter *frames: 'int' names no port: give each input and setting a name"),
    (double_starred, "the parameter **options: 'int' names no port: give each input and setting a name"),
    (
        defaulted,
        (
            "the input 'threshold' has a default: inputs have none (`T | None` may be missing in a join); "
            "a setting stands after `*`: `(..., *, threshold: 'float' = 0.5)`"
        ),
    ),
    (stream_of_two, "an Iterator[T] input must be the only one: a stream can't be joined item by item"),
    (batch_of_two, "a Batch[T] input must be the only one: a join gives one item at a time"),
    (wrapped, "a Batch[T] input must be the only one: a join gives one item at a time"),
    (
        batch_to_one,
        "a unit that takes a Batch[T] returns a Batch[U], one result for each item, or None as a sink: got int",
    ),
    (stream_to_one, "a unit that takes an Iterator[T] yields, or returns None: got int"),
    (yields_none, "it yields, but its return is annotated None: annotate Iterator[T]"),
    (yields_iterators, "it yields, and its output 'crops' is an iterator again: yield each of its values"),
    (
        unreadable,
        "the annotation 'int.nothing' can't be read: type object 'int' has no attribute 'nothing'",
    ),
]


@pytest.mark.parametrize(("use", "message"), PROBLEMS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_signature_that_can_not_be_read_is_refused_with_what_was_got_and_expected(use, message):
    with pytest.raises(SignatureProblem) as refused:
        ports_of(use)
    assert str(refused.value) == message


def test_a_mistake_in_a_declared_function_shows_where_it_is_made():
    with pytest.raises(SignatureProblem, match="the input 'y' has a default"):

        @unit
        def add(x: int, y: int = 2) -> int:
            return x + y


def test_a_result_of_a_batch_or_a_stream_that_may_be_missing_is_no_part_of_the_type():
    def pick(numbers: Batch[int]) -> Batch[int | None]: ...
    def spread(number: int) -> Iterator[int | None]: ...

    assert [int, int] == [ports_of(use).outputs["out"].type for use in (pick, spread)]


def test_a_batch_in_which_results_may_be_missing_may_filter():
    def pick(numbers: Batch[int]) -> Batch[int | None]: ...
    def all_of(numbers: Batch[int]) -> Batch[int]: ...

    assert [True, False] == [ports_of(use).outputs["out"].optional for use in (pick, all_of)]
