"""What `run --profile` found, as text: where the time went, and the scaling curve. Knows nothing of how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from streampy.cli.bench_text import write_conclusion
from streampy.cli.summary import _columns, hold
from streampy.model.measure import format_duration
from streampy.run.bottleneck import per_second

if TYPE_CHECKING:
    from streampy.cli.benched import Measured
    from streampy.cli.profiled import Seen

_UNITS: Final = ["unit", "items/s", "work", "busy", "worked p50", "p99", "gil", "cpu", "where"]
_PLACES: Final = ["OS process", "cpu", "arena", "units"]
_CURVE: Final = ["workers", "items/s", "gain", "cores busy", ""]
_WIDTH: Final = 30
_KILO: Final = 1000


def write_profile(measured: Measured, seen: Seen) -> str:
    """The conclusion, the units, the OS processes."""
    lines = [*write_conclusion([measured], measured), ""]
    lines += [*_columns([_UNITS, *_units(measured, seen)]), "", *_columns([_PLACES, *_places(measured, seen)])]
    return "".join(f"{line}\n" for line in lines)


def write_curve(unit: str, curve: Sequence[tuple[int, Measured]]) -> str:
    """What came out at all ends together, for each number of workers."""
    first, most = curve[0][1].rate, max(one.rate for _, one in curve)
    place = curve[0][1].plan.units[unit].spec.place
    rows = [
        [
            str(count),
            per_second(one.rate),
            f"x{one.rate / first:.2f}" if first else "",
            f"{one.cores:.2f}",
            "█" * round(_WIDTH * one.rate / most) if most else "",
        ]
        for count, one in curve
    ]
    widths = [max(len(row[column]) for row in [_CURVE, *rows]) for column in range(4)]
    lines = [f"scaling of {unit}, place {place}"]
    lines += ["  " + "  ".join([*map(str.rjust, row, widths), row[4]]).rstrip() for row in [_CURVE, *rows]]
    return "\n" + "".join(f"{line}\n" for line in lines)


def cpu_of_units(measured: Measured, seen: Seen) -> Mapping[str, float]:
    """CPU seconds of each unit: of its threads or OS processes, which units that share them have by their busy time."""
    plan, found = measured.plan, dict.fromkeys(measured.plan.units, 0.0)
    shared: dict[tuple[str, ...], float] = {}
    for chain in plan.chains:
        spec = plan.units[chain[0]].spec
        if not spec.is_away and not plan.units[chain[0]].ports.is_async:
            names = {spec.name, *(f"{spec.name}#{index}" for index in range(spec.workers))}
            shared[chain] = sum(time for name, time in seen.threads.items() if name in names)
    for place in plan.places:
        if not place.is_main and place.name in seen.places:
            shared[place.units] = shared.get(place.units, 0.0) + seen.places[place.name].cpu
    loops = [name for name, unit in plan.units.items() if unit.ports.is_async and not unit.spec.is_away]
    if loops:
        shared[tuple(loops)] = sum(time for name, time in seen.threads.items() if name == f"{plan.name} loop")
    for units, time in shared.items():
        busy = {unit: measured.after.units[unit].busy for unit in units}
        whole = sum(busy.values())
        for unit in units:
            found[unit] += time * (busy[unit] / whole if whole else 1 / len(units))
    return found


def _units(measured: Measured, seen: Seen) -> list[list[str]]:
    cpu = cpu_of_units(measured, seen)
    rows = []
    for name, share in measured.shares.items():
        unit, told = measured.plan.units[name], measured.after.units[name]
        workers = f" x{told.workers}" if told.workers > 1 else ""
        rows.append(
            [
                f"{name}{workers}",
                per_second(share.items),
                format_duration(told.busy),
                f"{share.busy:.0%}",
                format_duration(told.work.p50),
                format_duration(told.work.p99),
                hold(unit, share.gil),
                format_duration(cpu[name]),
                unit.spec.place if unit.not_fused else "fused",
            ]
        )
    return rows


def _places(measured: Measured, seen: Seen) -> list[list[str]]:
    units = {place.name: place.units for place in measured.plan.places}
    return [
        [name, format_duration(used.cpu), _bytes(used.arena), ", ".join(units.get(name, ()))]
        for name, used in seen.places.items()
    ]


def _bytes(size: int) -> str:
    """`0`, `17 kB`, `6.2 MB`."""
    if size < _KILO:
        return str(size)
    value, name = float(size), "B"
    for unit in ("kB", "MB", "GB"):
        value, name = value / _KILO, unit
        if value < _KILO:
            break
    return f"{value:.3g} {name}" if value < _KILO else f"{value:.0f} {name}"
