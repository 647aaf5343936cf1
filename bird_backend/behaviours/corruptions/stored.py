"""Corrupted test sets on disk, in the layout of CIFAR-10-C: written in a stream, read by the row.

NAME.npy uint8 [5N,H,W,3], the severities one after the other; labels.npy [5N], the labels as often.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bird_backend import settings
from bird_backend.behaviours.trial import Trial, batch_size
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.datasets import Within
from bird_backend.datasets.npy import open_npy
from bird_backend.errors import InputError, RunError
from bird_backend.measures import Cell

__all__ = ["CorruptedSet", "open_corrupted_set", "write_corrupted_set"]

_LABELS = "labels"
_LEVELS = len(SEVERITIES)


@dataclass(frozen=True, kw_only=True)
class CorruptedSet:
    """`files[NAME]` holds uint8 [5n,S,S,3], for a test split of `n` images or, by `rows`, for some of them."""

    files: Mapping[str, Path]
    n: int
    rows: npt.NDArray[np.int64] | None = None
    """Where the images of a narrowed data set are among the `n`; none: all of them are its own."""

    def batch(self, cell: Cell, images: npt.NDArray[np.int64], device: torch.device) -> Tensor:
        """uint8 [B,3,S,S]: the images of these places in the test split, in a cell."""
        name, severity = cell
        places = images if self.rows is None else self.rows[images]
        # Mapped anew each time: what was read of a file that stays mapped counts as memory held.
        rows = open_npy(self.files[name])[places + (severity - 1) * self.n]
        return torch.from_numpy(rows.transpose(0, 3, 1, 2).copy()).to(device)


def open_corrupted_set(
    folder: Path, corruptions: Sequence[str], labels: Tensor, size: int, *, within: Within | None = None
) -> CorruptedSet:
    """The set in `folder`, for test images of `size` pixels a side with these labels [n].

    Where they are a narrowed data set's, `within` tells which, and the folder may hold all of the whole one's.
    Anything that does not fit is an `InputError`. Only headers and labels are read here.
    """
    if (real := settings.found(folder)) is None or not real.is_dir():
        raise InputError(f"There is no folder {folder} of corrupted images.")
    there = [name for name in CORRUPTIONS if (folder / f"{name}.npy").exists()]
    if missing := [name for name in corruptions if name not in there]:
        hint = f"to use what is there: --conditions {','.join(there)}" if there else "it has no corrupted images at all"
        named = ", ".join(f"{name}.npy" for name in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(f"{folder} lacks {named}{more}; {hint}.")
    rows, expected = None, labels.cpu().numpy()
    if within is not None and open_npy(folder / f"{_LABELS}.npy").shape == (_LEVELS * len(within.labels),):
        rows, expected = within.rows.numpy(), within.labels.numpy()
    n = len(expected)
    _check_labels(folder / f"{_LABELS}.npy", expected)
    files = {name: folder / f"{name}.npy" for name in corruptions}
    for path in files.values():
        _check_images(path, n, [size, size, 3])
    return CorruptedSet(files=files, n=n, rows=rows)


def _check_labels(path: Path, expected: npt.NDArray[np.int64]) -> None:
    n = len(expected)
    found = open_npy(path)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise InputError(f"{path} holds {found.dtype} {list(found.shape)}; labels are whole numbers [{_LEVELS * n}].")
    if len(found) != _LEVELS * n:
        raise InputError(f"{path} has {len(found):,} labels; {n:,} test images at 5 severities have {_LEVELS * n:,}.")
    wrong = int((found.reshape(_LEVELS, n) != expected).sum())
    if wrong:
        raise InputError(
            f"{path} has other labels than the data set's test images in {wrong:,} of {_LEVELS * n:,} places,"
            " so the images are of another data set or in another order."
        )


def _check_images(path: Path, n: int, size: list[int]) -> None:
    found = open_npy(path)
    if found.dtype != np.uint8 or found.ndim != 4:
        raise InputError(f"{path} holds {found.dtype} {list(found.shape)}; corrupted images are uint8 [5N,H,W,3].")
    if list(found.shape[1:]) != size:
        raise InputError(
            f"{path} holds images of {list(found.shape[1:])}, where those of the data set are {size} here; corrupt them"
            " at that size, or ask for the data set at theirs."
        )
    if len(found) != _LEVELS * n:
        raise InputError(
            f"{path} is too {'short' if len(found) < _LEVELS * n else 'long'}: it has {len(found):,} images,"
            f" where {n:,} test images at 5 severities are {_LEVELS * n:,}."
        )


def write_corrupted_set(
    folder: Path,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64] | None,
    *,
    trial: Trial,
    device: torch.device,
    overwrite: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> list[Path]:
    """Corrupt `images` uint8 [N,H,W,3] into `folder`; returns the files, the labels last.

    Each file is written beside its name and moved there whole. Files that are there already are an `InputError` unless
    they may be overwritten, before any is written.
    """
    corruptions, severities = trial.settings.conditions, trial.settings.strengths
    targets = [folder / f"{name}.npy" for name in (*corruptions, *([] if labels is None else [_LABELS]))]
    if not overwrite and (taken := [path.name for path in targets if path.exists()]):
        raise InputError(f"{folder} has {', '.join(taken)} already; --overwrite replaces them.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(corruptions):
            with _whole(targets[index]) as file:
                _header(file, (len(severities) * len(images), *images.shape[1:]))
                for done, batch in _batches(images, name, trial, device):
                    file.write(batch.tobytes())
                    if progress is not None:
                        progress(name, (index + done) / len(corruptions))
        if labels is not None:
            with _whole(targets[-1]) as file:
                np.lib.format.write_array(file, np.tile(labels, len(severities)), allow_pickle=False)
    except OSError as error:
        raise RunError(f"{folder} can't be written: {error.strerror}.") from error
    return targets


def _batches(
    images: npt.NDArray[np.uint8], name: str, trial: Trial, device: torch.device
) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Share done and corrupted images [B,H,W,3], severity by severity."""
    size = batch_size(*images.shape[1:3])
    severities = trial.settings.strengths
    for level, severity in enumerate(severities):
        for start in range(0, len(images), size):
            rows = np.ascontiguousarray(images[start : start + size].transpose(0, 3, 1, 2))
            batch = trial.batch(torch.from_numpy(rows).to(device), (name, severity), start)
            done = (level + min(start + size, len(images)) / len(images)) / len(severities)
            yield done, batch.permute(0, 2, 3, 1).cpu().numpy()


def _header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    document = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, document)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once all of it is written."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
