"""PGR, the performance gap recovered (Burns 2023; BIRD §4): how far from the untouched student to the Oracle."""

from __future__ import annotations

from bird_backend.measures.by_seed import Shares, gap_recovered_by_seed, gaps_recovered
from bird_backend.measures.figures.declaration import SHARE, Estimate, Figure, InRun, OverSeeds
from bird_backend.measures.intervals import Interval
from bird_backend.measures.robustness import group_share

__all__ = ["DECLARES"]


def _in_run(run: InRun) -> Interval | None:
    """Of a run whose Oracle was put beside it as `ceiling`."""
    if run.model in ("before", "ceiling"):
        return None
    found: list[Shares] = []
    for model in (run.model, "before", "ceiling"):
        share = group_share(run.predictions, model, "robust")
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
    in_run=_in_run,
    over_seeds=_over_seeds,
    shown=frozenset({"study"}),
)
