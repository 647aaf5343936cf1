"""Asking torch what it can compute on: `python -m bird_backend.jobs.devices` finds it and keeps it in the home.

Only torch knows what it was built for and what CUDA_VISIBLE_DEVICES leaves of the machine; and a process that has asked
CUDA holds some of the first device's memory until it ends, so the supervisor has another one ask.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from bird_backend import settings
from bird_backend.runs.devices import Device, keep_devices, kept_devices

__all__ = ["ask_torch", "find_devices", "known_devices", "main", "start_asking"]

_CPU = Device(name="cpu", title="CPU")
_DEV = Path("/dev")
_GPU_NODES = ("nvidia*", "nvhost*", "nvgpu*", "kfd", "dxg")
"""What Linux has in `/dev` for NVIDIA's cards and boards, for AMD's, and for either under Windows: without any of them
no build of torch finds a GPU, and most machines need not load it to learn that."""


def ask_torch() -> tuple[Device, ...]:
    """The devices that `auto` may take, found with torch in this process."""
    import torch  # noqa: PLC0415 - seconds, and the supervisor must not load it

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return tuple(Device(name=f"cuda:{index}", title=name) for index, name in enumerate(names))
    if torch.backends.mps.is_available():
        return (Device(name="mps", title="Apple GPU"),)
    return (_CPU,)


def known_devices() -> tuple[Device, ...] | None:
    """The devices as they are kept, or the CPU where the machine has no GPU to ask for; none where torch must tell."""
    found = kept_devices(current=True)
    if found is None and sys.platform == "linux" and not any(any(_DEV.glob(nodes)) for nodes in _GPU_NODES):
        found = (_CPU,)
        _keep(found)
    return found


def find_devices() -> list[str]:
    """Names of the devices that `auto` may take: as known, else asked in this process, which is going to compute."""
    found = known_devices()
    if found is None:
        found = ask_torch()
        _keep(found)
    return [device.name for device in found]


def _keep(found: tuple[Device, ...]) -> None:
    """What can't be kept, the disk being full, is only asked again next time."""
    with suppress(OSError):
        keep_devices(found)


def start_asking() -> subprocess.Popen[bytes]:
    """A process that asks and keeps the answer in the home; its end says that it is there, or why not."""
    return subprocess.Popen(
        [sys.executable, "-m", "bird_backend.jobs.devices"], stdin=subprocess.DEVNULL, cwd=settings.CODE
    )


def main() -> int:
    """Ask and keep."""
    keep_devices(ask_torch())
    return 0


if __name__ == "__main__":
    sys.exit(main())
