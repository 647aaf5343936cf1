"""How good weights are on a data set: measured by a job of its own, and found again once it was."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.address.routes import go, link
from app.address.url_state import keep_valid
from app.backend import data
from app.backend.own_images import own_names
from app.backend.weights import Weights
from app.findings.summaries import figure_of
from app.words.intervals import explained, percent
from bird_backend import catalog
from bird_backend.catalog import title_of

__all__ = ["measure_weights"]

_FIGURES = {"clean_accuracy": "Clean", "robust_accuracy": "Under corruption"}
_RECENT = 100


def measure_weights(weights: Weights) -> None:
    """Draw the data sets that they can be measured on, what was measured, and a button that asks for more."""
    made = weights.provenance
    count = 0 if made is None else len(made.classes)
    fitting = [name for name, facts in catalog.DATASETS.items() if len(facts.classes) in (0, count)]
    if made is not None and catalog.apart(made.data)[1] is not None:
        fitting.insert(0, made.data)
    options = [*fitting, *(name for name in own_names() if name not in fitting)]
    known = [run for run in data.list_runs(kind="evaluate", limit=_RECENT) if _is_of(run, weights)]
    for run in known:
        _measured(run)
    if not options:
        st.caption(f"No data set here has {count} classes. Images of your own can be named on the Launch page.")
        return
    keep_valid("_measure_on", options, "" if made is None else made.data)
    on = str(
        st.selectbox(
            "On the test images of",
            options,
            format_func=title_of,
            key="_measure_on",
            help=f"Data sets of {count} classes, in the order in which it was trained on them: another order, and an "
            "accuracy says nothing.",
        )
    )
    if st.button("Measure its accuracy", icon=":material/speed:", key="measure_accuracy"):
        try:
            run = data.submit(_document(weights, on), reuse=True)
        except data.BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("live", run=run.id)


def _measured(run: data.Run) -> None:
    on = title_of(str(getattr(data.spec_of(run), "data", "")))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if run.state == "done":
            figures = {label: figure_of(run, name) for name, label in _FIGURES.items()}
            for label, figure in figures.items():
                if figure is not None:
                    st.metric(f"{label}, {on}", percent(figure.value), help=explained(figure), width="content")
        else:
            st.caption(f"On {on}: {run.reason or run.state}")
        link("live", "Its page", icon=":material/arrow_forward:", run=run.id)


def _document(weights: Weights, on: str) -> dict[str, Any]:
    return {"kind": "evaluate", "data": on, "model": {"model": weights.network, "weights": weights.value}}


def _is_of(run: data.Run, weights: Weights) -> bool:
    try:
        asked = getattr(data.spec_of(run), "model", None)
    except data.BirdError:
        return False
    return getattr(asked, "weights", None) == weights.value
