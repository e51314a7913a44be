"""What two segments say as it travels: plain lists, and the values of items each encoded by itself.

Knows nothing of sockets. A value is encoded once, when it is sent or given back, however often it is sent again; so a
unit whose result can't go over a network hears it at once, with the place in the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any, Final, NamedTuple, final

from streampy.model.item import Header, Reason
from streampy.pipes.net.codec import Message, WireCodec
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.headers import columns_of, headers_of
from streampy.pipes.net.limits import Limits
from streampy.run.segments.wire import COUNTED, Answer, Hello, Parcels, Tidings, Told, What, Word

_MOST_BYTES: Final = 1 << 20
"""Of values that go together: what is more gains nothing by it, and a frame has its limits."""
_MOST_BUFFERS: Final = 500
_LIMITS: Final = Limits()
_SPARE: Final = 1 << 20
"""Bytes of a frame that are left for what goes with a value: its header, most of all."""
_MOST_COUNT: Final = 4096
_MOST_TOLD: Final = 1 << 20
"""That may be alike: each takes some hundred bytes here, and none there."""
_THREE: Final = b"\x93"
_YES: Final = b"\xc3"
_NO: Final = b"\xc2"
"""In msgpack: how an array of three begins, and what is true or not."""
_SHORT: Final = 16
"""Length from which on an array begins otherwise."""


class Packed(NamedTuple):
    """What is said, as a frame carries it."""

    word: Word
    parts: Sequence[Buffer]


@final
class Packing:
    """Packs and unpacks; for any thread.

    The first part of a frame is an array of three: what is said, whether values have no buffers, and the values. Where
    none has any, which is so for all that is small, they stand there as they are, and are decoded together; else each
    is its bytes, and how many of the other parts are its own.
    """

    def __init__(self, codec: WireCodec) -> None:
        self._codec = codec
        self._plain = codec.without_buffers()

    def pack_value(self, value: Any, link: str, header: Header) -> Message:
        """A value of an item. Raises TypeError where a part of it has no safe form; says which, and of which item.

        ValueError where it is too large for one message.
        """
        try:
            message = self._codec.encode(value)
        except TypeError:
            return self._codec.encode(value, f"{link}, item {header.key}: value")  # raises it again, with more in it
        size, _ = _weight([message])
        if size > _LIMITS.frame - _SPARE or len(message.head) > _LIMITS.head - _SPARE:
            raise ValueError(
                f"{link}, item {header.key}: a value of {size} bytes, {len(message.head)} of them in what is no array: "
                f"expected at most {_LIMITS.frame - _SPARE}, and {_LIMITS.head - _SPARE}; send it in parts"
            )
        return message

    def pack(self, word: Word, what: Any) -> Iterator[Packed]:
        """What is said, with values that were packed before: in one message, or in several where they are large."""
        for one in _SPLIT[word](what) if word in _SPLIT else (what,):
            yield self.pack_whole(word, one)

    def pack_whole(self, word: Word, what: Any) -> Packed:
        """As `pack`, in one message, however large."""
        messages: list[Message] = []
        plain = _PACK[word](what, messages) if word in _PACK else what
        head = self._plain.encode(plain).head
        buffers = [buffer for message in messages for buffer in message.buffers]
        values = self._plain.encode([[one.head, len(one.buffers)] for one in messages]).head if buffers else None
        pieces = [_THREE, head, _NO if buffers else _YES]
        pieces += [_array_of(len(messages)), *(one.head for one in messages)] if values is None else [values]
        return Packed(word, [b"".join(pieces), *buffers])

    def unpack(self, word: Word, parts: Sequence[Buffer]) -> Any:
        """What was said. Raises ProtocolError, whatever came."""
        try:
            plain, is_whole, values = self._codec.decode(parts[0])
            found = iter(values) if is_whole else self._values(values, iter(parts[1:]))
            return _UNPACK[word](plain, found) if word in _UNPACK else plain
        except ProtocolError:
            raise
        except Exception as error:  # whatever it is that came
            raise ProtocolError("a message", f"none ({type(error).__name__}: {error})", f"{word.name}") from error

    def _values(self, messages: Any, buffers: Iterator[Buffer]) -> Iterator[Any]:
        for head, count in messages:
            yield self._codec.decode(head, list(islice(buffers, count)))


def _array_of(count: int) -> bytes:
    """How an array of so many begins, in msgpack."""
    return bytes([0x90 | count]) if count < _SHORT else b"\xdd" + count.to_bytes(4, "big")


def _weight(values: Iterable[Message]) -> tuple[int, int]:
    """Bytes, and buffers."""
    size = pieces = 0
    for head, buffers in values:
        size += len(head) + sum(memoryview(buffer).nbytes for buffer in buffers)
        pieces += len(buffers)
    return size, pieces


def _runs(weights: Iterable[tuple[int, int]]) -> Iterator[slice]:
    """Which go together: as many as are not too much for a message, or one."""
    start = size = pieces = at = 0
    for at, (more, buffers) in enumerate(weights):
        size, pieces = size + more, pieces + buffers
        if at > start and (size > _MOST_BYTES or pieces > _MOST_BUFFERS or at - start >= _MOST_COUNT):
            yield slice(start, at)
            start, size, pieces = at, more, buffers
    yield slice(start, at + 1)


def _split_parcels(what: Parcels) -> Iterator[Parcels]:
    link, numbers, headers, values, path, heard = what
    for run in _runs(_weight([value]) for value in values):
        yield Parcels(link, numbers[run], headers[run], values[run], path, heard)
        heard = ()


def _split_answer(what: Answer) -> Iterator[Answer]:
    """A family that is too much by itself goes in several, all but the last of them without numbers."""
    weights = [_weight(filter(None, map(_value_of, told))) for _, told in what.visits]
    for run in _runs(weights):
        visits = what.visits[run]
        size, pieces = weights[run][0]
        if len(visits) > 1 or (size <= _MOST_BYTES and pieces <= _MOST_BUFFERS):
            yield Answer(visits)
            continue
        ((numbers, told),) = visits
        *begun, last = _runs(_weight(filter(None, [_value_of(one)])) for one in told)
        yield from (Answer([((), told[one])]) for one in begun)
        yield Answer([(numbers, told[last])])


def _value_of(told: What) -> Message | None:
    return told[3] if told[0] == Told.PUT else None


def _pack_parcels(what: Parcels, messages: list[Message]) -> Any:
    messages.extend(what.values)
    link, numbers, headers, _, path, heard = what
    return [link, list(numbers), columns_of(headers), len(headers), list(path), list(heard)]


def _unpack_parcels(plain: Any, values: Iterator[Any]) -> Parcels:
    link, numbers, columns, count, path, heard = plain
    found = list(values)
    if not len(found) == count == (len(numbers) or count):
        raise ValueError(f"{len(numbers)} numbers and {len(found)} values of {count} items")
    headers = headers_of(columns, count)
    return Parcels(_text(link), _numbers(numbers), headers, found, list(map(_text, path)), _numbers(heard))


def _pack_told(told: Iterable[What], messages: list[Message]) -> list[Any]:
    """What is alike stands together, headers as columns."""
    packed = []
    for (kind, *alike), group in groupby(told, _alike):
        same = list(group)
        if kind == Told.PUT:
            messages.extend(one[3] for one in same)
        packed.append([int(kind), columns_of([one[1] for one in same]), len(same), *alike])
    return packed


def _alike(told: What) -> What:
    kind, _, *rest = told
    return (kind, rest[0]) if kind == Told.PUT else (kind, *rest)


def _unpack_told(plain: Any, values: Iterator[Any]) -> Iterator[What]:
    for number, columns, count, *rest in plain:
        kind = Told(number)
        if type(count) is not int or not 0 < count <= _MOST_TOLD:
            raise ValueError(f"{count} times the same")
        alike = [form(value) for form, value in zip(_FORMS[kind], rest, strict=True)]
        headers = headers_of(columns, count)
        if kind is Told.PUT:
            yield from (
                (kind, header, *alike, value) for header, value in zip(headers, _take(values, count), strict=True)
            )
        else:
            yield from ((kind, header, *alike) for header in headers)


def _pack_answer(what: Answer, messages: list[Message]) -> Any:
    told = _pack_told((one for _, told in what.visits for one in told), messages)
    return [[list(numbers) for numbers, _ in what.visits], [len(told) for _, told in what.visits], told]


def _unpack_answer(plain: Any, values: Iterator[Any]) -> Answer:
    numbers, counts, packed = plain
    told = _unpack_told(packed, values)
    visits = [(_numbers(own), list(islice(told, count))) for own, count in zip(numbers, counts, strict=True)]
    if sum(counts) != sum(len(own) for _, own in visits) or next(told, None) is not None:
        raise ValueError("more or less was told than is said")
    return Answer(visits)


def _unpack_news(plain: Any, values: Iterator[Any]) -> Tidings:
    number, told, path = plain
    (only,) = _unpack_told(told, values)
    return Tidings(_of(int, number), only, list(map(_text, path)))


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"got {type(value).__name__}, expected {kind.__name__}")
    return value


def _count_of(word: Any) -> str:
    if word not in COUNTED:
        raise ValueError(f"got {word!r}, expected one of {', '.join(sorted(COUNTED))}")
    return str(word)


_text, _number, _reason = partial(_of, str), partial(_of, int), lambda word: Reason(_of(str, word)).value
_FORMS: Final[Mapping[Told, Sequence[Callable[[Any], Any]]]] = {
    Told.PUT: (_text,),
    Told.COUNT: (_count_of, _number),
    Told.BURY: (_text, _text, _reason, _text, _number),
    Told.CLOSE: (_text, _text, _number, _number),
    Told.MOVED: (_number,),
}
"""What each must be that stands behind the headers."""


def _take(values: Iterator[Any], count: int) -> list[Any]:
    taken = list(islice(values, count))
    if len(taken) < count:
        raise ValueError(f"{len(taken)} values of {count}")
    return taken


def _numbers(plain: Iterable[Any]) -> list[int]:
    return [_of(int, number) for number in plain]


_SPLIT: Final[Mapping[Word, Callable[[Any], Iterator[Any]]]] = {Word.ITEMS: _split_parcels, Word.ANSWER: _split_answer}
_PACK: Final[Mapping[Word, Callable[[Any, list[Message]], Any]]] = {
    Word.HELLO: lambda what, _: list(what),
    Word.ITEMS: _pack_parcels,
    Word.NEWS: lambda what, messages: [what.number, _pack_told([what.told], messages), list(what.path)],
    Word.ANSWER: _pack_answer,
}
_UNPACK: Final[Mapping[Word, Callable[[Any, Iterator[Any]], Any]]] = {
    Word.HELLO: lambda plain, _: Hello(*map(_of, (str, bool), plain)),
    Word.ITEMS: _unpack_parcels,
    Word.NEWS: _unpack_news,
    Word.ANSWER: _unpack_answer,
    Word.HEARD: lambda plain, _: _numbers(plain),
    Word.ASKS: lambda plain, _: (_of(int, plain[0]), _numbers(plain[1])),
    Word.END: lambda plain, _: _of(str, plain),
}
