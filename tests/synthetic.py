"""Synthetic runs in every state, written through the real run store and directory contract.

They stand in for the engine in the tests of the pages: numbers are plausible, made from one seed, and known exactly.
Not for a home with a live worker: it would take a half-written run for a lost one and start it again.
"""

from __future__ import annotations

import functools
import json
import time
from typing import Any

import numpy as np
import pandas as pd

from bird_backend import catalog, measures
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.measures import CLEAN, Group, Interval, Predictions
from bird_backend.runs.attribution import Attribution
from bird_backend.runs.directory import RunDirectory, write_json
from bird_backend.runs.layer_geometry import GEOMETRY, LayerGeometry
from bird_backend.runs.processes import ProcessMark
from bird_backend.runs.reading import Examples, Gallery
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.studies import Study, plan_ablation, plan_methods, submit_study
from bird_backend.transfer import METHODS

__all__ = [
    "ARMS",
    "STEPS",
    "make_predictions",
    "transfer_document",
    "write_gallery",
    "write_layer_map",
    "write_study",
    "write_trained",
    "write_transfer",
]

ARMS = ("fine-tuning", "bird")
STEPS = 240
"""Steps of one arm; four epochs of sixty."""
PER_EPOCH = 60
EVERY = 24
GRAM, EMBEDDED, N_TEST = 64, 300, 500
POOL, SHOWN = 60, 12
GAINS = {
    "before": 0.0,
    "fine-tuning": 0.01,
    "linear-probe": -0.01,
    "lp-ft": 0.012,
    "lwf-features": 0.015,
    "lwf-logits": 0.014,
    "hints": 0.02,
    "soft-labels": 0.03,
    "rkd": 0.03,
    "sp": 0.04,
    "pkt": 0.032,
    "bird": 0.05,
    "oracle": 0.15,
    "model": 0.2,
}
"""How much more robust each is than the student before, roughly, at severity 3."""
CLASSES = catalog.DATASETS["fashion-mnist-small"].classes


def transfer_document(**changes: Any) -> dict[str, Any]:
    """A transfer's spec over whichever networks the catalogue holds."""
    name = next(iter(catalog.models()))
    layer = catalog.models()[name].layers[-1].name
    document = {
        "kind": "transfer",
        "data": "fashion-mnist-small",
        "teacher": {"model": name},
        "student": {"model": name},
        "method": {"name": "bird", "pairs": [{"teacher": layer, "student": layer}]},
    }
    return document | changes


def write_transfer(
    state: State = "done",
    *,
    fraction: float = 1.0,
    seed: int = 0,
    reason: str | None = None,
    title: str = "",
    umap: bool = True,
    classes: tuple[str, ...] = CLASSES,
    baseline: bool = True,
    method: dict[str, Any] | None = None,
    **changes: Any,
) -> Run:
    """A transfer run that has come `fraction` of the way and is in `state`."""
    if method is not None:
        changes |= {"method": method}
    run = RunStore().create(load_spec(transfer_document(seed=seed, title=title, baseline=baseline, **changes)))
    return fill_transfer(run, state, fraction=fraction, reason=reason, umap=umap, classes=classes)


def fill_transfer(
    run: Run,
    state: State = "done",
    *,
    fraction: float = 1.0,
    reason: str | None = None,
    umap: bool = True,
    classes: tuple[str, ...] = CLASSES,
) -> Run:
    """Bring a queued transfer so far."""
    store, spec, seed = RunStore(), run.spec, run.spec.seed
    if state == "queued":
        return run
    store.claim(run.id)
    store.set_process(run.id, ProcessMark(pid=1, host="elsewhere", since="long ago"), device="cpu")
    arms = tuple(method.name for method in reversed(spec.arms))
    if fraction > 0:
        _write_measured(run.directory, fraction=fraction, seed=seed, umap=umap, classes=classes, arms=arms)
    run.directory.log.write_text(f"Loaded 10800 images.\nTraining with {spec.method.name}.\n", "utf-8")
    summary = None
    if state == "done":
        summary = _write_results(run, seed, arms, classes)
        _seal(run.directory)
    if state != "running":
        store.finish(run.id, state, reason=reason, summary=summary)
    return store.get(run.id)


