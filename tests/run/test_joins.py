"""Frame, markup and k profiles of one frame meet by themselves, whatever happens on the way."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import streampy as sp
from streampy.model.item import Batch

SOON = 20.0


@dataclass(frozen=True)
class Frame:
    camera: str
    number: int


@dataclass(frozen=True)
class Markup:
    camera: str
    number: int


@dataclass(frozen=True)
class Crop:
    camera: str
    number: int
    face: int


@dataclass(frozen=True)
class Profile:
    camera: str
    number: int
    face: int


class Found(sp.Outputs):
    markup: Markup
    crops: Iterator[Crop]


def camera(*, name: str, frames: int) -> Iterator[Frame]:
    for number in range(frames):
        yield Frame(name, number)


def faces_of(frame: Frame) -> int:
    """0, 1, 2, 3, 0, 1, ... so every fourth frame has no face."""
    return frame.number % 4


def detect(frame: Frame) -> Found:
    crops = (Crop(frame.camera, frame.number, face) for face in range(faces_of(frame)))
    return Found(markup=Markup(frame.camera, frame.number), crops=crops)


def identify(crop: Crop) -> Profile | None:
    return Profile(crop.camera, crop.number, crop.face)


Drawn = tuple[Frame, Markup, list[Profile] | None]


def draw(frame: Frame, markup: Markup, profiles: list[Profile] | None) -> Drawn:
    return frame, markup, profiles


def expected(name: str, frames: int) -> list[Drawn]:
    return [
        (
            Frame(name, n),
            Markup(name, n),
            [Profile(name, n, face) for face in range(n % 4)],
        )
        for n in range(frames)
    ]


def faces_process(way, *, cameras: int = 1, frames: int = 100, who=identify, draw=draw, join=None, **options):
    process = sp.Process("faces")
    names = [f"camera{number}" for number in range(cameras)]
    for name in names:
        way.add(process, name, camera, name=name, frames=frames)
    way.add(process, "detect", detect, from_=names, **options.get("detect", {}))
    way.add(process, "identify", who, from_="detect.crops", **options.get("identify", {}))
    links = {"frame": names, "markup": "detect.markup", "profiles": "identify"}
    process.add("draw", draw, from_=links, join=join)
    return process


def by_camera(drawn: list[Drawn]) -> dict[str, list[Drawn]]:
    sorted_in: dict[str, list[Drawn]] = {}
    for one in drawn:
        sorted_in.setdefault(one[0].camera, []).append(one)
    return sorted_in


def run_all(process: sp.Process) -> tuple[list[Drawn], sp.Running]:
    with sp.run(process) as running:
        drawn = list(running.stream("draw", timeout=SOON))
    assert running.stats().ledger.balanced
    assert running.stats().ledger.in_flight == 0
    return drawn, running


def test_a_frame_without_a_face_goes_out_with_no_profiles(way):
    drawn, _ = run_all(faces_process(way))
    assert drawn == expected("camera0", 100)
    assert drawn[0][2] == drawn[4][2] == []


def test_three_cameras_at_once_keep_their_items_apart_and_in_order(way):
    drawn, _ = run_all(faces_process(way, cameras=3, frames=200))
    assert by_camera(drawn) == {name: expected(name, 200) for name in ("camera0", "camera1", "camera2")}


def test_profiles_that_come_in_disorder_are_put_in_order(way_with_pipes):
    def hesitant(crop: Crop) -> Profile | None:
        sp.worker().sleep((crop.number * 7 + crop.face * 3) % 5 / 5000)
        return identify(crop)

    options = {"workers": 4, "ordered": False}
    drawn, _ = run_all(faces_process(way_with_pipes, who=hesitant, identify=options))
    assert drawn == expected("camera0", 100)


def test_several_workers_that_find_faces_out_of_order_do_not_mix_frames(way_with_pipes):
    options = {"workers": 3, "ordered": False}
    drawn, _ = run_all(faces_process(way_with_pipes, cameras=2, detect=options, identify=options))
    assert {name: sorted(of, key=lambda one: one[0].number) for name, of in by_camera(drawn).items()} == {
        name: expected(name, 100) for name in ("camera0", "camera1")
    }


def test_a_frame_whose_profiles_are_late_goes_out_bare_and_they_are_counted_as_expired(way_with_pipes):
    is_drawn = threading.Event()

    def too_late(crop: Crop) -> Profile | None:
        assert is_drawn.wait(SOON)
        return identify(crop)

    drawn = []
    process = faces_process(way_with_pipes, frames=2, who=too_late, join={"wait": 0.02})
    with sp.run(process) as running:
        for one in running.stream("draw", timeout=SOON):
            drawn.append(one)
            if len(drawn) == 2:
                is_drawn.set()
    assert drawn == [
        (Frame("camera0", 0), Markup("camera0", 0), []),
        (Frame("camera0", 1), Markup("camera0", 1), None),
    ]
    assert running.stats().ledger.expired == 1
    assert running.stats().ledger.balanced


def test_a_late_frame_is_dropped_where_the_join_says_so(way_with_pipes):
    is_over = threading.Event()

    def too_late(crop: Crop) -> Profile | None:
        assert is_over.wait(SOON)
        return identify(crop)

    process = faces_process(way_with_pipes, frames=5, who=too_late, join={"wait": 0.02, "late": "drop"})
    drawn = []
    with sp.run(process) as running:
        for one in running.stream("draw", timeout=SOON):
            drawn.append(one[0].number)
            if drawn == [0, 4]:
                is_over.set()
    assert drawn == [0, 4]
    assert running.stats().ledger.balanced


def test_a_late_frame_is_an_error_where_the_join_says_so(way_with_pipes):
    def never(crop: Crop) -> Profile | None:
        sp.worker().sleep(SOON)
        return None

    process = faces_process(way_with_pipes, frames=5, who=never, join={"wait": 0.02, "late": "error"})
    with pytest.raises(sp.UnitFailed, match="not complete in time") as failed, sp.run(process) as running:
        list(running.stream("draw", timeout=SOON))
    assert failed.value.unit == "draw"


def test_profiles_that_never_come_because_they_were_filtered_do_not_hold_the_frame(way):
    def only_first(crop: Crop) -> Profile | None:
        return identify(crop) if crop.face == 0 else None

    drawn, running = run_all(faces_process(way, who=only_first))
    assert [len(profiles) for _, _, profiles in drawn] == [min(1, n % 4) for n in range(100)]
    assert running.stats().ledger.filtered == 25 + 2 * 25


def test_profiles_that_never_come_because_the_unit_failed_do_not_hold_the_frame(way):
    def fails_on_second(crop: Crop) -> Profile | None:
        if crop.face == 1:
            raise ValueError("no model for this face")
        return identify(crop)

    drawn, running = run_all(faces_process(way, who=fails_on_second, identify={"on_error": "skip"}))
    assert [[one.face for one in profiles] for _, _, profiles in drawn[:4]] == [[], [0], [0], [0, 2]]
    assert running.stats().ledger.failed == 50


def test_frames_that_never_reach_the_detector_because_of_an_overflow_are_told_at_once(way_with_pipes):
    """The markup is needed, so a frame that was dropped at the detector ends as dropped too; nothing waits."""
    has_first, may_go_on = threading.Event(), threading.Event()

    def source() -> Iterator[Frame]:
        yield Frame("camera", 0)
        assert has_first.wait(SOON)
        for number in range(1, 20):
            yield Frame("camera", number)
        may_go_on.set()

    def slow_detect(frame: Frame) -> Found:
        has_first.set()
        assert may_go_on.wait(SOON)
        return detect(frame)

    process = sp.Process("faces").add("camera", source)
    process.add("detect", slow_detect, from_="camera", pipe={"capacity": 2, "overflow": "drop_oldest"})
    process.add("identify", identify, from_="detect.crops")
    process.add("draw", draw, from_={"frame": "camera", "markup": "detect.markup", "profiles": "identify"})
    drawn, running = run_all(process)
    assert [frame.number for frame, _, _ in drawn] == [0, 18, 19]
    assert running.stats().pipes["detect.frame"].dropped == 17
    assert running.stats().ledger.dropped == 34


def test_a_frame_goes_out_bare_where_everything_but_the_frame_may_be_missing(way):
    def sometimes(frame: Frame) -> Markup | None:
        return Markup(frame.camera, frame.number) if frame.number % 2 else None

    def annotate(frame: Frame, markup: Markup | None) -> bool:
        return markup is not None

    process = sp.Process("bare")
    way.add(process, "camera", camera, name="x", frames=6)
    way.add(process, "detect", sometimes, from_="camera")
    process.add("draw", annotate, from_={"frame": "camera", "markup": "detect"})
    with sp.run(process) as running:
        assert list(running.stream("draw", timeout=SOON)) == [False, True] * 3


def test_a_doubled_profile_is_counted_and_ignored():
    """As it would come again after a link was cut: the same part twice, at once and after its frame has gone."""

    def profiles(frame: Frame) -> Iterator[Profile]:
        for face in range(2):
            yield Profile(frame.camera, frame.number, face)

    is_doubled = threading.Event()

    def held(frame: Frame) -> Frame:
        assert is_doubled.wait(SOON)
        return frame

    def both(frame: Frame, profiles: list[Profile]) -> int:
        return len(profiles)

    process = sp.Process("doubled").add("open", same_frame).add("held", held, from_="open", pipe={"capacity": 2})
    process.add("profiles", profiles, from_="open")
    process.add("both", both, from_={"frame": "held", "profiles": "profiles"})
    with sp.run(process) as running:
        running.push("open", Frame("x", 0))
        inlet = running._segment.inlets["both"]
        again = Batch([Profile("x", 0, 1)], [sp.Header("open", 0, 0.0, (1,))])
        while not inlet.joiner.high_water:  # until the first parts are there
            sp.worker().sleep(0.001)
        inlet.put("profiles", again)
        is_doubled.set()
        assert next(running.stream("both", timeout=SOON)) == 2
        inlet.put("profiles", again)
        running.drain(SOON)
    assert running.stats().units["both"].received == 1
    assert running.stats().ledger.dropped + running.stats().ledger.expired == 2


def same_frame(frame: Frame) -> Frame:
    return frame


def test_the_newest_value_known_is_given_without_waiting_for_it():
    def settings() -> Iterator[str]:
        yield "dark"
        yield "light"

    def apply(frame: Frame, theme: sp.Latest[str]) -> str | None:
        return theme

    has_theme = threading.Event()

    def camera_after() -> Iterator[Frame]:
        assert has_theme.wait(SOON)
        yield Frame("x", 0)

    process = sp.Process("latest").add("theme", settings).add("camera", camera_after)
    process.add("apply", apply, from_={"frame": "camera", "theme": "theme"})
    with sp.run(process) as running:
        while running.stats().pipes["apply.theme"].delivered < 2:
            sp.worker().sleep(0.001)
        has_theme.set()
        assert list(running.stream("apply", timeout=SOON)) == ["light"]
    assert running.stats().ledger.balanced


def test_streams_without_a_common_ancestor_are_joined_by_number():
    def pair(left: int, right: str) -> tuple[int, str]:
        return left, right

    def ints() -> Iterator[int]:
        yield from range(10)

    def texts() -> Iterator[str]:
        yield from map(str, range(10))

    process = sp.Process("zip").add("left", ints).add("right", texts)
    process.add("pair", pair, from_={"left": "left", "right": "right"}, join={"key": "seq"})
    with sp.run(process) as running:
        assert list(running.stream("pair", timeout=SOON)) == [(n, str(n)) for n in range(10)]
    assert running.stats().ledger.balanced


def test_streams_are_joined_by_a_field():
    def pair(frame: Frame, markup: Markup) -> int:
        assert frame.number == markup.number
        return frame.number

    def markups() -> Iterator[Markup]:
        for number in (3, 0, 2, 1):
            yield Markup("y", number)

    process = sp.Process("field").add("frames", camera, name="x", frames=4).add("markups", markups)
    process.add("pair", pair, from_={"frame": "frames", "markup": "markups"}, join={"key": "number"})
    with sp.run(process) as running:
        assert sorted(running.stream("pair", timeout=SOON)) == [0, 1, 2, 3]
    assert running.stats().ledger.balanced


def test_a_join_has_room_for_what_a_quick_worker_took_at_once_and_now_holds():
    """What is in its hands and what waits behind it is ahead at the other input, and none of it may be put out."""

    def double(number: int) -> int:
        while number in range(1, 20, 2) and running.stats().pipes["double.number"].depth < 64:
            sp.worker().sleep(0.001)  # now and then it is slow, so that all wait for it that can
        return 2 * number

    def left_only(left: int, right: int) -> int:
        return left

    def numbers() -> Iterator[int]:
        yield from range(200)

    process = sp.Process("ahead").add("numbers", numbers).add("double", double, from_="numbers")
    process.add("left", left_only, from_={"left": "numbers", "right": "double"}, workers=3, pipe={"capacity": 1})
    with sp.run(process) as running:
        assert list(range(200)) == list(running.stream("left", timeout=SOON))


@pytest.mark.parametrize("frames", [25_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_the_table_stays_flat_over_very_many_frames(frames):
    """Each with markup and up to three profiles, a tenth of them failing; measured after the first tenth."""
    memory: list[int] = []

    def fails_at_times(crop: Crop) -> Profile | None:
        if crop.number % 10 == 1:
            raise ValueError
        return identify(crop)

    def count(frame: Frame, markup: Markup, profiles: list[Profile] | None) -> None:
        if frame.number in (frames // 10, frames - 1):
            memory.append(resident())

    process = faces_process_into(count, frames, fails_at_times)
    with sp.run(process) as running:
        running.wait(100)
        joiner = running._segment.inlets["draw"].joiner
    assert running.stats().units["draw"].received == frames
    assert running.stats().ledger.balanced
    assert len(joiner) == 0
    assert joiner.high_water <= joiner.capacity
    assert memory[1] - memory[0] < 80 * frames  # bytes: less than any object for each frame


def resident() -> int:
    """Bytes of memory that this OS process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def faces_process_into(sink, frames, who):
    process = sp.Process("faces").add("camera", camera, name="camera", frames=frames)
    process.add("detect", detect, from_="camera")
    process.add("identify", who, from_="detect.crops", on_error="skip")
    return process.add("draw", sink, from_={"frame": "camera", "markup": "detect.markup", "profiles": "identify"})


