"""A run's result in words and one table: did it help beyond fine-tuning, by how much, and how sure is that."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import streamlit as st

from app.charts import arm, baseline_of, by_condition, gain, models_in
from app.words.intervals import explained, percent, points, rounded, verdict, word
from bird_backend import measures
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.measures import Group, Interval, Predictions

__all__ = ["DELTA_COLOURS", "accuracy_table", "headline", "verdict_sentence"]

_CAPTION = (
    "Robust accuracy is the mean over {conditions} and {strengths} of the same {n} test images, so an interval (95 %, "
    "over images) counts images, not cells. {paired}The luck of the seed is not in it: another seed moves these "
    "numbers too."
)
_PAIRED = "A difference is taken image by image, since both models saw the same ones. "

DELTA_COLOURS: dict[str, Literal["green", "red", "off"]] = {"gain": "green", "loss": "red", "within noise": "off"}
"""Named, because Streamlit reads the sign of a delta from a hyphen and ours is a real minus."""
_GROUPS: dict[Group, tuple[str, str]] = {
    "robust": ("Robust accuracy", "Mean over all {conditions} and {strengths} 1 to 5."),
    "seen": ("Seen {conditions}", "Kinds a robust teacher may have been trained on."),
    "held_out": ("Held-out {conditions}", "Kinds no model here was ever trained on: the honest test."),
    "clean": ("Clean accuracy", "Test images as they are."),
}


def verdict_sentence(predictions: Predictions) -> str | None:
    """Whether the last model beats what it has to beat, over all conditions and then over those held out.

    None where there is nothing to beat. Said as well: that what it has to beat has collapsed, that the test is small.
    """
    over, last = baseline_of(predictions), models_in(predictions)[-1]
    gap = None if over is None else gain(predictions, of=last, over=over)
    if over is None or gap is None:
        return None
    if not measures.has_collapsed(predictions, over):
        said = _against(predictions, last, over, gap)
    else:
        said = _collapsed(predictions, last, over, gap)
        before = gain(predictions, of=last, over="before")
        if over != "before" and before is not None and not measures.has_collapsed(predictions, "before"):
            said = f"{said} {_against(predictions, last, 'before', before)}"
    return f"{said}{_small(predictions)}"


def _against(predictions: Predictions, last: str, over: str, gap: Interval) -> str:
    of, than = arm(last).label, _than(over)
    amount = f"**{points(gap)} points**"
    if gap.beyond_noise:
        side = "above" if gap.value > 0 else "below"
        said = f"{_whose(of)} robust accuracy is {amount} {side} that of {than}: **{verdict(gap)}**."
    else:
        said = (
            f"{of} and {than} differ by {amount} in robust accuracy: **within noise**, so this run alone shows no "
            "difference."
        )
    held_out = gain(predictions, "held_out", of=last, over=over)
    if held_out is None:
        return said
    conditions = BEHAVIOURS.find(predictions.behaviour).words.conditions
    return f"{said} On held-out {conditions}: **{points(held_out)} points**, {verdict(held_out)}."


def _collapsed(predictions: Predictions, last: str, over: str, gap: Interval) -> str:
    clean, than = measures.by_group(predictions, over, "clean"), _than(over)
    right = "" if clean is None else f" in {percent(clean.value)}"
    return (
        f"**{than[0].upper()}{than[1:]} has collapsed**: on clean images it is right{right}, no better than chance "
        f"({percent(measures.chance(predictions))}). {_whose(arm(last).label)} robust accuracy differs from its by "
        f"{points(gap)} points, and that says nothing of the method."
    )


def _small(predictions: Predictions) -> str:
    """What makes the test a small one."""
    names, behaviour = predictions.conditions, BEHAVIOURS.find(predictions.behaviour)
    said = ""
    if predictions.n < measures.FEW_IMAGES:
        said += f" With {predictions.n} test images the interval itself is rough."
    if len(names) == 1:
        said += (
            f" It was measured under one {behaviour.words.condition} only, {behaviour.find(names[0]).title.lower()}."
        )
    return said


def _than(over: str) -> str:
    return "fine-tuning" if over == "fine-tuning" else "the student before"


def headline(predictions: Predictions, *, key: str) -> None:
    """The difference that counts, then the last model's clean, robust, seen and held-out accuracy."""
    over = baseline_of(predictions)
    last = models_in(predictions)[-1]
    if (said := verdict_sentence(predictions)) is not None:
        st.markdown(said)
    if over is not None:
        st.caption(f"{arm(last).label} in large, and beneath it the difference to {arm(over).label.lower()}.")
    words = BEHAVIOURS.find(predictions.behaviour).words
    found = {group: measures.by_group(predictions, last, group) for group in _GROUPS}
    shown = {group: interval for group, interval in found.items() if interval is not None}
    columns = st.container(key=key).columns(max(len(shown), 1), gap="small")
    for column, (group, interval) in zip(columns, shown.items(), strict=False):
        label, explanation = (text.format(**vars(words)) for text in _GROUPS[group])
        delta = gain(predictions, group, of=last, over=over) if over else None
        column.metric(
            label,
            percent(interval.value),
            delta_arrow="off",
            delta=None if delta is None else f"{points(delta)} points",
            delta_color="off" if delta is None else DELTA_COLOURS[word(delta)],
            help=f"{explanation} {explained(interval)}."
            + (f" Beneath: against {arm(over).label.lower()}." if over else ""),
            border=True,
        )


def _whose(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def accuracy_table(predictions: Predictions, *, key: str) -> None:
    """Each condition and the means, a column a model, and the difference with its interval."""
    rows, words = by_condition(predictions), BEHAVIOURS.find(predictions.behaviour).words
    labels = [arm(model).label for model in models_in(predictions)]
    shown = rows.assign(**{label: 100 * rows[label] for label in labels if label in rows})
    config: dict[str, Any] = {
        label: st.column_config.NumberColumn(f"{label}, %", format="%.1f", help=f"Mean over {words.strengths} 1 to 5.")
        for label in labels
    }
    signs: dict[Any, Any] = {}
    for name in shown.columns:
        if name.endswith("(points)"):
            signs[name] = partial(rounded, digits=1, sign="+")
            config[name] = st.column_config.NumberColumn("Difference", help=f"{name}: above zero the first is better.")
    config["±"] = st.column_config.NumberColumn(
        format="%.1f", help="Half of the difference's 95 % interval over images, in points."
    )
    config["Kind"] = st.column_config.TextColumn(
        help="Seen: a robust teacher may train on it. Held out: no model ever does."
    )
    config["n"] = st.column_config.NumberColumn(help="Test images behind every number of the row.")
    st.dataframe(
        # The styled text is shown, a real minus in it, and the number beneath it is sorted by.
        shown.style.format(signs, na_rep="–"),
        key=key,
        hide_index=True,
        column_config=config,
        alt=f"Accuracy of each model under each {words.condition}, in percent",
    )
    st.caption(_CAPTION.format(n=f"{predictions.n:,}", paired=_PAIRED if len(labels) > 1 else "", **vars(words)))
