"""Figures over the seeds of one recipe, and their differences paired by seed: the same images, changed the same.

Every function takes per-image shares of right answers by seed. With two seeds or more the interval is over seeds; with
one it is over its images.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bird_backend.measures.intervals import Interval, over_images, over_seeds, wilson
from bird_backend.measures.robustness import gap_recovered

__all__ = [
    "Shares",
    "difference_by_seed",
    "differences",
    "gap_recovered_by_seed",
    "gaps_recovered",
    "mean_by_seed",
]

Shares = Mapping[int, np.ndarray]
"""By seed, for each image [n] the share of a group's cells that a network got right."""


def mean_by_seed(shares: Shares, *, single: bool = False) -> Interval | None:
    """Mean accuracy; none without seeds. `single`: one answer an image, so that one seed's interval is Wilson's."""
    if len(shares) >= 2:
        return over_seeds([float(share.mean()) for share in shares.values()])
    for share in shares.values():
        return wilson(float(share.sum()), len(share)) if single else over_images(share)
    return None


def difference_by_seed(ours: Shares, theirs: Shares) -> Interval | None:
    """How much more accurate ours is, over the seeds that both have; none where there is no such seed.

    What the seeds share (the draw of weights, the order of batches, the changed images) is no part of the interval.
    """
    found = differences(ours, theirs)
    if len(found) >= 2:
        return over_seeds(list(found.values()))
    for seed in found:
        return over_images(ours[seed] - theirs[seed])
    return None


def differences(ours: Shares, theirs: Shares) -> dict[int, float]:
    """How much more accurate ours is, by seed, for the seeds that both have."""
    seeds = sorted(ours.keys() & theirs.keys())
    return {seed: float(ours[seed].mean()) - float(theirs[seed].mean()) for seed in seeds}


def _has_gap(floor: Shares, ceiling: Shares) -> bool:
    """Whether ceiling > floor beyond noise: over the seeds that both have, and over the images of each of them."""
    gap = difference_by_seed(ceiling, floor)
    seeds = floor.keys() & ceiling.keys()
    return gap is not None and gap.low > 0 and all(over_images(ceiling[s] - floor[s]).low > 0 for s in seeds)


def gap_recovered_by_seed(after: Shares, floor: Shares, ceiling: Shares) -> Interval | None:
    """PGR = (after − floor) / (ceiling − floor), each seed's by its own floor and ceiling, then the mean; unclipped.

    None where no seed has all three, or without a gap beyond noise: a ratio to noise is noise.
    """
    if not _has_gap(floor, ceiling):
        return None
    found = gaps_recovered(after, floor, ceiling)
    if len(found) >= 2:
        return over_seeds(list(found.values()))
    for seed in found:
        return gap_recovered(after[seed], floor[seed], ceiling[seed])
    return None


def gaps_recovered(after: Shares, floor: Shares, ceiling: Shares) -> dict[int, float]:
    """PGR by seed, for the seeds that have all three; only of use where there is a gap beyond noise."""
    gained, gap = differences(after, floor), differences(ceiling, floor)
    return {seed: gained[seed] / gap[seed] for seed in gained if seed in gap}
