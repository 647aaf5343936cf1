"""What a reader of a run wants: metrics as they arrive, and the snapshots of its geometry."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bird_backend.runs.directory import RunDirectory

__all__ = [
    "Correct",
    "MetricsTail",
    "SnapshotName",
    "read_accuracy",
    "read_correct",
    "read_embedding",
    "read_metrics",
    "read_probes",
    "read_snapshot",
    "snapshots",
]

_SNAPSHOT = re.compile(r"snapshot-([a-z-]+)-(\d{6})\.npz")


class MetricsTail:
    """Reads `metrics.jsonl` by byte offset: each call to `read` costs only what was appended since the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset = 0

    def read(self) -> list[dict[str, Any]]:
        """The whole lines appended since the last call; a line still being written waits for the next.

        `offset` is back at zero before a call that returns everything anew, which happens when a run resumed.
        """
        try:
            with self._path.open("rb") as file:
                if self._path.stat().st_size < self.offset:
                    # A resumed run takes back the rows after its checkpoint.
                    self.offset = 0
                file.seek(self.offset)
                new = file.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [json.loads(line) for line in whole.splitlines() if line]


def read_metrics(directory: RunDirectory) -> pd.DataFrame:
    """Every metrics row of a run, one column a key; from the sealed file where there is one."""
    if directory.sealed_metrics.exists():
        return pd.read_parquet(directory.sealed_metrics)
    return pd.DataFrame(MetricsTail(directory.metrics).read())


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


def read_snapshot(directory: RunDirectory, name: SnapshotName, *arrays: str) -> dict[str, np.ndarray]:
    """Named arrays of a snapshot (all by default).

    `gram` [m, m] centred similarities of the Gram probes, scaled to unit Frobenius norm; `features` [N, d] pooled
    activations of the embedding probes; `pca` [N, 2] their projection on axes fixed at the model's first snapshot.
    """
    with np.load(directory.artifacts / name.file, allow_pickle=False) as file:
        return {key: file[key] for key in (arrays or file.files)}


def read_embedding(directory: RunDirectory, name: SnapshotName) -> tuple[np.ndarray, str]:
    """Points [N, 2] of a snapshot and how they were made: `umap`, or `pca` while that is not ready."""
    path = directory.artifacts / name.umap_file
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return file["points"], "umap"
    return read_snapshot(directory, name, "pca")["pca"], "pca"


def read_probes(directory: RunDirectory) -> dict[str, np.ndarray] | None:
    """The fixed validation images everything is drawn of.

    `images` uint8 [N, 32, 32, 3], `labels` [N], `classes` [K] names, `gram` [m] indices of the Gram probes, by class.
    """
    path = directory.artifacts / "probes.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def read_accuracy(directory: RunDirectory) -> pd.DataFrame | None:
    """Columns model (`before`, `fine-tuning`, `bird`, …), corruption (`clean` too), severity (clean: 0), n, correct."""
    path = directory.artifacts / "accuracy.parquet"
    return pd.read_parquet(path) if path.exists() else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Correct:
    """Which test images each model got right, booleans [cells, n] by model; a cell is (corruption, severity).

    The same images in every cell and for every model, so differences can be taken image by image.
    """

    cells: tuple[tuple[str, int], ...]
    models: dict[str, np.ndarray]

    def share(self, model: str, corruptions: Collection[str], severity: int | None = None) -> np.ndarray:
        """Per image, the share [n] of the named corruptions' cells, of one severity or all, that `model` got right."""
        rows = [
            row for row, (name, level) in enumerate(self.cells) if name in corruptions and severity in (None, level)
        ]
        share: np.ndarray = self.models[model][rows].mean(axis=0)
        return share


def read_correct(directory: RunDirectory) -> Correct | None:
    """What every model of a run got right, once its accuracy was measured."""
    path = directory.artifacts / "correct.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    pairs = (cell.rsplit(" ", 1) for cell in arrays.pop("cells").tolist())
    return Correct(cells=tuple((name, int(severity)) for name, severity in pairs), models=arrays)
