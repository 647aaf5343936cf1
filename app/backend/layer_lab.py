"""The app's door to two networks' layers: what is known of each pair before, after and beside a transfer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from app.backend import data, teachers
from app.backend.data import Run
from bird_backend import studies
from bird_backend.experiments import AnalyzeSpec, RankSpec, TransferSpec
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.layer_geometry import LayerGeometry, read_layer_geometry
from bird_backend.runs.store import RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies import Outcome, Plan, Recipe

__all__ = [
    "LayerGeometry",
    "Outcome",
    "Plan",
    "Recipe",
    "after_spec",
    "find_ranking",
    "geometry",
    "is_of_pair",
    "null_of",
    "plan_pairs",
    "rank_document",
    "recipes_between",
    "scored",
]


def recipes_between(asked: AnalyzeSpec) -> list[Recipe]:
    """What the transfers of this home between the two networks of a layer map gained, by recipe."""
    return studies.recipes_between(asked.teacher, asked.student, data=asked.data, image_size=asked.image_size)


def after_spec(asked: AnalyzeSpec, run: Run) -> AnalyzeSpec | None:
    """The layer map with the student as a finished transfer left it; none where its weights are gone."""
    path = run.directory.artifacts / f"student-{data.arm_of(run)}.safetensors"
    if not path.exists():
        return None
    student = ModelRef(model=asked.student.model, weights=str(path))
    title = f"Layers after {run.title}"[:120]
    return AnalyzeSpec.model_validate(
        asked.model_dump(mode="json") | {"student": student.model_dump(mode="json"), "title": title}
    )


def geometry(run: Run) -> LayerGeometry | None:
    """Gram matrices and neighbours that a finished layer map kept; none where it kept none. Do not write to it."""
    return _geometry(str(run.directory.path))


@lru_cache(maxsize=4)
def _geometry(path: str) -> LayerGeometry | None:
    return read_layer_geometry(RunDirectory(Path(path)))


def null_of(frame: pd.DataFrame, pair: tuple[str, str]) -> float:
    """The CKA of one pair of layers with one side's images shuffled."""
    null = np.asarray(frame.attrs["null"], dtype=float)
    return float(null[frame.index.get_loc(pair[0]), frame.columns.get_loc(pair[1])])


def plan_pairs(base: TransferSpec, pairs: list[tuple[str, str]], *, seeds: int) -> Plan:
    """One study of those layer pairs of the base's own teacher and student; what can't be is an `InputError`."""
    return studies.plan_pairs(base, layers=pairs, seeds=seeds)


def find_ranking(asked: AnalyzeSpec) -> Run | None:
    """The newest ranking that scores this teacher for this student, finished before any that is under way."""
    runs = [run for run in RunStore().list(kind="rank", states=("done", *data.COMING)) if is_of_pair(run, asked)]
    return next((run for run in runs if run.state == "done"), runs[0] if runs else None)


def is_of_pair(run: Run, asked: AnalyzeSpec) -> bool:
    """Whether a ranking is of the two networks of a layer map, on its images."""
    try:
        spec = data.spec_of(run)
    except data.BirdError:
        return False
    return (
        isinstance(spec, RankSpec)
        and (spec.data, spec.image_size) == (asked.data, asked.image_size)
        and _named(spec.student) == _named(asked.student)
        and any(_named(teacher) == _named(asked.teacher) for teacher in spec.teachers)
    )


def scored(run: Run, asked: AnalyzeSpec) -> pd.DataFrame | None:
    """The long scores of this teacher for this student in a finished ranking; none before they are there."""
    scores = teachers.scores(run)
    if scores is None:
        return None
    return scores[(scores["teacher"] == asked.teacher.title) & (scores["student"] == asked.student.title)]


def rank_document(asked: AnalyzeSpec, layers: tuple[tuple[str, ...], tuple[str, ...]]) -> Mapping[str, object]:
    """What is asked for to have this teacher's `layers` scored for the student's, all else as usual."""
    return {
        "kind": "rank",
        "data": asked.data,
        "image_size": asked.image_size,
        "teachers": [asked.teacher.model_dump(mode="json") | {"layers": list(layers[0])}],
        "student": asked.student.model_dump(mode="json") | {"layers": list(layers[1])},
    }


def _named(ref: ModelRef) -> tuple[str, str | None]:
    return ref.model, ref.weights
