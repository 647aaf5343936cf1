"""A study of pairs whose runs are done without doing them: what each transfer gave is planted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bird_backend.runs.store import RunStore
from bird_backend.studies import Study, network_of, plan_pairs, submit_study
from tests.rankings import GUIDED, LAYERS, TEACHERS
from tests.study_runs import demo

__all__ = ["finish_pairs", "write_pairs"]


def write_pairs(*, seeds: int = 2) -> Study:
    """The pairs that `write_ranking` scores, all of them done: better the later the teacher, and no two alike."""
    pairs = [(guiding, guided) for guiding in LAYERS for guided in GUIDED]
    plan = plan_pairs(demo(), teachers=[network_of(name) for name in TEACHERS], layers=pairs, seeds=seeds)
    study = submit_study(plan, start_worker=False)
    counts = {"fine-tuning-0": 0.5, "same-alpha-0": 0.49}
    counts |= {f"pair-0-{place}": 0.48 + 0.015 * place + 0.01 * (place % 3) for place in range(len(plan.variants) - 2)}
    finish_pairs(study, counts)
    return study


def finish_pairs(study: Study, counts: Mapping[str, float], seconds: float = 10.0) -> None:
    """Finish its runs in their order: `counts` by key of the variant are robust accuracies; none of others."""
    store = RunStore()
    for member in study.members:
        value = counts.get(member.variant)
        assert member.run is not None
        if value is None or store.get(member.run).state != "queued":
            continue
        store.claim(member.run)
        store.finish(member.run, "done", summary=_summary(study, member.variant, member.seed, value, seconds))


def _summary(study: Study, key: str, seed: int, value: float, seconds: float) -> dict[str, Any]:
    def figures(robust: float) -> dict[str, Any]:
        values = {"robust": robust, "clean": 0.9, "held_out": robust / 2, "cka_before": 0.2, "cka_after": 0.7}
        return {
            name: {"value": found, "low": None, "high": None, "n": 50, "kind": "no interval, of images"}
            for name, found in values.items()
        }

    own = study.variant(key).method
    models = {"before": figures(0.4), own: figures(value + 0.01 * seed)}
    return {"figures": models, "seconds": seconds, "behaviour": "corruptions", "n_test": 50}
