"""The figures of robustness, from what networks said of test images: torch-free, so that the app shares them."""

from bird_backend.measures.by_seed import (
    Shares,
    difference_by_seed,
    differences,
    gap_recovered_by_seed,
    gaps_recovered,
    mean_by_seed,
)
from bird_backend.measures.calibration import BINS, calibration_error, reliability
from bird_backend.measures.correlation import LEAST_PAIRS, rank_correlation
from bird_backend.measures.evidence import (
    FALSE_DISCOVERIES,
    FEW_IMAGES,
    at_chance,
    chance,
    has_collapsed,
    standing_out,
    two_sided,
)
from bird_backend.measures.intervals import Interval, bootstrap, over_images, over_seeds, wilson
from bird_backend.measures.predictions import CLEAN, Cell, Predictions
from bird_backend.measures.robustness import (
    GROUPS,
    Group,
    accuracy,
    by_group,
    degrading,
    gain,
    gap_recovered,
    group_names,
    group_share,
    mean_corruption_error,
    relative_mean_corruption_error,
)
from bird_backend.measures.words import ends, plus_minus, rounded, spread

__all__ = [
    "BINS",
    "CLEAN",
    "FALSE_DISCOVERIES",
    "FEW_IMAGES",
    "GROUPS",
    "LEAST_PAIRS",
    "Cell",
    "Group",
    "Interval",
    "Predictions",
    "Shares",
    "accuracy",
    "at_chance",
    "bootstrap",
    "by_group",
    "calibration_error",
    "chance",
    "degrading",
    "difference_by_seed",
    "differences",
    "ends",
    "gain",
    "gap_recovered",
    "gap_recovered_by_seed",
    "gaps_recovered",
    "group_names",
    "group_share",
    "has_collapsed",
    "mean_by_seed",
    "mean_corruption_error",
    "over_images",
    "over_seeds",
    "plus_minus",
    "rank_correlation",
    "relative_mean_corruption_error",
    "reliability",
    "rounded",
    "spread",
    "standing_out",
    "two_sided",
    "wilson",
]
