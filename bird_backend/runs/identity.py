"""What a result depends on: the spec, the weights it names, the data, and the code; if all are the same, it is too.

A name is not enough: weights are made anew under their name, and images change in their folder.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bird_backend
from bird_backend import catalog, settings
from bird_backend.errors import BirdError
from bird_backend.experiments import RunSpec, spec_hash
from bird_backend.runs.fingerprints import MISSING, data_fingerprint, file_digest, folder_fingerprint
from bird_backend.runs.provenance import find_weights
from bird_backend.sources import fingerprint
from bird_backend.specs import ModelRef, Spec

__all__ = ["Identity", "code_version", "identify", "networks_in"]


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
    networks: tuple[tuple[str, str], ...]
    """Each network that the spec names and the catalogue doesn't have, with the fingerprint of its code."""
    folders: tuple[tuple[str, str], ...]
    """Each other folder or file that the spec has read, with its fingerprint."""
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
        networks=tuple((name, fingerprint(name)) for name in sorted(networks_in(spec))),
        folders=tuple((path, _fingerprint(path)) for path in sorted(_folders_in(spec))),
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


def networks_in(part: Spec) -> set[str]:
    """Every network named anywhere in a spec that isn't the catalogue's."""
    return {ref.model for ref in _parts(part) if isinstance(ref, ModelRef) and ref.model not in catalog.models()}


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


def _fingerprint(path: str) -> str:
    there = settings.expanded(path)
    return file_digest(there) if there.is_file() else folder_fingerprint(path)


def _weights_digest(name: str) -> str:
    try:
        return file_digest(find_weights(name))
    except (BirdError, OSError):
        return MISSING


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
