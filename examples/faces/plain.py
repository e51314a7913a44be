"""The same units as one plain Python loop, without a process around them: what the framework is measured against."""

import time

from examples.faces.setup import Files

import streampy as sp
from streampy.units.video import (
    Camera,
    CropFaces,
    Describe,
    Draw,
    Enrol,
    FindFaces,
    Frame,
    Identify,
    MetaWriter,
    Photos,
    Profile,
    Resize,
    VideoWriter,
)


def enrol(files: Files) -> int:
    """Enrol everybody in the folder of photographs; returns how many faces."""
    small, crop = Resize(width=640), CropFaces()
    find = FindFaces(models=str(files.models), smallest=60)
    describe = Describe(model=str(files.models / "dlib_resnet.onnx"))
    enrol = Enrol(database=str(files.database))
    for unit in (find, describe, enrol):
        unit.start()
    count = 0
    for photo in Photos(folder=str(files.people)).work():
        crops = list(crop.work(photo, find.work(small.work(photo))))
        for descriptor in describe.work(sp.Batch(crops)):
            count += enrol.work(descriptor) is not None
    enrol.stop()
    return count


class Loop:
    """The units of faces.yaml, called one after the other for each frame."""

    def __init__(self, files: Files) -> None:
        self.small = Resize(width=640)
        self.find = FindFaces(models=str(files.models), smallest=40)
        self.crop = CropFaces()
        self.describe = Describe(model=str(files.models / "dlib_resnet.onnx"))
        self.identify = Identify(database=str(files.database), threshold=0.6)
        self.draw = Draw()
        self.video = VideoWriter(path=str(files.out / "{stream}.mp4"), fps=25)
        self.metadata = MetaWriter(path=str(files.out / "faces.jsonl"))

    def start(self) -> None:
        """Open the models and the files."""
        for unit in (self.find, self.describe, self.identify, self.metadata):
            unit.start()

    def work(self, frame: Frame) -> None:
        """Do everything for one frame."""
        item = sp.Item(frame, sp.Header(frame.source, frame.index, time.monotonic()))
        faces = self.find.work(self.small.work(frame))
        crops = list(self.crop.work(frame, faces))
        profiles: list[Profile] = self.identify.work(self.describe.work(sp.Batch(crops))) if crops else []
        drawn = self.draw.work(frame, faces, profiles)
        self.video.work(sp.Item(drawn, item.header))
        self.metadata.work(item, faces, profiles)

    def stop(self) -> None:
        """Close the files."""
        for unit in (self.video, self.metadata, self.identify):
            unit.stop()


def run(
    files: Files, cameras: tuple[str, ...], *, realtime: bool = False, fps: float = float("inf")
) -> tuple[float, list[float]]:
    """Run the loop over the clips, the cameras in turn.

    Returns:
        Seconds of the whole run without opening the models, and of each frame: from when it was due (in real time) or
        was begun to be read (else) until its results were written.

    """
    loop = Loop(files)
    loop.start()
    sources = [
        iter(Camera(url=str(files.clips / f"{camera}.mp4"), name=camera, realtime=realtime, fps=fps).work())
        for camera in cameras
    ]
    latencies = []
    begin = time.monotonic()
    while sources:
        for source in tuple(sources):
            asked = time.monotonic()
            frame = next(source, None)
            if frame is None:
                sources.remove(source)
                continue
            loop.work(frame)
            latencies.append(time.monotonic() - (begin + frame.time if realtime else asked))
    loop.stop()
    return time.monotonic() - begin, latencies
