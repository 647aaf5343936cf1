"""Synthetic runs in every state, written through the real run store and directory contract.

They stand in for the engine in the tests of the pages: numbers are plausible, made from one seed, and known exactly.
Not for a home with a live worker: it would take a half-written run for a lost one and start it again.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd

from bird_backend import catalog
from bird_backend.runs.directory import RunDirectory, write_json
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.specs import load_spec

__all__ = ["ARMS", "STEPS", "transfer_document", "write_layer_map", "write_trained", "write_transfer"]

ARMS = ("fine-tuning", "bird")
STEPS = 240
"""Steps of one arm; four epochs of sixty."""
PER_EPOCH = 60
EVERY = 24
GRAM, EMBEDDED, N_TEST = 64, 300, 1000
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
) -> Run:
    """A transfer run that has come `fraction` of the way and is in `state`."""
    store = RunStore()
    run = store.create(load_spec(transfer_document(seed=seed, title=title, baseline=baseline)))
    if state == "queued":
        return run
    store.claim(run.id)
    store.set_process(run.id, pid=1, device="cpu")
    arms = ARMS if baseline else ("bird",)
    if fraction > 0:
        _write_measured(run.directory, fraction=fraction, seed=seed, umap=umap, classes=classes, arms=arms)
    run.directory.log.write_text("Loaded 10800 images.\nTraining with BIRD.\n", "utf-8")
    summary = None
    if state == "done":
        summary = _write_results(run, seed, arms)
        _seal(run.directory)
    if state != "running":
        store.finish(run.id, state, reason=reason, summary=summary)
    return store.get(run.id)


def write_trained(state: State = "done", *, kind: str = "robustify", seed: int = 0) -> Run:
    """A run that trained one network."""
    model = {"model": next(iter(catalog.models()))}
    store = RunStore()
    run = store.create(load_spec({"kind": kind, "data": "digits", "model": model, "seed": seed}))
    store.claim(run.id)
    rows = list(_curves("model", STEPS, np.random.default_rng(seed), cka=False))
    _append(run.directory, rows)
    write_json(run.directory.path / "progress.json", _progress(1.0))
    table = _table(("model",), np.random.default_rng(seed))
    table.to_parquet(run.directory.artifacts / "accuracy.parquet")
    means = _means(table, "model")
    summary = {"run": run.id, "kind": kind, "state": state, "seconds": 12.0, "n_test": N_TEST, **means}
    write_json(run.directory.path / "summary.json", summary)
    if state != "running":
        store.finish(run.id, state, summary=summary)
    return store.get(run.id)


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
    RunStore().claim(run.id)
    RunStore().finish(run.id, "done", summary={"run": run.id, "kind": "analyze", "state": "done"})
    return RunStore().get(run.id)


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
    done = fraction * len(arms)
    for position, arm in enumerate(arms):
        last = round(STEPS * min(max(done - position, 0), 1))
        if last == 0:
            continue
        _append(directory, list(_curves(arm, last, generator, cka=True)))
        for step in [*range(0, last, EVERY), *([STEPS] if last == STEPS else [])]:
            towards = 0.8 * step / STEPS if arm == "bird" else 0.02
            _snapshot(directory, arm, step, (1 - towards) * student + towards * teacher, umap=umap)
    write_json(directory.path / "progress.json", _progress(fraction))


def _curves(arm: str, last: int, generator: np.random.Generator, *, cka: bool) -> Any:
    for step in range(last):
        part = step / STEPS
        rises = 0.25 + 0.5 * (1 - np.exp(-4 * part)) if arm == "bird" else 0.25
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
        if cka and arm == "bird":
            row |= {"representation_loss": float(1 - rises), "cka": float(rises + 0.02 * generator.normal())}
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
                "robust_accuracy": float(0.6 + (0.08 if arm == "bird" else 0.01) * part),
                "n": 500,
            }
    if cka and last == STEPS:
        yield _snapshot_row(arm, STEPS, 0.25 + 0.5 * (1 - np.exp(-4)) if arm == "bird" else 0.25)


def _snapshot_row(arm: str, step: int, rises: float) -> dict[str, Any]:
    return {"type": "snapshot", "arm": arm, "step": step, "cka": float(rises - 0.1), "n": EMBEDDED, "null": 0.003}


def _append(directory: RunDirectory, rows: list[dict[str, Any]]) -> None:
    with directory.metrics.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _seal(directory: RunDirectory) -> None:
    pd.DataFrame([json.loads(line) for line in directory.metrics.read_text("utf-8").splitlines()]).to_parquet(
        directory.sealed_metrics
    )


def _snapshot(directory: RunDirectory, model: str, step: int, features: np.ndarray, *, umap: bool) -> None:
    probes = features[np.linspace(0, EMBEDDED - 1, GRAM).astype(int)]
    centred = probes - probes.mean(axis=0)
    gram = centred @ centred.T
    pca = features[:, :2] - features[:, :2].mean(axis=0)
    np.savez(
        directory.artifacts / f"snapshot-{model}-{step:06d}.npz",
        gram=(gram / np.linalg.norm(gram)).astype(np.float32),
        features=features.astype(np.float32),
        pca=pca.astype(np.float32),
    )
    if umap:
        np.savez(directory.artifacts / f"umap-{model}-{step:06d}.npz", points=(pca * 3).astype(np.float32))


def _images(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A disc for each image: its class moves and colours it."""
    rows, columns = np.mgrid[:32, :32]
    images = generator.integers(0, 60, (len(labels), 32, 32, 3))
    for image, label in zip(images, labels, strict=True):
        centre = 10 + (label * 5) % 13, 10 + (label * 7) % 13
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 60
        image[disc] = ((label * 71) % 200 + 55, (label * 37) % 200 + 55, (label * 113) % 200 + 55)
    return np.asarray(images, dtype=np.uint8)


