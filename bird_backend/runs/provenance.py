"""Where weights come from: the provenance in a `.safetensors` header, read without torch and without the weights.

The file begins with the header's length (eight bytes, little-endian) and a JSON header of each tensor's dtype, shape
and place; provenance is the JSON document under "bird" in its metadata.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError

__all__ = [
    "METADATA_KEY",
    "Header",
    "Provenance",
    "TensorFacts",
    "WeightsFile",
    "find_weights",
    "list_weights",
    "read_header",
    "read_provenance",
]

METADATA_KEY = "bird"
_SUFFIX = ".safetensors"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_MAX_HEADER_BYTES = 8 * 2**20
_DTYPE_BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2}
_DTYPE_BYTES |= {"I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8}

Share = Annotated[float, Field(ge=0, le=1)]


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
    code_version: str
    created: str
    """ISO 8601, UTC."""
    title: str = ""
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
    """A weights file in one of the checkpoint folders; `problem` says in a sentence why it can't be used."""

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
    if not path.exists():
        raise InputError(f"There is no weights file at {path}.")
    if not path.is_file():
        raise InputError(f"{path} is a folder or device; weights are one {_SUFFIX} file.")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            text = file.read(min(length, _MAX_HEADER_BYTES))
    except OSError as error:
        raise InputError(f"The weights file {path} can't be read: {error.strerror}.") from error
    if size > settings.MAX_WEIGHTS_BYTES:
        limit = settings.MAX_WEIGHTS_BYTES / 2**30
        raise InputError(f"The weights file {path} is too large: {size / 2**30:.1f} GiB, at most {limit:.1f} are read.")
    if not text.startswith(b"{") or not 2 <= length <= _MAX_HEADER_BYTES:
        raise InputError(_what_else(path, prefix + text))
    if len(text) < length:
        raise InputError(f"The weights file {path} is truncated: it ends within its header.")
    try:
        document = json.loads(text)
        metadata = document.pop("__metadata__", {})
        places = {name: _tensor(entry) for name, entry in document.items()}
        provenance = metadata.get(METADATA_KEY)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"The weights file {path} has a damaged header.") from None
    missing = 8 + length + max((end for _, end in places.values()), default=0) - size
    if missing > 0:
        raise InputError(f"The weights file {path} is truncated: {missing:,} bytes are missing at its end.")
    return Header(
        tensors={name: facts for name, (facts, _) in places.items()},
        provenance=None if provenance is None else _provenance(provenance, path),
    )


def list_weights() -> list[WeightsFile]:
    """Every checkpoint that has a name, home before assets and by name; one in home hides the asset of its name."""
    found: dict[str, WeightsFile] = {}
    for origin, folder in _folders():
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            found.setdefault(path.stem, _checkpoint(path, origin))
    return list(found.values())


def find_weights(weights: str) -> Path:
    """The file of a checkpoint's name (home first, then assets) or of a path that ends in `.safetensors`.

    A name never becomes a path outside the two folders; an unknown one is an `UnknownNameError` with the closest.
    """
    if weights.endswith(_SUFFIX):
        try:
            path = Path(weights).expanduser()
            found = path.exists()
        except (OSError, RuntimeError):  # a name too long, or ~ of a user there isn't
            found = False
        if not found:
            raise InputError(f"There is no weights file at {weights}.")
        return path
    if Path(weights).suffix in (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"):
        raise InputError(f"{weights} is no {_SUFFIX} file: other formats can carry code and aren't read.")
    for _, folder in _folders():
        path = folder / f"{weights}{_SUFFIX}"
        if _NAME.fullmatch(weights) and path.is_file():
            return path
    raise UnknownNameError("checkpoint", weights, [entry.name for entry in list_weights() if not entry.problem])


def _folders() -> tuple[tuple[Literal["assets", "home"], Path], ...]:
    return ("home", settings.checkpoints_dir()), ("assets", settings.ASSETS / "checkpoints")


def _checkpoint(path: Path, origin: Literal["assets", "home"]) -> WeightsFile:
    provenance, problem = None, None
    try:
        provenance = read_provenance(path)
        if not _NAME.fullmatch(path.stem):
            problem = f"{path.name} can't be chosen by name: letters, digits, dots, dashes and underscores are read."
        elif provenance is None:
            problem = f"{path.name} doesn't say which network it holds, so it can only be used by its path."
    except InputError as error:
        problem = str(error)
    return WeightsFile(name=path.stem, path=path, provenance=provenance, origin=origin, problem=problem)


def _tensor(entry: dict[str, Any]) -> tuple[TensorFacts, int]:
    shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
    numbers = (*shape, begin, end)
    if any(not isinstance(number, int) or number < 0 for number in numbers):
        raise ValueError
    if end - begin != math.prod(shape) * _DTYPE_BYTES[entry["dtype"]]:
        raise ValueError
    return TensorFacts(dtype=entry["dtype"], shape=shape), end


def _provenance(text: str, path: Path) -> Provenance:
    try:
        return Provenance.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The weights file {path} has damaged provenance: {where or 'JSON'}: {first['msg']}."
        ) from None


def _what_else(path: Path, start: bytes) -> str:
    if start.startswith(b"PK\x03\x04"):
        return f"{path} is a zip, as torch.save writes, not {_SUFFIX}: a pickle inside can carry code and isn't read."
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return f"{path} is a pickle, not {_SUFFIX}: a pickle can carry code and isn't read."
    if len(start) < 10:
        return f"The weights file {path} is truncated: it has {len(start)} bytes."
    return f"{path} is not a {_SUFFIX} file."
