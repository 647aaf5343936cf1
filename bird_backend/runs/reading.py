"""What a reader of a run wants: metrics as they arrive, snapshots of its geometry, predictions and pictures."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from bird_backend.errors import InputError
from bird_backend.measures import Predictions
from bird_backend.runs.directory import RunDirectory

__all__ = [
    "ContactSheet",
    "Examples",
    "Gallery",
    "MetricsTail",
    "SnapshotName",
    "read_arrays",
    "read_contact_sheet",
    "read_embedding",
    "read_examples",
    "read_gallery",
    "read_metrics",
    "read_predictions",
    "read_probes",
    "read_snapshot",
    "snapshots",
    "umap_files",
]

_T = TypeVar("_T")
_PROBES = ("images", "labels", "classes", "gram")
_SNAPSHOT = re.compile(r"snapshot-([a-z-]+)-(\d{6,})\.npz")


class MetricsTail:
    """Reads `metrics.jsonl` by byte offset: each call to `read` costs only what was appended since the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset = 0
        self.damaged = 0
        """Lines passed over because they are no row, such as one that a killed process left half written."""

    def read(self) -> list[dict[str, Any]]:
        """The whole lines appended since the last call; a line still being written waits for the next.

        `offset` is back at zero before a call that returns everything anew, which happens when a run resumed.
        """
        try:
            with self._path.open("rb") as file:
                if self._path.stat().st_size < self.offset:
                    # A resumed run takes back the rows after its checkpoint.
                    self.offset = self.damaged = 0
                file.seek(self.offset)
                new = file.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self.offset += len(whole)
        rows = [_row(line) for line in whole.split(b"\n") if line]
        self.damaged += rows.count(None)
        return [row for row in rows if row is not None]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def read_metrics(directory: RunDirectory) -> pd.DataFrame:
    """Every metrics row of a run, one column a key; from the sealed file where there is one that can be read."""
    if directory.sealed_metrics.exists():
        try:
            return pd.read_parquet(directory.sealed_metrics)
        except (OSError, ValueError):
            if not directory.metrics.exists():
                raise _unreadable(directory, directory.sealed_metrics.name, "it is damaged") from None
    try:
        return pd.DataFrame(MetricsTail(directory.metrics).read())
    except OSError as error:
        raise _unreadable(directory, directory.metrics.name, str(error.strerror)) from error


@dataclass(frozen=True, order=True)
class SnapshotName:
    """Which model (`teacher`, `bird`, `fine-tuning`) a snapshot is of, and after how many steps."""

    model: str
    step: int

    @property
    def file(self) -> str:
        return f"snapshot-{self.model}-{self.step:06d}.npz"

    @property
    def umap_file(self) -> str:
        return f"umap-{self.model}-{self.step:06d}.npz"


def snapshots(directory: RunDirectory) -> list[SnapshotName]:
    """The snapshots there are, by model, then step."""
    names = (_SNAPSHOT.fullmatch(path.name) for path in directory.artifacts.glob("snapshot-*.npz"))
    return sorted(SnapshotName(match[1], int(match[2])) for match in names if match)


def umap_files(directory: RunDirectory) -> set[str]:
    """Names of the UMAP layouts there are."""
    return {path.name for path in directory.artifacts.glob("umap-*.npz")}


def read_snapshot(directory: RunDirectory, name: SnapshotName, *arrays: str) -> dict[str, np.ndarray]:
    """Named arrays of a snapshot (all by default).

    `gram` [m, m] centred similarities of the Gram probes, scaled to unit Frobenius norm; `features` [N, d] pooled
    activations of the embedding probes; `pca` [N, 2] their projection on axes fixed at the model's first snapshot; of a
    student, what `attribution` reads.
    """
    return _arrays(directory, name.file, *arrays)


def read_embedding(directory: RunDirectory, name: SnapshotName) -> tuple[np.ndarray, str]:
    """Points [N, 2] of a snapshot and how they were made: `umap`, or `pca` while that is not ready."""
    if (directory.artifacts / name.umap_file).exists():
        return _arrays(directory, name.umap_file, "points")["points"], "umap"
    return read_snapshot(directory, name, "pca")["pca"], "pca"


