"""The projector: one patient process that turns the features of snapshots into UMAP embeddings.

UMAP spends some ten seconds compiling in every process, so one process does it for all runs, at the lowest priority
and on one thread: training comes first. Until an embedding is there, readers show the snapshot's PCA.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from bird_backend.errors import BirdError
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import SnapshotName, read_snapshot, snapshots
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import save_arrays

__all__ = ["embed", "main", "pending"]

_log = logging.getLogger("bird.projector")

NEIGHBOURS = 15
MIN_DISTANCE = 0.1
_FIRST_EPOCHS = 200
_NEXT_EPOCHS = 60
_LOOK_SECONDS = 0.5
_RECENT_RUNS = 20


def embed(features: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """UMAP [N, 2] of features [N, d], deterministic.

    With `start`, an earlier snapshot's points [N, 2] of the same images, the layout begins there and is only refined: a
    point moves where its neighbours moved, and what did not change stays where it was.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # UMAP warns that a fixed seed means one thread, which is what is wanted
        from umap import UMAP  # noqa: PLC0415 - two seconds, and only this process needs it

        reducer = UMAP(
            n_neighbors=min(NEIGHBOURS, len(features) - 1),
            min_dist=MIN_DISTANCE,
            init="pca" if start is None else start.astype(np.float32),
            n_epochs=_FIRST_EPOCHS if start is None else _NEXT_EPOCHS,
            random_state=0,
            n_jobs=1,
        )
        points: np.ndarray = reducer.fit_transform(features.astype(np.float32))
    return points.astype(np.float32)


def pending(directory: RunDirectory) -> list[tuple[SnapshotName, SnapshotName | None]]:
    """Snapshots that lack an embedding, in the order to make them, each with the one its layout starts from."""
    work: list[tuple[SnapshotName, SnapshotName | None]] = []
    origin: SnapshotName | None = None
    previous: SnapshotName | None = None
    for name in sorted(snapshots(directory), key=lambda name: (name.model != "bird", name)):
        if name.model == "teacher":
            start = None
        elif name.step == 0:
            # Every arm starts from the same student, so the first arm's first layout is the others' too.
            start, origin = origin, origin or name
        else:
            start = previous if previous is not None and previous.model == name.model else origin
        if not (directory.artifacts / name.umap_file).exists():
            work.append((name, start))
        previous = name
    return work


def main() -> int:
    """Look for work until the parent is gone."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s  %(message)s", force=True)
    _give_way()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # TERM keeps its default: a handler would have to wait for the compiler, and nothing here needs tidying.
    parent = os.getppid()
    store = RunStore()
    embed(np.random.default_rng(0).normal(size=(64, 8)))  # compiles
    skipped: set[tuple[str, SnapshotName]] = set()
    while os.getppid() == parent:
        if not _step(store, skipped):
            time.sleep(_LOOK_SECONDS)
    return 0


def _give_way() -> None:
    os.nice(19)
    # Linux shares the processor between sessions first, and only within one by niceness.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", "utf-8")


def _step(store: RunStore, skipped: set[tuple[str, SnapshotName]]) -> bool:
    """Make one embedding, of the newest run that lacks one; false when there is nothing to do."""
    for run in store.list(kind="transfer", limit=_RECENT_RUNS):
        for name, start in pending(run.directory):
            if (run.id, name) in skipped:
                continue
            try:
                _embed_snapshot(run.directory, name, start)
            except (OSError, ValueError, KeyError, BirdError) as error:
                _log.warning("%s %s can't be embedded: %s", run.id, name.file, error)
                skipped.add((run.id, name))
            return True
    return False


def _embed_snapshot(directory: RunDirectory, name: SnapshotName, start: SnapshotName | None) -> None:
    features = read_snapshot(directory, name, "features")["features"]
    points: np.ndarray | None = None
    if start is not None and (directory.artifacts / start.umap_file).exists():
        with np.load(directory.artifacts / start.umap_file, allow_pickle=False) as file:
            points = file["points"]
    save_arrays(directory.artifacts / name.umap_file, {"points": embed(features, points)})


if __name__ == "__main__":
    sys.exit(main())
