"""Things that move keep their numbers: past each other, out of sight, over dropped pictures, and with noise."""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streampy as sp
from streampy.units.boxes import Found
from streampy.units.images import DrawBoxes
from streampy.units.tracking import Track, TrackBoxes
from streampy.units.video import Box

feed = sp.testing.feed
Boxes = list[tuple[float, float, float, float]]
fraction = st.floats(0, 1)
box = st.tuples(fraction, fraction, fraction, fraction).map(
    lambda four: (min(four[0], four[2]), min(four[1], four[3]), max(four[0], four[2]), max(four[1], four[3]))
)


def at(x: float, y: float = 0.5, size: float = 0.1) -> tuple[float, float, float, float]:
    return (x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def numbers(pictures: list[Any], **settings: Any) -> list[list[int]]:
    return [[track.number for track in tracks] for tracks in feed(TrackBoxes, settings=settings, boxes=pictures)]


def test_thing_that_moves_keeps_its_number_and_another_gets_another() -> None:
    pictures = [[at(0.1 + step / 50), at(0.9 - step / 50, 0.2)] for step in range(10)]

    assert [[1, 2]] * 10 == numbers(pictures)


def test_tracks_stand_in_the_order_of_the_boxes_whatever_it_is() -> None:
    assert [[1, 2], [2, 1]] == numbers([[at(0.1), at(0.9)], [at(0.9), at(0.1)]])


def test_things_that_pass_each_other_keep_their_numbers() -> None:
    pictures = [[at(0.2 + step / 40), at(0.8 - step / 40, 0.52)] for step in range(25)]

    assert [[1, 2]] * 25 == numbers(pictures)


def test_thing_that_is_not_seen_for_a_while_is_found_where_it_should_be_by_now() -> None:
    seen = [[at(0.1 + step / 20)] for step in range(5)]
    again = [[at(0.1 + step / 20)] for step in range(9, 15)]

    assert [[1]] * 5 + [[]] * 4 + [[1]] * 6 == numbers([*seen, *[[]] * 4, *again])


def test_thing_that_is_away_for_too_long_is_a_new_one() -> None:
    still = [at(0.5)]

    assert [[1], [], [], [1]] == numbers([still, [], [], still], keep=2)
    assert [[1], [], [], [2]] == numbers([still, [], [], still], keep=1)


def test_of_two_candidates_the_one_that_overlaps_most_is_the_same_thing() -> None:
    assert [[1], [2, 1]] == numbers([[at(0.5)], [at(0.53), at(0.51)]])


def test_what_overlaps_too_little_is_a_new_thing() -> None:
    assert [[1], [1]] == numbers([[at(0.5)], [at(0.53)]], overlap=0.5)  # 7 in 13 parts
    assert [[1], [2]] == numbers([[at(0.5)], [at(0.54)]], overlap=0.5)  # 6 in 14


def test_things_of_different_kinds_are_never_the_same() -> None:
    pictures = [[Found(Box(*at(0.5)), label)] for label in ("cat", "dog", "cat")]
    tracks = feed(TrackBoxes, boxes=pictures)

    assert ["cat #1", "dog #2", "cat #1"] == [track.name for (track,) in tracks]
    assert [found for (found,) in pictures] == [track.found for (track,) in tracks]


def test_what_was_seen_once_is_given_only_when_that_is_enough() -> None:
    pictures = [[at(0.5)], [at(0.5), at(0.1)], [at(0.5)], [at(0.5)]]

    assert [[], [], [1], [1]] == numbers(pictures, confirm=3)


@given(st.lists(st.lists(box, max_size=6), max_size=6))
def test_each_box_has_a_number_of_its_own_and_new_numbers_go_up(pictures: list[Boxes]) -> None:
    given = feed(TrackBoxes, boxes=pictures)

    assert [len(boxes) for boxes in pictures] == [len(tracks) for tracks in given]
    assert all(len(tracks) == len({track.number for track in tracks}) for tracks in given)
    times: dict[int, int] = defaultdict(int)
    for tracks in given:
        for track in tracks:
            times[track.number] += 1
            assert times[track.number] == track.seen
    assert set(range(1, len(times) + 1)) == set(times)


def test_most_things_keep_their_numbers_with_noise_misses_and_crossings() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    size = 0.08
    state = [[chance.random(), chance.random(), chance.gauss(0, 0.006), chance.gauss(0, 0.006)] for _ in range(8)]
    pictures, truth = [], []
    for _ in range(300):
        for one in state:
            for axis in (0, 1):
                one[axis] += one[axis + 2]
                if not 0 < one[axis] < 1:
                    one[axis + 2] *= -1
        seen = [number for number in range(8) if chance.random() > 0.1]
        noisy = [
            (state[number][0] + chance.gauss(0, 0.003), state[number][1] + chance.gauss(0, 0.003)) for number in seen
        ]
        pictures.append([at(x, y, size) for x, y in noisy])
        truth.append(seen)
    given = numbers(pictures)

    switches, last = 0, {}
    for seen, got in zip(truth, given, strict=True):
        for thing, track in zip(seen, got, strict=True):
            switches += last.get(thing, track) != track
            last[thing] = track
    assert switches <= 0.01 * sum(map(len, truth))


class Camera(sp.Unit):
    """Gives pictures in which a thing moves to the right, or to the left."""

    def __init__(self, *, speed: float) -> None:
        self.speed = speed

    def work(self) -> Iterator[Boxes]:
        for step in range(20):
            yield [at(0.5 + self.speed * step)]


def some(boxes: sp.Item[Boxes]) -> Boxes | None:
    return boxes.value if boxes.seq in (0, 1, 2, 8, 9, 17) else None


def test_streams_are_followed_each_for_itself() -> None:
    process = sp.Process("two").add("left", Camera, speed=-0.02).add("right", Camera, speed=0.02)
    process.add("track", TrackBoxes, from_=["left", "right"])
    with sp.run(process) as running:
        tracks = list(running.stream("track"))

    assert 40 == len(tracks)
    assert {1} == {track.number for (track,) in tracks}
    assert [20, 20] == sorted(track.seen for (track,) in tracks)[-2:]


def test_pictures_that_were_dropped_count_as_time() -> None:
    process = sp.Process("few").add("camera", Camera, speed=0.02).add("some", some, from_="camera")
    process.add("track", TrackBoxes, from_="some")
    with sp.run(process) as running:
        found = [track for (track,) in running.stream("track")]

    assert [1] * 6 == [track.number for track in found]


def test_picture_gets_the_numbers_of_its_boxes_drawn_on_it() -> None:
    def pictures() -> Iterator[Any]:
        for _ in range(3):
            yield np.zeros((50, 50, 3), np.uint8)

    def find(picture: Any) -> list[Found]:
        return [Found(Box(*at(0.5)))]

    process = sp.Process("drawn").add("pictures", pictures).add("find", find, from_="pictures")
    process.add("track", TrackBoxes, from_="find")
    process.add("draw", DrawBoxes, from_={"picture": "pictures", "boxes": "track"})
    with sp.run(process) as running:
        assert [True] * 3 == [bool(picture.any()) for picture in running.stream("draw")]


def test_several_workers_are_refused() -> None:
    process = sp.Process("two").add("camera", Camera, speed=0.0).add("track", TrackBoxes, from_="camera", workers=2)
    with pytest.raises((sp.UnitFailed, ExceptionGroup)) as told:
        sp.run(process)
    assert "2 workers would number apart: set `workers: 1`" in repr(told.value) + repr(
        getattr(told.value, "exceptions", "")
    )


@pytest.mark.parametrize("settings", [{"overlap": 0}, {"overlap": 1.1}, {"keep": -1}, {"confirm": 0}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected above 0 to 1, at least 0, at least 1"):
        TrackBoxes(**settings)


def test_track_without_a_label_is_called_by_its_number() -> None:
    assert "#3" == Track(3, Box(0, 0, 1, 1), Box(0, 0, 1, 1), 1).name
