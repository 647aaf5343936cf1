"""Writing a corrupted set: `python -m bird_backend corrupt IN OUT_DIR`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bird_backend.behaviours.corruptions.stored import write_corrupted_set
from bird_backend.behaviours.trial import Trial
from bird_backend.corruptions import source_of_constants
from bird_backend.datasets import load_dataset
from bird_backend.datasets.npy import open_npy
from bird_backend.errors import InputError
from bird_backend.jobs.process import OnProgress
from bird_backend.specs import ImageSize
from bird_backend.training import choose_device

__all__ = ["corrupt_into"]

Source = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64] | None]


def corrupt_into(
    source: str,
    folder: Path,
    *,
    trial: Trial,
    device: str,
    overwrite: bool,
    image_size: ImageSize,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Corrupt the images of `source`, a `.npy` file or a data set whose test split is meant, into files in `folder`.

    A data set's are brought to `image_size`, those of a file stay as large as they are.
    """
    began = time.monotonic()
    chosen = choose_device(device)
    images, labels = _read(source, image_size, on_progress)
    trial.check(torch.zeros(1, 3, *images.shape[1:3], dtype=torch.uint8, device=chosen))
    began_writing = time.monotonic()

    def progress(name: str, fraction: float) -> None:
        seconds = time.monotonic() - began_writing
        on_progress(f"Corrupting: {name}", fraction, seconds * (1 - fraction) / fraction if fraction > 0.02 else None)

    files = write_corrupted_set(
        folder,
        images,
        labels,
        trial=trial,
        device=chosen,
        overwrite=overwrite,
        progress=progress,
    )
    return {
        "folder": str(folder),
        "files": [path.name for path in files],
        "bytes": sum(path.stat().st_size for path in files),
        "images": len(images),
        "size": list(images.shape[1:3]),
        "constants": source_of_constants(min(images.shape[1:3])),
        "corruptions": list(trial.settings.conditions),
        "severities": list(trial.settings.strengths),
        "labels": labels is not None,
        "seed": trial.seed,
        "device": str(chosen),
        "seconds": round(time.monotonic() - began, 2),
    }


def _read(source: str, image_size: ImageSize, on_progress: OnProgress) -> Source:
    """Images uint8 [N,H,W,3] and, of a data set, their labels [N]."""
    if not source.endswith(".npy"):
        data = load_dataset(
            source,
            image_size=image_size,
            progress=lambda what, _: on_progress(f"Loading data: {what}", 0.0, None),
        )
        return data.test.images.permute(0, 2, 3, 1).numpy(), data.test.labels.numpy()
    images = open_npy(Path(source))
    if images.dtype != np.uint8:
        raise InputError(f"{source} holds {images.dtype}; images to corrupt are uint8 from 0 to 255.")
    if images.ndim != 4 or images.shape[3] != 3:
        raise InputError(f"{source} has the shape {list(images.shape)}; images to corrupt are [N,H,W,3].")
    if images.size == 0:
        raise InputError(f"{source} has the shape {list(images.shape)}, so there is nothing to corrupt.")
    return images, None
