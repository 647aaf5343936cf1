"""Reading a data set to say what is in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bird_backend.datasets import Dataset
from bird_backend.evaluation import probes_among
from bird_backend.evaluation.thumbnails import SIDE, thumbnails
from bird_backend.experiments.inspect import InspectSpec
from bird_backend.experiments.work import Work
from bird_backend.runs.reading import ContactSheet

__all__ = ["execute"]

_PER_CLASS = 12
_AT_MOST = 600


def execute(spec: InspectSpec, work: Work) -> dict[str, Any]:
    """What a data set says of itself (`Dataset.describe`); some images of each class, kept as `contact-sheet.npz`."""
    data = work.read(spec.data, spec.image_size)
    work.writer.save_arrays("contact-sheet.npz", _contact_sheet(data).arrays())
    return data.describe()


def _contact_sheet(data: Dataset) -> ContactSheet:
    count = min(_PER_CLASS * len(data.classes), _AT_MOST)
    chosen = probes_among(data.train, data.classes, embedding=count, gram=1)
    by_class = chosen.labels.argsort(stable=True)
    return ContactSheet(
        images=thumbnails(chosen.images[by_class], SIDE),
        labels=chosen.labels[by_class].numpy(),
        classes=np.array(data.classes, dtype=np.str_),
    )
