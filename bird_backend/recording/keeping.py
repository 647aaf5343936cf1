"""A recorded student's weights, kept with where they come from as those of the engine's own runs are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from torch import nn

from bird_backend.experiments import RecordSpec
from bird_backend.experiments.networks import keep
from bird_backend.measures.figures import read_figure
from bird_backend.models import save_weights
from bird_backend.recording.rows import ARM
from bird_backend.runs.identity import code_version
from bird_backend.runs.provenance import Provenance
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import Preprocessing

__all__ = ["keep_student"]


def keep_student(
    writer: RunWriter,
    student: nn.Module,
    *,
    spec: RecordSpec,
    measured: Mapping[str, Any],
    model: str,
    classes: tuple[str, ...],
    image_size: int,
    data: str,
    preprocessing: Preprocessing | None,
    name: str | None,
) -> str | None:
    """As the run's `model.safetensors` and, where there is a name, among the home's checkpoints; returns that name.

    `measured` is the summary of an evaluation, which accuracies are from; empty where there was none.
    """
    clean, robust = (read_figure(measured, ARM, figure) for figure in ("clean", "robust"))
    provenance = Provenance(
        model=model,
        classes=classes,
        data=data,
        recipe=spec.model_dump(mode="json"),
        seed=spec.seed,
        clean_accuracy=None if clean is None else clean.value,
        robust_accuracy=None if robust is None else robust.value,
        n_test=0 if clean is None else clean.n,
        code_version=code_version(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        title=spec.name,
        image_size=image_size,
        preprocessing=preprocessing,
        role="student",
    )
    save_weights(writer.artifact("model.safetensors"), student, provenance)
    return keep(name, student, provenance)
