"""What came of a run, in one line: its method against fine-tuning where both were measured."""

from __future__ import annotations

from dataclasses import dataclass

from app.backend import data
from app.findings.summaries import figure_of
from app.words.intervals import explained, percent, points, verdict
from bird_backend.measures import Interval, at_chance

__all__ = ["Headline", "headline"]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """`figure` is the number, `words` what it is a number of, `detail` its conditions."""

    figure: str
    words: str
    detail: str
    gap: Interval | None = None
    """None too where what it is over has collapsed, so that it is neither gain nor loss."""


def headline(run: data.Run) -> Headline | None:
    """The headline of a run that is done and measured something, else none."""
    robust = figure_of(run, "robust")
    if robust is None:
        return None
    for over, name in (("fine-tuning", "gain"), ("before", "gain_over_before")):
        gap, theirs = figure_of(run, name), figure_of(run, "robust", over)
        if gap is not None and theirs is not None:
            collapsed = _collapsed(run, over)
            return Headline(
                figure=f"{points(gap)} points",
                words=f"robust accuracy over {over}, {'which has collapsed to chance' if collapsed else verdict(gap)}",
                detail=f"{percent(theirs.value)} {over} → {percent(robust.value)} after; mean over every "
                f"condition and strength of the same {gap.n:,} test images; 95 % interval, {gap.kind}, one seed",
                gap=None if collapsed else gap,
            )
    untouched = (run.summary or {}).get("method") == "none"
    words = "robust accuracy, untouched" if untouched else "robust accuracy"
    return Headline(figure=percent(robust.value), words=words, detail=explained(robust))


def _collapsed(run: data.Run, model: str) -> bool:
    clean, chance = figure_of(run, "clean", model), (run.summary or {}).get("chance")
    return clean is not None and isinstance(chance, float) and at_chance(clean, chance)
