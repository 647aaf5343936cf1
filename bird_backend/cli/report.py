"""A run's summary in words and tables, for a person."""

from __future__ import annotations

from typing import Any

from bird_backend.cli.output import table
from bird_backend.measures import Interval, ends, rounded

__all__ = ["describe_summary"]

_ACCURACIES = {
    "clean_accuracy": "clean",
    "robust_accuracy": "robust",
    "seen_accuracy": "seen",
    "held_out_accuracy": "held-out",
    "pooled_accuracy": "reference's pooled",
}
_GAINS = {"gain_over_fine_tuning": "fine-tuning", "gain_over_before": "before"}


def describe_summary(summary: dict[str, Any]) -> str:
    """What a run found, with its intervals."""
    kind = summary["kind"]
    if kind == "analyze":
        best = summary["closest_pair"]
        return (
            f"Closest: teacher {best['teacher']}, student {best['student']}, CKA {best['cka']:.3f} (n = {summary['n']})"
        )
    if kind == "gallery":
        return f"A gallery of {summary['n']} images: run {summary['run']}"
    return _transfer(summary) if kind == "transfer" else _single(summary)


def _single(summary: dict[str, Any]) -> str:
    intervals = summary["intervals"]
    rows = [(name, _share(intervals[field])) for field, name in _ACCURACIES.items() if intervals.get(field)]
    rows += [
        (f"calibration error, {group}", _share(interval))
        for group, interval in intervals["calibration_error"].items()
        if interval
    ]
    return f"{table(rows, ('accuracy', '95 % over images'))}\n{_footer(summary)}"


def _transfer(summary: dict[str, Any]) -> str:
    intervals, keys = summary["intervals"], list(summary["cka"])
    rows = [
        (name, *(_share(intervals[field][key]) for key in keys))
        for field, name in _ACCURACIES.items()
        if any(intervals[field].values())
    ]
    rows += [
        (f"calibration error, {group}", *(_share(intervals["calibration_error"][key][group]) for key in keys))
        for group in ("clean", "robust")
    ]
    rows += [
        (name, *(_ratio(intervals[field][key]) for key in keys))
        for field, name in (("mce", "mCE over before"), ("relative_mce", "relative mCE"))
        if any(intervals[field].values())
    ]
    rows.append(("CKA", *(f"{summary['cka'][key]['value']:.3f}" for key in keys)))
    lines = [table(rows, ("95 % over images", *keys)), _footer(summary)]
    for field, name in _GAINS.items():
        if (gain := Interval.from_dict(summary.get(field))) is not None:
            lines.append(
                f"{summary['method']} over {name}: {rounded(100 * gain.value, 1, sign='+')} points of robust accuracy"
                f" (95 % over images: {ends(gain, sign='+')}; one seed)"
            )
    return "\n".join(lines)


def _footer(summary: dict[str, Any]) -> str:
    pooled = summary["pooled_accuracy"]
    measured = any(pooled.values()) if isinstance(pooled, dict) else pooled is not None
    return f"n = {summary['n_test']} test images, {summary['seconds']} s{_POOLED if measured else ''}"


_POOLED = "; the reference's pooled figure is held-out kinds at severities 0 to 5, a sixth of it clean"


def _share(document: object) -> str:
    interval = Interval.from_dict(document)
    return "–" if interval is None else f"{rounded(100 * interval.value, 1)} %  ({ends(interval)})"


def _ratio(document: object) -> str:
    interval = Interval.from_dict(document)
    return "–" if interval is None else f"{rounded(interval.value, 3)}  ({ends(interval, 3, factor=1)})"
