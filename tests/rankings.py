"""A finished ranking of made-up teachers, written through the run store as the engine writes one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bird_backend.experiments import RankSpec, load_spec
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.runs.directory import RunDirectory, write_json
from bird_backend.runs.scores import ANSWERS, RANKING, SCORE_COLUMNS, SCORES
from bird_backend.runs.store import Run, RunStore

__all__ = ["GUIDED", "LAYERS", "STUDENT", "TEACHERS", "rank_document", "write_ranking"]

TEACHERS = ("digits-robust-teacher", "digits-geometric-teacher", "digits-adversarial-teacher")
LAYERS = ("block1", "block2")
STUDENT, GUIDED = "fashion-student", ("block2", "block3")
IMAGES = 40


def rank_document(**changes: Any) -> dict[str, Any]:
    """The spec of a ranking of the teachers that come with the project."""
    named = [{"model": "resnet-narrow", "weights": name, "layers": list(LAYERS)} for name in TEACHERS]
    document = {
        "kind": "rank",
        "data": "fashion-mnist-small",
        "teachers": named,
        "student": {"model": "resnet-narrow", "weights": STUDENT, "layers": list(GUIDED)},
        "images": IMAGES,
    }
    return document | changes


def write_ranking(state: str = "done", **changes: Any) -> Run:
    """A ranking in `state`; one that is done has its scores, and pictures of what teachers know."""
    store = RunStore()
    run = store.create(load_spec(rank_document(**changes)), state="running" if state != "queued" else "queued")
    if state in ("queued", "running"):
        return run
    spec = run.spec
    assert isinstance(spec, RankSpec)
    summary = (
        _fill(run.directory, tuple(one.title for one in spec.teachers), spec.student.title) if state == "done" else None
    )
    store.finish(run.id, state, summary=summary, reason=None if state == "done" else "A probe met no image.")  # type: ignore[arg-type]
    return store.get(run.id)


def _fill(directory: RunDirectory, teachers: tuple[str, ...], student: str) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    rows: list[tuple[object, ...]] = []
    ranking = []
    beside = (IMAGES, "bootstrap, over images", 0.2, 0.15, 0.25)
    for place, teacher in enumerate(teachers):
        for layer in LAYERS:
            own = {
                (name, option): 0.3 + 0.2 * place + generator.uniform(0, 0.15)
                for name, attribute in ATTRIBUTES.items()
                for option in attribute.options
            }
            own["parameters", ""] = 78_042.0
            if place == 2:
                own["teacher_robust_accuracy", ""] = np.nan
            for guided in GUIDED:
                pair = (teacher, layer, student, guided)
                rows += [(*pair, *named, value, value - 0.05, value + 0.04, *beside) for named, value in own.items()]
                ranking.append(
                    {
                        "teacher": teacher,
                        "teacher_layer": layer,
                        "student": student,
                        "student_layer": guided,
                        "rank": 1,
                        "scores": {},
                        "why": f"High: {teacher} says much at {layer}.",
                    }
                )
    pd.DataFrame(rows, columns=list(SCORE_COLUMNS)).to_parquet(directory.artifacts / SCORES)
    probes = [(name, layer, False) for name in teachers for layer in LAYERS]
    probes += [(student, layer, True) for layer in GUIDED]
    labels = np.arange(IMAGES) % 10
    # The student is right of every second image; the first teacher of all, the others as the student is.
    predicted = np.tile(np.where(np.arange(IMAGES) % 2, labels, (labels + 1) % 10), (len(probes), 1))
    predicted[: len(LAYERS)] = labels
    shown = np.arange(0, 20, 2)
    np.savez(
        directory.artifacts / ANSWERS,
        labels=labels,
        images=np.arange(IMAGES),
        classes=np.array([f"Class {index}" for index in range(10)]),
        networks=np.array([name for name, *_ in probes]),
        layers=np.array([layer for _, layer, _ in probes]),
        students=np.array([student for *_, student in probes]),
        predicted=predicted.astype(np.int32),
        shown=shown,
        pictures=generator.integers(0, 256, (len(shown), 32, 32, 3)).astype(np.uint8),
    )
    write_json(directory.artifacts / RANKING, ranking)
    return {
        "kind": "rank",
        "option": "min_mean",
        "student": student,
        "ranking": ranking,
        "pairs": len(ranking),
        "n": IMAGES,
        "remarks": [],
    }
