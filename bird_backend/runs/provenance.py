"""Where weights come from: the provenance in a `.safetensors` header, read without torch and without the weights.

Provenance is the JSON document under "bird" in the header's metadata. The library maps the file and checks that the
tensors its header declares fill it; here is only said, for a person, what else a file is that it refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.specs import Preprocessing

__all__ = [
    "METADATA_KEY",
    "Header",
    "Provenance",
    "TensorFacts",
    "Validated",
    "WeightsFile",
    "find_weights",
    "list_weights",
    "read_header",
    "read_provenance",
]

METADATA_KEY = "bird"
_SUFFIX = ".safetensors"
_CODE_CARRYING = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

Share = Annotated[float, Field(ge=0, le=1)]


class Validated(BaseModel):
    """How good weights were on validation images, of which a choice among them may be made."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    clean_accuracy: Share
    n: int = Field(ge=1)
    """Validation images."""
    robust_accuracy: Share | None = None
    """Mean over the behaviour's seen conditions at strength 3, as the training estimates it at each epoch's end."""
    n_robust: int = Field(default=0, ge=0)
    """Validation images behind that, a part of the others."""


class Provenance(BaseModel):
    """How weights came to be, and how good they were on the test images of their data set."""

    # Fields of a newer version are passed over rather than refused.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    model: str
    classes: tuple[str, ...]
    data: str
    recipe: dict[str, Any]
    """The spec of the run that made them."""
    seed: int
    clean_accuracy: Share | None
    robust_accuracy: Share | None = None
    n_test: int = Field(ge=0)
    """Test images behind the accuracies."""
    validated: Validated | None = None
    """None of what was made before this was kept, or elsewhere."""
    code_version: str
    created: str
    """ISO 8601, UTC."""
    title: str = ""
    image_size: int = Field(default=32, ge=8, le=1024)
    """Pixels a side of the images that it was trained on, which its stem is for."""
    preprocessing: Preprocessing | None = None
    """How it wants its images; none: normalised as all of ours are."""
    role: Literal["teacher", "student"]


@dataclass(frozen=True, kw_only=True)
class TensorFacts:
    """A tensor as the header declares it, dtype in the format's own words ("F32", "I64")."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a weights file says of itself; `provenance` is none where another program wrote it."""

    tensors: dict[str, TensorFacts]
    provenance: Provenance | None


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A weights file in one of the folders of weights; `problem` says in a sentence why it can't be used."""

    name: str
    path: Path
    provenance: Provenance | None
    origin: Literal["assets", "home"]
    problem: str | None = None


def read_provenance(path: Path) -> Provenance | None:
    """The provenance of a weights file, none where another program wrote it; a broken file is an `InputError`."""
    return read_header(path).provenance


def read_header(path: Path) -> Header:
    """The checked header of a weights file: what isn't whole `.safetensors` is an `InputError` that says what it is."""
    try:
        if not path.exists():
            raise InputError(f"There is no weights file at {path}.")
        if not path.is_file():
            raise InputError(f"{path} is a folder or device; weights are one {_SUFFIX} file.")
        if (size := path.stat().st_size) > settings.MAX_WEIGHTS_BYTES:
            sizes = f"{size / 2**30:.1f} GiB, at most {settings.MAX_WEIGHTS_BYTES / 2**30:.1f} are read"
            raise InputError(f"The weights file {path} is too large: {sizes}.")
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            tensors = {
                name: TensorFacts(dtype=part.get_dtype(), shape=tuple(part.get_shape()))
                for name, part in slices.items()
            }
    except SafetensorError as error:
        raise InputError(_what_else(path, str(error))) from None
    except OSError as error:
        raise InputError(f"The weights file {path} can't be read: {error.strerror or error}.") from error
    provenance = metadata.get(METADATA_KEY)
    return Header(tensors=tensors, provenance=None if provenance is None else _provenance(provenance, path))


def list_weights() -> list[WeightsFile]:
    """All weights that have a name, home before assets and by name; one in home hides the asset of its name."""
    found: dict[str, WeightsFile] = {}
    for origin, folder in _folders():
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            found.setdefault(path.stem, _weights_file(path, origin))
        for path in sorted(path for path in folder.glob("*") if path.suffix.lower() in _CODE_CARRYING):
            # By its whole name, which is that of no weights: it hides none.
            problem = f"{path.name} is no {_SUFFIX} file: convert makes it one, and executes nothing of it."
            unread = WeightsFile(name=path.name, path=path, provenance=None, origin=origin, problem=problem)
            found.setdefault(path.name, unread)
    return list(found.values())


def find_weights(weights: str) -> Path:
    """The file of that name (home first, then assets) or of a path that ends in `.safetensors`.

    A name never becomes a path outside the two folders; an unknown one is an `UnknownNameError` with the closest.
    """
    if weights.endswith(_SUFFIX):
        try:
            path = settings.expanded(weights)
            found = path.exists()
        except (OSError, RuntimeError):  # a name too long, or ~ of a user there isn't
            found = False
        if not found:
            raise InputError(f"There is no weights file at {weights}.")
        return path
    if Path(weights).suffix.lower() in _CODE_CARRYING:
        raise InputError(f"{weights} is no {_SUFFIX} file: convert makes it one, and executes nothing of it.")
    for _, folder in _folders():
        path = folder / f"{weights}{_SUFFIX}"
        if _NAME.fullmatch(weights) and path.is_file():
            return path
    raise UnknownNameError("weights", weights, [entry.name for entry in list_weights() if not entry.problem])


def _folders() -> tuple[tuple[Literal["assets", "home"], Path], ...]:
    return ("home", settings.checkpoints_dir()), ("assets", settings.ASSETS / "checkpoints")


def _weights_file(path: Path, origin: Literal["assets", "home"]) -> WeightsFile:
    provenance, problem = None, None
    try:
        provenance = read_provenance(path)
        if not _NAME.fullmatch(path.stem):
            problem = f"{path.name} can't be chosen by name: letters, digits, dots, dashes and underscores are read."
        elif provenance is None:
            problem = f"{path.name} doesn't say which network it holds: convert recognises it, or use it by its path."
    except InputError as error:
        problem = str(error)
    return WeightsFile(name=path.stem, path=path, provenance=provenance, origin=origin, problem=problem)


def _provenance(text: str, path: Path) -> Provenance:
    try:
        return Provenance.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The weights file {path} has damaged provenance: {where or 'JSON'}: {first['msg']}."
        ) from None


def _what_else(path: Path, complaint: str) -> str:
    with path.open("rb") as file:
        start = file.read(10)
    if start.startswith(b"PK\x03\x04"):
        return (
            f"{path} is a zip, as torch.save writes, not {_SUFFIX}: convert makes it one, and executes nothing of it."
        )
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return f"{path} is a pickle, not {_SUFFIX}: convert makes it one, and executes nothing of it."
    if len(start) < 10:
        return f"The weights file {path} is truncated: it has {len(start)} bytes."
    if start[8:9] != b"{":
        return f"{path} is not a {_SUFFIX} file."
    for known, meaning in _COMPLAINTS.items():
        if known in complaint:
            return f"The weights file {path} {meaning}."
    return f"The weights file {path} has a damaged header."


_COMPLAINTS = {
    "invalid header length": "is truncated: it ends within its header",
    "header too large": f"is not a {_SUFFIX} file: its header would be too large",
    "file not fully covered": "is truncated, or longer than its header says",
}
"""What the library says, and what a person is told."""