def write_study(*, preset: str = "methods", seeds: int = 2, done: float = 1.0, running: int = 0) -> Study:
    """A study of which a share of the runs has ended and so many more are half-way; the last that ended has failed."""
    base = load_spec(transfer_document())
    assert isinstance(base, TransferSpec)
    plan = (
        plan_methods(base, seeds=seeds, controls=["random-weights"])
        if preset == "methods"
        else plan_ablation(base, preset, seeds=seeds)
    )
    study = submit_study(plan, start_worker=False)
    runs = [RunStore().get(run_id) for run_id in study.run_ids]
    count = round(done * len(runs))
    for place, run in enumerate(runs[: count + running]):
        if place >= count:
            fill_transfer(run, "running", fraction=0.5, umap=False)
        elif place == count - 1 and count < len(runs):
            fill_transfer(run, "failed", fraction=0.3, reason="The loss is not a number after step 31.", umap=False)
        else:
            fill_transfer(run, "done", umap=False)
    return study


def write_trained(state: State = "done", *, kind: str = "robustify", seed: int = 0, data: str = "digits") -> Run:
    """A run that trained one network."""
    model = {"model": next(iter(catalog.models()))}
    store = RunStore()
    run = store.create(load_spec({"kind": kind, "data": data, "model": model, "seed": seed}))
    store.claim(run.id)
    rows = list(_curves("model", STEPS, np.random.default_rng(seed), cka=False))
    _append(run.directory, rows)
    write_json(run.directory.path / "progress.json", _progress(1.0))
    predictions = make_predictions(("model",), seed)
    _write_predictions(run.directory, predictions, CLASSES)
    summary = {
        "run": run.id,
        "kind": kind,
        "state": state,
        "seconds": 12.0,
        "n_test": N_TEST,
        "after": "model",
        "figures": {"model": _figures(predictions, "model")},
    }
    write_json(run.directory.path / "summary.json", summary)
    if state != "running":
        store.finish(run.id, state, summary=summary)
    return store.get(run.id)


def write_gallery(run: Run, *, images: int = 3, seed: int = 0) -> Run:
    """Finish a gallery run."""
    generator = np.random.default_rng(seed)
    brought = run.spec.picture is not None
    labels = np.full(1, -1) if brought else np.arange(images) % len(CLASSES)
    clean = _images(np.abs(labels), generator)
    kinds, levels = len(CORRUPTIONS), len(SEVERITIES)
    noise = generator.normal(size=(len(clean), kinds, 1, 32, 32, 3)) * np.arange(1, levels + 1)[:, None, None, None]
    gallery = Gallery(
        images=clean,
        labels=labels,
        classes=np.array(() if brought else CLASSES, dtype=str),
        behaviour=np.array("corruptions"),
        conditions=np.array(tuple(CORRUPTIONS)),
        changed=np.clip(clean[:, None, None] + 20 * noise, 0, 255).astype(np.uint8),
    )
    np.savez(run.directory.artifacts / "gallery.npz", **gallery.arrays())
    RunStore().claim(run.id)
    told = {"n": len(clean), "image_size": 32, "strengths": "Severities have CIFAR-C's constants."}
    RunStore().finish(run.id, "done", summary={"run": run.id, "kind": "gallery", "state": "done", **told})
    return RunStore().get(run.id)


def write_layer_map(run: Run, *, seed: int = 0) -> Run:
    """Finish an analyze run."""
    generator = np.random.default_rng(seed)
    spec = run.spec
    teacher = [layer.name for layer in catalog.find_model(spec.teacher.model).layers]
    student = [layer.name for layer in catalog.find_model(spec.student.model).layers]
    write_json(
        run.directory.artifacts / "layer-map.json",
        {
            "teacher_layers": teacher,
            "student_layers": student,
            "cka": generator.uniform(0.1, 0.8, (len(teacher), len(student))).tolist(),
            "null": generator.uniform(-0.02, 0.02, (len(teacher), len(student))).tolist(),
            "n": 512,
            "estimator": "debiased",
            "kernel": "linear",
        },
    )
    np.savez(run.directory.artifacts / GEOMETRY, **_geometry(teacher, student, generator).arrays())
    RunStore().claim(run.id)
    summary = {
        "run": run.id,
        "kind": "analyze",
        "state": "done",
        "closest_pair": {"teacher": teacher[0], "student": student[0], "cka": 0.8},
        "estimator": "debiased",
        "kernel": "linear",
        "n": 512,
    }
    RunStore().finish(run.id, "done", summary=summary)
    return RunStore().get(run.id)


