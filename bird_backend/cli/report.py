"""A run's summary in words and tables, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bird_backend.cli.output import table

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
        if gain := summary.get(field):
            lines.append(
                f"{summary['method']} over {name}: {100 * gain['value']:+.1f} points of robust accuracy"
                f" (95 % over images: {_signed(gain['low'])} to {_signed(gain['high'])}; one seed)"
            )
    return "\n".join(lines)


def _footer(summary: dict[str, Any]) -> str:
    pooled = summary["pooled_accuracy"]
    measured = any(pooled.values()) if isinstance(pooled, dict) else pooled is not None
    return f"n = {summary['n_test']} test images, {summary['seconds']} s{_POOLED if measured else ''}"


_POOLED = "; the reference's pooled figure is held-out kinds at severities 0 to 5, a sixth of it clean"


def _share(interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return "–"
    ends = (_percent(interval["low"]), _percent(interval["high"]))
    return f"{_percent(interval['value'])} %  ({' to '.join(ends)})"


def _ratio(interval: Mapping[str, Any] | None) -> str:
    if interval is None:
        return "–"
    low, high = ("?" if end is None else f"{end:.3f}" for end in (interval["low"], interval["high"]))
    return f"{interval['value']:.3f}  ({low} to {high})"


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.1f}"


def _signed(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:+.1f}"
