"""What came of a run, in one line: BIRD against fine-tuning where both were measured."""

from __future__ import annotations

from dataclasses import dataclass

from app.intervals import Difference, mean_interval, percent, points
from bird_backend.runs.store import Run

__all__ = ["Headline", "headline"]


@dataclass(frozen=True, kw_only=True)
class Headline:
    """`figure` is the number, `words` what it is a number of, `detail` its conditions."""

    figure: str
    words: str
    detail: str
    gap: Difference | None = None


def headline(run: Run) -> Headline | None:
    """The headline of a run that is done and measured something, else none."""
    summary = run.summary or {}
    robust, n = summary.get("robust_accuracy"), int(summary.get("n_test") or 0)
    if isinstance(robust, dict) and "after" in robust:
        against = "fine-tuning" if "fine-tuning" in robust else "before"
        after, other = float(robust["after"]), float(robust[against])
        gain = summary["gain_over_fine_tuning" if against == "fine-tuning" else "gain_over_before"]
        gap = Difference(value=gain["value"], half=(gain["high"] - gain["low"]) / 2)
        return Headline(
            figure=f"{points(gap)} points",
            words=f"robust accuracy over {against}, {gap.verdict}",
            detail=f"{percent(other)} {against} → {percent(after)} after; mean over corruptions and severities of the "
            f"same {n:,} test images; 95 % interval over images, one seed",
            gap=gap,
        )
    if isinstance(robust, int | float):
        low, high = mean_interval(float(robust), n)
        return Headline(
            figure=percent(float(robust)),
            words="robust accuracy",
            detail=f"95 % interval {percent(low)} to {percent(high)}, n = {n:,}",
        )
    return None
