"""Two or more runs that were picked by hand, laid over one another, finished or not."""

from __future__ import annotations

import string

import pandas as pd
import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.charts.curves import X
from app.components.drawing_again import draw_again
from app.components.html_table import Entry, html_table
from app.components.live_chart import Cursor, chart, show_numbers
from app.components.run_picker import empty_state, latest_of, run_label
from app.components.run_state import result_word
from app.components.seed_bands import by_family, other_seeds, seed_bands
from app.components.side_by_side import clock_of, matrices_and_maps, seen_together
from app.words.intervals import points, rounded, verdict
from bird_backend.experiments import KINDS
from bird_backend.measures import has_collapsed
from bird_backend.measures.figures import FIGURES, Unit, columns

__all__ = ["CURVES", "run_comparison"]

_MOST = 24
"""So many colours and marks there are to tell runs apart by."""
_LISTED = 200
CURVES: dict[str, tuple[str, str, str]] = {
    "CKA": ("snapshot", "cka", "CKA with the teacher, probe images (debiased)"),
    "Validation": ("epoch", "validation_accuracy", "Accuracy on clean validation images"),
    "Robust": ("epoch", "robust_accuracy", "Robust accuracy on validation images (small estimate)"),
    "Task loss": ("step", "task_loss", "Task loss"),
    "Representation loss": ("step", "representation_loss", "Representation loss, on each method's own scale"),
}
"""What can be drawn: the kind of its rows in the metrics, its column there, and its title."""


def run_comparison() -> None:
    """Draw it; which runs is in the address (`runs=`)."""
    kinds = [kind.name for kind in KINDS.values() if "curves" in kind.shows]
    asked = [name for name in dict.fromkeys(st.query_params.get("runs", "").split(",")) if name]
    total = data.count_runs(kinds)
    find = st.text_input("Find", key="_find", placeholder="part of a title or an id") if total > _LISTED else ""
    listed = data.list_runs(kinds, text=(find or "").strip(), limit=_LISTED)
    known = {run.id: run for run in listed}
    for run in map(data.get_run, [name for name in asked if name not in known]):
        if run is not None and run.kind in kinds:
            known[run.id] = run
    if not total:
        empty_state("Nothing to compare yet", "Compare needs two runs. Start with the demo, then change one thing.")
        return
    missing = [name for name in asked if name not in known]
    if missing:
        st.warning(
            "Not in the list of runs, so left out: "
            + ", ".join(f"`{name[:50]}`" for name in missing).replace("``", "`")
        )
    st.session_state["_compared"] = [name for name in asked if name in known][:_MOST]
    st.multiselect(
        "Runs",
        list(known),
        format_func=lambda run_id: _told_apart(known[run_id]),
        key="_compared",
        max_selections=_MOST,
        on_change=_choose,
        placeholder="Choose runs to compare",
    )
    if not find:
        latest_of(len(listed), total)
    chosen = [known[name] for name in st.session_state["_compared"]]
    other_seeds(chosen, most=_MOST)
    if len(chosen) < 2:
        _too_few(list(known.values()), chosen)
        return
    active = any(data.is_active(run) for run in chosen)
    st.fragment(_compared, run_every=2.0 if active else None)([run.id for run in chosen], active)


def _told_apart(run: data.Run) -> str:
    """What tells it from others stands first: the rest is cut where a choice is narrow."""
    return f"{run.id[-4:]} · {run_label(run).rpartition(' · ')[0]}"


def _choose() -> None:
    st.query_params["runs"] = ",".join(st.session_state["_compared"])


def _too_few(known: list[data.Run], chosen: list[data.Run]) -> None:
    with st.container(border=True, key="too_few"):
        if len(known) < 2:
            st.markdown(
                "**There is one run so far.** Launch a second one that differs in one choice, say the layer pair."
            )
            link("launch", "Set up a transfer", icon=":material/rocket_launch:")
            return
        st.markdown("**Choose at least two runs above.**")
        newest = [run for run in known if "geometry" in KINDS[run.kind].shows][:2]
        if len(newest) == 2 and not chosen:
            st.button(
                "Compare the two newest transfers",
                type="primary",
                on_click=lambda: st.query_params.update({"runs": ",".join(run.id for run in newest)}),
            )


