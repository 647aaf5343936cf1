"""What a checkpoint often holds beside its weights and needs no code of the file's to be opened: settings, and scores.

torch's own list of what `weights_only` opens leaves these out. Each only keeps what it is given: none opens a file,
starts a process or looks anything up.
"""

from __future__ import annotations

import argparse
import pathlib
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy._core import multiarray

__all__ = ["tolerated_globals"]

_MAPPINGS = (
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)
"""Lightning's hyperparameters, opened as plain mappings."""


def tolerated_globals() -> AbstractContextManager[None]:
    """While inside, `torch.load(weights_only=True)` opens these too."""
    kinds = (np.dtypes.Float64DType, np.dtypes.Float32DType, np.dtypes.Int64DType, np.dtypes.Int32DType)
    named = [(multiarray.scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    settings = [(dict, name) for name in _MAPPINGS]
    kept = [argparse.Namespace, np.dtype, *kinds]
    paths = [(pathlib.PurePosixPath, f"pathlib.{name}") for name in ("PosixPath", "PurePosixPath")]
    return torch.serialization.safe_globals([*kept, *named, *paths, *settings])
