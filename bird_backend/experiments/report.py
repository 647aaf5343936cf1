"""What a run found, for a person: its figures with their intervals, as a table and sentences."""

from __future__ import annotations

from bird_backend.experiments.declaration import Report, Summary
from bird_backend.measures import Interval, ends, rounded

__all__ = ["network_report", "transfer_report"]

_ACCURACIES = {
    "clean_accuracy": "clean",
    "robust_accuracy": "robust",
    "seen_accuracy": "seen",
    "held_out_accuracy": "held-out",
    "pooled_accuracy": "reference's pooled",
}
_GAINS = {"gain_over_fine_tuning": "fine-tuning", "gain_over_before": "before"}


def network_report(summary: Summary) -> Report:
    """Of a run that measured one network."""
    intervals = summary["intervals"]
    rows = [(name, _share(intervals[field])) for field, name in _ACCURACIES.items() if intervals.get(field)]
    rows += [
        (f"calibration error, {group}", _share(interval))
        for group, interval in intervals["calibration_error"].items()
        if interval
    ]
    return Report(header=("accuracy", "95 % over images"), rows=tuple(rows), lines=(_footer(summary),))


def transfer_report(summary: Summary) -> Report:
    """Of a transfer: the student before, with fine-tuning and after, and what was gained."""
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
    gains = [
        f"{summary['method']} over {name}: {rounded(100 * gain.value, 1, sign='+')} points of robust accuracy"
        f" (95 % over images: {ends(gain, sign='+')}; one seed)"
        for field, name in _GAINS.items()
        if (gain := Interval.from_dict(summary.get(field))) is not None
    ]
    return Report(header=("95 % over images", *keys), rows=tuple(rows), lines=(_footer(summary), *gains))


def _footer(summary: Summary) -> str:
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
