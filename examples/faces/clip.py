"""Two clips with a known truth: photographs of people moved over backgrounds that move too.

Everything follows from a seed, so each run makes the same pictures.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from examples.faces.people import PEOPLE, Person
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 10
CAMERAS = ("cam1", "cam2")

_SEED = 20_240_613
_PHOTO_FACE = 240  # pixels: height of the face in the shrunk photograph that is pasted


@dataclass(frozen=True, slots=True)
class _Cutout:
    """A person's photograph, shrunk, with a soft oval mask (0..1) around the head; `face` in its pixels."""

    image: Image
    mask: Floats
    face: Floats


@dataclass(frozen=True, slots=True)
class _Walk:
    """How a person moves in one clip: in the picture from `begin` to `end` (seconds), in a lane of its own."""

    person: Person
    begin: float
    end: float
    lane: tuple[float, float]
    height: tuple[float, float]
    phase: float


def make(cache: Path, folder: Path) -> None:
    """Write cam1.mp4, cam2.mp4 and truth.json into `folder`, from the photographs in `cache`."""
    folder.mkdir(parents=True, exist_ok=True)
    cutouts = {person.name: _cut_out(cache, person) for person in PEOPLE}
    truth = {camera: _make_clip(cache, folder, camera, number, cutouts) for number, camera in enumerate(CAMERAS)}
    # Last, so that a run that was broken off is not taken for a whole one.
    (folder / "truth.json").write_text(json.dumps({"fps": FPS, "cameras": truth}))


def _make_clip(
    cache: Path, folder: Path, camera: str, number: int, cutouts: dict[str, _Cutout]
) -> list[list[dict[str, Any]]]:
    """Write one clip; returns the truth of each frame."""
    chance = np.random.default_rng(_SEED + number)
    background = _Background(cache, chance)
    walks = _walks(number, chance)
    truth = []
    with av.open(str(folder / f"{camera}.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes on every machine
        for index in range(FPS * SECONDS):
            image = background.at(index / FPS)
            seen = [_paste(image, cutouts[walk.person.name], walk, index / FPS, number) for walk in walks]
            truth.append([one for one in seen if one])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_noisy(image, chance), format="bgr24")))
        container.mux(stream.encode(None))
    return truth


def _walks(number: int, chance: np.random.Generator) -> list[_Walk]:
    """All four people, in lanes beside each other so that nobody covers anybody, each in and out at another time."""
    lanes = len(PEOPLE)
    order = np.roll(np.arange(lanes), number * 2)
    walks = []
    for lane, who in enumerate(order):
        begin = 0.4 + 1.1 * lane
        walks.append(
            _Walk(
                person=PEOPLE[who],
                begin=begin,
                end=begin + 5.2,
                lane=(lane / lanes * WIDTH, (lane + 1) / lanes * WIDTH),
                height=(95.0, 95.0 + 20 * chance.random() + 35),
                phase=float(chance.uniform(0, 2 * math.pi)),
            )
        )
    return walks


def _paste(image: Image, cutout: _Cutout, walk: _Walk, time: float, number: int) -> dict[str, Any] | None:
    """Paste a person into the picture where the walk has them at that time; returns the truth, None when absent.

    The second camera sees people mirrored and in another light: never the very photograph that was enrolled.
    """
    if not walk.begin <= time < walk.end:
        return None
    part = (time - walk.begin) / (walk.end - walk.begin)
    swing = math.sin(2 * math.pi * 1.3 * part + walk.phase)
    face_height = walk.height[0] + (walk.height[1] - walk.height[0]) * (0.5 + 0.5 * swing)
    middle = (walk.lane[0] + walk.lane[1]) / 2 + 40 * math.sin(2 * math.pi * part + walk.phase)
    # In from below, along an arc, out to below again.
    height = HEIGHT * (1.15 - 0.72 * math.sin(math.pi * part) ** 0.6) + 20 * swing
    turn = math.radians(7 * math.sin(2 * math.pi * 0.9 * part + 2 * walk.phase))
    scale = face_height / _PHOTO_FACE
    mirror = -1.0 if number % 2 else 1.0
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    linear = np.asarray([[cosine * mirror, -sine], [sine * mirror, cosine]], np.float32)
    face_middle = (cutout.face[:2] + cutout.face[2:]) / 2
    shift = np.asarray([middle, height], np.float32) - linear @ face_middle
    move = np.concatenate([linear, shift[:, None]], axis=1)
    light = (1.0, 0.82)[number % 2] + 0.12 * swing
    _blend(image, cutout, move, light)
    return _truth(walk.person, cutout.face, move)


