"""What a file is by its first bytes, for those brought as weights that are none: a sentence instead of a try."""

from __future__ import annotations

from pathlib import Path

from bird_backend.errors import InputError

__all__ = ["refuse_other_formats"]

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the weights it stands for: fetch them with git lfs pull"),
    (b"<!doctype", "is a web page, not weights: the download went wrong"),
    (b"<html", "is a web page, not weights: the download went wrong"),
    (b"\x89hdf\r\n\x1a\n", "is an HDF5 file, as Keras writes; only PyTorch's weights are read"),
    (b"gguf", "is a GGUF file; only PyTorch's weights are read"),
    (b"\x93numpy", "is a NumPy array, not a network's weights by their names"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"\xfd7zxz", "is compressed with xz: unpack it first"),
    (b"(\xb5/\xfd", "is compressed with zstd: unpack it first"),
    (b"bzh", "is compressed with bzip2: unpack it first"),
    (b"\x89png", "is a picture, not weights"),
    (b"\xff\xd8\xff", "is a picture, not weights"),
    (b"%pdf", "is a PDF, not weights"),
    (b"{", "is JSON, not weights; of weights in several files, join them into one state_dict first"),
)
"""First bytes in lower case, and what a person is told."""


def refuse_other_formats(path: Path, subject: str) -> None:
    """An `InputError` where the file's first bytes say that it is something else than PyTorch's weights."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise InputError(f"{subject} is empty.")
    for known, meaning in _STARTS:
        if start.lower().startswith(known):
            raise InputError(f"{subject} {meaning}.")
    if start[4:8] == b"TFL3":
        raise InputError(f"{subject} is a TensorFlow Lite model; only PyTorch's weights are read.")
    is_safetensors, is_zip, is_pickle = start[8:9] == b"{", start.startswith(b"PK\x03\x04"), start.startswith(b"\x80")
    if not (is_safetensors or is_zip or is_pickle):
        raise InputError(f"{subject} is neither .safetensors nor what torch.save writes.")