def _compared(run_ids: list[str], was_active: bool) -> None:
    runs = [run for run in map(data.get_run, run_ids) if run is not None]
    if was_active and not any(data.is_active(run) for run in runs):
        draw_again()
    try:
        compared = [
            charts.ComparedRun(
                name=_name(run, runs),
                arm=data.arm_of(run),
                state=result_word(run.state),
                metrics=data.metrics(run),
                summary=run.summary,
            )
            for run in runs
        ]
        gains = [line for run in runs if (line := _gain(run, _name(run, runs)))]
    except data.BirdError as error:
        st.error(str(error))
        return
    for run in runs:
        link("live", f"**{_name(run, runs)}** · {run_label(run)}", icon=":material/timeline:", run=run.id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.segmented_control(
            "Curve", list(CURVES), default="CKA", required=True, key="curve", bind="query-params"
        )
        x: X = st.segmented_control(
            "Axis", ["step", "epoch"], default="step", required=True, key="x", bind="query-params"
        )
        baseline = st.toggle("With baselines", value=True, key="baselines", bind="query-params")
        groups = by_family(runs)
        singles = len(groups) == len(runs) or st.toggle(
            "Each seed by itself", value=False, key="singles", bind="query-params"
        )
    together = seen_together({_name(run, runs): run for run in runs})
    seen = len(together) > 1
    kind, column, title = CURVES[metric]
    if singles:
        figure = charts.run_curves(compared, kind=kind, column=column, title=title, baselines=baseline, x=x)
    else:
        names = [", ".join(_name(run, runs) for run in group) for group in groups]
        figure = seed_bands(groups, names, kind=kind, column=column, title=title, baselines=baseline, x=x)
    if len(figure.data):
        chart(
            figure,
            of=", ".join(f"{_name(run, runs)} {run.id}" for run in runs),
            key="compared",
            label=f"{title} of {len(runs)} runs",
            revision=f"{metric} {x} {singles}",
            numbers=charts.numbers(figure),
            # Epochs of two runs may be of different lengths, so that one step is at two places there.
            cursor=Cursor(clock=clock_of(together), scale=1.0) if seen and x == "step" else None,
        )
        st.caption(
            "A colour is a run; solid is its method, dotted its fine-tuning baseline."
            if singles
            else "A colour is a run with its seeds: their mean, and a band from lowest to highest. Solid is its "
            "method, dotted its fine-tuning baseline."
        )
    else:
        with st.container(border=True):
            st.markdown(f"None of these runs has recorded *{metric}* yet.")
    if seen:
        matrices_and_maps(together)
    st.header("Results", anchor=False)
    _results(compared, gains)


def _results(compared: list[charts.ComparedRun], gains: list[str]) -> None:
    table = charts.results_table(compared)
    figures = [FIGURES[name] for name in columns("comparison")]
    html_table(
        label="Results of the compared runs",
        columns=["State", *(figure.heading for figure in figures), "n"],
        rows=[
            (
                f"{row['Run']} · {row['Model']}",
                [
                    Entry(text=str(row["State"])),
                    *(Entry(text=_shown(row[figure.heading], figure.unit)) for figure in figures),
                    Entry(text="–" if pd.isna(row["n"]) else f"{int(row['n']):,}"),
                ],
            )
            for row in table.to_dict("records")
        ],
    )
    if gains:
        st.markdown("**Each run against its own fine-tuning baseline, robust accuracy**\n\n" + "\n".join(gains))
        st.caption("Points with 95 % intervals over test images. One seed each: another seed moves them too.")
    show_numbers(table, key="results_numbers", label="results of the compared runs")
    with st.expander("What each figure means", icon=":material/help:"):
        st.markdown("\n".join(f"- **{figure.title}**: {figure.explained}" for figure in figures))


def _shown(value: float, unit: Unit) -> str:
    return "–" if pd.isna(value) else rounded(unit.scale * value, unit.digits, sign=unit.sign)


def _gain(run: data.Run, name: str) -> str | None:
    found = data.predictions(run)
    delta = None if found is None or not data.has_baseline(run) else charts.gain(found, of=data.arm_of(run))
    label = charts.arm(data.arm_of(run)).label
    if found is None or delta is None:
        return None
    said = "which has collapsed to chance" if has_collapsed(found, "fine-tuning") else verdict(delta)
    return f"- {name}: {points(delta)} points, {said} ({label})"


def _name(run: data.Run, among: list[data.Run]) -> str:
    """A letter for the legend and the table."""
    return string.ascii_uppercase[[other.id for other in among].index(run.id)]
