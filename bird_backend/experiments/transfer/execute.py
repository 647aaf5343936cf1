"""A transfer from top to bottom: the arms one after the other, and what came of them."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from bird_backend.activations import Pooling
from bird_backend.datasets import Dataset
from bird_backend.errors import RunError
from bird_backend.evaluation import Geometry, Probes, Snapshotter, choose_probes, layer_features
from bird_backend.experiments import EvaluateSpec
from bird_backend.experiments.arm import Arm, rewind
from bird_backend.experiments.augmenting import TrainingImages, changing, clean
from bird_backend.experiments.measuring import measure, open_trial
from bird_backend.experiments.networks import keep, provenance_of
from bird_backend.experiments.summary import summarise
from bird_backend.experiments.transfer import TransferSpec
from bird_backend.experiments.transfer.cast import Cast
from bird_backend.experiments.work import Work
from bird_backend.measures import Interval
from bird_backend.models import save_weights
from bird_backend.runs.directory import write_json
from bird_backend.runs.fork_terms import same_method
from bird_backend.runs.forks import parent_of
from bird_backend.runs.identity import identify
from bird_backend.runs.reading import SnapshotName
from bird_backend.runs.writing import RunWriter
from bird_backend.training import Classification, Origin, steps_of, train
from bird_backend.transfer import METHODS, MatchingSettings, MethodSettings

__all__ = ["execute"]


def execute(spec: TransferSpec, work: Work) -> dict[str, Any]:
    """Train each arm, measure all of them on the same test images, and sum it up."""
    data, device, writer = work.load(spec.data, spec.image_size), work.device, work.writer
    steps_of(len(data.train), spec.training)
    trial = open_trial(spec, data)
    cast = Cast(spec, data, device)
    students: dict[str, nn.Module] = {"before": cast.before}

    pair = cast.drawn
    if spec.drawn_pair is None:
        write_json(writer.directory.drawn, pair.model_dump(mode="json"))
    pooling: Pooling = spec.method.pooling if isinstance(spec.method, MatchingSettings) else "mean"
    probes = choose_probes(data, embedding=spec.snapshots.embedding_images, gram=spec.snapshots.gram_images)
    guiding = _guiding(spec, cast, probes, pooling, work)
    writer.save_arrays("probes.npz", probes.arrays())
    teacher_drawing = Snapshotter(probes, guiding, layer=pair.teacher, pooling=pooling).arrays(guiding)
    writer.save_arrays(SnapshotName("teacher", 0).file, teacher_drawing)
    # Its first drawing fixes the axes of the projection, so it is of the untouched student, in a resumed run too.
    snapshotter = Snapshotter(probes, guiding, layer=pair.student, pooling=pooling)
    untouched = _geometry(snapshotter, students["before"])
    recorded: dict[str, dict[str, Interval]] = {"before": _similarity(untouched, untouched)}

    rewind(writer, [method.name for method in spec.arms])
    images_per_second = 0.0
    for method in spec.arms:
        student, built = cast.begin(method)
        from_teacher = method == spec.method and spec.start == "teacher"
        start = _geometry(snapshotter, student) if from_teacher else untouched
        arm = Arm(
            method.name,
            student,
            data,
            writer,
            snapshotter=snapshotter,
            snapshots=spec.snapshots.count,
            settings=spec.behaviour,
        )
        writer.begin(f"Training with {METHODS[method.name].title}", 0.8 / len(spec.arms))
        train(
            student,
            built,
            _images(spec, method, data),
            spec.training,
            task=Classification(),
            seed=spec.seed,
            observer=arm,
            checkpoint=arm.checkpoint,
            origin=_origin(spec, method, writer),
        )
        students[method.name] = student
        recorded[method.name] = _similarity(start, _geometry(snapshotter, student)) | arm.validation()
        images_per_second = images_per_second or arm.images_per_second

    predictions = measure(students, data, spec, trial, work, untouched={"before": spec.student})
    provenance = {
        name: provenance_of(
            spec,
            data,
            predictions,
            name,
            role="student",
            model=spec.student.model,
            network=network,
            validation=recorded.get(name, {}),
        )
        for name, network in students.items()
    }
    for method in spec.arms:
        save_weights(
            writer.artifact(f"student-{method.name}.safetensors"), students[method.name], provenance[method.name]
        )

    # Where nothing is trained, the student after is the student before.
    after = spec.method.name if spec.arms else "before"
    return {
        "method": spec.method.name,
        "start": spec.start,
        "control": spec.control,
        **summarise(predictions, after=after, recorded=recorded, strengths=trial.strengths),
        "cka_estimator": "debiased",
        "images_per_second": images_per_second,
        "weights": keep(spec.save_as, students[after], provenance[after]),
    }


def _guiding(spec: TransferSpec, cast: Cast, probes: Probes, pooling: Pooling, work: Work) -> Tensor:
    """The teacher's features [N, d] of the probes, which all students and seeds have in common."""
    layer, ref = cast.drawn.teacher, cast.teacher_ref
    made = identify(EvaluateSpec(data=spec.data, image_size=spec.image_size, model=ref))
    seed = spec.seed if ref.weights is None else None
    key = ("guiding", made.digest, seed, layer, pooling, spec.snapshots.embedding_images, str(work.device))
    return work.shared.take(
        key, lambda: layer_features(cast.teacher, probes.images, (layer,), pooling)[layer], lambda found: found.nbytes
    )


def _images(spec: TransferSpec, method: MethodSettings, data: Dataset) -> TrainingImages:
    """As they are, but for the ceiling, which trains under the behaviour's seen conditions directly."""
    if not METHODS[method.name].under_conditions:
        return clean(data.train, spec.training, spec.data)
    seen = spec.behaviour.behaviour.seen
    return changing(data.train, spec.training, spec.data, settings=spec.behaviour, conditions=seen)


def _origin(spec: TransferSpec, method: MethodSettings, writer: RunWriter) -> Origin | None:
    """What the arm goes on from: of a fork, another run's checkpoint."""
    path = writer.directory.fork / f"{method.name}.safetensors"
    if spec.fork is None or (method != spec.method and spec.fork.twin is None):
        return None
    parent = parent_of(writer.directory)
    if parent is None:
        raise RunError("What this run goes on from can't be read; fork the run anew.")
    theirs = spec.fork.arm if method == spec.method else method.name
    return Origin(
        path=path, same_method=theirs == method.name and (method != spec.method or same_method(parent.spec, spec))
    )


def _geometry(snapshotter: Snapshotter, student: nn.Module) -> Geometry:
    drawn = snapshotter.draw(student)
    if drawn is None:
        raise RunError("The student's features at its guided layer are not finite numbers, so it has no geometry.")
    return drawn[0]


def _similarity(before: Geometry, after: Geometry) -> dict[str, Interval]:
    found = {"cka_before": before.cka, "cka_after": after.cka, "cka_null": after.null}
    return {name: Interval.of_number(value, after.n) for name, value in found.items()}
