"""CKA of two `.npy` files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from bird_backend.errors import InputError
from bird_backend.similarity import Estimator, Kernel, cka, cka_null

__all__ = ["compare"]


def compare(a: Path, b: Path, *, kernel: str, estimator: str) -> dict[str, Any]:
    """`cka`, `n`, `null` (the mean over ten shuffles), `kernel`, `estimator`; further axes are flattened."""
    X, Y = (_read(path) for path in (a, b))
    arguments = {"kernel": cast("Kernel", kernel), "estimator": cast("Estimator", estimator)}
    value = float(cka(X, Y, **arguments))  # type: ignore[arg-type]
    null = cka_null(X, Y, **arguments)  # type: ignore[arg-type]
    return {"cka": value, "n": len(X), "null": null, "kernel": kernel, "estimator": estimator}


def _read(path: Path) -> torch.Tensor:
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} is not a .npy file of numbers.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise InputError(f"{path} is not a .npy file of real numbers.")
    if array.ndim < 2 or array.size == 0:
        raise InputError(f"{path} has the shape {list(array.shape)}; representations are [images, features].")
    if not np.isfinite(array).all():
        raise InputError(f"{path} holds values that are not finite.")
    return torch.from_numpy(array.reshape(len(array), -1).astype(np.float64))
