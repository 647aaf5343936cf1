"""The figures of a run's models in one table: intervals over images, means over seeds, the clear best marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import streamlit as st

from app.backend import data
from app.charts.accuracy import models_in
from app.charts.frame import arm
from app.components.html_table import Entry, html_table
from app.findings.figures import best, figures, relative_note
from app.findings.seeds import figure_over_seeds
from bird_backend.measures import Interval, Predictions, plus_minus
from bird_backend.measures.figures import FIGURES, Unit, columns

__all__ = ["figures_table"]

_ARROWS = {True: "\u00a0↑", False: "\u00a0↓", None: ""}


def figures_table(run: data.Run, predictions: Predictions, runs: Sequence[data.Run]) -> None:
    """Draw it; `runs` are the run and those that differ from it in the seed alone."""
    found = figures(predictions, run.summary)
    models = [*models_in(predictions)]
    names = [name for name in columns("run") if any(found[model][name] is not None for model in models)]
    rivals = tuple(model for model in models if model != "ceiling")
    winners = {name: best(predictions, found, name, among=rivals) for name in names}
    html_table(
        label="Figures of each model, in percent, with 95 % intervals",
        columns=[f"{FIGURES[name].title}{_ARROWS[FIGURES[name].rises]}" for name in names],
        rows=[
            (
                arm(model).label,
                [
                    Entry(
                        text=_text(found[model][name], FIGURES[name].unit),
                        note=_text(figure_over_seeds(runs, name, model), FIGURES[name].unit, blank="")
                        if model != "ceiling"
                        else "",
                        best=winners[name] == model,
                    )
                    for name in names
                ],
            )
            for model in models
        ],
    )
    st.caption(" ".join(_reading(predictions, len(runs), rivals)))
    if "relative_mce" in names and (note := relative_note(predictions)) is not None:
        st.caption(note)
    with st.expander("What each figure means", icon=":material/help:"):
        st.markdown("\n".join(f"- **{FIGURES[name].title}**: {FIGURES[name].explained}" for name in names))
        st.caption(
            "Intervals over images say what other test images would give with the same networks: Wilson's for clean "
            "accuracy, normal for means over cells (an image is one observation, however many cells), bootstrap for "
            "mCE and ECE. Intervals over seeds say what other runs would give. Neither contains the other. ECE of few "
            "predictions is estimated too high."
        )


def _reading(predictions: Predictions, seeds: int, rivals: Sequence[str]) -> Iterator[str]:
    yield "Percent; ↑ more is better, ↓ less is better."
    yield f"± is half of a 95 % interval over the same {predictions.n:,} test images of this one run."
    if seeds > 1:
        yield f"Beneath, smaller: the mean over {seeds} seeds with its 95 % interval over seeds (Student's t)."
    if len(rivals) > 1:
        aside = ", the ceiling aside" if "ceiling" in predictions.models else ""
        yield f"Bold and shaded: better than each other model beyond noise{aside}; where nothing is, noise decides."


def _text(interval: Interval | None, unit: Unit, *, blank: str = "–") -> str:
    if interval is None:
        return blank
    if interval.low == interval.high:
        # By definition, such as the student before's mCE over itself.
        return f"{unit.scale * interval.value:.0f}"
    return plus_minus(interval, unit.digits, factor=unit.scale, sign=unit.sign)
