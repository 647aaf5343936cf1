"""How much more robust a network is than fine-tuning made it, or than it was: on the same images, in points."""

from __future__ import annotations

from bird_backend.measures.by_seed import difference_by_seed, differences
from bird_backend.measures.figures.declaration import POINTS, Estimate, Figure, InRun, OverSeeds
from bird_backend.measures.intervals import Interval, over_images
from bird_backend.measures.robustness import group_share

__all__ = ["DECLARES"]


def _gain(run: InRun, over: str) -> Interval | None:
    ours, theirs = (group_share(run.predictions, model, "robust") for model in (run.model, over))
    return None if ours is None or theirs is None or run.model == over else over_images(ours - theirs)


def _over_seeds(row: OverSeeds) -> Estimate:
    if row.over is None:
        named = "It is what gains are over." if row.has_reference else "Fine-tuning is not part of this study."
        return Estimate(reason=named)
    ours, theirs = row.shares.get("robust", {}), row.over.get("robust", {})
    interval = difference_by_seed(ours, theirs)
    if interval is None:
        return Estimate(reason="No seed has both runs done.")
    return Estimate.of(interval, differences(ours, theirs))


DECLARES = (
    Figure(
        name="gain",
        place=20,
        title="Gain",
        explained="robust accuracy over fine-tuning's with the same budget, paired by image and seed, in points.",
        unit=POINTS,
        rises=True,
        group="robust",
        in_run=lambda run: _gain(run, "fine-tuning"),
        over_seeds=_over_seeds,
        shown=frozenset({"study", "ablation", "comparison"}),
    ),
    Figure(
        name="gain_over_before",
        place=21,
        title="Gain over before",
        explained="robust accuracy over the untouched student's, paired by image, in points.",
        unit=POINTS,
        rises=True,
        group="robust",
        in_run=lambda run: _gain(run, "before"),
        shown=frozenset(),
    ),
)