def _geometry(teacher: list[str], student: list[str], generator: np.random.Generator) -> LayerGeometry:
    labels = np.arange(EMBEDDED) % len(CLASSES)
    places = np.argsort(labels[:GRAM], kind="stable")

    def grams(layers: list[str]) -> np.ndarray:
        found = []
        for _ in layers:
            features = generator.normal(size=(GRAM, 12)) + 3 * np.eye(len(CLASSES), 12)[labels[places]]
            centred = features - features.mean(axis=0)
            gram = centred @ centred.T
            found.append((gram / np.linalg.norm(gram))[np.triu_indices(GRAM)].astype(np.float16))
        return np.stack(found)

    def near(layers: list[str]) -> np.ndarray:
        return generator.integers(0, EMBEDDED, (len(layers), EMBEDDED, 8)).astype(np.int16)

    return LayerGeometry(
        images=_images(labels, generator),
        labels=labels,
        classes=np.array(CLASSES),
        gram=places,
        teacher_layers=np.array(teacher),
        student_layers=np.array(student),
        teacher_grams=grams(teacher),
        student_grams=grams(student),
        teacher_near=near(teacher),
        student_near=near(student),
    )


def _write_measured(
    directory: RunDirectory, *, fraction: float, seed: int, umap: bool, classes: tuple[str, ...], arms: tuple[str, ...]
) -> None:
    generator = np.random.default_rng(seed)
    labels = np.sort(np.arange(EMBEDDED) % len(classes))
    np.savez_compressed(
        directory.artifacts / "probes.npz",
        images=_images(labels, generator),
        labels=labels,
        classes=np.array(classes),
        gram=np.linspace(0, EMBEDDED - 1, GRAM).astype(int),
    )
    centres = generator.normal(size=(len(classes), 16))
    teacher = centres[labels] + 0.6 * generator.normal(size=(EMBEDDED, 16))
    student = generator.normal(size=(EMBEDDED, 16)) + 0.7 * np.roll(centres, 3, axis=0)[labels]
    _snapshot(directory, "teacher", 0, teacher, umap=umap)
    debiased = _u_centred(teacher)
    done = fraction * len(arms)
    for position, arm in enumerate(arms):
        last = round(STEPS * min(max(done - position, 0), 1))
        if last == 0:
            continue
        _append(directory, list(_curves(arm, last, generator, cka=True)))
        for step in [*range(0, last, EVERY), *([STEPS] if last == STEPS else [])]:
            towards = 0.8 * step / STEPS if _moves(arm) else 0.02
            features = (1 - towards) * student + towards * teacher
            _snapshot(directory, arm, step, features, umap=umap, shares=_shares(debiased, _u_centred(features)))
    write_json(directory.path / "progress.json", _progress(fraction))


def _curves(arm: str, last: int, generator: np.random.Generator, *, cka: bool) -> Any:
    gain = GAINS[arm] * (1 + 0.1 * generator.normal())
    for step in range(last):
        part = step / STEPS
        rises = 0.25 + gain * 10 * (1 - np.exp(-4 * part)) if _moves(arm) else 0.25
        row = {
            "type": "step",
            "arm": arm,
            "step": step,
            "epoch": step / PER_EPOCH,
            "task_loss": float(0.6 - 0.25 * part + 0.03 * generator.normal()),
            "lr": float(0.005 * (1 + np.cos(np.pi * part)) / 2),
            "images_per_s": 2000.0,
            "t": 2 + step / 10,
        }
        if cka and METHODS[arm].matches_layers:
            row |= {"representation_loss": float(1 - rises)}
        if cka and arm == "bird":
            row |= {"cka": float(rises + 0.02 * generator.normal())}
        yield row
        if cka and step % EVERY == 0:
            yield _snapshot_row(arm, step, rises)
        if (step + 1) % PER_EPOCH == 0:
            yield {
                "type": "epoch",
                "arm": arm,
                "epoch": (step + 1) // PER_EPOCH,
                "step": step + 1,
                "validation_accuracy": float(0.8 + 0.05 * part),
                "robust_accuracy": float(0.6 + 1.6 * gain * part),
                "n": 500,
            }
    if cka and last == STEPS:
        yield _snapshot_row(arm, STEPS, 0.25 + gain * 10 * (1 - np.exp(-4)) if _moves(arm) else 0.25)


def _moves(arm: str) -> bool:
    """Whether its geometry goes towards the teacher's."""
    return arm in METHODS and METHODS[arm].needs_teacher


def _snapshot_row(arm: str, step: int, rises: float) -> dict[str, Any]:
    return {"type": "snapshot", "arm": arm, "step": step, "cka": float(rises - 0.1), "n": EMBEDDED, "null": 0.003}


