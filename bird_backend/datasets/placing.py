"""Where a data set's images lie while a run works on them: on its device, or mapped and brought there in batches."""

from __future__ import annotations

import os

import torch

from bird_backend import settings
from bird_backend.datasets.dataset import Dataset

__all__ = ["place", "room_on"]

_SHARE = 0.4
"""Of a device's free memory, or of this machine's: the rest is for networks and what they work on."""


def place(data: Dataset, device: torch.device) -> Dataset:
    """The data set on `device`, its images too where all of them fit in `room_on` it, else fetched ahead."""
    size = sum(split.images.nbytes for split in (data.train, data.validation, data.test))
    return data.to(device, streamed=size > room_on(device))


def room_on(device: torch.device) -> int:
    """Bytes of images that may lie on a device: what the settings say, else a share of what is free there."""
    if (asked := settings.image_memory()) is not None:
        return asked
    if device.type == "cuda":
        return int(_SHARE * torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(_SHARE * torch.mps.recommended_max_memory())
    return int(_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
