"""Measuring a network that is there."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.evaluate import EvaluateSpec
from bird_backend.experiments.measuring import measure, open_trial
from bird_backend.experiments.networks import require_same_classes, trainable
from bird_backend.experiments.summary import summarise
from bird_backend.experiments.work import Work
from bird_backend.runs.checks import check_held_out

__all__ = ["execute"]


def execute(spec: EvaluateSpec, work: Work) -> dict[str, Any]:
    """Its figures on the test images."""
    data = work.load(spec.data, spec.image_size)
    require_same_classes(spec.model, data)
    check_held_out(spec.model.weights, spec.behaviour)
    trial = open_trial(spec, data)
    model = trainable(spec.model, data, spec.seed, work.device)
    predictions = measure({"model": model}, data, spec, trial, work, share=0.98)
    return summarise(predictions, after="model", recorded={}, strengths=trial.strengths)