def _write_results(run: Run, seed: int, arms: tuple[str, ...]) -> dict[str, Any]:
    models = ("before", *arms)
    table = _table(models, np.random.default_rng(seed))
    table.to_parquet(run.directory.artifacts / "accuracy.parquet")
    correct = _correct(table, models)
    np.savez_compressed(run.directory.artifacts / "correct.npz", **correct)
    keys = {"before": "before", "fine-tuning": "fine-tuning", "bird": "after"}
    means = {keys[model]: _means(table, model) for model in models}
    fields = ("clean_accuracy", "robust_accuracy", "seen_accuracy", "held_out_accuracy", "corruption_accuracy")
    summary = {
        "run": run.id,
        "kind": "transfer",
        "state": "done",
        "method": "bird",
        "seconds": 41.2,
        "n_test": N_TEST,
        **{name: {key: value[name] for key, value in means.items()} for name in fields},
        "gain_over_before": _gain(correct, "before"),
        "gain_over_fine_tuning": _gain(correct, "fine-tuning") if "fine-tuning" in models else None,
        "cka_before": 0.15,
        "cka_after": 0.61,
        "cka": {key: {"value": 0.61 if key == "after" else 0.15, "null": 0.003} for key in means},
        "cka_n": EMBEDDED,
        "cka_estimator": "debiased",
        "images_per_second": 2000.0,
        "checkpoint": None,
    }
    write_json(run.directory.path / "summary.json", summary)
    return summary


def _gain(correct: dict[str, np.ndarray], over: str) -> dict[str, float]:
    per_image = correct["bird"][1:].mean(axis=0) - correct[over][1:].mean(axis=0)
    value, half = float(per_image.mean()), 1.96 * float(per_image.std(ddof=1)) / float(np.sqrt(len(per_image)))
    return {"value": value, "low": value - half, "high": value + half}


def _table(models: tuple[str, ...], generator: np.random.Generator) -> pd.DataFrame:
    gain = {"before": 0.0, "fine-tuning": 0.01, "bird": 0.07, "model": 0.0}
    rows = []
    for model in models:
        rows.append((model, "clean", 0, N_TEST, round(N_TEST * 0.86)))
        for position, name in enumerate(catalog.CORRUPTIONS):
            for severity in catalog.SEVERITIES:
                share = 0.84 - 0.07 * severity - 0.03 * (position % 4) + gain[model] * severity / 3
                correct = round(N_TEST * share + generator.normal() * 4)
                rows.append((model, name, severity, N_TEST, int(np.clip(correct, 0, N_TEST))))
    return pd.DataFrame(rows, columns=["model", "corruption", "severity", "n", "correct"])


def _correct(table: pd.DataFrame, models: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Booleans that add up to the table: each model gets the easiest images right; all agree which those are."""
    first = table[table["model"] == models[0]]
    cells = [f"{row.corruption} {row.severity}" for row in first.itertuples()]
    counts = {model: table[table["model"] == model]["correct"].to_numpy() for model in models}
    return {"cells": np.array(cells), **{model: np.arange(N_TEST) < counts[model][:, None] for model in models}}


def _means(table: pd.DataFrame, model: str) -> dict[str, Any]:
    rows = table[table["model"] == model].assign(accuracy=lambda frame: frame["correct"] / frame["n"])
    corrupted = rows[rows["severity"] > 0]
    seen = corrupted["corruption"].map(lambda name: catalog.CORRUPTIONS[name].seen)
    return {
        "clean_accuracy": float(rows[rows["severity"] == 0]["accuracy"].iloc[0]),
        "robust_accuracy": float(corrupted["accuracy"].mean()),
        "seen_accuracy": float(corrupted[seen]["accuracy"].mean()),
        "held_out_accuracy": float(corrupted[~seen]["accuracy"].mean()),
        "corruption_accuracy": {
            str(name): {str(row.severity): float(row.accuracy) for row in part.itertuples()}
            for name, part in corrupted.groupby("corruption")
        },
    }


def _progress(fraction: float) -> dict[str, Any]:
    return {
        "phase": "Training with BIRD" if fraction < 1 else "Done",
        "fraction": fraction,
        "eta_seconds": round(40 * (1 - fraction), 1),
        "elapsed_seconds": round(40 * fraction, 1),
        "updated": time.time(),
    }
