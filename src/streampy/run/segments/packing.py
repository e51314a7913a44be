"""What two segments say as it travels: plain lists, and the values of items each encoded by itself.

Knows nothing of sockets. A value is encoded once, when it is sent or given back, however often it is sent again; so a
unit whose result can't go over a network hears it at once, with the place in the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, final

from streampy.model.item import Reason
from streampy.pipes.net.codec import Message, WireCodec
from streampy.pipes.net.errors import ProtocolError
from streampy.pipes.net.frames import Buffer
from streampy.pipes.net.headers import columns_of, headers_of
from streampy.run.segments.wire import COUNTED, Answer, Hello, Parcels, Tidings, Told, What, Word


class Packed(NamedTuple):
    """What is said, as a frame carries it."""

    word: Word
    parts: Sequence[Buffer]


@final
class Packing:
    """Packs and unpacks; for any thread."""

    def __init__(self, codec: WireCodec) -> None:
        self._codec = codec

    def pack_value(self, value: Any, name: str) -> Message:
        """A value of an item, which `name` tells. Raises TypeError where a part of it has no safe form; says which."""
        return self._codec.encode(value, f"{name}: value")

    def pack(self, word: Word, what: Any) -> Packed:
        """What is said, with values that were packed before."""
        messages: list[Message] = []
        plain = _PACK[word](what, messages) if word in _PACK else what
        head, buffers = self._codec.encode([plain, [[one.head, len(one.buffers)] for one in messages]])
        return Packed(word, [head, *buffers, *(buffer for one in messages for buffer in one.buffers)])

    def unpack(self, word: Word, parts: Sequence[Buffer]) -> Any:
        """What was said. Raises ProtocolError, whatever came."""
        try:
            plain, messages = self._codec.decode(parts[0], parts[1:])
            values = self._values(messages, iter(parts[1:]))
            return _UNPACK[word](plain, values) if word in _UNPACK else plain
        except ProtocolError:
            raise
        except Exception as error:  # whatever it is that came
            raise ProtocolError("a message", f"none ({type(error).__name__}: {error})", f"{word.name}") from error

    def _values(self, messages: Any, buffers: Iterator[Buffer]) -> Iterator[Any]:
        for head, count in messages:
            yield self._codec.decode(head, list(islice(buffers, count)))


def _pack_parcels(what: Parcels, messages: list[Message]) -> Any:
    messages.extend(what.values)
    return [what.link, list(what.numbers), columns_of(what.headers), len(what.headers), list(what.path)]


def _unpack_parcels(plain: Any, values: Iterator[Any]) -> Parcels:
    link, numbers, columns, count, path = plain
    headers = headers_of(columns, count)
    if numbers and len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers of {count} items")
    return Parcels(str(link), [int(number) for number in numbers], headers, _take(values, count), list(map(str, path)))


def _pack_told(told: What, messages: list[Message]) -> list[Any]:
    if told[0] == Told.PUT:
        _, link, headers, values = told
        messages.extend(values)
        return [int(Told.PUT), link, columns_of(headers), len(headers)]
    kind, header, *rest = told
    return [int(kind), columns_of([header]), *rest]


def _unpack_told(plain: Any, values: Iterator[Any]) -> What:
    kind, *rest = plain
    if kind == Told.PUT:
        link, columns, count = rest
        return Told.PUT, str(link), headers_of(columns, count), _take(values, count)
    columns, *rest = rest
    (header,) = headers_of(columns, 1)
    forms = zip(_FORMS[Told(kind)], rest, strict=True)
    return Told(kind), header, *(form(value) for form, value in forms)


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
    Told.COUNT: (_count_of, _number),
    Told.BURY: (_text, _text, _reason, _text, _number),
    Told.CLOSE: (_text, _text, _number, _number),
    Told.MOVED: (_number,),
}
"""What each must be that stands behind the header."""


def _take(values: Iterator[Any], count: int) -> list[Any]:
    taken = list(islice(values, count))
    if len(taken) < count:
        raise ValueError(f"{len(taken)} values of {count}")
    return taken


def _numbers(plain: Iterable[Any]) -> list[int]:
    return [_of(int, number) for number in plain]


_PACK: Final[Mapping[Word, Callable[[Any, list[Message]], Any]]] = {
    Word.HELLO: lambda what, _: list(what),
    Word.ITEMS: _pack_parcels,
    Word.NEWS: lambda what, messages: [what.number, _pack_told(what.told, messages), list(what.path)],
    Word.ANSWER: lambda what, messages: [list(what.numbers), [_pack_told(one, messages) for one in what.told]],
}
_UNPACK: Final[Mapping[Word, Callable[[Any, Iterator[Any]], Any]]] = {
    Word.HELLO: lambda plain, _: Hello(*map(_of, (str, bool), plain)),
    Word.ITEMS: _unpack_parcels,
    Word.NEWS: lambda plain, values: Tidings(
        _of(int, plain[0]), _unpack_told(plain[1], values), list(map(_text, plain[2]))
    ),
    Word.ANSWER: lambda plain, values: Answer(_numbers(plain[0]), [_unpack_told(one, values) for one in plain[1]]),
    Word.HEARD: lambda plain, _: _numbers(plain),
    Word.END: lambda plain, _: _of(str, plain),
}
