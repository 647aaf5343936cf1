"""A `.npy` file looked into without reading it: the header is checked first, rows are read when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from bird_backend.errors import InputError

__all__ = ["open_npy"]

_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], tuple[tuple[int, ...], bool, np.dtype[Any]]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def open_npy(path: Path, *, private: bool = False) -> npt.NDArray[Any]:
    """The file's array, mapped read-only; `private`: what is written to it stays in this process.

    One that is missing, not an array of numbers or cut short is an `InputError`.
    Bytes after the array are left alone, as NumPy leaves them.
    """
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
            start = file.tell()
        if min(shape, default=0) < 0:
            raise ValueError
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from error
    except Exception as error:  # the header's parser raises whatever it stumbles over
        raise InputError(f"{path} is not a .npy file.") from error
    if dtype.hasobject:
        raise InputError(f"{path} holds Python objects, which can carry code and aren't read; numbers are.")
    missing = start + math.prod(shape) * dtype.itemsize - size
    if missing > 0:
        raise InputError(f"{path} is cut short: {missing:,} bytes are missing at its end.")
    if math.prod(shape) == 0:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "c" if private else "r", start, shape, "F" if fortran else "C")
