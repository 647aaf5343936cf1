"""The projector: one patient process that turns the features of snapshots into UMAP embeddings.

UMAP spends some ten seconds compiling in every process, so one process does it for all runs, at the lowest priority
and on one thread: training comes first. Until an embedding is there, readers show the snapshot's PCA.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
import warnings
from pathlib import Path

import numpy as np

from bird_backend.errors import BirdError
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import SnapshotName, read_embedding, read_snapshot, snapshots, umap_files
from bird_backend.runs.store import FINAL, RunStore
from bird_backend.runs.writing import save_arrays

__all__ = ["Projector", "embed", "main", "pending"]

_log = logging.getLogger("bird.projector")

NEIGHBOURS = 15
MIN_DISTANCE = 0.1
_FIRST_EPOCHS = 200
_NEXT_EPOCHS = 60
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
    made = umap_files(directory)
    origin: SnapshotName | None = None
    previous: SnapshotName | None = None
    for name in sorted(snapshots(directory), key=_order):
        if name.model == "teacher":
            start = None
        elif name.step == 0:
            # Every arm starts from the same student, so the first arm's first layout is the others' too.
            start, origin = origin, origin or name
        else:
            start = previous if previous is not None and previous.model == name.model else origin
        if name.umap_file not in made:
            work.append((name, start))
        previous = name
    return work


def _order(name: SnapshotName) -> tuple[bool, bool, SnapshotName]:
    """The teacher's, which every view shows, then the run's own arm's, and those of what it is compared with last."""
    return name.model != "teacher", name.model == "fine-tuning", name


def main() -> int:
    """Lay out what there is, then sleep until the supervisor says that there may be more; end when it is gone."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s  %(message)s", force=True)
    _give_way()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # TERM keeps its default: a handler would have to wait for the compiler, and nothing here needs tidying.
    projector = Projector(RunStore())
    embed(np.random.default_rng(0).normal(size=(64, 8)))  # compiles
    while _is_told():
        try:
            while projector.step() and not _is_alone():
                pass
        except (BirdError, OSError) as error:
            # A held table or a full disk: the next word from the supervisor is another try.
            _log.warning("%s", error)
    return 0


def _is_told() -> bool:
    """Wait for a word on standard input; false where the supervisor, its other end, is gone."""
    return bool(os.read(sys.stdin.fileno(), 4096))


def _is_alone() -> bool:
    """Whether the supervisor is gone, which ends its hold on our standard input."""
    look = select.poll()
    look.register(sys.stdin.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in look.poll(0))


def _give_way() -> None:
    os.nice(19)
    # Linux shares the processor between sessions first, and only within one by niceness.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", "utf-8")


class Projector:
    """What is left to lay out, looked for among few runs: those that someone opened, and the newest."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._skipped: set[tuple[str, SnapshotName]] = set()

    def step(self) -> bool:
        """Make one embedding, of the run that was opened last if it lacks one; false when there is nothing to do."""
        for run in self._store.not_laid_out(recent=_RECENT_RUNS):
            for name, start in pending(run.directory):
                if (run.id, name) in self._skipped:
                    continue
                try:
                    _embed_snapshot(run.directory, name, start)
                except (ValueError, KeyError, BirdError) as error:
                    _log.warning("%s %s can't be embedded: %s", run.id, name.file, error)
                    self._skipped.add((run.id, name))
                return True
            if run.state in FINAL:
                self._store.set_laid_out(run.id)
                self._skipped = {(run_id, name) for run_id, name in self._skipped if run_id != run.id}
        return False


def _embed_snapshot(directory: RunDirectory, name: SnapshotName, start: SnapshotName | None) -> None:
    features = read_snapshot(directory, name, "features")["features"]
    points: np.ndarray | None = None
    if start is not None and (directory.artifacts / start.umap_file).exists():
        points = read_embedding(directory, start)[0]
    save_arrays(directory.artifacts / name.umap_file, {"points": embed(features, points)})


if __name__ == "__main__":
    sys.exit(main())
