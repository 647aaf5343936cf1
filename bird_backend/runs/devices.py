"""What torch can compute on here, as the worker last found it: kept in the home, so that nobody else has to ask.

Asking takes torch, hence seconds and a process of its own (`jobs.devices`). NVML would answer at once, but it knows
neither CUDA_VISIBLE_DEVICES nor what torch was built for.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bird_backend import settings
from bird_backend.runs.directory import write_json

__all__ = ["Device", "keep_devices", "kept_devices", "lease_name"]

_DRIVER = Path("/proc/driver/nvidia")


@dataclass(frozen=True, kw_only=True)
class Device:
    """One that `auto` may take: its name in a spec, and its maker's name for it."""

    name: str
    title: str


def lease_name(wanted: str) -> str:
    """The device that a spec's `device` stands for: torch takes the first where `cuda` has no number."""
    return "cuda:0" if wanted == "cuda" else wanted


def kept_devices(*, current: bool = False) -> tuple[Device, ...] | None:
    """This machine's devices as they were last found, the preferred first; none where they were not yet.

    `current` asks too that driver, torch and what the environment lets it see are those of this process.
    """
    found = _read().get(socket.gethostname())
    if not isinstance(found, dict) or (current and found.get("under") != _circumstances()):
        return None
    try:
        return tuple(Device(**device) for device in found["devices"])
    except (KeyError, TypeError):
        return None


def keep_devices(devices: Sequence[Device]) -> None:
    """Keep what was found for whoever asks next."""
    kept = _read() | {
        socket.gethostname(): {"under": _circumstances(), "devices": [asdict(device) for device in devices]}
    }
    settings.make_home()
    write_json(_path(), kept)


def _read() -> dict[str, object]:
    try:
        kept = json.loads(_path().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _path() -> Path:
    return settings.home() / "devices.json"


def _circumstances() -> dict[str, object]:
    """All that torch's answer depends on."""
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = None
    gpus = _DRIVER / "gpus"
    return {
        "torch": torch,
        "python": sys.prefix,
        "driver": (_DRIVER / "version").read_text("utf-8", "replace") if (_DRIVER / "version").exists() else None,
        "gpus": sorted(path.name for path in gpus.iterdir()) if gpus.is_dir() else [],
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.endswith("VISIBLE_DEVICES")},
    }
