"""How much of the way to the Oracle a transfer went: the ceiling, picked among finished runs, and PGR."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.charts.accuracy import models_in
from app.charts.frame import arm
from app.components.address_list import address_list
from app.components.html_table import Entry, html_table
from app.components.run_state import since
from app.findings.ceilings import GROUPS, gap, gap_recovered
from app.findings.summaries import figure_of
from app.form.drafts import OWN
from app.words.intervals import percent, plus_minus, points
from bird_backend import catalog
from bird_backend.experiments import TransferSpec
from bird_backend.measures import Predictions
from bird_backend.measures.figures import FIGURES

__all__ = ["ask_for_ceiling", "chosen_ceiling", "pick_ceiling", "recovered"]


def chosen_ceiling(oracles: Mapping[str, data.Run]) -> data.Run | None:
    """The ceiling that the address names, else the newest; none where there is none."""
    return oracles.get(st.query_params.get("ceiling", "")) or next(iter(oracles.values()), None)


def pick_ceiling(oracles: Mapping[str, data.Run], chosen: data.Run) -> None:
    """Draw the list of them; the pick goes into the address."""
    address_list(
        "ceiling",
        {name: _label(run) for name, run in oracles.items()},
        chosen.id,
        label="Ceiling",
        key="_ceiling",
        help="Networks of the student's architecture that were trained on corrupted images of this data set, and "
        "measured on the same test images.",
    )


def ask_for_ceiling(run: data.Run) -> None:
    """What to do where no Oracle has been trained yet."""
    spec = data.spec_of(run)
    if not isinstance(spec, TransferSpec):
        return
    st.markdown(
        "There is no ceiling to measure against yet. Train the student's architecture on corrupted images of the same "
        "data: what it reaches is what a transfer could hope for."
    )
    known = spec.data in catalog.DATASETS
    where = {"on": spec.data} if known else {"on": OWN, "folder": spec.data}
    link(
        "models",
        "Train a ceiling",
        icon=":material/model_training:",
        part="train",
        role="robustify",
        net=spec.student.model,
        name=f"{spec.data if known else 'own-images'}-{spec.student.model}-oracle",
        **where,
    )


def recovered(predictions: Predictions) -> None:
    """The table of PGR; `predictions` have the ceiling among their models."""
    gaps = {group: found for group in GROUPS if (found := gap(predictions, group)) is not None}
    models = [model for model in models_in(predictions) if model not in ("before", "ceiling")]
    rows = []
    for model in models:
        shares = [gap_recovered(predictions, model, group) for group in gaps]
        entries = [Entry(text="–" if share is None else f"{plus_minus(share, 0)} %") for share in shares]
        rows.append((arm(model).label, entries))
    rows.append(("Ceiling − floor, points", [Entry(text=points(found)) for found in gaps.values()]))
    html_table(
        label="Performance gap recovered by each model",
        columns=[FIGURES[group].title for group in gaps],
        rows=rows,
    )
    blank = [FIGURES[group].title.lower() for group, found in gaps.items() if not found.beyond_noise]
    if blank:
        st.caption(
            f"No number for {' and '.join(blank)}: the ceiling and the student before differ by no more than noise "
            "there, so there is no gap to recover a part of."
        )
    st.caption(
        "PGR = (after − floor) / (ceiling − floor). Floor: the student before. 0 % is no better than before, 100 % is "
        "the ceiling; it is not clipped, so less than nothing and more than all can happen. 95 % intervals over images "
        "(bootstrap)."
    )


def _label(run: data.Run) -> str:
    robust = figure_of(run, "robust")
    figure = "" if robust is None else f" · {percent(robust.value)} robust"
    return f"{run.title}{figure} · {since(run.created)} · {run.id[-4:]}"
