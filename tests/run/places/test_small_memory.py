"""F15: a folder of shared memory that is small, in a mount namespace of its own; needs root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streampy.cli.exits import Exit

HERE = Path(__file__).parent
FRAMES = 40
PROCESS = """
process: few
units:
  camera: {{use: "few_units:camera", set: {{until: {frames}}}, place: {place}}}
  turn: {{use: "few_units:turn", from: camera, place: own, workers: 2, pipe: {{capacity: 8{item}}}}}
  back: {{use: "few_units:turn", from: turn, place: own, pipe: {{capacity: 8{item}}}}}
  last: {{use: "few_units:Last", from: back, pipe: {{capacity: 8{item}}}}}
"""


def can_mount() -> bool:
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/dev/shm"]  # noqa: S108 - its own
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not can_mount(), reason="needs root, and `unshare`, to mount a small /dev/shm")


@pytest.fixture
def with_memory(tmp_path):
    """Run a command where there is only so much shared memory; what is left in it comes last on stdout."""

    def run(megabytes, command, *, item="", place="main"):
        (tmp_path / "few.yaml").write_text(PROCESS.format(frames=FRAMES, item=item, place=place))
        script = f"mount -t tmpfs -o size={megabytes}m tmpfs /dev/shm && {command}; code=$?; ls /dev/shm; exit $code"
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), *sys.path]))},
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )

    return run


RUN = f"{sys.executable} -m streampy run few.yaml"


@pytest.mark.parametrize("place", ["main", "own"])
def test_f15_too_little_for_the_stated_sizes_is_an_error_at_the_start(with_memory, place):
    done = with_memory(64, RUN, item=", item: 6MB", place=place)

    assert (Exit.PROCESS, "") == (done.returncode, done.stdout)
    asked, free = "MB of shared memory were asked for, 67.1 MB are free; make the folder larger", "few.yaml: /dev/shm: "
    assert asked in done.stderr
    assert done.stderr.startswith(f"streampy: {free}")
    assert 1 == len(done.stderr.splitlines())


def test_f15_from_python_it_is_no_shared_memory(with_memory):
    done = with_memory(64, f'{sys.executable} -c "import few_units; few_units.start()"', item=", item: 6MB")

    assert done.stdout.startswith("NoSharedMemory /dev/shm: "), done.stderr


def test_f15_enough_for_the_stated_sizes_is_had_from_the_start(with_memory):
    done = with_memory(2000, RUN, item=", item: 7MB")

    assert (Exit.OK, f"frames: {FRAMES}\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("place", ["main", "own"])
@pytest.mark.parametrize("megabytes", [64, *(pytest.param(few, marks=pytest.mark.long) for few in (10, 1))])
def test_f15_without_stated_sizes_all_frames_arrive_through_what_there_is(with_memory, megabytes, place):
    done = with_memory(megabytes, RUN, place=place)

    assert (Exit.OK, f"frames: {FRAMES}\n") == (done.returncode, done.stdout), done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert "WARNING" in done.stderr
