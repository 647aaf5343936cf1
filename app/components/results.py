"""A run's result in words and one table: did BIRD help beyond fine-tuning, by how much, and how sure is that."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st

from app.charts import arm, by_corruption, gain, mean_rows, models_in
from app.intervals import Difference, percent, points
from bird_backend.runs.reading import Correct

__all__ = ["CAPTION", "accuracy_table", "headline", "verdict"]

CAPTION = (
    "Robust accuracy is the mean over corruptions and severities of the same {n} test images, so an interval (95 %) "
    "counts images, not cells. {how} The luck of the seed is not in it: another seed moves these numbers too."
)


_PAIRED = "A difference is taken image by image, since both models saw the same ones."
_UNPAIRED = "A difference ignores that both models saw the same images, so its interval is too wide, not too narrow."

_COLOURS: dict[str, Literal["green", "red", "off"]] = {"gain": "green", "loss": "red", "within noise": "off"}
"""Named, because Streamlit reads the sign of a delta from a hyphen and ours is a real minus."""
_PARTS = {
    "robust": ("Robust accuracy", "Mean over all corruptions and severities 1 to 5."),
    "seen": ("Seen corruptions", "Kinds a robust teacher may have been trained on."),
    "held_out": ("Held-out corruptions", "Kinds no model here was ever trained on: the honest test."),
    "clean": ("Clean accuracy", "Test images as they are."),
}


def verdict(delta: Difference, of: str = "BIRD", over: str = "fine-tuning", what: str = "robust accuracy") -> str:
    """One sentence that says plainly whether the difference means anything."""
    amount = f"**{points(delta)} points**"
    if not delta.beyond_noise:
        return f"{of} and {over} differ by {amount} in {what}: **within noise**, so this run alone shows no difference."
    side = "above" if delta.value > 0 else "below"
    return f"{of}'s {what} is {amount} {side} that of {over}: **{delta.verdict}**."


def headline(table: pd.DataFrame, correct: Correct | None, *, key: str) -> None:
    """The difference that counts, then each model's clean, robust, seen and held-out accuracy."""
    models = models_in(table)
    means = mean_rows(table, correct).set_index(["model", "part"])
    over = next((name for name in ("fine-tuning", "before") if name in models), None)
    if "bird" in models and over is not None and (delta := gain(table, over=over, correct=correct)) is not None:
        st.markdown(verdict(delta, over="fine-tuning" if over == "fine-tuning" else "the student before"))
    last = models[-1]
    if over is not None:
        st.caption(f"{arm(last).label} in large, and beneath it the difference to {arm(over).label.lower()}.")
    shown = [part for part in _PARTS if (last, part) in means.index]
    for column, part in zip(st.container(key=key).columns(len(shown), gap="small"), shown, strict=True):
        label, explained = _PARTS[part]
        with column:
            row: Any = means.loc[(last, part)]
            delta = gain(table, part, of=last, over=over, correct=correct) if over else None
            st.metric(
                label,
                percent(float(row["accuracy"])),
                delta_arrow="off",
                delta=None if delta is None else f"{points(delta)} points",
                delta_color="off" if delta is None else _COLOURS[delta.word],
                help=f"{explained} 95 % interval {percent(float(row['low']))} to {percent(float(row['high']))}, "
                f"n={int(row['n'])}." + (f" Beneath: against {arm(over).label.lower()}." if over else ""),
                border=True,
            )


def accuracy_table(table: pd.DataFrame, correct: Correct | None, *, key: str) -> None:
    """Each corruption and the means, a column a model, and the difference with its interval."""
    rows = by_corruption(table, correct)
    labels = [arm(model).label for model in models_in(table)]
    shown = rows.assign(**{label: 100 * rows[label] for label in labels if label in rows})
    config: dict[str, Any] = {
        label: st.column_config.NumberColumn(f"{label}, %", format="%.1f", help="Mean over severities 1 to 5.")
        for label in labels
    }
    for name in shown.columns:
        if name.endswith("(points)"):
            config[name] = st.column_config.NumberColumn(
                "Difference", format="%+.1f", help=f"{name}: above zero BIRD is better."
            )
    config["±"] = st.column_config.NumberColumn(
        format="%.1f", help="Half of the difference's 95 % interval, in points."
    )
    config["Kind"] = st.column_config.TextColumn(
        help="Seen: a robust teacher may train on it. Held out: no model ever does."
    )
    config["n"] = st.column_config.NumberColumn(help="Test images behind every number of the row.")
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        column_config=config,
        alt="Accuracy of each model on each corruption, in percent",
    )
    how = "" if len(labels) == 1 else _UNPAIRED if correct is None else _PAIRED
    st.caption(CAPTION.format(n=f"{int(table['n'].min()):,}", how=how))
