"""From the keys `segments` and `links` to what a process says of them, as far as it can be read.

Knows nothing of the units that the segments name, nor whether a link leads from one of these segments to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streampy.model.config.document import Document, KeyPath
from streampy.model.config.keys import ABSENT, LinkKeys, SegmentKeys, TlsKeys
from streampy.model.pipe import Crashed
from streampy.model.segments import LinkSpec, SegmentSpec, Tls, read_link

_NAMED = 2
"""The length of the key path of a segment, or of a link."""


def spell_out_segments(document: Document) -> None:
    """`edge: [camera]` is short for `edge: {units: [camera]}`."""
    for name, said in _below(document.value, "segments").items():
        if isinstance(said, list | tuple | str):
            document.spell_out(("segments", name), "units")


def read_segments(document: Document, value: Mapping[str, Any]) -> list[SegmentSpec]:
    """The segments; one that is wrong as a whole stays known by its name, so that nothing follows from its absence."""
    segments = [_segment(document, name, said) for name, said in _below(value, "segments").items()]
    lost = [path[1] for path in document.told if path[:1] == ("segments",) and len(path) == _NAMED]
    return segments + [_segment(document, str(name), {}) for name in lost]


def _segment(document: Document, name: str, said: Mapping[str, Any]) -> SegmentSpec:
    keys = SegmentKeys.model_validate({"units": ABSENT, **_whole(document, ("segments", name), said)})
    return SegmentSpec(
        name,
        tuple(unit for unit in keys.units if unit != ABSENT),
        keys.replicas,
        keys.listen,
        _tls(keys.tls),
        keys.token,
        Crashed(keys.on_crash),
        document,
        _told(document, ("segments", name)),
    )


def read_links(document: Document, value: Mapping[str, Any]) -> list[LinkSpec]:
    """The links between segments; without those of which nobody knows what they join, which was told."""
    if ("segments",) in document.told:
        return []
    return [_link(document, written, said) for written, said in _below(value, "links").items()]


def _link(document: Document, written: str, said: Any) -> LinkSpec:
    keys = LinkKeys.model_validate(_whole(document, ("links", written), said or {}))
    return LinkSpec(
        *read_link(written),
        keys.dial,
        _tls(keys.tls),
        keys.token,
        keys.window,
        keys.ack,
        keys.deadline,
        keys.via,
        document,
        _told(document, ("links", written)),
        written,
    )


def _below(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _whole(document: Document, path: KeyPath, said: Mapping[str, Any]) -> dict[str, Any]:
    """Without the files for TLS where something is wrong with one: each is of use with the others."""
    tls = (*path, "tls")
    is_told = any(told[: len(tls)] == tls for told in document.told)
    return {key: one for key, one in said.items() if key != "tls" or not is_told}


def _tls(keys: TlsKeys | None) -> Tls | None:
    return Tls(**keys.model_dump()) if keys is not None else None


def _told(document: Document, path: KeyPath) -> frozenset[KeyPath]:
    """What is wrong below the path, or at it."""
    return frozenset(one[len(path) :] for one in document.told if one[: len(path)] == path)