def _append(directory: RunDirectory, rows: list[dict[str, Any]]) -> None:
    with directory.metrics.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _seal(directory: RunDirectory) -> None:
    if not directory.metrics.exists():
        return  # nothing was trained
    pd.DataFrame([json.loads(line) for line in directory.metrics.read_text("utf-8").splitlines()]).to_parquet(
        directory.sealed_metrics
    )


def _snapshot(
    directory: RunDirectory,
    model: str,
    step: int,
    features: np.ndarray,
    *,
    umap: bool,
    shares: dict[str, np.ndarray] | None = None,
) -> None:
    probes = features[np.linspace(0, EMBEDDED - 1, GRAM).astype(int)]
    centred = probes - probes.mean(axis=0)
    gram = centred @ centred.T
    pca = features[:, :2] - features[:, :2].mean(axis=0)
    np.savez(
        directory.artifacts / f"snapshot-{model}-{step:06d}.npz",
        gram=(gram / np.linalg.norm(gram)).astype(np.float32),
        features=features.astype(np.float32),
        pca=pca.astype(np.float32),
        **(shares or {}),
    )
    if umap:
        np.savez(directory.artifacts / f"umap-{model}-{step:06d}.npz", points=(pca * 3).astype(np.float32))


def _u_centred(features: np.ndarray) -> np.ndarray:
    """The features' Gram matrix as the debiased CKA has it, at unit Frobenius norm."""
    n, K = len(features), features @ features.T
    np.fill_diagonal(K, 0)
    rows = K.sum(axis=1)
    K = K - (rows[:, None] + rows[None, :]) / (n - 2) + rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(K, 0)
    return np.asarray(K / np.linalg.norm(K))


def _shares(A: np.ndarray, B: np.ndarray) -> dict[str, np.ndarray]:
    """The biased shares are the debiased ones here: nobody looks at the difference."""
    share = (A * B).sum(axis=1)
    agreement = share / (np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1))
    return Attribution(share=share, share_biased=share, agreement=agreement).arrays()


