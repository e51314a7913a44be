"""Weights and photographs that lie inside well-known PyPI packages: fetched, verified, unpacked.

Nothing of a package is installed, imported or run; named members are copied out of the archive.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

_WHEEL = (
    *("--only-binary", ":all:", "--platform", "manylinux2014_x86_64", "--python-version", "3.11"),
    *("--implementation", "cp", "--abi", "cp311", "--abi", "none"),
)


@dataclass(frozen=True, slots=True)
class Package:
    """One archive of a package index and the members wanted from it.

    Args:
        name: the package.
        version: pinned.
        sha256: of the archive.
        members: path inside the archive -> file name in the cache.
        is_wheel: a wheel of one fixed platform (it is only read, so the same on every machine), or the source archive.

    """

    name: str
    version: str
    sha256: str
    members: dict[str, str]
    is_wheel: bool = True


PACKAGES = (
    Package(  # MIT licence
        "facenet-pytorch",
        "2.6.0",
        "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
        {f"facenet_pytorch/data/{net}.pt": f"{net}.pt" for net in ("pnet", "rnet", "onet")},
    ),
    Package(  # CC0; the model is dlib_face_recognition_resnet_model_v1 of Davis King, public domain
        "face_recognition_models",
        "0.3.0",
        "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
        {
            "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat": (
                "dlib_resnet.dat"
            )
        },
        is_wheel=False,
    ),
    Package(  # MIT licence; the photographs are official portraits, public domain
        "face_recognition",
        "1.3.0",
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        {
            f"face_recognition-1.3.0/tests/test_images/{photo}": photo
            for photo in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
        },
        is_wheel=False,
    ),
    Package(  # BSD licence; astronaut and rocket are NASA's, the others CC0
        "scikit-image",
        "0.24.0",
        "fa27b3a0dbad807b966b8db2d78da734cb812ca4787f7fbb143764800ce2fa9c",
        {f"skimage/data/{photo}": photo for photo in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")},
    ),
    Package(  # BSD-like licence; the photograph is the US Navy's, public domain
        "matplotlib",
        "3.9.2",
        "8912ef7c2362f7193b5819d17dae8629b34a95c58603d781329712ada83f9447",
        {"matplotlib/mpl-data/sample_data/grace_hopper.jpg": "grace_hopper.jpg"},
    ),
)


def fetch(cache: Path) -> None:
    """Put every member of every package into `cache`; what is there already is not fetched again.

    Raises:
        SystemExit: a download failed, or an archive is not the pinned one.

    """
    cache.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if all((cache / name).exists() for name in package.members.values()):
            continue
        print(f"fetching {package.name} {package.version}", flush=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            archive = _download(package, Path(folder))
            _unpack(archive, package, Path(folder), cache)


def _download(package: Package, folder: Path) -> Path:
    """Have pip download one archive.

    The hash is given to pip too: a source archive's set-up code runs while pip reads its metadata, and may do so only
    after it was verified.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    kind = _WHEEL if package.is_wheel else ("--no-binary", ":all:")
    command = [*_pip(), "download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(folder), *kind]
    done = subprocess.run([*command, "-r", str(wanted)], check=False)  # noqa: S603 - built from constants
    archives = [path for path in folder.iterdir() if path.suffix in {".whl", ".gz", ".zip"}]
    if done.returncode or len(archives) != 1:
        sys.exit(
            f"faces: pip could not download {package.name}=={package.version} (see above). "
            "Check that pip reaches a package index, then run this again; what was fetched is kept."
        )
    found = hashlib.sha256(archives[0].read_bytes()).hexdigest()
    if found != package.sha256:
        sys.exit(f"faces: {archives[0].name} has sha256 {found}, expected {package.sha256}: it is not used.")
    return archives[0]


def _pip() -> list[str]:
    """The command that runs pip: this interpreter's own, or, in an environment without one, that of uv."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "run", "--quiet", "--no-project", "--with", "pip", "python", "-m", "pip"]
    sys.exit(
        "faces: neither pip nor uv is at hand. Install one of them, e.g. `python -m ensurepip`, and run this again."
    )


def _unpack(archive: Path, package: Package, folder: Path, cache: Path) -> None:
    """Copy the wanted members out; each appears in the cache whole or not at all."""
    for member, name in package.members.items():
        part = folder / name
        part.write_bytes(_read(archive, member))
        part.replace(cache / name)


def _read(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        file = source.extractfile(member)
        return file.read() if file else b""
