"""What each probe image adds to a snapshot's CKA with the teacher, as a run keeps it: see `similarity.attribution`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import SnapshotName, read_arrays

__all__ = ["Attribution", "read_attribution"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """Float32 [N] each, of the embedding probes in their order."""

    share: np.ndarray
    """Of the debiased CKA, which is their sum and is the snapshot's `cka` in the metrics."""
    share_biased: np.ndarray
    """Of the biased CKA, which is their sum: Σ_j K_ij L_ij / (‖K‖ ‖L‖) of the centred Gram matrices."""
    agreement: np.ndarray
    """Cosine of the image's rows in the two debiased Gram matrices, in [-1, 1]."""

    def arrays(self) -> dict[str, np.ndarray]:
        """As kept in a snapshot's file."""
        return {field.name: getattr(self, field.name).astype(np.float32) for field in fields(self)}


def read_attribution(directory: RunDirectory, name: SnapshotName) -> Attribution | None:
    """Of a student's snapshot; none of the teacher's, and of those made before it was kept."""
    return read_arrays(directory, name.file, _of)


def _of(arrays: Mapping[str, np.ndarray]) -> Attribution | None:
    names = [field.name for field in fields(Attribution)]
    return Attribution(**{name: arrays[name] for name in names}) if set(names) <= set(arrays) else None
