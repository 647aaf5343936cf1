"""`execute(spec, writer)`: every kind of run from top to bottom, composed of what the other packages do."""

from __future__ import annotations

import time
from typing import Any, Literal

import torch
from torch import Tensor, nn

import bird_backend
from bird_backend import catalog, settings
from bird_backend.activations import Pooling
from bird_backend.corruptions import random_corruptions
from bird_backend.datasets import Dataset, augment, load_dataset
from bird_backend.errors import InputError, RunError
from bird_backend.evaluation import Geometry, Snapshotter, choose_probes, layer_features, measure_layer_map
from bird_backend.experiments.arm import Arm
from bird_backend.experiments.gallery import draw_gallery, gallery_of_data, gallery_of_picture
from bird_backend.experiments.measuring import choose_source, measure
from bird_backend.experiments.summary import as_json, figures, relative_figures
from bird_backend.measures import Predictions, by_group, gain
from bird_backend.models import load_model, save_checkpoint
from bird_backend.runs.provenance import Provenance, find_checkpoint, read_provenance
from bird_backend.runs.reading import SnapshotName
from bird_backend.runs.writing import RunWriter
from bird_backend.seeds import derive_seed
from bird_backend.specs import (
    AnalyzeSpec,
    BirdMethod,
    EvaluateSpec,
    FineTuningMethod,
    GallerySpec,
    Method,
    ModelRef,
    PretrainSpec,
    RobustifySpec,
    RunSpec,
    Training,
    TransferSpec,
)
from bird_backend.training import Transform, choose_device, prepare, steps_of, train
from bird_backend.transfer import FineTuning, build_method

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
            summary = _transfer(spec, _load(spec.data, chosen, writer), chosen, writer)
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


