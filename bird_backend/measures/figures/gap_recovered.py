"""PGR, the performance gap recovered (Burns 2023; BIRD §4): how far from the untouched student to the Oracle."""

from __future__ import annotations

from bird_backend.measures.by_seed import Shares, gap_recovered_by_seed, gaps_recovered
from bird_backend.measures.figures.declaration import SHARE, Estimate, Figure, OverSeeds
from bird_backend.measures.intervals import Interval
from bird_backend.measures.predictions import Predictions
from bird_backend.measures.robustness import Group, group_share

__all__ = ["DECLARES", "gap_recovered_in"]


def gap_recovered_in(predictions: Predictions, model: str, group: Group) -> Interval | None:
    """Of one run, where what the Oracle said stands beside it as `ceiling`; none without a gap beyond noise."""
    if model in ("before", "ceiling"):
        return None
    found: list[Shares] = []
    for name in (model, "before", "ceiling"):
        share = group_share(predictions, name, group)
        found.append({} if share is None else {0: share})
    return gap_recovered_by_seed(*found)


def _over_seeds(row: OverSeeds) -> Estimate:
    if row.role in ("floor", "ceiling"):
        return Estimate(reason="It is one end of the gap.")
    if row.floor is None or row.ceiling is None:
        return Estimate(reason="Without untouched student and Oracle in this study there is no gap.")
    ours, floor, ceiling = (shares.get("robust", {}) for shares in (row.shares, row.floor, row.ceiling))
    if not floor.keys() & ceiling.keys() & ours.keys():
        return Estimate(reason="No seed has this run and the Oracle's done.")
    interval = gap_recovered_by_seed(ours, floor, ceiling)
    if interval is None:
        return Estimate(reason="The Oracle is no better than the untouched student beyond noise: there is no gap.")
    return Estimate.of(interval, gaps_recovered(ours, floor, ceiling))


DECLARES = Figure(
    name="pgr",
    place=30,
    title="PGR",
    explained="performance gap recovered, (this − untouched) / (Oracle − untouched) in robust accuracy, each seed by "
    "its own ends, unclipped.",
    unit=SHARE,
    rises=True,
    group="robust",
    in_run=lambda run: gap_recovered_in(run.predictions, run.model, "robust"),
    over_seeds=_over_seeds,
    shown=frozenset({"study"}),
)
