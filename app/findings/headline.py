"""What came of a run, in one line: its method against fine-tuning where both were measured."""

from __future__ import annotations

from dataclasses import dataclass

from app.backend import data
from app.findings.summaries import gain_of, interval_of
from app.words.intervals import explained, percent, points, verdict
from bird_backend.measures import Interval

__all__ = ["Headline", "headline"]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """`figure` is the number, `words` what it is a number of, `detail` its conditions."""

    figure: str
    words: str
    detail: str
    gap: Interval | None = None


def headline(run: data.Run) -> Headline | None:
    """The headline of a run that is done and measured something, else none."""
    summary = run.summary or {}
    robust = summary.get("robust_accuracy")
    if summary.get("method") == "none":
        untouched = interval_of(summary, "robust", "after")
        if untouched is None:
            return None
        words = "robust accuracy, untouched"
        return Headline(figure=percent(untouched.value), words=words, detail=explained(untouched))
    if isinstance(robust, dict) and "after" in robust:
        against = "fine-tuning" if "fine-tuning" in robust else "before"
        gap = gain_of(summary, against)
        if gap is None:
            return None
        return Headline(
            figure=f"{points(gap)} points",
            words=f"robust accuracy over {against}, {verdict(gap)}",
            detail=f"{percent(robust[against])} {against} → {percent(robust['after'])} after; mean over corruptions "
            f"and severities of the same {gap.n:,} test images; 95 % interval, {gap.kind}, one seed",
            gap=gap,
        )
    found = interval_of(summary, "robust", "model")
    if found is None:
        return None
    return Headline(figure=percent(found.value), words="robust accuracy", detail=explained(found))
