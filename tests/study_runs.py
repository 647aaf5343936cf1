"""Studies whose runs are done without doing them: what each network got right is given as a count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bird_backend import settings
from bird_backend.experiments import TransferSpec, load_spec, read_spec
from bird_backend.measures import CLEAN, Predictions
from bird_backend.runs.store import RunStore
from bird_backend.runs.writing import save_arrays
from bird_backend.studies import Plan, Study, plan_methods, submit_study

__all__ = ["ALL", "COUNTS", "N", "demo", "finished", "plan_of", "right", "small"]

CELLS = (CLEAN, ("contrast", 1), ("contrast", 5), ("spatter", 1), ("spatter", 5))
N = 20


def demo(**changes: Any) -> TransferSpec:
    spec = load_spec(read_spec(settings.ASSETS / "examples" / "digits-to-clothes.json") | changes)
    assert isinstance(spec, TransferSpec)
    return spec


def small(**changes: Any) -> TransferSpec:
    """The demo measured in five cells."""
    return demo(
        behaviour={"name": "corruptions", "conditions": ["contrast", "spatter"], "strengths": [1, 5]},
        evaluation={"limit": N},
        **changes,
    )


def right(counts: Mapping[str, int]) -> Predictions:
    """Of 20 images each model gets the first `count` right, in every cell; of clean ones one more."""
    labels = np.arange(N) % 10
    places = {model: [np.arange(N) < count + (cell == CLEAN) for cell in CELLS] for model, count in counts.items()}
    answers = {model: np.where(known, labels, (labels + 1) % 10).astype(np.int16) for model, known in places.items()}
    return Predictions(
        behaviour="corruptions",
        cells=CELLS,
        images=np.arange(N),
        labels=labels,
        predicted=answers,
        confidence={model: np.full(values.shape, 0.5, np.float16) for model, values in answers.items()},
    )


def finished(
    plan: Plan, counts: Mapping[str, Sequence[int | None]], *, validation: Mapping[str, float] | None = None
) -> Study:
    """A study whose runs found `counts[variant][seed]` right answers; those without a count are not done.

    `validation` is how accurate some variants are on corrupted validation images, half where it says nothing.
    """
    study, store = submit_study(plan), RunStore()
    for member in study.members:
        place = plan.seeds.index(member.seed)
        count = counts[member.variant][place]
        if count is None:
            continue
        run = store.get(member.run or "")
        store.claim(run.id)
        model = plan.variant(member.variant).method
        before = counts.get("none", [8, 9, 10])[place]
        save_arrays(run.directory.artifacts / "predictions.npz", right({"before": before or 0, model: count}).arrays())
        cka = {"cka_before": 0.5, "cka_after": 0.5 + count / 100, "cka_null": -0.01}
        summary = {
            "figures": {
                model: {
                    **{name: number(value, 64) for name, value in cka.items()},
                    "validation": number(0.5, 200),
                    "validation_robust": number((validation or {}).get(member.variant, 0.5), 200),
                }
            },
            "seconds": 10.0 + place,
        }
        store.finish(run.id, "done", summary=summary)
    return study


def number(value: float, n: int) -> dict[str, Any]:
    """A figure without an interval, as a summary keeps it."""
    return {"value": value, "low": None, "high": None, "n": n, "kind": "no interval, of images"}


def plan_of(*names: str, seeds: int = 3, controls: Sequence[str] = ("random-weights",)) -> Plan:
    return plan_methods(small(), methods=names, seeds=seeds, controls=controls)


COUNTS = {
    "none": [8, 9, 10],
    "fine-tuning": [10, 11, 14],
    "hints": [10, 11, 15],
    "bird": [14, 15, 18],
    "bird-random-weights": [12, 12, 15],
    "oracle": [18, 19, 20],
}
ALL = ("none", "fine-tuning", "hints", "bird", "oracle")
