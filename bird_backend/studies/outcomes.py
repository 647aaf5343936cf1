"""What transfers between two networks gained, by pair of layers: over fine-tuning, paired by seed, however they ran.

Runs of a study of pairs and single transfers alike; those that differ in more than seed and layers are kept apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec
from bird_backend.measures import Interval, over_images, over_seeds
from bird_backend.measures.figures import read_figure
from bird_backend.measures.robustness import group_share
from bird_backend.runs.companions import Conditions, conditions_of
from bird_backend.runs.fingerprints import file_digest
from bird_backend.runs.provenance import find_weights
from bird_backend.runs.reading import read_predictions
from bird_backend.runs.store import Run, RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies.layer_pairs import Pair

__all__ = ["Outcome", "Recipe", "recipes_between"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one pair of layers under one recipe."""

    gain: Interval | None = None
    """Robust accuracy over fine-tuning's, a share: over seeds from two on, else over images. None: not known yet."""
    seeds: tuple[int, ...] = ()
    """Those that the gain is of."""
    done: tuple[Run, ...] = ()
    """A run a seed, by seed, its fine-tuning done or not."""
    coming: int = 0
    """Runs that are queued or on their way."""
    failed: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """Everything that the transfers have in common but seed and layers, and what came of each pair."""

    key: str
    """Eight hex digits that stand for it."""
    spec: TransferSpec
    """Of its newest run."""
    outcomes: Mapping[Pair, Outcome] = field(default_factory=dict)


def recipes_between(teacher: ModelRef, student: ModelRef, *, data: str, image_size: int | str) -> list[Recipe]:
    """Those that have run through one pair of layers at a time, the one with the most pairs first.

    Runs of weights that have since been made anew under the same name are left out.
    """
    digests = _digests((teacher, student))
    own = (teacher, student, data, image_size, digests)
    # The table says which weights a run depends on: the specs of all others, thousands perhaps, need not be read.
    of_student = [run for run in RunStore().list(kind="transfer") if _reads(run, student, digests[1:])]
    groups: dict[str, list[tuple[Run, _Told]]] = {}
    for run in of_student:
        told = _told(run.id) if _reads(run, teacher, digests[:1]) else None
        if told is not None and (told.teacher, told.student, told.data, told.image_size, told.digests) == own:
            groups.setdefault(told.recipe, []).append((run, told))
    baselines = _baselines(of_student) if groups else {}
    found = [_recipe(key, members, baselines) for key, members in groups.items()]

    def size(recipe: Recipe) -> tuple[int, int]:
        return sum(outcome.gain is not None for outcome in recipe.outcomes.values()), len(recipe.outcomes)

    return sorted(found, key=size, reverse=True)


def _recipe(key: str, members: list[tuple[Run, _Told]], baselines: Mapping[str, Run]) -> Recipe:
    """Members are newest first."""
    by_pair: dict[Pair, list[tuple[Run, _Told]]] = {}
    for run, told in members:
        by_pair.setdefault(told.pair, []).append((run, told))
    spec = members[0][0].spec
    assert isinstance(spec, TransferSpec)  # noqa: S101 - `_told` has seen that
    outcomes = {pair: _outcome(own, baselines) for pair, own in by_pair.items()}
    return Recipe(key=key, spec=spec, outcomes=outcomes)


def _outcome(members: list[tuple[Run, _Told]], baselines: Mapping[str, Run]) -> Outcome:
    newest: dict[int, tuple[Run, _Told]] = {}
    for run, told in members:
        if run.state == "done":
            newest.setdefault(told.seed, (run, told))
    states = [run.state for run, told in members if told.seed not in newest]
    pairs = {seed: (run, told, _baseline(run, told, baselines)) for seed, (run, told) in sorted(newest.items())}
    gains = {seed: gain for seed, (run, told, base) in pairs.items() if (gain := _gain(run, told, base)) is not None}
    return Outcome(
        gain=over_seeds([gain.value for gain in gains.values()]) or next(iter(gains.values()), None),
        seeds=tuple(gains),
        done=tuple(run for run, *_ in pairs.values()),
        coming=sum(state in ("queued", "running", "interrupted") for state in states),
        failed=sum(state in ("failed", "cancelled") for state in states),
    )


