"""What a result depends on: the spec, the weights it names, the data, and the code; if all are the same, it is too.

A name is not enough: weights are made anew under their name, and images change in their folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bird_backend
from bird_backend import catalog, settings
from bird_backend.errors import BirdError
from bird_backend.experiments import RunSpec, spec_hash
from bird_backend.runs.provenance import find_weights
from bird_backend.specs import ModelRef, Spec

__all__ = ["Identity", "code_version", "data_fingerprint", "identify"]

_SECONDS = 3.0
"""For how long a folder counts as looked at: pages ask on every rerun."""
_MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Digests and versions of everything that a run reads; equal where the results are."""

    spec: str
    """All that was asked for but the title, as a hash."""
    recipe: str
    """The same without the seed, and the name that weights are to be saved under."""
    weights: tuple[tuple[str, str], ...]
    """Each weights file that the spec names, with its SHA-256."""
    data: str
    """The data set's fingerprint; empty where the spec has none."""
    folders: tuple[tuple[str, str], ...]
    """Each other folder that the spec has read, with its fingerprint."""
    code: str

    @property
    def digest(self) -> str:
        """Thirty-two hex digits that stand for all of it."""
        return _digest(json.dumps(self.as_dict(), sort_keys=True).encode())

    @property
    def family(self) -> str:
        """The same of everything but the seed: runs of one family are to be averaged over."""
        return _digest(json.dumps(self.as_dict() | {"spec": ""}, sort_keys=True).encode())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def identify(spec: RunSpec) -> Identity:
    """The identity of a run asked for now. What isn't there counts as missing: the run itself says so."""
    data, fields = getattr(spec, "data", None), type(spec).model_fields
    return Identity(
        spec=spec_hash(spec),
        recipe=spec_hash(spec.model_copy(update={"seed": 0} | ({"save_as": None} if "save_as" in fields else {}))),
        weights=tuple((name, _weights_digest(name)) for name in sorted(_weights_in(spec))),
        data="" if data is None else data_fingerprint(data),
        folders=tuple((path, _folder_fingerprint(path, _now())) for path in sorted(_folders_in(spec))),
        code=code_version(),
    )


@cache
def code_version() -> str:
    """The version, with the last commit to the backend where there is one: `0.1.0+g1a2b3c4d5e6f`.

    Files changed since add a digest of their changes. Asked once: a process goes on with the code that it began with.
    """
    commit = _git("log", "-1", "--format=%h", "--abbrev=12", "--", ".")
    if not commit:
        return bird_backend.__version__
    changes = _git("diff", "HEAD", "--", ".")
    changed = f".{_digest(changes.encode())[:8]}" if changes else ""
    return f"{bird_backend.__version__}+g{commit}{changed}"


def _git(*arguments: str) -> str:
    """What git says of the backend's folder; nothing where there is no git, or no repository."""
    try:
        said = subprocess.run(  # noqa: S603 - fixed words
            ["git", *arguments],  # noqa: S607 - whichever git the person has
            cwd=Path(bird_backend.__file__).parent,
            capture_output=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.decode("utf-8", "replace").strip()


def data_fingerprint(name: str) -> str:
    """Changes when the images do.

    Of a zip it is its members' names and checksums, of a folder its files' names, sizes and times. Downloads are
    checked against the checksums in the code, so their name is enough.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return _folder_fingerprint(path, _now())
    if kind == "zip" and path:
        return _zip_fingerprint(path, *_stat(settings.expanded(path)))
    if name == "digits":
        return f"scikit-learn {version('scikit-learn')}"
    asset = settings.ASSETS / f"{name}.npz"
    if not catalog.find_dataset(name).network and asset.is_file():
        return _file_digest(str(asset), *_stat(asset))
    return name


def _weights_in(part: Spec) -> set[str]:
    """Every weights file named anywhere in a spec."""
    return {ref.weights for ref in _parts(part) if isinstance(ref, ModelRef) and ref.weights is not None}


def _folders_in(part: Spec) -> set[str]:
    """Every folder that some part of a spec reads."""
    return {
        path for spec in _parts(part) for field in spec.reads if isinstance(path := getattr(spec, field), str) and path
    }


def _parts(part: Spec) -> Iterator[Spec]:
    yield part
    for name in type(part).model_fields:
        value = getattr(part, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Spec):
                yield from _parts(item)


def _weights_digest(name: str) -> str:
    try:
        path = find_weights(name)
        return _file_digest(str(path), *_stat(path))
    except (BirdError, OSError):
        return _MISSING


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _file_digest(path: str, _inode: int, _size: int, _mtime: int) -> str:
    """Read again only when the file is another or was written to."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return _MISSING


@lru_cache(maxsize=32)
def _zip_fingerprint(path: str, inode: int, _size: int, _mtime: int) -> str:
    if inode == 0:
        return _MISSING
    try:
        with zipfile.ZipFile(settings.expanded(path)) as file:
            members = sorted((member.filename, member.CRC, member.file_size) for member in file.infolist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return _MISSING
    return _digest(json.dumps(members).encode())


@lru_cache(maxsize=32)
def _folder_fingerprint(path: str, _moment: int) -> str:
    root, digest, found = settings.expanded(path), hashlib.sha256(), False
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            found = True
            inside = Path(folder, name)
            digest.update(repr((str(inside.relative_to(root)), _stat(inside)[1:])).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32] if found else _MISSING


def _now() -> int:
    return int(time.monotonic() / _SECONDS)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
