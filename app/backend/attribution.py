"""What each probe image adds to the CKA of a run's snapshots, for rankings and for the colours of a map."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from app.backend.data import Run, SnapshotName
from bird_backend.runs.attribution import Attribution, read_attribution
from bird_backend.runs.directory import RunDirectory

__all__ = ["Attribution", "attribution"]


def attribution(run: Run, name: SnapshotName) -> Attribution | None:
    """Of a student's snapshot, [N] in the order of the run's probes; none of the teacher's.

    None too of a run from before it was kept. Do not write to it: it is shared. An `InputError` where the file is
    damaged.
    """
    return _attribution(str(run.directory.path), name)


@lru_cache(maxsize=256)
def _attribution(path: str, name: SnapshotName) -> Attribution | None:
    return read_attribution(RunDirectory(Path(path)), name)