def read_probes(directory: RunDirectory) -> dict[str, np.ndarray] | None:
    """The fixed validation images everything is drawn of.

    `images` uint8 [N, S, S, 3], `labels` [N], `classes` [K] names, `gram` [m] indices of the Gram probes, by class.
    """
    return read_arrays(directory, "probes.npz", lambda arrays: {name: arrays[name] for name in _PROBES})


def read_predictions(directory: RunDirectory) -> Predictions | None:
    """What every network of a run said of the test images, once its accuracy was measured."""
    return read_arrays(directory, "predictions.npz", Predictions.from_arrays)


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Some of the test images as the networks of a run saw them.

    `classes` [K] names; `pool` [P] columns of the run's predictions whose pictures `clean` uint8 [P,S,S,3] are kept;
    `shown` [cells, m] places in the pool, in the order of the predictions' cells, and their pictures
    `changed` uint8 [cells, m, S,S,3]. First those that the networks disagree on, then those that all get wrong.
    """

    classes: np.ndarray
    pool: np.ndarray
    clean: np.ndarray
    shown: np.ndarray
    changed: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `examples.npz`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read_examples(directory: RunDirectory) -> Examples | None:
    """The pictures of a run that measured accuracy."""
    return read_arrays(
        directory,
        "examples.npz",
        lambda arrays: Examples(**{field.name: arrays[field.name] for field in fields(Examples)}),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """Pictures `images` uint8 [K,S,S,3] under every condition of a `behaviour` [] at strengths 1 to 5.

    `labels` [K], −1 for a brought picture; `classes` [C] names; `conditions` [k] names; `changed` uint8
    [K, k, 5, S,S,3].
    """

    images: np.ndarray
    labels: np.ndarray
    classes: np.ndarray
    behaviour: np.ndarray
    conditions: np.ndarray
    changed: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `gallery.npz`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read_gallery(directory: RunDirectory) -> Gallery | None:
    """The pictures of a finished gallery run."""
    return read_arrays(
        directory,
        "gallery.npz",
        lambda arrays: Gallery(**{field.name: arrays[field.name] for field in fields(Gallery)}),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactSheet:
    """Some training images of each class, in the order of the classes, no larger than thumbnails.

    `images` uint8 [N,T,T,3], `labels` [N], `classes` [K] names.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a run's `contact-sheet.npz`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def read_contact_sheet(directory: RunDirectory) -> ContactSheet | None:
    """The pictures of a run that looked into a data set."""
    return read_arrays(
        directory,
        "contact-sheet.npz",
        lambda arrays: ContactSheet(**{field.name: arrays[field.name] for field in fields(ContactSheet)}),
    )


def read_arrays(directory: RunDirectory, name: str, build: Callable[[Mapping[str, np.ndarray]], _T]) -> _T | None:
    """What `build` makes of a file's arrays; none where there is no file."""
    if not (directory.artifacts / name).exists():
        return None
    arrays = _arrays(directory, name)
    try:
        return build(arrays)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _unreadable(directory, name, "it lacks some of what belongs into it") from error


def _arrays(directory: RunDirectory, name: str, *wanted: str) -> dict[str, np.ndarray]:
    """The arrays of an artifact, or those named; a file that is gone or damaged is an `InputError`."""
    try:
        with (directory.artifacts / name).open("rb") as content, np.load(content, allow_pickle=False) as file:
            return {key: file[key] for key in (wanted or file.files)}
    except OSError as error:
        raise _unreadable(directory, name, error.strerror or str(error)) from error
    except KeyError as error:
        raise _unreadable(directory, name, "it lacks some of what belongs into it") from error
    except (ValueError, EOFError, BadZipFile, zlib.error, TypeError, AttributeError, NotImplementedError) as error:
        # An empty file, a torn one, or another kind of file by this name: numpy has a word of its own for each.
        raise _unreadable(directory, name, "it is damaged") from error


def _unreadable(directory: RunDirectory, name: str, why: str) -> InputError:
    return InputError(f"The file {name} of run {directory.path.name} can't be read: {why}.")
