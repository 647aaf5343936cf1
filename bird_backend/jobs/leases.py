"""Which device a run may have: one training run a device, and one quick job beside it."""

from __future__ import annotations

import platform
from collections.abc import Iterable

from bird_backend.experiments import KINDS
from bird_backend.runs.store import Run

__all__ = ["find_devices", "grant"]


def find_devices() -> list[str]:
    """The devices of this machine, found without torch: CUDA ones by their driver, else Apple's, else the CPU."""
    import pynvml  # noqa: PLC0415 - loads the driver

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ["mps"] if platform.system() == "Darwin" and platform.machine() == "arm64" else ["cpu"]
    try:
        count = pynvml.nvmlDeviceGetCount()
    finally:
        pynvml.nvmlShutdown()
    return [f"cuda:{index}" for index in range(count)] or ["cpu"]


def grant(wanted: str, kind: str, *, devices: Iterable[str], busy: Iterable[Run]) -> str | None:
    """A device for a run that wants `wanted` (`auto`: any), or none while all it could take are taken.

    A device that is asked for by name and unknown here is granted as named: the run itself says what is wrong with it.
    """
    light = KINDS[kind].light
    taken = {run.device for run in busy if KINDS[run.kind].light == light}
    if wanted == "cuda":
        wanted = "cuda:0"
    candidates = list(devices) if wanted == "auto" else [wanted]
    return next((device for device in candidates if device not in taken), None)