def _blend(image: Image, cutout: _Cutout, move: Floats, light: float) -> None:
    corners = np.asarray([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * cutout.image.shape[1::-1]
    placed = corners @ move[:, :2].T + move[:, 2]
    left, top = np.maximum(np.floor(placed.min(axis=0)), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(placed.max(axis=0)), (WIDTH, HEIGHT)).astype(int).tolist()
    if right <= left or bottom <= top:
        return
    local = move.copy()
    local[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    mask = cv2.warpAffine(cutout.mask, local, size)[..., None]
    pasted = cv2.warpAffine(cutout.image, local, size).astype(np.float32) * light
    below = image[top:bottom, left:right]
    below[:] = np.clip(below * (1 - mask) + pasted * mask, 0, 255).astype(np.uint8)


def _truth(person: Person, face: Floats, move: Floats) -> dict[str, Any]:
    """Name, box (fractions, around the turned face) and whether the whole face is in the picture."""
    corners = face[[[0, 1], [2, 1], [2, 3], [0, 3]]]
    # The upright box about the turned oval of the face: the half widths of an ellipse add as squares.
    middle = corners.mean(axis=0) @ move[:, :2].T + move[:, 2]
    half = np.sqrt((move[:, :2] ** 2) @ (((face[2:] - face[:2]) / 2) ** 2))
    box = np.concatenate([middle - half, middle + half]) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
    whole = bool((box >= 0).all() and (box <= 1).all())
    return {"name": person.name, "box": [round(float(edge), 5) for edge in box], "whole": whole}


def _cut_out(cache: Path, person: Person) -> _Cutout:
    photo = _photo(cache, person.photo)
    scale = _PHOTO_FACE / (person.face[3] - person.face[1])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=way), np.uint8)
    face = np.asarray(person.face, np.float32) * scale
    middle, size = (face[:2] + face[2:]) / 2, face[2:] - face[:2]
    rows, columns = np.mgrid[: small.shape[0], : small.shape[1]].astype(np.float32)
    out = np.hypot((columns - middle[0]) / (0.85 * size[0]), (rows - middle[1]) / (0.85 * size[1]))
    mask = np.clip((1.0 - out) / 0.12 + 0.5, 0, 1).astype(np.float32)
    reach = np.ceil(size * 0.95)
    low = np.maximum(middle - reach, 0).astype(int)
    high = np.minimum(middle + reach, small.shape[1::-1]).astype(int)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    return _Cutout(small[window], mask[window], face - np.tile(low, 2).astype(np.float32))


class _Background:
    """A collage that drifts by, with colored shapes that fly across it: edges and corners everywhere, no faces."""

    def __init__(self, cache: Path, chance: np.random.Generator) -> None:
        self.collage = _collage(cache, chance)
        self.drift = chance.uniform(0, 2 * math.pi, 2)
        self.shapes = [
            (
                chance.uniform(0, 1, 2),
                chance.uniform(-0.25, 0.25, 2),
                int(chance.integers(15, 70)),
                chance.integers(40, 230, 3),
            )
            for _ in range(24)
        ]

    def at(self, time: float) -> Image:
        """Give the picture behind the people; a fresh copy."""
        room = np.asarray(self.collage.shape[1::-1]) - (WIDTH, HEIGHT)
        x, y = (room * (0.5 + 0.5 * np.sin(self.drift + np.asarray([0.5, 0.7]) * time))).astype(int)
        image: Image = self.collage[y : y + HEIGHT, x : x + WIDTH].copy()
        for number, (start, speed, size, color) in enumerate(self.shapes):
            middle = (((start + speed * time) % 1.2 - 0.1) * (WIDTH, HEIGHT)).astype(int)
            if number % 2:
                cv2.circle(image, middle.tolist(), size, color.tolist(), cv2.FILLED, cv2.LINE_AA)
            else:
                cv2.rectangle(image, (middle - size).tolist(), (middle + size).tolist(), color.tolist(), 6)
        return image


def _photo(cache: Path, name: str) -> Image:
    photo = cv2.imread(str(cache / name), cv2.IMREAD_COLOR)
    if photo is None:
        raise FileNotFoundError(f"{cache / name} can't be read: delete it, and it is fetched again")
    return np.asarray(photo, np.uint8)


def _collage(cache: Path, chance: np.random.Generator) -> Image:
    """Tiles of three photographs without people, each turned, mirrored and tinted by chance."""
    photos = [_photo(cache, name) for name in ("coffee.png", "rocket.jpg", "chelsea.png")]
    rows = []
    for _ in range(3):
        row = []
        for _ in range(4):
            photo = photos[int(chance.integers(len(photos)))]
            tile = cv2.resize(photo[:: (1, -1)[int(chance.integers(2))]], (480, 320), interpolation=cv2.INTER_AREA)
            row.append(np.clip(tile * chance.uniform(0.5, 1.1, 3), 0, 255).astype(np.uint8))
        rows.append(np.hstack(row))
    return np.vstack(rows)


def _noisy(image: Image, chance: np.random.Generator) -> Image:
    """The grain of a camera: a few levels up and down, drawn small and repeated, for speed."""
    grain = chance.integers(-4, 5, (HEIGHT // 4, WIDTH // 4, 1), np.int16)
    return np.asarray(np.clip(image + np.tile(grain, (4, 4, 1)), 0, 255), np.uint8)
