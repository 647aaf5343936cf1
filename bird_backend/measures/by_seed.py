"""Figures over the seeds of one recipe, and their differences paired by seed: the same images, corrupted the same.

Every function takes per-image shares of right answers by seed. With two seeds or more the interval is over seeds; with
one it is over its images.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bird_backend.measures.intervals import Interval, over_images, over_seeds, wilson
from bird_backend.measures.robustness import gap_recovered

__all__ = ["Shares", "difference_by_seed", "gap_recovered_by_seed", "has_gap", "mean_by_seed"]

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

    What the seeds share (the draw of weights, the order of batches, the corrupted images) is no part of the interval.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    if len(seeds) >= 2:
        return over_seeds([float(ours[seed].mean()) - float(theirs[seed].mean()) for seed in seeds])
    return over_images(ours[seeds[0]] - theirs[seeds[0]]) if seeds else None


def has_gap(floor: Shares, ceiling: Shares) -> bool:
    """Whether ceiling > floor beyond noise: over the seeds that both have, and over the images of each of them."""
    gap = difference_by_seed(ceiling, floor)
    seeds = floor.keys() & ceiling.keys()
    return gap is not None and gap.low > 0 and all(over_images(ceiling[s] - floor[s]).low > 0 for s in seeds)


def gap_recovered_by_seed(after: Shares, floor: Shares, ceiling: Shares) -> Interval | None:
    """PGR = (after − floor) / (ceiling − floor), each seed's by its own floor and ceiling, then the mean; unclipped.

    None where no seed has all three, or without a gap (`has_gap`): a ratio to noise is noise.
    """
    seeds = sorted(after.keys() & floor.keys() & ceiling.keys())
    if not seeds or not has_gap(floor, ceiling):
        return None
    if len(seeds) == 1:
        return gap_recovered(after[seeds[0]], floor[seeds[0]], ceiling[seeds[0]])
    means = np.array([[float(shares[seed].mean()) for shares in (after, floor, ceiling)] for seed in seeds])
    ratios = (means[:, 0] - means[:, 1]) / (means[:, 2] - means[:, 1])
    return over_seeds([float(ratio) for ratio in ratios])