def test_gathered_parts_leave_in_order_also_where_several_workers_make_them(way_with_pipes):
    """A frame without parts is done at once; it must not overtake an earlier one that takes its time."""

    def faces(frame: Frame) -> Iterator[str]:
        if frame.number % 2 == 0:
            sp.worker().sleep(0.005)
            yield f"f{frame.number}"

    def collect(names: list[str]) -> list[str]:
        return names

    process = sp.Process("order")
    way_with_pipes.add(process, "camera", camera, name="x", frames=20)
    way_with_pipes.add(process, "faces", faces, from_="camera", workers=2)
    process.add("collect", collect, from_="faces")
    with sp.run(process) as running:
        found = list(running.stream("collect", timeout=SOON))
    assert found == [[f"f{n}"] if n % 2 == 0 else [] for n in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("on_crash", ["stop", "restart"])
def test_news_of_what_ended_on_the_way_into_an_async_unit_comes_to_the_joins_behind_it(workers, on_crash):
    """Also while the stream goes on: at its end all sets go on anyway."""

    def odd(number: int) -> int | None:
        return number if number % 2 else None

    async def both(left: int, right: int) -> int:
        return left + right

    def outer(number: int, total: int | None) -> tuple[int, int | None]:
        return number, total

    process = sp.Process("news").add("enter", same_number).add("odd", odd, from_="enter")
    process.add("both", both, from_={"left": "enter", "right": "odd"}, workers=workers, on_crash=on_crash)
    process.add("outer", outer, from_={"number": "enter", "total": "both"})
    with sp.run(process) as running:
        results = running.stream("outer", timeout=SOON)
        for number in range(20):
            running.push("enter", number)
            assert next(results) == (number, 2 * number if number % 2 else None)


def same_number(number: int) -> int:
    return number
