"""Which device a run gets that is done here and now, rather than by a supervisor."""

from __future__ import annotations

from bird_backend.jobs.devices import find_devices
from bird_backend.runs.devices import lease_name
from bird_backend.runs.store import RunStore

__all__ = ["lease"]


def lease(wanted: str) -> str:
    """The device for a run that is done here and now: for `auto` one that no other run has, if there is one."""
    if wanted != "auto":
        return lease_name(wanted)
    devices = find_devices()
    taken = {run.device for run in RunStore().list(states=("running",))}
    return next((device for device in devices if device not in taken), devices[0])