def _baselines(runs: Iterable[Run]) -> dict[str, Run]:
    """By conditions, seed among them, the newest finished run that fine-tunes the student."""
    found: dict[str, Run] = {}
    for run in runs:
        measured = read_figure(run.summary, "fine-tuning", "robust") if run.state == "done" else None
        facts = None if measured is None else conditions_of(run.id)
        if facts is not None and facts.fine_tunes:
            found.setdefault(facts.conditions, run)
    return found


def _baseline(run: Run, told: _Told, baselines: Mapping[str, Run]) -> Run | None:
    return run if told.facts.fine_tunes else baselines.get(told.facts.conditions)


def _gain(run: Run, told: _Told, baseline: Run | None) -> Interval | None:
    if baseline is None:
        return None
    if baseline is run:
        return read_figure(run.summary, told.facts.method, "gain")
    ours = read_figure(run.summary, told.facts.method, "robust")
    theirs = read_figure(baseline.summary, "fine-tuning", "robust")
    if ours is None or theirs is None:
        return None
    shares = _share(run.id, told.facts.method), _share(baseline.id, "fine-tuning")
    if shares[0] is None or shares[1] is None or shares[0].shape != shares[1].shape:
        return Interval.of_number(ours.value - theirs.value, ours.n)
    return over_images(shares[0] - shares[1])


@lru_cache(maxsize=2048)
def _share(run_id: str, model: str) -> np.ndarray | None:
    """Of each test image the share of conditions and strengths that a network of a finished run is right under."""
    try:
        predictions = read_predictions(RunStore().get(run_id).directory)
    except BirdError:
        return None
    return None if predictions is None or model not in predictions.models else group_share(predictions, model, "robust")


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What a transfer through one pair of layers was asked for."""

    teacher: ModelRef
    student: ModelRef
    digests: tuple[str, ...]
    data: str
    image_size: int | str
    pair: Pair
    seed: int
    recipe: str
    facts: Conditions


@lru_cache(maxsize=8192)
def _told(run_id: str) -> _Told | None:
    """Kept by name, for what was asked for never changes. None of any other transfer, or one that can't be read."""
    facts = conditions_of(run_id)
    if facts is None:
        return None
    run = RunStore().get(run_id)
    spec = run.spec
    usual = "random-weights" if isinstance(spec, TransferSpec) and spec.teacher.weights is None else "none"
    if not isinstance(spec, TransferSpec) or len(spec.pairs) != 1 or spec.control not in ("none", usual):
        return None
    known = dict(run.depends_on.get("weights", []))
    conditions = json.loads(facts.conditions)
    conditions["asked"] = {name: value for name, value in conditions["asked"].items() if name != "seed"}
    method = spec.method.model_dump(mode="json") | {"pairs": None}
    recipe = json.dumps([conditions, method, spec.start], sort_keys=True)
    return _Told(
        teacher=spec.teacher,
        student=spec.student,
        digests=tuple(known.get(ref.weights or "", "") for ref in (spec.teacher, spec.student)),
        data=spec.data,
        image_size=spec.image_size,
        pair=(spec.pairs[0].teacher, spec.pairs[0].student),
        seed=spec.seed,
        recipe=hashlib.sha256(recipe.encode()).hexdigest()[:8],
        facts=facts,
    )


def _reads(run: Run, ref: ModelRef, digest: tuple[str, ...]) -> bool:
    """Whether a run depends on those weights as they are now, or the network has none."""
    known = run.depends_on.get("weights", [])
    return ref.weights is None or any(tuple(entry) == (ref.weights, *digest) for entry in known)


def _digests(refs: Iterable[ModelRef]) -> tuple[str, ...]:
    """Of each one's weights as they are now."""
    try:
        return tuple("" if ref.weights is None else file_digest(find_weights(ref.weights)) for ref in refs)
    except (BirdError, OSError):
        return ()
