"""A study of pairs as a table: a row a pair and seed with what came of it, or a row a pair over its seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.measures import over_seeds
from bird_backend.measures.figures import read_figure
from bird_backend.runs.store import Run
from bird_backend.specs import ModelRef
from bird_backend.studies.progress import Progress, progress_of
from bird_backend.studies.store import runs_of
from bird_backend.studies.study import Study, Variant

__all__ = ["COLUMNS", "PAIR", "Pairs", "pairs_of"]

PAIR = ("teacher", "teacher_layer", "student", "student_layer")
"""What a pair is: names of weights, a network without any by its own, and layers."""
_GROUPS = ("robust", "clean", "seen", "held_out")
"""Figures that are told of every network."""
_WHEN = ("after", "before", "fine_tuning", "same_alpha")
_MEASURED = tuple(f"{group}_{when}" for group in _GROUPS for when in _WHEN)
COLUMNS = (
    *PAIR,
    "teacher_model",
    "student_model",
    "control",
    "method",
    "seed",
    "data",
    "behaviour",
    *_MEASURED,
    "gain",
    "gain_held_out",
    "gain_same_alpha",
    "cka_before",
    "cka_after",
    "validation_robust",
    "n_test",
    "seconds",
    "state",
    "run",
)
"""Of the long table: shares are fractions, gains their differences; blank is what was not measured, or not yet."""
_MEANS = (
    "robust_after",
    "clean_after",
    "held_out_after",
    "robust_before",
    "robust_fine_tuning",
    "cka_before",
    "cka_after",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """A study of pairs as far as it has come."""

    study: Study
    table: pd.DataFrame
    """`COLUMNS`, a row a pair and seed in the study's order, whatever has become of it."""
    progress: Progress

    @property
    def done(self) -> pd.DataFrame:
        """The rows with a result."""
        return self.table[self.table["state"] == "done"]

    def summary(self) -> pd.DataFrame:
        """A row a pair: means over the seeds that are done, and of the gain half its 95 % interval over seeds.

        In the order of gains, the largest first.
        """
        rows = []
        for names, seeds in self.done.groupby([*PAIR, "control"], sort=False):
            gains = seeds["gain"].dropna()
            spread = over_seeds(gains.tolist())
            rows.append(
                dict(zip((*PAIR, "control"), names, strict=True))
                | {"seeds": len(seeds), "gain": gains.mean(), "gain_half": None if spread is None else spread.half}
                | {name: seeds[name].mean() for name in _MEANS}
                | {"run": seeds["run"].iloc[0]}
            )
        columns = [*PAIR, "control", "seeds", "gain", "gain_half", *_MEANS, "run"]
        return pd.DataFrame(rows, columns=columns).sort_values("gain", ascending=False, ignore_index=True)


def pairs_of(study: Study) -> Pairs:
    """Its table now; a study of something else is an `InputError`."""
    if study.preset != "pairs":
        raise InputError(f"The study {study.id} is not one of pairs; its table has a row a variant.")
    runs = runs_of(study)
    references = {
        (kind, str(study.variant(member.variant).overrides["student"]), member.seed): runs.get(member.run or "")
        for member in study.members
        if (kind := _kind(study.variant(member.variant))) is not None
    }
    rows = []
    for member in study.members:
        variant = study.variant(member.variant)
        if _kind(variant) is None:
            beside = {
                kind: references.get((kind, str(variant.overrides["student"]), member.seed))
                for kind in ("fine_tuning", "same_alpha")
            }
            rows.append(_row(study, variant, member.seed, runs.get(member.run or ""), beside))
    return Pairs(study=study, table=pd.DataFrame(rows, columns=list(COLUMNS)), progress=progress_of(study, runs))


def _kind(variant: Variant) -> str | None:
    """What a variant that is no pair is there for."""
    if variant.role == "reference":
        return "fine_tuning"
    return "same_alpha" if variant.control == "same-alpha" else None


def _row(
    study: Study, variant: Variant, seed: int, run: Run | None, beside: Mapping[str, Run | None]
) -> dict[str, Any]:
    teacher, student = (ModelRef.model_validate(variant.overrides[role]) for role in ("teacher", "student"))
    pair = variant.overrides["method"]["pairs"][0]
    summary = run.summary if run is not None and run.state == "done" else None
    found: dict[str, Any] = {}
    for group in _GROUPS:
        found |= {
            f"{group}_after": _value(summary, variant.method, group),
            f"{group}_before": _value(summary, "before", group),
            f"{group}_fine_tuning": _value(_done(beside["fine_tuning"]), "fine-tuning", group),
            f"{group}_same_alpha": _value(_done(beside["same_alpha"]), variant.method, group),
        }
    return {
        "teacher": teacher.title,
        "teacher_layer": pair["teacher"],
        "student": student.title,
        "student_layer": pair["student"],
        "teacher_model": teacher.model,
        "student_model": student.model,
        "control": variant.control,
        "method": variant.method,
        "seed": seed,
        "data": study.base["data"],
        "behaviour": (summary or {}).get("behaviour"),
        **found,
        "gain": _less(found["robust_after"], found["robust_fine_tuning"]),
        "gain_held_out": _less(found["held_out_after"], found["held_out_fine_tuning"]),
        "gain_same_alpha": _less(found["robust_after"], found["robust_same_alpha"]),
        **{name: _value(summary, variant.method, name) for name in ("cka_before", "cka_after", "validation_robust")},
        "n_test": (summary or {}).get("n_test"),
        "seconds": (summary or {}).get("seconds"),
        "state": "waiting" if run is None else run.state,
        "run": None if run is None else run.id,
    }


def _done(run: Run | None) -> Mapping[str, Any] | None:
    return run.summary if run is not None and run.state == "done" else None


def _value(summary: Mapping[str, Any] | None, model: str, name: str) -> float | None:
    found = read_figure(summary, model, name)
    return None if found is None else found.value


def _less(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or theirs is None else ours - theirs