def _transfer(spec: TransferSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    asked = spec.method.name
    arms: list[Method] = [spec.method]
    if spec.baseline and asked != "fine-tuning":
        arms.append(FineTuningMethod())
    steps_of(len(data.train), spec.training)
    _require_same_classes(spec.student, data)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    teacher = _frozen(spec.teacher, classes=len(data.classes), seed=spec.seed, device=device)
    students: dict[str, nn.Module] = {"before": _trainable(spec.student, data, spec.seed, device)}

    pair = spec.drawn_pair
    pooling: Pooling = spec.method.pooling if isinstance(spec.method, BirdMethod) else "mean"
    probes = choose_probes(data, embedding=spec.snapshots.embedding_images, gram=spec.snapshots.gram_images)
    guiding = layer_features(teacher, probes.images, (pair.teacher,), pooling)[pair.teacher]
    writer.save_arrays("probes.npz", probes.arrays())
    teacher_drawing = Snapshotter(probes, guiding, layer=pair.teacher, pooling=pooling).arrays(guiding)
    writer.save_arrays(SnapshotName("teacher", 0).file, teacher_drawing)
    # Its first drawing fixes the axes of the projection, so it is of the untouched student, in a resumed run too.
    snapshotter = Snapshotter(probes, guiding, layer=pair.student, pooling=pooling)
    geometry: dict[str, Geometry] = {"before": _geometry(snapshotter, students["before"])}

    images_per_second = 0.0
    for method in arms:
        student = _trainable(spec.student, data, spec.seed, device)
        arm = Arm(
            method.name,
            student,
            data,
            writer,
            snapshotter=snapshotter,
            snapshots=spec.snapshots.count,
            corruptions=spec.evaluation.corruptions,
        )
        writer.begin(f"Training with {catalog.find_method(method.name).title}", 0.8 / len(arms))
        train(
            student,
            build_method(method, teacher=teacher),
            data.train,
            spec.training,
            seed=spec.seed,
            transform=_clean(spec.training),
            observer=arm,
            checkpoint=arm.checkpoint,
        )
        students[method.name] = student
        geometry[method.name] = _geometry(snapshotter, student)
        images_per_second = images_per_second or arm.images_per_second

    predictions = measure(students, data, spec.evaluation, source, writer)
    provenance = {
        name: _provenance(spec, data, predictions, name, role="student", model=spec.student.model)
        for name in students
        if name != "before"
    }
    for name, origin in provenance.items():
        save_checkpoint(writer.artifact(f"student-{name}.safetensors"), students[name], origin)

    names = spec.evaluation.corruptions
    keys = {"before": "before", **({"fine-tuning": "fine-tuning"} if len(arms) > 1 else {}), "after": asked}
    return {
        "method": asked,
        "n_test": predictions.n,
        **relative_figures(predictions, keys),
        "gain_over_before": as_json(gain(predictions, asked, "before", names)),
        "gain_over_fine_tuning": as_json(gain(predictions, asked, "fine-tuning", names)) if len(arms) > 1 else None,
        "cka_before": geometry["before"].cka,
        "cka_after": geometry[asked].cka,
        "cka": {key: {"value": geometry[name].cka, "null": geometry[name].null} for key, name in keys.items()},
        "cka_n": geometry["before"].n,
        "cka_estimator": "debiased",
        "images_per_second": images_per_second,
        "checkpoint": _keep(spec.save_as, students[asked], provenance[asked]),
    }


def _geometry(snapshotter: Snapshotter, student: nn.Module) -> Geometry:
    drawn = snapshotter.draw(student)
    if drawn is None:
        raise RunError("The student's features at its guided layer are not finite numbers, so it has no geometry.")
    return drawn[0]


def _make(spec: PretrainSpec | RobustifySpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    steps_of(len(data.train), spec.training)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    model = _trainable(spec.model, data, spec.seed, device)
    arm = Arm("model", model, data, writer, corruptions=spec.evaluation.corruptions)
    writer.begin("Training on corrupted images" if spec.kind == "robustify" else "Training", 0.85)
    train(
        model,
        FineTuning(),
        data.train,
        spec.training,
        seed=spec.seed,
        transform=_corrupting(spec) if isinstance(spec, RobustifySpec) else _clean(spec.training),
        observer=arm,
        checkpoint=arm.checkpoint,
    )
    predictions = measure({"model": model}, data, spec.evaluation, source, writer)
    role: Literal["teacher", "student"] = "teacher" if spec.kind == "robustify" else "student"
    provenance = _provenance(spec, data, predictions, "model", role=role, model=spec.model.model)
    save_checkpoint(writer.artifact("model.safetensors"), model, provenance)
    return {
        "n_test": predictions.n,
        **figures(predictions, "model"),
        "images_per_second": arm.images_per_second,
        "checkpoint": _keep(spec.save_as, model, provenance),
    }


def _evaluate(spec: EvaluateSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    _require_same_classes(spec.model, data)
    source = choose_source(spec.evaluation, data, seed=spec.seed)
    model = _trainable(spec.model, data, spec.seed, device)
    predictions = measure({"model": model}, data, spec.evaluation, source, writer, share=0.98)
    return {"n_test": predictions.n, **figures(predictions, "model")}


def _analyze(spec: AnalyzeSpec, data: Dataset, device: torch.device, writer: RunWriter) -> dict[str, Any]:
    teacher = _frozen(spec.teacher, classes=len(data.classes), seed=spec.seed, device=device)
    student = _frozen(spec.student, classes=len(data.classes), seed=spec.seed, device=device)
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


def _clean(training: Training) -> Transform:
    def transform(images: Tensor, generator: torch.Generator, _: torch.Generator) -> Tensor:
        return augment(images, generator) if training.augment else images

    return transform


def _corrupting(spec: RobustifySpec) -> Transform:
    clean = _clean(spec.training)

    def transform(images: Tensor, generator: torch.Generator, cpu_generator: torch.Generator) -> Tensor:
        images = clean(images, generator, cpu_generator)
        return random_corruptions(images, spec.corruptions, generator=generator, cpu_generator=cpu_generator)

    return transform


def _frozen(ref: ModelRef, *, classes: int, seed: int, device: torch.device) -> nn.Module:
    """A network that is only looked at. Its weights may be for any number of classes; random ones are for `classes`."""
    count = classes if ref.weights is None else None
    model, _ = load_model(ref, classes=count, seed=derive_seed(seed, f"weights of {ref.model}"))
    return prepare(model, device).eval().requires_grad_(False)


def _trainable(ref: ModelRef, data: Dataset, seed: int, device: torch.device) -> nn.Module:
    """A network for the classes of `data`; weights for another number of classes are an error."""
    model, _ = load_model(ref, classes=len(data.classes), seed=derive_seed(seed, f"weights of {ref.model}"))
    return prepare(model, device)


def _require_same_classes(ref: ModelRef, data: Dataset) -> None:
    """An accuracy before any training means nothing where the output units stand for other classes."""
    if ref.weights is None:
        return
    origin = read_provenance(find_checkpoint(ref.weights))
    if origin is not None and origin.classes != data.classes:
        raise InputError(
            f"The weights {ref.weights} tell apart the classes of {origin.data}, not those of {data.name};"
            f" train a network on {data.name} first."
        )


def _provenance(
    spec: TransferSpec | PretrainSpec | RobustifySpec,
    data: Dataset,
    predictions: Predictions,
    arm: str,
    *,
    role: Literal["teacher", "student"],
    model: str,
) -> Provenance:
    clean, robust = by_group(predictions, arm, "clean"), by_group(predictions, arm, "robust")
    return Provenance(
        model=model,
        classes=data.classes,
        data=spec.data,
        recipe=spec.model_dump(mode="json"),
        seed=spec.seed,
        clean_accuracy=clean.value if clean else None,
        robust_accuracy=robust.value if robust else None,
        n_test=predictions.n,
        code_version=bird_backend.__version__,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        title=spec.title,
        role=role,
    )


def _keep(name: str | None, model: nn.Module, provenance: Provenance) -> str | None:
    """Save under `name` in the checkpoints folder, never over another: a taken name gets a number."""
    if name is None:
        return None
    folder = settings.checkpoints_dir()
    folder.mkdir(parents=True, exist_ok=True)
    free = next(
        candidate
        for candidate in (name, *(f"{name}-{number}" for number in range(2, 10_000)))
        if not (folder / f"{candidate}.safetensors").exists()
    )
    save_checkpoint(folder / f"{free}.safetensors", model, provenance)
    return free
