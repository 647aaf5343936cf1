"""What this machine has to train on, found without torch: cores, and NVIDIA GPUs by name."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache

__all__ = ["Machine", "machine"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Cores this process may use, and the names of the GPUs."""

    cores: int
    gpus: tuple[str, ...]
    apple: bool

    @property
    def devices(self) -> tuple[str, ...]:
        """What a spec's `device` may say here."""
        cuda = tuple(f"cuda:{index}" for index in range(len(self.gpus))) if len(self.gpus) > 1 else ()
        return ("auto", "cpu", *(("cuda",) if self.gpus else ()), *cuda, *(("mps",) if self.apple else ()))

    @property
    def words(self) -> str:
        """What `auto` will use, for a person."""
        if self.gpus:
            more = f" and {len(self.gpus) - 1} more" if len(self.gpus) > 1 else ""
            return f"{self.gpus[0]}{more}"
        if self.apple:
            return "Apple GPU"
        return f"CPU, {self.cores} core{'s' if self.cores != 1 else ''}"


@cache
def machine() -> Machine:
    """This machine, looked at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return Machine(cores=cores, gpus=_nvidia_names(), apple=apple)


def _nvidia_names() -> tuple[str, ...]:
    try:
        import pynvml  # noqa: PLC0415 - loads the driver's library, which most machines lack

        pynvml.nvmlInit()
    except Exception:
        return ()  # no driver, no GPU
    try:
        handles = (pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount()))
        return tuple(str(pynvml.nvmlDeviceGetName(handle)) for handle in handles)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()
