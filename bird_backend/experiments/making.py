"""A network trained by itself: what making a teacher and making a student have in common."""

from __future__ import annotations

from typing import Any, Literal

from bird_backend.datasets import Dataset
from bird_backend.experiments.arm import Arm, rewind
from bird_backend.experiments.measuring import measure, open_trial
from bird_backend.experiments.networks import keep, provenance_of, trainable
from bird_backend.experiments.pretrain import PretrainSpec
from bird_backend.experiments.robustify import RobustifySpec
from bird_backend.experiments.summary import summarise
from bird_backend.experiments.work import Work
from bird_backend.models import save_weights
from bird_backend.training import Classification, Source, steps_of, train
from bird_backend.transfer.fine_tuning.loss import FineTuning

__all__ = ["make_network"]


def make_network(
    spec: PretrainSpec | RobustifySpec,
    data: Dataset,
    work: Work,
    *,
    role: Literal["teacher", "student"],
    phase: str,
    images: Source,
) -> dict[str, Any]:
    """Train it on `images`, measure it, and keep its weights with their provenance."""
    writer = work.writer
    steps_of(len(data.train), spec.training)
    trial = open_trial(spec, data)
    model = trainable(spec.model, data, spec.seed, work.device)
    arm = Arm("model", model, data, writer, settings=spec.behaviour)
    rewind(writer, [arm.name])
    writer.begin(phase, 0.85)
    train(
        model,
        FineTuning(),
        images,
        spec.training,
        task=Classification(),
        seed=spec.seed,
        observer=arm,
        checkpoint=arm.checkpoint,
    )
    predictions = measure({"model": model}, data, spec, trial, work)
    validation = arm.validation()
    provenance = provenance_of(
        spec, data, predictions, "model", role=role, model=spec.model.model, network=model, validation=validation
    )
    save_weights(writer.artifact("model.safetensors"), model, provenance)
    return {
        **summarise(predictions, after="model", recorded={"model": validation}, strengths=trial.strengths),
        "images_per_second": arm.images_per_second,
        "weights": keep(spec.save_as, model, provenance),
    }