def _images(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A disc for each image: its class moves and colours it."""
    rows, columns = np.mgrid[:32, :32]
    images = generator.integers(0, 60, (len(labels), 32, 32, 3))
    for image, label in zip(images, labels, strict=True):
        centre = 10 + (label * 5) % 13, 10 + (label * 7) % 13
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 60
        image[disc] = ((label * 71) % 200 + 55, (label * 37) % 200 + 55, (label * 113) % 200 + 55)
    return np.asarray(images, dtype=np.uint8)


def _write_results(run: Run, seed: int, arms: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    control = run.spec.control != "none"
    predictions, figures = _transfer_figures(("before", *arms), seed, len(classes), control)
    _write_predictions(run.directory, predictions, classes)
    after = 0.61 if _moves(arms[-1] if arms else "") and not control else 0.2
    own = arms[-1] if arms else "before"
    for model in figures:
        cka = {"cka_before": 0.15, "cka_after": after if model == own else 0.15, "cka_null": 0.003}
        figures[model] |= {name: _number(value, EMBEDDED) for name, value in cka.items()}
        if model != "before":
            rows = {"validation": 0.84, "validation_best": 0.85, "validation_robust": 0.6 + GAINS[model]}
            figures[model] |= {name: _number(value, 500) for name, value in rows.items()}
    summary = {
        "run": run.id,
        "kind": "transfer",
        "state": "done",
        "method": run.spec.method.name,
        "start": run.spec.start,
        "control": run.spec.control,
        "seconds": 41.2,
        "n_test": N_TEST,
        "after": own,
        "figures": figures,
        "cka_estimator": "debiased",
        "images_per_second": 2000.0,
        "weights": None,
    }
    write_json(run.directory.path / "summary.json", summary)
    return summary


def _transfer_figures(
    models: tuple[str, ...], seed: int, classes: int, control: bool
) -> tuple[Predictions, dict[str, dict[str, Any]]]:
    predictions, found = _measured_figures(models, seed, classes, control, N_TEST)
    return predictions, {model: dict(figures) for model, figures in found.items()}


@functools.cache
def _measured_figures(
    models: tuple[str, ...], seed: int, classes: int, control: bool, _n: int
) -> tuple[Predictions, dict[str, dict[str, Any]]]:
    predictions = make_predictions(models, seed, classes=classes, control=control)
    return predictions, {model: _figures(predictions, model) for model in models}


def _figures(predictions: Predictions, model: str) -> dict[str, Any]:
    """Named here one by one, by the measures themselves, so that no mistake of the registry is made here too."""
    groups: tuple[Group, ...] = ("clean", "robust", "seen", "held_out", "pooled")
    found: dict[str, Interval | None] = {group: measures.by_group(predictions, model, group) for group in groups}
    found |= {
        "mce": measures.mean_corruption_error(predictions, model),
        "relative_mce": measures.relative_mean_corruption_error(predictions, model),
        "ece_clean": measures.calibration_error(predictions, model, "clean"),
        "ece_robust": measures.calibration_error(predictions, model, "robust"),
    }
    for name, over in (("gain", "fine-tuning"), ("gain_over_before", "before")):
        if over in predictions.models and over != model:
            found[name] = measures.gain(predictions, model, over, predictions.conditions)
    return {name: interval.as_dict() for name, interval in found.items() if interval is not None}


def _number(value: float, n: int) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "n": n, "kind": "no interval, of images"}


def make_predictions(
    models: tuple[str, ...], seed: int = 0, *, classes: int = 10, control: bool = False
) -> Predictions:
    """Each model gets the easiest images right, about which the models agree roughly; BIRD most, all equally clean."""
    generator = np.random.default_rng(seed)
    gain = GAINS | {models[-1]: 0.025} if control else GAINS
    helps = {"noise": 2.0, "blur": 0.1, "weather": -0.4, "digital": 1.2}
    cells = [CLEAN, *((name, severity) for name in CORRUPTIONS for severity in SEVERITIES)]
    labels = np.arange(N_TEST, dtype=np.int16) % classes
    predicted, confidence = {}, {}
    for model in models:
        shares = np.array(
            [
                0.86
                if (name, severity) == CLEAN
                else min(
                    0.84
                    - 0.07 * severity
                    - 0.03 * (place // 5 % 4)
                    + gain[model] * severity / 3 * helps[CORRUPTIONS[name].family],
                    0.85,
                )
                for place, (name, severity) in enumerate(cells)
            ]
        )
        counts = np.rint(N_TEST * shares + generator.normal(size=len(cells)) * 4)
        ease = np.arange(N_TEST) + 25 * generator.normal(size=(len(cells), N_TEST))
        right = ease.argsort(axis=1).argsort(axis=1) < counts[:, None]
        predicted[model] = np.where(right, labels, (labels + 1 + labels % 3) % classes).astype(np.int16)
        sure = 0.55 + 0.4 * (counts[:, None] - ease) / N_TEST + 0.15 * generator.normal(size=ease.shape)
        confidence[model] = np.clip(np.abs(sure), 1 / classes, 0.99).astype(np.float16)
    return Predictions(
        behaviour="corruptions",
        cells=tuple(cells),
        images=3 * np.arange(N_TEST),
        labels=labels,
        predicted=predicted,
        confidence=confidence,
    )


def _write_predictions(directory: RunDirectory, predictions: Predictions, classes: tuple[str, ...]) -> None:
    np.savez(directory.artifacts / "predictions.npz", **predictions.arrays())
    generator = np.random.default_rng(0)
    pool = np.linspace(0, N_TEST - 1, POOL).astype(int)
    clean = _images(predictions.labels[pool], generator)
    right = np.stack([values[:, pool] == predictions.labels[pool] for values in predictions.predicted.values()])
    # Those on which the models disagree, then those all get wrong, then the rest.
    order = np.where(right.any(axis=0) & ~right.all(axis=0), 0, np.where(right.any(axis=0), 2, 1))
    shown = order.argsort(axis=1, kind="stable")[:, :SHOWN]
    levels = np.array([severity for _, severity in predictions.cells])[:, None, None, None, None]
    noise = generator.normal(scale=20, size=(SHOWN, 32, 32, 3)).astype(np.float32)
    examples = Examples(
        classes=np.array(classes),
        pool=pool,
        clean=clean,
        shown=shown,
        changed=np.clip(clean[shown] + levels * noise, 0, 255).astype(np.uint8),
    )
    np.savez(directory.artifacts / "examples.npz", **examples.arrays())


def _progress(fraction: float) -> dict[str, Any]:
    return {
        "phase": "Training with BIRD" if fraction < 1 else "Done",
        "fraction": fraction,
        "eta_seconds": round(40 * (1 - fraction), 1),
        "elapsed_seconds": round(40 * fraction, 1),
        "updated": time.time(),
    }
