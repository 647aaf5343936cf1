"""What this machine has to train on: cores, and the devices that the worker found with torch."""

from __future__ import annotations

import os
from dataclasses import dataclass

from bird_backend.runs.devices import kept_devices

__all__ = ["Machine", "machine"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Cores this process may use, and the names of the GPUs; none of these before the worker has looked."""

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


def machine() -> Machine:
    """This machine as the worker last found it, in a file that takes no time to read."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    found = kept_devices() or ()
    gpus = tuple(device.title for device in found if device.name.startswith("cuda"))
    return Machine(cores=cores, gpus=gpus, apple=any(device.name == "mps" for device in found))
