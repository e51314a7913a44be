"""A plan as an SVG drawing that stands on light and dark pages alike. Knows nothing of terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from streampy.cli.frames import ABOVE, BELOW, Box, depth_of, frames_of
from streampy.cli.words import kinds, pipe_in_short, place_in_short, wire_in_words
from streampy.model.layout import lay_out
from streampy.model.place import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streampy.cli.frames import Frame
    from streampy.model.layout import Layout
    from streampy.model.plan import Link, Plan, UnitPlan

_MARGIN, _COLUMN_GAP, _ROW_GAP, _FOOT = 16.0, 64.0, 22.0, 30.0
_HEAD, _PORT, _PAD = 42.0, 16.0, 12.0
_LINE = 18.0
"""How high a line of the legend is."""
_NAME_LETTER, _SMALL_LETTER = 8.1, 6.2
"""How wide a letter is, on the average of the fonts that a reader may have."""
_STYLE = """
  text { font-family: ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif; fill: #24292f }
  .name { font-size: 13.5px; font-weight: 600 }
  .small { font-size: 11px; fill: #6e7781 }
  .box { fill: #8c959f; fill-opacity: .10; stroke: #8c959f; stroke-width: 1.2 }
  .source { fill: #1a7f6b; stroke: #1a7f6b }
  .sink { fill: #bf6a1f; stroke: #bf6a1f }
  .join { fill: #7a5cc8; stroke: #7a5cc8 }
  .link { fill: none; stroke: #8c959f; stroke-width: 1.4 }
  .fused { stroke-width: 4.5; stroke-opacity: .55 }
  .back { stroke-dasharray: 5 4 }
  .port { fill: #8c959f }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9198a1 } }
"""

_FRAMES = "  .frame { fill: #8c959f; fill-opacity: .08; stroke: #8c959f; stroke-opacity: .5; stroke-dasharray: 3 3 }\n"
_SEGMENTS = """  .segment { fill-opacity: .03; stroke-opacity: .9; stroke-dasharray: none }
  .network { stroke: #b4457c; stroke-dasharray: 8 3 }
"""
_ROOMS = """  .room { fill: #3f7cc4; fill-opacity: .13; stroke: none }
  .shared { stroke: #3f7cc4 }
"""
_LOOKS = {
    Transport.FUSED: "link fused",
    Transport.THREAD: "link",
    Transport.SHARED: "link shared",
    Transport.NETWORK: "link network",
}
_ROOM = 6.0
"""How far the room of a unit that lives in another OS process reaches around it."""


def draw_svg(plan: Plan) -> str:
    """The drawing, a whole SVG document."""
    return _Drawing(plan).write()


def _port_y(box: Box, index: int, count: int) -> float:
    """Where a port stands: one alone in the middle of the head, several below it."""
    return box.y + _HEAD / 2 if count <= 1 else box.y + _HEAD + _PORT * (index + 0.5)


class _Drawing:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        depth = depth_of(plan)
        gap = _ROW_GAP + depth * (ABOVE + BELOW)
        self.layout = lay_out(plan, {name: _height(unit) for name, unit in plan.units.items()}, gap)
        self.frames = frames_of(plan, self.layout.layers)
        self.top = _MARGIN + depth * ABOVE
        self.low = self.top + self.layout.bottom + depth * BELOW
        self.columns = _columns(plan, self.layout, self.frames)
        self.boxes = {
            name: Box(x, self.layout.heights[name] - height / 2 + self.top, width, height)
            for (x, width), layer in zip(self.columns, self.layout.layers, strict=True)
            for name, height in ((name, _height(plan.units[name])) for name in layer)
        }
        self.has_rooms = len(plan.places) > 1
        self.back = [link for link in plan.links if link.feedback]
        self.wires = [f"network, {wire}: {wire_in_words(wire)}" for wire in plan.wires]
        told = max((len(wire) * _SMALL_LETTER + 28 + _MARGIN for wire in self.wires), default=0.0)
        self.width = max(sum(self.columns[-1]), told) + _MARGIN if self.columns else 0.0
        self.height = self.low + _MARGIN + _FOOT + 14.0 * len(self.back) + _LINE * len(self.wires)

    def write(self) -> str:
        body = [
            *(line for frame in self.frames for line in self._frame(frame)),
            *(self._room(name) for name, unit in self.plan.units.items() if unit.spec.is_away),
            *(self._link(link) for link in self.plan.links),
            *(line for name, unit in self.plan.units.items() for line in self._unit(name, unit)),
            *self._legend(),
        ]
        size = f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        title = f"<title>{escape(self.plan.name)}</title>"
        style = _STYLE + (_FRAMES if self.frames else "") + (_ROOMS if self.has_rooms else "")
        style += _SEGMENTS if self.plan.segments else ""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{title}\n<style>{style}</style>\n'
        return head + "".join(f"{line}\n" for line in body) + "</svg>\n"

    def _frame(self, frame: Frame) -> Iterator[str]:
        look = "frame segment" if frame.is_segment else "frame"
        yield from (f'<path class="{look}" d="{outline}"/>' for outline in frame.outlines(self.boxes))
        yield from (_text(x, y, label, "small") for x, y, label in frame.labels(self.boxes))

    def _room(self, name: str) -> str:
        box = self.boxes[name]
        place = f'x="{box.x - _ROOM:.1f}" y="{box.y - _ROOM:.1f}"'
        size = f'width="{box.width + 2 * _ROOM:.1f}" height="{box.height + 2 * _ROOM:.1f}"'
        return f'<rect class="room" {place} {size} rx="12"/>'

    def _unit(self, name: str, unit: UnitPlan) -> Iterator[str]:
        box = self.boxes[name]
        look = " ".join(["box", *kinds(unit)[:1]])
        place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        yield f'<rect class="{look}" {place} rx="8"/>'
        yield _text(box.x + _PAD, box.y + 18, _title(unit), "name")
        yield _text(box.x + _PAD, box.y + 33, _subtitle(unit), "small")
        for i, label in enumerate(_inputs(unit)):
            if len(unit.inputs) > 1:
                yield _text(box.x + _PAD, _port_y(box, i, len(unit.inputs)) + 3.5, label, "small")
            yield f'<circle class="port" cx="{box.x:.1f}" cy="{_port_y(box, i, len(unit.inputs)):.1f}" r="3"/>'
        for i, port in enumerate(unit.receivers):
            y, x = _port_y(box, i, len(unit.receivers)), box.x + box.width
            if len(unit.receivers) > 1:
                yield _text(x - _PAD, y + 3.5, port, "small", anchor="end")
            yield f'<circle class="port" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'

    def _ends(self, link: Link) -> tuple[tuple[float, float], tuple[float, float]]:
        sender, receiver = self.plan.units[link.sender], self.plan.units[link.receiver]
        left, right = self.boxes[link.sender], self.boxes[link.receiver]
        out = list(sender.receivers).index(link.output)
        into = list(receiver.inputs).index(link.input)
        start = left.x + left.width, _port_y(left, out, len(sender.receivers))
        return start, (right.x, _port_y(right, into, len(receiver.inputs)))

    def _link(self, link: Link) -> str:
        (x, y), (end_x, end_y) = self._ends(link)
        if link.feedback:
            return self._back(link, (x, y), (end_x, end_y))
        path = f"M{x:.1f},{y:.1f}"
        for layer, height in self.layout.bends[link]:
            left, width = self.columns[layer]
            path += f" {_curve(x, y, left, height + self.top)} H{left + width:.1f}"
            x, y = left + width, height + self.top
        return f'<path class="{_LOOKS[self.plan.transport(link)]}" d="{path} {_curve(x, y, end_x, end_y)}"/>'

    def _back(self, link: Link, start: tuple[float, float], end: tuple[float, float]) -> str:
        """Around everything, below."""
        (x, y), (end_x, end_y) = start, end
        low = self.low + 14.0 * (self.back.index(link) + 1)
        right, left = x + 36, end_x - 36
        down = f"C{right:.1f},{y:.1f} {right:.1f},{low:.1f} {x:.1f},{low:.1f}"
        up = f"C{left:.1f},{low:.1f} {left:.1f},{end_y:.1f} {end_x:.1f},{end_y:.1f}"
        return f'<path class="link back" d="M{x:.1f},{y:.1f} {down} H{end_x:.1f} {up}"/>'

    def _legend(self) -> Iterator[str]:
        links = [("link", "pipe")]
        if any(not unit.not_fused for unit in self.plan.units.values()):
            links.append((_LOOKS[Transport.FUSED], "fused: a direct call"))
        if any(self.plan.transport(link) is Transport.SHARED for link in self.plan.links):
            links.append((_LOOKS[Transport.SHARED], "to another OS process: shared memory"))
        if self.back:
            links.append(("link back", "closes a cycle"))
        x, y = _MARGIN, self.height - _MARGIN - _LINE * len(self.wires)
        for look, text in links:
            yield f'<path class="{look}" d="M{x:.1f},{y:.1f} h22"/>'
            yield _text(x + 28, y + 3.5, text, "small")
            x += 28 + len(text) * _SMALL_LETTER + 18
        for number, wire in enumerate(self.wires, 1):
            yield f'<path class="{_LOOKS[Transport.NETWORK]}" d="M{_MARGIN:.1f},{y + _LINE * number:.1f} h22"/>'
            yield _text(_MARGIN + 28, y + _LINE * number + 3.5, wire, "small")


def _columns(plan: Plan, layout: Layout, frames: Sequence[Frame]) -> list[tuple[float, float]]:
    """Where each layer begins, and how wide it is."""
    columns: list[tuple[float, float]] = []
    x = _MARGIN
    for number, layer in enumerate(layout.layers):
        labels = [len(frame.label) * _SMALL_LETTER for frame in frames if frame.first == number]
        width = max(*(_width(plan.units[name]) for name in layer), *labels, 0.0)
        columns.append((x, width))
        x += width + _COLUMN_GAP
    return columns


def _height(unit: UnitPlan) -> float:
    rows = max(len(side) if len(side) > 1 else 0 for side in (unit.inputs, unit.receivers))
    return _HEAD + (rows * _PORT + 6 if rows else 0)


def _width(unit: UnitPlan) -> float:
    names = [len(_title(unit)) * _NAME_LETTER, len(_subtitle(unit)) * _SMALL_LETTER]
    inputs = _inputs(unit) if len(unit.inputs) > 1 else []
    outputs = list(unit.receivers) if len(unit.receivers) > 1 else []
    ports = max(map(len, inputs), default=0) + max(map(len, outputs), default=0) + (2 if inputs and outputs else 0)
    return max(*names, ports * _SMALL_LETTER, 64.0) + 2 * _PAD


def _title(unit: UnitPlan) -> str:
    name = unit.name.rpartition("/")[2]  # its frame says of which process
    return f"{name} \N{MULTIPLICATION SIGN}{unit.spec.workers}" if unit.spec.workers > 1 else name


def _subtitle(unit: UnitPlan) -> str:
    """What it is, its pipe if that is no plain one, its place; several inputs have their pipes beside their names."""
    what = unit.spec.used_as.rpartition(":")[2]
    pipe = pipe_in_short(next(iter(unit.inputs.values())).pipe) if len(unit.inputs) == 1 else ""
    place = place_in_short(unit) if unit.spec.is_away else ""
    return " · ".join(part for part in (what, pipe, place) if part)


def _inputs(unit: UnitPlan) -> list[str]:
    shown = {name: pipe_in_short(entry.pipe) for name, entry in unit.inputs.items()}
    return [f"{name} · {pipe}" if pipe else name for name, pipe in shown.items()]


def _curve(x: float, y: float, end_x: float, end_y: float) -> str:
    middle = (x + end_x) / 2
    return f"C{middle:.1f},{y:.1f} {middle:.1f},{end_y:.1f} {end_x:.1f},{end_y:.1f}"


def _text(x: float, y: float, text: str, look: str, anchor: str = "start") -> str:
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}"{side}>{escape(text)}</text>'
