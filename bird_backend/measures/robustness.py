"""Robust accuracy and its relatives: means over groups of conditions, paired gains, mCE, performance gap recovered.

Definitions: Hendrycks & Dietterich 2019 (mCE); Burns 2023 and BIRD §4 (PGR). Where they leave room, the docstrings say
what was chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np

from bird_backend.behaviours import BEHAVIOURS, STRENGTHS
from bird_backend.measures.intervals import Interval, bootstrap, over_images, wilson
from bird_backend.measures.predictions import CLEAN, Predictions

__all__ = [
    "GROUPS",
    "Group",
    "accuracy",
    "by_group",
    "degrading",
    "gain",
    "gap_recovered",
    "group_names",
    "group_share",
    "mean_corruption_error",
    "relative_mean_corruption_error",
]

Group = Literal["clean", "robust", "seen", "held_out", "pooled"]
GROUPS: tuple[Group, ...] = get_args(Group)


def group_names(predictions: Predictions, group: Group) -> tuple[str, ...]:
    """The conditions a group's figure is over. `pooled` is the reference's: held-out ones and clean together."""
    if group == "clean":
        return (CLEAN[0],)
    measured = predictions.conditions
    if group == "robust":
        return measured
    behaviour = BEHAVIOURS.find(predictions.behaviour)
    members = behaviour.seen if group == "seen" else behaviour.held_out
    return tuple(name for name in measured if name in members)


def group_share(predictions: Predictions, model: str, group: Group) -> np.ndarray | None:
    """Per image, the share [n] of a group's cells that `model` got right; none where the group was not measured.

    `robust`, `seen` and `held_out` weigh every cell alike. `pooled` is what the reference implementation calls robust
    accuracy: the held-out conditions at strengths 0 to 5, so that a sixth of it is clean accuracy. It is only given
    where all of that was measured, of a behaviour for which it is defined.
    """
    names = group_names(predictions, group)
    share = predictions.share(model, names)
    if group != "pooled" or share is None:
        return share
    clean = predictions.share(model, (CLEAN[0],))
    behaviour, levels = BEHAVIOURS.find(predictions.behaviour), len(STRENGTHS)
    whole = set(names) == set(behaviour.held_out) and len(predictions.rows(names)) == len(names) * levels
    if clean is None or not behaviour.pooled or not whole:
        return None
    pooled: np.ndarray = (levels * share + clean) / (levels + 1)
    return pooled


def by_group(predictions: Predictions, model: str, group: Group) -> Interval | None:
    """Mean accuracy of `model` over a group."""
    share = group_share(predictions, model, group)
    if share is None:
        return None
    return wilson(float(share.sum()), len(share)) if group == "clean" else over_images(share)


def accuracy(
    predictions: Predictions, model: str, names: Collection[str], strength: int | None = None
) -> Interval | None:
    """Mean accuracy of `model` over the named conditions' cells, at one strength or all; none without such cells."""
    share = predictions.share(model, names, strength)
    if share is None:
        return None
    single = len(predictions.rows(names, strength)) == 1
    return wilson(float(share.sum()), len(share)) if single else over_images(share)


def gain(
    predictions: Predictions, model: str, over: str, names: Collection[str], strength: int | None = None
) -> Interval | None:
    """How much more accurate `model` is than `over`, image by image on the same test images."""
    after, before = predictions.share(model, names, strength), predictions.share(over, names, strength)
    return None if after is None or before is None else over_images(after - before)


def mean_corruption_error(predictions: Predictions, model: str, reference: str = "before") -> Interval | None:
    """mCE: the mean over conditions of Σₛ E(c,s) / Σₛ E_ref(c,s); 1 is as many errors as the reference makes.

    None where the reference makes no error at all under some condition.
    """
    names = predictions.conditions
    ours, theirs = (_errors(predictions, name, names) for name in (model, reference))
    if ours is None or theirs is None or bool((theirs.mean(axis=0) == 0).any()):
        return None
    return _mean_ratio(ours, theirs)


def relative_mean_corruption_error(predictions: Predictions, model: str, reference: str = "before") -> Interval | None:
    """Relative mCE: as mCE, of what the conditions add to each network's own clean error.

    Over the conditions that degrade the reference beyond noise (`degrading`): elsewhere the ratio has no denominator.
    """
    names = degrading(predictions, reference)
    added = []
    for name in (model, reference):
        clean, errors = predictions.share(name, (CLEAN[0],)), _errors(predictions, name, names)
        if clean is None or errors is None:
            return None
        added.append(errors - (1 - clean)[:, None])
    return _mean_ratio(*added)


def degrading(predictions: Predictions, reference: str = "before") -> tuple[str, ...]:
    """The conditions under which the reference makes more errors than on clean images, beyond noise."""
    clean = predictions.share(reference, (CLEAN[0],))
    if clean is None:
        return ()
    found = []
    for name in predictions.conditions:
        share = predictions.share(reference, (name,))
        if share is not None and over_images(clean - share).low > 0:
            found.append(name)
    return tuple(found)


def gap_recovered(after: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> Interval | None:
    """PGR = (after − floor) / (ceiling − floor) of per-image shares [n] of the same images, unclipped.

    None where the ceiling is not above the floor beyond noise: there is no gap to recover a part of.
    """
    if over_images(ceiling - floor).low <= 0:
        return None
    return bootstrap(
        lambda means: _ratio(means[:, 0] - means[:, 1], means[:, 2] - means[:, 1]),
        np.stack([after, floor, ceiling], axis=1),
    )


def _errors(predictions: Predictions, model: str, names: Sequence[str]) -> np.ndarray | None:
    """Per image and condition [n, k], the share of strengths got wrong."""
    shares = [predictions.share(model, (name,)) for name in names]
    found = [1 - share for share in shares if share is not None]
    return np.stack(found, axis=1) if found and len(found) == len(names) else None


def _mean_ratio(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """The mean over conditions of the ratio of two tables [n, k], each summed over images."""
    k = ours.shape[1]

    def statistic(means: np.ndarray) -> np.ndarray:
        mean: np.ndarray = _ratio(means[:, :k], means[:, k:]).mean(axis=1)
        return mean

    return bootstrap(statistic, np.hstack([ours, theirs]))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A resample without a denominator has no ratio: at infinity it only widens the interval."""
    ratio: np.ndarray = np.divide(above, below, out=np.full_like(above, np.inf), where=below != 0)
    return ratio
