"""The moments of a run that were kept: which students there are, at which steps, and what was measured there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from app.backend.data import SnapshotName
from app.charts.frame import arm

__all__ = ["CkaAt", "Track", "cka_at", "shared_track", "students_in", "tracks"]

CkaAt = dict[tuple[str, int], float]
"""CKA by student and step."""

Track = dict[str, Any]
"""A student: its `name`, `label`, the `steps` of its snapshots, and `words`, what is to be said at each of them."""


def students_in(names: Iterable[SnapshotName]) -> dict[str, list[SnapshotName]]:
    """Snapshots of each student, the method's last: it is what one has come to see."""
    found = [name for name in names if name.model != "teacher"]
    models = sorted({name.model for name in found}, key=lambda model: (model != "fine-tuning", model))
    return {model: sorted(name for name in found if name.model == model) for model in models}


def tracks(names: Iterable[SnapshotName], metrics: pd.DataFrame) -> list[Track]:
    """Every student with its snapshots, and the CKA and the small robust estimate that belong to each."""
    cka, robust = cka_at(metrics), _robust(metrics)
    found: list[Track] = []
    for model, shots in students_in(names).items():
        words = [_words(shot.step, cka.get((model, shot.step)), robust.get(model)) for shot in shots]
        found.append({"name": model, "label": arm(model).label, "steps": [shot.step for shot in shots], "words": words})
    return found


def shared_track(runs: Mapping[str, tuple[Sequence[SnapshotName], CkaAt]]) -> Track:
    """One track of several runs by name, each with the snapshots of one student: every step that any of them has.

    What is said of a run at a step is of its nearest snapshot, which is the one that is seen there.
    """
    steps = sorted({shot.step for shots, _ in runs.values() for shot in shots})
    words = []
    for step in steps:
        parts = [f"step {step}"]
        for name, (shots, cka) in runs.items():
            nearest = min(shots, key=lambda shot: abs(shot.step - step), default=None)
            value = None if nearest is None else cka.get((nearest.model, nearest.step))
            if value is not None:
                parts.append(f"CKA {name} {value:.3f}")
        words.append(" · ".join(parts))
    return {"name": "shared", "label": " and ".join(runs), "steps": steps, "words": words}


def cka_at(metrics: pd.DataFrame) -> CkaAt:
    """CKA with the teacher by student and step."""
    if "type" not in metrics or "cka" not in metrics:
        return {}
    rows = metrics[(metrics["type"] == "snapshot") & metrics["cka"].notna()]
    keys = zip(rows["arm"].tolist(), rows["step"].tolist(), strict=True)
    return {
        (str(name), int(step)): float(value) for (name, step), value in zip(keys, rows["cka"].tolist(), strict=True)
    }


def _robust(metrics: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if "type" not in metrics or "robust_accuracy" not in metrics:
        return {}
    rows = metrics[(metrics["type"] == "epoch") & metrics["robust_accuracy"].notna()]
    return {str(name): group.sort_values("step") for name, group in rows.groupby("arm")}


def _words(step: int, cka: float | None, robust: pd.DataFrame | None) -> str:
    """The estimate is of the last epoch that had ended by then."""
    parts = [f"step {step}"]
    if cka is not None:
        parts.append(f"CKA {cka:.3f}")
    ended = None if robust is None else robust[robust["step"] <= step]
    if ended is not None and len(ended):
        parts.append(f"robust {100 * ended['robust_accuracy'].iloc[-1]:.1f} %")
    return " · ".join(parts)
