"""How much of the way to the Oracle a transfer went: PGR, and one button where there is no Oracle yet."""

from __future__ import annotations

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.charts.accuracy import models_in
from app.charts.frame import arm
from app.components.drawing_again import draw_again
from app.components.html_table import Entry, html_table
from app.components.run_state import progress_panel, result_word
from app.findings.ceilings import GROUPS, gap, gap_recovered
from app.words.intervals import points
from bird_backend.experiments import TransferSpec
from bird_backend.measures import Predictions, plus_minus
from bird_backend.measures.figures import FIGURES

__all__ = ["ask_for_oracle", "recovered", "wait_for_oracle"]


def _changed(run: data.Run) -> str:
    """What a run's behaviour calls images under its conditions."""
    spec = data.spec_of(run)
    return spec.behaviour.behaviour.words.changed if isinstance(spec, TransferSpec) else "changed"


def ask_for_oracle(run: data.Run) -> None:
    """What to do where no Oracle has been asked for yet."""
    st.markdown(
        "The ceiling is the **Oracle**: the same student with the same images, budget and seed, trained on "
        f"{_changed(run)} images directly. What it reaches is what a transfer could hope for; nobody has trained "
        "it yet."
    )
    st.button("Train the Oracle", key="train_oracle", icon=":material/model_training:", on_click=_train, args=(run.id,))
    if said := st.session_state.pop("_oracle_failed", None):
        st.error(said)


def wait_for_oracle(oracle_id: str) -> None:
    """How far the Oracle is; once it is done, the page is drawn anew."""
    oracle = data.get_run(oracle_id)
    if oracle is None or not data.is_active(oracle):
        draw_again()
    link("live", f"**The Oracle** · {result_word(oracle.state).lower()}", icon=":material/timeline:", run=oracle.id)
    progress_panel(oracle)


def _train(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None:
        return
    try:
        data.train_oracle(run)
    except data.BirdError as error:
        st.session_state["_oracle_failed"] = str(error)


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
