"""`execute(spec, writer)`: every kind of run from top to bottom, composed of what the other packages do."""

from __future__ import annotations

import time
from typing import Any, Literal

import torch

import bird_backend
from bird_backend import catalog
from bird_backend.datasets import Dataset, load_dataset
from bird_backend.evaluation import choose_probes, measure_layer_map
from bird_backend.experiments.arm import Arm
from bird_backend.experiments.augmenting import clean, corrupting
from bird_backend.experiments.gallery import draw_gallery, gallery_of_data, gallery_of_picture
from bird_backend.experiments.measuring import choose_source, measure
from bird_backend.experiments.networks import frozen, keep, provenance_of, require_same_classes, trainable
from bird_backend.experiments.summary import figures
from bird_backend.experiments.transfer import transfer
from bird_backend.models import save_weights
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import (
    AnalyzeSpec,
    EvaluateSpec,
    GallerySpec,
    PretrainSpec,
    RobustifySpec,
    RunSpec,
    TransferSpec,
)
from bird_backend.training import choose_device, steps_of, train
from bird_backend.transfer import FineTuning

__all__ = ["execute"]


def execute(spec: RunSpec, writer: RunWriter, *, device: str | None = None) -> dict[str, Any]:
    """Do what `spec` asks, writing into the run's directory; returns the summary. Goes on from checkpoints it finds.

    `device` is the lease a supervisor gave, where the spec says `auto`.
    """
    began = time.monotonic()
    chosen = choose_device(device if device and spec.device == "auto" else spec.device)
    writer.begin("Loading data", 0.02)
    match spec:
        case TransferSpec():
            summary = transfer(spec, _load(spec.data, chosen, writer), chosen, writer)
        case PretrainSpec() | RobustifySpec():
            summary = _make(spec, _load(spec.data, chosen, writer), chosen, writer)
        case EvaluateSpec():
            summary = _evaluate(spec, _load(spec.data, chosen, writer), chosen, writer)
        case AnalyzeSpec():
            summary = _analyze(spec, _load(spec.data, chosen, writer), chosen, writer)
        case GallerySpec():
            summary = _gallery(spec, chosen, writer)
    summary |= {
        "kind": spec.kind,
        "state": "done",
        "run": writer.directory.path.name,
        "data": spec.data,
        "device": str(chosen),
        "seed": spec.seed,
        "seconds": round(time.monotonic() - began, 2),
        "code_version": bird_backend.__version__,
    }
    writer.close(summary)
    return summary


def _load(name: str, device: torch.device, writer: RunWriter) -> Dataset:
    return load_dataset(name, progress=lambda what, part: writer.progress(part, detail=what)).to(device)


def _make(spec: PretrainSpec | RobustifySpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    steps_of(len(data.train), spec.training)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    model = trainable(spec.model, data, spec.seed, device)
    arm = Arm("model", model, data, writer, corruptions=spec.evaluation.corruptions)
    writer.begin("Training on corrupted images" if spec.kind == "robustify" else "Training", 0.85)
    train(
        model,
        FineTuning(),
        data.train,
        spec.training,
        seed=spec.seed,
        transform=corrupting(spec.training, spec.corruptions)
        if isinstance(spec, RobustifySpec)
        else clean(spec.training),
        observer=arm,
        checkpoint=arm.checkpoint,
    )
    predictions = measure({"model": model}, data, spec.evaluation, source, writer)
    role: Literal["teacher", "student"] = "teacher" if spec.kind == "robustify" else "student"
    provenance = provenance_of(spec, data, predictions, "model", role=role, model=spec.model.model)
    save_weights(writer.artifact("model.safetensors"), model, provenance)
    return {
        "n_test": predictions.n,
        **figures(predictions, "model"),
        "images_per_second": arm.images_per_second,
        "checkpoint": keep(spec.save_as, model, provenance),
    }


def _evaluate(spec: EvaluateSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    require_same_classes(spec.model, data)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    model = trainable(spec.model, data, spec.seed, device)
    predictions = measure({"model": model}, data, spec.evaluation, source, writer, share=0.98)
    return {"n_test": predictions.n, **figures(predictions, "model")}


def _analyze(spec: AnalyzeSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    classes = len(data.classes)
    teacher = frozen(spec.teacher, role="teacher", classes=classes, seed=spec.seed, device=device)
    student = frozen(spec.student, role="student", classes=classes, seed=spec.seed, device=device)
    probes = choose_probes(data, embedding=spec.images, gram=16)
    writer.begin("Comparing layers", 0.98)
    layers = measure_layer_map(
        teacher,
        student,
        probes.images,
        teacher_layers=tuple(layer.name for layer in catalog.find_model(spec.teacher.model).layers),
        student_layers=tuple(layer.name for layer in catalog.find_model(spec.student.model).layers),
        estimator=spec.estimator,
        kernel=spec.kernel,
        progress=writer.progress,
    )
    writer.save_json("layer-map.json", layers.as_dict())
    best = max(
        ((value, i, j) for i, row in enumerate(layers.cka) for j, value in enumerate(row)),
        key=lambda entry: entry[0],
    )
    return {
        "n": layers.n,
        "estimator": layers.estimator,
        "kernel": layers.kernel,
        "closest_pair": {
            "teacher": layers.teacher_layers[best[1]],
            "student": layers.student_layers[best[2]],
            "cka": best[0],
        },
    }


def _gallery(spec: GallerySpec, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    if spec.data is not None:
        images, labels, classes = gallery_of_data(_load(spec.data, device, writer), spec.count)
    else:
        images, labels, classes = gallery_of_picture(str(spec.picture), device)
    writer.begin("Drawing", 0.98)
    gallery = draw_gallery(images, labels, classes, seed=spec.seed, progress=writer.progress)
    writer.save_arrays("gallery.npz", gallery.arrays())
    return {"n": len(labels)}
